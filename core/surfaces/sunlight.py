"""Where the light comes from: the sun's azimuth, from the two-faced look of everything round.

A bowl is dark towards the sun and bright away from it. Seen through a smooth bowl's shading of every size,
the strongest answers of a picture point all in one direction where it is lit from a side, and in any
direction where it shows brightness alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.surfaces.hough_tiles import Tiles

Float32 = NDArray[np.float32]

RADII_PX = (4.0, 6.0, 9.0, 13.5)
REACH = 1.6
"""Radii that are looked at around a middle."""
LEAST_LIKENESS = 0.5
"""Least correlation of a place with the shading of a bowl for it to have a say."""
SURE_CONCENTRATION = 0.25
"""Least mean length of the doubled directions, 0 for none and 1 for all alike, to speak of a side."""
_SIDE = 1400
_FEWEST, _FEWEST_PIXELS = 12, 9


@dataclass(frozen=True)
class Sunlight:
    """The light on a picture.

    Attributes:
        azimuth_deg: Direction towards the sun, from +x towards +y (as rows and columns are stored).
        concentration: Mean length of the doubled directions, in [0, 1].
        is_given: Whether a person said so.
    """

    azimuth_deg: float
    concentration: float = 1.0
    is_given: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the side can be told."""
        return self.concentration >= SURE_CONCENTRATION


UNLIT = (
    "The side that the light comes from cannot be told: valleys and ridges can be taken for each other, and "
    "less is sure."
)
SUN: dict[str, Any] = {
    "label": "Direction of the sun",
    "unit": "°",
    "low": 0.0,
    "high": 360.0,
    "step": 1.0,
    "help": "Where the light comes from: 0 right, 180 left, 90 down and 270 up; on FITS frames, whose rows "
    "begin at the bottom, 90 is up and 270 down.",
}
"""What methods that can be told it say of the parameter."""
WHY_CRATERS = "Measured on craters, which are bright away from the sun; without any, every side counts."


def quarter_to_light(azimuth_deg: float) -> int:
    """Quarters of a turn by :func:`numpy.rot90` after which the sun stands between left and top."""
    return int((azimuth_deg - 180.0) // 90.0) % 4


def light_on_craters(picture: NDArray[np.uint8], craters: NDArray[np.float64]) -> Sunlight:
    """The sun's azimuth from craters that are known to be some: each is bright away from the sun.

    Args:
        picture: ``(H, W)``.
        craters: ``(N, 4)`` x, y and radius in pixels, and how much each counts.

    Returns:
        Its ``concentration`` is that of the directions, 0 where there are fewer than two craters.
    """
    total, directions = 0.0, 0.0 + 0.0j
    for x, y, radius, weight in craters.tolist():
        rows = slice(max(int(y - radius), 0), max(int(y + radius) + 2, 0))
        columns = slice(max(int(x - radius), 0), max(int(x + radius) + 2, 0))
        patch = picture[rows, columns].astype(np.float64)
        down, right = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float64)
        down, right = down + rows.start - y, right + columns.start - x
        inside = np.hypot(right, down) <= radius
        if inside.sum() < _FEWEST_PIXELS or (spread := float(patch[inside].std())) < 1.0:
            continue
        uneven = (patch[inside] - patch[inside].mean()) / spread
        bright = complex((uneven * right[inside]).mean(), (uneven * down[inside]).mean()) / radius
        directions -= weight * bright
        total += weight * abs(bright)
    if len(craters) < 2 or total <= 0.0:
        return Sunlight(0.0, 0.0)
    return Sunlight(float(np.degrees(np.angle(directions)) % 360.0), abs(directions) / total)


def sunlight(picture: NDArray[np.uint8]) -> Sunlight:
    """The sun's azimuth of an ``(H, W)`` picture.

    Bowls and domes look alike under opposite suns, so only the axis of the light is sure; its side is taken
    as if there were more bowls. :func:`core.surfaces.hough_craters.find_craters` tells them apart.
    """
    from cv2 import dilate

    grey = _small(picture)
    reach = _reach(RADII_PX[-1])
    pictures = Tiles.of(grey, reach), Tiles.of(grey * grey, reach)
    total, axis = 0.0, 0.0 + 0.0j
    side = 0.0 + 0.0j
    count = 0
    for radius in RADII_PX:
        if 6 * radius > min(grey.shape):
            break
        east, south = _shading(*pictures, radius)
        likeness = np.hypot(east, south)
        around = np.ones((2 * int(radius) + 1,) * 2, np.uint8)
        peaks = (likeness == dilate(likeness, around)) & (likeness > LEAST_LIKENESS)
        weight = (likeness[peaks] - LEAST_LIKENESS).astype(np.float64)
        away = np.exp(1j * np.arctan2(south[peaks], east[peaks]))
        total += float(weight.sum())
        axis += complex(np.sum(weight * away**2))
        side += complex(np.sum(weight**2 * away))
        count += int(peaks.sum())
    if count < _FEWEST or total <= 0.0:
        return Sunlight(0.0, 0.0)
    towards = np.angle(axis) / 2.0
    if np.real(side * np.exp(-1j * towards)) > 0.0:  # bright faces look at the sun
        towards += np.pi
    return Sunlight(float(np.degrees(towards) % 360.0), float(abs(axis) / total))


def _shading(grey: Tiles, square: Tiles, radius: float) -> tuple[Float32, Float32]:
    """Correlation of each place with a bowl's brightness, growing along +x and along +y.

    Args:
        grey: The picture.
        square: Its square.
        radius: Of the bowl, in pixels.
    """
    reach = _reach(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32) / np.float32(radius)
    window = (np.hypot(x, y) <= REACH).astype(np.float32)
    slope = np.exp(-2.0 * (x * x + y * y)).astype(np.float32)  # of a bowl as wide as the crater
    area = float(window.sum())
    mean = grey.filtered(window / area)
    spread: Float32 = np.sqrt(np.maximum(square.filtered(window / area) - mean * mean, np.float32(1.0)))
    spread *= np.float32(np.sqrt(area) * np.linalg.norm(x * slope * window))
    return grey.filtered(x * slope * window) / spread, grey.filtered(y * slope * window) / spread


def _reach(radius: float) -> int:
    return int(np.ceil(REACH * radius))


def _small(picture: NDArray[np.uint8]) -> Float32:
    """The picture, every second pixel or fewer of it where it is large."""
    from scipy.ndimage import uniform_filter

    step = max(1, round(max(picture.shape) / _SIDE))
    grey = picture.astype(np.float32)
    if step > 1:
        grey = uniform_filter(grey, step)[::step, ::step]
    return np.ascontiguousarray(grey)
