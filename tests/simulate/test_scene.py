import dataclasses
import json

import pytest

from core.errors import ParameterInvalid
from core.simulate.groups import Camera, Extras, Pointing, Seeing, Sky, Telescope
from core.simulate.objects import Galaxy, KingCluster, Nebula
from core.simulate.presets import PRESETS, TITLES, preset
from core.simulate.scene import Scene, exposures

FULL = Scene(
    pointing=Pointing(ra_deg=0.1 + 0.2, rotation_deg=1 / 3),
    galaxies=(Galaxy(name="NGC 1", mag=12.3), Galaxy(axis_ratio=1 / 7)),
    nebulae=(Nebula(kind="reflection"),),
    clusters=(KingCluster(name="σ Ori", n_stars=12),),
    extras=Extras(cosmic_rays=3),
    seed=2**62 + 1,
    exposure=4,
)


@pytest.mark.parametrize("scene", [Scene(), FULL, *PRESETS.values()])
def test_a_scene_comes_back_from_json_to_the_bit(scene):
    assert Scene.from_json(scene.to_json()) == scene
    assert Scene.from_json(scene.to_json()).to_json() == scene.to_json()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda: Telescope(aperture_mm=0), "aperture_mm must be 5 to 50000 mm, got 0"),
        (lambda: Telescope(obstruction=1.0), "obstruction must be"),
        (lambda: Camera(exposure_s=-1), "exposure_s must be"),
        (lambda: Camera(mode="infrared"), "mode must be one of mono, rgb, bayer"),
        (lambda: Pointing(date="yesterday"), "date must be a UTC date"),
        (lambda: Pointing(date="2025-01-01T00:00:00+01:00"), "date must be a UTC date"),
        (lambda: KingCluster(core_arcsec=10, tidal_arcsec=5), "tidal_arcsec must be larger"),
        (lambda: KingCluster(brightest_mag=10, faintest_mag=9), "faintest_mag must be fainter"),
        (lambda: Scene(seed=-1), "seed must be"),
        (lambda: Scene(seed=True), "seed must be"),
        (lambda: Scene(camera=Camera(width=8192, height=8192)), "width must be small enough"),
        (lambda: Scene(telescope=Telescope(focal_mm=5.0)), "focal_mm must be long enough"),
        (lambda: Scene(seeing=Seeing(fwhm_arcsec=0.1)), "fwhm_arcsec must be such that"),
        (lambda: Scene(seeing=Seeing(trail_arcsec=600.0)), "trail_arcsec must be such that"),
        (lambda: Scene(camera=Camera(bits=8, bias_adu=255.0)), "bias_adu must be below"),
        (lambda: Scene.from_json("{"), "scene must be JSON"),
        (lambda: Scene.from_json("[]"), "scene must be names with values"),
        (lambda: Scene.from_json('{"telescop": {}}'), "scene must be made of"),
        (lambda: Scene.from_json('{"format": 99}'), "format must be 1"),
        (lambda: Scene.from_json('{"camera": {"iso": 800}}'), "no parameter 'iso'"),
        (lambda: Scene.from_json('{"camera": 3}'), "camera must be names with values"),
        (lambda: Scene.from_json('{"galaxies": {}}'), "galaxies must be a list"),
        (lambda: Scene().with_settings({"camera.iso": "800"}), "no parameter 'iso'"),
        (lambda: Scene().with_settings({"iso": "800"}), "setting must be one of"),
        (lambda: Scene().with_settings({"seed": "many"}), "seed must be a whole number"),
        (lambda: exposures(Scene(), 0), "n must be 1 to"),
        (lambda: exposures(Scene(), 2, dither_px=-1), "dither_px must be 0 to"),
        (lambda: preset("hubble"), "There is no preset 'hubble'; there are: vespera"),
    ],
)
def test_the_impossible_is_refused_with_a_sentence(change, sentence):
    with pytest.raises(ParameterInvalid, match=sentence.replace("(", r"\(")):
        change()


def test_settings_of_the_command_line():
    scene = Scene().with_settings({"camera.exposure_s": "60", "sky.pollution": "led", "seed": "7"})
    assert (scene.camera.exposure_s, scene.sky.pollution, scene.seed) == (60.0, "led", 7)
    assert scene.with_settings({}) == scene


def test_a_group_is_replaced_by_its_type():
    sky = Sky(brightness_mag_arcsec2=18.0)
    assert Scene().with_group(sky).sky == sky
    with pytest.raises(TypeError, match="not a group"):
        Scene().with_group(Galaxy())


def test_an_old_scene_gets_new_defaults():
    values = json.loads(Scene(seed=3).to_json())
    del values["extras"], values["camera"]["blooming"]
    assert Scene.from_dict(values) == Scene(seed=3)


@pytest.mark.parametrize(
    ("name", "scale_arcsec"),
    [
        ("vespera", 2.99),
        ("stellina", 1.24),
        ("seestar", 2.39),
        ("sct8", 0.606),
        ("dslr200", 6.74),
        ("vlt", 0.148),
    ],
)
def test_presets_have_the_pixel_scales_of_their_makers(name, scale_arcsec):
    assert preset(name).pixel_scale_arcsec == pytest.approx(scale_arcsec, rel=0.005)
    assert set(TITLES) == set(PRESETS)


def test_exposures_share_the_sky_and_differ_in_noise_and_place():
    ten = exposures(FULL, 10, dither_px=5.0, seed=1)
    assert [scene.exposure for scene in ten] == list(range(4, 14))
    assert {scene.seed for scene in ten} == {FULL.seed}
    offsets = {(scene.pointing.offset_x_px, scene.pointing.offset_y_px) for scene in ten}
    assert len(offsets) == 10
    assert all(abs(x) <= 5 and abs(y) <= 5 for x, y in offsets)
    assert exposures(FULL, 3, dither_px=5.0, seed=1) == ten[:3]


def test_a_crop_keeps_the_optics_of_the_middle():
    scene = Scene(camera=Camera(width=1000, height=800, vignetting=0.4), seeing=Seeing(field_growth=0.8))
    half = scene.cropped(500, 400)
    assert (half.camera.width, half.camera.height) == (500, 400)
    assert half.camera.vignetting == pytest.approx(0.1)
    assert half.seeing.field_growth == pytest.approx(0.2)
    assert scene.cropped(5000, 5000) == scene


def test_the_date_is_a_julian_year():
    assert dataclasses.replace(Pointing(), date="2000-01-01T12:00:00").epoch == 2000.0
