"""Whether stars keep together or apart, at each distance: Ripley's L with what chance would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SIMULATIONS = 39
"""Even fields of the envelope: the largest and smallest of 39 hold 95 % of them at each distance."""
MAX_STARS = 300
"""Most stars that are compared with each other; of more, a random part, whose L is the same on average."""
EDGE = "ripley"


@dataclass(frozen=True, eq=False)
class Ripley:
    """Ripley's L minus the distance: 0 for an even field, above it stars keep together.

    Attributes:
        radius: ``(n,)`` distances, in the plane's unit.
        excess: ``(n,)`` L(r) − r.
        low, high: ``(n,)`` envelope of even fields of as many stars, 95 % at each distance.
        n_stars: How many stars were compared.
    """

    radius: Float64
    excess: Float64
    low: Float64
    high: Float64
    n_stars: int

    @property
    def is_clustered(self) -> bool:
        """Whether the stars keep together beyond chance at some distance."""
        return bool((self.excess > self.high).any())


def ripley(xy: Float64, radii: int = 15, seed: int = 0) -> Ripley:
    """Ripley's L in the rectangle around the stars.

    Rings cut by the rectangle are weighted by their part inside (Ripley's edge correction).

    Args:
        xy: ``(N, 2)`` places.
        radii: How many distances, up to a quarter of the shorter side.
        seed: Of the even fields and of the stars compared.

    References:
        Ripley 1977, JRSSB 39, 172; Besag 1977, JRSSB 39, 193 (L); astropy.stats.RipleysKEstimator.
    """
    from astropy.stats import RipleysKEstimator

    rng = np.random.default_rng(seed)
    if len(xy) < 3 or not np.ptp(xy, axis=0).all():
        nothing = np.empty(0)
        return Ripley(nothing, nothing, nothing, nothing, len(xy))
    low, high = xy.min(axis=0), xy.max(axis=0)
    side = high - low
    if len(xy) > MAX_STARS:
        xy = xy[np.sort(rng.choice(len(xy), MAX_STARS, replace=False))]
    radius = np.linspace(0.0, 0.25 * side.min(), radii + 1)[1:]
    estimator = RipleysKEstimator(
        area=float(side.prod()), x_min=low[0], x_max=high[0], y_min=low[1], y_max=high[1]
    )

    def excess(places: Float64) -> Float64:
        return np.asarray(estimator.Lfunction(places, radius, mode=EDGE) - radius, float)

    even = np.array([excess(rng.uniform(low, high, xy.shape)) for _ in range(SIMULATIONS)])
    return Ripley(radius, excess(xy), even.min(axis=0), even.max(axis=0), len(xy))
