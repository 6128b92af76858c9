"""The image of a star, as GalSim describes it: air, optics, focus, drift, and how it varies in the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.simulate.scene import Scene
from core.simulate.stamps import StampTable

Float64 = NDArray[np.float64]

MAXK_THRESHOLD, KVALUE_ACCURACY, XVALUE_ACCURACY = 1e-5, 1e-6, 1e-12
"""Finer than GalSim's defaults of 1e-3, 1e-5 and 1e-5, which leave ripples of 1e-6 of a star's light
around it and end its wings early."""
UNIFORM_BELOW = 0.03
"""A field whose corners differ from its middle by less is taken as uniform: the air changes by more."""
MIN_BLUR_PX = 0.05
"""A ring or a trail smaller than this is left out: it would widen no star by a thousandth of a pixel."""
TRAIL_WIDTH_PX = 0.1
SMOOTH_CORE, AIRY_CORE = 4.0, 30.0
"""Widths of a star from its middle to where its image is smooth. An Airy image has rings all the way; those
beyond are blurred, as light of many wavelengths does."""
HALO_WIDTH = 12.0
"""Width of the halo over that of the star."""
HALO_BETA = 1.8


@dataclass(frozen=True, eq=False)
class StarImage:
    """A star of flux 1, in pixels, before the pixels average it, and without its halo.

    Attributes:
        core: The ``galsim.GSObject`` of air and optics.
        blur: What defocus and drift do to it, or None.
        blur_px: How far the blur reaches across.
    """

    core: Any
    blur: Any
    blur_px: float

    @property
    def whole(self) -> Any:
        """Core and blur as one ``galsim.GSObject``."""
        import galsim

        return self.core if self.blur is None else galsim.Convolve([self.core, self.blur])


def star_image(scene: Scene, distance: float = 0.0, direction_rad: float = 0.0) -> StarImage:
    """The image of a star at a place of the frame.

    Args:
        scene: Its telescope, seeing and camera.
        distance: From the middle of the frame, 1 at the corners.
        direction_rad: Of that place as seen from the middle, from the x axis towards the y axis.
    """
    import galsim

    seeing = scene.seeing
    core = _core(scene)
    if seeing.field_growth > 0.0:
        core = core.dilate(1.0 + seeing.field_growth * distance**2)
    ratio = 1.0 - seeing.field_ellipticity * distance**2
    if ratio < 1.0:
        core = core.shear(q=ratio, beta=direction_rad * galsim.radians)
    parts, across = [], 0.0
    if scene.defocus_px > MIN_BLUR_PX:
        parts.append(_ring(scene.defocus_px, scene.telescope.obstruction))
        across += scene.defocus_px
    if scene.trail_px > MIN_BLUR_PX:
        drift = galsim.Box(scene.trail_px, TRAIL_WIDTH_PX)
        parts.append(drift.rotate(seeing.trail_angle_deg * galsim.degrees))
        across += scene.trail_px
    blur = galsim.Convolve(parts) if len(parts) == 2 else next(iter(parts), None)
    return StarImage(core, blur, across)


def _core(scene: Scene) -> Any:
    import galsim

    seeing = scene.seeing
    exact = galsim.GSParams(
        maxk_threshold=MAXK_THRESHOLD, kvalue_accuracy=KVALUE_ACCURACY, xvalue_accuracy=XVALUE_ACCURACY
    )
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
        images: The image of each node; a single one when the field is uniform.
        core_px: Within so many pixels of a star its image has detail; beyond it is smooth.
    """

    def __init__(self, scene: Scene) -> None:
        widest = scene.fwhm_px * (1.0 + scene.seeing.field_growth)
        detail = AIRY_CORE if scene.seeing.kind == "airy" else SMOOTH_CORE
        self.core_px = detail * widest + (scene.defocus_px + scene.trail_px) / 2.0
        self._width, self._height = scene.camera.width, scene.camera.height
        self._tables: dict[int, list[StampTable]] = {}
        if max(scene.seeing.field_growth, scene.seeing.field_ellipticity) < UNIFORM_BELOW:
            self.images = [star_image(scene)]
            return
        half = np.array([self._width, self._height]) / 2.0
        corner = np.hypot(*half)
        self.images = []
        for step_y in (-1, 0, 1):
            for step_x in (-1, 0, 1):
                dx, dy = np.array([step_x, step_y]) * half
                self.images.append(
                    star_image(scene, float(np.hypot(dx, dy) / corner), float(np.arctan2(dy, dx)))
                )

    def tables(self, half: int) -> list[StampTable]:
        """Stamps of the image of each node that reach so many pixels, made once."""
        if half not in self._tables:
            self._tables[half] = [StampTable.of(image.whole, half) for image in self.images]
        return self._tables[half]

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
