"""From light to a picture: brightness of the ground, exposure, blur, noise, stripes, JPEG, holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dso_finish import through_jpeg
from training.dso_sky import chance, log_uniform
from training.surface_shapes import fractal_fields

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

OPTICAL, MAP, THERMAL = "optical", "map", "thermal"
"""Ways of seeing: a camera's picture, a map under a high sun, a thermal picture by day."""
WAYS = {OPTICAL: 0.55, MAP: 0.2, THERMAL: 0.25}
OVER_RELIEF = {OPTICAL: (0.08, 0.8), MAP: (0.5, 3.0), THERMAL: (0.08, 0.9)}
"""How strong differences of the ground's own brightness are, over those that relief makes."""


@dataclass(frozen=True)
class Camera:
    """How light becomes a picture.

    Attributes:
        blur_px: Sigma.
        noise: Standard deviation in levels.
        grain_px: Sigma of what the noise was smoothed with, 0 for none.
        stripes: Levels by which rows, or columns, differ.
        quality: Of the JPEG compression; 0 for none.
    """

    blur_px: float
    noise: float
    grain_px: float
    stripes: float
    quality: int


def random_camera(rng: np.random.Generator, way: str) -> Camera:
    """A camera for a way of seeing."""
    return Camera(
        blur_px=log_uniform(rng, 0.25, 1.3),
        noise=log_uniform(rng, 0.3, 9.0),
        grain_px=float(rng.uniform(0.4, 1.0)) if chance(rng, 0.3) else 0.0,
        stripes=log_uniform(rng, 0.4, 5.0) if chance(rng, 0.4 if way == THERMAL else 0.12) else 0.0,
        quality=int(rng.integers(45, 97)) if chance(rng, 0.5) else 0,
    )


def random_albedo(rng: np.random.Generator, height: Float32, relief: float, way: str) -> Float32:
    """``(H, W)`` logarithm of the ground's own brightness.

    Args:
        rng: Decides everything.
        height: ``(H, W)`` of the ground, in any unit.
        relief: Standard deviation of the logarithm of the light that relief alone makes.
        way: Of seeing: maps under a high sun show hardly anything else.
    """
    import cv2

    side = height.shape[0]
    smooth, patchy = fractal_fields(rng, side, rng.uniform(0.2, 0.9), rng.uniform(0.3, 1.5) * side, 2.0)
    albedo = smooth * np.float32(log_uniform(rng, 0.1, 1.0))
    if chance(rng, 0.35):
        albedo += np.tanh(np.float32(log_uniform(rng, 0.8, 8.0)) * (patchy + np.float32(rng.normal())))
    if chance(rng, 0.5 if way == MAP else 0.15):  # what lies low is dark, as maria are
        low = cv2.GaussianBlur(cv2.resize(height, (side // 4, side // 4)), (0, 0), side / 60.0)
        low = (low - np.median(low)) / max(float(low.std()), 1e-6)
        albedo += np.float32(1.5) * np.tanh(2.0 * cv2.resize(low, (side, side)) + 0.4 * patchy)
    if chance(rng, 0.4):
        fine = fractal_fields(rng, side, 0.0, log_uniform(rng, 3.0, 12.0), 1.0)[0]
        albedo += np.float32(log_uniform(rng, 0.03, 0.4)) * fine
    strength = min(log_uniform(rng, *OVER_RELIEF[way]) * relief, 0.45)
    albedo *= np.float32(strength / max(float(albedo.std()), 1e-6))
    if chance(rng, 0.3 if way == MAP else 0.06):
        albedo += _rays(rng, side)
    if chance(rng, 0.12):
        albedo += _streaks(rng, side)
    return albedo.astype(np.float32)


def expose(rng: np.random.Generator, light: Float32, seen: Bool, camera: Camera) -> tuple[Float32, float]:
    """``(H, W)`` levels of light, blurred, without noise, and about how many levels one unit of light is.

    Args:
        rng: Decides the levels.
        light: ``(H, W)`` in any unit.
        seen: ``(H, W)`` where there is a picture.
        camera: Of the picture.
    """
    import cv2

    sharp = cv2.GaussianBlur(light, (0, 0), camera.blur_px)
    values = sharp[seen] if seen.any() else sharp.reshape(-1)
    low, high = np.percentile(
        values[:: max(1, values.size // 40_000)], [rng.uniform(0.2, 1.5), rng.uniform(98.5, 99.9)]
    )
    spread = max(float(high - low), 1e-3 * max(abs(float(high)), 1e-6), 1e-9)
    shown = np.clip((sharp - np.float32(low)) / np.float32(spread), 0.0, 1.0)
    shown = shown ** np.float32(log_uniform(rng, 0.75, 1.35))
    black, white = rng.uniform(0.0, 50.0), rng.uniform(175.0, 255.0)
    return np.asarray(black + (white - black) * shown, np.float32), float((white - black) / spread)


def spoiled(rng: np.random.Generator, levels: Float32, seen: Bool, camera: Camera, missing: int) -> UInt8:
    """``(H, W)`` picture: levels with noise, stripes and gradients, compressed, and what is missing.

    Args:
        rng: Decides everything.
        levels: ``(H, W)`` from :func:`expose`.
        seen: ``(H, W)`` where there is a picture.
        camera: Of the picture.
        missing: Level where there is none.
    """
    import cv2

    side = levels.shape[0]
    noise = rng.standard_normal(levels.shape, np.float32)
    if camera.grain_px:
        noise = cv2.GaussianBlur(noise, (0, 0), camera.grain_px)
        noise /= max(float(noise.std()), 1e-6)
    shown = levels + np.float32(camera.noise) * noise
    if camera.stripes:
        stripes = cv2.GaussianBlur(
            rng.standard_normal((side, 1)).astype(np.float32), (0, 0), log_uniform(rng, 0.3, 3.0)
        )
        stripes *= np.float32(camera.stripes / max(float(stripes.std()), 1e-6))
        shown += stripes.T if chance(rng, 0.6) else stripes
    if chance(rng, 0.25):
        slope = np.linspace(-0.5, 0.5, side, dtype=np.float32) * np.float32(rng.uniform(-40.0, 40.0))
        shown += slope if chance(rng, 0.5) else slope[:, None]
    if chance(rng, 0.04):
        lost = rng.integers(0, side, int(rng.integers(1, 5)))
        shown[lost] = shown[np.maximum(lost - 1, 0)] if chance(rng, 0.5) else 0.0
    picture = np.rint(np.clip(shown, 0.0, 255.0)).astype(np.uint8)
    picture[~seen] = missing
    if camera.quality:
        picture = through_jpeg(picture, camera.quality, 0)
    return picture


def random_hole(rng: np.random.Generator, side_px: int) -> Bool:
    """``(side, side)`` true beyond a straight edge or two: the end of an image strip, a missing corner."""
    rows, columns = np.mgrid[:side_px, :side_px]
    hole = np.zeros((side_px, side_px), bool)
    for _ in range(int(rng.integers(1, 3))):
        turn = rng.uniform(0.0, 2.0 * np.pi) if chance(rng, 0.6) else rng.integers(4) * np.pi / 2.0
        at = rng.uniform(0.3, 0.62) * side_px
        hole |= (columns - side_px / 2) * np.cos(turn) + (rows - side_px / 2) * np.sin(turn) > at
    return hole


def random_seam(rng: np.random.Generator, side_px: int) -> Float32:
    """``(side, side)`` 0 on one side of a mosaic's seam and 1 on the other."""
    rows, columns = np.mgrid[:side_px, :side_px].astype(np.float32)
    turn = rng.uniform(0.0, 2.0 * np.pi)
    across = (columns - side_px / 2) * np.cos(turn) + (rows - side_px / 2) * np.sin(turn)
    across += np.float32(rng.uniform(-0.3, 0.3) * side_px)
    if chance(rng, 0.3):
        across += 25.0 * fractal_fields(rng, side_px, 0.7, side_px / 4, 4.0)[0]
    return np.asarray(np.clip(0.5 + across / log_uniform(rng, 1.0, 30.0), 0.0, 1.0), np.float32)


def _rays(rng: np.random.Generator, side: int) -> Float32:
    """Bright rays from a place, as those of Tycho."""
    x, y = rng.uniform(-0.2, 1.2, 2) * side
    rows, columns = np.ogrid[:side, :side]
    dx, dy = (columns - x).astype(np.float32), (rows - y).astype(np.float32)
    turn, away = np.arctan2(dy, dx), np.hypot(dx, dy) / np.float32(side)
    rays = np.zeros((side, side), np.float32)
    for waves in (5, 9, 17, 31):
        rays += (
            np.cos(waves * turn + np.float32(rng.uniform(0, 2 * np.pi)) + 2.0 * away * rng.normal())
            / waves**0.3
        )
    shape = np.clip(rays - 0.4, 0.0, None) * np.exp(-away / np.float32(rng.uniform(0.15, 0.6)))
    return np.asarray(np.float32(rng.uniform(0.08, 0.35)) * shape, np.float32)


def _streaks(rng: np.random.Generator, side: int) -> Float32:
    """Dark or bright spots, perhaps drawn out by a wind."""
    turn, long = rng.uniform(0.0, 2.0 * np.pi), log_uniform(rng, 1.0, 8.0)
    sign = rng.choice([-1.0, 1.0], p=[0.7, 0.3]) * rng.uniform(0.1, 0.45)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    made = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(3, 25))):
        x, y, size = *(rng.uniform(0.0, 1.0, 2) * side), log_uniform(rng, 2.0, 0.05 * side)
        along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
        across = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
        drawn = np.where(along > 0.0, along / np.float32(long), along)
        made += np.exp(-(drawn * drawn + across * across) / np.float32(2.0 * size * size))
    return np.asarray(np.float32(sign) * np.minimum(made, 1.5), np.float32)
