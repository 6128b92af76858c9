"""The network of ``clusters.maskrcnn``: torchvision's Mask R-CNN, with a backbone and heads for a processor.

Mask R-CNN (He et al. 2017, arXiv:1703.06870) on the residual network of
:mod:`core.clusters.unet_network`, whose way up is a feature pyramid (Lin et al. 2017, arXiv:1612.03144), with
:data:`CHANNELS` channels in place of 256 and heads to match. It is shown :func:`core.clusters.views.views_of`
a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.clusters.kinds import LABELS
from core.clusters.outlines import Outline, outline_of
from core.clusters.pictures import SIDE_PX
from core.clusters.unet_network import SIZES, ClusterNetwork
from core.clusters.views import views_of
from core.models import LockedNetwork, cached_network, inference_dtype, load_state
from core.models.torchvision_ops import import_torchvision
from core.models.unet import Sizes
from core.models.windows import Grid, Window

UInt8 = NDArray[np.uint8]

CHANNELS, BOX_FEATURES = 96, 256
TRUNK = "backbone.trunk."
"""What the names of the trunk's weights begin with."""
ANCHORS_PX = (24, 56, 128, 288)
"""At each stride, the finest first."""
LEAST_SCORE, SAME_IOU, MOST_FOUND = 0.02, 0.4, 30
MASK_LEVEL = 0.5


class Backbone(nn.Module):
    """The trunk of :class:`core.clusters.unet_network.ClusterNetwork`, its features made alike.

    Args:
        channels: Of the features.
        sizes: Of the trunk.
    """

    def __init__(self, channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.trunk = ClusterNetwork(sizes)
        self.trunk.head = nn.Identity()  # type: ignore[assignment]
        self.alike = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in sizes.channels)
        self.out_channels = channels

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """``(B, 3, H, W)`` pictures in [0, 1] to ``(B, C, h, w)`` features at each stride, by number."""
        views = views_of(picture).to(next(self.parameters()).dtype)
        features = zip(self.alike, self.trunk.pyramid(views), strict=True)
        return {str(number): alike(x) for number, (alike, x) in enumerate(features)}

    def take(self, state: Mapping[str, Tensor]) -> None:
        """Begin with the trunk of a trained :class:`core.clusters.unet_network.ClusterNetwork`."""
        own = {name: part for name, part in state.items() if not name.startswith("head.")}
        self.trunk.load_state_dict(own)


def build(
    channels: int = CHANNELS, box_features: int = BOX_FEATURES, sizes: Sizes | None = None
) -> nn.Module:
    """A Mask R-CNN that has learned nothing, for the two kinds of clusters.

    It takes pictures as they are: ``(3, h, w)`` in [0, 1] each, of any size.

    Args:
        channels: Of the feature pyramid.
        box_features: Of the head that judges boxes.
        sizes: Of the trunk.
    """
    torchvision = import_torchvision()
    detection, pool = torchvision.models.detection, torchvision.ops.MultiScaleRoIAlign
    backbone = Backbone(channels, sizes or SIZES)
    anchors = detection.anchor_utils.AnchorGenerator(
        tuple((size,) for size in ANCHORS_PX), ((0.6, 1.0, 1.7),) * len(ANCHORS_PX)
    )
    levels = [str(number) for number in range(len(ANCHORS_PX))]
    n_classes = 1 + len(LABELS)
    network: nn.Module = detection.MaskRCNN(
        backbone,
        min_size=512,
        max_size=512,
        image_mean=[0.0] * 3,
        image_std=[1.0] * 3,
        _skip_resize=True,
        rpn_anchor_generator=anchors,
        rpn_head=detection.rpn.RPNHead(channels, anchors.num_anchors_per_location()[0]),
        rpn_pre_nms_top_n_train=600,
        rpn_pre_nms_top_n_test=300,
        rpn_post_nms_top_n_train=300,
        rpn_post_nms_top_n_test=120,
        rpn_fg_iou_thresh=0.6,
        rpn_batch_size_per_image=128,
        box_roi_pool=pool(levels, output_size=5, sampling_ratio=2),
        box_head=detection.faster_rcnn.TwoMLPHead(channels * 25, box_features),
        box_predictor=detection.faster_rcnn.FastRCNNPredictor(box_features, n_classes),
        box_score_thresh=LEAST_SCORE,
        box_nms_thresh=SAME_IOU,
        box_detections_per_img=MOST_FOUND,
        box_batch_size_per_image=96,
        mask_roi_pool=pool(levels, output_size=14, sampling_ratio=2),
        mask_head=detection.mask_rcnn.MaskRCNNHeads(channels, (channels, channels), 1),
        mask_predictor=detection.mask_rcnn.MaskRCNNPredictor(channels, channels, n_classes),
    )
    return network


def maskrcnn_network(name: str) -> LockedNetwork[nn.Module]:
    """The network of a card, loaded once its file's hash is known to be right.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """
    return cached_network(name, lambda: ready_network(load_state(name)))


def ready_network(state: Mapping[str, Tensor]) -> nn.Module:
    """The network with trained weights, its sizes read off them."""
    network = build(
        channels=int(state["backbone.alike.0.weight"].shape[0]),
        box_features=int(state["roi_heads.box_head.fc6.weight"].shape[0]),
        sizes=Sizes.of_state({name.removeprefix(TRUNK): part for name, part in state.items()}),
    ).eval()
    network.load_state_dict(dict(state))
    return network.to(memory_format=torch.channels_last).requires_grad_(False)  # type: ignore[call-overload, no-any-return]


def outlines(
    network: LockedNetwork[nn.Module],
    shown: UInt8,
    window: Window,
    grid: Grid,
    calibration: tuple[float, float],
) -> list[Outline]:
    """The clusters of a window.

    Args:
        network: As :func:`maskrcnn_network` gives it.
        shown: ``(h, w, 3)`` picture of the window; what it lacks to :data:`SIDE_PX` is black.
        window: What was shown.
        grid: Over the frame.
        calibration: Constant and slope of a score's log odds over those the network gives.
    """
    with network.use() as run, torch.inference_mode():
        device = next(run.parameters()).device
        given = torch.from_numpy(np.array(shown)).permute(2, 0, 1).to(device).float().div_(255.0)
        height, width = shown.shape[:2]
        given = F.pad(given, (0, max(SIDE_PX - width, 0), 0, max(SIDE_PX - height, 0)))
        low = device.type == "cuda" or inference_dtype() == torch.bfloat16
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            said: dict[str, Any] = run([given])[0]
        scores, labels = said["scores"].float().cpu().numpy(), said["labels"].cpu().numpy()
        masks = (said["masks"][:, 0, :height, :width] >= MASK_LEVEL).cpu().numpy()
    found = []
    for score, label, mask in zip(scores, labels, masks, strict=True):
        p = float(np.clip(score, 1e-4, 1.0 - 1e-4))
        odds = float(np.log(p / (1.0 - p)))
        sure = float(1.0 / (1.0 + np.exp(-np.clip(calibration[0] + calibration[1] * odds, -30.0, 30.0))))
        one = outline_of(grid, window, mask, score=sure, globular=float(label == 2), features=(odds,))
        if one is not None:
            found.append(one)
    return found
