import dataclasses
import tracemalloc

import numpy as np
import pytest
import sep

from core.errors import ParameterInvalid
from core.simulate.geometry import scene_wcs
from core.simulate.groups import Extras, Pointing
from core.simulate.objects import Galaxy, KingCluster, Nebula
from core.simulate.photometry import electrons, surface_electrons
from core.simulate.render import render
from core.simulate.scene import exposures
from tests.simulate.fields import no_stars, small_scene, stars_at

QUIET = {"sky": {"brightness_mag_arcsec2": 25.0}, "camera": {"dark_e_s": 0.0, "read_noise_e": 0.0}}


def grid_of_stars(scene, flux=20_000.0, step=24):
    x, y = np.meshgrid(
        np.arange(14.3, scene.camera.width - 10, step), np.arange(13.6, scene.camera.height - 10, step)
    )
    return stars_at(scene, x.ravel(), y.ravel(), flux)


def with_camera(scene, **changes):
    return dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, **changes))


@pytest.mark.parametrize("mode", ["mono", "rgb", "bayer"])
def test_the_same_scene_gives_the_same_frame_to_the_bit(mode):
    scene = small_scene(64, camera={"mode": mode}, extras=Extras(2, 1, 3, 1, 1), seed=5)
    one, two = (render(scene, grid_of_stars(scene)) for _ in range(2))
    assert one.frame.sha256 == two.frame.sha256
    assert one.frame.pixels.tobytes() == two.frame.pixels.tobytes()
    assert one.truth.table.equals(two.truth.table)
    other = render(dataclasses.replace(scene, seed=6), grid_of_stars(scene))
    assert other.frame.sha256 != one.frame.sha256


@pytest.mark.parametrize("rotation", [0.0, 37.0, -120.0])
def test_the_coordinates_put_stars_where_they_are(rotation):
    pointing = Pointing(ra_deg=359.999, dec_deg=60.0, rotation_deg=rotation, offset_x_px=2.7)
    scene = small_scene(96, pointing=pointing, **{"camera": {"exposure_s": 10.0}})
    stars = grid_of_stars(scene, flux=1e6)
    simulated = render(scene, stars)
    x, y = simulated.frame.pixel(stars["ra_deg"], stars["dec_deg"])
    image = simulated.expected_e[0] - np.median(simulated.expected_e)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    for px, py in zip(x, y, strict=True):
        weight = image * np.exp(-((columns - px) ** 2 + (rows - py) ** 2) / 8.0)
        weight /= weight.sum()
        # Weighting by a window at the true place halves an offset; 0.01 px here is 0.02 px at most.
        assert np.sum(weight * columns) == pytest.approx(px, abs=0.01)
        assert np.sum(weight * rows) == pytest.approx(py, abs=0.01)


def test_north_is_up_and_east_is_left():
    scene = small_scene(64)
    simulated = render(scene, no_stars(scene))
    ra, dec = simulated.frame.sky([31.5, 31.5, 30.5], [31.5, 32.5, 31.5])
    assert dec[1] > dec[0]
    assert ra[2] > ra[0]
    assert simulated.frame.pixel_scale_arcsec == pytest.approx(1.0)


def test_light_is_conserved_from_magnitude_to_adu():
    scene = small_scene(128, camera={"gain_e_per_adu": 0.5, "full_well_e": 1e6, "bits": 32}, seed=1)
    simulated = render(scene, stars_at(scene, 63.4, 64.1, 200_000.0))
    sky_e = surface_electrons(scene, scene.sky.brightness_mag_arcsec2) + 0.3
    above = simulated.frame.pixels.astype(float) - scene.camera.bias_adu - sky_e / 0.5
    expected = electrons(scene, simulated.truth.table["mag"][0])
    assert expected == pytest.approx(200_000.0)
    noise = np.sqrt(200_000 + 128**2 * (sky_e + 9.0))
    assert abs(above.sum() * 0.5 - expected) < 4 * noise
    assert simulated.truth.table["flux"][0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gain", "n_stacked", "mode"),
    [(1.0, 1, "mono"), (2.5, 1, "mono"), (0.25, 1, "mono"), (1.5, 10, "mono"), (1.5, 2, "rgb")],
)
def test_variance_against_mean_gives_the_gain(gain, n_stacked, mode):
    points = []
    for mag in (19.0, 16.0, 14.5):
        scene = small_scene(
            128,
            sky={"brightness_mag_arcsec2": mag},
            camera={
                "mode": mode,
                "gain_e_per_adu": gain,
                "n_stacked": n_stacked,
                "exposure_s": 100.0,
                "bits": 24,
                "full_well_e": 1e6,
            },
        )
        frame = render(scene, no_stars(scene)).frame
        points.append((frame.grey.mean(dtype=float), frame.grey.var(dtype=float)))
    means, variances = np.array(points).T
    slope = np.polyfit(means, variances, 1)[0]
    assert 1.0 / slope == pytest.approx(frame.gain_e_per_adu, rel=0.05)
    assert frame.gain_e_per_adu == gain * n_stacked * (3 if mode == "rgb" else 1)


def test_read_noise_and_bias_of_a_dark_frame():
    scene = small_scene(
        128, camera={"exposure_s": 0.001, "read_noise_e": 8.0, "gain_e_per_adu": 2.0, "bias_adu": 300.0}
    )
    pixels = render(scene, no_stars(scene)).frame.pixels
    assert pixels.mean(dtype=float) == pytest.approx(300.0, abs=0.2)
    assert pixels.std(dtype=float) == pytest.approx(np.sqrt(4.0**2 + 1 / 12), rel=0.03)
    assert np.array_equal(pixels, np.rint(pixels))


@pytest.mark.parametrize(
    ("camera", "limit"),
    [
        ({"full_well_e": 10_000.0, "gain_e_per_adu": 0.5, "bias_adu": 100.0}, 20_100.0),
        ({"full_well_e": 1e6, "bits": 12, "bias_adu": 100.0}, 4095.0),
    ],
)
def test_nothing_is_above_the_saturation_level(camera, limit):
    scene = small_scene(64, camera=camera)
    simulated = render(scene, stars_at(scene, [20.0, 45.0], [20.0, 45.0], [1e6, 1e3]))
    assert simulated.frame.saturation == limit
    assert simulated.frame.pixels.max() == limit
    assert simulated.truth.table["saturated"].tolist() == [True, False]
    assert simulated.artefacts[20, 20]
    assert not simulated.artefacts[45, 45]


@pytest.mark.parametrize("blooming", [False, True])
def test_a_full_well_is_saturated_whatever_its_read_noise(blooming):
    camera = {"full_well_e": 10_000.0, "read_noise_e": 10.0, "blooming": blooming}
    scene = small_scene(200, camera=camera)
    simulated = render(scene, grid_of_stars(scene, flux=3e5))
    assert simulated.truth.table["saturated"].all()
    assert simulated.artefacts[simulated.expected_e[0] > 11_000.0].all()


def test_sep_finds_the_bright_stars_where_the_truth_says():
    scene = small_scene(192, seed=2)
    simulated = render(scene, grid_of_stars(scene, flux=5_000.0))
    pixels = simulated.frame.pixels.astype(np.float32).copy()
    background = sep.Background(pixels)
    found = sep.extract(pixels - background.back(), 4.0, err=background.globalrms)
    away = np.hypot(
        found["x"][:, None] - simulated.truth.table["x"].to_numpy(),
        found["y"][:, None] - simulated.truth.table["y"].to_numpy(),
    )
    assert (simulated.truth.table["snr"] > 10).all()
    assert (away.min(axis=0) < 0.5).all()
    assert np.median(away.min(axis=0)) < 0.15
    assert len(found) == len(simulated.truth)


def test_truth_names_real_stars_and_leaves_out_those_outside():
    scene = small_scene(64)
    stars = stars_at(scene, [10.0, 20.0, 30.0, -5.0], [10.0, 20.0, 30.0, 5.0], [4e4, 3e4, 2e4, 1e4])
    stars["real"], stars["source_id"] = [True, True, False, True], [123, -456, 0, 9]
    table = render(scene, stars).truth.table
    assert table["name"].tolist() == ["Gaia DR3 123", "HIP 456", None]
    assert table["real"].tolist() == [True, True, False]
    assert set(table["label"]) == {"star"}


def test_unknown_colours_are_the_sun_s():
    scene = small_scene(64, camera={"mode": "rgb"})
    stars = stars_at(scene, 32.0, 32.0, 1e4)
    unknown = stars.assign(bp_mag=np.nan)
    assert np.array_equal(render(scene, stars).expected_e, render(scene, unknown).expected_e)


def test_red_stars_are_red():
    scene = small_scene(64, camera={"mode": "rgb"}, **{"sky": QUIET["sky"]})
    red, blue = (
        render(scene, stars_at(scene, 32, 32, 1e5, colour)).expected_e[:, 32, 32] for colour in (2.5, -0.2)
    )
    assert red[0] > 3 * red[2]
    assert blue[2] > blue[0]


def test_a_mosaic_sees_one_colour_a_pixel():
    scene = small_scene(64, camera={"mode": "bayer", "exposure_s": 300.0}, sky={"pollution": "sodium"})
    simulated = render(scene, no_stars(scene))
    raw = simulated.frame.pixels - scene.camera.bias_adu
    assert raw.shape == (64, 64)
    assert simulated.frame.header["BAYERPAT"] == "RGGB"
    expected = simulated.expected_e.mean(axis=(1, 2))
    for plane, pixels in zip(
        (0, 1, 1, 2), (raw[::2, ::2], raw[::2, 1::2], raw[1::2, ::2], raw[1::2, 1::2]), strict=True
    ):
        assert pixels.mean() == pytest.approx(expected[plane], rel=0.05)


EFFECTS = {
    "cosmic rays": lambda s: dataclasses.replace(s, extras=Extras(cosmic_rays=20)),
    "satellites": lambda s: dataclasses.replace(s, extras=Extras(satellites=2)),
    "galaxies": lambda s: dataclasses.replace(s, extras=Extras(galaxies=1)),
    "nebulae": lambda s: dataclasses.replace(s, extras=Extras(nebulae=1)),
    "clusters": lambda s: dataclasses.replace(s, extras=Extras(clusters=1)),
    "hot pixels": lambda s: with_camera(s, hot_pixel_fraction=0.01),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_adds_light_and_changes_nothing_else(effect):
    scene = small_scene(96, camera={"exposure_s": 120.0}, seed=11)
    plain = render(scene, no_stars(scene)).frame.pixels
    changed = render(EFFECTS[effect](scene), no_stars(scene)).frame.pixels
    difference = changed - plain
    assert difference.max() > 10.0
    if effect != "clusters":  # whose stars share the random numbers of all stars, and there were none
        assert (difference == 0).mean() > 0.05
    assert difference.min() >= -1.0  # rounding


def test_light_and_dark_of_the_sky():
    scene = small_scene(96, camera={"exposure_s": 100.0})
    plain = render(scene, no_stars(scene)).expected_e[0]
    assert np.ptp(plain) == 0.0
    moon = scene.with_settings({"sky.moon_illumination": "1"})
    assert render(moon, no_stars(scene)).expected_e.mean() > 3 * plain.mean()
    slope = render(scene.with_settings({"sky.gradient": "0.5"}), no_stars(scene)).expected_e[0]
    assert slope[-1, -1] / slope[0, 0] == pytest.approx(1.25 / 0.75, rel=0.02)
    dim = render(scene.with_settings({"camera.vignetting": "0.4"}), no_stars(scene)).expected_e[0]
    assert dim[0, 0] / dim[48, 48] == pytest.approx(0.6, abs=0.03)


def test_the_background_of_a_crop_is_that_of_the_middle():
    camera = {"width": 400, "height": 300, "vignetting": 0.5}
    scene = small_scene(camera=camera, sky={"gradient": 0.8, "gradient_angle_deg": 30.0})
    middle = render(scene, no_stars(scene)).expected_e[:, 110:190, 140:260]
    cropped = scene.cropped(120, 80)
    np.testing.assert_allclose(render(cropped, no_stars(cropped)).expected_e, middle, rtol=1e-3)


def test_vignetting_dims_stars_and_their_truth():
    scene = small_scene(96, camera={"vignetting": 0.5}, **{"sky": QUIET["sky"]})
    table = render(scene, stars_at(scene, [47.5, 1.0], [47.5, 1.0], 1e5)).truth.table
    assert table["flux"].tolist() == pytest.approx([1e5, 0.52e5], rel=0.02)


def test_vignetting_dims_galaxies_and_nebulae_and_their_truth():
    """What the truth says of a small object near the corner is what is on the frame."""
    scene = small_scene(128, camera={"vignetting": 0.5, "exposure_s": 300.0}, **{"sky": QUIET["sky"]})
    ra, dec = scene_wcs(scene).wcs_pix2world([[20.0, 20.0]], 0)[0]
    place = {"ra_deg": ra, "dec_deg": dec}
    empty = render(scene, no_stars(scene)).expected_e
    for objects in (
        {"galaxies": (Galaxy(mag=12.0, r_half_arcsec=2.0, **place),)},
        {"nebulae": (Nebula(brightness_mag_arcsec2=16.0, radius_arcsec=12.0, **place),)},
    ):
        simulated = render(dataclasses.replace(scene, **objects), no_stars(scene))
        light = float((simulated.expected_e - empty).sum())
        assert simulated.truth.table["flux"].tolist() == pytest.approx([light], rel=0.02)


def test_halos_hold_their_part_of_the_light():
    scene = small_scene(256, seeing={"halo_fraction": 0.1, "fwhm_arcsec": 2.0}, **{"sky": QUIET["sky"]})
    star = stars_at(scene, 128, 128, 1e6)
    plain = render(scene.with_settings({"seeing.halo_fraction": "0"}), star).expected_e[0]
    halo = render(scene, star).expected_e[0] - 0.9 * plain
    sky = float(np.median(plain))
    assert (halo - 0.1 * sky).sum() == pytest.approx(1e5, rel=0.35)  # much of a halo lies outside
    assert halo[128, 160] > 5.0
    assert halo[128, 160] == pytest.approx(halo[160, 128], rel=0.02)


def test_exposures_keep_the_sky_and_the_hot_pixels_but_not_the_noise():
    scene = small_scene(
        96, camera={"hot_pixel_fraction": 0.01, "exposure_s": 60.0}, extras=Extras(galaxies=12), seed=4
    )
    one, two = (render(shot, no_stars(scene)) for shot in exposures(scene, 2))
    assert np.array_equal(one.expected_e, two.expected_e)
    assert not np.array_equal(one.frame.pixels, two.frame.pixels)
    moved = render(exposures(scene, 1, dither_px=4.0, seed=3)[0], no_stars(scene))
    shift = moved.scene.pointing.offset_x_px, moved.scene.pointing.offset_y_px
    ours = [
        table[table["x_min"].gt(0) & table["x_max"].lt(95) & table["y_min"].gt(0) & table["y_max"].lt(95)]
        for table in (one.truth.table, moved.truth.table)
    ]
    pairs = ours[0].merge(ours[1], on="mag")
    assert len(pairs) >= 3
    assert (pairs["x_y"] - pairs["x_x"]).to_numpy() == pytest.approx(shift[0], abs=0.01)
    assert (pairs["y_y"] - pairs["y_x"]).to_numpy() == pytest.approx(shift[1], abs=0.01)


def test_objects_stand_in_the_truth_with_boxes():
    scene = small_scene(128, camera={"exposure_s": 300.0})
    place = {"ra_deg": scene.pointing.ra_deg, "dec_deg": scene.pointing.dec_deg}
    scene = dataclasses.replace(
        scene,
        galaxies=(Galaxy(name="g", mag=12.0, r_half_arcsec=8.0, axis_ratio=0.5, angle_deg=90.0, **place),),
        nebulae=(Nebula(name="n", brightness_mag_arcsec2=18.0, radius_arcsec=40.0, **place),),
        clusters=(KingCluster(name="c", n_stars=50, core_arcsec=8.0, tidal_arcsec=40.0, **place),),
    )
    table = render(scene, no_stars(scene)).truth.table.set_index("name")
    assert table.loc["g", "label"] == "galaxy"
    assert table.loc["n", "label"] == "nebula"
    assert table.loc["c", "label"] == "cluster"
    galaxy = table.loc["g"]
    assert galaxy["x_max"] - galaxy["x_min"] > 1.5 * (galaxy["y_max"] - galaxy["y_min"])  # east–west
    assert (galaxy["x"], galaxy["y"]) == pytest.approx((63.5, 63.5), abs=0.1)
    assert (table.loc[["g", "n", "c"], "snr"] > 10).all()
    far = dataclasses.replace(scene, galaxies=(Galaxy(ra_deg=200.0, dec_deg=-40.0),), nebulae=(), clusters=())
    assert not len(render(far, no_stars(far)).truth)


def test_a_table_without_colours_is_refused():
    scene = small_scene(64)
    with pytest.raises(ParameterInvalid, match="missing: bp_mag"):
        render(scene, no_stars(scene).drop(columns="bp_mag"))


def test_exposing_takes_less_than_nine_times_the_size_of_the_frame():
    """Its size is that of its pixels in double precision."""
    scene = small_scene(1024, camera={"mode": "rgb", "n_stacked": 4})
    stars = grid_of_stars(scene, step=200)
    render(scene, stars)  # what is imported and kept by the first
    tracemalloc.start()
    render(scene, stars)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 9 * 3 * 1024**2 * 8


def test_progress_is_told():
    told = []
    scene = small_scene(64)
    render(scene, no_stars(scene), progress=lambda fraction, doing: told.append((fraction, doing)))
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert told[-1] == (1.0, "done")
