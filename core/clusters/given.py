"""Clusters a person names: their own list of members, or a centre and a radius."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clusters.groups import FAINTEST_ERROR_MAS_YR
from core.clusters.membership import Membership, membership
from core.clusters.significance import Group, group_of, moves_with
from core.clusters.table import StarTable, project
from core.errors import ParameterInvalid

FEWEST = 3
MOST_TRIED = 4_000
"""Most stars inside a circle whose motion is tried as the cluster's; of more, a random part."""


def given_members(stars: StarTable, rows: Collection[int]) -> Membership:
    """A person's own list, taken as it is: probability 1 for those listed.

    Args:
        stars: The stars.
        rows: Rows of the table they come from.

    Raises:
        ParameterInvalid: Fewer than three of the rows are stars with a place.
    """
    listed = np.isin(stars.row, np.fromiter(rows, np.int64, len(rows)))
    if np.count_nonzero(listed) < FEWEST:
        raise ParameterInvalid(
            f"{np.count_nonzero(listed)} of the listed members are stars of this table; it takes {FEWEST}.",
            parameter="members",
            given=int(np.count_nonzero(listed)),
            limit=FEWEST,
        )
    return Membership(listed.astype(float), group_of(stars, np.flatnonzero(listed)), True)


def given_circle(
    stars: StarTable, centre: tuple[float, float], radius: float, *, fit: bool = True
) -> Membership:
    """The cluster within a circle a person drew.

    Args:
        stars: The stars.
        centre: ICRS degrees where the table is on the sky, else pixels.
        radius: Radius in the plane's unit, arcminutes or pixels.
        fit: Work out who belongs, starting at the circle; else everybody inside does.

    Raises:
        ParameterInvalid: The radius is not positive, or fewer than three stars are inside.
    """
    if not radius > 0:
        raise ParameterInvalid(
            f"radius must be above 0, got {radius!r}.", parameter="radius", given=radius, limit="above 0"
        )
    place = np.array(centre, float)
    if stars.centre_deg is not None:
        place = project(place[None, :], stars.centre_deg)[0]
    inside = np.hypot(*(stars.xy - place).T) <= radius
    if np.count_nonzero(inside) < FEWEST:
        raise ParameterInvalid(
            f"The circle holds {np.count_nonzero(inside)} stars of this table; it takes {FEWEST}.",
            parameter="radius",
            given=radius,
            limit=FEWEST,
        )
    if not fit:
        rows = np.flatnonzero(inside)
        return Membership(inside.astype(float), group_of(stars, rows), True)
    return membership(stars, _first_guess(stars, inside, place, radius))


def _first_guess(stars: StarTable, inside: NDArray[np.bool_], place: np.ndarray, radius: float) -> Group:
    """The motion that stands out most inside over outside; medians would be those of the field."""
    if stars.astrometry is None:
        return Group(place, 0.5 * radius, np.empty(0), np.empty(0))
    from scipy.spatial import cKDTree

    values, errors = stars.astrometry
    worst = errors[:, :2].max(axis=1)
    good = np.isfinite(values).all(axis=1) & (worst <= max(FAINTEST_ERROR_MAS_YR, np.median(worst)))
    own, rest = np.flatnonzero(inside & good), np.flatnonzero(~inside & good)
    if len(own) < FEWEST:
        return group_of(stars, np.flatnonzero(inside))
    reach = max(0.5, stars.typical_error)
    tried = np.random.default_rng(0).permutation(own)[:MOST_TRIED]
    here = cKDTree(values[own]).query_ball_point(values[tried], reach, return_length=True)
    expected: Any = np.zeros(len(tried))
    if len(rest):
        there = cKDTree(values[rest]).query_ball_point(values[tried], reach, return_length=True)
        expected = there * (len(own) / len(rest))
    excess = np.asarray((here - expected) / np.sqrt(expected + 1.0), float)
    peak = int(tried[int(np.argmax(excess))])
    away = np.abs(values[own] - values[peak])
    near = own[(np.hypot(*away[:, :2].T) <= 2.0 * reach) & (away[:, 2:] <= reach).all(axis=1)]
    found = group_of(stars, near)
    guess = Group(place, 0.5 * radius, found.mean, np.minimum(found.spread, reach))
    return guess if (moves_with(stars, guess) & inside).any() else found
