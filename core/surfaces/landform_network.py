"""The network of ``surfaces.segment`` and ``surfaces.craters``: of which landform is each place, and which
craters have their middle there.

It is a :class:`core.models.unet.ResidualUNet` with answers at half the resolution. Of every place it says the
chances of the classes of :data:`core.surfaces.kinds.SEGMENTS`; the chance of holding a crater's middle, with
where in it that is and how large and how round the crater is (after Objects as Points, Zhou et al. 2019,
arXiv:1904.07850). One network learns both, for each helps the other; each method has weights of its own, for
what is best for one need not be for the other. B pictures, H × W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from core.models import LockedNetwork, cached_network, inference_dtype, load_state
from core.models.unet import ResidualUNet, Sizes, ready
from core.surfaces.kinds import SEGMENTS

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

ANSWER_PX = 2
"""Side of a place, in pixels of the picture."""
RADIUS_PX = 8.0
"""A crater of this radius has the size 0."""
LARGEST = 4.0
"""Sizes beyond ± this are taken for it: radii of 0.15 to 437 px."""
CLAIM = 0.2
"""Radii around a crater's middle, at least one place, in which offset, size and shape are learned."""
CONTRAST_PX = 16
"""Blocks whose mean and spread the local contrast is of; with their neighbours some 48 px wide."""
LEAST_LOGIT = -2.5
"""Middles that are less likely are not looked at."""
MOST_MIDDLES = 1500


class Answer(NamedTuple):
    """What the network says of every place, h = H/2 and w = W/2.

    Attributes:
        classes: ``(B, 5, h, w)`` logits of the classes.
        middle: ``(B, h, w)`` log odds that a crater's middle lies in it.
        offset: ``(B, 2, h, w)`` x and y of the middle from the middle of the place, in units of
            :func:`offset_unit`.
        size: ``(B, h, w)`` natural logarithm of the crater's radius (that of the circle of its area) over
            :data:`RADIUS_PX`.
        shape: ``(B, 2, h, w)`` (a − b) / (a + b) of its semi-axes times the cosine and the sine of twice the
            angle from +x towards +y of the longer.
    """

    classes: Tensor
    middle: Tensor
    offset: Tensor
    size: Tensor
    shape: Tensor


class LandformNetwork(ResidualUNet):
    """Pictures to answers. It begins as calling everything a plain without craters."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        first = [2.0, *(0.0,) * (len(SEGMENTS) - 1), -5.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        super().__init__(8, first, sizes or Sizes(), base_px=ANSWER_PX, answer_px=ANSWER_PX)

    def forward(self, picture: Tensor) -> Answer:
        """Look at ``(B, 1, H, W)`` pictures in [0, 1], sides multiples of the stride."""
        views = torch.cat([picture - 0.5, local_contrast(picture)], dim=1)
        said = self.answers(F.pixel_unshuffle(views, 2))  # (B, 11, H/2, W/2)
        n = len(SEGMENTS)
        return Answer(
            said[:, :n],
            said[:, n],
            said[:, n + 1 : n + 3].tanh(),
            said[:, n + 3].clamp(-LARGEST, LARGEST),
            said[:, n + 4 : n + 6].tanh(),
        )


def local_contrast(picture: Tensor) -> Tensor:
    """``(B, 1, H, W)`` pictures in units of the spread around the mean of their surroundings."""
    mean = F.avg_pool2d(picture, CONTRAST_PX)
    square = F.avg_pool2d(picture.float().square(), CONTRAST_PX)
    mean, square = (F.avg_pool2d(part.float(), 3, 1, 1, count_include_pad=False) for part in (mean, square))
    spread = (square - mean.square()).clamp(min=0.0).sqrt() + 0.02
    mean, spread = (F.interpolate(part, size=picture.shape[-2:], mode="bilinear") for part in (mean, spread))
    contrast: Tensor = ((picture.float() - mean) / spread).clamp(-4.0, 4.0) * 0.5
    return contrast.to(picture.dtype)


def landform_network(name: str) -> LockedNetwork[LandformNetwork]:
    """The network of a card, loaded once its file's hash is known to be right.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """
    dtype = inference_dtype()
    return cached_network(name, lambda: ready_network(load_state(name), dtype), variant=str(dtype))


def ready_network(state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> LandformNetwork:
    """The network with trained weights, made fast: its sizes are read off them."""
    return ready(LandformNetwork(Sizes.of_state(state)), state, dtype)


@dataclass(frozen=True, eq=False)
class Said:
    """What the network says of a picture.

    Attributes:
        logits: ``(5, h, w)`` of the classes.
        craters: ``(N, 6)`` log odds, x and y of the middle in pixels of the picture, radius in pixels, and
            the two numbers of the shape; the surest first.
    """

    logits: Float32
    craters: Float32


def look(network: LockedNetwork[LandformNetwork], shown: UInt8) -> Said:
    """What the network says of a ``(h, w)`` picture of any size."""
    height, width = shown.shape
    with network.use() as run, torch.inference_mode():
        weight = next(run.parameters())
        given = torch.from_numpy(np.array(shown))[None, None]
        given = given.to(weight.device, weight.dtype).div_(255.0)
        stride = run.stride_px
        # Mirrored beyond the edge: black there would be a wall. Narrow pictures are repeated instead.
        more = (0, -width % stride, 0, -height % stride)
        narrow = more[1] >= width or more[3] >= height
        given = F.pad(given, more, mode="replicate" if narrow else "reflect")
        said = run(given.contiguous(memory_format=torch.channels_last))
        rows, columns = -(-height // ANSWER_PX), -(-width // ANSWER_PX)
        said = Answer(*(part[..., :rows, :columns] for part in said))
        found = middles(said)[0].cpu().numpy()
        logits: Float32 = said.classes[0].float().cpu().numpy()
    return Said(logits, found[(found[:, 1] <= width) & (found[:, 2] <= height)])


def offset_unit(radius_px: Tensor) -> Tensor:
    """What offsets of craters of these radii are counted in: places, and of larger craters their claim."""
    return (radius_px * (CLAIM / ANSWER_PX)).clamp(min=1.0)


def middles(said: Answer) -> list[Tensor]:
    """``(N, 6)`` craters of each picture as in :class:`Said`: peaks among the places around them."""
    peak = said.middle == F.max_pool2d(said.middle[:, None], 3, 1, 1)[:, 0]
    peak &= said.middle > LEAST_LOGIT
    found = []
    for number in range(len(peak)):
        row, column = torch.nonzero(peak[number], as_tuple=True)
        odds = said.middle[number, row, column].float()
        best = odds.argsort(descending=True, stable=True)[:MOST_MIDDLES]
        row, column, odds = row[best], column[best], odds[best]
        radius = said.size[number, row, column].float().exp() * RADIUS_PX
        offset = said.offset[number, :, row, column].float() * offset_unit(radius)
        x = (column + 0.5 + offset[0]) * ANSWER_PX - 0.5
        y = (row + 0.5 + offset[1]) * ANSWER_PX - 0.5
        shape = said.shape[number, :, row, column].float()
        found.append(torch.stack([odds, x, y, radius, shape[0], shape[1]], dim=1))
    return found
