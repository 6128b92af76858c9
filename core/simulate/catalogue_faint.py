"""Stars too faint for the real catalogue, drawn at random from the model of star counts.

The sky is cut into fixed tiles, each with its own random numbers: a star stays where it is however large
the cone and however deep the limit, and a larger cone only adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.gaia import separation_deg
from core.simulate.catalogue_colours import REDDENING, bp_rp_magnitudes, intrinsic_colour
from core.simulate.catalogue_counts import G_EDGES, LineOfSight, line_of_sight

Float64 = NDArray[np.float64]

TILE_DEG = 0.5
_NODE_L_DEG, _NODE_B_DEG = 4.0, 1.0
"""The model is computed at nodes so far apart, and counts are interpolated between them."""
_COLOUR_SCATTER = 0.15
_METAL_POOR = (0.0, -0.05, -0.15, 0.05)
"""Shift of BP−RP by component: poor in metals is bluer."""

# Of ICRS in Galactic coordinates (ESA 1997, The Hipparcos catalogue, volume 1, equation 1.5.11).
_TO_GALACTIC = np.array(
    [
        [-0.0548755604162154, -0.8734370902348850, -0.4838350155487132],
        [0.4941094278755837, -0.4448296299600112, 0.7469822444972189],
        [-0.8676661490190047, -0.1980763734312015, 0.4559837761750669],
    ]
)


@dataclass(frozen=True, eq=False)
class _Tiles:
    """Patches of the sky between two right ascensions and two declinations.

    Attributes:
        band, cell: ``(T,)`` number of the patch from the south, and along its band.
        west_deg, width_deg: ``(T,)`` smallest right ascension and width in right ascension.
        south_deg: ``(T,)`` smallest declination; all are :data:`TILE_DEG` high.
    """

    band: NDArray[np.intp]
    cell: NDArray[np.intp]
    west_deg: Float64
    width_deg: Float64
    south_deg: Float64

    @property
    def sines(self) -> tuple[Float64, Float64]:
        """``(T,)`` sine of the smallest and the largest declination."""
        return np.sin(np.radians(self.south_deg)), np.sin(np.radians(self.south_deg + TILE_DEG))

    @property
    def square_degrees(self) -> Float64:
        """``(T,)`` areas."""
        low, high = self.sines
        return self.width_deg * np.degrees(high - low)

    @property
    def middle_galactic(self) -> tuple[Float64, Float64]:
        """``(T,)`` Galactic longitudes and latitudes of the middles, degrees."""
        return galactic(self.west_deg + self.width_deg / 2, self.south_deg + TILE_DEG / 2)


def faint_stars(
    ra_deg: float,
    dec_deg: float,
    radius_deg: float,
    *,
    bright_mag: float,
    limit_mag: float,
    max_stars: int,
    seed: int,
) -> tuple[pd.DataFrame, float, float]:
    """Draw the stars of a cone between two magnitudes.

    Their number in each tile and bin of magnitude is drawn from a Poisson distribution, their places are
    uniform within the tile.

    Args:
        ra_deg, dec_deg, radius_deg: The cone, ICRS degrees.
        bright_mag: Only stars fainter than this G.
        limit_mag: Faintest G wanted, at most the last of :data:`core.simulate.catalogue_counts.G_EDGES`.
        max_stars: About the most stars to draw: the limit is brought forward, bin by bin, until the
            expected number is no larger.
        seed: Decides everything random.

    Returns:
        A table of ``ra_deg, dec_deg, g_mag, bp_mag, rp_mag``, the limit that was kept to, and the number
        of stars that were expected to the limit that was asked for.
    """
    tiles = _tiles(ra_deg, dec_deg, radius_deg)
    counts = _expected(tiles)  # (T, B)
    cone_area = 4 * np.pi * np.sin(np.radians(radius_deg) / 2) ** 2 * np.degrees(1.0) ** 2
    in_cone = counts.sum(axis=0) * cone_area / tiles.square_degrees.sum()
    wanted = in_cone * np.clip((limit_mag - G_EDGES[:-1]) / np.diff(G_EDGES), 0.0, 1.0)
    wanted *= G_EDGES[1:] > bright_mag
    expected = float(wanted.sum())
    if expected > max_stars:
        limit_mag = float(G_EDGES[np.searchsorted(np.cumsum(wanted), max_stars)])
    tile, bin_of, chance = _draw(tiles, counts[:, G_EDGES[:-1] < limit_mag], seed)
    low, high = tiles.sines
    ra = tiles.west_deg[tile] + tiles.width_deg[tile] * chance[:, 0]
    dec = np.degrees(np.arcsin(low[tile] + (high - low)[tile] * chance[:, 1]))
    g_mag = G_EDGES[bin_of] + np.diff(G_EDGES)[bin_of] * chance[:, 2]
    keep = (g_mag > bright_mag) & (g_mag <= limit_mag)
    keep &= separation_deg(ra, dec, ra_deg, dec_deg) <= radius_deg
    colour = _colours(tiles, tile[keep], bin_of[keep], g_mag[keep], chance[keep, 3:])
    bp_mag, rp_mag = bp_rp_magnitudes(g_mag[keep], colour)
    table = pd.DataFrame(
        {"ra_deg": ra[keep], "dec_deg": dec[keep], "g_mag": g_mag[keep], "bp_mag": bp_mag, "rp_mag": rp_mag}
    )
    return table, limit_mag, expected


def galactic(ra_deg: object, dec_deg: object) -> tuple[Float64, Float64]:
    """Galactic longitude and latitude in degrees of ICRS positions in degrees."""
    ra, dec = np.radians(np.asarray(ra_deg, float)), np.radians(np.asarray(dec_deg, float))
    towards = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    x, y, z = np.tensordot(_TO_GALACTIC, towards, axes=1)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _tiles(ra_deg: float, dec_deg: float, radius_deg: float) -> _Tiles:
    """The tiles that a cone may touch."""
    n_bands = round(180.0 / TILE_DEG)
    first = max(0, int(np.floor((dec_deg - radius_deg + 90.0) / TILE_DEG)))
    last = min(n_bands - 1, int(np.floor((dec_deg + radius_deg + 90.0) / TILE_DEG)))
    reach = np.sin(np.radians(radius_deg)) / max(np.cos(np.radians(dec_deg)), 1e-12)
    holds_pole = abs(dec_deg) + radius_deg >= 90.0
    half_width = 180.0 if holds_pole else float(np.degrees(np.arcsin(min(reach, 1.0))))
    bands, cells, widths = [], [], []
    for band in range(first, last + 1):
        middle = -90.0 + (band + 0.5) * TILE_DEG
        n_cells = max(1, round(360.0 / TILE_DEG * np.cos(np.radians(middle))))
        width = 360.0 / n_cells
        start = int(np.floor((ra_deg - half_width) / width))
        stop = min(int(np.floor((ra_deg + half_width) / width)), start + n_cells - 1)
        own = np.arange(start, stop + 1) % n_cells
        bands.append(np.full(len(own), band))
        cells.append(own)
        widths.append(np.full(len(own), width))
    band_of, cell_of, width_deg = map(np.concatenate, (bands, cells, widths))
    return _Tiles(band_of, cell_of, cell_of * width_deg, width_deg, -90.0 + band_of * TILE_DEG)


def _expected(tiles: _Tiles) -> Float64:
    """``(T, B)`` stars expected in each tile: the model at the four nearest nodes, interpolated."""
    l_deg, b_deg = tiles.middle_galactic
    l_low, b_low = np.floor(l_deg / _NODE_L_DEG), np.floor(b_deg / _NODE_B_DEG)
    l_part, b_part = l_deg / _NODE_L_DEG - l_low, b_deg / _NODE_B_DEG - b_low
    mean = np.zeros((len(l_deg), len(G_EDGES) - 1))
    for l_step, l_weight in ((0, 1 - l_part), (1, l_part)):
        for b_step, b_weight in ((0, 1 - b_part), (1, b_part)):
            nodes, of = np.unique(np.stack([l_low + l_step, b_low + b_step]), axis=1, return_inverse=True)
            counts = np.stack([_node_counts(int(node[0]), int(node[1])) for node in nodes.T])
            mean += (l_weight * b_weight)[:, None] * np.log(counts + 1e-12)[of]
    return np.exp(mean) * tiles.square_degrees[:, None]


@lru_cache(maxsize=16_384)
def _node_counts(l_node: int, b_node: int) -> Float64:
    return line_of_sight(l_node * _NODE_L_DEG, b_node * _NODE_B_DEG).per_square_degree


@lru_cache(maxsize=32)
def _node(l_node: int, b_node: int) -> LineOfSight:
    return line_of_sight(l_node * _NODE_L_DEG, b_node * _NODE_B_DEG)


def _draw(tiles: _Tiles, expected: Float64, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Float64]:
    """``(N,)`` tile and bin of magnitude of each star, and ``(N, 5)`` uniform random numbers of its own.

    Args:
        tiles: The tiles.
        expected: ``(T, B)`` stars expected in the bins that are wanted, from the brightest on.
        seed: Decides all.
    """
    tile_of, bin_of, chance = [], [], []
    bins = np.arange(expected.shape[1])
    for tile, (band, cell) in enumerate(zip(tiles.band, tiles.cell, strict=True)):
        # Numbers and places from two streams, each drawn brightest first: a deeper limit only adds.
        number = np.random.default_rng([seed, band, cell, 0]).poisson(expected[tile])
        own = np.repeat(bins, number)
        tile_of.append(np.full(len(own), tile))
        bin_of.append(own)
        chance.append(np.random.default_rng([seed, band, cell, 1]).random((len(own), 5)))
    return np.concatenate(tile_of), np.concatenate(bin_of), np.concatenate(chance)


def _colours(
    tiles: _Tiles, tile: NDArray[np.intp], bin_of: NDArray[np.intp], g_mag: Float64, chance: Float64
) -> Float64:
    """``(N,)`` BP−RP, by choosing for each star a kind and a distance among those of its magnitude."""
    l_deg, b_deg = tiles.middle_galactic
    nearest = np.stack([np.rint(l_deg / _NODE_L_DEG), np.rint(b_deg / _NODE_B_DEG)]).astype(int)
    nodes, node_of = np.unique(nearest, axis=1, return_inverse=True)
    colour = np.empty(len(tile))
    order = np.argsort(node_of[tile], kind="stable")
    for stars in np.split(order, np.flatnonzero(np.diff(node_of[tile][order])) + 1):
        if len(stars):
            model = _node(*nodes[:, node_of[tile[stars[0]]]].tolist())
            colour[stars] = _node_colours(model, bin_of[stars], g_mag[stars], chance[stars])
    return colour


def _node_colours(model: LineOfSight, bin_of: NDArray[np.intp], g_mag: Float64, chance: Float64) -> Float64:
    # Rows of the cumulative table, each raised by its number, are one growing list to search.
    rows, row = np.unique(bin_of, return_inverse=True)
    ladder = (model.cumulative[rows] + np.arange(len(rows))[:, None]).ravel()
    n_cells = model.cumulative.shape[1]
    place = np.searchsorted(ladder, row + chance[:, 0], side="right") - row * n_cells
    cell = np.clip(place, 0, n_cells - 1)
    colour = intrinsic_colour(g_mag - model.modulus[cell], model.kind[cell] % 2 == 1)
    colour += REDDENING * model.extinction_v[cell] + np.take(_METAL_POOR, model.kind[cell] // 2)
    return colour + _COLOUR_SCATTER * (chance[:, 1] - 0.5)
