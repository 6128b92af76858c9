"""King's profile: core and tidal radius of a cluster from the distances of its stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.clusters.footprint import Footprint

Float64 = NDArray[np.float64]

MIN_STARS = 30
"""Fewest stars above the field for which a core and an edge can be told apart at all."""
BINS = 60
"""Rings the distances are counted in, for the fit: finer than any structure of the profile."""
FINEST = 500.0
"""Radius of the field over the smallest core radius looked for."""
STEPS = 41
"""Of the grid in core radius, in tidal over core radius, and in the cluster's share of the stars."""
NEGLIGIBLE = 12.0
"""Log likelihood below the best one, from which on nothing is looked at again in finer steps."""
OTHERS = ((1, 2), (0, 2), (0, 1))
RATIO_RANGE = (1.2, 60.0)
"""Tidal over core radius; globular clusters end at about 300, open clusters at 30."""
WORST_FIT = 1e-3
"""Least probability of residuals this large, below which the profile does not fit."""
CONFIDENCE = 0.68


@dataclass(frozen=True)
class Interval:
    """A measured number and the interval that holds the true one with 68 %.

    Attributes:
        value: The median of what is probable.
        low, high: Ends of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class KingFit:
    """A fit of King's profile; lengths are in the unit of the distances given.

    Attributes:
        ok: Whether the numbers may be used.
        reason: Why not, in a sentence; empty when they may.
        core: Core radius.
        tidal: Tidal radius.
        concentration: log10 of tidal over core radius.
        n_cluster: Stars of the cluster within the outermost ring.
        background: Field stars per square unit.
        central: The cluster's stars per square unit in its middle.
        radius: ``(b,)`` middle of each ring.
        residual: ``(b,)`` counted minus fitted stars over the root of the fitted.
        p_value: Probability of residuals at least this large if the profile is right.
    """

    ok: bool
    reason: str
    core: Interval
    tidal: Interval
    concentration: Interval
    n_cluster: float
    background: float
    central: float
    radius: Float64
    residual: Float64
    p_value: float


def king_surface(radius: ArrayLike, core: ArrayLike, tidal: ArrayLike) -> Float64:
    """King's surface density over the constant ``k``; 0 from the tidal radius on.

    References:
        King 1962, AJ 67, 471, eq. 14.
    """
    r, rc, rt = np.broadcast_arrays(
        np.asarray(radius, float), np.asarray(core, float), np.asarray(tidal, float)
    )
    edge = 1.0 / np.sqrt(1.0 + (rt / rc) ** 2)
    return np.asarray(np.where(r < rt, (1.0 / np.sqrt(1.0 + (r / rc) ** 2) - edge) ** 2, 0.0))


def king_number(radius: ArrayLike, core: ArrayLike, tidal: ArrayLike) -> Float64:
    """Stars within a radius over the constant ``k``, in square units.

    References:
        King 1962, AJ 67, 471, eq. 18.
    """
    r, rc, rt = np.broadcast_arrays(
        np.asarray(radius, float), np.asarray(core, float), np.asarray(tidal, float)
    )
    x, xt = (np.minimum(r, rt) / rc) ** 2, (rt / rc) ** 2
    inner = np.log1p(x) - 4.0 * (np.sqrt(1.0 + x) - 1.0) / np.sqrt(1.0 + xt) + x / (1.0 + xt)
    return np.asarray(np.pi * rc**2 * inner)


def fit_king(xy: Float64, centre: Float64, footprint: Footprint, *, background: bool = True) -> KingFit:
    """Fit core radius, tidal radius, number and an even field to stars around a centre.

    The likelihood of the counts in rings is worked out on a grid of all parameters, even in the logarithms
    of the radii, and the intervals are those of the posterior; no start is guessed and nothing can diverge.
    Where the table's edge cuts a ring, only what is inside counts.

    Args:
        xy: ``(N, 2)`` places of the stars: those of the cluster's motion, at all distances.
        centre: ``(2,)`` the cluster's middle.
        footprint: What part of the plane the table covers.
        background: Whether there may be field stars among them.

    References:
        King 1962, AJ 67, 471 (the profile).
    """
    distance = np.hypot(*(xy - centre).T)
    outermost = float(np.quantile(footprint.reach(centre), 0.75)) if footprint.area else 0.0
    distance = np.sort(distance[distance <= outermost])
    if len(distance) < MIN_STARS or not outermost > 0 or distance[-1] <= 0:
        return _failed(f"{len(distance)} stars are too few for a profile; it takes {MIN_STARS}.")
    edges = _rings(outermost)
    counts = np.histogram(distance, edges)[0].astype(float)
    areas = np.diff(footprint.area_within(centre, edges))
    part = np.divide(areas, np.pi * np.diff(edges**2))
    field = areas / areas.sum()
    axes = (
        np.exp(np.linspace(np.log(outermost / FINEST), np.log(outermost), STEPS)),
        np.geomspace(*RATIO_RANGE, STEPS),
        np.linspace(0.0, 1.0, STEPS) if background else np.array([1.0]),
    )
    posterior = _log_likelihood(counts, edges, part, field, *axes)
    likely = posterior > posterior.max() - NEGLIGIBLE
    finer = [_finer(axis, likely.any(axis=others)) for axis, others in zip(axes, OTHERS, strict=True)]
    cores, ratios, shares = finer if background else (*finer[:2], axes[2])
    posterior = _log_likelihood(counts, edges, part, field, cores, ratios, shares)
    empty = float(counts @ np.log(np.maximum(field, 1e-300)))
    gain = float(posterior.max() - empty)
    probability = np.exp(posterior - posterior.max())
    probability /= probability.sum()
    best = np.unravel_index(int(np.argmax(posterior)), posterior.shape)
    likeliest = cores[best[0]], cores[best[0]] * ratios[best[1]], shares[best[2]]
    p_value = _p_value(
        counts, _expected(counts, edges, part, field, *map(float, likeliest)), 4 if background else 3
    )
    log_core = _interval(np.log(cores), probability.sum(axis=(1, 2)))
    flat = probability.sum(axis=2)
    log_tidal = _interval((np.log(cores)[:, None] + np.log(ratios)[None, :]).ravel(), flat.ravel())
    ratio = _interval(np.log10(ratios), flat.sum(axis=0))
    # What is drawn has the radii that are told: medians, which of lopsided ones are not the likeliest.
    core, tidal = float(np.exp(log_core[0])), float(np.exp(log_tidal[0]))
    given = _log_likelihood(counts, edges, part, field, np.array([core]), np.array([tidal / core]), shares)
    share = float(shares[int(np.argmax(given))])
    expected = _expected(counts, edges, part, field, core, tidal, share)
    residual = (counts - expected) / np.sqrt(np.maximum(expected, 1e-9))
    total = float(counts.sum())
    n_cluster = share * total
    reason = ""
    if gain < 8.0 and background:
        reason = "The stars are no denser in the middle than an even field would be."
    elif n_cluster < MIN_STARS:
        reason = f"{n_cluster:.0f} stars above the field are too few for a profile; it takes {MIN_STARS}."
    elif np.exp(log_core[1]) < 2.0 * outermost / FINEST or np.exp(log_core[2]) > 0.8 * outermost:
        reason = "The core radius is not bounded by these stars."
    elif p_value < WORST_FIT:
        reason = f"King's profile does not fit: residuals this large have a probability of {p_value:.1g}."
    whole = float((np.diff(king_number(edges, core, tidal)) * part).sum())
    central = float(king_surface(0.0, core, tidal)) * n_cluster / max(whole, 1e-300)
    return KingFit(
        ok=not reason,
        reason=reason,
        core=Interval(*np.exp(log_core).tolist()),
        tidal=Interval(*np.exp(log_tidal).tolist()),
        concentration=Interval(*ratio),
        n_cluster=n_cluster,
        background=(1.0 - share) * total / float(areas.sum()),
        central=central,
        radius=0.5 * (edges[1:] + edges[:-1]),
        residual=residual,
        p_value=p_value,
    )


def _log_likelihood(
    counts: Float64,
    edges: Float64,
    part: Float64,
    field: Float64,
    cores: Float64,
    ratios: Float64,
    shares: Float64,
) -> Float64:
    """``(cores, ratios, shares)`` log likelihood of the counts in rings."""
    found = np.empty((len(cores), len(ratios), len(shares)))
    for index, core in enumerate(cores):
        shape = np.diff(king_number(edges[None, :], core, (core * ratios)[:, None]), axis=1) * part
        shape /= np.maximum(shape.sum(axis=1, keepdims=True), 1e-300)  # (ratios, rings)
        mixed = shares[None, :, None] * shape[:, None, :] + (1.0 - shares)[None, :, None] * field
        found[index] = np.log(np.maximum(mixed, 1e-12)) @ counts
    return found


def _expected(
    counts: Float64, edges: Float64, part: Float64, field: Float64, core: float, tidal: float, share: float
) -> Float64:
    """``(rings,)`` stars that a profile over an even field gives, as many as were counted."""
    shape = np.diff(king_number(edges, core, tidal)) * part
    return np.asarray(counts.sum() * (share * shape / max(shape.sum(), 1e-300) + (1.0 - share) * field))


def _finer(axis: Float64, likely: NDArray[np.bool_]) -> Float64:
    """The likely part of an axis in as many steps as before; its spacing stays what it was."""
    where = np.flatnonzero(likely)
    low, high = axis[max(where[0] - 1, 0)], axis[min(where[-1] + 1, len(axis) - 1)]
    return np.geomspace(low, high, len(axis)) if axis[0] > 0 else np.linspace(low, high, len(axis))


def _rings(outermost: float) -> Float64:
    """Edges of rings in equal ratios, chosen without looking at the stars so that counts stay Poisson."""
    return np.concatenate([[0.0], np.geomspace(outermost / FINEST, outermost, BINS)])


def _interval(values: Float64, probability: Float64) -> tuple[float, float, float]:
    """Median and the middle 68 % of a distribution on a grid, between its steps."""
    order = np.argsort(values, kind="stable")
    unique, place = np.unique(np.round(values[order], 9), return_inverse=True)
    weight = np.bincount(place, probability[order])
    middle = np.cumsum(weight) - 0.5 * weight
    tails = [0.5, 0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2]
    median, low, high = np.interp(tails, middle, unique)
    return float(median), float(low), float(high)


def _p_value(counts: Float64, expected: Float64, parameters: int) -> float:
    """Of Pearson's χ² over rings that expect five stars or more."""
    from scipy.stats import chi2

    group = np.minimum((np.cumsum(expected) - 1e-9) // 6.0, max(expected.sum() // 6.0 - 1.0, 0.0))
    _, place = np.unique(group, return_inverse=True)
    seen, wanted = np.bincount(place, counts), np.bincount(place, expected)
    freedom = len(seen) - parameters
    if freedom < 1:
        return 1.0
    return float(chi2.sf(float(np.sum((seen - wanted) ** 2 / wanted)), freedom))


def _failed(reason: str) -> KingFit:
    unknown = Interval(np.nan, np.nan, np.nan)
    nothing = np.empty(0)
    return KingFit(False, reason, unknown, unknown, unknown, np.nan, np.nan, np.nan, nothing, nothing, np.nan)
