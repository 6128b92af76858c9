"""Star clusters with King's surface density."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.simulate.objects import KingCluster
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

SLOPE = 0.25
"""Of the logarithm of the number of stars against magnitude: open clusters are flatter than the field."""


def king_density(radius: ArrayLike, core: float, tidal: float) -> Float64:
    """Surface density up to a factor (King 1962, AJ 67, 471, eq. 14): 0 from the tidal radius on."""
    r = np.asarray(radius, float)
    edge = 1.0 / np.sqrt(1.0 + (tidal / core) ** 2)
    density: Float64 = np.where(r < tidal, (1.0 / np.sqrt(1.0 + (r / core) ** 2) - edge) ** 2, 0.0)
    return density


def king_fraction_within(radius: ArrayLike, core: float, tidal: float) -> Float64:
    """Part of the stars within a radius (King 1962, eq. 18, over its value at the tidal radius)."""

    def number(x: Float64) -> Float64:
        root = np.sqrt(1.0 + xt)
        inner: Float64 = np.log1p(x) - 4.0 * (np.sqrt(1.0 + x) - 1.0) / root + x / (1.0 + xt)
        return inner

    xt = (tidal / core) ** 2
    x = (np.minimum(np.asarray(radius, float), tidal) / core) ** 2
    fraction: Float64 = number(x) / number(np.asarray(xt))
    return fraction


def cluster_stars(scene: Scene, cluster: KingCluster) -> pd.DataFrame:
    """The stars of a cluster: ``ra_deg, dec_deg, g_mag, bp_mag, rp_mag``, the same for the same seed."""
    place = f"cluster {cluster.name} {cluster.ra_deg!r} {cluster.dec_deg!r}"
    rng = np.random.default_rng([scene.seed, zlib.crc32(place.encode())])
    grid = np.linspace(0.0, cluster.tidal_arcsec, 4001)
    within = king_fraction_within(grid, cluster.core_arcsec, cluster.tidal_arcsec)
    radius_deg = np.interp(rng.random(cluster.n_stars), within, grid) / 3600.0
    angle = rng.uniform(0.0, 2.0 * np.pi, cluster.n_stars)
    bright, faint = 10.0 ** (SLOPE * cluster.brightest_mag), 10.0 ** (SLOPE * cluster.faintest_mag)
    g_mag = np.log10(rng.uniform(bright, faint, cluster.n_stars)) / SLOPE
    bp_rp = _main_sequence(g_mag, cluster) + rng.normal(0.0, 0.05, cluster.n_stars)
    ra, dec = _offset(cluster.ra_deg, cluster.dec_deg, radius_deg, angle)
    return pd.DataFrame(
        {
            "ra_deg": ra,
            "dec_deg": dec,
            "g_mag": g_mag,
            "bp_mag": g_mag + 0.45 * bp_rp,
            "rp_mag": g_mag - 0.55 * bp_rp,
        }
    )


def _main_sequence(g_mag: Float64, cluster: KingCluster) -> Float64:
    """BP−RP from blue at the bright end to red at the faint one, as on a young main sequence."""
    depth = (g_mag - cluster.brightest_mag) / max(cluster.faintest_mag - cluster.brightest_mag, 1.0)
    return -0.1 + 1.5 * depth


def _offset(ra_deg: float, dec_deg: float, distance_deg: Float64, angle: Float64) -> tuple[Float64, Float64]:
    """Places at a distance and a position angle from a centre, on the sphere."""
    dec0, r = np.radians(dec_deg), np.radians(distance_deg)
    sin_dec = np.sin(dec0) * np.cos(r) + np.cos(dec0) * np.sin(r) * np.cos(angle)
    east = np.arctan2(np.sin(angle) * np.sin(r) * np.cos(dec0), np.cos(r) - np.sin(dec0) * sin_dec)
    return (ra_deg + np.degrees(east)) % 360.0, np.degrees(np.arcsin(np.clip(sin_dec, -1.0, 1.0)))
