"""How wide, how round and how peaked each source is, from the pixels around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.stars.background import Float32

Float64 = NDArray[np.float64]

FWHM_PER_SIGMA = 2.354820045
"""Full width at half maximum of a Gaussian of standard deviation 1."""
ROUNDS = 3
"""Times the weight is fitted to the source; the width changes by under 1 % after that."""
WIDEST = 5.0
"""A source that fills the weight, a trail or a galaxy, is given this many times the weight's width."""
NARROWEST = 0.01
"""Least variance across a source, square pixels: a line one pixel wide has none, or less with the noise."""
CHUNK_PIXELS = 4_000_000
"""Pixels gathered at a time, which bounds the memory whatever the number of sources."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """Shapes of N sources; NaN where a source is too faint or too disturbed to have one.

    Attributes:
        fwhm_px: ``(N,)`` full width at half maximum of the best Gaussian, pixels.
        ellipticity: ``(N,)`` 1 − minor axis / major axis, in [0, 1].
        theta_deg: ``(N,)`` direction of the major axis in (−90, 90], from +x towards +y.
    """

    fwhm_px: Float64
    ellipticity: Float64
    theta_deg: Float64


def measure_shapes(data: Float32, x: Float64, y: Float64, fwhm_px: float) -> Shapes:
    """Measure second moments under a round Gaussian weight and take the weight out again.

    A source whose weighted covariance is ``C`` under a weight of variance ``w²`` has the covariance
    ``(C⁻¹ − I/w²)⁻¹`` if it is Gaussian (Bernstein & Jarvis 2002, AJ 123, 583). The weight follows each
    source's own width, between half and twice that of the frame's stars, so that neighbours count little.

    Args:
        data: ``(H, W)`` background-subtracted frame.
        x, y: ``(N,)`` centres, pixels.
        fwhm_px: Width of the frame's stars, where the weight starts.
    """
    n = len(x)
    fwhm, ellipticity, theta = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    start = max(fwhm_px, 1.0) / FWHM_PER_SIGMA
    half = int(np.ceil(4 * start))
    for part, stamps, dx, dy in windows(data, x, y, half):
        sigma2 = np.full(len(stamps), start**2)
        for _ in range(ROUNDS):
            weighted = stamps * np.exp(-0.5 * (dx**2 + dy**2) / sigma2[:, None, None])
            with np.errstate(divide="ignore", invalid="ignore"):
                total = weighted.sum(axis=(1, 2))
                mx = (weighted * dx).sum(axis=(1, 2)) / total
                my = (weighted * dy).sum(axis=(1, 2)) / total
                cxx = (weighted * dx**2).sum(axis=(1, 2)) / total - mx**2
                cyy = (weighted * dy**2).sum(axis=(1, 2)) / total - my**2
                cxy = (weighted * dx * dy).sum(axis=(1, 2)) / total - mx * my
                narrow, wide, angle = _without_weight(cxx, cyy, cxy, sigma2)
                size2 = np.sqrt(narrow * wide)
            sigma2 = np.clip(np.where(np.isfinite(size2), size2, sigma2), start**2 / 4, start**2 * 4)
        with np.errstate(invalid="ignore"):
            known = (total > 0) & np.isfinite(size2)
            fwhm[part] = np.where(known, FWHM_PER_SIGMA * np.sqrt(size2), np.nan)
            ellipticity[part] = np.where(known, 1 - np.sqrt(narrow / wide), np.nan)
            theta[part] = np.where(known, angle, np.nan)
    return Shapes(fwhm, ellipticity, theta)


def _without_weight(
    cxx: Float64, cyy: Float64, cxy: Float64, sigma2: Float64
) -> tuple[Float64, Float64, Float64]:
    """Variance along the minor and major axis, and the major axis in degrees, with the weight taken out."""
    mean, spread = (cxx + cyy) / 2, np.hypot((cxx - cyy) / 2, cxy)
    axes = []
    for variance in (np.maximum(mean - spread, NARROWEST), mean + spread):
        inverse = np.maximum(1 / variance - 1 / sigma2, 1 / (WIDEST**2 * sigma2))
        axes.append(np.where(variance > 0, 1 / inverse, np.nan))
    return axes[0], axes[1], np.degrees(np.arctan2(2 * cxy, cxx - cyy)) / 2


def windows(
    values: NDArray[np.generic], x: Float64, y: Float64, half: int
) -> Iterator[tuple[slice, Float64, Float64, Float64]]:
    """Cut squares of ``2 half + 1`` pixels around each source, a bounded number at a time.

    Args:
        values: ``(H, W)`` or ``(H, W, 3)`` (the largest colour is taken).
        x, y: ``(N,)`` centres, pixels.
        half: Half the square's side.

    Yields:
        Which sources; their ``(n, k, k)`` pixels, 0 outside the frame; and the ``(n, 1, k)`` and
        ``(n, k, 1)`` distance of each column and row from the source.
    """
    height, width = values.shape[:2]
    offsets = np.arange(-half, half + 1)
    step = max(1, CHUNK_PIXELS // len(offsets) ** 2)
    for start in range(0, len(x), step):
        part = slice(start, min(start + step, len(x)))
        columns = np.rint(x[part]).astype(np.intp)[:, None] + offsets
        rows = np.rint(y[part]).astype(np.intp)[:, None] + offsets
        inside = ((columns >= 0) & (columns < width))[:, None, :] & ((rows >= 0) & (rows < height))[
            :, :, None
        ]
        pixels = values[np.clip(rows, 0, height - 1)[:, :, None], np.clip(columns, 0, width - 1)[:, None, :]]
        if pixels.ndim == 4:
            pixels = pixels.max(axis=3)
        stamps = np.where(inside, pixels, 0).astype(np.float64)
        yield part, stamps, columns[:, None, :] - x[part, None, None], rows[:, :, None] - y[part, None, None]
