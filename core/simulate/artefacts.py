"""What is in the frame but not on the sky: cosmic rays, satellite trails and hot pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.simulate.photometry import SUN_BP_RP, channel_shares, surface_electrons
from core.simulate.psf import star_image
from core.simulate.scene import Scene
from core.simulate.streams import exposure_stream, sky_stream

Float64 = NDArray[np.float64]

COSMIC_RAY_E = (300.0, 1.2)
"""Median charge a pixel of track receives, and its scatter as the sigma of a log-normal distribution."""
COSMIC_RAY_PX = 6.0
"""Mean length of a track."""
SATELLITE_MAG_ARCSEC2 = (-3.5, 0.5)
"""Brightest and faintest trail over the sky's brightness, once spread over its own width."""
HOT_PIXEL_E_S = 5.0
"""Mean dark current of a hot pixel; the distribution is exponential."""


def cosmic_ray_electrons(scene: Scene) -> Float64:
    """``(H, W)`` charge that cosmic rays leave in one exposure."""
    camera = scene.camera
    rng = exposure_stream(scene, "cosmic rays")
    charge = np.zeros((camera.height, camera.width))
    for _ in range(scene.extras.cosmic_rays):
        x, y = rng.uniform(0, camera.width), rng.uniform(0, camera.height)
        length, angle = rng.exponential(COSMIC_RAY_PX), rng.uniform(0.0, np.pi)
        a_pixel = COSMIC_RAY_E[0] * np.exp(rng.normal(0.0, COSMIC_RAY_E[1]))
        steps = max(2, int(4 * length))
        along = np.linspace(0.0, length, steps)
        column = np.floor(x + along * np.cos(angle)).astype(int)
        row = np.floor(y + along * np.sin(angle)).astype(int)
        inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
        share = a_pixel * max(length, 1.0) / steps
        np.add.at(charge, (row[inside], column[inside]), share)
    return charge


def satellite_electrons(scene: Scene) -> Float64:
    """``(C, H, W)`` electrons satellites leave in one exposure: straight lines as wide as the stars."""
    camera = scene.camera
    rng = exposure_stream(scene, "satellites")
    light = np.zeros((scene.n_planes, camera.height, camera.width))
    if not scene.extras.satellites:
        return light
    profile = _line_profile(scene)
    columns, rows = np.arange(camera.width), np.arange(camera.height)[:, None]
    sun = channel_shares(scene, SUN_BP_RP)[0]
    for _ in range(scene.extras.satellites):
        x, y = rng.uniform(0, camera.width), rng.uniform(0, camera.height)
        angle = rng.uniform(0.0, np.pi)
        surface = scene.sky.brightness_mag_arcsec2 + rng.uniform(*SATELLITE_MAG_ARCSEC2)
        tumbling = rng.uniform(0.0, 0.5)
        period, phase = rng.uniform(0.3, 2.0) * camera.width, rng.uniform(0.0, 2 * np.pi)
        across = np.abs((columns - x) * np.sin(angle) - (rows - y) * np.cos(angle))
        along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        trail = np.interp(across, np.arange(len(profile)) / 4.0, profile, right=0.0)
        trail *= 1.0 + tumbling * np.sin(2 * np.pi * along / period + phase)
        light += surface_electrons(scene, surface) * sun[:, None, None] * trail
    return light


def hot_pixel_electrons(scene: Scene) -> Float64:
    """``(H, W)`` dark electrons that hot pixels gather in one exposure; the sensor keeps them for life."""
    camera = scene.camera
    rng = sky_stream(scene, "hot pixels")
    n_pixels = camera.width * camera.height
    n_hot = round(camera.hot_pixel_fraction * n_pixels)
    dark = np.zeros(n_pixels)
    dark[rng.integers(0, n_pixels, n_hot)] = rng.exponential(HOT_PIXEL_E_S * camera.exposure_s, n_hot)
    return dark.reshape(camera.height, camera.width)


def _line_profile(scene: Scene) -> Float64:
    """Brightness across an infinite line in steps of a quarter pixel, 1 on the line."""
    half = int(8 * scene.fwhm_px + 8) * 4
    side = 2 * half + 1
    image = star_image(scene).whole.drawImage(nx=side, ny=side, scale=0.25, method="no_pixel").array
    across = image.astype(float).sum(axis=0)[half:]
    profile: Float64 = np.maximum(across / across[0], 0.0)
    return profile
