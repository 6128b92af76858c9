import numpy as np
import pytest

from core.simulate.detector import count, fill_wells, mosaic
from core.simulate.groups import Camera
from core.simulate.look import smart_telescope_look
from core.simulate.presets import preset
from core.simulate.render import render
from core.simulate.sky import moonlight_mag_arcsec2
from tests.simulate.fields import stars_at

FULL = 100.0


def column(*values):
    return np.array(values, float)[None, :, None]


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        ((0, 0, 300, 0, 0), (0, 100, 100, 100, 0)),
        ((0, 0, 0, 340, 0, 0, 0), (0, 20, 100, 100, 100, 20, 0)),
        ((0, 100, 300, 0, 0), (100, 100, 100, 100, 0)),
        ((500, 0, 0, 0, 0), (100, 100, 100, 0, 0)),
        ((10, 50, 99), (10, 50, 99)),
    ],
    ids=["even", "part", "past a full pixel", "half is lost at the edge", "nothing to spill"],
)
def test_blooming_fills_the_column_from_the_star(charge, expected):
    camera = Camera(full_well_e=FULL, blooming=True)
    assert fill_wells(column(*charge), camera)[0, :, 0].tolist() == list(map(float, expected))


def test_without_blooming_the_excess_is_lost():
    assert fill_wells(column(0, 300, 0), Camera(full_well_e=FULL))[0, :, 0].tolist() == [0.0, 100.0, 0.0]


def test_blooming_stays_in_its_column():
    charge = np.zeros((1, 9, 9))
    charge[0, 4, 4] = 500.0
    held = fill_wells(charge, Camera(full_well_e=FULL, blooming=True))
    assert held.sum() == 500.0
    assert not held[0][:, :4].any()
    assert charge.max() == 500.0  # the input is left alone


def test_a_stack_has_the_noise_of_all_its_exposures():
    light = np.full((200, 200), 50.0)
    stack = count(np.random.default_rng(0), light, n_stacked=25)
    assert stack.mean() == pytest.approx(50.0, abs=0.05)
    assert stack.var() == pytest.approx(2.0, rel=0.05)


def test_the_mosaic_is_rggb():
    planes = np.stack([np.full((4, 4), value) for value in (1.0, 2.0, 3.0)])
    assert mosaic(planes)[0, :2, :2].tolist() == [[1.0, 2.0], [2.0, 3.0]]


@pytest.mark.parametrize(("illumination", "separation", "mag"), [(1.0, 60.0, 18.33), (0.5, 90.0, 21.28)])
def test_moonlight_is_as_bright_as_computed_by_hand(illumination, separation, mag):
    assert moonlight_mag_arcsec2(illumination, separation) == pytest.approx(mag, abs=0.02)


def test_moonlight_grows_with_phase_and_nearness():
    brightness = [moonlight_mag_arcsec2(*case) for case in ((0.1, 90), (0.5, 90), (1.0, 90), (1.0, 30))]
    assert brightness == sorted(brightness, reverse=True)


@pytest.mark.parametrize("name", ["vespera", "dslr200", "vlt"])
def test_the_smart_telescope_look_is_dark_with_bright_stars(name):
    scene = preset(name).cropped(128, 128)
    x, y = np.random.default_rng(0).uniform(5, 120, (2, 12))
    picture = smart_telescope_look(render(scene, stars_at(scene, x, y, 3e4)).frame, scene)
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8
    assert (np.abs(np.median(picture, axis=(0, 1)) - 11) <= 2).all()
    assert picture.max() > 150
