"""Positions, brightness and shapes of candidates: the same for every method, so that their tables compare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.stars.background import Sky
from core.stars.shapes import FWHM_PER_SIGMA, Float64, measure_shapes, windows

UNITS: Mapping[str, str] = {
    "mag": "mag",
    "mag_err": "mag",
    "fwhm_px": "pix",
    "fwhm_arcsec": "arcsec",
    "theta_deg": "deg",
    "npix": "pix",
}
"""Units of the columns whatever the frame."""
_IN_FRAME_UNIT = ("flux", "flux_err", "peak", "background")


def units_of(frame: Frame) -> dict[str, str]:
    """Units of the columns of :func:`measure_sources`: fluxes are sums of pixel values, in their unit."""
    return {**UNITS, **dict.fromkeys(_IN_FRAME_UNIT, frame.unit)} if frame.unit else dict(UNITS)


def centroids(sky: Sky, x: Float64, y: Float64, fwhm_px: float) -> tuple[Float64, Float64]:
    """Move positions to their windowed centroids (``XWIN_IMAGE`` of SExtractor).

    Under a Gaussian as wide as the stars these scatter about as little as the noise allows, less than
    the barycentre of the pixels above the threshold does. Where the window walks off to a brighter
    neighbour, more than half a FWHM away, the first position is kept.
    """
    import sep

    sigma = np.full(len(x), max(fwhm_px, 1.0) / FWHM_PER_SIGMA)
    new_x, new_y, _ = sep.winpos(sky.data, x, y, sigma, mask=sky.missing, subpix=0)
    near = np.hypot(new_x - x, new_y - y) <= max(0.5 * fwhm_px, 0.5)
    return np.where(near, new_x, x), np.where(near, new_y, y)


def measure_sources(
    frame: Frame,
    sky: Sky,
    x: Float64,
    y: Float64,
    *,
    fwhm_px: float,
    aperture_radius_px: float,
    saturation: float | None,
) -> pd.DataFrame:
    """Measure candidates in a round aperture.

    ``snr`` is ``flux / flux_err``: the light in the aperture over its standard deviation, which is the
    noise of the sky under it and, where the frame's gain is known, the light's own counting noise.
    ``mag`` is ``−2.5 log10(flux)``, of counts a second where the header has EXPTIME; no aperture
    correction is made, so a zero point found from these magnitudes holds for this aperture only.

    Args:
        frame: The frame.
        sky: The same frame with its background taken away.
        x, y: ``(N,)`` centres, pixels.
        fwhm_px: Width of the frame's stars.
        aperture_radius_px: Radius of the aperture.
        saturation: Pixel value at and above which a pixel is saturated, or None.

    Returns:
        N rows with ``x, y, flux, flux_err, snr, mag, mag_err, fwhm_px, fwhm_arcsec`` (null without a pixel
        scale)``, ellipticity, theta_deg, concentration, peak, background, saturated, edge, missing, ra_deg,
        dec_deg``. ``concentration`` is the share of the light in the highest pixel over that of a star
        centred on it: at most about 1 for stars, more for hot pixels and cosmic rays; its error is
        ``concentration_err``. ``missing`` is the share of missing pixels in the aperture.
    """
    import sep

    scale = sky.scale
    gain = None if frame.gain_e_per_adu is None else frame.gain_e_per_adu * scale
    flux, flux_err, _ = sep.sum_circle(
        sky.data, x, y, aperture_radius_px, err=sky.noise, mask=sky.missing, gain=gain, subpix=0
    )
    snr = np.divide(flux, flux_err, out=np.zeros_like(flux), where=flux_err > 0)
    shapes = measure_shapes(sky.data, x, y, fwhm_px)
    near = max(0.5 * fwhm_px, 1.0)  # the star's own peak, not a neighbour's
    peak = _highest(sky.data, x, y, near)
    rows = np.clip(np.rint(y), 0, frame.height - 1).astype(np.intp)
    columns = np.clip(np.rint(x), 0, frame.width - 1).astype(np.intp)
    with np.errstate(divide="ignore", invalid="ignore"):
        star = np.where(flux > 0, flux, np.nan) * peak_share(fwhm_px, aperture_radius_px)
        mag = -2.5 * np.log10(np.where(flux > 0, flux * scale / exposure_s(frame), np.nan))
        mag_err = np.where(flux > 0, 2.5 / np.log(10) / snr, np.nan)
    arcsec = frame.pixel_scale_arcsec
    sky_xy = frame.sky(x, y) if len(x) else None
    height, width = sky.data.shape
    beyond = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y]) + 0.5 < aperture_radius_px
    saturated = (
        np.zeros(len(x), bool) if saturation is None else _highest(frame.pixels, x, y, near) >= saturation
    )
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "flux": flux * scale,
            "flux_err": flux_err * scale,
            "snr": snr,
            "mag": mag,
            "mag_err": mag_err,
            "fwhm_px": shapes.fwhm_px,
            "fwhm_arcsec": np.full(len(x), np.nan) if arcsec is None else shapes.fwhm_px * arcsec,
            "ellipticity": shapes.ellipticity,
            "theta_deg": shapes.theta_deg,
            "concentration": peak / star,
            "concentration_err": sky.noise[rows, columns] / star,
            "peak": peak * scale,
            "background": sky.level_at(x, y),
            "saturated": saturated,
            "edge": beyond,
            "missing": _share(sky.missing, x, y, aperture_radius_px),
            "ra_deg": np.nan if sky_xy is None else sky_xy[0],
            "dec_deg": np.nan if sky_xy is None else sky_xy[1],
        }
    )


def exposure_s(frame: Frame) -> float:
    """Exposure time in seconds from the header's EXPTIME, or 1 when it gives none.

    Only counts grow with it: pixels in another unit, such as electrons a second or Jy, have it in them.
    """
    if frame.unit not in ("", "adu", "electron"):
        return 1.0
    value = frame.header.get("EXPTIME")
    known = isinstance(value, int | float) and np.isfinite(value) and value > 0
    return float(value) if known and value is not None else 1.0


def peak_share(fwhm_px: float, aperture_radius_px: float) -> float:
    """The part of a Gaussian star's aperture flux that falls in its central pixel."""
    from scipy.special import erf

    sigma = max(fwhm_px, 0.5) / FWHM_PER_SIGMA
    pixel = erf(0.5 / (np.sqrt(2) * sigma)) ** 2
    return float(pixel / (1 - np.exp(-0.5 * (aperture_radius_px / sigma) ** 2)))


def _highest(values: NDArray[np.float32], x: Float64, y: Float64, radius_px: float) -> Float64:
    """``(N,)`` largest value within a radius of each position; NaN pixels do not count."""
    highest = np.full(len(x), -np.inf)
    for part, stamps, dx, dy in windows(values, x, y, int(np.ceil(radius_px))):
        near = (dx**2 + dy**2 <= max(radius_px, 1.0) ** 2) & np.isfinite(stamps)
        highest[part] = np.max(stamps, axis=(1, 2), where=near, initial=-np.inf)
    return highest


def _share(flags: NDArray[np.bool_] | None, x: Float64, y: Float64, radius_px: float) -> Float64:
    """``(N,)`` share of True pixels within a radius of each position."""
    share = np.zeros(len(x))
    if flags is not None:
        for part, stamps, dx, dy in windows(flags, x, y, int(np.ceil(radius_px))):
            near = dx**2 + dy**2 <= max(radius_px, 1.0) ** 2
            share[part] = np.mean(stamps, axis=(1, 2), where=near)
    return share
