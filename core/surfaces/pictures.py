"""Pictures of the ground: what the methods see of a frame.

Cameras, mosaics and scans of maps differ in levels, so a picture is drawn between its own darkest and
brightest parts. Nothing is known of the light: shadows may lie on any side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame

UInt8 = NDArray[np.uint8]

DARKEST, BRIGHTEST = 0.3, 99.7
"""Percentiles of the pixels that are shown black and white."""
_SAMPLE = 1_000_000


LEAST_UNEVEN, MOST_UNEVEN = 1.03, 4.0
"""Pixels whose sides differ by less than the first factor are taken for square; beyond the second, as on a
cylindrical map from 75° on, they are taken to differ by that."""


def pixel_aspect(frame: Frame) -> float:
    """Height over width of a pixel on the ground, in the middle of a frame; 1 where no map tells it."""
    if frame.ground is None:
        return 1.0
    sides = frame.ground.pixel_sides_km((frame.width - 1) / 2.0, (frame.height - 1) / 2.0)
    width, height = (float(np.linalg.norm(side)) for side in sides)
    aspect = height / width if width > 0.0 else np.nan
    if not max(aspect, 1.0 / aspect) > LEAST_UNEVEN:
        return 1.0
    return float(np.clip(aspect, 1.0 / MOST_UNEVEN, MOST_UNEVEN))


def surface_picture(frame: Frame) -> UInt8:
    """``(H, W)`` grey levels of a frame between its darkest and brightest parts.

    What is missing has the level of the median. A frame without any contrast is grey all over.
    """
    grey = frame.grey
    flat = grey.reshape(-1)
    values = flat[:: max(1, flat.size // _SAMPLE) | 1]
    values = values[np.isfinite(values)]
    if not len(values):
        return np.full(grey.shape, 128, np.uint8)
    low, middle, high = np.percentile(values, [DARKEST, 50.0, BRIGHTEST])
    if high <= low:
        return np.full(grey.shape, 128, np.uint8)
    shown = (np.nan_to_num(grey, nan=middle, posinf=high, neginf=low) - np.float32(low)) * np.float32(
        255.0 / (high - low)
    )
    levels: UInt8 = np.rint(np.clip(shown, 0.0, 255.0)).astype(np.uint8)
    return levels
