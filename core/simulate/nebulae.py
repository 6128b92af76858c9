"""Nebulae: a fractal cloud in an elliptical envelope, fixed on the sky."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.simulate.geometry import position_angle_to_frame
from core.simulate.objects import Nebula
from core.simulate.photometry import SUN_BP_RP, channel_shares, surface_electrons
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

TINTS = {"emission": (2.4, 0.5, 0.4), "reflection": (0.55, 0.95, 1.9)}
"""Red, green and blue over those of sunlight; Hα makes the first red."""
SPECTRAL_SLOPE = 3.1
"""Of the power of the cloud's structure against wave number, as in the interstellar medium."""
GRID = 512
"""Cells a side of the cloud's texture, over 2.4 radii."""
EXTENT = 1.2
"""Radii from the middle to where the texture ends and the envelope has faded to nothing."""


def nebula_electrons(scene: Scene, nebula: Nebula, x: float, y: float) -> Float64:
    """``(C, H, W)`` electrons a pixel collects in one exposure from a nebula with its middle at (x, y)."""
    from scipy.ndimage import map_coordinates

    camera = scene.camera
    cloud = _cloud(scene, nebula)
    radius_px = nebula.radius_arcsec / scene.pixel_scale_arcsec
    angle = np.radians(position_angle_to_frame(scene, nebula.angle_deg))
    dx, dy = np.arange(camera.width) - x, np.arange(camera.height)[:, None] - y
    along = (dx * np.cos(angle) + dy * np.sin(angle)) / radius_px
    across = (-dx * np.sin(angle) + dy * np.cos(angle)) / (radius_px * nebula.axis_ratio)
    to_cells = (GRID - 1) / (2 * EXTENT)
    cells: Float64 = np.stack([(across + EXTENT) * to_cells, (along + EXTENT) * to_cells])
    order: Literal[1, 3] = 1 if to_cells > radius_px else 3
    shape = np.maximum(map_coordinates(cloud, cells, order=order, mode="constant"), 0.0)
    level = surface_electrons(scene, nebula.brightness_mag_arcsec2)
    tint = np.ones(1) if scene.n_planes == 1 else np.array(TINTS[nebula.kind])
    colours = channel_shares(scene, SUN_BP_RP)[0] * tint
    light: Float64 = level * colours[:, None, None] * shape
    return light


def _cloud(scene: Scene, nebula: Nebula) -> Float64:
    """``(GRID, GRID)`` brightness, of mean 1 over the ellipse, which is a circle here."""
    place = f"nebula {nebula.name} {nebula.ra_deg!r} {nebula.dec_deg!r}"
    rng = np.random.default_rng([scene.seed, zlib.crc32(place.encode())])
    wave = np.hypot(np.fft.fftfreq(GRID)[:, None], np.fft.rfftfreq(GRID)[None, :])
    wave[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((GRID, GRID))) * wave ** (-SPECTRAL_SLOPE / 2.0)
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, s=(GRID, GRID))
    edge = np.linspace(-EXTENT, EXTENT, GRID)
    radius = np.hypot(edge[:, None], edge[None, :])
    # The texture also frays the outline, or every nebula would be an ellipse.
    field = field / field.std()
    frayed = np.clip(radius * (1.0 - 0.12 * min(nebula.texture, 1.5) * field), 0.0, None)
    inside = np.clip(1.0 - frayed**2, 0.0, 1.0) ** 1.5 * np.clip((EXTENT - radius) / 0.15, 0.0, 1.0)
    cloud: Float64 = inside * np.exp(0.6 * nebula.texture * field)
    cloud /= cloud[radius <= 1.0].mean()
    return cloud
