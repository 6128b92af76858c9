"""Several objects made one, and one cut in two: the shapes that come of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.shapes import Box, Ellipse, Line, Point, Polygon, Shape, as_points

Floats = NDArray[np.float64]

LEAST_SHARE = 0.01
"""A piece smaller than this part of the whole is no piece."""


def merged(shapes: Sequence[Shape]) -> Shape:
    """One shape for what several objects were.

    Points become the point in their middle, lines one line from end to nearest end, points and boxes the box
    around them. Ellipses become the ellipse of the same second moments as the convex hull of all; whatever
    else meets becomes that hull.

    Raises:
        ValueError: There are none.
    """
    if not shapes:
        raise ValueError("merging needs one shape or more")
    if len(shapes) == 1:
        return shapes[0]
    lines = [shape for shape in shapes if isinstance(shape, Line)]
    if len(lines) == len(shapes):
        return _joined(lines)
    points = np.concatenate([shape.outline for shape in shapes])
    if all(isinstance(shape, Point) for shape in shapes):
        return Point(*map(float, points.mean(axis=0)))
    if all(isinstance(shape, Point | Box) for shape in shapes):
        return Box(*map(float, points.min(axis=0)), *map(float, points.max(axis=0)))
    hull = _hull(points)
    return Ellipse.like(hull.outline) if all(isinstance(shape, Ellipse) for shape in shapes) else hull


def cut(shape: Shape, knife: Line) -> tuple[Shape, Shape] | None:
    """The two pieces a straight cut makes of a shape.

    Args:
        shape: What is cut.
        knife: From its first point to its last. It must pass through the whole of an area, from outside to
            outside, and cross a line.

    Returns:
        Two lines of a line, two polygons of a polygon; of a box the boxes around its pieces and of an ellipse
        the ellipses like its pieces. None where the cut misses.
    """
    start, end = np.array(knife.points[0]), np.array(knife.points[-1])
    crossings = _crossings(shape.outline, start, end)
    if isinstance(shape, Line):
        return _parted(shape, crossings[0]) if crossings else None
    if isinstance(shape, Point) or len(crossings) < 2:
        return None
    across = np.array([start[1] - end[1], end[0] - start[0]])
    pieces = [_side(shape.outline[:-1], start, side * across) for side in (1.0, -1.0)]
    if any(len(piece) < 3 for piece in pieces):
        return None
    polygons = [Polygon(as_points(piece)) for piece in pieces]
    if min(piece.area_px for piece in polygons) < LEAST_SHARE * shape.area_px:
        return None
    first, second = (_as_kind(piece, shape) for piece in polygons)
    return first, second


def _as_kind(piece: Polygon, whole: Shape) -> Shape:
    if isinstance(whole, Box):
        box = piece.box
        return piece if box is None else Box(*box)
    return Ellipse.like(piece.outline) if isinstance(whole, Ellipse) else piece


def _joined(lines: Sequence[Line]) -> Line:
    """One line through all, each added at the end it is nearest to."""
    left = [line.outline for line in lines]
    whole = left.pop(0)
    while left:
        ways = [
            (float(np.hypot(*(one[-1] - other[0]))), place, turned, one, other)
            for place, each in enumerate(left)
            for turned, other in enumerate((each, each[::-1]))
            for one in (whole, whole[::-1])
        ]
        _, place, _, one, other = min(ways, key=lambda way: way[0])
        whole = np.concatenate([one, other])
        left.pop(place)
    return Line(as_points(whole))


def _hull(points: Floats) -> Polygon:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return Polygon(as_points(points[ConvexHull(points).vertices]))
    except QhullError:  # all in one line
        return Polygon(as_points(Box(*points.min(axis=0), *points.max(axis=0)).outline[:-1]))


def _crossings(outline: Floats, start: Floats, end: Floats) -> list[tuple[int, Floats]]:
    """Where the way from start to end crosses an outline: the leg, and the place."""
    along = end - start
    found = []
    for leg, (a, b) in enumerate(itertools.pairwise(outline)):
        step = b - a
        turn = float(along[0] * step[1] - along[1] * step[0])
        if turn == 0.0:
            continue
        gap = a - start
        knife = float(gap[0] * step[1] - gap[1] * step[0]) / turn
        share = float(gap[0] * along[1] - gap[1] * along[0]) / turn
        if 0.0 <= knife <= 1.0 and 0.0 <= share < 1.0:
            found.append((leg, a + share * step))
    return found


def _parted(line: Line, crossing: tuple[int, Floats]) -> tuple[Line, Line] | None:
    leg, at = crossing
    first = Line(as_points(np.vstack([line.outline[: leg + 1], at])))
    second = Line(as_points(np.vstack([at, line.outline[leg + 1 :]])))
    least = LEAST_SHARE * line.length_px
    return None if min(first.length_px, second.length_px) < least else (first, second)


def _side(corners: Floats, start: Floats, across: Floats) -> Floats:
    """The part of an area on the side of a line that ``across`` points to (Sutherland & Hodgman 1974)."""
    height = (corners - start) @ across
    kept: list[Floats] = []
    for here, there, h, t in zip(corners, np.roll(corners, -1, 0), height, np.roll(height, -1), strict=True):
        if h >= 0.0:
            kept.append(here)
        if (h >= 0.0) != (t >= 0.0):
            kept.append(here + (there - here) * h / (h - t))
    return np.array(kept).reshape(-1, 2)
