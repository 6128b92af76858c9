import numpy as np
import pytest

from core.errors import FrameRejected
from core.frames import samples
from core.frames.ground import RADIUS_KM, Ground, by_hand, simple_cylindrical

MOON = by_hand("Moon", 683, 501, centre_lat_deg=-43.0, centre_lon_deg=-11.0, span_deg=60.0)


def test_the_middle_and_the_edges_of_a_map_given_by_hand():
    (lat,), (lon,) = MOON.latlon(341, 250)
    assert (lat, lon) == pytest.approx((-43.0, -11.0))
    (_,), (west,) = MOON.latlon(-0.5, 250)
    assert west == pytest.approx(-41.0)


def test_places_come_back_from_their_pixels():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 600, 50), rng.uniform(0, 480, 50)
    back = MOON.pixel(*MOON.latlon(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-8)


@pytest.mark.parametrize("centre", [-180.0, 0.0, 175.0, 350.0])
def test_a_map_across_the_date_line_has_all_its_places(centre):
    ground = by_hand("Mars", 400, 200, centre_lat_deg=0.0, centre_lon_deg=centre, span_deg=360.0)
    x = np.linspace(0, 399, 40)
    lat, lon = ground.latlon(x, np.full(40, 50.0))
    assert ((lon >= -180) & (lon < 180)).all()
    away = (ground.pixel(lat, lon)[0] - x + 200) % 400 - 200
    np.testing.assert_allclose(away, 0, atol=1e-6)


def test_pixels_shrink_towards_the_pole():
    ground = by_hand("Moon", 3600, 1800, centre_lat_deg=0.0, centre_lon_deg=0.0, span_deg=360.0)
    size = np.radians(0.1) * 1737.4
    areas = ground.pixel_areas_km2([1800, 1800], [899.5, 299.5])
    np.testing.assert_allclose(areas, [size**2, size**2 * 0.5], rtol=1e-3)
    assert ground.km_per_px(1800, 899.5) == pytest.approx(size, rel=1e-4)


def test_the_areas_of_all_pixels_are_the_sphere():
    ground = by_hand("Ceres", 180, 90, centre_lat_deg=0.0, centre_lon_deg=0.0, span_deg=360.0)
    y, x = np.mgrid[:90, :180]
    total = ground.pixel_areas_km2(x.ravel(), y.ravel()).sum()
    assert total == pytest.approx(4 * np.pi * RADIUS_KM["Ceres"] ** 2, rel=1e-3)


def test_distances_on_the_sphere():
    quarter = MOON.distance_km([0.0], [0.0], [0.0], [90.0])[0]
    assert quarter == pytest.approx(np.pi / 2 * 1737.4)


def test_planetographic_latitudes_become_planetocentric():
    ground = Ground("Mars", 3389.5, (0.1, 0, -180, 0, -0.1, 90), squash=3376.2 / 3396.19)
    (lat,), (_,) = ground.latlon(1800, 450)
    assert lat == pytest.approx(44.662, abs=0.001)
    np.testing.assert_allclose(ground.pixel([lat], [0.0]), [[1800], [450]], atol=1e-6)


def test_beyond_the_pole_there_is_nothing():
    ground = Ground("Moon", 1737.4, (1.0, 0, 0, 0, -1.0, 0))
    assert np.isnan(ground.latlon([10], [95])[0][0])
    assert np.isnan(ground.km_per_px(10, 120))


@pytest.mark.parametrize(
    "bad",
    [
        {"body": "Vulcan", "centre_lat_deg": 0, "centre_lon_deg": 0, "span_deg": 10},
        {"body": "Moon", "centre_lat_deg": 80, "centre_lon_deg": 0, "span_deg": 90},
        {"body": "Moon", "centre_lat_deg": 0, "centre_lon_deg": 0, "span_deg": 0},
        {"body": "Moon", "centre_lat_deg": float("nan"), "centre_lon_deg": 0, "span_deg": 10},
        {"body": "Moon", "centre_lat_deg": 0, "centre_lon_deg": float("inf"), "span_deg": 10},
    ],
)
def test_what_makes_no_map_is_refused(bad):
    with pytest.raises(FrameRejected):
        by_hand(bad.pop("body"), 100, 100, **bad)


def test_no_pixels_a_degree_are_refused():
    with pytest.raises(FrameRejected, match="pixels a degree"):
        simple_cylindrical("Moon", west_deg=0, north_deg=0, px_per_deg=0)


@pytest.mark.parametrize(
    ("name", "lat", "lon", "within"),
    [
        ("moon_tycho", -43.31, -11.36, True),
        ("moon_imbrium", 51.6, -9.4, True),
        ("moon_serenitatis", 16.2, 14.9, False),
        ("mars_valles_marineris", -14.0, -59.0, True),
    ],
)
def test_samples_of_maps_know_their_place(name, lat, lon, within):
    sample = next(one for one in samples() if one.name == name)
    ground = sample.read().ground
    assert ground.body in sample.title
    (x,), (y,) = ground.pixel(lat, lon)
    if within:
        assert 0 < x < sample.width
        assert 0 < y < sample.height


def test_samples_of_the_sky_have_no_ground():
    assert all(one.ground is None for one in samples() if one.kind != "planetary")


def test_a_projected_map_from_0_to_360_has_all_its_places():
    pytest.importorskip("rasterio")
    radius = 1_737_400.0
    plane = (
        'PROJCS["Moon",GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",1737400,0]],PRIMEM["Meridian",0],'
        'UNIT["degree",0.0174532925199433]],PROJECTION["Equirectangular"],PARAMETER["standard_parallel_1",0],'
        'PARAMETER["central_meridian",0],UNIT["metre",1]]'
    )
    step = 2 * np.pi * radius / 720
    ground = Ground("Moon", 1737.4, (step, 0, step / 2, 0, -step, np.pi * radius / 2 - step / 2), plane)
    x, y = np.array([0.0, 359.0, 540.0, 719.0]), np.array([10.0, 180.0, 180.0, 300.0])
    np.testing.assert_allclose(ground.pixel(*ground.latlon(x, y)), (x, y), atol=1e-6)
    polar = plane.replace("Equirectangular", "Polar_Stereographic").replace(
        "standard_parallel_1", "latitude_of_origin"
    )
    over_the_pole = Ground(
        "Moon", 1737.4, (1e4, 0, -1e6, 0, -1e4, 1e6), polar.replace(",0],PARAMETER", ",90],PARAMETER")
    )
    x, y = np.array([3.0, 150.0, 60.0]), np.array([100.0, 20.0, 199.0])
    np.testing.assert_allclose(over_the_pole.pixel(*over_the_pole.latlon(x, y)), (x, y), atol=1e-6)


def test_a_disc_has_places_and_its_corners_have_none():
    moon = 'GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",1737400,0]],PRIMEM["0",0],UNIT["degree",0.0174532925]]'
    plane = f'PROJCS["disc",{moon},PROJECTION["Orthographic"],PARAMETER["central_meridian",20],UNIT["m",1]]'
    ground = Ground("Moon", 1737.4, (10_000.0, 0, -2e6, 0, -10_000.0, 2e6), plane)
    latitude, longitude = ground.latlon([200, 286.87, 0], [200, 200, 0])
    np.testing.assert_allclose(latitude, [0, 0, np.nan], atol=1e-6)
    np.testing.assert_allclose(longitude, [20, 50, np.nan], atol=1e-3)
    x, _ = ground.pixel([0, 0], [50, 220])
    np.testing.assert_allclose(x, [286.87, np.nan], atol=0.01)
    np.testing.assert_array_equal(np.isnan(ground.pixel_areas_km2([200, 0], [200, 0])), [False, True])
