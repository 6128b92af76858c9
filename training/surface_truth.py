"""What is known of a picture of the ground: its craters as ellipses, and the class of every pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.surfaces.kinds import FLOOR, PLAIN, RIDGE, RIM, SEGMENTS, VALLEY

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

IS_PLAIN, IS_FLOOR, IS_RIM, IS_VALLEY, IS_RIDGE = (
    SEGMENTS.index(name) for name in (PLAIN, FLOOR, RIM, VALLEY, RIDGE)
)
IGNORE = 255
"""Class of a pixel that counts neither way."""

CATALOGUED, FOUND, DRAWN, MARKED = "catalogued", "found", "drawn", "marked"
"""How a crater is known: from a catalogue, from the shape of the relief, because it was drawn, or because a
person marked it on the picture."""
RIM_INSIDE, RIM_OUTSIDE, LEAST_RIM_PX = 0.22, 0.08, 0.7
"""A rim, with the wall under it, goes so far in and out, in radii of the crater, and at least so many px."""


@dataclass(frozen=True)
class TrueCrater:
    """A crater of a picture: the ellipse of its rim.

    Attributes:
        x, y: Its middle in pixels; it may lie outside the picture.
        major_px, minor_px: Half of its axes.
        angle_deg: Of the major axis, from x towards y, [0, 180).
        wanted: Whether it can be seen and must be found; others count neither way.
        known: How: one of :data:`CATALOGUED`, :data:`FOUND`, :data:`DRAWN`, :data:`MARKED`.
    """

    x: float
    y: float
    major_px: float
    minor_px: float
    angle_deg: float = 0.0
    wanted: bool = True
    known: str = DRAWN

    @property
    def diameter_px(self) -> float:
        """Square root of the product of the axes."""
        return float(2.0 * np.sqrt(self.major_px * self.minor_px))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """``x_min, y_min, x_max, y_max`` of the ellipse."""
        cos, sin = np.cos(np.radians(self.angle_deg)), np.sin(np.radians(self.angle_deg))
        half_x = float(np.hypot(self.major_px * cos, self.minor_px * sin))
        half_y = float(np.hypot(self.major_px * sin, self.minor_px * cos))
        return self.x - half_x, self.y - half_y, self.x + half_x, self.y + half_y

    def away(self, x: ArrayLike, y: ArrayLike) -> Float64:
        """Distance from the middle in units of the rim, 1 on it."""
        dx, dy = np.asarray(x, float) - self.x, np.asarray(y, float) - self.y
        cos, sin = np.cos(np.radians(self.angle_deg)), np.sin(np.radians(self.angle_deg))
        along, across = cos * dx + sin * dy, cos * dy - sin * dx
        return np.asarray(np.hypot(along / self.major_px, across / self.minor_px), float)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        facts = dataclasses.asdict(self)
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in facts.items()}


def window_around(one: TrueCrater, reach: float, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Rows and columns of a picture within ``reach`` radii of a crater; None where it lies outside."""
    left, top, right, bottom = one.box
    grow_x, grow_y = (reach - 1.0) * (right - left) / 2.0 + 1.0, (reach - 1.0) * (bottom - top) / 2.0 + 1.0
    x0, x1 = max(int(np.floor(left - grow_x)), 0), min(int(np.ceil(right + grow_x)) + 1, shape[1])
    y0, y1 = max(int(np.floor(top - grow_y)), 0), min(int(np.ceil(bottom + grow_y)) + 1, shape[0])
    if x0 >= x1 or y0 >= y1:
        return None
    return slice(y0, y1), slice(x0, x1)


def lay_craters(classes: UInt8, craters: Sequence[TrueCrater], least_px: float) -> None:
    """Write floors and rims into a map of classes, the small over the large.

    What is not wanted is :data:`IGNORE` there, and so is a crater of a smaller diameter than ``least_px``,
    of which floor and rim cannot be told apart.

    Args:
        classes: ``(H, W)``, changed.
        craters: In any order.
        least_px: Diameter.
    """
    for one in sorted(craters, key=lambda one: -one.diameter_px):
        least = LEAST_RIM_PX / (one.diameter_px / 2.0)
        outside, inside = 1.0 + max(RIM_OUTSIDE, least), 1.0 - max(RIM_INSIDE, least)
        window = window_around(one, outside, classes.shape)
        if window is None:
            continue
        rows, columns = np.ogrid[window]
        away, there = one.away(columns, rows), classes[window]
        if not one.wanted or one.diameter_px < least_px:
            there[away <= outside] = IGNORE
            continue
        there[away <= outside] = IS_RIM
        there[away <= inside] = IS_FLOOR
