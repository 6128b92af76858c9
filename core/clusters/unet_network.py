"""The network of ``clusters.unet``: a U-Net that says of each place whether it lies in a cluster.

It is a :class:`core.models.unet.ResidualUNet` that begins at a stride of 8 and answers at a quarter of the
resolution: where a cluster ends is no matter of pixels. It goes down to a stride of 64, from where a field of
512 px is 8 × 8 places, so that a crowd is seen against the whole field. It is shown
:func:`core.clusters.views.views_of` a picture. B pictures, H × W pixels.

Beside the chance of lying in a cluster (mask) it answers with the distance to the outline, 1 in the middle
and 0 on it, and the chance of being the middle of one (centre): a watershed on the distance from the centres
parts clusters that meet (after Deep Watershed Transform, Bai & Urtasun 2017, arXiv:1611.08303, and Objects as
Points, Zhou et al. 2019, arXiv:1904.07850).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from core.clusters.outlines import Outline, outline_of
from core.clusters.views import N_VIEWS, VIEW_PX, views_of
from core.models import LockedNetwork, cached_network, inference_dtype, load_state
from core.models.unet import ResidualUNet, Sizes, ready
from core.models.windows import Grid, Window

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SIZES = Sizes((64, 96, 128, 160), (2, 2, 2, 2))
ANSWER_PX = 4
"""Side of a place, in pixels of the picture."""
MASK_LEVEL, CENTRE_LEVEL = 0.6, 0.1
"""Least chance of a place within a cluster, and of its middle."""
SMOOTHING = 1.0
"""Sigma by which the centre map is smoothed before its peaks are taken, in places."""
CENTRE_OF_BEST = 0.25
"""Peaks lower than this part of the highest of the same cluster of places part nothing."""
LEAST_PLACES = 4
MOST_INSTANCES = 60


class Answer(NamedTuple):
    """What the network says of every place, ``(B, H/4, W/4)`` each.

    Attributes:
        mask: Log odds that it lies in a cluster.
        centre: Log odds that it is the middle of one.
        distance: To the outline: 1 in the middle, 0 on it and beyond.
        globular: Log odds that the cluster there is a globular one.
    """

    mask: Tensor
    centre: Tensor
    distance: Tensor
    globular: Tensor


class ClusterNetwork(ResidualUNet):
    """Pictures to answers. Clusters are rare, and their middles rarer: it begins as saying so."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        first = (-2.0, -4.0, 0.0, 0.0)
        super().__init__(N_VIEWS, first, sizes or SIZES, base_px=VIEW_PX, answer_px=ANSWER_PX)

    def forward(self, picture: Tensor) -> Answer:
        """Look at ``(B, 3, H, W)`` pictures in [0, 1], sides multiples of the stride."""
        said = self.answers(views_of(picture).to(next(self.parameters()).dtype))  # (B, 4, H/4, W/4)
        return Answer(said[:, 0], said[:, 1], said[:, 2].sigmoid(), said[:, 3])


def cluster_network(name: str) -> LockedNetwork[ClusterNetwork]:
    """The network of a card, loaded once its file's hash is known to be right.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """
    dtype = inference_dtype()
    return cached_network(name, lambda: ready_network(load_state(name), dtype), variant=str(dtype))


def ready_network(state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> ClusterNetwork:
    """The network with trained weights, made fast: its sizes are read off them."""
    return ready(ClusterNetwork(Sizes.of_state(state)), state, dtype)


def answer_of(network: LockedNetwork[ClusterNetwork], shown: UInt8) -> Float32:
    """``(4, h', w')`` chances of mask, centre and globular, and distance, in the order of :class:`Answer`.

    Args:
        network: As :func:`cluster_network` gives it.
        shown: ``(h, w, 3)`` picture of any size; what it lacks to a multiple of the stride is black.
    """
    height, width = shown.shape[:2]
    with network.use() as run, torch.inference_mode():
        weight = next(run.parameters())
        given = torch.from_numpy(np.array(shown)).permute(2, 0, 1)[None]
        given = given.to(weight.device, torch.float32).div_(255.0)
        stride = run.stride_px
        given = F.pad(given, (0, -width % stride, 0, -height % stride))
        said = run(given.contiguous(memory_format=torch.channels_last))
        chances = torch.cat(
            [said.mask.sigmoid(), said.centre.sigmoid(), said.distance, said.globular.sigmoid()]
        )
        rows, columns = -(-height // ANSWER_PX), -(-width // ANSWER_PX)
        found: Float32 = chances[:, :rows, :columns].cpu().numpy()
    return found


def instances(answer: Float32) -> NDArray[np.int32]:
    """Part the places that lie in clusters among these.

    Args:
        answer: ``(4, h, w)`` of :func:`answer_of`.

    Returns:
        ``(h, w)`` 0 where no cluster is, else its number from 1.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    mask, centre, distance, _ = answer
    inside = mask >= MASK_LEVEL
    if not inside.any():
        return np.zeros(mask.shape, np.int32)
    smooth = ndimage.gaussian_filter(centre, SMOOTHING, mode="nearest")
    pieces, n = ndimage.label(inside)
    numbers = np.arange(1, n + 1)
    best = np.append(0.0, ndimage.maximum(smooth, pieces, numbers))
    peaks = (smooth == ndimage.maximum_filter(smooth, 5, mode="nearest")) & inside
    peaks &= (smooth >= CENTRE_LEVEL) & (smooth >= CENTRE_OF_BEST * best[pieces])
    # A piece without a clear middle is one cluster, with its middle where it is deepest.
    bare = np.setdiff1d(numbers, np.unique(pieces[peaks]))
    if len(bare):
        for row, column in ndimage.maximum_position(distance, pieces, bare):
            peaks[row, column] = True
    markers, _ = ndimage.label(peaks, np.ones((3, 3)))
    parted: NDArray[np.int32] = watershed(-distance, markers, mask=inside).astype(np.int32)
    return parted


def outlines(answer: Float32, window: Window, grid: Grid, logistic: tuple[float, ...]) -> list[Outline]:
    """The clusters of a window, with the score that the calibration gives them.

    Args:
        answer: ``(4, h, w)`` of :func:`answer_of`.
        window: What was shown.
        grid: Over the frame.
        logistic: The constant, and the weight of each of :func:`features`.
    """
    from scipy import ndimage

    numbers = instances(answer)
    found = []
    for number, place in enumerate(ndimage.find_objects(numbers), start=1):
        if place is None:
            continue
        own = numbers[place] == number
        if own.sum() < LEAST_PLACES:
            continue
        whole = np.zeros(numbers.shape, bool)
        whole[place] = own
        known = features(answer, place, own)
        odds = logistic[0] + float(np.dot(known, logistic[1:]))
        weight = answer[0][place][own]
        globular = float(np.average(answer[3][place][own], weights=weight))
        score = float(1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))
        one = outline_of(grid, window, whole, score=score, globular=globular, features=known)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: -one.score)[:MOST_INSTANCES]


def features(
    answer: Float32, place: tuple[slice, ...], own: NDArray[np.bool_]
) -> tuple[float, float, float, float]:
    """What the score of an instance is made of: log odds of its mask in the mean and at its best, of its
    middle, and the logarithm of its size in places."""
    mask, centre = answer[0][place][own], answer[1][place][own]
    return (
        _log_odds(float(mask.mean())),
        _log_odds(float(mask.max())),
        _log_odds(float(centre.max())),
        float(np.log(np.sqrt(own.sum()) / 10.0)),
    )


def _log_odds(chance: float) -> float:
    p = min(max(chance, 1e-4), 1.0 - 1e-4)
    return float(np.log(p / (1.0 - p)))
