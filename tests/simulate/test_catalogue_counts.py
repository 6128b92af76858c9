"""The model of star counts against the real stars that come along, and against what is known of the sky."""

import itertools

import numpy as np
import pytest

from core.catalogues.gaia import cone
from core.simulate.catalogue import stars_for
from core.simulate.catalogue_counts import G_EDGES, line_of_sight, luminosity_function
from core.simulate.catalogue_faint import galactic

BANDS = [(0, 5), (5, 10), (10, 20), (20, 40), (40, 60), (60, 90)]
QUARTERS = [(0, 45), (45, 90), (90, 135), (135, 180)]


@pytest.fixture(scope="module")
def real():
    """Galactic longitude from the centre, latitude, both without sign, and G of the real stars."""
    stars = cone(0.0, 0.0, 180.0).table
    l_deg, b_deg = galactic(stars["ra_deg"], stars["dec_deg"])
    return np.abs((l_deg + 180) % 360 - 180), np.abs(b_deg), stars["g_mag"].to_numpy()


def _model(longitudes, low, high, bright, faint):
    """Stars a square degree in a band of latitude, averaged over both hemispheres."""
    edges = np.degrees(np.arcsin(np.linspace(np.sin(np.radians(low)), np.sin(np.radians(high)), 6)))
    wanted = (G_EDGES[:-1] >= bright) & (G_EDGES[1:] <= faint)
    return np.mean(
        [
            line_of_sight(longitude, sign * latitude).per_square_degree[wanted].sum()
            for longitude in longitudes
            for latitude in (edges[1:] + edges[:-1]) / 2
            for sign in (1, -1)
        ]
    )


@pytest.mark.parametrize(("low", "high"), BANDS)
@pytest.mark.parametrize(("bright", "faint"), [(8, 9), (9, 10)])
def test_counts_by_latitude_are_those_of_gaia(real, low, high, bright, faint):
    _, latitude, g_mag = real
    area = 720 * np.degrees(np.sin(np.radians(high)) - np.sin(np.radians(low)))
    counted = ((latitude >= low) & (latitude < high) & (g_mag >= bright) & (g_mag < faint)).sum() / area
    assert 0.85 < _model(range(10, 360, 20), low, high, bright, faint) / counted < 1.15


@pytest.mark.parametrize(("west", "east"), QUARTERS)
@pytest.mark.parametrize(("low", "high"), [(0, 5), (5, 20), (20, 90)])
def test_counts_by_longitude_are_those_of_gaia(real, low, high, west, east):
    longitude, latitude, g_mag = real
    area = 720 * np.degrees(np.sin(np.radians(high)) - np.sin(np.radians(low))) * (east - west) / 180
    here = (longitude >= west) & (longitude < east) & (latitude >= low) & (latitude < high)
    counted = (here & (g_mag >= 8) & (g_mag < 10)).sum() / area
    middles = np.linspace(west, east, 5)[:-1] + 5.6
    assert 1 / 1.5 < _model(middles, low, high, 8, 10) / counted < 1.5


@pytest.mark.parametrize(
    ("l_deg", "b_deg", "limit", "counted"),
    [
        # Stars of Gaia DR3 a square degree, in a cone of 0.5° around RA 45 Dec 0 ...
        (176.9, -48.9, 18.0, 1_100),
        (176.9, -48.9, 20.0, 1_970),
        # ... and between RA 5.6° and 7.0°, Dec +61.06° and +61.59°.
        (119.8, -1.4, 18.0, 18_700),
    ],
)
def test_faint_counts_are_those_of_gaia(l_deg, b_deg, limit, counted):
    model = line_of_sight(l_deg, b_deg).per_square_degree[G_EDGES[1:] <= limit].sum()
    assert 1 / 1.5 < model / counted < 1.5


def test_the_whole_sky_holds_as_many_stars_as_gaia_saw():
    """220 million sources of Gaia DR3 brighter than G = 17.65 have spectra, nearly all there are."""
    limit = G_EDGES[1:] <= 17.75
    total = 0.0
    edges = [0, 1, 2, 4, 7, 12, 20, 35, 60, 90]
    for low, high in itertools.pairwise(edges):
        area = 720 * np.degrees(np.sin(np.radians(high)) - np.sin(np.radians(low)))
        middle = (low + high) / 2
        counts = [line_of_sight(l_deg, middle).per_square_degree[limit].sum() for l_deg in range(5, 180, 10)]
        total += area * np.mean(counts)
    assert 1.7e8 < total < 3.0e8


def _bahcall_soneira(v_mag, l_deg, b_deg):
    """Stars a square degree brighter than V: equation B1 of Bahcall & Soneira (1980), for |b| ≥ 20°."""
    longitude, latitude = np.radians(l_deg), np.radians(b_deg)
    mu = np.clip(0.0075 * (v_mag - 12) + 0.03, 0.03, 0.09)
    gamma = np.clip(0.04 * (12 - v_mag) + 0.36, 0.04, 0.36)
    towards_centre = np.cos(latitude) * np.cos(longitude)
    disc = 925 * 10 ** (0.035 * (v_mag - 15.75)) / (1 + 10 ** (-0.132 * (v_mag - 15.75))) ** 3
    disc /= (np.sin(latitude) * (1 - mu / np.tan(latitude) * np.cos(longitude))) ** (3 - 5 * gamma)
    halo = 1050 * 10 ** (0.087 * (v_mag - 17.5)) / (1 + 10 ** (-0.18 * (v_mag - 17.5))) ** 2.5
    return disc + halo / (1 - towards_centre) ** (1.45 - 0.2 * towards_centre)


@pytest.mark.parametrize("place", [(0.1, 89.9), (180, 50), (90, 30), (60, 30), (0, 45), (180, 30)])
@pytest.mark.parametrize("v_mag", [16.0, 18.0, 20.0])
def test_faint_counts_are_those_of_bahcall_and_soneira(place, v_mag):
    cumulative = np.cumsum(line_of_sight(*place).per_square_degree)
    model = np.interp(v_mag - 0.2, G_EDGES[1:], cumulative)  # G is some 0.2 brighter than V
    assert 1 / 1.5 < model / _bahcall_soneira(v_mag, *place) < 1.5


def test_counts_grow_towards_the_plane_and_the_centre_and_with_magnitude():
    to_18 = G_EDGES[1:] <= 18
    plane, centre, pole = (
        line_of_sight(*place).per_square_degree[to_18] for place in [(150, 3), (5, 5), (0, 90)]
    )
    assert centre.sum() > 2 * plane.sum() > 10 * pole.sum()
    assert (np.diff(pole[G_EDGES[1:][to_18] > 6]) > 0).all()


def test_the_luminosity_function_holds_the_stars_near_the_sun():
    """About 0.1 stars a cubic parsec down to the faintest dwarfs in the form as published."""
    magnitudes = np.arange(-6, 16.5, 0.01)
    assert luminosity_function(magnitudes).sum() * 0.01 == pytest.approx(0.1, rel=0.25)


def test_colours_redden_towards_the_plane_and_stay_plausible():
    """Median BP−RP at G 15–17 of Gaia DR3: 1.2 at b = −49°, and 1.2 at b = −1.4° behind little dust."""
    high, low = (
        table[(table["g_mag"] > 15) & ~table["real"]]
        for table in (
            stars_for(45, 0, 1.5, limit_mag=17).table,
            stars_for(6.3, 61.3, 0.3, limit_mag=17).table,
        )
    )
    for table in (high, low):
        colour = table["bp_mag"] - table["rp_mag"]
        assert colour.median() == pytest.approx(1.2, abs=0.25)
        assert colour.between(-0.5, 7).all()
        assert table["rp_mag"].le(table["bp_mag"] + 0.5).all()
    behind_the_bulge = stars_for(264.8, -32.2, 0.1, limit_mag=19).table
    faint = behind_the_bulge[behind_the_bulge["g_mag"] > 18]
    assert (faint["bp_mag"] - faint["rp_mag"]).median() > 1.7
