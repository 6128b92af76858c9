"""The random objects of a scene's extras, at places that every exposure of it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.simulate.geometry import scene_wcs
from core.simulate.objects import Galaxy, KingCluster, Nebula
from core.simulate.photometry import magnitude, surface_electrons
from core.simulate.scene import Scene
from core.simulate.streams import sky_stream

if TYPE_CHECKING:
    from astropy.wcs import WCS

GALAXY_SLOPE = 0.5
"""Of the logarithm of the number of galaxies against magnitude, a little under the 0.6 of flat space."""
GALAXY_RANGE_MAG = 6.0


def all_objects(scene: Scene) -> tuple[list[Galaxy], list[Nebula], list[KingCluster]]:
    """The objects given in the scene, then the random ones."""
    return (
        [*scene.galaxies, *_galaxies(scene)],
        [*scene.nebulae, *_nebulae(scene)],
        [*scene.clusters, *_clusters(scene)],
    )


def _place(scene: Scene, wcs: WCS, rng: np.random.Generator, beyond: float) -> tuple[float, float]:
    """A place in the frame as it was aimed, or beyond its sides by at most this part of them."""
    camera, pointing = scene.camera, scene.pointing
    x = rng.uniform(-beyond, 1.0 + beyond) * camera.width + pointing.offset_x_px
    y = rng.uniform(-beyond, 1.0 + beyond) * camera.height + pointing.offset_y_px
    ra, dec = wcs.wcs_pix2world([[x, y]], 0)[0]
    return float(ra % 360.0), float(dec)


def _visible_mag_arcsec2(scene: Scene) -> float:
    """The surface brightness that equals the noise of a pixel of empty sky."""
    camera = scene.camera
    sky_e = surface_electrons(scene, scene.sky.brightness_mag_arcsec2)
    variance = sky_e + camera.dark_e_s * camera.exposure_s + camera.read_noise_e**2
    noise_e = max(np.sqrt(variance / camera.n_stacked), 1e-3)
    return float(magnitude(scene, noise_e / scene.pixel_scale_arcsec**2))


def _galaxies(scene: Scene) -> list[Galaxy]:
    """Most faint and small, a few large: the size follows the light, with scatter."""
    rng = sky_stream(scene, "galaxies")
    wcs, scale = scene_wcs(scene), scene.pixel_scale_arcsec
    limit = _visible_mag_arcsec2(scene) - 2.5 * np.log10(20.0 * (scene.fwhm_px * scale) ** 2) + 2.0
    found = []
    for _ in range(scene.extras.galaxies):
        ra, dec = _place(scene, wcs, rng, 0.02)
        fainter = 1.0 - rng.random() * (1.0 - 10.0 ** (-GALAXY_SLOPE * GALAXY_RANGE_MAG))
        mag = limit + np.log10(fainter) / GALAXY_SLOPE
        radius = scale * scene.fwhm_px * 1.2 * 10.0 ** (0.17 * (limit - mag)) * np.exp(rng.normal(0.0, 0.3))
        disc = rng.random() < 0.75
        bulge = float(rng.uniform(0.0, 0.5)) if disc else 0.0
        found.append(
            Galaxy(
                ra_deg=ra,
                dec_deg=dec,
                mag=float(np.clip(mag, -2.0, 30.0)),
                r_half_arcsec=float(np.clip(radius, 0.05, 7200.0)),
                sersic_n=1.0 if disc else 4.0,
                axis_ratio=float(rng.uniform(0.2, 1.0) if disc else rng.uniform(0.6, 1.0)),
                angle_deg=float(rng.uniform(0.0, 180.0)),
                bulge_fraction=bulge if bulge > 0.1 else 0.0,
                bulge_r_half_arcsec=float(np.clip(0.3 * radius, 0.05, 7200.0)),
                bp_rp=float(rng.normal(0.9 if disc else 1.3, 0.15)),
            )
        )
    return found


def _nebulae(scene: Scene) -> list[Nebula]:
    """Faint clouds as large as a good part of the frame, often cut by its edge."""
    rng = sky_stream(scene, "nebulae")
    side_arcsec = min(scene.camera.width, scene.camera.height) * scene.pixel_scale_arcsec
    limit = _visible_mag_arcsec2(scene)
    wcs = scene_wcs(scene)
    found = []
    for i in range(scene.extras.nebulae):
        ra, dec = _place(scene, wcs, rng, 0.15)
        found.append(
            Nebula(
                name=f"nebula {i + 1}",
                ra_deg=ra,
                dec_deg=dec,
                kind="emission" if rng.random() < 0.8 else "reflection",
                brightness_mag_arcsec2=float(np.clip(limit - rng.uniform(0.0, 3.0), 8.0, 30.0)),
                radius_arcsec=float(np.clip(side_arcsec * rng.uniform(0.25, 1.0), 1.0, 36_000.0)),
                axis_ratio=float(rng.uniform(0.4, 1.0)),
                angle_deg=float(rng.uniform(0.0, 180.0)),
                texture=float(rng.uniform(0.6, 1.6)),
            )
        )
    return found


def _clusters(scene: Scene) -> list[KingCluster]:
    """Open clusters, the brightest stars a good deal above the noise."""
    rng = sky_stream(scene, "clusters")
    side_arcsec = min(scene.camera.width, scene.camera.height) * scene.pixel_scale_arcsec
    faintest = _visible_mag_arcsec2(scene) - 2.5 * np.log10(
        10.0 * (scene.fwhm_px * scene.pixel_scale_arcsec) ** 2
    )
    wcs = scene_wcs(scene)
    found = []
    for i in range(scene.extras.clusters):
        ra, dec = _place(scene, wcs, rng, -0.1)
        core = float(np.clip(side_arcsec * rng.uniform(0.02, 0.08), 0.1, 36_000.0))
        found.append(
            KingCluster(
                name=f"cluster {i + 1}",
                ra_deg=ra,
                dec_deg=dec,
                n_stars=int(rng.integers(60, 400)),
                core_arcsec=core,
                tidal_arcsec=core * float(rng.uniform(3.0, 10.0)),
                brightest_mag=float(np.clip(faintest - rng.uniform(5.0, 7.0), -2.0, 29.0)),
                faintest_mag=float(np.clip(faintest + 0.5, -1.0, 30.0)),
            )
        )
    return found
