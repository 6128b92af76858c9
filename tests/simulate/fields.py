"""Small scenes and lists of stars for tests."""

import numpy as np
import pandas as pd

from core.simulate.geometry import scene_wcs
from core.simulate.groups import Camera, Seeing, Sky, Telescope
from core.simulate.photometry import magnitude
from core.simulate.scene import ARCSEC_PER_RADIAN, Scene

SCALE_ARCSEC = 1.0


def small_scene(side=96, camera=None, seeing=None, sky=None, **facts):
    """A mono frame of one arcsecond a pixel whose stars are 3 px wide."""
    return Scene(
        telescope=Telescope(aperture_mm=100.0, focal_mm=4.0 / 1000.0 * ARCSEC_PER_RADIAN, efficiency=0.5),
        camera=Camera(**{"width": side, "height": side, "pixel_um": 4.0, **(camera or {})}),
        seeing=Seeing(**{"fwhm_arcsec": 3.0, **(seeing or {})}),
        sky=Sky(**(sky or {})),
        **facts,
    )


def stars_at(scene, x, y, flux_e, bp_rp=0.82):
    """Stars at pixels with so many electrons, without a filter, in one exposure."""
    x, y, flux_e = (np.atleast_1d(np.asarray(values, float)) for values in (x, y, flux_e))
    sky = scene_wcs(scene).wcs_pix2world(np.column_stack([x, y]), 0)
    g_mag = magnitude(scene, np.broadcast_to(flux_e, x.shape))
    return pd.DataFrame(
        {
            "ra_deg": sky[:, 0],
            "dec_deg": sky[:, 1],
            "g_mag": g_mag,
            "bp_mag": g_mag + bp_rp / 2,
            "rp_mag": g_mag - bp_rp / 2,
            "real": True,
            "source_id": np.arange(1, len(x) + 1),
        }
    )


def no_stars(scene):
    return stars_at(scene, [], [], [])
