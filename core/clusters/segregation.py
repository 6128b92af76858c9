"""Whether the bright stars of a cluster stand closer together than others: Λ of minimum spanning trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SAMPLES = 200
MIN_MEMBERS = 20


@dataclass(frozen=True, eq=False)
class Segregation:
    """Mass segregation, with brightness in the place of mass: the rank is the same on the main sequence.

    Attributes:
        n_brightest: ``(k,)`` how many of the brightest members.
        ratio: ``(k,)`` Λ, the mean tree of as many random members over that of the brightest; above 1
            they are concentrated.
        error: ``(k,)`` its standard error, from the scatter of the random trees.
        proxy: What stands for the mass.
    """

    n_brightest: NDArray[np.int64]
    ratio: Float64
    error: Float64
    proxy: str = "rank in brightness"

    @property
    def is_segregated(self) -> bool:
        """Whether Λ is above 1 by more than 2 standard errors for two or more of the numbers."""
        return int(np.count_nonzero(self.ratio - 1.0 > 2.0 * self.error)) >= 2


def segregation(xy: Float64, mag: Float64, seed: int = 0) -> Segregation:
    """Λ for the 5, 10, 15, 20, 30, 50 and 100 brightest members, up to half of all.

    Args:
        xy: ``(N, 2)`` places of the members.
        mag: ``(N,)`` magnitudes; members without one are left out.
        seed: Of the random members.

    Returns:
        No numbers where fewer than twenty members have a magnitude.

    References:
        Allison et al. 2009, MNRAS 395, 1449.
    """
    known = np.isfinite(mag)
    places, order = xy[known], np.argsort(mag[known], kind="stable")
    sizes = np.array([n for n in (5, 10, 15, 20, 30, 50, 100) if 2 * n <= len(places)], np.int64)
    if len(places) < MIN_MEMBERS:
        return Segregation(sizes[:0], np.empty(0), np.empty(0))
    rng = np.random.default_rng(seed)
    ratios, errors = [], []
    for size in sizes.tolist():
        bright = tree_length(places[order[:size]])
        random = np.array(
            [tree_length(places[rng.choice(len(places), size, replace=False)]) for _ in range(SAMPLES)]
        )
        ratios.append(random.mean() / max(bright, 1e-300))
        errors.append(random.std() / max(bright, 1e-300))
    return Segregation(sizes, np.array(ratios), np.array(errors))


def tree_length(xy: Float64) -> float:
    """Length of the minimum spanning tree of ``(N, 2)`` places.

    References:
        Gower & Ross 1969, JRSSC 18, 54: single linkage joins along the edges of that tree.
    """
    from scipy.cluster.hierarchy import linkage

    return float(linkage(xy, "single")[:, 2].sum()) if len(xy) > 1 else 0.0
