"""Colours of stars in Gaia's bands: of dwarfs and giants by absolute magnitude, and BP and RP from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# The main sequence, rounded from Pecaut & Mamajek (2013, ApJS 208, 9) as kept up to date online.
DWARF_MV: Float64 = np.array(
    [-4.0, -1.1, 1.1, 1.9, 2.5, 3.4, 4.4, 4.8, 5.8, 7.3, 8.8, 10.2, 11.2, 12.8, 14.3, 16.6, 18.7]
)
DWARF_MG: Float64 = np.array(
    [-4.0, -1.1, 1.1, 1.9, 2.5, 3.3, 4.2, 4.6, 5.5, 6.9, 8.2, 9.3, 10.1, 11.5, 12.8, 14.4, 16.0]
)
_DWARF_COLOUR = np.array(
    [-0.4, -0.25, 0.0, 0.2, 0.39, 0.59, 0.75, 0.82, 1.0, 1.4, 1.84, 2.2, 2.5, 2.85, 3.3, 4.0, 4.7]
)
# Giants from the tip of their branch through the red clump to the subgiants.
_GIANT_MG = np.array([-4.0, -2.5, -1.5, 0.4, 2.0, 3.0, 4.0])
_GIANT_COLOUR = np.array([2.6, 2.2, 1.7, 1.22, 1.1, 1.0, 0.85])

REDDENING = 0.42
"""E(BP−RP) for each magnitude of extinction in V."""

# Medians of the 480,000 stars of Gaia DR3 brighter than G = 10.
_BP_RP = np.array([-0.4, -0.25, 0.05, 0.35, 0.65, 0.95, 1.25, 1.55, 1.85])
_G_RP = np.array([-0.15, -0.078, 0.072, 0.245, 0.416, 0.553, 0.70, 0.817, 0.93])
_BP_RP_RED = np.array([2.15, 2.45, 2.75, 3.05, 3.35, 3.65, 3.95, 4.25, 4.55, 4.85, 7.0])
_G_RP_RED = np.array([1.034, 1.124, 1.202, 1.269, 1.327, 1.377, 1.421, 1.463, 1.498, 1.53, 1.75])


def intrinsic_colour(absolute_g: Float64, is_giant: NDArray[np.bool_]) -> Float64:
    """BP−RP before reddening.

    Args:
        absolute_g: ``(N,)`` absolute G magnitudes.
        is_giant: ``(N,)`` whether each is a giant rather than a dwarf.
    """
    dwarf = np.interp(absolute_g, DWARF_MG, _DWARF_COLOUR)
    giant = np.interp(absolute_g, _GIANT_MG, _GIANT_COLOUR)
    colour: Float64 = np.where(is_giant, giant, dwarf)
    return colour


def bp_rp_magnitudes(g_mag: Float64, colour: Float64) -> tuple[Float64, Float64]:
    """BP and RP magnitudes of stars of a G magnitude and a colour BP−RP.

    Args:
        g_mag: ``(N,)`` G magnitudes.
        colour: ``(N,)`` BP−RP.
    """
    g_rp = np.interp(colour, np.r_[_BP_RP, _BP_RP_RED], np.r_[_G_RP, _G_RP_RED])
    rp = g_mag - g_rp
    return rp + colour, rp
