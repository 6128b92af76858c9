"""How many stars of which magnitude a direction of the Milky Way holds, and where along it they lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.simulate.catalogue_colours import DWARF_MG, DWARF_MV

Float64 = NDArray[np.float64]

G_EDGES: Float64 = np.arange(2.0, 26.01, 0.25)
"""``(B + 1,)`` edges of the bins of G magnitude."""
SUN_RADIUS_PC, SUN_HEIGHT_PC = 8_200.0, 20.0

_BIN = 0.25
_DISTANCE_PC: Float64 = np.geomspace(8.0, 80_000.0, 80)
_STEP = float(np.log(_DISTANCE_PC[1] / _DISTANCE_PC[0]))
_SQUARE_DEGREE_SR = np.radians(1.0) ** 2

_MG_STEP = 0.1
_MG: Float64 = np.arange(-6.0, 16.01, _MG_STEP)
"""Absolute magnitudes the luminosity functions are tabulated at."""

# Fitted to the counts named in `line_of_sight`:
_DUST_MAG_PER_PC = 1.1e-3  # extinction in V at the Sun
_DUST_LENGTH_PC, _DUST_HEIGHT_PC = 4_400.0, 130.0
_THIN_LENGTH_PC, _THIN_HEIGHT_PC, _YOUNG_HEIGHT_PC = 4_400.0, 310.0, 160.0
_THICK_FRACTION, _HALO_FRACTION, _BULGE_FRACTION = 0.09, 0.0028, 30.0  # of the thin disc at the Sun
_GIANTS = 0.75  # of those of Bahcall & Soneira
_DWARF_MV = (4.0, 6.0, 9.0, 11.5, 15.0)
_DWARFS = (1.0, 0.48, 0.48, 0.65, 0.4)  # of those of Bahcall & Soneira at these magnitudes
# As published:
_THICK_LENGTH_PC, _THICK_HEIGHT_PC = 3_600.0, 900.0
_HALO_POWER, _HALO_FLATTENING = 2.77, 0.64
_GIANT_HEIGHT_PC = 250.0
# Chosen, where counts say little:
_EXTINCTION_G = 0.79  # of that in V, for a star like the Sun
_DUST_HOLE_PC, _HALO_CORE_PC = 3_000.0, 500.0  # no denser farther in
_BULGE_RADIUS_PC, _BULGE_HEIGHT_PC = 1_200.0, 450.0
_TURNOFF_MV = 4.0  # of all stars but those of the thin disc

COMPONENTS = ("thin disc", "thick disc", "halo", "bulge")
"""Each has dwarfs and giants: component ``c`` has the cells ``2c`` and ``2c + 1``."""


@dataclass(frozen=True, eq=False)
class LineOfSight:
    """Stars in one direction. A cell is one kind of star at one distance; there are C = kinds × distances.

    Attributes:
        per_square_degree: ``(B,)`` stars in each bin of :data:`G_EDGES` on a square degree.
        cumulative: ``(B, C)`` cumulative probability, bin by bin, that a star comes from a cell.
        modulus: ``(C,)`` magnitudes from absolute to apparent G, extinction included.
        extinction_v: ``(C,)`` extinction in V, magnitudes.
        kind: ``(C,)`` twice the index in :data:`COMPONENTS`, plus one for giants.
    """

    per_square_degree: Float64
    cumulative: Float64
    modulus: Float64
    extinction_v: Float64
    kind: NDArray[np.intp]


def line_of_sight(l_deg: float, b_deg: float) -> LineOfSight:
    r"""Count the stars in a direction by adding up a model Galaxy along it.

    Thin disc, thick disc and halo as in Jurić et al. (2008, ApJ 673, 864), a Gaussian bulge, and smooth
    dust in a double exponential disc; luminosity function, share of giants and the smaller height of young
    stars as in Bahcall & Soneira (1980, ApJS 44, 73), with fewer K and M dwarfs, as Wielen's dip and Gaia
    demand. The constants listed as fitted above were fitted to the counts named here.

    Measured, as model over counted stars of Gaia DR3:

    ===========================================  ============  =========================================
    where                                        G             model / counted
    ===========================================  ============  =========================================
    whole sky, five bands of \|b\|                8–10          0.93–1.04
    the same in four bands of longitude          8–10          0.69–1.18
    RA 45.0° Dec +0.0° (b = −49°)                13–20.5       0.9–1.1 in each magnitude
    RA 6.3° Dec +61.3° (b = −1°)                 13–18         0.9–1.3
    RA 359.4° Dec +56.6° (b = −6°)               13–20.5       0.7–1.1, around NGC 7789
    RA 264.8° Dec −32.2° (l = 356°, b = −1°)     13–20         0.8–1.9
    RA 10.9° Dec +61.8° (b = −1°)                13–20         2.3–3.2, seen through dark clouds
    whole sky                                    to 17.65      1.0 of the 2.2e8 with spectra
    ===========================================  ============  =========================================

    At \|b\| ≥ 30° it is also within 0.76–1.25 of the formula that Bahcall & Soneira give for their own
    model, for V of 16 to 20. Clouds of dust and star clusters are not in it: a small field in the plane
    may hold a few times fewer or more stars. Fainter than G = 21 it is unchecked, and galaxies outnumber
    the stars there.

    Args:
        l_deg, b_deg: Galactic longitude and latitude in degrees.
    """
    radius, height, extinction_v = _path(l_deg, b_deg)
    modulus = 5 * np.log10(_DISTANCE_PC) - 5 + _EXTINCTION_G * extinction_v
    volume = _DISTANCE_PC**3 * _STEP * _SQUARE_DEGREE_SR  # (D,) cubic parsecs behind a square degree
    bright = (G_EDGES[:-1] + G_EDGES[1:])[:, None] / 2 - modulus  # (B, D) absolute magnitude it takes
    index = (bright - _MG[0]) / _MG_STEP
    low = np.clip(np.floor(index).astype(int), 0, len(_MG) - 2)
    part = np.clip(index - low, 0.0, 1.0)
    exists = (index >= 0) & (index <= len(_MG) - 1)
    where = np.arange(len(_DISTANCE_PC))
    counts = np.stack(
        [
            np.where(exists, density[where, low] * (1 - part) + density[where, low + 1] * part, 0.0)
            for density in _densities(radius, height)
        ],
        axis=1,
    )  # (B, kinds, D)
    counts *= volume * _BIN
    n_kinds = counts.shape[1]
    cells = counts.reshape(len(counts), -1)
    total = cells.sum(axis=1)
    return LineOfSight(
        per_square_degree=total,
        cumulative=np.cumsum(cells, axis=1) / np.maximum(total, 1e-300)[:, None],
        modulus=np.tile(modulus, n_kinds),
        extinction_v=np.tile(extinction_v, n_kinds),
        kind=np.repeat(np.arange(n_kinds), len(_DISTANCE_PC)),
    )


def luminosity_function(absolute_v: Float64) -> Float64:
    """Stars a cubic parsec and magnitude near the Sun: Bahcall & Soneira (1980), equation 1."""
    bright_slope, faint_slope, bend = 0.74, 0.04, 3.40
    x = np.minimum(absolute_v, 15.0) - 1.28
    fall = (1 + 10 ** (-(bright_slope - faint_slope) * x / bend)) ** bend
    density: Float64 = 4.03e-3 * 10 ** (faint_slope * x) / fall
    return density


def _path(l_deg: float, b_deg: float) -> tuple[Float64, Float64, Float64]:
    """``(D,)`` distance from the Galaxy's axis, height above its plane, both in pc, and extinction in V."""
    longitude, latitude = np.radians(l_deg), np.radians(b_deg)
    inwards = SUN_RADIUS_PC - _DISTANCE_PC * np.cos(latitude) * np.cos(longitude)
    sideways = _DISTANCE_PC * np.cos(latitude) * np.sin(longitude)
    radius = np.hypot(inwards, sideways)
    height = np.abs(_DISTANCE_PC * np.sin(latitude) + SUN_HEIGHT_PC)
    reach = (np.maximum(radius, _DUST_HOLE_PC) - SUN_RADIUS_PC) / _DUST_LENGTH_PC
    dust = _DUST_MAG_PER_PC * np.exp(-reach - height / _DUST_HEIGHT_PC)
    extinction: Float64 = np.cumsum(dust * _DISTANCE_PC * _STEP)
    return radius, height, extinction


def _densities(radius: Float64, height: Float64) -> list[Float64]:
    """``(D, M)`` stars a cubic parsec and magnitude for each kind, in the order of the cells."""
    dwarfs, old_dwarfs, giants, young_height = _luminosities()
    above = height - SUN_HEIGHT_PC
    thin = np.exp(-(radius - SUN_RADIUS_PC) / _THIN_LENGTH_PC) / (1 + _THICK_FRACTION)
    thick = np.exp(-(radius - SUN_RADIUS_PC) / _THICK_LENGTH_PC - above / _THICK_HEIGHT_PC)
    flattened = np.maximum(np.hypot(radius, height / _HALO_FLATTENING), _HALO_CORE_PC)
    bulge = np.exp(-0.5 * ((radius / _BULGE_RADIUS_PC) ** 2 + (height / _BULGE_HEIGHT_PC) ** 2))
    old = (
        thick * _THICK_FRACTION / (1 + _THICK_FRACTION),
        _HALO_FRACTION * (SUN_RADIUS_PC / flattened) ** _HALO_POWER,
        _BULGE_FRACTION * bulge,
    )
    kinds = [
        thin[:, None] * np.exp(-above[:, None] / young_height) * dwarfs,
        (thin * np.exp(-above / _GIANT_HEIGHT_PC))[:, None] * giants,
    ]
    for density in old:
        kinds += [density[:, None] * old_dwarfs, density[:, None] * giants]
    return kinds


@lru_cache(maxsize=1)
def _luminosities() -> tuple[Float64, Float64, Float64, Float64]:
    """``(M,)`` luminosity functions in G of dwarfs, old dwarfs and giants; scale heights of the dwarfs."""
    dwarf_v = np.interp(_MG, DWARF_MG, DWARF_MV)
    giant_v = _MG + 0.3
    dwarfs = luminosity_function(dwarf_v) * _dwarf_share(dwarf_v) * np.gradient(dwarf_v, _MG)
    dwarfs = dwarfs * np.interp(dwarf_v, _DWARF_MV, _DWARFS)
    giants = _GIANTS * luminosity_function(giant_v) * (1 - _dwarf_share(giant_v))
    old_dwarfs = dwarfs / (1 + np.exp((_TURNOFF_MV - dwarf_v) / 0.3))  # the brighter ones have died
    height = np.interp(dwarf_v, [2.3, 5.1], [_YOUNG_HEIGHT_PC, _THIN_HEIGHT_PC])
    return dwarfs, old_dwarfs, giants, height


def _dwarf_share(absolute_v: Float64) -> Float64:
    """Fraction of the stars of an absolute magnitude that are dwarfs (Bahcall & Soneira 1980)."""
    share = 0.44 * np.exp(1.5e-4 * np.clip(absolute_v + 8, 0.0, 12.0) ** 3.5)
    return np.where(absolute_v < 3.7, np.minimum(share, 1.0), 1.0)
