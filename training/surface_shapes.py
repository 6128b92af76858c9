"""Simulated ground: fractal relief, and craters, valleys and ridges cut into it or piled on it.

Craters follow the profiles of fresh and worn lunar ones (Pike 1977, in *Impact and Explosion Cratering*,
489): bowls of a fifth of their width with a rim of a twenty-fifth; from a size on that differs from world to
world flat floors, terraced walls and a central peak; what is thrown out falls off with the cube of the
distance. Age makes them shallow and round off their rims (diffusion; Fassett & Thomson 2014, JGR 119, 2255).
Their sizes follow a power law. Valleys are troughs with flat or sharp beds, straight as grabens or winding as
rilles, alone or with tributaries; ridges are broad arches with a narrow winding crest, as wrinkle ridges
have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from training.dso_sky import chance, log_uniform
from training.surface_truth import DRAWN, TrueCrater, window_around

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

DEPTH, RIM_HEIGHT = 0.2, 0.04
"""Of a fresh crater, over its diameter."""
REACH = 2.6
"""What a crater throws out ends so many radii from its middle."""
SMALLEST_PX, LARGEST_PX = 1.4, 100.0
"""Radii of drawn craters."""
MOST_CRATERS = 160
_PROFILE = np.linspace(0.0, REACH, 261)


@dataclass(frozen=True)
class DrawnCrater:
    """A crater to be drawn.

    Attributes:
        truth: Its rim.
        depth: Over its diameter.
        age: 0 fresh, 1 hardly there.
        floor: Radius of its flat floor over that of its rim; 0 for a bowl.
        peak: Height of its central peak over its depth.
        halo: How much brighter (or, below 0, darker) fresh ground around it is.
        waves: ``(n, 2)`` amplitude over the radius and phase of the waves of its rim, from two round it on.
    """

    truth: TrueCrater
    depth: float
    age: float
    floor: float
    peak: float
    halo: float
    waves: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class DrawnLine:
    """A valley or a ridge to be drawn.

    Attributes:
        paths: ``(n, 2)`` x and y of each of its branches.
        widths_px: Of the branches.
        is_valley: Or a ridge.
        steepness: Depth or height over its width.
        flat: Part of the width of a valley that is its flat bed.
    """

    paths: tuple[Float64, ...]
    widths_px: tuple[float, ...]
    is_valley: bool
    steepness: float
    flat: float


def fractal_fields(
    rng: np.random.Generator, side_px: int, hurst: float, longest_px: float, shortest_px: float
) -> Float32:
    """``(2, side, side)`` two fields of mean 0 and deviation 1 with the spectrum of a fractal surface.

    Args:
        rng: Decides everything.
        side_px: Of the square.
        hurst: Exponent, 0 jagged to 1 smooth.
        longest_px, shortest_px: Wavelengths between which there is power.
    """
    from scipy.fft import ifft2

    along = np.fft.fftfreq(side_px).astype(np.float32)
    frequency = np.hypot(along[:, None], along[None, :])
    frequency[0, 0] = 1.0
    power = frequency ** np.float32(-hurst - 1.0)
    power *= np.exp(-((frequency * shortest_px) ** 2)) * (1.0 - np.exp(-((frequency * longest_px) ** 2)))
    power[0, 0] = 0.0
    noise = rng.standard_normal((2, side_px, side_px), np.float32)
    field = ifft2((noise[0] + 1j * noise[1]) * power)
    pair = np.stack([field.real, field.imag]).astype(np.float32)
    return np.asarray(pair / np.maximum(pair.std(axis=(1, 2), keepdims=True), 1e-12), np.float32)


def random_craters(rng: np.random.Generator, side_px: int) -> list[DrawnCrater]:
    """Craters of a piece of ground, the oldest first."""
    area = (side_px / 512.0) ** 2
    slope = float(rng.uniform(1.5, 3.0))
    count = min(rng.poisson(log_uniform(rng, 4.0, 220.0) * area), MOST_CRATERS)
    radii = np.minimum(SMALLEST_PX * (1.0 - rng.random(count)) ** (-1.0 / slope), 60.0)
    places = rng.uniform(-0.05, 1.05, (count, 2)) * side_px
    if chance(rng, 0.45):
        some = [log_uniform(rng, 8.0, LARGEST_PX) * side_px / 512.0 for _ in range(int(rng.integers(1, 6)))]
        radii = np.concatenate([radii, some])
        places = np.concatenate([places, rng.uniform(-0.05, 1.05, (len(some), 2)) * side_px])
    if chance(rng, 0.15):
        row, sizes = _row(rng, side_px)
        radii, places = np.concatenate([radii, sizes]), np.concatenate([places, row])
    oldest = rng.uniform(0.3, 0.95)
    flat_from = log_uniform(rng, 6.0, 120.0)
    bright = rng.uniform(0.0, 0.6) if chance(rng, 0.5) else 0.0
    dark = chance(rng, 0.15)
    found = [
        _random_crater(
            rng, float(x), float(y), float(radius), oldest, flat_from, -0.5 * bright if dark else bright
        )
        for (x, y), radius in zip(places, radii, strict=True)
    ]
    return sorted(found, key=lambda one: -one.age - 0.004 * one.truth.major_px)


def add_crater(height: Float32, albedo: Float32, one: DrawnCrater, px_m: float) -> None:
    """Cut a crater into the ground.

    Args:
        height: ``(H, W)`` metres, changed.
        albedo: ``(H, W)`` logarithm of the brightness, changed.
        one: The crater.
        px_m: Metres a pixel.
    """
    truth = one.truth
    window = window_around(truth, REACH, height.shape)
    if window is None:
        return
    rows, columns = np.ogrid[window]
    away = truth.away(columns, rows).astype(np.float32)
    if one.waves and truth.major_px > 3.0:
        turn = np.arctan2(rows - truth.y, columns - truth.x).astype(np.float32)
        away /= 1.0 + sum(size * np.cos((n + 2) * turn + phase) for n, (size, phase) in enumerate(one.waves))
    ground = height[window]
    inside = away < 1.0
    level = float(ground[inside].mean()) if inside.any() else float(ground.mean())
    kept = np.clip((away - 0.8) / 0.35, 0.0, 1.0)
    erased = (1.0 - 0.35 * one.age) * (1.0 - kept * kept * (3.0 - 2.0 * kept))
    shape = np.interp(away, _PROFILE, crater_profile(one)).astype(np.float32)
    height[window] = ground + erased * (level - ground) + shape * np.float32(truth.diameter_px * px_m)
    if one.halo:
        fade = np.exp(-np.maximum(away - 0.9, 0.0) / 0.45).astype(np.float32)
        albedo[window] += np.float32(one.halo) * fade


def crater_profile(one: DrawnCrater) -> Float64:
    """Heights over the diameter from the middle to :data:`REACH` radii, 261 steps."""
    from scipy.ndimage import gaussian_filter1d

    r, depth, rim = _PROFILE, one.depth, RIM_HEIGHT * one.depth / DEPTH
    if one.floor > 0.0:
        up = np.clip((r - one.floor) / (1.0 - one.floor), 0.0, None)
        up = up + 0.02 * np.sin(4.0 * np.pi * np.minimum(up, 1.0))
        inside = -depth + (depth + rim) * up**1.25
        inside += one.peak * depth * np.exp(-((r / 0.15) ** 2))
    else:
        inside = -depth + (depth + rim) * r**2.2
    outside = rim * np.maximum(r, 1.0) ** -3.0 * np.clip((REACH - r) / (REACH - 1.0), 0.0, 1.0)
    profile = np.where(r < 1.0, inside, outside)
    # Wear rounds off the rim; small pits are never sharp.
    wear = 0.02 + 0.22 * one.age**1.5
    both = gaussian_filter1d(np.concatenate([profile[:0:-1], profile]), wear / r[1], mode="nearest")
    return np.asarray(both[len(r) - 1 :])


def random_line(rng: np.random.Generator, side_px: int) -> DrawnLine:
    """A valley or a ridge somewhere on the ground."""
    is_valley = chance(rng, 0.6)
    scale = side_px / 512.0
    winding = log_uniform(rng, 0.004, 0.12)
    wide = chance(rng, 0.12)
    width = log_uniform(rng, 22.0, 70.0) if wide and is_valley else log_uniform(rng, 2.5, 16.0)
    if not is_valley:
        width *= 1.5
    width *= scale
    length = log_uniform(rng, max(60.0 * scale, 5.0 * width), 700.0 * scale)
    main = _path(rng, rng.uniform(0.0, side_px, 2), rng.uniform(0.0, 2.0 * np.pi), length, winding, width)
    paths, widths = [main], [width]
    if is_valley and chance(rng, 0.35):
        for _ in range(int(rng.integers(1, 7))):
            trunk = int(rng.integers(len(paths)))
            at = int(rng.integers(len(paths[trunk])))
            before = paths[trunk][max(at - 3, 0)] - paths[trunk][min(at + 3, len(paths[trunk]) - 1)]
            heading = np.arctan2(before[1], before[0]) + rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 1.2)
            thin = max(widths[trunk] * rng.uniform(0.45, 0.85), 2.0)
            reach = length * rng.uniform(0.15, 0.5)
            paths.append(_path(rng, paths[trunk][at], heading, reach, winding, thin))
            widths.append(thin)
    steep = log_uniform(rng, 0.03, 0.22) if is_valley else log_uniform(rng, 0.015, 0.07)
    return DrawnLine(tuple(paths), tuple(widths), is_valley, steep, float(rng.uniform(0.0, 0.7)))


def add_line(rng: np.random.Generator, height: Float32, one: DrawnLine, px_m: float) -> NDArray[np.bool_]:
    """Cut a valley into the ground, or pile a ridge on it.

    Args:
        rng: Decides how its depth wanders.
        height: ``(H, W)`` metres, changed.
        one: The line.
        px_m: Metres a pixel.

    Returns:
        ``(H, W)`` where it is.
    """
    change, there = np.zeros_like(height), np.zeros(height.shape, bool)
    for path, width in zip(one.paths, one.widths_px, strict=True):
        from_line, along = _away_from(path, height.shape)
        # It wanes towards its ends (a tributary towards its head), and is wider in places.
        to_end = 1.0 - along if path is not one.paths[0] else np.minimum(along, 1.0 - along)
        wanes = np.sqrt(np.clip(4.5 * to_end, 0.03, 1.0))
        waves = np.cos(2.0 * np.pi * (rng.uniform(1.0, 4.0) * along + rng.random()))
        wide = np.float32(width / 2.0) * wanes * (1.0 + np.float32(rng.uniform(0.0, 0.3)) * waves)
        away = from_line / wide
        size = np.float32(2.0 * one.steepness * px_m) * wide * wanes
        if one.is_valley:
            rise = np.clip((away - one.flat) / (1.1 - one.flat), 0.0, 1.0)
            np.minimum(change, -size * (1.0 - rise * rise * (3.0 - 2.0 * rise)), out=change)
            there |= (away < 1.0) & (wanes > 0.3)
        else:
            wobble = np.cumsum(rng.normal(0.0, 0.12 * width, (len(path), 2)), axis=0)
            crest = path + wobble - np.linspace(0.0, 1.0, len(path))[:, None] * wobble[-1:]
            crest = np.clip(crest, path - 0.3 * width, path + 0.3 * width)
            narrow = _away_from(crest, height.shape)[0] / np.float32(max(0.16 * width, 1.2))
            swell = 0.65 + 0.35 * np.cos(2.0 * np.pi * (rng.uniform(2.0, 9.0) * along + rng.random()))
            np.maximum(change, size * swell * np.exp(-(away**2)), out=change)
            change += 0.4 * size * np.exp(-(narrow**2))
            there |= (away < 0.85) & (wanes > 0.3)
    height += change
    return there


def _random_crater(
    rng: np.random.Generator,
    x: float,
    y: float,
    radius: float,
    oldest: float,
    flat_from: float,
    bright: float,
) -> DrawnCrater:
    age = float(oldest * rng.random() ** 0.8)
    ratio = float(1.0 - abs(rng.normal(0.0, 0.05))) if chance(rng, 0.93) else float(rng.uniform(0.6, 0.9))
    truth = TrueCrater(x, y, radius, radius * max(ratio, 0.6), float(rng.uniform(0.0, 180.0)), known=DRAWN)
    flat = radius > flat_from * rng.uniform(0.7, 1.4) or (radius > 6.0 and chance(rng, 0.3 * age))
    depth = DEPTH * (1.0 - 0.85 * age) * rng.uniform(0.75, 1.15) * (0.6 if flat else 1.0)
    rough = rng.uniform(0.0, 0.035)
    waves = tuple(
        (float(rng.normal(0.0, rough / (1.0 + 0.3 * n))), float(rng.uniform(0.0, 2.0 * np.pi)))
        for n in range(5)
    )
    return DrawnCrater(
        truth=truth,
        depth=float(depth),
        age=age,
        floor=float(rng.uniform(0.35, 0.72)) if flat else 0.0,
        peak=float(rng.uniform(0.2, 0.6)) if flat and age < 0.5 and chance(rng, 0.6) else 0.0,
        halo=float(bright * (1.0 - age) ** 3 * rng.uniform(0.0, 1.0) * min(1.0, 10.0 / radius)),
        waves=waves,
    )


def _row(rng: np.random.Generator, side_px: int) -> tuple[Float64, Float64]:
    """Places ``(n, 2)`` and radii of craters in a row, or in a crowd."""
    count, size = int(rng.integers(4, 13)), log_uniform(rng, 2.5, 9.0) * side_px / 512.0
    sizes = size * rng.uniform(0.7, 1.3, count)
    start = rng.uniform(0.1, 0.9, 2) * side_px
    if chance(rng, 0.5):
        return start + rng.normal(0.0, 5.0 * size, (count, 2)), sizes
    turn = rng.uniform(0.0, 2.0 * np.pi)
    along = np.cumsum(sizes * rng.uniform(1.2, 2.6))
    return start + along[:, None] * np.array([np.cos(turn), np.sin(turn)]), sizes


def _path(
    rng: np.random.Generator, start: Float64, heading: float, length: float, winding: float, width: float
) -> Float64:
    """``(n, 2)`` points of a path that winds about its heading, nowhere tighter than its width allows."""
    step = 3.0
    count = max(int(length / step), 4)
    off, bend = np.zeros(count), 0.0
    tightest = 1.0 / (1.2 * width)
    for number in range(1, count):
        bend = 0.9 * bend + 0.44 * winding * rng.normal() - 0.03 * winding * off[number - 1]
        off[number] = 0.985 * off[number - 1] + step * float(np.clip(bend, -tightest, tightest))
    turn = heading + np.clip(off, -1.6, 1.6) + rng.normal(0.0, 0.004) * np.arange(count)
    moves = step * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.asarray(start + np.cumsum(moves, axis=0))


def _away_from(path: Float64, shape: tuple[int, ...]) -> tuple[Float32, Float32]:
    """``(H, W)`` distance in pixels from a path, and how far along it the nearest point lies, in [0, 1]."""
    import cv2

    grid = np.zeros(shape, np.float32)
    points = np.rint(8.0 * path).astype(np.int32)
    for number, ends in enumerate(pairwise(points), start=1):
        cv2.line(grid, ends[0].tolist(), ends[1].tolist(), float(number), 1, cv2.LINE_8, 3)
    on_path = grid > 0
    if not on_path.any():
        return np.full(shape, 1e4, np.float32), np.zeros(shape, np.float32)
    away, nearest = cv2.distanceTransformWithLabels(
        (~on_path).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    along = np.zeros(int(nearest.max()) + 1, np.float32)
    along[nearest[on_path]] = grid[on_path] / np.float32(len(points))
    return np.asarray(away, np.float32), cv2.GaussianBlur(along[nearest], (0, 0), 2.0)
