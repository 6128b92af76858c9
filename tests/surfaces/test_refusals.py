import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

from core.frames import Frame, samples
from core.surfaces.refusals import why_not_surface
from tests.surfaces.grounds import crater, lit, rough, shown


def a_ground(seed=0, **light):
    heights = rough(seed=seed)
    for x, y, size in np.random.default_rng(seed).uniform([0, 0, 12], [256, 256, 60], (9, 3)):
        crater(heights, x, y, size)
    return lit(heights, seed=seed, **light)


def a_picture(levels):
    return Frame.from_array(np.clip(np.rint(levels), 0, 255), "it.png", saturation=255.0)


def a_photograph(hues, seed=0):
    """Patches of the given hues (red, green, blue) with some shading."""
    rng = np.random.default_rng(seed)
    shade = 140.0 + 40.0 * rough((128, 128), seed, height=1.0)
    return a_picture(
        shade[..., None] * np.array(hues)[rng.integers(0, len(hues), (8, 8))].repeat(16, 0).repeat(16, 1)
    )


@pytest.mark.parametrize(
    "sample", [one for one in samples() if one.kind == "planetary"], ids=lambda one: one.name
)
def test_samples_of_the_moon_and_mars_are_searched(sample):
    assert why_not_surface(sample.read()) == ""


@pytest.mark.parametrize(
    "sample", [one for one in samples() if one.kind != "planetary"], ids=lambda one: one.name
)
def test_samples_of_the_sky_are_not(sample):
    assert why_not_surface(sample.read()).endswith(".")


@pytest.mark.parametrize("azimuth_deg", [0, 100, 200, 300])
@pytest.mark.parametrize("elevation_deg", [10, 35, 70])
def test_ground_is_searched_wherever_the_sun_stands(azimuth_deg, elevation_deg):
    brightness = a_ground(azimuth_deg, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
    assert why_not_surface(shown(brightness)) == ""


def test_ground_of_one_hue_is_searched():
    grey = shown(a_ground()).pixels[..., None]
    assert why_not_surface(a_picture(grey * np.array([1.0, 0.7, 0.45]))) == ""


def test_linear_ground_with_missing_parts_is_searched():
    brightness = 1e4 * a_ground() + 300
    brightness[:40] = np.nan
    assert why_not_surface(Frame.from_array(brightness, "it.fits", row0="bottom")) == ""


def test_colour_photographs_are_not_searched():
    assert "colour photograph" in why_not_surface(
        a_photograph([(1, 0.5, 0.4), (0.4, 0.9, 0.4), (0.4, 0.5, 1)])
    )


@pytest.mark.parametrize("level", [0, 7, 255])
def test_blank_frames_are_not_searched(level):
    assert "is blank" in why_not_surface(a_picture(np.full((64, 64), level)))


def test_a_blank_frame_with_a_level_or_two_of_noise_is_blank():
    assert "is blank" in why_not_surface(a_picture(np.random.default_rng(0).normal(90, 0.3, (64, 64))))


@pytest.mark.parametrize(
    ("side", "smooth_px"), [(64, 0.0), (256, 0.0), (256, 0.7), (256, 1.5), (1200, 0.0), (1200, 1.5)]
)
def test_noise_is_not_searched(side, smooth_px):
    noise = gaussian_filter(np.random.default_rng(side).normal(size=(side, side)), smooth_px)
    assert "nothing but noise" in why_not_surface(a_picture(120 + 25 * noise / noise.std()))


@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (31, 200), (8, 8)])
def test_strips_are_not_searched(shape):
    said = why_not_surface(Frame.from_array(np.random.default_rng(0).normal(size=shape), "strip.png"))
    assert f"{shape[1]} × {shape[0]} px" in said


@pytest.mark.parametrize("row0", ["top", "bottom"])
def test_star_fields_are_not_searched(row0):
    rng = np.random.default_rng(3)
    sky = np.full((300, 300), 12.0)
    rows, columns = np.mgrid[:300, :300]
    for x, y, peak in zip(*rng.uniform(0, 300, (2, 150)), rng.exponential(80, 150), strict=True):
        sky += peak * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4.0)
    frame = Frame.from_array(sky + rng.normal(0, 3, sky.shape), "sky", row0=row0)
    assert "the sky" in why_not_surface(frame)


def test_a_portrait_is_not_searched():
    grey = skimage.data.astronaut()[:270, 90:360].mean(axis=2)
    assert "a face" in why_not_surface(a_picture(grey))


def test_a_frame_of_missing_pixels_is_blank():
    assert "is blank" in why_not_surface(Frame.from_array(np.full((64, 64), np.nan), "none.fits"))
