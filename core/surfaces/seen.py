"""Where a frame has pixels: what lies on missing ones was not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_SEEN = 0.8
"""Least part of a crater's disc that lies on no missing pixels."""
_SIDE = 17
"""Places along the diameter of a disc that are looked at."""


def seen_parts(craters: Float64, seen: Bools) -> Float64:
    """``(N,)`` part of discs, as far as they lie on the frame, that is not missing; 0 of those off it.

    Args:
        craters: ``(N, 3)`` x, y and radius in pixels.
        seen: ``(H, W)`` where the frame has pixels.
    """
    if seen.all() or not len(craters):
        return np.ones(len(craters))
    steps = np.linspace(-1.0, 1.0, _SIDE)
    x, y = (each.ravel() for each in np.meshgrid(steps, steps))
    within = np.hypot(x, y) <= 1.0
    columns, rows = (
        np.rint(craters[:, at, None] + craters[:, 2, None] * each[within]).astype(int)
        for at, each in ((0, x), (1, y))
    )
    on_frame = (columns >= 0) & (columns < seen.shape[1]) & (rows >= 0) & (rows < seen.shape[0])
    there = on_frame.copy()
    there[on_frame] = seen[rows[on_frame], columns[on_frame]]
    parts: Float64 = there.sum(axis=1) / np.maximum(on_frame.sum(axis=1), 1)
    return parts


def seen_on(frame: Frame, shape: tuple[int, int]) -> Bools:
    """``shape`` which cells of a grid over a frame have a pixel in their middle."""
    rows, columns = shape
    at_row = np.minimum(((np.arange(rows) + 0.5) * frame.height / rows).astype(int), frame.height - 1)
    at_column = np.minimum(((np.arange(columns) + 0.5) * frame.width / columns).astype(int), frame.width - 1)
    return np.isfinite(frame.grey[np.ix_(at_row, at_column)])
