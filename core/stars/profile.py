"""What the star page plots: the profile of one star, and how wide and how bright the stars are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterInvalid
from core.frames import Frame
from core.results import Detections

Float64 = NDArray[np.float64]

FIT_MIN_PIXELS = 8


@dataclass(frozen=True, eq=False)
class RadialProfile:
    """Brightness of the pixels around a star against their distance from it.

    Attributes:
        radius_px: ``(N,)`` distance of each pixel from the centre.
        values: ``(N,)`` its value in the frame's units, colours averaged.
        bin_radius_px, bin_values: ``(K,)`` means in rings one pixel wide.
        fit_radius_px, fit_values: ``(M,)`` the fitted Moffat function; empty when none fits.
        fwhm_px: Full width at half maximum of the fit, or None.
        beta: Its exponent, or None.
        sky: Its background in the frame's units, or None.
    """

    radius_px: Float64
    values: Float64
    bin_radius_px: Float64
    bin_values: Float64
    fit_radius_px: Float64
    fit_values: Float64
    fwhm_px: float | None = None
    beta: float | None = None
    sky: float | None = None


def radial_profile(frame: Frame, x: float, y: float, radius_px: float) -> RadialProfile:
    """Take the profile of one star and fit a round Moffat function on a flat sky.

    Args:
        frame: The frame; missing pixels are left out.
        x, y: Centre of the star, pixels.
        radius_px: How far to go.

    Raises:
        ParameterInvalid: The radius is not positive, or the centre is not in the frame.
    """
    if not 0 < radius_px < np.inf:
        raise ParameterInvalid(
            f"radius_px must be more than 0, got {radius_px!r}.", parameter="radius_px", given=radius_px
        )
    if not (-0.5 <= x <= frame.width - 0.5 and -0.5 <= y <= frame.height - 0.5):
        raise ParameterInvalid(
            f"The centre ({x:g}, {y:g}) is outside the frame of {frame.width} × {frame.height} pixels.",
            parameter="x, y",
            given=(x, y),
        )
    rows = slice(max(0, int(np.floor(y - radius_px))), min(frame.height, int(np.ceil(y + radius_px)) + 1))
    columns = slice(max(0, int(np.floor(x - radius_px))), min(frame.width, int(np.ceil(x + radius_px)) + 1))
    stamp = frame.grey[rows, columns].astype(np.float64)
    dy = np.arange(rows.start, rows.stop)[:, None] - y
    dx = np.arange(columns.start, columns.stop)[None, :] - x
    distance = np.hypot(dx, dy)
    used = (distance <= radius_px) & np.isfinite(stamp)
    radius, values = distance[used], stamp[used]
    ring = radius.astype(np.intp)
    count = np.bincount(ring)
    filled = count > 0
    means = np.bincount(ring, values)[filled] / count[filled]
    mean_radius = np.bincount(ring, radius)[filled] / count[filled]
    return _with_fit(radius, values, mean_radius, means, radius_px)


def fwhm_map(
    detections: Detections, shape: tuple[int, int], cells: int = 8, fewest: int = 3
) -> NDArray[np.float32]:
    """Median width of the unsaturated stars in cells of the frame.

    Args:
        detections: Stars with a column ``fwhm_px``.
        shape: ``(rows, columns)`` of the frame.
        cells: Cells along the longer side.
        fewest: Fewer stars than this give NaN.

    Returns:
        ``(r, c)`` float32 in pixels, row 0 being the frame's row 0.
    """
    height, width = shape
    side = max(height, width) / cells
    rows, columns = max(1, round(height / side)), max(1, round(width / side))
    result = np.full((rows, columns), np.nan, np.float32)
    table = detections.table
    if "fwhm_px" not in table or not len(table):
        return result
    usable = np.isfinite(table["fwhm_px"].to_numpy(float))
    if "saturated" in table:
        usable &= ~table["saturated"].to_numpy(bool)
    stars = table[usable]
    row = np.clip((stars["y"].to_numpy() + 0.5) * rows / height, 0, rows - 1).astype(np.intp)
    column = np.clip((stars["x"].to_numpy() + 0.5) * columns / width, 0, columns - 1).astype(np.intp)
    for cell, group in stars.groupby(row * columns + column):
        if len(group) >= fewest:
            result.flat[int(str(cell))] = group["fwhm_px"].median()
    return result


def magnitude_histogram(detections: Detections, width_mag: float = 0.5) -> tuple[Float64, NDArray[np.intp]]:
    """Count stars by instrumental magnitude.

    Args:
        detections: Stars with a column ``mag``; those without a magnitude are left out.
        width_mag: Width of a bin.

    Returns:
        ``(K + 1,)`` edges at whole multiples of the width, and ``(K,)`` counts; one empty edge and no
        counts when there are no stars.
    """
    if not 0 < width_mag < np.inf:
        raise ParameterInvalid(
            f"width_mag must be more than 0, got {width_mag!r}.", parameter="width_mag", given=width_mag
        )
    table = detections.table
    mags = table["mag"].to_numpy(float) if "mag" in table else np.empty(0)
    mags = mags[np.isfinite(mags)]
    if not len(mags):
        return np.zeros(1), np.zeros(0, np.intp)
    first, last = np.floor(mags.min() / width_mag), np.floor(mags.max() / width_mag) + 1
    edges = np.arange(first, last + 1) * width_mag
    return edges, np.histogram(mags, edges)[0]


def _with_fit(
    radius: Float64, values: Float64, bin_radius: Float64, bin_values: Float64, reach: float
) -> RadialProfile:
    """Fit the pixels; a profile that is no peak, or that no Moffat function follows, has no fit."""
    from scipy.optimize import least_squares

    none = RadialProfile(radius, values, bin_radius, bin_values, np.empty(0), np.empty(0))
    if len(radius) < FIT_MIN_PIXELS:
        return none
    sky = float(np.median(values[radius >= 0.7 * reach])) if (radius >= 0.7 * reach).any() else values.min()
    height = float(values[radius <= max(1.0, radius.min())].max() - sky)
    outer = np.abs(values[radius >= 0.7 * reach] - sky)
    if height <= 0 or (len(outer) and height < 3 * 1.4826 * np.median(outer)):
        return none
    half = radius[values - sky > 0.5 * height]
    width = float(np.clip(2 * np.percentile(half, 90), 1.0, reach)) if len(half) else min(3.0, reach)

    def moffat(p: Float64, r: Float64) -> Float64:
        core = (1 + (2 * r / p[1]) ** 2 * (2 ** (1 / p[2]) - 1)) ** -p[2]
        return np.asarray(p[0] * core + p[3], float)

    def misfit(p: Float64) -> Float64:
        return moffat(p, radius) - (values - sky) / height

    fit = least_squares(
        misfit,
        [1.0, width, 3.5, 0.0],
        bounds=([0.05, 0.3, 1.2, -1.0], [20.0, 2 * reach + 1, 50.0, 1.0]),
        loss="soft_l1",
        f_scale=0.05,
    )
    along = np.linspace(0, reach, 100)
    if not fit.success or fit.x[1] >= 2 * reach:
        return none
    return RadialProfile(
        radius,
        values,
        bin_radius,
        bin_values,
        along,
        sky + height * moffat(fit.x, along),
        fwhm_px=float(fit.x[1]),
        beta=float(fit.x[2]),
        sky=sky + height * float(fit.x[3]),
    )
