"""The classifier of ``dso.xrai``: is there a deep-sky object in a square view of the sky, and of which kind.

A ResNet-50 (He et al. 2016, arXiv:1512.03385) with four logits, each on its own: anything at all, then each
class of :data:`core.dso.kinds.LABELS`. Its probabilities are calibrated by Platt's scaling (1999, Advances
in Large Margin Classifiers, p. 61), a slope and an offset for each logit, which the card carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.dso.kinds import LABELS
from core.methods import Progress, no_progress
from core.models import LockedNetwork, cached_network, inference_dtype, load_state, read_card

if TYPE_CHECKING:
    from torch import nn

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WEIGHTS = "dso_classifier"
OUTPUTS = ("any", *LABELS)
"""Names of the logits, in order."""
SIDE_PX = 224
BATCH = 8
DEFAULT_CALIBRATION, DEFAULT_THRESHOLD = (1.0, 0.0), 0.5
"""Where the card says nothing."""
OVERLAP = 1 / 3
"""Part of a view that the next one shares: what one cuts is whole in the other, or in a larger view."""
ONE_VIEW_PX = 450
"""Frames no larger are looked at as a whole only."""
MOST_VIEWS = 120
"""Views of a frame; finer ones than fit are left out."""


@dataclass(frozen=True)
class Square:
    """A square of the frame; x and y are the column and row of its first pixel, the side is in pixels.

    Attributes:
        x, y, side: Where it is. It may reach beyond the frame where that is smaller.
        level: 0 for the whole frame, then 1, 2, ... for finer ones.
    """

    x: int
    y: int
    side: int
    level: int = 0

    def cut(self, picture: UInt8) -> UInt8:
        """``(side, side, 3)`` of a ``(H, W, 3)`` picture; black beyond its edges."""
        height, width = picture.shape[:2]
        x0, y0 = max(self.x, 0), max(self.y, 0)
        part = picture[y0 : min(self.y + self.side, height), x0 : min(self.x + self.side, width)]
        if part.shape[:2] == (self.side, self.side):
            return part
        whole = np.zeros((self.side, self.side, 3), np.uint8)
        top, left = y0 - self.y, x0 - self.x
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        return whole


def squares(width: int, height: int) -> list[Square]:
    """The views of a frame, the coarsest first: squares as high as the frame, then half of it, and so on.

    A frame longer than high has several of the first kind. The finest are shown about pixel by pixel.
    """
    found: list[Square] = []
    side, level = min(width, height), 0
    while True:
        xs, ys = _starts(width, side), _starts(height, side)
        if found and len(found) + len(xs) * len(ys) > MOST_VIEWS:
            return found
        found += [Square(x, y, side, level) for y in ys for x in xs]
        side, level = round(side / 2), level + 1
        if max(width, height) <= ONE_VIEW_PX or side < SIDE_PX:
            return found


def _starts(length: int, side: int) -> list[int]:
    """First pixels of squares that cover a side of the frame evenly."""
    if length <= side:
        return [0]
    n = 1 + int(np.ceil((length - side) / (side * (1.0 - OVERLAP)) - 1e-9))
    return [round(i * (length - side) / (n - 1)) for i in range(n)]


def looked_at(
    network: LockedNetwork[nn.Module],
    picture: UInt8,
    views: Sequence[Square],
    progress: Progress = no_progress,
) -> Float32:
    """``(N, 4)`` calibrated probabilities of squares of a ``(H, W, 3)`` picture.

    Args:
        network: Of :func:`classifier`.
        picture: As :func:`core.frames.night.network_picture` gives it.
        views: The squares.
        progress: Told after each batch; it may raise to stop the work.
    """
    parts = [np.empty((0, len(OUTPUTS)), np.float32)]
    for begin in range(0, len(views), BATCH):
        some = [prepared(square.cut(picture)) for square in views[begin : begin + BATCH]]
        parts.append(probabilities(network, some))
        progress(min(begin + BATCH, len(views)) / len(views), "looking for anything at all")
    return np.concatenate(parts)


def build() -> nn.Module:
    """The network without its weights: ``(B, 3, S, S)`` pictures of :func:`prepared` to ``(B, 4)`` logits."""
    from core.models.torchvision_ops import import_torchvision

    network: nn.Module = import_torchvision().models.resnet50(
        num_classes=len(OUTPUTS), zero_init_residual=True
    )
    return network


def classifier() -> LockedNetwork[nn.Module]:
    """The trained network, quick to differentiate by its input; the process keeps it.

    Raises:
        WeightsUnavailable: The weights are missing or are not what they should be.
    """
    return cached_network(WEIGHTS, _load)


def calibration() -> Float32:
    """``(4, 2)`` slope and offset that make each logit a calibrated one.

    Raises:
        WeightsUnavailable: There is no card.
    """
    kept = read_card(WEIGHTS).extra.get("calibration", [DEFAULT_CALIBRATION] * len(OUTPUTS))
    return np.array(kept, np.float32)


def threshold() -> float:
    """Least probability of ``"any"`` at which a view is taken to hold something, as the card has it.

    Raises:
        WeightsUnavailable: There is no card.
    """
    return float(read_card(WEIGHTS).extra.get("threshold", DEFAULT_THRESHOLD))


def prepared(picture: UInt8, side_px: int = SIDE_PX) -> Float32:
    """``(3, S, S)`` in [-1, 1] of a square ``(H, W, 3)`` picture, as the network takes it.

    Levels enter by their square root: what is faint on a dark sky would else be next to nothing beside stars.
    """
    if picture.shape[:2] != (side_px, side_px):
        from PIL import Image

        large = max(picture.shape[:2]) > side_px
        kind = Image.Resampling.BOX if large else Image.Resampling.BICUBIC
        picture = np.asarray(Image.fromarray(picture).resize((side_px, side_px), kind))
    return normalised(picture)


def normalised(pictures: UInt8) -> Float32:
    """``(..., 3, H, W)`` in [-1, 1] of ``(..., H, W, 3)`` levels."""
    table = (2.0 * np.sqrt(np.arange(256) / 255.0) - 1.0).astype(np.float32)
    return np.ascontiguousarray(np.moveaxis(table[pictures], -1, -3))


def probabilities(network: LockedNetwork[nn.Module], views: Sequence[Float32]) -> Float32:
    """``(N, 4)`` calibrated probabilities of views of :func:`prepared`, in the order of :data:`OUTPUTS`."""
    slope, offset = calibration().T
    logits = slope * raw_logits(network, views) + offset
    chances: Float32 = (1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))).astype(np.float32)
    return chances


def raw_logits(network: LockedNetwork[nn.Module], views: Sequence[Float32]) -> Float32:
    """``(N, 4)`` logits of views, :data:`BATCH` at a time."""
    import torch

    parts = [np.empty((0, len(OUTPUTS)), np.float32)]
    low = inference_dtype() == torch.bfloat16
    for begin in range(0, len(views), BATCH):
        batch = torch.from_numpy(np.stack(list(views[begin : begin + BATCH])))
        batch = batch.contiguous(memory_format=torch.channels_last)
        with (
            network.use() as held,
            torch.inference_mode(),
            torch.autocast("cpu", torch.bfloat16, enabled=low),
        ):
            parts.append(held(batch).float().numpy())
    return np.concatenate(parts)


def _load() -> nn.Module:
    from core.explain.score import for_explaining

    network = build()
    network.load_state_dict(load_state(WEIGHTS))
    return for_explaining(network)
