"""How wide the frame's stars are, measured from the frame itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.stars.background import Float32, Sky
from core.stars.extraction import extract
from core.stars.shapes import FWHM_PER_SIGMA, Float64, measure_shapes, windows

ASSUMED_FWHM_PX = 3.0
"""Taken when too few stars can be measured: the width good sampling gives, and the usual one in surveys."""
FEWEST_STARS = 5
MOST_STARS = 60
"""More stars than this change the median by less than its own error, and cost time."""
TILE = 1024
"""Side of the pieces that large frames are measured on, pixels."""
FIT_MIN_PIXELS = 20
LONELY = 6.0
"""Least distance to the next candidate, in widths, where the frame has enough such stars."""


@dataclass(frozen=True)
class StarProfile:
    """The mean image of the frame's stars, as a round Moffat function of the distance to the centre.

    Attributes:
        fwhm_px: Full width at half maximum before the pixels average the light.
        beta: Moffat exponent: 2.5 to 5 through air, large for a Gaussian.
        n_stars: Stars it was measured from.
    """

    fwhm_px: float
    beta: float
    n_stars: int


def measure_profile(sky: Sky, saturated_above: NDArray[np.bool_] | None = None) -> StarProfile | None:
    """Measure the width of the stars from bright, round, lonely and unsaturated ones.

    Candidates far above the noise are found without any kernel; those that are round, whole, and of the
    commonest size are stars. One Moffat function is then fitted to all their pixels together, with a loss
    that forgives what neighbours add.

    Args:
        sky: The frame with its background taken away.
        saturated_above: ``(H, W)``, True where a pixel is saturated; None when unknown.

    Returns:
        The profile, or None when fewer than :data:`FEWEST_STARS` stars can be measured.
    """
    found = [_candidates(sky, tile, saturated_above) for tile in _tiles(sky.data.shape)]
    x, y, size, brightness = (np.concatenate(column) for column in zip(*found, strict=True))
    if len(x) < FEWEST_STARS:
        return None
    lonely = _distance_to_next(x, y) > LONELY * _commonest(size)
    if lonely.sum() >= MOST_STARS:
        x, y, size, brightness = x[lonely], y[lonely], size[lonely], brightness[lonely]
    brightest = np.argsort(-brightness, kind="stable")[: 8 * MOST_STARS]
    x, y, size = x[brightest], y[brightest], size[brightest]
    first = float(np.clip(_commonest(size), 1.0, 30.0))
    shapes = measure_shapes(sky.data, x, y, first)
    round_ones = np.isfinite(shapes.fwhm_px) & (shapes.ellipticity < 0.4)
    if round_ones.sum() < FEWEST_STARS:
        return None
    typical = _commonest(shapes.fwhm_px[round_ones])
    alike = np.flatnonzero(round_ones & (np.abs(np.log(shapes.fwhm_px / typical)) < 0.25))[:MOST_STARS]
    if len(alike) < FEWEST_STARS:
        return None
    return _fit_moffat(sky.data, x[alike], y[alike], typical)


def gaussian_kernel(fwhm_px: float) -> Float32:
    """``(k, k)`` float32 round Gaussian with sum 1, cut at 3 standard deviations; k is odd."""
    sigma = fwhm_px / FWHM_PER_SIGMA
    half = max(1, int(np.ceil(3 * sigma)))
    r = np.arange(-half, half + 1)
    line = np.exp(-0.5 * (r / sigma) ** 2)
    kernel = np.outer(line, line)
    normal: Float32 = (kernel / kernel.sum()).astype(np.float32)
    return normal


def _tiles(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """The whole frame, or the middles of its four quarters when it is large."""
    height, width = shape
    if height * width <= 4 * TILE**2:
        return [(slice(0, height), slice(0, width))]

    def middles(side: int) -> list[slice]:
        piece = min(TILE, side // 2)
        return [slice(start := int(side * q) - piece // 2, start + piece) for q in (0.25, 0.75)]

    return [(rows, columns) for rows in middles(height) for columns in middles(width)]


def _candidates(
    sky: Sky, tile: tuple[slice, slice], saturated_above: NDArray[np.bool_] | None
) -> tuple[Float64, Float64, Float64, Float64]:
    """Positions in the whole frame, rough widths and brightness of possible stars in one tile."""
    data = np.ascontiguousarray(sky.data[tile])
    noise = np.ascontiguousarray(sky.noise[tile])
    mask = None if sky.missing is None else np.ascontiguousarray(sky.missing[tile])
    objects, _ = extract(
        data, 8.0, noise, mask, None, min_area_px=4, deblend_contrast=0.02, deblend_levels=16
    )
    height, width = data.shape
    box = 3
    whole = (
        (objects["flag"] & ~1 == 0)
        & (objects["xmin"] > box)
        & (objects["ymin"] > box)
        & (objects["xmax"] < width - 1 - box)
        & (objects["ymax"] < height - 1 - box)
        & (objects["b"] > 0.6 * objects["a"])
        & (objects["peak"] > 15 * noise[objects["ypeak"], objects["xpeak"]])
    )
    if saturated_above is not None:
        whole &= ~saturated_above[tile][objects["ypeak"], objects["xpeak"]]
    kept = objects[whole]
    size = FWHM_PER_SIGMA * np.sqrt(kept["a"] * kept["b"])
    return (
        kept["x"].astype(float) + tile[1].start,
        kept["y"].astype(float) + tile[0].start,
        size.astype(float),
        kept["flux"].astype(float),
    )


def _distance_to_next(x: Float64, y: Float64) -> Float64:
    """Distance of each position to its nearest neighbour, pixels."""
    from scipy.spatial import cKDTree

    xy = np.column_stack([x, y])
    distance, _ = cKDTree(xy).query(xy, k=[2])
    return np.asarray(distance, float)[:, 0]


def _commonest(sizes: Float64) -> float:
    """The size that most others come within 8 % of: stars share one, galaxies and knots do not."""
    logarithms = np.sort(np.log(sizes))
    near = np.searchsorted(logarithms, logarithms + 0.08) - np.searchsorted(logarithms, logarithms - 0.08)
    alike = np.abs(logarithms - logarithms[np.argmax(near)]) <= 0.08
    return float(np.exp(np.median(logarithms[alike])))


def _fit_moffat(data: Float32, x: Float64, y: Float64, fwhm_px: float) -> StarProfile | None:
    """Fit one Moffat function to the pixels of all these stars together, each scaled to flux 1."""
    import sep
    from scipy.optimize import least_squares

    sigma = fwhm_px / FWHM_PER_SIGMA
    cx, cy, _ = sep.winpos(data, x, y, np.full(len(x), sigma), subpix=0)
    cx, cy = (np.where(np.abs(new - old) < fwhm_px, new, old) for new, old in ((cx, x), (cy, y)))
    flux, _, _ = sep.sum_circle(data, cx, cy, 1.5 * fwhm_px, subpix=0)
    columns, rows, height = [], [], []
    half = int(np.ceil(1.5 * fwhm_px))
    for part, stamps, dx, dy in windows(data, cx, cy, half):
        near = (dx**2 + dy**2 < (1.5 * fwhm_px) ** 2) & (flux[part] > 0)[:, None, None]
        columns.append(np.broadcast_to(dx, near.shape)[near])
        rows.append(np.broadcast_to(dy, near.shape)[near])
        height.append((stamps / np.where(flux[part] > 0, flux[part], 1.0)[:, None, None])[near])
    value = np.concatenate(height)
    if len(value) < FIT_MIN_PIXELS:
        return None
    # A pixel's light is the mean over its area, which matters below 3 px: 2 × 2 points stand for it.
    u, v = np.concatenate(columns), np.concatenate(rows)
    r2 = np.stack([(u + i) ** 2 + (v + j) ** 2 for i in (-0.25, 0.25) for j in (-0.25, 0.25)])
    peak = 0.88 / fwhm_px**2

    def misfit(p: Float64) -> Float64:
        amplitude, width, beta, floor = p[0] * peak, np.exp(p[1]), np.exp(p[2]), p[3] * peak
        core = (1 + r2 / width**2 * (4 * (2 ** (1 / beta) - 1))) ** -beta
        residual: Float64 = (amplitude * core.mean(axis=0) + floor - value) / peak
        return residual

    low = [0.1, np.log(0.3 * fwhm_px), np.log(1.2), -0.2]
    high = [10.0, np.log(3 * fwhm_px), np.log(50.0), 0.2]
    fit = least_squares(
        misfit, [1.0, np.log(fwhm_px), np.log(3.5), 0.0], bounds=(low, high), loss="soft_l1", f_scale=0.03
    )
    return StarProfile(float(np.exp(fit.x[1])), float(np.exp(fit.x[2])), len(x))
