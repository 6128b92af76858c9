"""Pixels of a simulation as a frame, with the header a camera would write."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import core
from core.frames import Frame
from core.simulate.scene import Scene

if TYPE_CHECKING:
    from astropy.wcs import WCS


def simulated_frame(scene: Scene, planes: NDArray[np.float32], wcs: WCS) -> Frame:
    """Make a frame of ``(1 or 3, H, W)`` numbers in ADU.

    Its hash is that of the scene, Almagest's version and the pixels. Its gain is that of the mean: the
    electrons of the whole stack, and of all planes, for one unit of their mean. In the header ``GAIN`` is
    that of one plane and ``MEANGAIN`` that of three; the read noise there is that of the whole stack too.
    """
    pixels = np.ascontiguousarray(np.moveaxis(planes, 0, -1) if len(planes) == 3 else planes[0])
    hashed = hashlib.sha256(f"{core.__version__} {scene.to_json()}".encode())
    hashed.update(pixels.data)
    digest = hashed.hexdigest()
    header = _header(scene)
    return Frame(
        name=f"simulated-{digest[:8]}.fits",
        pixels=pixels,
        sha256=digest,
        row0="bottom",
        wcs=wcs,
        pixel_scale_arcsec=scene.pixel_scale_arcsec,
        header=header,
        unit="adu",
        saturation=scene.camera.saturation_adu,
        gain_e_per_adu=float(header.get("MEANGAIN", header["GAIN"])),
    )


def _header(scene: Scene) -> dict[str, str | int | float | bool]:
    camera, telescope = scene.camera, scene.telescope
    cards: dict[str, str | int | float | bool] = {
        "OBJECT": "Simulated field",
        "TELESCOP": telescope.name,
        "INSTRUME": camera.name,
        "DATE-OBS": scene.pointing.date,
        "EXPTIME": camera.exposure_s * camera.n_stacked,
        "NCOMBINE": camera.n_stacked,
        "GAIN": camera.gain_e_per_adu * camera.n_stacked,
        "RDNOISE": camera.read_noise_e * camera.n_stacked**0.5,
        "SATURATE": camera.saturation_adu,
        "BUNIT": "adu",
        "FOCALLEN": telescope.focal_mm,
        "APTDIA": telescope.aperture_mm,
        "XPIXSZ": camera.pixel_um,
        "YPIXSZ": camera.pixel_um,
        "RA": scene.pointing.ra_deg,
        "DEC": scene.pointing.dec_deg,
        "SIMSEED": scene.seed,
        "CREATOR": f"Almagest {core.__version__}",
    }
    if camera.mode == "rgb":
        cards["MEANGAIN"] = 3 * camera.gain_e_per_adu * camera.n_stacked
    if camera.mode == "bayer":
        cards["BAYERPAT"] = "RGGB"
        cards["ROWORDER"] = "BOTTOM-UP"
    return cards
