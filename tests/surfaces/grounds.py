"""Grounds made for tests: a rough plain with craters, valleys and ridges, lit from any side."""

from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

from core.frames import Frame


def rough(shape=(256, 256), seed=0, slope=1.6, height=6.0):
    """``shape`` heights in pixels of a rough plain: a random field whose spectrum falls as terrain's does."""
    rng = np.random.default_rng(seed)
    waves = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :])
    waves[0, 0] = np.inf
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * waves**-slope).real
    return height * (field - field.mean()) / field.std()


def crater(heights, x, y, diameter, ratio=1.0, angle_deg=0.0, depth=0.15):
    """Dig a bowl with a raised rim, in place; its axes' geometric mean is ``diameter``."""
    rows, columns = np.mgrid[: heights.shape[0], : heights.shape[1]]
    turn = np.radians(angle_deg)
    along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
    across = -(columns - x) * np.sin(turn) + (rows - y) * np.cos(turn)
    major, minor = diameter / 2 / np.sqrt(ratio), diameter / 2 * np.sqrt(ratio)
    away = np.hypot(along / major, across / minor)
    bowl = np.where(away < 1.0, depth * diameter * (away**2 - 1.0), 0.0)
    rim = 0.04 * diameter * np.where(away < 1.0, away**4, np.clip(away, 1, None) ** -4.0)
    heights += bowl + rim
    return heights


def groove(heights, points, width, depth):
    """Cut a valley (or with a negative depth raise a ridge) along a line of ``(x, y)`` points, in place."""
    rows, columns = np.mgrid[: heights.shape[0], : heights.shape[1]]
    away = np.full(heights.shape, np.inf)
    for (x0, y0), (x1, y1) in pairwise(points):
        dx, dy = x1 - x0, y1 - y0
        part = np.clip(((columns - x0) * dx + (rows - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        away = np.minimum(away, np.hypot(columns - x0 - part * dx, rows - y0 - part * dy))
    heights -= depth * np.exp(-((away / (width / 2)) ** 2))
    return heights


def lit(heights, azimuth_deg=0.0, elevation_deg=35.0, noise=0.01, seed=0):
    """Brightness of a ground of one colour under a sun that stands at an azimuth from +x towards +y."""
    slope_y, slope_x = np.gradient(gaussian_filter(heights, 0.6))
    up = np.radians(elevation_deg)
    around = np.radians(azimuth_deg)
    sun = np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)
    shade = (-slope_x * sun[0] - slope_y * sun[1] + sun[2]) / np.sqrt(slope_x**2 + slope_y**2 + 1)
    return np.clip(shade, 0, None) + np.random.default_rng(seed).normal(0, noise, heights.shape)


def shown(brightness, name="ground.png"):
    """A picture of 8 bits, as cameras give them."""
    low, high = np.percentile(brightness, [0.3, 99.7])
    levels = np.clip(np.rint(20 + 215 * (brightness - low) / max(high - low, 1e-9)), 0, 255)
    return Frame.from_array(levels, name, row0="top", saturation=255.0)


CRATERS = ((50.0, 60.0, 14.0), (140.0, 70.0, 22.0), (90.0, 150.0, 9.0))
"""x, y and radius of those of :func:`three_craters`."""


def three_craters(azimuth_deg):
    """``(200, 200)`` levels of a plain with craters under a sun at an azimuth."""
    heights = np.zeros((200, 200))
    for x, y, radius in CRATERS:
        crater(heights, x, y, 2.0 * radius)
    return shown(lit(heights, azimuth_deg)).grey.astype(np.uint8)
