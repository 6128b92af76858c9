"""Where the sky falls on the sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.catalogues.gaia import separation_deg
from core.simulate.scene import Scene

if TYPE_CHECKING:
    from astropy.wcs import WCS

Float64 = NDArray[np.float64]
HORIZON_DEG = 80.0
"""Farther from the middle than this the tangent plane is of no use."""


def scene_wcs(scene: Scene) -> WCS:
    """The tangent-plane sky coordinates of the frame, row 0 at the bottom, east to the left of north."""
    from astropy.wcs import WCS

    pointing, camera = scene.pointing, scene.camera
    angle = np.radians(pointing.rotation_deg)
    scale_deg = scene.pixel_scale_arcsec / 3600.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = [pointing.ra_deg, pointing.dec_deg]
    wcs.wcs.crpix = [
        (camera.width + 1) / 2.0 + pointing.offset_x_px,
        (camera.height + 1) / 2.0 + pointing.offset_y_px,
    ]
    wcs.wcs.cd = scale_deg * np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.set()
    wcs.array_shape = (camera.height, camera.width)
    return wcs


def to_pixels(scene: Scene, wcs: WCS, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Float64:
    """``(N, 2)`` x and y of sky positions in degrees; NaN behind the horizon of the projection."""
    ra, dec = np.atleast_1d(np.asarray(ra_deg, float)), np.atleast_1d(np.asarray(dec_deg, float))
    xy = np.full((len(ra), 2), np.nan)
    ahead = separation_deg(ra, dec, scene.pointing.ra_deg, scene.pointing.dec_deg) < HORIZON_DEG
    if ahead.any():
        xy[ahead] = wcs.wcs_world2pix(np.column_stack([ra[ahead], dec[ahead]]), 0)
    return xy


def position_angle_to_frame(scene: Scene, angle_deg: float) -> float:
    """The direction of a position angle, in degrees from the x axis towards the y axis."""
    return 90.0 + angle_deg - scene.pointing.rotation_deg


def distance_from_middle(scene: Scene, x: ArrayLike, y: ArrayLike) -> Float64:
    """Distance of pixels from the middle of the sensor, 1 at its corners."""
    camera = scene.camera
    half_x, half_y = (camera.width - 1) / 2.0, (camera.height - 1) / 2.0
    distance: Float64 = np.hypot(np.asarray(x) - half_x, np.asarray(y) - half_y)
    distance /= np.hypot(half_x, half_y)
    return distance


def transmission(scene: Scene, x: ArrayLike, y: ArrayLike) -> Float64:
    """Part of the light that vignetting leaves at pixels; it falls with the square of the distance."""
    left: Float64 = 1.0 - scene.camera.vignetting * distance_from_middle(scene, x, y) ** 2
    return left
