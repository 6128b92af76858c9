import numpy as np
import pytest

from core.simulate.clusters import cluster_stars, king_density, king_fraction_within
from core.simulate.galaxies import galaxy_stamp
from core.simulate.geometry import scene_wcs, to_pixels
from core.simulate.nebulae import nebula_electrons
from core.simulate.objects import Galaxy, KingCluster, Nebula
from core.simulate.photometry import electrons, surface_electrons
from tests.simulate.fields import small_scene


@pytest.mark.parametrize(
    ("n", "radius", "ratio"),
    [(1.0, 12.0, 1.0), (1.0, 12.0, 0.4), (2.5, 10.0, 0.7), (4.0, 12.0, 1.0), (1.0, 60.0, 0.5)],
)
def test_half_the_light_is_within_the_half_light_radius(n, radius, ratio):
    scene = small_scene(2048, seeing={"fwhm_arcsec": 1.0})
    galaxy = Galaxy(r_half_arcsec=radius, sersic_n=n, axis_ratio=ratio, angle_deg=0.0)
    stamp, left, bottom = galaxy_stamp(scene, galaxy, 1024.3, 1023.6)
    rows, columns = np.mgrid[: stamp.shape[0], : stamp.shape[1]]
    along, across = rows + bottom - 1023.6, columns + left - 1024.3  # north is up: the major axis is y
    within = np.hypot(along, across / ratio) <= radius
    assert stamp.sum() == pytest.approx(1.0, abs=0.02 if n < 2 else 0.1)
    assert stamp[within].sum() == pytest.approx(0.5, abs=0.02)


def test_a_large_galaxy_is_drawn_as_a_small_one_is():
    scene = small_scene(2048)
    just_below, just_above = (
        galaxy_stamp(scene, Galaxy(r_half_arcsec=radius, axis_ratio=0.6, angle_deg=30.0), 1024.0, 1024.0)[0]
        for radius in (19.99, 20.01)
    )
    side = min(len(just_below), len(just_above))
    cut = [
        stamp[(len(stamp) - side) // 2 :][:side, (len(stamp) - side) // 2 :][:, :side]
        for stamp in (just_below, just_above)
    ]
    assert np.abs(cut[0] - cut[1]).max() < 0.01 * cut[0].max()


@pytest.mark.parametrize(("core", "tidal"), [(30.0, 300.0), (60.0, 200.0)])
def test_king_clusters_have_king_s_counts(core, tidal):
    scene = small_scene(64)
    cluster = KingCluster(
        ra_deg=40.0, dec_deg=75.0, n_stars=20_000, core_arcsec=core, tidal_arcsec=tidal, name="test"
    )
    stars = cluster_stars(scene, cluster)
    from core.catalogues.gaia import separation_deg

    radius = separation_deg(stars["ra_deg"], stars["dec_deg"], 40.0, 75.0) * 3600.0
    assert radius.max() <= tidal * 1.0001
    for fraction in (0.1, 0.3, 0.6):
        expected = float(king_fraction_within(fraction * tidal, core, tidal))
        assert np.mean(radius < fraction * tidal) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 20_000))
    assert stars["g_mag"].between(cluster.brightest_mag, cluster.faintest_mag).all()


def test_king_s_fraction_is_the_integral_of_his_density():
    radius = np.linspace(0.0, 100.0, 20_001)
    rings = 2 * np.pi * radius * king_density(radius, 20.0, 100.0)
    total = np.trapezoid(rings, radius)
    inner = np.trapezoid(rings[:6001], radius[:6001]) / total
    assert king_fraction_within(30.0, 20.0, 100.0) == pytest.approx(inner, abs=1e-5)
    assert king_density(101.0, 20.0, 100.0) == 0.0


def test_a_nebula_has_the_brightness_that_was_asked_for():
    scene = small_scene(128)
    nebula = Nebula(brightness_mag_arcsec2=20.0, radius_arcsec=40.0, axis_ratio=0.8)
    light = nebula_electrons(scene, nebula, 63.5, 63.5)[0]
    assert light.sum() / (np.pi * 40.0**2 * 0.8) == pytest.approx(surface_electrons(scene, 20.0), rel=0.1)


def test_nebulae_stay_where_they_are_on_the_sky():
    scene, nebula = small_scene(64), Nebula(radius_arcsec=20.0)
    here, there = (nebula_electrons(scene, nebula, x, 31.0)[0] for x in (31.0, 35.0))
    assert np.allclose(here[:, :-4], there[:, 4:])


def test_emission_is_red_and_reflection_is_blue():
    scene = small_scene(64, camera={"mode": "rgb"})
    red, blue = (
        nebula_electrons(scene, Nebula(kind=kind, radius_arcsec=20.0), 31.0, 31.0).sum(axis=(1, 2))
        for kind in ("emission", "reflection")
    )
    assert red[0] > 3 * red[2]
    assert blue[2] > 1.5 * blue[0]


def test_gaia_s_own_telescope_counts_gaia_s_own_electrons():
    scene = small_scene(64).with_settings(
        {"telescope.aperture_mm": str(1000 * np.sqrt(0.7278 * 4 / np.pi)), "telescope.efficiency": "1"}
    )
    rate = electrons(scene, 25.6873668671) / scene.camera.exposure_s
    assert rate == pytest.approx(1.0)


def test_places_behind_the_horizon_have_no_pixel():
    scene = small_scene(64)
    places = to_pixels(
        scene, scene_wcs(scene), [scene.pointing.ra_deg, 270.0], [scene.pointing.dec_deg, -40.0]
    )
    assert places[0] == pytest.approx([31.5, 31.5])
    assert np.isnan(places[1]).all()
