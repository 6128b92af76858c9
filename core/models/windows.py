"""Windows over a large frame: small objects are seen at full size, large ones on a smaller copy.

A network sees a square of a fixed side. A frame that is larger is searched several times: in overlapping
squares at its own scale, then on copies half, a quarter, ... as large, and last as a whole. An object that
the edge of a square cuts is whole in a neighbour, or on a smaller copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]

ONE_WINDOW = 0.7
"""Frames that fit when shrunk to this or more are searched as a whole only."""
LEAST_SHORT_SIDE_PX = 64
"""A smaller copy whose shorter side would be less shows nothing."""
FINEST_SIDE_PX = 4096
"""Longest side of the largest copy: what is a dozen pixels wide on a larger frame is a star's halo."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the frame, shown at a scale.

    Attributes:
        x, y: Column and row of its first pixel.
        width, height: In pixels of the frame.
        scale: Pixels shown for one of the frame; more than 1 where small objects are looked for.
        level: 0 for the finest scale, then 1, 2, ...
        inner: Whether its left, top, right and bottom edges lie within the frame and may cut objects.
    """

    x: int
    y: int
    width: int
    height: int
    scale: float
    level: int
    inner: tuple[bool, bool, bool, bool]

    def show(self, picture: UInt8) -> UInt8:
        """``(h, w, 3)`` the window of a ``(H, W, 3)`` picture at its scale, averaged down; or ``(h, w)``."""
        part = picture[self.y : self.y + self.height, self.x : self.x + self.width]
        if self.scale == 1.0:
            return part
        from PIL import Image

        size = (max(1, round(self.width * self.scale)), max(1, round(self.height * self.scale)))
        image = Image.fromarray(part)
        kinds = Image.Resampling
        way = kinds.BICUBIC if self.scale > 1.0 else kinds.HAMMING if self.scale > 0.5 else kinds.BOX
        return np.asarray(image.resize(size, way))


@dataclass(frozen=True)
class Grid:
    """Cells over a frame, onto which what is said of windows at any scale is laid.

    Attributes:
        width, height: Of the frame, in pixels.
        least_px: Least side of a cell.
        most: Most cells along a side.
    """

    width: int
    height: int
    least_px: float = 1.0
    most: int = 1024

    @property
    def cell_px(self) -> float:
        """Side of a cell."""
        return max(self.least_px, max(self.width, self.height) / self.most)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return max(1, round(self.height / self.cell_px)), max(1, round(self.width / self.cell_px))

    def span(self, window: Window) -> tuple[slice, slice]:
        """The cells of a window."""
        rows, columns = self.shape
        y, x = rows / self.height, columns / self.width
        return (
            slice(int(window.y * y), max(int(window.y * y) + 1, round((window.y + window.height) * y))),
            slice(int(window.x * x), max(int(window.x * x) + 1, round((window.x + window.width) * x))),
        )


def windows(
    width: int, height: int, side_px: int, overlap: float, at: Sequence[float] | None = None
) -> list[Window]:
    """The windows to search, the finest scale first.

    Args:
        width, height: Of the frame.
        side_px: Of a window as it is shown.
        overlap: Least part of a window it shares with the next, in [0, 0.9].
        at: Scales of the copies that are searched; those of :func:`scales` by default.
    """
    found = []
    for level, scale in enumerate(scales(width, height, side_px) if at is None else at):
        reach = math.ceil(side_px / scale)
        for y in _starts(height, reach, overlap):
            for x in _starts(width, reach, overlap):
                w, h = min(reach, width - x), min(reach, height - y)
                inner = (x > 0, y > 0, x + w < width, y + h < height)
                found.append(Window(x, y, w, h, scale, level, inner))
    return found


def scales(width: int, height: int, side_px: int) -> list[float]:
    """The scales a frame is searched at, the finest first, each at most 1."""
    longest, shortest = max(width, height), min(width, height)
    fit = side_px / longest
    if fit >= ONE_WINDOW:
        return [min(1.0, fit)]
    scale = min(1.0, FINEST_SIDE_PX / longest)
    found = [scale]
    while (scale := scale / 2.0) > fit / ONE_WINDOW and shortest * scale >= LEAST_SHORT_SIDE_PX:
        found.append(scale)
    if shortest * fit >= LEAST_SHORT_SIDE_PX:
        found.append(fit)
    return found


def _starts(length: int, reach: int, overlap: float) -> list[int]:
    """First pixels of windows that cover a side evenly."""
    if length <= reach:
        return [0]
    n = 1 + math.ceil((length - reach) / (reach * (1.0 - overlap)))
    return [round(i * (length - reach) / (n - 1)) for i in range(n)]
