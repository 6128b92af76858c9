"""Real Gaia cones, and members of real clusters moved into them.

A moved cluster is one that the same stars would make at another distance: magnitudes grow fainter, proper
motions and parallaxes smaller, and noise is added up to what stars of the new magnitude have. Its size on the
sky is drawn apart from that, so that it fits into the cone. In a part of the injections the places are drawn
from King's profile, whose core radius is then known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.tables import SourceTable, read_table
from core.clusters.table import (
    ERROR_MAG,
    ERROR_PARALLAX,
    ERROR_PM,
    StarTable,
    deproject,
    north_turn,
    project,
    star_table,
    turned,
)
from core.simulate.clusters import king_fraction_within

Float64 = NDArray[np.float64]

SEED = 5_200_000
CONES = {
    "RA 45° Dec 0°": "gaia_dr3_field_ra45_dec0_r0.5deg.csv",
    "NGC 103": "asteca_gaia_dr3_field.csv",
    "NGC 7789": "ngc7789_gaia_region_unlabelled.csv",
    "NGC 6405": "ngc6405_gaia_region_unlabelled.csv",
    "NGC 2477": "ngc2477_gaia_region_unlabelled.csv",
    "NGC 225": "ngc225_gaia_region_unlabelled.csv",
}
"""Cones by what is in their middle."""
MEMBERS = {
    "NGC 2516": "ngc2516_asteca_gaia_dr3_members.csv",
    "Hyades": "hyades_gaia_dr2_members.csv",
    "α Per": "alphaPer_gaia_dr2_members.csv",
}
KNOWN = "ucc_2308_cluster_catalogue.csv"
N_INJECTED, N_EMPTY = 222, 36
"""Injections, and cones or random halves of them without any."""
N_WITHOUT_PARALLAX = 74
"""Injections that are searched without their parallaxes too, as are all cones without any."""
KPC = (0.5, 2.0)
FAINTEST_MAG = 18.0
"""Fainter members are left out, as membership catalogues do."""
NUMBERS, KING_NUMBERS = (30, 600), (150, 900)
SIZE_SHARE = (0.06, 0.22)
"""Radius that holds half of the members over half of the cone's shorter side."""
SPEED_KM_S = 12.0
"""Spread of each component of a cluster's motion across the sky against that of the field."""
KING_SHARE = 0.5
CONCENTRATION = (4.0, 8.0)


@dataclass(frozen=True, eq=False)
class Sky:
    """A table with a moved cluster in it, or without.

    Attributes:
        name: Of the table.
        source: What a method is given.
        is_member: ``(N,)`` of its rows.
        core: Core radius in arcminutes, where its places are King's.
        centre_deg: Of the cluster, ICRS degrees.
    """

    name: str
    source: SourceTable
    is_member: NDArray[np.bool_]
    core: float | None
    centre_deg: tuple[float, float] | None


def injected(folder: Path, number: int, seed: int = SEED) -> Sky:
    """A cone with one moved cluster.

    Args:
        folder: Of the tables.
        number: Which injection.
        seed: The benchmark's; others are for development.
    """
    rng = np.random.default_rng([seed, number])
    cone = _stars(folder, list(CONES.values())[number % len(CONES)])
    which = list(MEMBERS)[(number // len(CONES)) % len(MEMBERS)]
    members = _stars(folder, MEMBERS[which])
    assert cone.centre_deg is not None
    assert members.parallax is not None
    assert members.mag is not None
    own = float(1.0 / np.nanmedian(members.parallax))
    far = float(np.exp(rng.uniform(*np.log(KPC))))
    closer = own / far
    mag = members.mag - 5.0 * np.log10(closer)
    bright = np.flatnonzero((mag <= FAINTEST_MAG) & np.isfinite(members.pm).all(axis=1))
    of_king = rng.random() < KING_SHARE
    count = int(np.exp(rng.uniform(*np.log(KING_NUMBERS if of_king else NUMBERS))))
    # Places of King's profile are new, so that a star may stand for several; real places are used once.
    kept = np.sort(rng.choice(bright, count if of_king else min(count, len(bright)), replace=of_king))
    mag = mag[kept]
    half_side = 0.5 * float(np.ptp(cone.xy, axis=0).min())
    half = half_side * float(np.exp(rng.uniform(*np.log(SIZE_SHARE))))
    core = None
    if of_king:
        concentration = float(rng.uniform(*CONCENTRATION))
        grid = np.linspace(0.0, concentration, 2001)
        within = king_fraction_within(grid, 1.0, concentration)
        core = half / float(np.interp(0.5, within, grid))
        radius = core * np.interp(rng.random(len(kept)), within, grid)
        towards = rng.uniform(0.0, 2.0 * np.pi, len(kept))
        place = radius[:, None] * np.column_stack([np.cos(towards), np.sin(towards)])
    else:
        place = members.xy - np.median(members.xy, axis=0)
        place *= half / float(np.median(np.hypot(*place.T)))
        place = place[kept]
    limits = 0.55 * half_side
    centre = np.median(cone.xy, axis=0) + rng.uniform(-limits, limits, 2)
    xy = centre + place
    sky = deproject(xy, cone.centre_deg)
    pm, pm_error = _moved_motion(members, kept, closer, mag, rng)
    field = np.nanmedian(cone.pm, axis=0) if cone.pm is not None else np.zeros(2)
    pm += field + rng.normal(0.0, SPEED_KM_S / 4.7404 / far, 2)
    pm = turned(pm, -north_turn(sky, cone.centre_deg))
    parallax, parallax_error = _moved_parallax(members, kept, far, closer, mag, rng)
    added = pd.DataFrame(
        {
            "ra": sky[:, 0],
            "dec": sky[:, 1],
            "pmra": pm[:, 0],
            "pmdec": pm[:, 1],
            "pmra_error": pm_error,
            "pmdec_error": pm_error,
            "parallax": parallax,
            "parallax_error": parallax_error,
            "phot_g_mean_mag": mag,
            "bp_rp": members.colour[kept] if members.colour is not None else np.nan,
        }
    )
    inside = _inside(xy, cone)
    table = pd.concat([_plain(cone), added[inside]], ignore_index=True)
    name = f"{number:04d} {which} in {list(CONES)[number % len(CONES)]}"
    is_member = np.arange(len(table)) >= len(cone)
    order = rng.permutation(len(table))
    place_deg = deproject(centre, cone.centre_deg)
    return Sky(
        name,
        SourceTable.from_frame(table.iloc[order], name),
        is_member[order],
        core,
        (float(place_deg[0]), float(place_deg[1])),
    )


def empty(folder: Path, number: int, seed: int = SEED) -> Sky:
    """A cone as it is, or a random half of it; what is known to be there is to be ignored."""
    rng = np.random.default_rng([seed, number, 1])
    cone = _stars(folder, list(CONES.values())[number % len(CONES)])
    table = _plain(cone)
    if number >= len(CONES):
        table = table.iloc[np.sort(rng.permutation(len(table))[: len(table) // 2])]
    name = f"empty {number:04d} {list(CONES)[number % len(CONES)]}"
    return Sky(name, SourceTable.from_frame(table, name), np.zeros(len(table), bool), None, None)


def without_parallax(sky: Sky) -> Sky:
    """The same stars, their parallaxes taken away."""
    name = f"{sky.name}, without parallax"
    table = sky.source.table.drop(columns=["parallax", "parallax_error"])
    return replace(sky, name=name, source=SourceTable.from_frame(table, name))


@lru_cache(maxsize=1)
def known_clusters(folder: Path) -> pd.DataFrame:
    """Catalogued clusters with ``RA_ICRS, DE_ICRS, r_50`` (arcmin) and ``pmRA, pmDE`` (mas a year)."""
    return pd.read_csv(folder / KNOWN)


def is_known(folder: Path, ra_deg: float, dec_deg: float, pm: tuple[float, float]) -> bool:
    """Whether a cluster of that place and motion is catalogued."""
    known = known_clusters(folder)
    offset = project(known[["RA_ICRS", "DE_ICRS"]].to_numpy(float), (ra_deg, dec_deg))
    away = np.hypot(*offset.T)
    moves = np.hypot(known["pmRA"] - pm[0], known["pmDE"] - pm[1])
    near = (np.abs(known["DE_ICRS"] - dec_deg) < 5.0) & (away < 3.0 * known["r_50"] + 5.0)
    return bool((near & (moves < 1.0)).any())


def fingerprint(skies: list[Sky]) -> str:
    """sha256 of the tables."""
    return hashlib.sha256("".join(sky.source.sha256 for sky in skies).encode()).hexdigest()


@cache
def _stars(folder: Path, file: str) -> StarTable:
    return star_table(read_table(folder / file))


def _plain(stars: StarTable) -> pd.DataFrame:
    sky = stars.sky(stars.xy)
    assert stars.own_pm is not None
    assert stars.pm_error is not None
    pm = stars.own_pm
    return pd.DataFrame(
        {
            "ra": sky[:, 0],
            "dec": sky[:, 1],
            "pmra": pm[:, 0],
            "pmdec": pm[:, 1],
            "pmra_error": stars.pm_error[:, 0],
            "pmdec_error": stars.pm_error[:, 1],
            "parallax": stars.parallax,
            "parallax_error": stars.parallax_error,
            "phot_g_mean_mag": stars.mag,
            "bp_rp": stars.colour if stars.colour is not None else np.nan,
        }
    )


def _inside(xy: Float64, cone: StarTable) -> NDArray[np.bool_]:
    """Whether places lie within the cone's outline."""
    from core.clusters.footprint import Footprint

    sides = Footprint.of(cone.xy).sides
    return np.asarray((xy @ sides[:, :2].T + sides[:, 2] <= 0).all(axis=1))


def _moved_motion(
    members: StarTable, kept: NDArray[np.int64], closer: float, mag: Float64, rng: np.random.Generator
) -> tuple[Float64, Float64]:
    """Motions of the members within their cluster, seen from afar, with the errors of their new magnitudes.

    What a motion common to all looks like in perspective, a slope over the sky, is taken off first.
    """
    assert members.pm is not None
    assert members.pm_error is not None
    good = np.isfinite(members.pm).all(axis=1)
    terms = np.column_stack([np.ones(len(members)), members.xy])
    pm = members.pm - terms @ np.linalg.lstsq(terms[good], members.pm[good], rcond=None)[0]
    old = closer * members.pm_error[kept].max(axis=1)
    new = np.interp(mag, ERROR_MAG, ERROR_PM)
    noise = np.sqrt(np.maximum(new**2 - old**2, 0.0))
    return closer * pm[kept] + noise[:, None] * rng.normal(size=(len(kept), 2)), np.maximum(new, old)


def _moved_parallax(
    members: StarTable,
    kept: NDArray[np.int64],
    far: float,
    closer: float,
    mag: Float64,
    rng: np.random.Generator,
) -> tuple[Float64, Float64]:
    """Parallaxes of stars that are all at one distance: a cluster's depth is less than their errors."""
    new = np.interp(mag, ERROR_MAG, ERROR_PARALLAX)
    return 1.0 / far + new * rng.normal(size=len(kept)), new
