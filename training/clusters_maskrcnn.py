"""Train the network of ``clusters.maskrcnn``.

``python -m training.clusters_maskrcnn --data DIR --minutes 90`` draws the scenes that are not there yet,
trains Mask R-CNN, writes ``weights/clusters_maskrcnn.safetensors`` and its card, calibrates its scores and
chooses its confidence on validation scenes, and measures it on test scenes. It begins with the trunk of
``clusters.unet`` where the weights of that are there. Killed, it goes on from its last checkpoint with
``--resume``. ``--score`` only measures the weights that are there; ``--draw`` only draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.clusters.maskrcnn import DEFAULT_CALIBRATION, WEIGHTS, look_with
from core.clusters.maskrcnn_network import (
    ANCHORS_PX,
    BOX_FEATURES,
    CHANNELS,
    Backbone,
    build,
)
from core.clusters.unet import WEIGHTS as UNET
from core.models import are_present, load_state
from core.models.unet import Sizes
from training.cluster_data import WORK, Sample
from training.cluster_training import run
from training.course import Course
from training.options import options_of

WEIGHTS_OF_LOSSES = dict.fromkeys(("classifier", "box_reg", "mask", "objectness", "rpn_box_reg"), 1.0)
LEAST_SIDE_PX = 6
"""Smaller parts of a cluster, cut by the frame's edge, are no object to learn."""
NOT_COUNTED = -1
"""The label of clusters that need not be found: torchvision's heads pass over boxes of a negative label."""


def target_of(sample: Sample, device: torch.device) -> dict[str, Tensor]:
    """``boxes`` ``(N, 4)``, ``labels`` ``(N,)``, ``masks`` ``(N, H, W)`` of a sample, for torchvision."""
    boxes, labels, masks = [], [], []
    for number in np.unique(sample.instances[sample.instances > 0]):
        own = sample.instances == number
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        if min(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 < LEAST_SIDE_PX:
            continue
        cluster = sample.clusters[number - 1]
        boxes.append([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        labels.append(1 + cluster.label if cluster.wanted else NOT_COUNTED)
        masks.append(own)
    size = sample.instances.shape
    return {
        "boxes": torch.tensor(np.array(boxes, np.float32).reshape(-1, 4)).to(device),
        "labels": torch.tensor(labels, dtype=torch.int64).to(device),
        "masks": torch.from_numpy(np.array(masks, np.uint8).reshape(-1, *size)).to(device),
    }


def learn(course: Course[nn.Module], samples: list[Sample]) -> dict[str, float]:
    """One step; its losses."""
    pictures = [torch.from_numpy(one.picture).to(course.device) for one in samples]
    targets = [target_of(one, course.device) for one in samples]

    def losses() -> dict[str, Tensor]:
        with course.autocast():
            found = course.network(pictures, targets)
        return {name.removeprefix("loss_"): loss.float() for name, loss in found.items()}

    return course.learn(losses, WEIGHTS_OF_LOSSES)


def about(network: nn.Module) -> dict[str, Any]:
    """What the card says of the network."""
    backbone = network.get_submodule("backbone")
    assert isinstance(backbone, Backbone)
    return {
        "title": "Mask R-CNN of star clusters",
        "architecture": (
            f"Mask R-CNN of torchvision on a residual trunk as that of clusters_unet ({backbone.trunk}), "
            f"features of {backbone.out_channels} channels, anchors of {len(ANCHORS_PX)} sizes, boxes judged "
            "on 5 × 5 and masks drawn on 28 × 28"
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, train, measure."""
    options = options_of(
        "python -m training.clusters_maskrcnn",
        __doc__ or "",
        arguments,
        WORK,
        minutes=90.0,
        batch=6,
        rate=6e-4,
    )

    def begin() -> Course[nn.Module]:
        torch.manual_seed(options.seed)
        heads, _, trunk = (options.sizes or f"{CHANNELS},{BOX_FEATURES}").partition("/")
        network = build(*map(int, heads.split(",")), Sizes.of_text(trunk))
        if are_present(UNET) and options.sizes is None:
            network.get_submodule("backbone").take(load_state(UNET))  # type: ignore[operator]
        return Course(
            network,
            options.work / "maskrcnn.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
            warm_up=200,
        )

    return run(options, WEIGHTS, begin, learn, about, look_with, ("calibration", DEFAULT_CALIBRATION))


if __name__ == "__main__":
    raise SystemExit(main())
