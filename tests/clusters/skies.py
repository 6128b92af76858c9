"""Fields of stars with planted clusters, as Gaia would measure them."""

import numpy as np
import pandas as pd

from core.catalogues.tables import SourceTable
from core.clusters.table import ERROR_MAG, ERROR_PARALLAX, ERROR_PM


def field(rng, count, radius_arcmin=60.0):
    """An even field: places in a circle (arcmin), motions of near and far stars, parallaxes, magnitudes."""
    r = radius_arcmin * np.sqrt(rng.random(count))
    angle = rng.uniform(0, 2 * np.pi, count)
    near = rng.random(count) < 0.4
    pm = np.where(
        near[:, None], rng.normal([-1, -3], [6, 6], (count, 2)), rng.normal([-1.5, -1], [2, 2], (count, 2))
    )
    parallax = np.where(near, 0.2 + rng.exponential(0.9, count), 0.1 + rng.exponential(0.3, count))
    return stars(rng, r * np.cos(angle), r * np.sin(angle), pm, parallax, magnitudes(rng, count))


def magnitudes(rng, count, faint=18.5):
    return np.maximum(faint + np.log10(rng.random(count)) / 0.3, 8.0)


def cluster(rng, count, *, centre=(0, 0), core=3.0, tidal=25.0, pm=(-4.0, 2.0), pm_spread=0.15, parallax=1.0):
    """Members with King's profile (arcmin) and measured motions around ``pm`` (mas a year)."""
    r, angle = king_radii(rng, count, core, tidal), rng.uniform(0, 2 * np.pi, count)
    motion = rng.normal(pm, pm_spread, (count, 2))
    x, y = centre[0] + r * np.cos(angle), centre[1] + r * np.sin(angle)
    return stars(rng, x, y, motion, np.full(count, parallax), magnitudes(rng, count))


def king_radii(rng, count, core, tidal):
    grid = np.linspace(0, tidal, 4001)
    density = (1 / np.sqrt(1 + (grid / core) ** 2) - 1 / np.sqrt(1 + (tidal / core) ** 2)) ** 2 * grid
    within = np.cumsum(density)
    return np.interp(rng.random(count), within / within[-1], grid)


def stars(rng, x, y, pm, parallax, mag):
    """A table in Gaia's words about RA 120°, Dec −30°, errors added."""
    from core.clusters.table import deproject

    error = np.interp(mag, ERROR_MAG, ERROR_PM)
    parallax_error = np.interp(mag, ERROR_MAG, ERROR_PARALLAX)
    sky = deproject(np.column_stack([x, y]), (120.0, -30.0))
    count = len(mag)
    return pd.DataFrame(
        {
            "ra": sky[:, 0],
            "dec": sky[:, 1],
            "pmra": pm[:, 0] + rng.normal(0, error),
            "pmdec": pm[:, 1] + rng.normal(0, error),
            "parallax": parallax + rng.normal(0, parallax_error),
            "pmra_error": error,
            "pmdec_error": error,
            "parallax_error": parallax_error,
            "phot_g_mean_mag": mag,
            "bp_rp": 0.25 * (mag - 10) + rng.normal(0, 0.1, count),
        }
    )


def sky(rng, n_field, *clusters):
    """A table of a field and clusters, with the number of each star's cluster (−1 for the field)."""
    parts = [field(rng, n_field), *clusters]
    truth = np.repeat(np.arange(-1, len(clusters)), [len(part) for part in parts])
    table = pd.concat(parts, ignore_index=True)
    order = rng.permutation(len(table))
    return SourceTable.from_frame(table.iloc[order], "sky.csv"), truth[order]
