"""Outlines of clusters that networks find in pictures: one of each, a table of them, and a map.

Outlines live on a :class:`~core.models.windows.Grid` of cells that covers the frame: what a network says of a
window at any scale is laid onto it, and outlines of several windows are compared there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clusters.kinds import LABELS
from core.frames import Frame
from core.models.windows import Grid, Window
from core.results import Detections

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

SAME_IOU, COVERED, FRAGMENT = 0.4, 0.7, 0.2
"""Outlines that overlap so much are of one cluster; so are those of which one covers so much of the other,
unless that is smaller than the last part of it."""
OUTSKIRTS, CLUMP = 1.5, 0.05
"""So many radii around the middle of a globular cluster, outlines of less than this part of its area are
gatherings of its own stars: it goes on to about three radii, its tidal one."""
EDGE_PX = 3.0
"""An outline so near the edge of a window, in pixels shown, is taken to be cut by it."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A cluster.

    Attributes:
        row, column: First cell of the patch.
        inside: ``(h, w)`` the cells of the patch that belong to it; none of its edges is empty.
        score: How sure the network is, in [0, 1].
        globular: Chance that it is a globular cluster, in [0, 1].
        cut: Whether the edge of a window within the frame cuts it.
        features: What the score is calibrated on; see the network.
        grain: Unevenness of its light over its brightness, see :func:`core.clusters.crowd.grain`; infinite
            where it does not glow.
    """

    row: int
    column: int
    inside: Bool
    score: float
    globular: float
    cut: bool = False
    features: tuple[float, ...] = ()
    grain: float = np.inf

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column of the mean of its cells."""
        rows, columns = np.nonzero(self.inside)
        return float(rows.mean()) + self.row, float(columns.mean()) + self.column

    @property
    def area(self) -> int:
        """Cells."""
        return int(self.inside.sum())

    @property
    def label(self) -> str:
        """One of :data:`core.clusters.kinds.LABELS`."""
        return LABELS[int(self.globular >= 0.5)]

    def shared(self, other: Outline) -> int:
        """Cells that belong to both."""
        top, left = max(self.row, other.row), max(self.column, other.column)
        bottom = min(self.row + self.inside.shape[0], other.row + other.inside.shape[0])
        right = min(self.column + self.inside.shape[1], other.column + other.inside.shape[1])
        if top >= bottom or left >= right:
            return 0
        mine = self.inside[top - self.row : bottom - self.row, left - self.column : right - self.column]
        its = other.inside[top - other.row : bottom - other.row, left - other.column : right - other.column]
        return int((mine & its).sum())

    def iou(self, other: Outline) -> float:
        """Intersection over union."""
        shared = self.shared(other)
        return shared / (self.area + other.area - shared)


def outline_of(
    grid: Grid,
    window: Window,
    inside: Bool,
    *,
    score: float,
    globular: float,
    features: tuple[float, ...] = (),
) -> Outline | None:
    """A mask that a network gave in a window, laid onto the grid; None when it covers no cell.

    Args:
        grid: Over the frame.
        window: Where it was found.
        inside: ``(h, w)`` over the whole window, at any resolution.
        score, globular, features: As in :class:`Outline`.
    """
    height, width = inside.shape
    at_row, at_column = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(at_row):
        return None
    rows, columns = grid.span(window)
    n_rows, n_columns = rows.stop - rows.start, columns.stop - columns.start
    pick_row = ((np.arange(n_rows) + 0.5) * height / n_rows).astype(int)
    pick_column = ((np.arange(n_columns) + 0.5) * width / n_columns).astype(int)
    near_row = (pick_row >= at_row[0]) & (pick_row <= at_row[-1])
    near_column = (pick_column >= at_column[0]) & (pick_column <= at_column[-1])
    if not near_row.any() or not near_column.any():
        return None
    on_grid = inside[np.ix_(pick_row[near_row], pick_column[near_column])]
    tall, wide = np.flatnonzero(on_grid.any(axis=1)), np.flatnonzero(on_grid.any(axis=0))
    if not len(tall):
        return None
    shown = np.array([window.height * window.scale / height, window.width * window.scale / width])
    low = np.array([at_row[0], at_column[0]]) * shown
    high = np.array([height - 1 - at_row[-1], width - 1 - at_column[-1]]) * shown
    touches = (low[1] < EDGE_PX, low[0] < EDGE_PX, high[1] < EDGE_PX, high[0] < EDGE_PX)
    return Outline(
        row=rows.start + int(np.flatnonzero(near_row)[0] + tall[0]),
        column=columns.start + int(np.flatnonzero(near_column)[0] + wide[0]),
        inside=on_grid[tall[0] : tall[-1] + 1, wide[0] : wide[-1] + 1],
        score=score,
        globular=globular,
        cut=any(t and i for t, i in zip(touches, window.inner, strict=True)),
        features=features,
    )


def unique(outlines: Sequence[Outline]) -> list[Outline]:
    """One of each cluster, the surest first; one that a window's edge cuts gives way to a whole one."""
    kept: list[Outline] = []
    for one in sorted(outlines, key=lambda each: (each.cut, -each.score)):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    whole = [one for one in kept if not any(_in_outskirts(one, other) for other in kept)]
    return sorted(whole, key=lambda each: -each.score)


def as_detections(frame: Frame, outlines: Sequence[Outline], grid: Grid) -> Detections:
    """The outlines as a table.

    Returns:
        With boxes around what is on the frame, ``radius_px`` (of the circle of the same area),
        ``ellipticity`` (of the ellipse of the same second moments), ``globular`` (chance of that class), and
        position and ``radius_arcmin`` on the sky where the frame tells.
    """
    rows, columns = grid.shape
    cell = np.array([grid.height / rows, grid.width / columns])
    found = []
    for one in outlines:
        y, x = np.nonzero(one.inside)
        low = np.array([one.row, one.column]) * cell - 0.5
        high = low + np.array(one.inside.shape) * cell
        middle = low + (np.array([y.mean(), x.mean()]) + 0.5) * cell
        found.append(
            {
                "label": one.label,
                "score": float(np.clip(one.score, 0.0, 1.0)),
                "x": middle[1],
                "y": middle[0],
                "x_min": low[1],
                "y_min": low[0],
                "x_max": high[1],
                "y_max": high[0],
                "radius_px": float(np.sqrt(one.area * cell.prod() / np.pi)),
                "ellipticity": _ellipticity(x * cell[1], y * cell[0]),
                "globular": one.globular,
            }
        )
    own = ["radius_px", "ellipticity", "globular"]
    table = pd.DataFrame(found, columns=None if found else ["label", "score", "x", "y", *own])
    units = {"radius_px": "pix"}
    if frame.pixel_scale_arcsec is not None:
        table["radius_arcmin"] = table["radius_px"].astype(float) * frame.pixel_scale_arcsec / 60.0
        units["radius_arcmin"] = "arcmin"
    sky = frame.sky(table["x"].to_numpy(float), table["y"].to_numpy(float)) if len(table) else None
    if sky is not None:
        table["ra_deg"], table["dec_deg"] = sky
    return Detections(table, units)


def instance_map(outlines: Sequence[Outline], grid: Grid) -> NDArray[np.uint16]:
    """``grid.shape`` 0 where no cluster is, else its number from 1; of two, that of the surer one."""
    numbers = np.zeros(grid.shape, np.uint16)
    for number in range(len(outlines), 0, -1):
        one = outlines[number - 1]
        height, width = one.inside.shape
        numbers[one.row : one.row + height, one.column : one.column + width][one.inside] = number
    return numbers


def _same(one: Outline, other: Outline) -> bool:
    shared = one.shared(other)
    if not shared:
        return False
    small, large = sorted((one.area, other.area))
    if shared / (small + large - shared) >= SAME_IOU:
        return True
    return shared >= COVERED * small and (small >= FRAGMENT * large or one.cut)


def _in_outskirts(one: Outline, other: Outline) -> bool:
    """Whether an outline is a clump in another, much larger and surer globular cluster."""
    if one.area > CLUMP * other.area or one.score > other.score or other.globular < 0.5:
        return False
    apart = np.subtract(one.middle, other.middle)
    return bool(np.hypot(*apart) <= OUTSKIRTS * np.sqrt(other.area / np.pi))


def _ellipticity(x: Float64, y: Float64) -> float:
    """1 − minor over major axis of the ellipse of the same second moments; 0 of a few cells."""
    if len(x) < 6:
        return 0.0
    low, high = np.linalg.eigvalsh(np.cov(x, y))
    return float(1.0 - np.sqrt(max(low, 0.0) / high)) if high > 0.0 else 0.0
