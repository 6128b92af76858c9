import re

import numpy as np
import pytest

from core.frames import Frame, samples
from core.frames.night import NOISE_LEVELS, SKY_LEVEL, network_picture, shown_white, why_not_sky


def a_sky(side=256, level=13.0, noise=3.0, stars=40, seed=0):
    """``(side, side, 3)`` float levels of a calm sky with stars."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    grey = np.full((side, side), level)
    for cx, cy, peak in rng.uniform(0, [side, side, 200], (stars, 3)):
        grey += peak * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 4.0)
    return np.clip(np.repeat(grey[..., None], 3, axis=2) + rng.normal(0, noise, (side, side, 3)), 0, 255)


def shown(pixels, saturation=255.0):
    return Frame.from_array(np.rint(pixels), "sky.png", row0="top", saturation=saturation)


def test_pictures_of_8_bits_are_seen_as_they_are():
    pixels = a_sky()
    np.testing.assert_array_equal(network_picture(shown(pixels)), np.rint(pixels).astype(np.uint8))


def test_stretched_pictures_of_16_bits_are_only_scaled():
    pixels = a_sky()
    np.testing.assert_allclose(network_picture(shown(257.0 * pixels, 65535.0)), pixels, atol=0.6)


def test_grey_becomes_three_equal_channels():
    picture = network_picture(shown(a_sky()[..., 0]))
    assert picture.shape == (256, 256, 3)
    assert (picture[..., :1] == picture).all()


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-6, 0.0), (900.0, 3e4), (1.0, -500.0)])
def test_linear_frames_get_the_sky_and_noise_of_shared_pictures(scale, offset):
    rng = np.random.default_rng(1)
    electrons = 50.0 * a_sky(level=0.0, noise=0.0)[..., 0] ** 1.5 + rng.normal(200.0, 12.0, (256, 256))
    picture = network_picture(Frame.from_array(electrons * scale + offset, "sky.fits", row0="bottom"))
    calm = picture[picture < 40].astype(float)
    assert np.median(calm) == pytest.approx(SKY_LEVEL, abs=2.0)
    assert calm.std() == pytest.approx(NOISE_LEVELS, rel=0.4)
    assert picture.max() > 200


def test_each_colour_of_a_linear_frame_gets_the_same_sky():
    rng = np.random.default_rng(2)
    colours = rng.normal(0, 10.0, (128, 128, 3)) + np.array([100.0, 900.0, 5000.0])
    picture = network_picture(Frame.from_array(colours, "sky.fits", row0="bottom"))
    np.testing.assert_allclose(np.median(picture, axis=(0, 1)), SKY_LEVEL, atol=1.5)


def test_deep_pictures_that_are_nearly_black_are_linear():
    assert shown_white(shown(np.full((64, 64), 300.0), 65535.0)) is None
    assert shown_white(shown(np.full((64, 64), 3000.0), 65535.0)) == 65535.0


def test_processed_pictures_that_left_their_range_are_linear():
    assert shown_white(shown(a_sky() - 100.0)) is None


def test_missing_pixels_are_black():
    pixels = a_sky()
    pixels[10:20, 30:40] = np.nan
    for frame in (shown(pixels), Frame.from_array(pixels, "sky.fits", row0="bottom")):
        picture = network_picture(frame)
        assert picture[10:20, 30:40].max() == 0
        assert picture[100:].mean() > 5
    assert network_picture(Frame.from_array(np.full((40, 40), np.nan), row0="bottom")).max() == 0


def test_a_sky_is_a_sky():
    assert why_not_sky(network_picture(shown(a_sky()))) == ""
    assert why_not_sky(network_picture(shown(a_sky(noise=15.0, level=90.0)))) == ""


def daylight():
    y, x = np.mgrid[:200, :300]
    return np.stack([140 + 40 * np.sin(x / 30), 150 + 30 * np.cos(y / 20), 200 - 0.2 * y], axis=2)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((1, 1)), "1 × 1 px"),
        (np.zeros((300, 20)), "20 × 300 px"),
        (np.full((100, 100, 3), 40.0), "blank"),
        (np.zeros((100, 100)), "blank"),
        (daylight(), "night sky"),
        (np.random.default_rng(0).normal(60.0, 15.0, (256, 256)), "noise"),
        (np.random.default_rng(0).uniform(0, 255, (256, 256, 3)), "night sky|noise"),
    ],
)
def test_what_is_no_sky_says_why(pixels, said):
    assert re.search(said, why_not_sky(network_picture(shown(np.clip(pixels, 0, 255)))))


def test_noise_alone_in_a_linear_frame_is_told():
    noise = np.random.default_rng(3).normal(1000.0, 20.0, (400, 400))
    assert "noise" in why_not_sky(network_picture(Frame.from_array(noise, row0="bottom")))


@pytest.mark.parametrize("sample", [s for s in samples() if s.kind in ("deep_sky", "galaxy", "star_field")])
def test_every_sample_of_the_sky_is_a_sky(sample):
    assert why_not_sky(network_picture(sample.read())) == ""


@pytest.mark.parametrize("sample", [s for s in samples() if s.kind == "planetary"], ids=lambda s: s.name)
def test_no_planet_is_a_sky(sample):
    assert "night sky" in why_not_sky(network_picture(sample.read()))


def test_a_bright_but_even_sky_is_a_sky():
    assert why_not_sky(network_picture(shown(a_sky(level=100.0, noise=6.0)))) == ""


@pytest.mark.parametrize("side", [600, 900])
def test_a_picture_without_red_is_not_blank(side):
    pixels = a_sky(side)
    pixels[..., 0] = 0.0
    assert why_not_sky(network_picture(shown(pixels))) == ""
