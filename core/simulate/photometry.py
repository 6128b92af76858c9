"""From magnitudes to electrons, and from colours to the three channels of a camera."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

ZERO_POINT_G = 25.6873668671
"""Gaia DR3: a star of this G magnitude (Vega) gives Gaia one electron a second."""
GAIA_AREA_M2 = 0.7278
"""Collecting area that zero point holds for (Gaia EDR3 documentation, section 5.4)."""

SUN_BP_RP = 0.82
CHANNELS_NM = ((590.0, 690.0), (500.0, 590.0), (400.0, 500.0))
"""Pass bands of red, green and blue filters, as boxes."""
BAND_G_NM = (330.0, 1050.0)
_BP_RP = np.linspace(-0.6, 5.0, 113)


def electrons(scene: Scene, g_mag: ArrayLike) -> Float64:
    """Electrons one exposure collects from stars of magnitude G, without a colour filter.

    The rate is Gaia's own, scaled by collecting area and efficiency.
    """
    rate = 10.0 ** (0.4 * (ZERO_POINT_G - np.asarray(g_mag, float)))
    telescope = scene.telescope
    scaled: Float64 = rate * telescope.area_m2 / GAIA_AREA_M2 * telescope.efficiency
    return scaled * scene.camera.exposure_s


def magnitude(scene: Scene, collected_e: ArrayLike) -> Float64:
    """The G magnitude that gives these electrons; the inverse of :func:`electrons`."""
    return -2.5 * np.log10(np.asarray(collected_e, float) / electrons(scene, 0.0))


def surface_electrons(scene: Scene, mag_arcsec2: float) -> float:
    """Electrons a pixel collects in one exposure from a surface of this G brightness, without a filter."""
    return float(electrons(scene, mag_arcsec2)) * scene.pixel_scale_arcsec**2


def channel_shares(scene: Scene, bp_rp: ArrayLike) -> Float64:
    """``(N, C)`` part of the electrons of G that each channel collects, for stars of colour BP−RP.

    A star is taken as a black body of the temperature of its colour: the channels share its photons
    between 330 and 1050 nm. An unknown colour (NaN) is the Sun's. In mono there is one share, of 1.
    """
    colour = np.atleast_1d(np.asarray(bp_rp, float))
    if scene.n_planes == 1:
        return np.ones((len(colour), 1))
    known = np.where(np.isfinite(colour), colour, SUN_BP_RP)
    table = _share_table()
    return np.column_stack([np.interp(known, _BP_RP, table[:, c]) for c in range(3)])


def temperature_k(bp_rp: ArrayLike) -> Float64:
    """Effective temperature of a dwarf star (Mucciarelli, Bellazzini & Massari 2021, A&A 653, A90).

    Their relation for solar metallicity, used beyond its range of 0.4 to 1.5 as well: what is wanted here
    is a colour, not a measurement.
    """
    colour = np.asarray(bp_rp, float)
    kelvin: Float64 = 5040.0 / (0.4929 + 0.5092 * colour - 0.0353 * colour**2)
    return kelvin


@lru_cache(maxsize=1)
def _share_table() -> Float64:
    """``(113, 3)`` shares of red, green and blue for the colours ``_BP_RP``."""
    kelvin = temperature_k(_BP_RP)
    whole = _photons(kelvin, *BAND_G_NM)
    return np.column_stack([_photons(kelvin, *band) / whole for band in CHANNELS_NM])


def _photons(kelvin: Float64, low_nm: float, high_nm: float) -> Float64:
    """Photons of black bodies between two wavelengths, up to a factor common to all wavelengths."""
    micron = np.linspace(low_nm, high_nm, 200) / 1000.0
    spectrum = 1.0 / (micron**4 * np.expm1(14_387.77 / (micron * kelvin[:, None])))
    return np.asarray(np.trapezoid(spectrum, micron, axis=1))
