import numpy as np
import pytest

from core.frames import Frame
from core.stars.background import MAP_SIDE, subtract_background
from tests.skies import star_field


def _sky(pixels, **facts):
    return subtract_background(Frame.from_array(pixels, **facts))


def test_the_injected_sky_and_noise_are_recovered():
    field = star_field(1, (256, 256), 80)

    sky = _sky(field.pixels)

    assert np.median(sky.level_map) == pytest.approx(200, rel=0.02)
    assert np.median(sky.noise_map) == pytest.approx(field.noise, rel=0.05)


def test_a_gradient_is_not_noise():
    rows = np.linspace(0, 2000, 256)[:, None]
    field = star_field(2, (256, 256), 20)

    sky = _sky(field.pixels + rows)

    assert np.median(sky.noise) == pytest.approx(field.noise, rel=0.1)
    assert abs(np.median(sky.data)) < field.noise / 3


def test_noise_follows_the_frame_and_is_nowhere_zero_beside_a_quiet_corner():
    rng = np.random.default_rng(0)
    strength = np.where(np.arange(384) < 192, 0.5, 50.0)

    sky = _sky(100 + rng.normal(0, 1, (384, 384)) * strength)

    assert sky.noise.min() > 0.2
    assert np.median(sky.noise[:, :100]) == pytest.approx(0.5, rel=0.15)
    assert np.median(sky.noise[:, -100:]) == pytest.approx(50, rel=0.15)


def test_missing_pixels_are_zero_and_leave_the_rest_as_it_was():
    pixels = star_field(1, (256, 256), 30).pixels
    holed = pixels.copy()
    holed[50:90, 100:140] = np.nan
    holed[0, 0] = np.inf
    holed[3, 3] = -1e38

    sky, whole = _sky(holed), _sky(pixels)

    assert sky.missing.sum() == 40 * 40 + 2
    assert (sky.data[sky.missing] == 0).all()
    assert np.abs(sky.data[200:] - whole.data[200:]).max() < 3
    assert sky.missing_fraction == pytest.approx(1602 / 256**2)


def test_black_skies_of_pictures_have_at_least_a_step_of_noise():
    rng = np.random.default_rng(0)
    pixels = np.maximum(np.rint(rng.normal(-1, 1, (128, 128, 1))), 0).repeat(3, axis=2)

    sky = _sky(pixels)

    assert sky.noise.min() >= 1


@pytest.mark.parametrize("factor", [2.0**-75, 2.0**100], ids=["tiny", "huge"])
def test_the_unit_of_the_pixels_does_not_matter(factor):
    pixels = star_field(1, (128, 128), 20).pixels

    scaled, plain = _sky(pixels * np.float32(factor)), _sky(pixels)

    assert 1e-3 < scaled.data.max() < 1e12
    np.testing.assert_allclose(scaled.noise_map / np.float32(factor), plain.noise_map, rtol=1e-4)


def test_maps_are_small_whatever_the_frame():
    assert _sky(np.ones((700, 300))).level_map.shape == (MAP_SIDE, MAP_SIDE)
    assert _sky(np.ones((8, 400))).noise_map.shape == (8, MAP_SIDE)


def test_saturated_pixels_are_not_sky():
    pixels = star_field(1, (128, 128), 0).pixels
    pixels[30:90, 30:90] = 60_000

    with_limit = subtract_background(Frame.from_array(pixels), 64, saturation=50_000)

    assert with_limit.level_map.max() < 300


def black_sky(cut_sigma: float) -> tuple[np.ndarray, float]:
    """An 8-bit picture of an empty sky, its noise cut off at so many sigma from the mean."""
    noise = 6.0
    sky = np.random.default_rng(4).normal(0.0, noise, (256, 256)) - cut_sigma * noise
    return np.clip(np.rint(sky), 0, 255).astype(np.float32), noise


@pytest.mark.parametrize("cut_sigma", [-1.5, -0.5, 0.0, 0.4])
def test_a_sky_made_black_by_cutting_off_its_noise_keeps_its_noise(cut_sigma):
    picture, noise = black_sky(cut_sigma)
    measured = float(np.median(subtract_background(Frame.from_array(picture)).noise))
    # With the median itself cut off, a part of the upper half is lost too.
    assert 0.55 * noise < measured < 1.2 * noise


def test_a_border_of_zeros_is_no_black_sky():
    field = star_field(seed=2, shape=(256, 256), n_stars=0)
    picture = field.pixels.copy()
    picture[:, :80] = 0.0
    sky = subtract_background(Frame.from_array(picture))
    assert np.median(sky.noise[:, 160:]) == pytest.approx(field.noise, rel=0.1)
    assert np.median(sky.noise[:, 100:120]) < 3 * field.noise


def test_a_black_sky_of_two_levels_is_no_border():
    levels = np.random.default_rng(1).choice([0, 1, 2], (256, 256), p=[0.6, 0.39, 0.01])
    levels[::16, ::16] = 200
    assert _sky(levels.astype(np.float32)).missing is None


@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_what_a_turned_frame_does_not_cover_is_missing(scale):
    field = star_field(1, (256, 256), 30)
    rows, columns = np.mgrid[:256, :256]
    beyond = rows + 0.3 * columns < 60
    holed = np.where(beyond, np.nan, field.pixels) * scale

    sky, expected = _sky(np.where(beyond, 0.0, field.pixels) * scale), _sky(holed)

    np.testing.assert_array_equal(sky.missing, beyond)
    np.testing.assert_array_equal(sky.data, expected.data)
    np.testing.assert_array_equal(sky.noise, expected.noise)
    assert _sky(field.pixels).missing is None
