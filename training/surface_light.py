"""Light on the ground: how bright relief is under a sun, and where it casts shadows.

The reflectance is McEwen's (1991, Icarus 92, 298) lunar–Lambert law, seen from straight above: a mix of
Lommel & Seeliger's, as the dust of the Moon has it, and Lambert's, as brighter or hazier worlds have it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

SHADOWS_FROM_DEG = 35.0
"""Incidence below which hardly anything casts a shadow."""


@dataclass(frozen=True)
class Sun:
    """Where the light comes from.

    Attributes:
        azimuth_deg: Direction towards the sun on the picture, from x towards y.
        incidence_deg: From the vertical: 0 overhead, 90 at the horizon.
    """

    azimuth_deg: float
    incidence_deg: float

    @property
    def towards(self) -> tuple[float, float]:
        """Unit vector on the picture towards the sun."""
        turn = np.radians(self.azimuth_deg)
        return float(np.cos(turn)), float(np.sin(turn))


def slopes(height: Float32, px_m: float) -> tuple[Float32, Float32]:
    """Slopes along x and along y, without a unit.

    Args:
        height: ``(H, W)`` metres.
        px_m: Metres a pixel.
    """
    along_y, along_x = np.gradient(height, np.float32(px_m))
    return along_x.astype(np.float32, copy=False), along_y.astype(np.float32, copy=False)


def reflectance(slope_x: Float32, slope_y: Float32, sun: Sun, lunar: float) -> Float32:
    """``(H, W)`` brightness, without cast shadows.

    Args:
        slope_x, slope_y: ``(H, W)`` of the ground.
        sun: The light.
        lunar: 1 for Lommel & Seeliger's law, 0 for Lambert's.
    """
    east, south = sun.towards
    incidence = np.radians(sun.incidence_deg)
    steep = 1.0 / np.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y)
    into = np.float32(np.sin(incidence)) * (slope_x * np.float32(-east) + slope_y * np.float32(-south))
    lit = np.maximum((into + np.float32(np.cos(incidence))) * steep, 0.0)
    both = np.float32(2.0 * lunar) / (lit + steep + np.float32(1e-6)) + np.float32(1.0 - lunar)
    return np.asarray(lit * both, np.float32)


def cast_shadows(height: Float32, px_m: float, sun: Sun, softness_px: float = 0.4) -> Float32:
    """``(H, W)`` 1 where the sun is seen, 0 where something stands in its way.

    The picture is turned so that light comes along its rows; then what is highest so far hides what lies
    below its line of sight.

    Args:
        height: ``(H, W)`` metres.
        px_m: Metres a pixel.
        sun: The light.
        softness_px: Of the shadow's edge, in heights of pixels.
    """
    import cv2

    rows, columns = height.shape
    if sun.incidence_deg < SHADOWS_FROM_DEG:
        return np.ones(height.shape, np.float32)
    side = int(np.ceil(np.hypot(rows, columns)))
    turn = cv2.getRotationMatrix2D(((columns - 1) / 2.0, (rows - 1) / 2.0), sun.azimuth_deg - 180.0, 1.0)
    turn[:, 2] += [(side - columns) / 2.0, (side - rows) / 2.0]
    low = float(height.min())
    turned = cv2.warpAffine(height, turn, (side, side), borderMode=cv2.BORDER_CONSTANT, borderValue=low)
    falls = px_m / np.tan(np.radians(sun.incidence_deg))
    line = turned + np.float32(falls) * np.arange(side, dtype=np.float32)
    above = np.maximum.accumulate(line, axis=1) - line
    lit = 1.0 - np.clip(above / np.float32(softness_px * px_m), 0.0, 1.0)
    back = cv2.warpAffine(
        lit, turn, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=1.0
    )
    return np.asarray(back, np.float32)
