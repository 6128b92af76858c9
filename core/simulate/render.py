"""From a scene and its stars to a frame and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ParameterInvalid
from core.frames import Frame
from core.methods import Progress, no_progress
from core.results import Detections
from core.simulate import artefacts, detector
from core.simulate.clusters import cluster_stars
from core.simulate.extras import all_objects
from core.simulate.framing import simulated_frame
from core.simulate.geometry import scene_wcs, to_pixels, transmission
from core.simulate.light import Background, cluster_row, draw_galaxy, draw_nebula, draw_stars, with_members
from core.simulate.objects import SkyObject
from core.simulate.scene import Scene
from core.simulate.sky import sky_electrons
from core.simulate.streams import exposure_stream
from core.simulate.truth import truth_table

if TYPE_CHECKING:
    from astropy.wcs import WCS

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

STAR_COLUMNS = ("ra_deg", "dec_deg", "g_mag", "bp_mag", "rp_mag", "real", "source_id")
SPOILT_SIGMA = 3.0
"""A pixel with this many times the noise of the sky from an artefact counts as spoilt."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated frame and what is truly in it.

    Attributes:
        scene: What was asked for.
        frame: The frame, as a camera would write it.
        truth: One row a star or object, labels of :data:`core.simulate.truth.LABELS`; ``flux`` in electrons
            over all exposures of the stack and all planes, ``mag`` in G, ``snr`` as a filter matched to the
            true image would reach, ``real`` for stars of the catalogue, ``saturated``.
        expected_e: ``(C, H, W)`` float32 electrons of one exposure without any noise: all light, and the
            dark current.
        artefacts: ``(H, W)`` where cosmic rays, satellites, hot pixels or full wells have spoilt the frame.
    """

    scene: Scene
    frame: Frame
    truth: Detections
    expected_e: Float32
    artefacts: NDArray[np.bool_]


def render(scene: Scene, stars: pd.DataFrame, *, progress: Progress = no_progress) -> Simulation:
    """Expose a scene.

    Args:
        scene: What to expose.
        stars: One row a star: ``ra_deg, dec_deg`` (ICRS at the scene's epoch), ``g_mag, bp_mag, rp_mag``
            (Vega; colours may be NaN), ``real`` and ``source_id``. No rows is an empty sky.
        progress: Told how far it is.

    Raises:
        ParameterInvalid: ``stars`` lacks a column.
    """
    missing = [column for column in STAR_COLUMNS if column not in stars.columns]
    if missing:
        raise ParameterInvalid(
            f"stars must have the columns {', '.join(STAR_COLUMNS)}; missing: {', '.join(missing)}.",
            parameter="stars",
            given=", ".join(map(str, stars.columns)),
            limit=", ".join(STAR_COLUMNS),
        )
    camera, wcs = scene.camera, scene_wcs(scene)
    open_to = transmission(scene, np.arange(camera.width), np.arange(camera.height)[:, None])
    level_e = sky_electrons(scene)
    level_e *= open_to
    level_e += camera.dark_e_s * camera.exposure_s
    background = Background(level_e, camera.read_noise_e)
    galaxies, nebulae, clusters = all_objects(scene)

    progress(0.05, "stars")
    everyone = with_members(stars, [cluster_stars(scene, cluster) for cluster in clusters])
    xy = to_pixels(scene, wcs, everyone["ra_deg"], everyone["dec_deg"])
    ahead = np.flatnonzero(np.isfinite(xy).all(axis=1))
    everyone, xy = everyone.iloc[ahead], xy[ahead]
    star_light = np.zeros(level_e.shape)
    star_rows = draw_stars(star_light, scene, everyone, xy, background)

    progress(0.45, "galaxies and nebulae")
    cloud_light = np.zeros(level_e.shape)
    objects = [
        *(draw_galaxy(cloud_light, scene, item, _pixel(scene, wcs, item), background) for item in galaxies),
        *(draw_nebula(cloud_light, scene, item, _pixel(scene, wcs, item), background) for item in nebulae),
        *(
            cluster_row(
                scene, item, _pixel(scene, wcs, item), star_rows[(everyone["cluster"] == i).to_numpy()]
            )
            for i, item in enumerate(clusters)
        ),
    ]

    progress(0.65, "counting photons")
    trails = artefacts.satellite_electrons(scene)
    if scene.extras.satellites:
        trails *= open_to
    hot_e = np.broadcast_to(artefacts.hot_pixel_electrons(scene), level_e.shape)
    cosmic_e = artefacts.cosmic_ray_electrons(scene) / camera.n_stacked
    noise_e = np.sqrt((level_e.min(axis=0) + camera.read_noise_e**2) / camera.n_stacked)
    spoilt = np.maximum(np.maximum(trails.max(axis=0), hot_e[0]), cosmic_e) > SPOILT_SIGMA * noise_e
    # Each kind of light is counted with random numbers of its own: see detector.count.
    lights = {
        "background": level_e,
        "starlight": star_light,
        "clouds": cloud_light,
        "trails": trails,
        "hot pixels' noise": hot_e,
    }
    expected_e = np.zeros(level_e.shape, dtype=np.float32)
    collected = np.zeros(level_e.shape)
    del background, level_e, star_light, cloud_light, trails  # each is as large as the frame
    for kind in tuple(lights):
        light, rng = lights.pop(kind), exposure_stream(scene, kind)
        if light.any():
            expected_e += light
            for plane, arriving in zip(collected, light, strict=True):
                plane += detector.count(rng, arriving, camera.n_stacked)
    collected += cosmic_e

    progress(0.9, "reading out")
    planes = detector.mosaic(collected) if camera.mode == "bayer" else collected
    wells = detector.fill_wells(planes, camera)
    pixels = detector.read_out(exposure_stream(scene, "read noise"), wells, camera)
    full = detector.is_full(wells, camera) | (pixels >= camera.saturation_adu)
    saturated = np.asarray(full.any(axis=0))
    progress(1.0, "done")
    return Simulation(
        scene=scene,
        frame=simulated_frame(scene, pixels, wcs),
        truth=truth_table(scene, star_rows, [row for row in objects if row is not None], saturated),
        expected_e=expected_e,
        artefacts=spoilt | saturated,
    )


def _pixel(scene: Scene, wcs: WCS, thing: SkyObject) -> Float64:
    """``(2,)`` x and y of an object's middle; NaN behind the horizon."""
    place: Float64 = to_pixels(scene, wcs, thing.ra_deg, thing.dec_deg)[0]
    return place
