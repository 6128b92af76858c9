"""Thousands of stars at once, each as GalSim would draw it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.simulate.psf import FieldPsf
from core.simulate.stamps import StampTable, ring_maxima
from core.simulate.wings import Wing

Float64 = NDArray[np.float64]

HALF_SIZES = (6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512)
"""Stars reach so many pixels to each side of the pixel they stand in."""
CORE_SIZES = (16, 32, 64, 128, 256)
WING_SIZES = (128, 512)
TAIL_SIGMA = 0.002
"""A star ends where it is below this part of the noise of the sky, so that no edge shows."""
_CHUNK_PIXELS = 2_000_000


@dataclass(frozen=True, eq=False)
class Stars:
    """Stars to draw.

    Attributes:
        x, y: ``(N,)`` pixels.
        flux_e: ``(N, C)`` electrons in each plane.
        noise_variance_e2: ``(N, C)`` variance of a pixel of empty sky there, read noise included.
    """

    x: Float64
    y: Float64
    flux_e: Float64
    noise_variance_e2: Float64

    def __len__(self) -> int:
        return len(self.x)


def add_stars(light_e: Float64, stars: Stars, psf: FieldPsf, plane_shares: Float64) -> Float64:
    """Add stars to an image in place.

    Args:
        light_e: ``(C, H, W)`` electrons expected, changed in place.
        stars: The stars; those outside the image add what of their light falls onto it.
        psf: Their images.
        plane_shares: ``(C,)`` part of the pixels that see each plane, for the signal-to-noise ratio.

    Returns:
        ``(N,)`` signal-to-noise ratio of each star: what weighting by the true star image would reach,
        against the noise of sky, read-out and the star's own light, over all planes. It is 0 for stars
        of which nothing is on the image.
    """
    _, height, width = light_e.shape
    n = len(stars)
    snr2 = np.zeros(n)
    if not n:
        return snr2
    column, row = np.rint(stars.x).astype(int), np.rint(stars.y).astype(int)
    core_half = next((size for size in CORE_SIZES if size >= psf.core_px), CORE_SIZES[-1])
    tables = psf.tables(core_half)
    shares = psf.shares(stars.x, stars.y)
    reach, wings = _reaches(stars, psf, tables, core_half, max(height, width))
    inside = (column + reach >= 0) & (column - reach < width) & (row + reach >= 0) & (row - reach < height)

    for half in HALF_SIZES:
        if half > core_half:
            break
        chosen = np.flatnonzero(inside & (np.minimum(reach, core_half) == half))
        small = [table.cropped(half) for table in tables] if len(chosen) else []
        side = 2 * half + 1
        step = max(1, _CHUNK_PIXELS // side**2)
        for start in range(0, len(chosen), step):
            part = chosen[start : start + step]
            stamps = _stamps(stars.x[part] - column[part], stars.y[part] - row[part], shares[part], small)
            snr2[part] = _snr_squared(stamps, stars.flux_e[part], stars.noise_variance_e2[part], plane_shares)
            for index, stamp in zip(part, stamps.reshape(-1, side, side), strict=True):
                _add(light_e, stamp, stars.flux_e[index], column[index] - half, row[index] - half)
    for index in np.flatnonzero(inside & (reach > core_half)):
        for node in np.flatnonzero(shares[index]):
            flux_e = stars.flux_e[index] * shares[index, node]
            wings[node].add(light_e, flux_e, stars.x[index], stars.y[index], int(reach[index]))
    return np.sqrt(snr2)


def _reaches(
    stars: Stars, psf: FieldPsf, tables: list[StampTable], core_half: int, frame_px: int
) -> tuple[NDArray[np.int64], list[Wing]]:
    """``(N,)`` of :data:`HALF_SIZES`, and the wings when a star reaches beyond its core."""
    noise = np.sqrt(stars.noise_variance_e2)
    level = np.min(TAIL_SIGMA * noise / np.maximum(stars.flux_e, 1e-9), axis=1)
    side = 2 * core_half + 1
    zero = np.zeros(1)
    rings = np.max([ring_maxima(table.at(zero, zero).reshape(side, side)) for table in tables], axis=0)
    wings: list[Wing] = []
    for wing_half in WING_SIZES:
        if level.min() >= rings[-1] or wing_half <= core_half or len(rings) > frame_px:
            break
        wings = [Wing.of(image, core_half, wing_half) for image in psf.images]
        beyond = np.max([wing.ring_maxima() for wing in wings], axis=0)
        rings = np.concatenate([rings[: core_half + 1], beyond[core_half + 1 :]])
    sizes = np.array([size for size in HALF_SIZES if size < len(rings)])
    # Brightest at each size or beyond, so that a ring of an Airy image is not taken for the end.
    edges = np.maximum.accumulate(rings[::-1])[::-1][sizes]
    return sizes[np.minimum(np.searchsorted(-edges, -level), len(sizes) - 1)], wings


def _stamps(dx: Float64, dy: Float64, shares: Float64, tables: list[StampTable]) -> Float64:
    """``(n, side²)`` stamps of flux 1: those of each node of the field, as their shares say."""
    if len(tables) == 1:
        return tables[0].at(dx, dy)
    stamps = np.zeros((len(dx), (2 * tables[0].half + 1) ** 2))
    for node, table in enumerate(tables):
        here = np.flatnonzero(shares[:, node])
        if len(here):
            stamps[here] += shares[here, node, None] * table.at(dx[here], dy[here])
    return stamps


def _snr_squared(stamps: Float64, flux_e: Float64, variance_e2: Float64, shares: Float64) -> Float64:
    total = np.zeros(len(stamps))
    for plane, share in enumerate(shares):
        light = np.maximum(stamps * flux_e[:, plane, None], 0.0)
        total += share * np.sum(light**2 / (variance_e2[:, plane, None] + light), axis=1)
    return total


def _add(light_e: Float64, stamp: Float64, flux_e: Float64, left: int, bottom: int) -> None:
    """Add the part of a stamp that lies on the image, in every plane."""
    _, height, width = light_e.shape
    side = stamp.shape[0]
    y0, y1 = max(bottom, 0), min(bottom + side, height)
    x0, x1 = max(left, 0), min(left + side, width)
    if y0 >= y1 or x0 >= x1:
        return
    seen = stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left]
    light_e[:, y0:y1, x0:x1] += flux_e[:, None, None] * seen
