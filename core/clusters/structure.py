"""All that is measured of one cluster, whatever found it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.catalogues.gaia import separation_deg
from core.clusters.centre import Shape, middle, shape
from core.clusters.colours import Colours, colours
from core.clusters.distance import Distance, Mean, distance, weighted_mean
from core.clusters.footprint import Footprint
from core.clusters.kde import DensityMap, density_map
from core.clusters.membership import MIN_PROBABILITY
from core.clusters.profile import KingFit, fit_king
from core.clusters.radial import (
    Contamination,
    RadialProfile,
    contamination,
    half_number_radius,
    radial_profile,
)
from core.clusters.ripley import Ripley, ripley
from core.clusters.segregation import Segregation, segregation
from core.clusters.significance import Group, group_of, moves_with
from core.clusters.table import MAX_SPREAD_DEG, StarTable, turned, turned_errors
from core.errors import ParameterInvalid

MIN_MEMBERS = 5
"""Fewest members of which a structure is measured."""


@dataclass(frozen=True, eq=False)
class Structure:
    """A cluster's structure; lengths are in pixels, or in arcminutes on the plane that touches the sky at it.

    Attributes:
        unit: ``"arcmin"`` or ``"px"``.
        n_members: Members it is measured of.
        shape: Middle and ellipticity.
        centre_deg: ICRS degrees of the middle; NaN in pixels.
        r50, r50_error: Radius that holds half of the members, and its standard error.
        king: King's profile of all stars with the cluster's motion, over an even field.
        profile: Density and light of those stars in rings.
        contamination: Field stars among the members by radius.
        density: Map of the members.
        ripley: Whether the stars of the cluster's motion keep together, in a square around the middle that
            the table covers.
        segregation: Whether the bright members do; None without magnitudes.
        colours: Colour–magnitude and Hess diagram; None without colours.
        distance: From the parallaxes; None without any.
        r50_pc, core_pc, tidal_pc: Lengths in parsecs; NaN without a distance.
        pm: Mean proper motion east and north at the middle, or along the plane's axes in pixels, in mas a
            year; None where no member has one.
    """

    unit: str
    n_members: int
    shape: Shape
    centre_deg: tuple[float, float]
    r50: float
    r50_error: float
    king: KingFit
    profile: RadialProfile
    contamination: Contamination
    density: DensityMap
    ripley: Ripley
    segregation: Segregation | None
    colours: Colours | None
    distance: Distance | None
    r50_pc: float
    core_pc: float
    tidal_pc: float
    pm: tuple[Mean, Mean] | None


def structure(stars: StarTable, probability: NDArray[np.float64], seed: int = 0) -> Structure:
    """Measure a cluster.

    Args:
        stars: All stars of the table, the field included: profiles need it.
        probability: ``(N,)`` that each belongs; a plain list has ones and zeros.
        seed: Of every resampling.

    Raises:
        ParameterInvalid: Fewer than five stars belong, or they are all at one place.
    """
    rows = np.flatnonzero(probability >= MIN_PROBABILITY)
    xy = stars.xy[rows]
    if len(rows) < MIN_MEMBERS or not np.ptp(xy, axis=0).any():
        at_one = len(rows) >= MIN_MEMBERS
        raise ParameterInvalid(
            "All members are at one place: there is no structure to measure."
            if at_one
            else f"A structure is measured of {MIN_MEMBERS} members or more, got {len(rows)}.",
            parameter="members",
            given=len(rows),
            limit=MIN_MEMBERS,
        )
    stars, probability = _at_the_cluster(stars, probability, xy)
    rows = np.flatnonzero(probability >= MIN_PROBABILITY)
    xy = stars.xy[rows]
    own_shape = shape(xy, seed)
    centre = own_shape.centre
    r50, r50_error = half_number_radius(xy, centre, seed)
    footprint = stars.footprint
    group = group_of(stars, rows)
    alike = stars.xy[_alike(stars, group)]
    outermost = float(np.hypot(*(xy - centre).T).max())
    covered = float(np.quantile(footprint.reach(centre), 0.75)) if footprint.area else outermost
    reach = min(max(3.0 * r50, outermost), covered) if covered > 0 else outermost
    half = min(reach / np.sqrt(2.0), footprint.square(centre))
    near = (np.abs(alike - centre) <= half).all(axis=1)  # Ripley's L is that of a filled rectangle
    king = fit_king(alike, centre, footprint)
    known = stars.astrometry is not None or stars.parallax is not None
    far = distance(*_parallaxes(stars, rows)) if known else None
    mag = stars.mag
    return Structure(
        unit=stars.unit,
        n_members=len(rows),
        shape=own_shape,
        centre_deg=(float(stars.sky(centre)[0]), float(stars.sky(centre)[1])),
        r50=r50,
        r50_error=r50_error,
        king=king,
        profile=radial_profile(
            alike, centre, footprint, reach, None if mag is None else mag[_alike(stars, group)]
        ),
        contamination=contamination(xy, probability[rows], centre, outermost),
        density=density_map(xy, seed=seed),
        ripley=ripley(alike[near], seed=seed),
        segregation=None if mag is None else segregation(xy, mag[rows], seed),
        colours=_colours(stars, rows, centre, outermost, footprint),
        distance=far,
        r50_pc=_parsecs(far, stars, r50),
        core_pc=_parsecs(far, stars, king.core.value),
        tidal_pc=_parsecs(far, stars, king.tidal.value),
        pm=_motion(stars, rows, centre),
    )


def _at_the_cluster(
    stars: StarTable, probability: NDArray[np.float64], members: NDArray[np.float64]
) -> tuple[StarTable, NDArray[np.float64]]:
    """The stars around a cluster on its own plane: far from the middle of a table's, lengths are too long."""
    if stars.centre_deg is None:
        return stars, probability
    sky, (ra, dec) = stars.sky(stars.xy), stars.sky(middle(members))
    near = np.flatnonzero(separation_deg(sky[:, 0], sky[:, 1], ra, dec) <= MAX_SPREAD_DEG)
    return stars.take(near).on_plane_at((float(ra), float(dec))), probability[near]


def _alike(stars: StarTable, group: Group) -> NDArray[np.bool_]:
    """Stars of the cluster's motion at all distances: unlike the members, not chosen by their place."""
    return moves_with(stars, group, window_sigma=3.0)


def _parallaxes(stars: StarTable, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if stars.parallax is None or stars.parallax_error is None:
        nothing = np.full(len(rows), np.nan)
        return nothing, nothing
    return stars.parallax[rows], stars.parallax_error[rows]


def _parsecs(far: Distance | None, stars: StarTable, length: float) -> float:
    return np.nan if far is None or stars.unit != "arcmin" else far.size_pc(length)


def _motion(
    stars: StarTable, rows: NDArray[np.int64], centre: NDArray[np.float64]
) -> tuple[Mean, Mean] | None:
    if stars.pm is None or stars.pm_error is None or not np.isfinite(stars.pm[rows]).any(axis=0).all():
        return None
    turn = stars.turn_to(centre)
    pm, error = turned(stars.pm[rows], turn), turned_errors(stars.pm_error[rows], turn)
    return weighted_mean(pm[:, 0], error[:, 0]), weighted_mean(pm[:, 1], error[:, 1])


def _colours(
    stars: StarTable,
    rows: NDArray[np.int64],
    centre: NDArray[np.float64],
    outermost: float,
    footprint: Footprint,
) -> Colours | None:
    """Diagrams of the members; without proper motions, with the field beside them to be taken off."""
    if stars.colour is None or stars.mag is None:
        return None
    if stars.astrometry is not None:
        return colours(stars.colour[rows], stars.mag[rows])
    inner = footprint.area_within(centre, np.array([outermost]))[0]
    beyond = np.hypot(*(stars.xy - centre).T) > outermost
    rest = footprint.area - inner
    if not beyond.any() or rest <= 0:
        return colours(stars.colour[rows], stars.mag[rows])
    scale = float(inner / rest)
    return colours(stars.colour[rows], stars.mag[rows], stars.colour[beyond], stars.mag[beyond], scale)
