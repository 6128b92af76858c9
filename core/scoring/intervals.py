"""How far a fraction that was counted can be trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95


def wilson_interval(
    hits: ArrayLike, tries: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's score interval of ``hits / tries``, which stays in [0, 1] and holds for small counts.

    Args:
        hits: Successes, of any shape.
        tries: Trials, of the same shape.
        confidence: Probability that the interval holds the true fraction.

    Returns:
        Lower and upper bounds; 0 and 1 where nothing was tried, for then nothing is known.
    """
    from astropy.stats import binom_conf_interval

    k, n = np.broadcast_arrays(np.asarray(hits, int), np.asarray(tries, int))
    low, high = binom_conf_interval(
        np.where(n > 0, k, 0), np.maximum(n, 1), confidence_level=confidence, interval="wilson"
    )
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def poisson_interval(
    counts: ArrayLike, confidence: float = 0.6827
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact central interval of the mean of Poisson counts (Garwood 1936, Biometrika 28, 437).

    Args:
        counts: Whole numbers of any shape.
        confidence: Probability that the interval holds the true mean; that of ±1 σ by default.

    Returns:
        Lower and upper bounds; the lower one of a count of 0 is 0.
    """
    from scipy.special import gammaincinv

    n = np.asarray(counts, float)
    tail = (1.0 - confidence) / 2.0
    low = np.where(n > 0, gammaincinv(np.maximum(n, 1.0), tail), 0.0)
    high = gammaincinv(n + 1.0, 1.0 - tail)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)
