"""Ellipses around craters: from a box, from points on a rim, from a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.shapes import Ellipse

Float64 = NDArray[np.float64]


def eccentricity(axis_ratio: float) -> float:
    """Eccentricity of an ellipse from the ratio of its axes."""
    return float(np.sqrt(max(0.0, 1.0 - min(1.0, axis_ratio) ** 2)))


def ellipse_of_box(x_min: float, y_min: float, x_max: float, y_max: float) -> Ellipse:
    """The upright ellipse that just fits a box."""
    half = np.diag([x_max - x_min, y_max - y_min]) / 2.0
    return Ellipse.about(((x_min + x_max) / 2.0, (y_min + y_max) / 2.0), half)


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
    return Ellipse.about(
        middle + spread * np.array([x, y]), spread * _turned(float(turn)) * (float(half_a), float(half_b))
    )


def ellipse_of_mask(mask: NDArray[np.bool_]) -> Ellipse | None:
    """The ellipse with the same second moments as a mask; None of fewer than three pixels."""
    rows, columns = np.nonzero(mask)
    if len(rows) < 3:
        return None
    spread = np.cov(columns, rows, bias=True) + np.eye(2) / 12.0  # a pixel has a width of its own
    sizes, directions = np.linalg.eigh(spread)
    return Ellipse.about((columns.mean(), rows.mean()), 2.0 * directions * np.sqrt(sizes))


def _turned(angle: float) -> Float64:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
