"""Finding clusters in a table: candidates, the test of each, its members, and one name for each cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clusters.groups import candidate_groups, features, searchable
from core.clusters.membership import MIN_PROBABILITY, Membership, membership
from core.clusters.significance import (
    FAR_LIMIT,
    SPREAD_OUT_LIMIT,
    Group,
    Significance,
    group_of,
    in_place,
    moves_too_fast,
    significance,
)
from core.clusters.table import StarTable

MAX_FITTED = 60
"""Most candidates whose members are worked out, the most significant first."""
FIRST_SIGMA = 3.0
"""Candidates below this are dropped before their members are worked out."""


@dataclass(frozen=True, eq=False)
class FoundCluster:
    """A cluster with its members.

    Attributes:
        membership: Its members and parameters.
        significance: Against the field beside it.
        reason: Why it was turned down, or an empty string.
    """

    membership: Membership
    significance: Significance
    reason: str = ""

    @property
    def group(self) -> Group:
        """Its place, size and motion."""
        return self.membership.group


@dataclass(frozen=True, eq=False)
class Search:
    """What was found in a table.

    Attributes:
        found: The clusters, largest first; equal sizes by place.
        rejected: Candidates that were fitted and turned down.
        n_candidates: How many groups were proposed.
        n_searched: How many stars took part.
    """

    found: tuple[FoundCluster, ...]
    rejected: tuple[FoundCluster, ...]
    n_candidates: int
    n_searched: int


def search(
    stars: StarTable,
    *,
    smallest: int,
    min_samples: int,
    least_sigma: float,
    progress: Callable[[float, str], None],
) -> Search:
    """Find clusters.

    Args:
        stars: The stars.
        smallest: Fewest members of a cluster.
        min_samples: Neighbours that measure how dense a place is.
        least_sigma: Least significance of a cluster.
        progress: Told the fraction done and what is being done.
    """
    rows = searchable(stars)
    progress(0.05, "looking for groups")
    sample = stars.take(rows)  # of a large table the best part, on which groups are tested in bounded time
    groups = candidate_groups(features(stars, rows), smallest, min_samples)
    if stars.astrometry is not None and len(rows) >= smallest:
        groups.append(np.arange(len(rows)))  # the table may be a list of one cluster's stars
    starts = []
    for number, group_rows in enumerate(groups):
        progress(0.5 + 0.2 * number / len(groups), "testing groups")
        group = group_of(sample, group_rows)
        sigma = significance(sample, group).sigma
        if sigma >= FIRST_SIGMA and group.radius > 0 and not moves_too_fast(group, _far_limit(stars)):
            starts.append((sigma, group))
    starts.sort(key=lambda start: (-start[0], *start[1].centre))
    fitted: list[FoundCluster] = []
    for number, (_, group) in enumerate(starts[:MAX_FITTED]):
        progress(0.7 + 0.28 * number / min(len(starts), MAX_FITTED), "working out members")
        if any(_is_same(group, other.group) for other in fitted if not other.reason):
            continue
        one = membership(stars, group)
        fitted.append(_judge(stars, one, smallest, least_sigma))
    unique = _unique(fitted)
    found = [cluster for cluster in unique if not cluster.reason]
    return Search(
        found=tuple(sorted(found, key=lambda one: (-len(one.membership.members), *one.group.centre))),
        rejected=tuple(cluster for cluster in unique if cluster.reason),
        n_candidates=len(groups),
        n_searched=len(rows),
    )


def assign(found: tuple[FoundCluster, ...], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each star's cluster (its place in ``found``; −1 for none) and its probability of the likeliest one."""
    cluster, best = np.full(count, -1), np.zeros(count)
    for number, one in enumerate(found):
        better = one.membership.probability > best
        best[better] = one.membership.probability[better]
        cluster[better & (best >= MIN_PROBABILITY)] = number
    return cluster, best


def _judge(stars: StarTable, one: Membership, smallest: int, least_sigma: float) -> FoundCluster:
    # Errors that hide how much motions spread make a clump of the motions of any field.
    tested = (significance if stars.typical_error <= FAR_LIMIT else in_place)(stars, one.group)
    reason = ""
    if len(one.members) < smallest:
        reason = "fewer members than asked for"
    elif tested.sigma < least_sigma:
        reason = "no more stars than the field beside it gives"
    elif moves_too_fast(one.group, _far_limit(stars)) or (
        moves_too_fast(one.group, SPREAD_OUT_LIMIT) and in_place(stars, one.group).sigma < least_sigma
    ):
        reason = "its stars move too differently to stay together"
    return FoundCluster(one, tested, reason)


def _far_limit(stars: StarTable) -> float:
    """Most spread in mas a year that is put up with however far a group is; less than errors is not seen."""
    return max(FAR_LIMIT, stars.typical_error)


def _is_same(a: Group, b: Group) -> bool:
    """Whether two groups are at one place with one motion."""
    if np.hypot(*(a.centre - b.centre)) > 2.0 * max(a.radius, b.radius):
        return False
    width = np.sqrt(np.maximum(a.spread, b.spread) ** 2 + 0.1**2)
    return bool((np.abs(a.mean - b.mean) <= 2.5 * width).all())


def _unique(fitted: list[FoundCluster]) -> list[FoundCluster]:
    """One of each: the most significant of those that share their place and motion, or half their members."""
    kept: list[FoundCluster] = []
    for one in sorted(fitted, key=lambda each: (bool(each.reason), -each.significance.sigma)):
        own = set(one.membership.members.tolist())
        for other in kept:
            theirs = other.membership.members
            shared = sum(row in own for row in theirs.tolist())
            if _is_same(one.group, other.group) or shared > 0.5 * max(1, min(len(own), len(theirs))):
                break
        else:
            kept.append(one)
    return kept
