"""The network of ``clusters.unet``: a U-Net that says of each place whether it lies in a cluster.

It is a :class:`core.models.unet.ResidualUNet` that begins at a stride of 8 and answers at a quarter of the
resolution: where a cluster ends is no matter of pixels. It goes down to a stride of 64, from where a field of
512 px is 8 × 8 places, so that a crowd is seen against the whole field. It is shown
:func:`core.clusters.views.views_of` a picture. B pictures, H × W pixels.

Beside the chance of lying in a cluster (mask) it answers with the distance to the outline, 1 in the middle
and 0 on it, and the chance of being the middle of one (centre): a watershed on the distance from the centres
parts clusters that meet (after Deep Watershed Transform, Bai & Urtasun 2017, arXiv:1611.08303, and Objects as
Points, Zhou et al. 2019, arXiv:1904.07850). Where a cluster thins out into its field no place by itself can
tell on which side it lies; so places near the middle also say where it is and how large and long the whole is
(after FCOS, Tian et al. 2019, arXiv:1904.01355), and the outline is the ellipse of their mean.
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
from core.clusters.pictures import SIDE_PX
from core.clusters.views import N_VIEWS, VIEW_PX, views_of
from core.models import LockedNetwork, cached_network, inference_dtype, load_state
from core.models.unet import ResidualUNet, Sizes, ready
from core.models.windows import Grid, Window
from core.shapes import Ellipse

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
RADIUS_PX, LARGEST = 32.0, 3.0
"""A cluster of this radius has the size 0; sizes beyond ± the second are taken for it."""
NEAR_MIDDLE = 0.5
"""Places so deep in a cluster say where its outline is."""
MOST_SQUEEZED = 0.6
"""(a − b) / (a + b) beyond is taken for this: axes of 4 to 1."""
LEAST_PLACES = 4
MOST_INSTANCES = 60


class Answer(NamedTuple):
    """What the network says of every place, ``(B, H/4, W/4)`` each.

    Attributes:
        mask: Log odds that it lies in a cluster.
        centre: Log odds that it is the middle of one.
        distance: To the outline: 1 in the middle, 0 on it and beyond.
        globular: Log odds that the cluster there is a globular one.
        right, down: x and y of its middle from that of the place, in radii of the cluster.
        size: Natural logarithm of its radius (that of the circle of its area) over :data:`RADIUS_PX`.
        cosine, sine: (a − b) / (a + b) of its semi-axes times the cosine and the sine of twice the angle from
            +x towards +y of the longer.
    """

    mask: Tensor
    centre: Tensor
    distance: Tensor
    globular: Tensor
    right: Tensor
    down: Tensor
    size: Tensor
    cosine: Tensor
    sine: Tensor


class ClusterNetwork(ResidualUNet):
    """Pictures to answers. Clusters are rare, and their middles rarer: it begins as saying so."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        first = (-2.0, -4.0, *(0.0,) * (len(Answer._fields) - 2))
        super().__init__(N_VIEWS, first, sizes or SIZES, base_px=VIEW_PX, answer_px=ANSWER_PX)

    def forward(self, picture: Tensor) -> Answer:
        """Look at ``(B, 3, H, W)`` pictures in [0, 1], sides multiples of the stride."""
        said = self.answers(views_of(picture).to(next(self.parameters()).dtype))  # (B, 9, H/4, W/4)
        mask, centre, distance, globular, right, down, size, cosine, sine = said.unbind(1)
        size = size.clamp(-LARGEST, LARGEST)
        return Answer(mask, centre, distance.sigmoid(), globular, right, down, size, cosine, sine)


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
    """``(9, h', w')`` of :class:`Answer`, with chances in place of log odds.

    Args:
        network: As :func:`cluster_network` gives it.
        shown: ``(h, w, 3)`` picture of any size; what it lacks to a multiple of the stride, and to
            :data:`SIDE_PX`, is black.
    """
    height, width = shown.shape[:2]
    with network.use() as run, torch.inference_mode():
        weight = next(run.parameters())
        given = torch.from_numpy(np.array(shown)).permute(2, 0, 1)[None]
        given = given.to(weight.device, torch.float32).div_(255.0)
        stride = run.stride_px
        wide, tall = (max(side + -side % stride, SIDE_PX) for side in (width, height))
        given = F.pad(given, (0, wide - width, 0, tall - height))
        said = run(given.contiguous(memory_format=torch.channels_last))
        said = said._replace(
            mask=said.mask.sigmoid(), centre=said.centre.sigmoid(), globular=said.globular.sigmoid()
        )
        rows, columns = -(-height // ANSWER_PX), -(-width // ANSWER_PX)
        found: Float32 = torch.cat(said)[:, :rows, :columns].cpu().numpy()
    return found


def instances(answer: Float32) -> NDArray[np.int32]:
    """Part the places that lie in clusters among these.

    Args:
        answer: ``(9, h, w)`` of :func:`answer_of`.

    Returns:
        ``(h, w)`` 0 where no cluster is, else its number from 1.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    mask, centre, distance = answer[:3]
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
        answer: ``(9, h, w)`` of :func:`answer_of`.
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
        known = features(answer, place, own)
        odds = logistic[0] + float(np.dot(known, logistic[1:]))
        weight = answer[0][place][own]
        globular = float(np.average(answer[3][place][own], weights=weight))
        score = float(1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))
        shown = window.height * window.scale, window.width * window.scale
        whole = inside(ellipse_of(answer, place, own), (round(shown[0]), round(shown[1])))
        one = outline_of(grid, window, whole, score=score, globular=globular, features=known)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: -one.score)[:MOST_INSTANCES]


def ellipse_of(answer: Float32, place: tuple[slice, ...], own: NDArray[np.bool_]) -> Ellipse:
    """The outline of an instance, in pixels of the picture: the mean of what its places near the middle say.

    Args:
        answer: ``(9, h, w)`` of :func:`answer_of`.
        place: Rows and columns of the instance.
        own: Which of them are its.
    """
    depth = answer[2][place]
    near = own & (depth >= NEAR_MIDDLE * depth[own].max())
    row, column = np.nonzero(near)
    _, _, _, _, right, down, size, cosine, sine = answer[(slice(None), *place)][:, near].astype(float)
    weight = depth[near] + 1e-3
    radius = RADIUS_PX * np.exp(size)
    x = (column + place[1].start + 0.5) * ANSWER_PX - 0.5 + right * radius
    y = (row + place[0].start + 0.5) * ANSWER_PX - 0.5 + down * radius
    x, y, size, cosine, sine = (np.average(part, weights=weight) for part in (x, y, size, cosine, sine))
    diameter = 2.0 * RADIUS_PX * float(np.exp(size))
    return Ellipse.squeezed(float(x), float(y), diameter, float(cosine), float(sine), MOST_SQUEEZED)


def inside(ellipse: Ellipse, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """``shape`` which pixels lie in an ellipse."""
    found = np.zeros(shape, bool)
    left, top, right, bottom = ellipse.box
    rows = slice(max(int(top), 0), min(int(bottom) + 2, shape[0]))
    columns = slice(max(int(left), 0), min(int(right) + 2, shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        y, x = np.mgrid[rows, columns]
        away = np.linalg.inv(ellipse.axes) @ np.stack([x.ravel() - ellipse.x, y.ravel() - ellipse.y])
        found[rows, columns] = ((away**2).sum(axis=0) <= 1.0).reshape(x.shape)
    return found


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
