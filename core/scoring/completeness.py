"""Completeness against magnitude: down to how faint a method finds what is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid
from core.scoring.intervals import wilson_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CompletenessCurve:
    """The fraction found in bins of magnitude.

    Attributes:
        edges: ``(B + 1,)`` edges of the bins in magnitudes.
        n_truth, n_found: ``(B,)`` objects there are in each bin, and those of them that were found.
        low, high: ``(B,)`` 95 % Wilson interval of the fraction; 0 and 1 in an empty bin.
        m50, m90: Magnitude at which the fraction falls through one half and through nine tenths, or None
            when it does not within the bins.
    """

    edges: Floats
    n_truth: NDArray[np.intp]
    n_found: NDArray[np.intp]
    low: Floats
    high: Floats
    m50: float | None
    m90: float | None

    @property
    def magnitude(self) -> Floats:
        """``(B,)`` centres of the bins."""
        return (self.edges[:-1] + self.edges[1:]) / 2.0

    @property
    def completeness(self) -> Floats:
        """``(B,)`` fraction found; NaN in an empty bin."""
        return _fraction(self.n_truth, self.n_found)


def completeness_curve(
    truth_magnitude: ArrayLike, is_found: ArrayLike, bins: int | ArrayLike = 10
) -> CompletenessCurve:
    """Bin what was found by magnitude.

    Args:
        truth_magnitude: ``(N,)`` magnitudes of the true objects; those that are not finite, or lie
            outside the bins, are left out.
        is_found: ``(N,)`` whether each was found.
        bins: Number of equal bins over the magnitudes there are, or their edges in growing order.

    Raises:
        ParameterInvalid: The two differ in length, or the edges do not grow.
    """
    magnitude, found = np.asarray(truth_magnitude, float).ravel(), np.asarray(is_found, bool).ravel()
    if len(magnitude) != len(found):
        raise ParameterInvalid(
            f"truth_magnitude and is_found must be equally long, got {len(magnitude)} and {len(found)}.",
            parameter="is_found",
            given=len(found),
            limit=len(magnitude),
        )
    known = np.isfinite(magnitude)
    magnitude, found = magnitude[known], found[known]
    try:
        edges = np.asarray(np.histogram_bin_edges(magnitude, bins), float)
        n_truth, _ = np.histogram(magnitude, edges)
    except ValueError as error:
        raise ParameterInvalid(
            f"bins must be a number of bins or edges in growing order, got {bins!r}.",
            parameter="bins",
            given=bins,
            limit="a positive number, or growing edges",
        ) from error
    n_found, _ = np.histogram(magnitude[found], edges)
    low, high = wilson_interval(n_found, n_truth)
    centres, fraction = (edges[:-1] + edges[1:]) / 2.0, _fraction(n_truth, n_found)
    fall = _fall(centres, n_truth, fraction, low)
    m50, m90 = (_falls_through(level, *fall) for level in (0.5, 0.9))
    return CompletenessCurve(edges, n_truth, n_found, low, high, m50, m90)


def _fraction(n_truth: NDArray[np.intp], n_found: NDArray[np.intp]) -> Floats:
    fraction: Floats = np.divide(n_found, n_truth, out=np.full(len(n_truth), np.nan), where=n_truth > 0)
    return fraction


def _fall(
    magnitude: Floats, n_truth: NDArray[np.intp], fraction: Floats, low: Floats
) -> tuple[Floats, Floats]:
    """The never rising curve nearest to the fractions, from the surest bin on: magnitudes and fractions.

    Brighter bins do not matter: saturated stars that are missed are no limit. A bin weighs as much as it
    holds (isotonic regression, Barlow et al. 1972): one chance match among the faintest raises nothing.
    """
    from scipy.optimize import isotonic_regression

    start = int(np.argmax(low))
    holds = np.flatnonzero(n_truth[start:] > 0) + start
    if not len(holds):
        return np.empty(0), np.empty(0)
    fitted = isotonic_regression(fraction[holds], weights=n_truth[holds], increasing=False)
    return magnitude[holds], np.asarray(fitted.x, float)


def _falls_through(level: float, magnitude: Floats, fraction: Floats) -> float | None:
    """Where a line that never rises falls below a level, or None where it does not."""
    falls = np.flatnonzero((fraction[:-1] >= level) & (fraction[1:] < level))
    if not len(falls):
        return None
    i = falls[0]
    part = (fraction[i] - level) / (fraction[i] - fraction[i + 1])
    return float(magnitude[i] + part * (magnitude[i + 1] - magnitude[i]))
