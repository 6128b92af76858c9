"""A made-up table of stars as Gaia would measure them, with two clusters in it whose members are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.tables import SourceTable
from core.clusters.distance import ZERO_POINT_MAS
from core.clusters.table import ERROR_MAG, ERROR_PARALLAX, ERROR_PM, deproject
from core.simulate.catalogue_colours import intrinsic_colour
from core.simulate.clusters import king_fraction_within

Float64 = NDArray[np.float64]

NAME = "Made-up field"
CENTRE_DEG = (105.0, -8.0)
RADIUS_ARCMIN = 60.0
FAINTEST_MAG = 18.0
KM_S = 4.7404
"""Kilometres a second of a star 1 kpc away that moves 1 mas a year."""
SUN_KM_S = (-11.0, -14.0)
"""What the Sun's own motion adds to every star's, east and north."""
COLUMNS = ("ra", "dec", "phot_g_mean_mag", "bp_rp", "pmra", "pmdec", "parallax", "pmra_error", "pmdec_error",
           "parallax_error", "truth")  # fmt: skip


def example_table(seed: int = 1) -> SourceTable:
    """A field of 6,000 stars and clusters of 320 and 90, at 620 and 1,350 pc.

    Places of members follow King's profile, stars of the field are even in place and move as they please;
    errors are those of Gaia DR3. The column ``truth`` is 1 or 2 for a member of that cluster, else 0.

    Args:
        seed: Equal seeds give equal tables.
    """
    rng = np.random.default_rng(seed)
    parts = [
        _field(rng, 6000),
        _cluster(rng, 320, centre=(-9.0, 6.0), core=5.0, tidal=38.0, kpc=0.62, pm=(-4.1, -5.6)),
        _cluster(rng, 90, centre=(31.0, -20.0), core=2.5, tidal=14.0, kpc=1.35, pm=(1.6, -0.4)),
    ]
    for number, part in enumerate(parts):
        part["truth"] = number
    table = pd.concat(parts, ignore_index=True)
    table = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    units = {"ra": "deg", "dec": "deg", "pmra": "mas / yr", "pmdec": "mas / yr", "parallax": "mas"}
    return SourceTable.from_frame(table[list(COLUMNS)], NAME, units=units)


def _field(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Stars at all distances, most of them 1 to 3 kpc away, the faint ones far more than the bright."""
    kpc = rng.gamma(3.0, 0.8, 12 * count).clip(0.08, 6.0)
    absolute = 9.0 + np.log10(rng.uniform(1e-5, 1.0, len(kpc))) / 0.35
    seen = np.flatnonzero(_apparent(absolute, kpc) < FAINTEST_MAG)[:count]
    kpc, absolute = kpc[seen], absolute[seen]
    r, angle = RADIUS_ARCMIN * np.sqrt(rng.random(len(seen))), rng.uniform(0.0, 2.0 * np.pi, len(seen))
    velocity = rng.normal(SUN_KM_S, (32.0, 24.0), (len(seen), 2))
    place = np.column_stack([r * np.cos(angle), r * np.sin(angle)])
    giant = (absolute < 3.0) & (rng.random(len(seen)) < 0.5)
    return _measured(rng, place, velocity / (KM_S * kpc[:, None]), kpc, absolute, giant)


def _cluster(
    rng: np.random.Generator,
    count: int,
    *,
    centre: tuple[float, float],
    core: float,
    tidal: float,
    kpc: float,
    pm: tuple[float, float],
) -> pd.DataFrame:
    grid = np.linspace(0.0, tidal, 2001)
    r = np.interp(rng.random(count), king_fraction_within(grid, core, tidal), grid)
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    place = np.column_stack([r * np.cos(angle), r * np.sin(angle)]) + centre
    motion = rng.normal(pm, 0.7 / (KM_S * kpc), (count, 2))
    faintest = FAINTEST_MAG - _apparent(np.zeros(1), np.array([kpc]))[0]
    absolute = rng.triangular(-0.5, faintest, faintest, count)
    return _measured(rng, place, motion, np.full(count, kpc), absolute, np.zeros(count, bool))


def _apparent(absolute: Float64, kpc: Float64) -> Float64:
    return absolute + 5.0 * np.log10(100.0 * kpc) + 0.5 * kpc


def _measured(
    rng: np.random.Generator,
    place: Float64,
    motion: Float64,
    kpc: Float64,
    absolute: Float64,
    giant: NDArray[np.bool_],
) -> pd.DataFrame:
    count = len(place)
    mag = _apparent(absolute, kpc) - 0.75 * (rng.random(count) < 0.15)  # some are two stars in one
    colour = intrinsic_colour(absolute, giant) + 0.25 * kpc + rng.normal(0.0, 0.03, count)
    pm_error, parallax_error = (np.interp(mag, ERROR_MAG, error) for error in (ERROR_PM, ERROR_PARALLAX))
    sky = deproject(place, CENTRE_DEG)
    return pd.DataFrame(
        {
            "ra": sky[:, 0],
            "dec": sky[:, 1],
            "phot_g_mean_mag": mag,
            "bp_rp": colour,
            "pmra": motion[:, 0] + rng.normal(0.0, pm_error),
            "pmdec": motion[:, 1] + rng.normal(0.0, pm_error),
            "parallax": 1.0 / kpc + ZERO_POINT_MAS + rng.normal(0.0, parallax_error),
            "pmra_error": pm_error,
            "pmdec_error": pm_error,
            "parallax_error": parallax_error,
        }
    )
