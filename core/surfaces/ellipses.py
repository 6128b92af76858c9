"""Ellipses around craters: from a box, from points on a rim, from a mask, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Ellipse:
    """An ellipse on a frame.

    Attributes:
        x, y: Its middle in pixels.
        major_px, minor_px: Full lengths of its axes.
        angle_deg: Direction of the major axis from +x towards +y, in [0, 180).
    """

    x: float
    y: float
    major_px: float
    minor_px: float
    angle_deg: float

    @property
    def diameter_px(self) -> float:
        """Diameter of the circle of the same area: the square root of the product of the axes."""
        return float(np.sqrt(self.major_px * self.minor_px))

    @property
    def axis_ratio(self) -> float:
        """Minor over major axis, at most 1."""
        return self.minor_px / self.major_px if self.major_px > 0.0 else 1.0

    @property
    def eccentricity(self) -> float:
        """0 of a circle, towards 1 of a line."""
        return eccentricity(self.axis_ratio)

    @property
    def box(self) -> Box:
        """``x_min, y_min, x_max, y_max`` of the box that just holds it."""
        turn = np.radians(self.angle_deg)
        half_x = np.hypot(self.major_px * np.cos(turn), self.minor_px * np.sin(turn)) / 2.0
        half_y = np.hypot(self.major_px * np.sin(turn), self.minor_px * np.cos(turn)) / 2.0
        return (
            float(self.x - half_x),
            float(self.y - half_y),
            float(self.x + half_x),
            float(self.y + half_y),
        )

    def rim(self, points: int = 64) -> Float64:
        """``(points, 2)`` places on it, once around."""
        around = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
        turn = np.radians(self.angle_deg)
        along, across = self.major_px / 2 * np.cos(around), self.minor_px / 2 * np.sin(around)
        return np.column_stack(
            [
                self.x + along * np.cos(turn) - across * np.sin(turn),
                self.y + along * np.sin(turn) + across * np.cos(turn),
            ]
        )

    def away(self, x: ArrayLike, y: ArrayLike) -> Float64:
        """Distances of places from the middle, where 1 is on the ellipse."""
        turn = np.radians(self.angle_deg)
        dx, dy = np.asarray(x, float) - self.x, np.asarray(y, float) - self.y
        along, across = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
        distance: Float64 = np.hypot(2.0 * along / self.major_px, 2.0 * across / self.minor_px)
        return distance


def eccentricity(axis_ratio: float) -> float:
    """Eccentricity of an ellipse from the ratio of its axes."""
    return float(np.sqrt(max(0.0, 1.0 - min(1.0, axis_ratio) ** 2)))


def ellipse_of_box(x_min: float, y_min: float, x_max: float, y_max: float) -> Ellipse:
    """The upright ellipse that just fits a box."""
    wide, high = x_max - x_min, y_max - y_min
    return Ellipse(
        (x_min + x_max) / 2.0,
        (y_min + y_max) / 2.0,
        max(wide, high),
        min(wide, high),
        0.0 if wide >= high else 90.0,
    )


def ellipse_of_points(points: ArrayLike) -> Ellipse | None:
    """The ellipse through points on a rim, by least squares (Halíř & Flusser 1998); None when there is none.

    Args:
        points: ``(N, 2)`` x and y of at least five places.
    """
    from skimage.measure import EllipseModel

    given = np.asarray(points, float)
    if given.ndim != 2 or given.shape[1:] != (2,) or len(given) < 5 or not np.isfinite(given).all():
        return None
    middle = given.mean(axis=0)
    spread = float(np.abs(given - middle).max())
    if spread <= 0.0:
        return None
    model = EllipseModel.from_estimate((given - middle) / spread)
    if not model:
        return None
    (x, y), (half_a, half_b), turn = model.center, model.axis_lengths, model.theta
    numbers = np.array([x, y, half_a, half_b, turn], float)
    if not np.isfinite(numbers).all() or min(half_a, half_b) <= 0.0:
        return None
    return _ordered(middle + spread * np.array([x, y]), spread * half_a, spread * half_b, float(turn))


def ellipse_of_mask(mask: NDArray[np.bool_]) -> Ellipse | None:
    """The ellipse with the same second moments as a mask; None of fewer than three pixels."""
    rows, columns = np.nonzero(mask)
    if len(rows) < 3:
        return None
    spread = np.cov(columns, rows, bias=True) + np.eye(2) / 12.0  # a pixel has a width of its own
    sizes, axes = np.linalg.eigh(spread)
    turn = float(np.arctan2(axes[1, 1], axes[0, 1]))
    minor, major = 2.0 * np.sqrt(sizes)
    return _ordered(np.array([columns.mean(), rows.mean()]), float(major), float(minor), turn)


def _ordered(middle: Float64, half_a: float, half_b: float, turn: float) -> Ellipse:
    if half_a < half_b:
        half_a, half_b, turn = half_b, half_a, turn + np.pi / 2.0
    angle = float(np.degrees(turn) % 180.0) % 180.0
    return Ellipse(float(middle[0]), float(middle[1]), 2.0 * float(half_a), 2.0 * float(half_b), angle)
