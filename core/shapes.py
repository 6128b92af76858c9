"""The shape of an object on a frame: a point, an upright box, an ellipse, a line or a polygon.

A table of detections says the shape of a row by the columns that are filled in: a ``path`` is a line, or a
polygon where its last point is its first again; ``diameter_px`` with ``axis_ratio`` is an ellipse; the box
alone is a box; and what has none of these is a point. Every shape but a point has its box filled in too, so
that whatever knows only boxes still works. Coordinates are pixels as everywhere: x is the column, y the row,
and the centre of the first pixel is (0, 0).
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]
Bounds = tuple[float, float, float, float]
Kind = Literal["point", "box", "ellipse", "line", "polygon"]
KINDS: tuple[Kind, ...] = get_args(Kind)

BOX_COLUMNS = ("x_min", "y_min", "x_max", "y_max")
SHAPE_UNITS: Mapping[str, str] = {
    "diameter_px": "pix",
    "axis_ratio": "",
    "angle_deg": "deg",
    "length_px": "pix",
    "path": "",
}
"""The columns that tell a shape besides the box, with their units. ``diameter_px`` is the square root of the
product of an ellipse's axes, ``axis_ratio`` its minor over its major axis. ``angle_deg`` is the direction of
an ellipse's major axis, or the mean one of a line, from +x towards +y in [0, 180). ``path`` are points as SVG
writes them, ``"x,y x,y"``."""
SHAPE_COLUMNS = tuple(SHAPE_UNITS)
WRITTEN = ("diameter_px", "axis_ratio", "angle_deg", "path")
"""Those of them that a log needs; the others follow."""

MOST_POINTS = 5000
"""More points are no outline that a person or a method drew."""
_ROUND = 64
"""Points of the outline of an ellipse: it leaves the true one by a thousandth of the radius."""
_NUMBER = r"-?\d+(?:\.\d+)?"
_PATH = re.compile(rf"{_NUMBER},{_NUMBER}(?: {_NUMBER},{_NUMBER})+")


@dataclass(frozen=True, eq=False)
class Affine:
    """A linear change of coordinates: ``matrix @ point + shift``.

    Attributes:
        matrix: ``(2, 2)``.
        shift: ``(2,)``.
    """

    matrix: Floats
    shift: Floats

    def __call__(self, xy: ArrayLike) -> Floats:
        """Where ``(N, 2)`` points come to lie."""
        moved: Floats = np.asarray(xy, float).reshape(-1, 2) @ self.matrix.T + self.shift
        return moved

    @property
    def inverse(self) -> Affine:
        """The way back."""
        back: Floats = np.linalg.inv(self.matrix).astype(float)
        return Affine(back, -back @ self.shift)


class Shape(ABC):
    """What all shapes have."""

    kind: ClassVar[Kind]

    @property
    @abstractmethod
    def centre(self) -> tuple[float, float]:
        """x and y: of a line the middle along its length, of a polygon the middle of its area."""

    @property
    @abstractmethod
    def outline(self) -> Floats:
        """``(N, 2)`` points to draw a line through; the last of a closed shape is its first again."""

    @abstractmethod
    def mapped(self, onto: Affine) -> Shape:
        """The shape in other coordinates. A box stays upright: it is the box around itself."""

    @property
    def box(self) -> Bounds | None:
        """``x_min, y_min, x_max, y_max``; None of a point."""
        return _bounds(self.outline)

    @property
    def area_px(self) -> float:
        """Square pixels within; 0 of a point and of a line."""
        return abs(_moments(self.outline)[0])

    @property
    def entry(self) -> dict[str, float | str]:
        """What tells the shape, as a log keeps it: ``x, y``, the box, and what applies of :data:`WRITTEN`."""
        x, y = self.centre
        box = {} if self.box is None else dict(zip(BOX_COLUMNS, self.box, strict=True))
        return {"x": x, "y": y, **box, **self._own()}

    @property
    def columns(self) -> dict[str, float | str]:
        """The columns of a table of detections that tell the shape, without ``x`` and ``y``."""
        return {name: value for name, value in self.entry.items() if name not in ("x", "y")}

    def _own(self) -> dict[str, float | str]:
        return {}

    def moved(self, dx: float, dy: float) -> Shape:
        """The shape elsewhere."""
        return self.mapped(Affine(np.eye(2), np.array([dx, dy])))

    def distance(self, other: Shape) -> float:
        """How far the other's edge lies from this one's, along x or y in pixels; infinite between kinds."""
        if self.kind != other.kind or len(self._handles) != len(other._handles):
            return float("inf")
        return float(np.abs(self._handles - other._handles).max())

    @property
    def _handles(self) -> Floats:
        """``(N, 2)`` what can be compared one by one with a shape of the same kind."""
        return self.outline


@dataclass(frozen=True)
class Point(Shape):
    """A place and nothing more."""

    kind: ClassVar[Kind] = "point"
    x: float
    y: float

    @property
    def centre(self) -> tuple[float, float]:  # noqa: D102
        return self.x, self.y

    @property
    def outline(self) -> Floats:  # noqa: D102
        return np.array([[self.x, self.y]], float)

    @property
    def box(self) -> None:  # noqa: D102
        return None

    def mapped(self, onto: Affine) -> Point:  # noqa: D102
        return Point(*map(float, onto(self.outline)[0]))


@dataclass(frozen=True)
class Box(Shape):
    """An upright box."""

    kind: ClassVar[Kind] = "box"
    x_min: float
    y_min: float
    x_max: float
    y_max: float

    @property
    def centre(self) -> tuple[float, float]:  # noqa: D102
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2

    @property
    def box(self) -> Bounds:  # noqa: D102
        return self.x_min, self.y_min, self.x_max, self.y_max

    @property
    def outline(self) -> Floats:  # noqa: D102
        left, top, right, bottom = self.box
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], float)

    def mapped(self, onto: Affine) -> Box:  # noqa: D102
        return Box(*_bounds(onto(self.outline)))


@dataclass(frozen=True)
class Ellipse(Shape):
    """An ellipse.

    Attributes:
        x, y: Its centre.
        diameter_px: Square root of the product of its axes.
        axis_ratio: Minor over major axis.
        angle_deg: Of the major axis, from +x towards +y, in [0, 180).
    """

    kind: ClassVar[Kind] = "ellipse"
    x: float
    y: float
    diameter_px: float
    axis_ratio: float = 1.0
    angle_deg: float = 0.0

    @classmethod
    def squeezed(
        cls, x: float, y: float, diameter_px: float, cosine: float, sine: float, most: float = 0.9
    ) -> Ellipse:
        """The ellipse of a shape as networks say it.

        Args:
            x, y, diameter_px: As they are kept.
            cosine, sine: (a − b) / (a + b) of the semi-axes times the cosine and the sine of twice the angle.
            most: What (a − b) / (a + b) is at most: 0.9 are axes of 19 to 1.
        """
        squeeze = min(math.hypot(cosine, sine), most)
        angle = math.degrees(math.atan2(sine, cosine)) / 2.0 % 180.0
        return cls(x, y, diameter_px, (1.0 - squeeze) / (1.0 + squeeze), angle)

    @classmethod
    def about(cls, centre: ArrayLike, axes: Floats) -> Ellipse:
        """The ellipse that ``axes``, ``(2, 2)``, makes of the unit circle."""
        directions, (major, minor), _ = np.linalg.svd(axes)
        angle = float(np.degrees(np.arctan2(directions[1, 0], directions[0, 0]))) % 180.0
        ratio = float(minor / major) if major else 1.0
        x, y = np.asarray(centre, float).tolist()
        return cls(x, y, float(2.0 * np.sqrt(major * minor)), ratio, 0.0 if angle == 180.0 else angle)

    @classmethod
    def like(cls, outline: Floats) -> Ellipse:
        """The ellipse with the same middle and the same second moments as the inside of an outline."""
        _, middle, covariance = _moments(outline)
        sizes, directions = np.linalg.eigh(covariance)
        return cls.about(middle, 2.0 * directions * np.sqrt(np.maximum(sizes, 0.0)))

    @property
    def semi_axes(self) -> tuple[float, float]:
        """Half of the major and half of the minor axis."""
        stretch = float(np.sqrt(self.axis_ratio))
        return self.diameter_px / stretch / 2.0, self.diameter_px * stretch / 2.0

    @property
    def axes(self) -> Floats:
        """``(2, 2)`` the semi-axes as columns: what makes the ellipse of the unit circle."""
        turn = np.radians(self.angle_deg)
        return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * self.semi_axes

    @property
    def centre(self) -> tuple[float, float]:  # noqa: D102
        return self.x, self.y

    @property
    def box(self) -> Bounds:  # noqa: D102
        wide, high = np.hypot(*self.axes.T)
        return self.x - float(wide), self.y - float(high), self.x + float(wide), self.y + float(high)

    @property
    def area_px(self) -> float:  # noqa: D102
        return float(np.pi / 4.0 * self.diameter_px**2)

    @property
    def outline(self) -> Floats:  # noqa: D102
        around = np.linspace(0.0, 2.0 * np.pi, _ROUND + 1)
        points: Floats = np.column_stack([np.cos(around), np.sin(around)]) @ self.axes.T + self.centre
        return points

    def mapped(self, onto: Affine) -> Ellipse:  # noqa: D102
        return Ellipse.about(onto([self.centre])[0], onto.matrix @ self.axes)

    def _own(self) -> dict[str, float | str]:
        return {
            "diameter_px": self.diameter_px,
            "axis_ratio": self.axis_ratio,
            "angle_deg": self.angle_deg,
        }

    @property
    def _handles(self) -> Floats:
        # The symmetric root of the axes is the same for a circle whatever its angle.
        directions, sizes, _ = np.linalg.svd(self.axes)
        return np.array([self.centre, *(self.centre + directions * sizes @ directions.T)])


@dataclass(frozen=True)
class Line(Shape):
    """A line through two or more points."""

    kind: ClassVar[Kind] = "line"
    points: Points

    @property
    def length_px(self) -> float:
        """Along the line."""
        return float(self._legs.sum())

    @property
    def angle_deg(self) -> float:
        """Mean direction from +x towards +y in [0, 180), each leg by its length."""
        dx, dy = np.diff(self.outline, axis=0).T
        twice = 2.0 * np.arctan2(dy, dx)
        mean = np.arctan2((self._legs * np.sin(twice)).sum(), (self._legs * np.cos(twice)).sum())
        angle = float(np.degrees(mean) / 2.0) % 180.0
        return 0.0 if angle == 180.0 else angle

    @property
    def centre(self) -> tuple[float, float]:  # noqa: D102
        along = np.concatenate([[0.0], np.cumsum(self._legs)])
        x, y = (float(np.interp(along[-1] / 2.0, along, values)) for values in self.outline.T)
        return x, y

    @property
    def outline(self) -> Floats:  # noqa: D102
        return np.array(self.points, float)

    @property
    def area_px(self) -> float:  # noqa: D102
        return 0.0

    @property
    def columns(self) -> dict[str, float | str]:  # noqa: D102
        return {**super().columns, "angle_deg": self.angle_deg, "length_px": self.length_px}

    def mapped(self, onto: Affine) -> Line:  # noqa: D102
        return Line(as_points(onto(self.outline)))

    def ribbon(self, width_px: float) -> Polygon:
        """The line with a width."""
        steps = np.diff(self.outline, axis=0)
        across = np.column_stack([-steps[:, 1], steps[:, 0]]) / np.maximum(self._legs, 1e-9)[:, None]
        one, two = across[:-1], across[1:]
        # A sharp bend would reach far out.
        bend = (one + two) / np.maximum(1.0 + (one * two).sum(axis=1), 0.5)[:, None]
        across = np.vstack([across[:1], bend, across[-1:]]) * width_px / 2.0
        return Polygon(as_points(np.vstack([self.outline + across, (self.outline - across)[::-1]])))

    def _own(self) -> dict[str, float | str]:
        return {"path": _text(self.outline)}

    @property
    def _legs(self) -> Floats:
        legs: Floats = np.hypot(*np.diff(self.outline, axis=0).T)
        return legs


@dataclass(frozen=True)
class Polygon(Shape):
    """An area within three or more corners; the last is joined to the first and does not repeat it."""

    kind: ClassVar[Kind] = "polygon"
    points: Points

    @property
    def centre(self) -> tuple[float, float]:  # noqa: D102
        x, y = map(float, _moments(self.outline)[1])
        return x, y

    @property
    def outline(self) -> Floats:  # noqa: D102
        return np.array([*self.points, self.points[0]], float)

    @property
    def box(self) -> Bounds:  # noqa: D102
        return _bounds(self.outline)

    def mapped(self, onto: Affine) -> Polygon:  # noqa: D102
        return Polygon(as_points(onto(self.points)))

    def within(self, box: Box) -> Polygon | None:
        """The part that lies in a box (Sutherland & Hodgman 1974, CACM 17, 32); None where nothing does."""
        points = np.array(self.points, float)
        for axis, limit, inwards in (
            (0, box.x_min, 1.0),
            (1, box.y_min, 1.0),
            (0, box.x_max, -1.0),
            (1, box.y_max, -1.0),
        ):
            depth = (points[:, axis] - limit) * inwards
            after, depth_after = np.roll(points, -1, axis=0), np.roll(depth, -1)
            crosses = (depth >= 0.0) != (depth_after >= 0.0)
            part = np.divide(depth, depth - depth_after, out=np.zeros_like(depth), where=crosses)
            crossings = points + part[:, None] * (after - points)
            kept = np.column_stack([depth >= 0.0, crosses])
            points = np.stack([points, crossings], axis=1)[kept]
        part_within = Polygon(as_points(points)) if len(points) >= 3 else None
        return part_within if part_within is not None and part_within.area_px > 0.0 else None

    def _own(self) -> dict[str, float | str]:
        return {"path": _text(self.outline)}


def as_points(xy: ArrayLike) -> Points:
    """``(N, 2)`` numbers as the points of a line or a polygon."""
    return tuple((float(x), float(y)) for x, y in np.asarray(xy, float).reshape(-1, 2))


def path_points(path: str) -> Points:
    """The points of a ``path``.

    Raises:
        ValueError: It is no text of two to :data:`MOST_POINTS` points ``"x,y x,y"``.
    """
    if not isinstance(path, str) or not _PATH.fullmatch(path) or path.count(",") > MOST_POINTS:
        shown = path[:40] if isinstance(path, str) else path
        raise ValueError(f"a path is 2 to {MOST_POINTS} points 'x,y x,y' in pixels, got {shown!r}")
    return tuple((float(x), float(y)) for x, y in (pair.split(",") for pair in path.split(" ")))


def points_of(text: object) -> Floats:
    """``(N, 2)`` points of a ``path``; none where the text is not one."""
    try:
        return np.array(path_points(text), float)  # type: ignore[arg-type]
    except ValueError:
        return np.empty((0, 2))


def is_path(text: str) -> bool:
    """Whether a text is a ``path``."""
    return _PATH.fullmatch(text) is not None


def shape_of(values: Mapping[str, Any]) -> Shape:
    """The shape of a row of detections, or of the values of a correction.

    Args:
        values: ``x`` and ``y``, or a box; and the columns that tell the shape. One that is missing, None or
            NaN does not apply.

    Raises:
        ValueError: The ``path`` is none, or the ellipse has no size.
    """
    path = values.get("path")
    if isinstance(path, str) and path:
        points = path_points(path)
        ring = len(points) > 3 and points[0] == points[-1]
        return Polygon(points[:-1]) if ring else Line(points)
    diameter, ratio = _number(values, "diameter_px"), _number(values, "axis_ratio")
    box = [_number(values, column) for column in BOX_COLUMNS]
    x, y = _number(values, "x"), _number(values, "y")
    if not (np.isfinite(x) and np.isfinite(y)) and np.isfinite(box).all():
        x, y = Box(*box).centre
    if np.isfinite(diameter) and np.isfinite(ratio):
        if diameter <= 0.0 or not 0.0 < ratio <= 1.0:
            raise _no_ellipse(diameter, ratio)
        angle = _number(values, "angle_deg")
        return Ellipse(x, y, diameter, ratio, angle % 180.0 if np.isfinite(angle) else 0.0)
    return Box(*box) if np.isfinite(box).all() else Point(x, y)


def shapes_of(table: pd.DataFrame) -> list[Shape]:
    """The shape of each row of a table of detections, as :func:`shape_of` gives it."""
    telling = [name for name in ("x", "y", *BOX_COLUMNS, *WRITTEN) if name in table]
    columns = [table[name].tolist() for name in telling]
    return [shape_of(dict(zip(telling, row, strict=True))) for row in zip(*columns, strict=True)]


def check_shapes(table: pd.DataFrame) -> None:
    """Hold the columns of a table of detections that tell shapes against what they can be.

    Raises:
        ValueError: A ``path`` is none, or an ellipse has no size.
    """
    if "path" in table:
        for path in table["path"]:
            if isinstance(path, str):
                path_points(path)
    if {"diameter_px", "axis_ratio"} <= set(table):
        sizes = table[["diameter_px", "axis_ratio"]].to_numpy(float, na_value=np.nan)
        diameter, ratio = sizes[np.isfinite(sizes).all(axis=1)].T
        for wrong in np.flatnonzero((diameter <= 0.0) | (ratio <= 0.0) | (ratio > 1.0))[:1]:
            raise _no_ellipse(diameter[wrong], ratio[wrong])


def outlines_of(table: pd.DataFrame) -> list[Floats | None]:
    """What to draw where neither a marker nor an upright box tells the shape of a row of detections.

    Returns:
        For each row the ``(N, 2)`` pixels to draw a line through, closed where the last is the first again;
        None for points and boxes.
    """
    if not {"path", "diameter_px"} & set(table):
        return [None] * len(table)
    return [None if shape.kind in ("point", "box") else shape.outline for shape in shapes_of(table)]


def _no_ellipse(diameter: float, ratio: float) -> ValueError:
    return ValueError(f"an ellipse needs a size and an axis ratio up to 1, got {diameter:g}, {ratio:g}")


def _number(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    return float("nan") if value is None or value is pd.NA else float(value)


def _bounds(points: Floats) -> Bounds:
    (x_min, y_min), (x_max, y_max) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x_min, y_min, x_max, y_max


def _text(points: Floats) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points + 0.0)


def _moments(outline: Floats) -> tuple[float, Floats, Floats]:
    """Signed area, ``(2,)`` middle and ``(2, 2)`` covariance of the inside of a closed ``(N, 2)`` outline.

    An outline without area has the middle of its box, and no extent.
    """
    low, high = outline.min(axis=0), outline.max(axis=0)
    (x, y), (x1, y1) = (outline - low)[:-1].T, (outline - low)[1:].T
    cross = x * y1 - x1 * y
    area = float(cross.sum() / 2.0)
    if abs(area) <= 1e-9 * float(np.prod(high - low) + 1.0):
        return 0.0, (low + high) / 2.0, np.zeros((2, 2))
    middle = np.array([((x + x1) * cross).sum(), ((y + y1) * cross).sum()]) / (6.0 * area)
    xx = ((x * x + x * x1 + x1 * x1) * cross).sum() / 12.0
    yy = ((y * y + y * y1 + y1 * y1) * cross).sum() / 12.0
    xy = ((x * y1 + 2.0 * x * y + 2.0 * x1 * y1 + x1 * y) * cross).sum() / 24.0
    covariance = np.array([[xx, xy], [xy, yy]]) / area - np.outer(middle, middle)
    return area, middle + low, covariance
