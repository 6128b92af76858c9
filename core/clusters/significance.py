"""Whether a group is more than a chance gathering: a likelihood-ratio test against the field beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.clusters.table import StarTable

Float64 = NDArray[np.float64]

FLOOR = np.array([0.05, 0.05, 0.04])
"""Least spread of a cluster in proper motion (mas a year) and parallax (mas) that is believed."""
WINDOW_SIGMA = 2.5
MAX_ERROR = 0.3
"""Stars with larger errors (mas a year, mas) do not count, unless the cluster itself is wider or half of the
table is worse: they would be anywhere."""
MIN_CONTRAST = 2.0
"""Least density of a group over that of the field in motion, beyond what a smooth field's crowding gives."""
FAR_LIMIT, SPREAD_OUT_LIMIT = 1.0, 0.35
"""Most spread in proper motion (mas a year) of a far group: in general, and of one that no crowding in place
shows, which may be a part of the field (the halo, the far disc), whose motions are broad."""
MOTION_RINGS = np.array([0.0, 2.0, 3.0, 4.5, 6.5])
"""Edges of the rings of motion, in widths of the group; the second is a gap."""
MIN_TRACERS = 30
"""Fewest stars of other motion, in the field beside a group, that can stand for its area."""


@dataclass(frozen=True, eq=False)
class Group:
    """Where a group is, in all that is measured of its stars.

    Attributes:
        centre: ``(2,)`` place on the plane, in the plane's unit.
        radius: Radius that holds half of its stars, in the plane's unit.
        mean: ``(k,)`` mean proper motion (mas a year) and parallax (mas), NaN where none of its stars has
            one; empty without proper motions in the table.
        spread: ``(k,)`` their standard deviations, errors taken off.
    """

    centre: Float64
    radius: float
    mean: Float64
    spread: Float64


@dataclass(frozen=True)
class Significance:
    """How a group compares with the field beside it.

    Attributes:
        sigma: Significance in standard deviations of a normal distribution; 0 where there are too few.
        n_on: Stars within the group's radius and range of motion.
        n_expected: How many the field would give there.
    """

    sigma: float
    n_on: int
    n_expected: float


def li_ma(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike) -> Float64:
    """Significance of counts on a place over counts off it, by their likelihood ratio.

    Args:
        n_on, n_off: Counts on and off.
        alpha: Exposure on over exposure off; here, of areas.

    Returns:
        Standard deviations; negative for a deficit.

    References:
        Li & Ma 1983, ApJ 272, 317, eq. 17.
    """
    on, off, ratio = np.broadcast_arrays(
        np.asarray(n_on, float), np.asarray(n_off, float), np.asarray(alpha, float)
    )
    total = on + off
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(on > 0, on * np.log((1 + ratio) / ratio * on / total), 0.0)
        second = np.where(off > 0, off * np.log((1 + ratio) * off / total), 0.0)
    excess = np.sign(on - ratio * off)
    return np.asarray(excess * np.sqrt(np.maximum(2.0 * (first + second), 0.0)))


def group_of(stars: StarTable, rows: NDArray[np.int64]) -> Group:
    """Place, size, motion and parallax of a group: medians of its stars, which a few strays do not move."""
    place = stars.xy[rows]
    centre = np.median(place, axis=0)
    radius = float(np.median(np.hypot(*(place - centre).T)))
    if stars.astrometry is None:
        return Group(centre, radius, np.empty(0), np.empty(0))
    values, errors = (column[rows] for column in stars.astrometry)
    mean, spread = np.full(values.shape[1], np.nan), FLOOR[: values.shape[1]].copy()
    for axis, known in enumerate(np.isfinite(values).T):
        if known.any():
            own = values[known, axis]
            mean[axis] = np.median(own)
            width = 1.4826 * np.median(np.abs(own - mean[axis]))
            excess = width**2 - np.median(errors[known, axis]) ** 2
            spread[axis] = max(spread[axis], np.sqrt(max(excess, 0.0)))
    return Group(centre, radius, mean, spread)


def moves_with(stars: StarTable, group: Group, window_sigma: float = WINDOW_SIGMA) -> NDArray[np.bool_]:
    """``(N,)`` whether a star has the group's motion and parallax, within errors, as far as known."""
    if stars.astrometry is None:
        return np.ones(len(stars), bool)
    values, errors = stars.astrometry
    reach = window_sigma * np.sqrt(group.spread**2 + errors**2)
    alike = (np.abs(values - group.mean) <= reach) | np.isnan(group.mean)
    return np.asarray(alike.all(axis=1) & well_measured(stars, group))


def well_measured(stars: StarTable, group: Group) -> NDArray[np.bool_]:
    """``(N,)`` whether a star's errors are small enough to tell the group from the field."""
    if stars.astrometry is None:
        return np.ones(len(stars), bool)
    values, errors = stars.astrometry
    limit = np.maximum(max(MAX_ERROR, stars.typical_error), group.spread)
    exact = ((errors <= limit) & np.isfinite(values)) | np.isnan(group.mean)
    return np.asarray(exact.all(axis=1))


def moves_too_fast(group: Group, far_limit: float = FAR_LIMIT) -> bool:
    """Whether a group's stars move too differently to be bound; False where no motion is known.

    Where no parallax is known, the group is taken to be far: near clusters, whose motions spread more than
    ``far_limit``, are turned down there, because half of any field would pass as one.

    Args:
        group: The group.
        far_limit: Most spread in mas a year that is put up with however far it is.

    References:
        Cantat-Gaudin & Anders 2020, A&A 633, A99: 1 mas a year, or 5 km/s for the nearest.
    """
    if not len(group.mean):
        return False
    near_limit = 5.0 * np.sqrt(2.0) / 4.7404 * float(group.mean[2]) if len(group.mean) > 2 else 0.0
    return bool(np.hypot(*group.spread[:2]) > max(far_limit, near_limit))


def significance(stars: StarTable, group: Group) -> Significance:
    """The better of the two comparisons: with the field beside the group in place, and in motion.

    A cluster that fills the table has no field beside it in place; one that moves as the field does has none
    beside it in motion. Both take the counts to be Poisson's, and do not pay for the many places looked at:
    a limit of 5 σ leaves room for that.
    """
    one, other = in_place(stars, group), in_motion(stars, group)
    return one if one.sigma >= other.sigma else other


def in_motion(stars: StarTable, group: Group) -> Significance:
    """Compare the stars of a group's motion with those that move a little differently, at the same place.

    Where the field's motions crowd, the middle is denser than its surroundings without any cluster: the
    counts in two rings of motion are carried inwards as those of a normal distribution, and the group has
    to be :data:`MIN_CONTRAST` times as dense as that.

    Args:
        stars: All stars.
        group: The group.
    """
    if stars.astrometry is None or not group.radius > 0:
        return Significance(0.0, 0, 0.0)
    values, errors = stars.astrometry
    near = np.hypot(*(stars.xy - group.centre).T) <= 2.0 * group.radius
    near &= well_measured(stars, group)
    if len(group.mean) > 2:
        reach = WINDOW_SIGMA * np.sqrt(group.spread[2] ** 2 + errors[:, 2] ** 2)
        near &= np.abs(values[:, 2] - group.mean[2]) <= reach
    rows = np.flatnonzero(near)
    if len(rows) < MIN_TRACERS:
        return Significance(0.0, len(rows), 0.0)
    width = np.sqrt(group.spread[:2] ** 2 + np.median(errors[rows, :2], axis=0) ** 2)
    away = np.hypot(*((values[rows, :2] - group.mean[:2]) / width).T)
    counts = np.histogram(away, MOTION_RINGS)[0]
    areas = np.diff(np.square(MOTION_RINGS))
    n_on, inner, outer = int(counts[0]), int(counts[2]), int(counts[3])
    squared = 0.5 * (np.square(MOTION_RINGS[2:-1]) + np.square(MOTION_RINGS[3:]))
    fall = np.log((inner + 0.5) / areas[2]) - np.log((outer + 0.5) / areas[3])
    peak = np.exp(max(fall, 0.0) * squared[0] / (squared[1] - squared[0]))
    alpha = float(areas[0] / areas[2] * peak)
    expected = alpha * (inner + 0.5)
    if n_on < MIN_CONTRAST * expected:
        return Significance(0.0, n_on, expected)
    return Significance(float(li_ma(n_on, inner + 0.5, alpha)), n_on, expected)


def in_place(stars: StarTable, group: Group) -> Significance:
    """Compare the stars of a group's motion within its radius with those in a ring around it.

    What the ring stands for is measured by the stars of *other* motion: dust, gaps and the edges of the
    table take from both alike. Where there are too few of those, plain areas within the table's outline do:
    then the field is taken to be even.

    Args:
        stars: All stars.
        group: The group.
    """
    own = moves_with(stars, group)
    other = ~own & well_measured(stars, group)
    distance = np.hypot(*(stars.xy - group.centre).T)
    radius = 1.2 * group.radius
    on = distance <= radius
    ring = (distance > 2.5 * radius) & (distance <= 6.0 * radius)
    if int(np.count_nonzero(ring)) < max(100, 2 * int(np.count_nonzero(on))):
        ring = distance > min(2.5 * radius, float(np.quantile(distance, 0.6)))
    n_on, n_off = int(np.count_nonzero(own & on)), int(np.count_nonzero(own & ring))
    tracers_on, tracers_off = np.count_nonzero(other & on), np.count_nonzero(other & ring)
    if tracers_off >= MIN_TRACERS and tracers_on + tracers_off >= 0.5 * (n_on + n_off):
        alpha = (tracers_on + 0.5) / (tracers_off + 0.5)
    else:
        footprint = stars.footprint
        inner, outer = (distance[ring].min(), distance[ring].max()) if ring.any() else (radius, radius)
        whole = footprint.area_within(group.centre, np.array([radius, inner, outer]))
        alpha = whole[0] / max(whole[2] - whole[1], 1e-12)
    if n_on < 3 or not group.radius > 0:
        return Significance(0.0, n_on, alpha * n_off)
    return Significance(float(li_ma(n_on, n_off, alpha)), n_on, float(alpha * n_off))
