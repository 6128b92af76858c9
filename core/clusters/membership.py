"""How likely each star belongs to a cluster: a mixture of cluster and field in place, motion and parallax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clusters.significance import FLOOR, Group
from core.clusters.table import StarTable

Float64 = NDArray[np.float64]

ITERATIONS = 40
BOX_SIGMA = 9.0
"""Half width of the part of astrometric space that is modelled, in widths of the cluster."""
LEAST_ERROR = np.array([0.2, 0.2, 0.15])
"""Errors (mas a year, mas) that widen that part at the least, as those of Gaia do."""
ERROR_SHARE = 0.5
"""Of the table's typical errors, where those are larger: it has to hold the members of old catalogues."""
CELLS = 24
"""Cells of the field's density along each axis of that part."""
SMOOTHING_CELLS = 3.5
"""Smoothing of the field's density: more than two widths of a cluster, so that it cannot swallow one."""
REGION_RADII = 8.0
"""Radius of the part of the plane that is modelled, in half-number radii."""
MIN_PROBABILITY = 0.5
"""A star is a member from here on: it is then likelier to belong than not."""


@dataclass(frozen=True, eq=False)
class Membership:
    """A cluster and who belongs to it.

    Attributes:
        probability: ``(N,)`` that each star of the table belongs; 0 for stars whose motion is not known
            while others' are, and outside the region looked at.
        group: Its place, half-number radius, mean motion and parallax, and their intrinsic spreads.
        converged: Whether the mixture settled; a cluster that did not is to be trusted less.
    """

    probability: Float64
    group: Group
    converged: bool

    @property
    def members(self) -> NDArray[np.int64]:
        """Stars that belong rather than not."""
        return np.flatnonzero(self.probability >= MIN_PROBABILITY)


def membership(stars: StarTable, start: Group) -> Membership:
    """Fit a cluster and the field around it, from a first guess.

    The cluster has Plummer's surface density and normal distributions of proper motion and parallax, each
    star's own errors folded in. The field is even in place, and has the smoothed density of the stars that
    are not members in proper motion and parallax. Expectation and maximisation take turns.

    Assumed are errors that do not correlate, a cluster as wide in its motions and parallaxes at every place
    (no slope that perspective gives a near one), and a field whose motions do not depend on the place.

    Args:
        stars: All stars.
        start: The first guess: a candidate group, or a circle a person gave.

    References:
        Vasilevskis, Klemola & Preston 1958, AJ 63, 387 (the mixture); Bovy, Hogg & Roweis 2011, AnApS 5,
        1657 (errors folded in); Plummer 1911, MNRAS 71, 460 (the profile).
    """
    group = start
    probability = np.zeros(len(stars))
    converged = False
    region = _region(stars, group)
    if len(region) < 5 or not group.radius > 0:
        return Membership(probability, group, False)
    part = _Local(stars, region, group)
    local = part.start(group)
    weight = -1.0
    for iteration in range(ITERATIONS):
        if iteration in (5, 15):  # the first guess may have been a part of the cluster, or off its middle
            moved = _region(stars, group)
            if len(moved) >= 5:
                region = moved
                part = _Local(stars, region, group)
                local = part.start(group)
        previous = weight
        local = part.expect(group, local)
        weight = float(local.sum())
        if weight < 3.0:
            break
        group = part.maximise(group, local)
        if iteration > 16 and abs(weight - previous) < 1e-3 * weight:
            converged = True
            break
    probability[region] = part.expect(group, local)
    return Membership(probability, group, converged)


def _region(stars: StarTable, group: Group) -> NDArray[np.int64]:
    """Stars of the part of space that is modelled."""
    near = np.hypot(*(stars.xy - group.centre).T) <= REGION_RADII * group.radius
    if stars.astrometry is not None:
        values, _ = stars.astrometry
        with np.errstate(invalid="ignore"):
            near &= (np.abs(values - group.mean) <= _box(stars, group)).all(axis=1)
    return np.flatnonzero(near)


def _box(stars: StarTable, group: Group) -> Float64:
    """``(k,)`` half width of the part of astrometric space that is modelled."""
    error = np.maximum(LEAST_ERROR[: len(group.mean)], ERROR_SHARE * stars.typical_errors)
    return np.asarray(BOX_SIGMA * np.sqrt(group.spread**2 + error**2))


class _Local:
    """The stars around one cluster, and the two steps of its fit on them."""

    def __init__(self, stars: StarTable, region: NDArray[np.int64], group: Group) -> None:
        self.xy = stars.xy[region]
        self.outline = stars.footprint
        self.radius = REGION_RADII * group.radius
        self.area = max(float(self.outline.area_within(group.centre, np.array([self.radius]))[0]), 1e-12)
        self.values = self.errors = np.empty((len(region), 0))
        self.cell: tuple[NDArray[np.int64], ...] = ()
        if stars.astrometry is not None:
            self.values, self.errors = (column[region] for column in stars.astrometry)
            half = _box(stars, group)
            self.cell_size = 2.0 * half / CELLS
            scaled = (self.values - group.mean + half) / self.cell_size
            self.cell = tuple(np.clip(scaled.astype(int), 0, CELLS - 1).T)

    def start(self, group: Group) -> Float64:
        """First weights: near in place and in motion."""
        near = np.hypot(*(self.xy - group.centre).T) <= 2.0 * group.radius
        if self.values.shape[1]:
            chi = np.abs(self.values - group.mean) / np.sqrt(group.spread**2 + self.errors**2)
            near &= (chi <= 2.5).all(axis=1)
        return np.where(near, 0.7, 0.02)

    def expect(self, group: Group, weights: Float64) -> Float64:
        """Each star's probability, given the cluster and the field that the last weights leave."""
        share = float(np.clip(weights.mean(), 1e-6, 1.0 - 1e-6))
        scaled = np.sum((self.xy - group.centre) ** 2, axis=1) / group.radius**2
        inside = 1.0 / (1.0 + (group.radius / self.radius) ** 2)
        log_cluster = -2.0 * np.log1p(scaled) - np.log(np.pi * group.radius**2 * inside)
        log_field = np.full(len(self.xy), -np.log(self.area))
        if self.values.shape[1]:
            variance = group.spread**2 + self.errors**2
            log_cluster = log_cluster - 0.5 * np.sum(
                (self.values - group.mean) ** 2 / variance + np.log(2.0 * np.pi * variance), axis=1
            )
            log_field = log_field + np.log(self._field(1.0 - weights))
        odds = np.log(share) - np.log1p(-share) + log_cluster - log_field
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -60.0, 60.0))))

    def _field(self, weights: Float64) -> Float64:
        """Density of the field in astrometric space at each star, per unit of its axes."""
        from scipy.ndimage import gaussian_filter

        counts = np.zeros((CELLS,) * self.values.shape[1])
        np.add.at(counts, self.cell, weights)
        smooth = gaussian_filter(counts, SMOOTHING_CELLS, mode="nearest")
        total = max(float(smooth.sum()), 1e-9)
        even = 0.02 / counts.size  # a little everywhere, for places where no field star happens to be
        return np.asarray((0.98 * smooth[self.cell] / total + even) / np.prod(self.cell_size))

    def maximise(self, group: Group, weights: Float64) -> Group:
        """The cluster that these weights make likeliest."""
        total = weights.sum()
        scaled = np.sum((self.xy - group.centre) ** 2, axis=1) / group.radius**2
        pull = weights / (1.0 + scaled)  # of Plummer's profile: its middle says more than its wings
        centre = (pull @ self.xy) / pull.sum()
        distance = np.hypot(*(self.xy - centre).T)
        order = np.argsort(distance)
        below = np.cumsum(weights[order])
        radius = float(distance[order][np.searchsorted(below, 0.5 * total)])
        radius = max(radius, 1e-6 * self.radius)
        mean, spread = group.mean, group.spread
        if self.values.shape[1]:
            variance = spread**2 + self.errors**2
            pulled = mean + spread**2 / variance * (self.values - mean)
            left = spread**2 * self.errors**2 / variance
            mean = (weights @ pulled) / total
            width = np.sqrt((weights @ ((pulled - mean) ** 2 + left)) / total)
            spread = np.maximum(width, FLOOR[: len(mean)])
        return Group(centre, radius, mean, spread)
