"""Plain star fields, drawn by GalSim alone: one star image, flat sky, white noise."""

from __future__ import annotations

import galsim
import numpy as np
from numpy.typing import NDArray

from benchmarks.stars.example import Example, magnitudes

FWHM_PX, BETA, SKY_E, READ_NOISE_E = 3.0, 3.5, 200.0, 5.0
NOISE_E = (SKY_E + READ_NOISE_E**2) ** 0.5
COUNT_SLOPE, FAINTEST_E, BRIGHTEST_E = 0.8, 25.0, 60_000.0
SPARSE_STARS, CROWDED_STARS = 150, 1500
"""Chosen once by a scan of slope 0.5 to 1.1, faint limit 20 to 30 e⁻ and 150 or 250 stars, and frozen.

They were to come near an earlier measurement of ``sep`` with the true star image as its filter, at its best
threshold: F1 0.868, 0.972 and 1.00 at SNR ≥ 3, 5 and 10 in sparse fields, 0.288 there without a cut, and
0.860, 0.952 and 0.984 with 1,500 stars. The scan came within 0.03 of each with a cut.
"""

DENSE_STARS, DENSE_FAINTEST_E = 4000, 300.0
"""Stars that all stand above the noise, and so many that hardly any sky lies open between them."""


def draw_plain(seed: int, side: int, n_stars: int, faintest_e: float = FAINTEST_E) -> Example:
    """Draw stars with GalSim: Moffat images by FFT, one Poisson pass over image and sky, read noise.

    The SNR of a star is what weighting by its own true image would give in its noise (sky, read-out and its
    own light).
    """
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-0.5, side - 0.5, (n_stars, 2))
    flux = power_law(rng, n_stars, faintest_e, BRIGHTEST_E, COUNT_SLOPE)
    psf = galsim.Moffat(beta=BETA, fwhm=FWHM_PX)
    image = galsim.ImageF(side, side, xmin=0, ymin=0, scale=1.0)
    snr = np.empty(n_stars)
    for i, ((x, y), light) in enumerate(zip(xy, flux, strict=True)):
        size = int(np.clip(8 * FWHM_PX * (light / 300) ** 0.25, 24, 160))  # so that no square edge shows
        stamp = psf.withFlux(light).drawImage(center=(x, y), nx=size, ny=size, scale=1.0)
        snr[i] = np.sqrt(np.sum(stamp.array**2 / (NOISE_E**2 + np.maximum(stamp.array, 0))))
        bounds = stamp.bounds & image.bounds
        if bounds.isDefined():
            image[bounds] += stamp[bounds]
    noise = galsim.CCDNoise(galsim.BaseDeviate(seed + 1), sky_level=SKY_E, gain=1.0, read_noise=READ_NOISE_E)
    image.addNoise(noise)
    return Example(
        pixels=image.array + np.float32(SKY_E),
        xy=xy,
        snr=snr,
        mag=magnitudes(flux, NOISE_E),
        moffat=(FWHM_PX, BETA),
    )


def power_law(rng: np.random.Generator, n: int, low: float, high: float, slope: float) -> NDArray[np.float64]:
    """``(n,)`` numbers between two limits, of which N(> x) falls as x to the power of minus ``slope``."""
    share = rng.uniform((high / low) ** -slope, 1.0, n)
    return np.asarray(low * share ** (-1.0 / slope))


def moffat_kernel(fwhm_px: float, beta: float) -> NDArray[np.float32]:
    """The Moffat image itself, 11 × 11 pixels, of sum 1."""
    drawn = galsim.Moffat(beta=beta, fwhm=fwhm_px).drawImage(nx=11, ny=11, scale=1.0).array
    return np.asarray(drawn / drawn.sum(), np.float32)
