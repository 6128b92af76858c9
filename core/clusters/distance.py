"""How far a cluster is, from its members' parallaxes, and how large that makes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

ZERO_POINT_MAS = -0.04
"""Gaia DR3's parallaxes are this much too small for typical members (Lindegren et al. 2021, A&A 649, A4)."""
ZERO_POINT_ERROR_MAS = 0.01
"""What is not known of that, and is the same for all stars of a small field (ibid.; Vasiliev & Baumgardt
2021, MNRAS 505, 5978)."""
MIN_RATIO = 3.0
"""Least parallax over its error for a distance."""


@dataclass(frozen=True)
class Distance:
    """Distance of a cluster.

    Attributes:
        parallax_mas: Mean parallax, zero point corrected.
        parallax_error_mas: Its standard error, that of the zero point included.
        distance_pc: 1000 over the parallax; NaN where ``reason`` says why.
        low_pc, high_pc: Ends of its 68 % interval.
        n_stars: Members with a parallax.
        reason: Why there is no distance; empty when there is.
    """

    parallax_mas: float
    parallax_error_mas: float
    distance_pc: float
    low_pc: float
    high_pc: float
    n_stars: int
    reason: str = ""

    def size_pc(self, angle_arcmin: float) -> float:
        """Length of an angle at this distance, in parsecs."""
        return float(self.distance_pc * np.tan(np.radians(angle_arcmin / 60.0)))


@dataclass(frozen=True, eq=False)
class Mean:
    """A weighted mean with its standard error and the spread that the errors do not explain."""

    value: float
    error: float
    spread: float


def weighted_mean(values: Float64, errors: Float64) -> Mean:
    """Mean of measurements with errors and an unknown spread of their own, by maximum likelihood.

    Args:
        values, errors: ``(N,)``; those that are not finite are left out.

    References:
        Pryor & Meylan 1993, ASPC 50, 357 (the likelihood, there of velocities).
    """
    known = np.isfinite(values) & np.isfinite(errors) & (errors >= 0)
    x, e = values[known], np.maximum(errors[known], 1e-9)
    if not len(x):
        return Mean(np.nan, np.nan, np.nan)
    middle = np.median(x)
    width = max(1.4826 * float(np.median(np.abs(x - middle))), float(np.median(e)), 1e-9)
    keep = np.abs(x - middle) <= 5.0 * np.sqrt(width**2 + e**2)  # a stray does not decide
    x, e = x[keep], e[keep]
    spreads = np.concatenate([[0.0], width * np.geomspace(0.01, 5.0, 200)])
    best, found = -np.inf, Mean(np.nan, np.nan, np.nan)
    for spread in spreads.tolist():  # one at a time: for all of them, many members would take gigabytes
        variance = spread**2 + e**2
        weight = float((1.0 / variance).sum())
        mean = float((x / variance).sum()) / weight
        likelihood = -0.5 * float(((x - mean) ** 2 / variance + np.log(variance)).sum())
        if likelihood > best:
            best, found = likelihood, Mean(mean, weight**-0.5, spread)
    return found


def distance(parallax_mas: Float64, error_mas: Float64) -> Distance:
    """Distance of a cluster from its members' parallaxes, those below zero included: leaving them out biases.

    Args:
        parallax_mas, error_mas: ``(N,)`` of the members.

    References:
        Luri et al. 2018, A&A 616, A9 (mean first, then invert); Lindegren et al. 2021, A&A 649, A4.
    """
    mean = weighted_mean(parallax_mas, error_mas)
    count = int(np.isfinite(parallax_mas).sum())
    value = mean.value - ZERO_POINT_MAS
    error = float(np.hypot(mean.error, ZERO_POINT_ERROR_MAS))
    if not count:
        return Distance(np.nan, np.nan, np.nan, np.nan, np.nan, 0, "No member has a parallax.")
    if not value > MIN_RATIO * error:
        reason = (
            f"The mean parallax, {value:.3f} ± {error:.3f} mas, is too small or uncertain for a distance."
        )
        return Distance(value, error, np.nan, np.nan, np.nan, count, reason)
    return Distance(value, error, 1e3 / value, 1e3 / (value + error), 1e3 / (value - error), count)
