"""The image of a star, as GalSim describes it: air, optics, focus and drift, and how it varies in the field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

MAXK_THRESHOLD, KVALUE_ACCURACY = 1e-5, 1e-6
"""Finer than GalSim's defaults of 1e-3 and 1e-5, which leave ripples of 1e-6 of a star's light around it."""
MIN_BLUR_PX = 0.05
"""A ring or a trail smaller than this is left out: it would widen no star by a thousandth of a pixel."""
TRAIL_WIDTH_PX = 0.1
HALO_WIDTH = 12.0
"""Width of the halo over that of the star."""
HALO_BETA = 1.8


def star_psf(scene: Scene, distance: float = 0.0, direction_rad: float = 0.0) -> Any:
    """The star image of flux 1, in pixels, before the pixels average it, and without its halo.

    Args:
        scene: Its telescope, seeing and camera.
        distance: From the middle of the frame, 1 at the corners.
        direction_rad: Of that place as seen from the middle, from the x axis towards the y axis.

    Returns:
        A ``galsim.GSObject``.
    """
    import galsim

    seeing = scene.seeing
    width = 1.0 + seeing.field_growth * distance**2
    image = _core(scene).dilate(width)
    ratio = 1.0 - seeing.field_ellipticity * distance**2
    if ratio < 1.0:
        image = image.shear(q=ratio, beta=direction_rad * galsim.radians)
    parts = [image]
    if scene.defocus_px > MIN_BLUR_PX:
        parts.append(_ring(scene.defocus_px, scene.telescope.obstruction))
    if scene.trail_px > MIN_BLUR_PX:
        drift = galsim.Box(scene.trail_px, TRAIL_WIDTH_PX)
        parts.append(drift.rotate(seeing.trail_angle_deg * galsim.degrees))
    return parts[0] if len(parts) == 1 else galsim.Convolve(parts)


def _core(scene: Scene) -> Any:
    import galsim

    seeing = scene.seeing
    exact = galsim.GSParams(maxk_threshold=MAXK_THRESHOLD, kvalue_accuracy=KVALUE_ACCURACY)
    if seeing.kind == "moffat":
        return galsim.Moffat(beta=seeing.beta, fwhm=scene.fwhm_px, gsparams=exact)
    if seeing.kind == "kolmogorov":
        return galsim.Kolmogorov(fwhm=scene.fwhm_px, gsparams=exact)
    if seeing.kind == "gaussian":
        return galsim.Gaussian(fwhm=scene.fwhm_px, gsparams=exact)
    return galsim.Airy(
        lam_over_diam=scene.lam_over_diam_px, obscuration=scene.telescope.obstruction, gsparams=exact
    )


def _ring(diameter_px: float, obstruction: float) -> Any:
    """The blur of a defocused telescope: a disc with the shadow of the secondary in its middle."""
    import galsim

    disc = galsim.TopHat(diameter_px / 2.0)
    if obstruction * diameter_px < MIN_BLUR_PX:
        return disc
    shadow = galsim.TopHat(obstruction * diameter_px / 2.0, flux=obstruction**2)
    return (disc - shadow) / (1.0 - obstruction**2)


def halo_psf(scene: Scene) -> Any:
    """The wide halo of scattered light, of flux 1, in pixels."""
    import galsim

    return galsim.Moffat(beta=HALO_BETA, fwhm=HALO_WIDTH * scene.fwhm_px)


class FieldPsf:
    """Star images across the frame: those of a 3 × 3 grid, blended linearly in between.

    Attributes:
        images: The ``galsim.GSObject`` of each node; a single one when the field is uniform.
    """

    def __init__(self, scene: Scene) -> None:
        self._width, self._height = scene.camera.width, scene.camera.height
        if scene.seeing.field_growth == 0.0 and scene.seeing.field_ellipticity == 0.0:
            self.images = [star_psf(scene)]
            return
        half = np.array([self._width, self._height]) / 2.0
        corner = np.hypot(*half)
        self.images = []
        for step_y in (-1, 0, 1):
            for step_x in (-1, 0, 1):
                dx, dy = np.array([step_x, step_y]) * half
                self.images.append(
                    star_psf(scene, float(np.hypot(dx, dy) / corner), float(np.arctan2(dy, dx)))
                )

    def shares(self, x: Float64, y: Float64) -> Float64:
        """``(N, nodes)`` part of each node's image in that of stars at pixels x, y; rows sum to 1."""
        if len(self.images) == 1:
            return np.ones((len(x), 1))
        along_x = _hat(np.clip(x / (self._width - 1), 0.0, 1.0))
        along_y = _hat(np.clip(y / (self._height - 1), 0.0, 1.0))
        return (along_y[:, :, None] * along_x[:, None, :]).reshape(len(x), 9)


def _hat(position: Float64) -> Float64:
    """``(N, 3)`` weights of linear interpolation between nodes at 0, ½ and 1."""
    return np.clip(1.0 - np.abs(2.0 * position[:, None] - np.arange(3)), 0.0, 1.0)
