"""Valleys and ridges as lines: from a mask to middle lines, their lengths and directions, and their rose.

Directions have no head and no tail, so they are axial: angles in [0, 180), averaged with doubled angles
(Mardia & Jupp 2000, Directional Statistics, section 1.4.2). Angles count from +x towards +y of the
stored pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.frames.frame import RowOrder
from core.results import Detections
from core.shapes import BOX_COLUMNS, Line, as_points

Float64 = NDArray[np.float64]
Steps = tuple[Float64, Float64]

LEAST_LENGTH_PX = 20.0
SMOOTH_PX = 7
"""Steps of a skeleton that are averaged: its stairs are up to 8 % longer than the line they follow."""
BEND_PX = 0.6
"""Bends of a path smaller than this are left out."""
UNITS = {"length_px": "pix", "width_px": "pix", "angle_deg": "deg"}


@dataclass(frozen=True)
class Traced:
    """A valley or ridge that was followed along its middle.

    Attributes:
        label: What it is.
        score: In [0, 1].
        line: Its middle line, in pixels of the frame.
        width_px: Mean width along it.
    """

    label: str
    score: float
    line: Line
    width_px: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """``x_min, y_min, x_max, y_max`` of its line and half its width around it."""
        half = self.width_px / 2.0
        (left, top), (right, bottom) = self.line.outline.min(axis=0), self.line.outline.max(axis=0)
        return float(left - half), float(top - half), float(right + half), float(bottom + half)


def lines_of(
    mask: NDArray[np.bool_],
    label: str,
    cell_px: float = 1.0,
    least_length_px: float = LEAST_LENGTH_PX,
    strength: NDArray[np.float32] | None = None,
) -> list[Traced]:
    """The middle lines of what is long in a mask, the longest first.

    The mask is thinned to its skeleton (Zhang & Suen 1984, CACM 27, 236). Of each connected piece the
    longest way between two ends is a line; what branches off it is another where it is long enough, else it
    is pruned.

    Args:
        mask: ``(h, w)``, over the whole frame.
        label: What the lines are.
        cell_px: Pixels of the frame along a side of one place of the mask.
        least_length_px: Shorter lines are left out, and what is not twice as long as it is wide.
        strength: ``(h, w)`` in [0, 1]: the score of a line is its mean along it; 1 when None.
    """
    from scipy.ndimage import distance_transform_edt, find_objects
    from scipy.ndimage import label as numbered
    from skimage.morphology import skeletonize

    if not mask.any():
        return []
    skeleton = skeletonize(mask)
    nearest = distance_transform_edt(~skeleton, return_distances=False, return_indices=True)
    area = np.zeros(mask.shape)
    np.add.at(area, (nearest[0][mask], nearest[1][mask]), 1.0)
    pieces, _ = numbered(skeleton, structure=np.ones((3, 3)))
    found = []
    for number, window in enumerate(find_objects(pieces), start=1):
        rows, columns = np.nonzero(pieces[window] == number)
        corner = window[0].start, window[1].start
        for way in _ways(np.column_stack([rows, columns]), least_length_px / cell_px):
            places = rows[way] + corner[0], columns[way] + corner[1]
            points = _smooth(np.column_stack(places[::-1]).astype(float))
            line = Line(as_points((points + 0.5) * cell_px - 0.5))
            width = float(area[places].sum()) * cell_px**2 / max(line.length_px, cell_px)
            if line.length_px >= max(least_length_px, 2.0 * width):
                score = 1.0 if strength is None else float(np.clip(strength[places].mean(), 0.0, 1.0))
                found.append(Traced(label, score, line, width))
    return sorted(found, key=lambda one: -one.line.length_px)


def as_detections(lines: Sequence[Traced]) -> Detections:
    """The lines as a table, with ``length_px``, ``width_px``, ``angle_deg`` and ``path``."""
    if not lines:
        return Detections.empty()
    rows = [
        {
            "label": one.label,
            "score": one.score,
            **one.line.entry,
            **one.line.columns,
            **dict(zip(BOX_COLUMNS, one.box, strict=True)),
            "width_px": one.width_px,
        }
        for one in lines
    ]
    return Detections(pd.DataFrame(rows), UNITS)


def _ways(pixels: NDArray[np.integer], least_px: float) -> list[NDArray[np.intp]]:
    """The longest way through a piece of skeleton, then the longest through what is left beside it, ..."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components, dijkstra
    from scipy.spatial import cKDTree

    pairs = cKDTree(pixels).query_pairs(1.5, output_type="ndarray")
    steps = np.hypot(*(pixels[pairs[:, 0]] - pixels[pairs[:, 1]]).T)
    graph: Any = csr_matrix((steps, pairs.T), shape=(len(pixels), len(pixels)))
    ways: list[NDArray[np.intp]] = []
    left = [np.arange(len(pixels))]
    while left:
        piece = left.pop()
        if len(piece) * np.sqrt(2.0) < least_px:
            continue
        own: Any = graph[piece][:, piece]
        far = _farthest(dijkstra(own, directed=False, indices=0))  # type: ignore[call-overload]
        away, before = dijkstra(own, directed=False, indices=far, return_predecessors=True)  # type: ignore[call-overload]
        end = _farthest(away)
        if away[end] < 0.9 * least_px:
            continue
        way = [end]
        while way[-1] != far:
            way.append(int(before[way[-1]]))
        ways.append(piece[way])
        rest = np.setdiff1d(np.arange(len(piece)), way)
        if len(rest):
            count, which = connected_components(own[rest][:, rest], directed=False)
            left += [piece[rest[which == part]] for part in range(count)]
    return ways


def _farthest(away: Float64) -> int:
    return int(np.argmax(np.where(np.isfinite(away), away, -1.0)))


def _smooth(points: Float64) -> Float64:
    """A path without the stairs of its pixels; its ends stay."""
    from skimage.measure import approximate_polygon

    if len(points) > 3:
        window = min(SMOOTH_PX, len(points) // 2 * 2 - 1)
        half = window // 2
        # Mirrored through its ends, a path keeps them.
        before, after = 2 * points[0] - points[half:0:-1], 2 * points[-1] - points[-2 : -half - 2 : -1]
        wide = np.concatenate([before, points, after])
        sums = np.cumsum(np.concatenate([np.zeros((1, 2)), wide]), axis=0)
        points = (sums[window:] - sums[:-window]) / window
    smooth: Float64 = approximate_polygon(points, BEND_PX)
    return smooth


def mean_direction(angles_deg: ArrayLike, weights: ArrayLike) -> tuple[float, float]:
    """Mean of axial angles in [0, 180), and how much they agree: 0 not at all, 1 fully."""
    doubled = 2.0 * np.radians(np.asarray(angles_deg, float))
    weight = np.asarray(weights, float)
    total = float(weight.sum())
    if total <= 0.0:
        return 0.0, 0.0
    mean = complex(np.sum(weight * np.exp(1j * doubled))) / total
    return float(np.degrees(np.angle(mean)) / 2.0 % 180.0) % 180.0, abs(mean)


def azimuth_deg(angle_deg: ArrayLike, row0: RowOrder) -> Float64:
    """Directions as a map gives them, from north (up) through east (right), in [0, 180).

    Args:
        angle_deg: ``(N,)`` from +x towards +y.
        row0: Where row 0 is shown.
    """
    turn = 1.0 if row0 == "top" else -1.0
    azimuth: Float64 = np.mod(90.0 + turn * np.asarray(angle_deg, float), 180.0)
    return azimuth


@dataclass(frozen=True)
class Rose:
    """A rose diagram: how much length goes in which direction.

    Attributes:
        edges_deg: ``(bins + 1,)`` of the directions, from 0 to 180; the other half is the same.
        lengths: ``(bins,)`` total length in each, in the unit that was given.
        parts: ``(bins,)`` the same as a part of the whole.
        mean_deg: Mean direction, in [0, 180).
        agreement: Mean resultant length of the doubled angles: 0 for none or evenly spread, 1 for one only.
        n: How many lines.
    """

    edges_deg: Float64
    lengths: Float64
    parts: Float64
    mean_deg: float
    agreement: float
    n: int


def steps_of(path: Float64, row0: RowOrder) -> Steps:
    """Directions of the parts of a line as :func:`azimuth_deg` gives them, and their lengths in pixels.

    Args:
        path: ``(N, 2)`` pixels.
        row0: Where row 0 is shown.
    """
    steps = np.diff(path, axis=0)
    return azimuth_deg(np.degrees(np.arctan2(steps[:, 1], steps[:, 0])), row0), np.hypot(*steps.T)


def rose(lines: Iterable[Steps], *, bins: int = 18) -> Rose:
    """The rose diagram of lines, part by part: a bent valley counts in every direction it takes.

    Args:
        lines: Directions in [0, 180) and lengths of the parts of each, in one unit.
        bins: How many directions half a turn is cut into.
    """
    given = [steps for steps in lines if len(steps[0])]
    angles, lengths = (np.concatenate([np.empty(0), *(each[at] for each in given)]) for at in (0, 1))
    edges = np.linspace(0.0, 180.0, bins + 1)
    which = np.minimum((angles / (180.0 / bins)).astype(int), bins - 1)
    sums = np.bincount(which, weights=lengths, minlength=bins).astype(float)
    total = float(sums.sum())
    mean, agreement = mean_direction(angles, lengths)
    return Rose(edges, sums, sums / total if total > 0.0 else sums, mean, agreement, len(given))
