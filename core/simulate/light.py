"""Drawing the sky: each function adds the light that reaches the sensor to an image, and gives its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.simulate.galaxies import ellipse_box, galaxy_box, galaxy_stamp
from core.simulate.geometry import transmission
from core.simulate.halo import add_halos
from core.simulate.nebulae import EXTENT, nebula_electrons
from core.simulate.objects import Galaxy, KingCluster, Nebula
from core.simulate.photometry import channel_shares, electrons, magnitude
from core.simulate.psf import FieldPsf
from core.simulate.scene import Scene
from core.simulate.stars import Stars, add_stars
from core.simulate.truth import object_row, star_rows

Float64 = NDArray[np.float64]
Row = dict[str, Any]

PLANE_SHARES = {"mono": (1.0,), "rgb": (1.0, 1.0, 1.0), "bayer": (0.25, 0.5, 0.25)}
"""Part of the pixels that see each plane."""
VISIBLE_SIGMA = 0.5
"""A nebula's box holds what is above this part of the noise of a pixel."""


@dataclass(frozen=True, eq=False)
class Background:
    """What each pixel collects without stars and objects.

    Attributes:
        level_e: ``(C, H, W)`` electrons of one exposure: sky and dark current.
        read_noise_e: Of one exposure.
    """

    level_e: Float64
    read_noise_e: float

    def variance_in(self, window: tuple[slice, slice, slice]) -> Float64:
        """``(C, h, w)`` variance of one exposure in a part of the frame."""
        part: Float64 = self.level_e[window] + self.read_noise_e**2
        return part

    def variance_at(self, x: Float64, y: Float64) -> Float64:
        """``(N, C)`` variance at pixels; at the nearest one for places outside."""
        _, height, width = self.level_e.shape
        column = np.clip(np.rint(x).astype(int), 0, width - 1)
        row = np.clip(np.rint(y).astype(int), 0, height - 1)
        at: Float64 = self.level_e[:, row, column].T + self.read_noise_e**2
        return at


def draw_stars(
    light_e: Float64, scene: Scene, stars: pd.DataFrame, xy: Float64, background: Background
) -> pd.DataFrame:
    """Add stars at ``(N, 2)`` pixels, halos included; the rows also of those outside the frame."""
    x, y, n = xy[:, 0], xy[:, 1], scene.camera.n_stacked
    arriving = electrons(scene, stars["g_mag"]) * np.clip(transmission(scene, x, y), 0.0, None)
    flux_e = arriving[:, None] * channel_shares(scene, stars["bp_mag"] - stars["rp_mag"])
    # The whole stack's light against the whole stack's noise decides how far a star is seen.
    everything = Stars(x, y, flux_e * n, background.variance_at(x, y) * n)
    sharp = Stars(x, y, everything.flux_e * (1.0 - scene.seeing.halo_fraction), everything.noise_variance_e2)
    shares = np.array(PLANE_SHARES[scene.camera.mode])
    stacked_e = np.zeros_like(light_e)
    snr = add_stars(stacked_e, sharp, FieldPsf(scene), shares)
    add_halos(stacked_e, everything, scene)
    stacked_e /= n
    light_e += stacked_e
    return star_rows(stars, xy, everything.flux_e @ shares, snr)


def draw_galaxy(
    light_e: Float64, scene: Scene, galaxy: Galaxy, xy: Float64, background: Background
) -> Row | None:
    """Add a galaxy at pixel ``xy``; None when it lies outside the frame."""
    x, y = float(xy[0]), float(xy[1])
    box = galaxy_box(scene, galaxy, x, y)
    if not np.isfinite(xy).all() or _outside(scene, box):
        return None
    stamp, left, bottom = galaxy_stamp(scene, galaxy, x, y)
    side = stamp.shape[0]
    _, height, width = light_e.shape
    y0, y1, x0, x1 = max(bottom, 0), min(bottom + side, height), max(left, 0), min(left + side, width)
    if y0 >= y1 or x0 >= x1:
        return None
    flux_e = electrons(scene, galaxy.mag) * channel_shares(scene, galaxy.bp_rp)[0]
    open_to = transmission(scene, np.arange(x0, x1), np.arange(y0, y1)[:, None])
    seen = flux_e[:, None, None] * stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left] * open_to
    light_e[:, y0:y1, x0:x1] += seen
    snr = _snr(scene, seen, background.variance_in(np.s_[:, y0:y1, x0:x1]))
    arriving = flux_e * max(float(transmission(scene, x, y)), 0.0)
    total = float(arriving @ PLANE_SHARES[scene.camera.mode]) * scene.camera.n_stacked
    return object_row(scene, "galaxy", galaxy, box, total, galaxy.mag, snr)


def draw_nebula(
    light_e: Float64, scene: Scene, nebula: Nebula, xy: Float64, background: Background
) -> Row | None:
    """Add a nebula with its middle at pixel ``xy``; None when nothing of it can be seen on the frame.

    Its box holds the pixels above :data:`VISIBLE_SIGMA` of the noise, as the eye would draw it on the
    finished frame; ``mag`` and ``flux`` are those of the light on the frame.
    """
    if not np.isfinite(xy).all():
        return None
    x, y = float(xy[0]), float(xy[1])
    radius_px = nebula.radius_arcsec / scene.pixel_scale_arcsec * EXTENT
    if _outside(scene, ellipse_box(scene, x, y, radius_px, nebula.axis_ratio, nebula.angle_deg)):
        return None
    _, height, width = light_e.shape
    cloud = nebula_electrons(scene, nebula, x, y)
    cloud *= transmission(scene, np.arange(width), np.arange(height)[:, None])
    light_e += cloud
    variance = background.variance_in(np.s_[:, :, :])
    noise = np.sqrt(variance.sum(axis=0) / scene.camera.n_stacked)
    visible = cloud.sum(axis=0) > VISIBLE_SIGMA * noise
    if not visible.any():
        return None
    columns, rows = np.flatnonzero(visible.any(axis=0)), np.flatnonzero(visible.any(axis=1))
    box = (columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5)
    shares = np.array(PLANE_SHARES[scene.camera.mode])
    total = float(cloud.sum(axis=(1, 2)) @ shares) * scene.camera.n_stacked
    solar = channel_shares(scene, np.nan)[0] @ shares
    mag = float(magnitude(scene, total / scene.camera.n_stacked / solar))
    return object_row(scene, "nebula", nebula, box, total, mag, _snr(scene, cloud, variance))


def cluster_row(scene: Scene, cluster: KingCluster, xy: Float64, members: pd.DataFrame) -> Row | None:
    """The row of a cluster whose stars' rows are ``members``; None when it lies outside the frame.

    The box goes out to a third of the tidal radius, or to three core radii where that is more: the
    stars beyond are too few to be seen as belonging to it. Its SNR is that of its stars together.
    """
    if not np.isfinite(xy).all():
        return None
    x, y = float(xy[0]), float(xy[1])
    reach_arcsec = min(max(3.0 * cluster.core_arcsec, cluster.tidal_arcsec / 3.0), cluster.tidal_arcsec)
    reach = reach_arcsec / scene.pixel_scale_arcsec
    flux_e = float(members["flux"].sum())
    mag = float(-2.5 * np.log10(np.sum(10.0 ** (-0.4 * members["mag"].to_numpy(float)))))
    snr = float(np.sqrt(np.sum(members["snr"].to_numpy(float) ** 2)))
    return object_row(
        scene, "cluster", cluster, (x - reach, y - reach, x + reach, y + reach), flux_e, mag, snr
    )


def with_members(stars: pd.DataFrame, clusters: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The catalogue's stars, then those of the clusters; ``cluster`` is −1 or the number of the cluster."""
    tables = [stars.assign(cluster=-1)]
    for number, members in enumerate(clusters):
        tables.append(members.assign(real=False, source_id=0, cluster=number))
    return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0].reset_index(drop=True)


def _outside(scene: Scene, box: tuple[float, float, float, float]) -> bool:
    return not (
        box[2] > -0.5
        and box[3] > -0.5
        and box[0] < scene.camera.width - 0.5
        and box[1] < scene.camera.height - 0.5
    )


def _snr(scene: Scene, light_e: Float64, variance_e2: Float64) -> float:
    """Signal-to-noise ratio over the stack of weighting by the true image, own light's noise included."""
    light = np.maximum(light_e, 0.0)
    shares = np.array(PLANE_SHARES[scene.camera.mode])[:, None, None]
    return float(np.sqrt(np.sum(shares * light**2 / (variance_e2 + light)) * scene.camera.n_stacked))
