"""The stars that a scene needs: those in its field, down to what its telescope can show."""

from __future__ import annotations

import numpy as np

from core.simulate.catalogue import FAINTEST_MAG, StarCatalogue, stars_for
from core.simulate.photometry import magnitude, surface_electrons
from core.simulate.scene import Scene

FAINTEST_SNR = 1.0
"""Fainter stars are left out: each is lost in the noise of the sky, and there are very many of them."""


def limiting_magnitude(scene: Scene, snr: float = FAINTEST_SNR) -> float:
    """The G magnitude of a star that reaches a signal-to-noise ratio in the finished frame.

    The noise is that of the sky without the Moon, dark current and read-out, over the pixels that a star's
    image of Gaussian form effectively covers, 4πσ² (King 1983, PASP 95, 163).

    Args:
        scene: Telescope, seeing, sky and camera.
        snr: The signal-to-noise ratio, more than 0.

    Returns:
        Between −2 and the faintest magnitude :func:`core.simulate.catalogue.stars_for` takes.
    """
    camera = scene.camera
    width_px = max(float(np.hypot(scene.fwhm_px, scene.defocus_px)), 1.0)
    covered_px = 4 * np.pi * (width_px / 2.3548) ** 2 + width_px * scene.trail_px
    variance_e2 = (
        surface_electrons(scene, scene.sky.brightness_mag_arcsec2)
        + camera.dark_e_s * camera.exposure_s
        + camera.read_noise_e**2
    )
    needed_e = snr * np.sqrt(covered_px * variance_e2 / camera.n_stacked)
    # A star without any background still has its own photons' noise.
    needed_e = max(needed_e, snr**2 / camera.n_stacked)
    return float(np.clip(magnitude(scene, needed_e), -2.0, FAINTEST_MAG))


def scene_stars(scene: Scene, *, online: bool = False) -> StarCatalogue:
    """The stars of a scene's field at its date; the scene's seed decides those that are not real.

    Args:
        scene: What is exposed.
        online: Ask the Gaia archive for fainter real stars.
    """
    pointing = scene.pointing
    return stars_for(
        pointing.ra_deg,
        pointing.dec_deg,
        scene.field_radius_deg,
        limit_mag=round(limiting_magnitude(scene), 2),
        epoch=pointing.epoch,
        online=online,
        seed=scene.seed,
    )
