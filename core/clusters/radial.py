"""How a cluster thins out: density, light, half-number radius and contamination against radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clusters.centre import MOST_DRAWN
from core.clusters.footprint import Footprint

Float64 = NDArray[np.float64]

RINGS = 12
BOOTSTRAPS = 200


@dataclass(frozen=True, eq=False)
class RadialProfile:
    """Counts in rings around the middle; areas are of what the table covers.

    Attributes:
        edges: ``(n + 1,)`` edges of the rings, in the plane's unit.
        count: ``(n,)`` stars.
        area: ``(n,)`` in square units.
        density: ``(n,)`` stars a square unit.
        density_low, density_high: ``(n,)`` ends of its 68 % Poisson interval.
        light: ``(n,)`` surface brightness, magnitudes per square unit; NaN where no star has a magnitude.
        light_error: ``(n,)`` its standard error, from the Poisson scatter of the stars' light.
    """

    edges: Float64
    count: NDArray[np.int64]
    area: Float64
    density: Float64
    density_low: Float64
    density_high: Float64
    light: Float64
    light_error: Float64

    @property
    def radius(self) -> Float64:
        """``(n,)`` middles of the rings."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])


@dataclass(frozen=True, eq=False)
class Contamination:
    """Field stars among the members, by distance from the middle.

    Attributes:
        edges: ``(n + 1,)`` edges of the rings.
        members: ``(n,)`` members in each.
        fraction: ``(n,)`` the part of them expected to be field stars: the mean of 1 − probability; NaN in
            an empty ring.
        total: The same over all members.
    """

    edges: Float64
    members: NDArray[np.int64]
    fraction: Float64
    total: float


def radial_profile(
    xy: Float64,
    centre: Float64,
    footprint: Footprint,
    outermost: float,
    mag: Float64 | None = None,
    rings: int = RINGS,
) -> RadialProfile:
    """Density and light in rings that widen outwards.

    Args:
        xy: ``(N, 2)`` places.
        centre: ``(2,)`` the middle.
        footprint: What part of the plane the table covers.
        outermost: Radius of the last ring, in the plane's unit.
        mag: ``(N,)`` magnitudes.
        rings: How many.

    References:
        Gehrels 1986, ApJ 303, 336 (Poisson intervals; here the exact ones of χ²).
    """
    from scipy.stats import chi2

    edges = outermost * np.linspace(0.0, 1.0, rings + 1) ** 1.5
    distance = np.hypot(*(xy - centre).T)
    count = np.histogram(distance, edges)[0]
    area = np.maximum(np.diff(footprint.area_within(centre, edges)), 1e-300)
    low = np.where(count > 0, chi2.ppf(0.16, 2 * np.maximum(count, 1)) / 2.0, 0.0)
    high = chi2.ppf(0.84, 2 * (count + 1)) / 2.0
    light, light_error = np.full(rings, np.nan), np.full(rings, np.nan)
    if mag is not None and np.isfinite(mag).any():
        flux = np.where(np.isfinite(mag), 10.0 ** (-0.4 * np.nan_to_num(mag)), 0.0)
        total = np.histogram(distance, edges, weights=flux)[0]
        scatter = np.sqrt(np.histogram(distance, edges, weights=flux**2)[0])
        lit = total > 0
        light[lit] = -2.5 * np.log10(total[lit] / area[lit])
        light_error[lit] = 2.5 / np.log(10.0) * scatter[lit] / total[lit]
    return RadialProfile(edges, count, area, count / area, low / area, high / area, light, light_error)


def half_number_radius(xy: Float64, centre: Float64, seed: int = 0) -> tuple[float, float]:
    """Radius that holds half of the members, and its standard error from resampling.

    Args:
        xy: ``(N, 2)`` places of the members.
        centre: ``(2,)`` the middle.
        seed: Of the resampling (Efron 1979, AnSta 7, 1).
    """
    distance = np.hypot(*(xy - centre).T)
    rng = np.random.default_rng(seed)
    count = min(len(distance), MOST_DRAWN)
    drawn = np.median(distance[rng.integers(0, len(distance), (BOOTSTRAPS, count))], axis=1)
    return float(np.median(distance)), float(np.sqrt(count / len(distance)) * drawn.std())


def contamination(
    xy: Float64, probability: Float64, centre: Float64, outermost: float, rings: int = 6
) -> Contamination:
    """Field stars among the members in rings of equal width.

    Args:
        xy: ``(M, 2)`` places of the members.
        probability: ``(M,)`` that each belongs.
        centre: ``(2,)`` the middle.
        outermost: Radius of the last ring.
        rings: How many.
    """
    edges = np.linspace(0.0, outermost, rings + 1)
    distance = np.hypot(*(xy - centre).T)
    members = np.histogram(distance, edges)[0]
    strays = np.histogram(distance, edges, weights=1.0 - probability)[0]
    with np.errstate(invalid="ignore"):
        fraction = np.where(members > 0, strays / members, np.nan)
    return Contamination(edges, members, fraction, float(np.mean(1.0 - probability)) if len(xy) else np.nan)
