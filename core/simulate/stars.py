"""Thousands of stars at once, each as GalSim would draw it.

Drawing every star by an FFT of its own is slow. A star's stamp depends smoothly on where in its pixel the
star stands, so a table of a few dozen stamps drawn by GalSim, at Chebyshev nodes of that place, gives all
others by interpolation, which is one matrix product. The star images are limited in spatial frequency:
the error falls faster than exponentially with the number of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.simulate.psf import FieldPsf

Float64 = NDArray[np.float64]

HALF_SIZES = (8, 16, 32, 64, 128, 256, 512)
"""Stamps reach so many pixels to each side of the pixel the star stands in."""
TAIL_SIGMA = 0.005
"""A stamp ends where the star is below this part of the noise of the sky, so that no edge shows."""
MAX_DEGREE = 15
MAX_FFT_PIXELS = 1024
_CHUNK_PIXELS = 2_000_000


@dataclass(frozen=True, eq=False)
class Stars:
    """Stars to draw.

    Attributes:
        x, y: ``(N,)`` pixels.
        flux_e: ``(N, C)`` electrons of one exposure in each plane.
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
        ``(N,)`` signal-to-noise ratio of each star in one exposure: what weighting by the true star image
        would reach, against the noise of sky, read-out and the star's own light, over all planes.
    """
    _, height, width = light_e.shape
    column, row = np.rint(stars.x).astype(int), np.rint(stars.y).astype(int)
    half = stamp_half_sizes(stars, psf, reach=max(height, width))
    snr2 = np.zeros(len(stars))
    inside = (column + half >= 0) & (column - half < width) & (row + half >= 0) & (row - half < height)
    for size in HALF_SIZES:
        chosen = np.flatnonzero(inside & (half == size))
        for part, stamps in _stamps(stars, chosen, psf, size):
            snr2[part] = _snr_squared(stamps, stars.flux_e[part], stars.noise_variance_e2[part], plane_shares)
            for index, stamp in zip(part, stamps.reshape(-1, 2 * size + 1, 2 * size + 1), strict=True):
                _add(light_e, stamp, stars.flux_e[index], column[index] - size, row[index] - size)
    return np.sqrt(snr2)


def stamp_half_sizes(stars: Stars, psf: FieldPsf, reach: int = HALF_SIZES[-1]) -> NDArray[np.int64]:
    """``(N,)`` of :data:`HALF_SIZES`: how far each star is seen above :data:`TAIL_SIGMA` of the noise.

    Args:
        stars: The stars.
        psf: Their images; the widest of its nodes decides.
        reach: Pixels beyond which nothing is wanted.
    """
    if not len(stars):
        return np.zeros(0, dtype=np.int64)
    level = np.min(TAIL_SIGMA * np.sqrt(stars.noise_variance_e2) / np.maximum(stars.flux_e, 1e-9), axis=1)
    last = next((size for size in HALF_SIZES if size >= reach), HALF_SIZES[-1])
    half = np.full(len(stars), last)
    corner = psf.images[0]
    for size in HALF_SIZES:
        if size >= last or not (half == last).any():
            break
        edge = _edge(corner, size)
        half[(half == last) & (edge <= level)] = size
    return half


def _edge(image: Any, half: int) -> float:
    """The brightest pixel on the edge of a stamp of a star of flux 1."""
    stamp = _draw(_wide(image, half), half, 0.0, 0.0)
    return float(max(stamp[0].max(), stamp[-1].max(), stamp[:, 0].max(), stamp[:, -1].max()))


def _draw(image: Any, half: int, dx: float, dy: float) -> Float64:
    side = 2 * half + 1
    stamp: Float64 = image.drawImage(nx=side, ny=side, scale=1.0, offset=(dx, dy), dtype=np.float64).array
    return stamp


def _wide(image: Any, half: int) -> Any:
    """The image such that GalSim's FFT spans twice the stamp, or wings beyond it would fold back into it."""
    finer = int(np.ceil(image.maxk / np.pi))
    size = min(4 * half, MAX_FFT_PIXELS) * finer
    return image.withGSParams(minimum_fft_size=size)


def _stamps(
    stars: Stars, chosen: NDArray[np.intp], psf: FieldPsf, half: int
) -> Iterator[tuple[NDArray[np.intp], Float64]]:
    """Parts of ``chosen`` with their ``(n, side²)`` stamps of flux 1, as many at once as memory allows."""
    if not len(chosen):
        return
    pixels = (2 * half + 1) ** 2
    shares = psf.shares(stars.x, stars.y)
    images = [_wide(image, half) for image in psf.images]
    tables = [
        _table(image, half, int(np.count_nonzero(shares[chosen, node]))) for node, image in enumerate(images)
    ]
    step = max(1, _CHUNK_PIXELS // pixels)
    for start in range(0, len(chosen), step):
        part = chosen[start : start + step]
        dx, dy = stars.x[part] - np.rint(stars.x[part]), stars.y[part] - np.rint(stars.y[part])
        stamps = np.zeros((len(part), pixels))
        for node, (image, table) in enumerate(zip(images, tables, strict=True)):
            here = np.flatnonzero(shares[part, node])
            share = shares[part[here], node][:, None]
            if table is not None:
                stamps[here] += share * table.at(dx[here], dy[here])
            else:
                for index, weight in zip(here, share[:, 0], strict=True):
                    stamps[index] += weight * _draw(image, half, dx[index], dy[index]).ravel()
        yield part, stamps


@dataclass(frozen=True, eq=False)
class _StampTable:
    """``((d + 1)², side²)`` coefficients of the stamps as polynomials of the star's place in its pixel."""

    coefficients: Float64
    degree: int

    def at(self, dx: Float64, dy: Float64) -> Float64:
        """``(n, side²)`` stamps of stars ``dx, dy`` in [−½, ½] from the middle of their pixel."""
        from numpy.polynomial.chebyshev import chebvander

        along_x, along_y = chebvander(2.0 * dx, self.degree), chebvander(2.0 * dy, self.degree)
        terms = (along_y[:, :, None] * along_x[:, None, :]).reshape(len(dx), -1)
        product: Float64 = terms @ self.coefficients
        return product


def _table(image: Any, half: int, n_stars: int) -> _StampTable | None:
    """The table of a star image; None when drawing each star by itself is less work."""
    from numpy.polynomial.chebyshev import chebpts1, chebvander

    # Measured on Moffat, Kolmogorov, Airy and Gaussian images: so many terms err by 1e-6 of the flux at most.
    degree = min(int(np.ceil(0.7 * image.maxk)) + 3, MAX_DEGREE)
    if n_stars < (degree + 1) ** 2:
        return None
    nodes = chebpts1(degree + 1) / 2.0
    drawn = np.array([[_draw(image, half, dx, dy).ravel() for dx in nodes] for dy in nodes])
    solve = np.linalg.inv(chebvander(2.0 * nodes, degree))
    terms = np.tensordot(solve, np.tensordot(solve, drawn, axes=(1, 1)), axes=(1, 1))
    return _StampTable(terms.reshape((degree + 1) ** 2, -1), degree)


def _snr_squared(stamps: Float64, flux_e: Float64, variance_e2: Float64, shares: Float64) -> Float64:
    total = np.zeros(len(stamps))
    for plane, share in enumerate(shares):
        light = np.maximum(stamps * flux_e[:, plane, None], 0.0)
        total += share * np.sum(light**2 / (variance_e2[:, plane, None] + light), axis=1)
    return total


def _add(light_e: Float64, stamp: Float64, flux_e: Float64, left: int, bottom: int) -> None:
    """Add the part of a stamp that lies on the image, in every plane."""
    planes, height, width = light_e.shape
    side = stamp.shape[0]
    y0, y1 = max(bottom, 0), min(bottom + side, height)
    x0, x1 = max(left, 0), min(left + side, width)
    seen = stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left]
    for plane in range(planes):
        light_e[plane, y0:y1, x0:x1] += flux_e[plane] * seen
