"""Large frames searched part by part, so that memory does not grow with the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TILE_PX = 2048
"""Side of a tile: a few times the memory of 4 megapixels is small, and the margins are few."""


@dataclass(frozen=True)
class Tile:
    """A part of a frame, and the wider part that is searched so that its edge is no edge.

    Attributes:
        rows, columns: The part itself; the tiles of a frame cover it without overlap.
        wide_rows, wide_columns: The same with its margin, as far as the frame goes.
    """

    rows: slice
    columns: slice
    wide_rows: slice
    wide_columns: slice

    @property
    def wide(self) -> tuple[slice, slice]:
        """Index of the wider part in a ``(H, W)`` array."""
        return self.wide_rows, self.wide_columns

    def own(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """``(N,)`` whether each position of the frame, in pixels, belongs to this tile."""
        inside: NDArray[np.bool_] = (
            (x >= self.columns.start - 0.5)
            & (x < self.columns.stop - 0.5)
            & (y >= self.rows.start - 0.5)
            & (y < self.rows.stop - 0.5)
        )
        return inside


def tiles(shape: tuple[int, int], margin_px: int, side_px: int | None = None) -> Iterator[Tile]:
    """The tiles of a frame of ``(H, W)`` pixels, row by row, :data:`TILE_PX` a side unless told otherwise."""
    side_px = side_px or TILE_PX
    height, width = shape
    for top in range(0, height, side_px):
        for left in range(0, width, side_px):
            bottom, right = min(top + side_px, height), min(left + side_px, width)
            yield Tile(
                rows=slice(top, bottom),
                columns=slice(left, right),
                wide_rows=slice(max(top - margin_px, 0), min(bottom + margin_px, height)),
                wide_columns=slice(max(left - margin_px, 0), min(right + margin_px, width)),
            )
