"""The light of the empty sky: airglow and lamps, the Moon, and their gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.simulate.photometry import SUN_BP_RP, channel_shares, surface_electrons
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

TINTS = {"natural": (1.05, 1.0, 0.95), "sodium": (1.5, 1.0, 0.45), "led": (0.9, 1.0, 1.2)}
"""Red, green and blue of the sky over those of sunlight."""
MOON_TINT = (0.9, 1.0, 1.15)
ZENITH_DISTANCE_DEG = 45.0
"""Taken for both the field and the Moon."""
EXTINCTION_MAG = 0.172
"""A magnitude an air mass, in V, on Mauna Kea."""


def sky_electrons(scene: Scene) -> Float64:
    """``(C, H, W)`` electrons a pixel of empty sky collects in one exposure, before vignetting."""
    sky, camera = scene.sky, scene.camera
    sun = channel_shares(scene, SUN_BP_RP)[0]
    level = surface_electrons(scene, sky.brightness_mag_arcsec2) * sun * _tint(scene, TINTS[sky.pollution])
    if sky.moon_illumination > 0.0:
        moon = surface_electrons(scene, moonlight_mag_arcsec2(sky.moon_illumination, sky.moon_separation_deg))
        level = level + moon * sun * _tint(scene, MOON_TINT)
    shape = (camera.height, camera.width)
    light: Float64 = level[:, None, None] * np.broadcast_to(_slope(scene), (1, *shape))
    return light


def moonlight_mag_arcsec2(illumination: float, separation_deg: float) -> float:
    """Surface brightness of moonlight in V (Krisciunas & Schaefer 1991, PASP 103, 1033, eqs. 3, 15, 20, 21).

    Args:
        illumination: Illuminated part of the Moon, over 0 to 1.
        separation_deg: Between the Moon and the field.

    Field and Moon are taken to stand 45° from the zenith, in clear air (0.172 mag an air mass).
    """
    phase_deg = np.degrees(np.arccos(2.0 * illumination - 1.0))
    source = 10.0 ** (-0.4 * (3.84 + 0.026 * phase_deg + 4e-9 * phase_deg**4))
    rayleigh = 10.0**5.36 * (1.06 + np.cos(np.radians(separation_deg)) ** 2)
    mie = 10.0 ** (6.15 - separation_deg / 40.0)
    air_mass = (1.0 - 0.96 * np.sin(np.radians(ZENITH_DISTANCE_DEG)) ** 2) ** -0.5
    through = 10.0 ** (-0.4 * EXTINCTION_MAG * air_mass)
    nanolamberts = (rayleigh + mie) * source * through * (1.0 - through)
    return float((20.7233 - np.log(nanolamberts / 34.08)) / 0.92104)


def _tint(scene: Scene, rgb: tuple[float, float, float]) -> Float64:
    return np.ones(1) if scene.n_planes == 1 else np.array(rgb)


def _slope(scene: Scene) -> Float64:
    """``(H, W)`` level over that in the middle."""
    camera = scene.camera
    if scene.sky.gradient == 0.0:
        return np.ones((1, 1))
    angle = np.radians(scene.sky.gradient_angle_deg)
    half_x, half_y = camera.width / 2.0, camera.height / 2.0
    along_x = (np.arange(camera.width) + 0.5 - half_x) / np.hypot(half_x, half_y)
    along_y = (np.arange(camera.height) + 0.5 - half_y) / np.hypot(half_x, half_y)
    position = np.cos(angle) * along_x[None, :] + np.sin(angle) * along_y[:, None]
    slope: Float64 = np.maximum(1.0 + 0.5 * scene.sky.gradient * position, 0.0)
    return slope
