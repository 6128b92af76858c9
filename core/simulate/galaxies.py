"""Galaxies: Sérsic profiles seen through the atmosphere and the optics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.simulate.geometry import position_angle_to_frame
from core.simulate.objects import Galaxy
from core.simulate.psf import star_image
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

REACH = 6.0
"""Half-light radii to which a disc is drawn; beyond lies less than 0.1 % of its light."""
BULGE_N = 4.0
LARGE_PX = 20.0
"""Above this half-light radius the profile is drawn without an FFT of its own."""
MAX_HALF_PX = 4096
CUSP_PX, CUSP_FINENESS = 6, 15
BOX_RADII = 2.5
"""Half-light radii from the middle of a galaxy to the sides of its box."""


def galaxy_stamp(scene: Scene, galaxy: Galaxy, x: float, y: float) -> tuple[Float64, int, int]:
    """A galaxy of flux 1, seen at pixel (x, y).

    Returns:
        The ``(side, side)`` stamp and the column and row of its first pixel.
    """
    major_px = galaxy.r_half_arcsec / scene.pixel_scale_arcsec
    profile = _profile(scene, galaxy)
    column, row = round(x), round(y)
    steep = galaxy.sersic_n > 2.0 or galaxy.bulge_fraction > 0.0
    reach = REACH * major_px * (2.0 if steep else 1.0) + 6.0 * scene.fwhm_px + scene.trail_px
    blur_half = int(16 + 4.0 * scene.fwhm_px + scene.trail_px + scene.defocus_px)
    farthest = max(abs(x), abs(y), abs(scene.camera.width - x), abs(scene.camera.height - y)) + blur_half
    half = int(np.clip(min(reach, farthest), 8, MAX_HALF_PX))
    psf = star_image(scene).whole
    if major_px > LARGE_PX:
        stamp = _large(profile, psf, half, blur_half, x - column, y - row)
    else:
        import galsim

        params = galsim.GSParams(folding_threshold=0.01, maxk_threshold=2e-3, maximum_fft_size=16_384)
        whole = galsim.Convolve([profile, psf], gsparams=params)
        side = 2 * half + 1
        stamp = whole.drawImage(
            nx=side, ny=side, scale=1.0, offset=(x - column, y - row), dtype=np.float64
        ).array
    return np.maximum(stamp, 0.0), column - half, row - half


def galaxy_box(scene: Scene, galaxy: Galaxy, x: float, y: float) -> tuple[float, float, float, float]:
    """``x_min, y_min, x_max, y_max`` around the ellipse of :data:`BOX_RADII` half-light radii."""
    major_px = BOX_RADII * galaxy.r_half_arcsec / scene.pixel_scale_arcsec
    return ellipse_box(scene, x, y, major_px, galaxy.axis_ratio, galaxy.angle_deg, scene.fwhm_px)


def ellipse_box(
    scene: Scene, x: float, y: float, major_px: float, ratio: float, angle_deg: float, blur_px: float = 0.0
) -> tuple[float, float, float, float]:
    """The box around an ellipse of given half major axis and position angle, widened by the star image."""
    angle = np.radians(position_angle_to_frame(scene, angle_deg))
    minor_px = np.hypot(major_px * ratio, blur_px)
    major_px = np.hypot(major_px, blur_px)
    half_x = float(np.hypot(major_px * np.cos(angle), minor_px * np.sin(angle)))
    half_y = float(np.hypot(major_px * np.sin(angle), minor_px * np.cos(angle)))
    return x - half_x, y - half_y, x + half_x, y + half_y


def _profile(scene: Scene, galaxy: Galaxy) -> Any:
    """The galaxy above the atmosphere, of flux 1, in pixels.

    GalSim keeps the area when it shears; the radius is that along the major axis, hence the root.
    """
    import galsim

    scale = scene.pixel_scale_arcsec
    round_px = galaxy.r_half_arcsec / scale * np.sqrt(galaxy.axis_ratio)
    parts = []
    if galaxy.bulge_fraction < 1.0:
        disc = galsim.Sersic(n=round(galaxy.sersic_n, 2), half_light_radius=round_px)
        parts.append(disc.shear(q=galaxy.axis_ratio, beta=0 * galsim.radians) * (1.0 - galaxy.bulge_fraction))
    if galaxy.bulge_fraction > 0.0:
        bulge = galsim.Sersic(n=BULGE_N, half_light_radius=galaxy.bulge_r_half_arcsec / scale)
        parts.append(
            bulge.shear(q=max(galaxy.axis_ratio, 0.7), beta=0 * galsim.radians) * galaxy.bulge_fraction
        )
    angle = position_angle_to_frame(scene, galaxy.angle_deg)
    return galsim.Add(parts).rotate(angle * galsim.degrees)


def _large(profile: Any, psf: Any, half: int, blur_half: int, dx: float, dy: float) -> Float64:
    """A large galaxy: sampled, its cusp on a finer grid, then blurred by the star image."""
    from scipy.signal import fftconvolve

    side = 2 * half + 1
    stamp: Float64 = profile.drawImage(
        nx=side, ny=side, scale=1.0, offset=(dx, dy), method="no_pixel", dtype=np.float64
    ).array.copy()
    cells = (2 * CUSP_PX + 1) * CUSP_FINENESS
    fine = profile.drawImage(
        nx=cells,
        ny=cells,
        scale=1.0 / CUSP_FINENESS,
        offset=(dx * CUSP_FINENESS, dy * CUSP_FINENESS),
        method="no_pixel",
        dtype=np.float64,
    ).array
    cusp = fine.reshape(2 * CUSP_PX + 1, CUSP_FINENESS, 2 * CUSP_PX + 1, CUSP_FINENESS).sum(axis=(1, 3))
    stamp[half - CUSP_PX : half + CUSP_PX + 1, half - CUSP_PX : half + CUSP_PX + 1] = cusp
    side = 2 * blur_half + 1
    blur = psf.drawImage(nx=side, ny=side, scale=1.0, method="no_pixel", dtype=np.float64).array
    blurred: Float64 = fftconvolve(stamp, blur / blur.sum(), mode="same")
    return blurred
