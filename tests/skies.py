"""Simulated star fields with their truth, for tests: a seed in, pixels and a table out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

OVERSAMPLING = 5
"""Sub-pixels a side over which the star image is averaged within each pixel."""


@dataclass(frozen=True)
class StarField:
    """A simulated frame.

    Attributes:
        pixels: ``(H, W)`` float32 in electrons.
        truth: One row a star: ``x``, ``y`` (pixels), ``flux`` (electrons) and ``snr``, the signal-to-noise
            ratio that weighting by the true star image would reach in this noise.
        noise: Standard deviation of the empty sky in electrons.
    """

    pixels: NDArray[np.float32]
    truth: pd.DataFrame
    noise: float


def star_image(
    side: int, x: float, y: float, fwhm_px: float, beta: float | None = 3.5, ratio: float = 1.0
) -> NDArray[np.float64]:
    """``(side, side)`` image of one star of flux 1 at (x, y), averaged over each pixel.

    Args:
        side: Pixels a side.
        x, y: Centre of the star.
        fwhm_px: Full width at half maximum before the pixels average it.
        beta: Moffat exponent; None for a Gaussian.
        ratio: Minor over major axis; the major axis lies along x and keeps ``fwhm_px``.
    """
    fine = (np.arange(side * OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    r2 = ((fine - y) / ratio)[:, None] ** 2 + (fine - x)[None, :] ** 2
    if beta is None:
        sigma2 = fwhm_px**2 / (8 * np.log(2))
        image = np.exp(-0.5 * r2 / sigma2) / (2 * np.pi * sigma2)
    else:
        alpha2 = fwhm_px**2 / (4 * (2 ** (1 / beta) - 1))
        image = (beta - 1) / (np.pi * alpha2) * (1 + r2 / alpha2) ** -beta
    cells = image.reshape(side, OVERSAMPLING, side, OVERSAMPLING).mean(axis=(1, 3))
    return cells / ratio


def star_field(
    seed: int = 0,
    shape: tuple[int, int] = (256, 256),
    n_stars: int = 60,
    *,
    fwhm_px: float = 3.0,
    beta: float | None = 3.5,
    flux: tuple[float, float] = (500.0, 50_000.0),
    sky: float = 200.0,
    read_noise: float = 5.0,
    border: float = 0.0,
    xy: ArrayLike | None = None,
    fluxes: ArrayLike | None = None,
) -> StarField:
    """Stars on a flat sky with the noise of a detector that counts electrons.

    Args:
        seed: The same seed gives the same field.
        shape: Rows and columns.
        n_stars: How many, uniformly over the frame; ignored when ``xy`` is given.
        fwhm_px, beta: The star image, see :func:`star_image`.
        flux: Faintest and brightest, uniform in magnitude between them.
        sky: Electrons a pixel.
        read_noise: Electrons.
        border: How far from the edges stars keep, in pixels.
        xy: ``(N, 2)`` positions, in place of random ones.
        fluxes: ``(N,)`` fluxes, in place of random ones.
    """
    rng = np.random.default_rng(seed)
    height, width = shape
    if xy is None:
        low, high = border - 0.5, np.array([width, height]) - 0.5 - border
        centres = rng.uniform(low, high, size=(n_stars, 2))
    else:
        centres = np.asarray(xy, float).reshape(-1, 2)
    drawn = np.exp(rng.uniform(*np.log(flux), size=len(centres)))
    brightness = drawn if fluxes is None else np.asarray(fluxes, float)
    half = int(np.ceil(6 * fwhm_px))
    stars = np.zeros((height + 2 * half, width + 2 * half))
    snr = np.empty(len(centres))
    for i, ((x, y), star_flux) in enumerate(zip(centres, brightness, strict=True)):
        column, row = round(x), round(y)
        stamp = star_flux * star_image(2 * half + 1, x - column + half, y - row + half, fwhm_px, beta)
        stars[row : row + 2 * half + 1, column : column + 2 * half + 1] += stamp
        snr[i] = np.sqrt(np.sum(stamp**2 / (sky + read_noise**2 + stamp)))
    mean = stars[half : half + height, half : half + width] + sky
    pixels = rng.poisson(mean) + rng.normal(0.0, read_noise, shape)
    truth = pd.DataFrame({"x": centres[:, 0], "y": centres[:, 1], "flux": brightness, "snr": snr})
    return StarField(pixels.astype(np.float32), truth, float(np.hypot(np.sqrt(sky), read_noise)))
