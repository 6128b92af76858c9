"""Pictures of frames: coordinates, limits, colours, missing pixels."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame
from core.frames.display import DisplaySettings, cuts, render
from core.frames.display.colour_maps import STOPS, colour_table
from core.frames.display.render import MISSING_RGB
from core.frames.display.settings import LIMITS, STRETCHES

LINEAR = DisplaySettings(stretch="linear", limits="minmax")
REGIONS = [None, (0, 0, 120, 90), (13, 27, 101, 64), (119, 89, 120, 90), (-50, -50, 500, 500), (0, 0, 7, 90)]


def ramp(row0: str = "top", height: int = 90, width: int = 120) -> Frame:
    """Brightness grows along x and, faster, along y, so each pixel has its own value."""
    y, x = np.mgrid[:height, :width]
    return Frame.from_array(x + width * y, row0=row0)


@pytest.mark.parametrize("row0", ["top", "bottom"])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("max_side", [None, 100, 37, 8, 1])
def test_coordinates_there_and_back(row0: str, region: tuple[int, ...] | None, max_side: int | None) -> None:
    shown = render(ramp(row0), LINEAR, region=region, max_side=max_side)
    for x, y in [(0.0, 0.0), (12.25, 77.5), (-0.5, 89.5), (119.5, -0.5)]:
        assert shown.to_frame(*shown.to_view(x, y)) == pytest.approx((x, y))
    height, width = shown.rgb.shape[:2]
    # The outer corners of the region are the outer corners of the picture.
    u, v = shown.to_view(shown.x0 - 0.5, shown.y0 - 0.5)
    assert (u, v) == pytest.approx((-0.5, height - 0.5 if row0 == "bottom" else -0.5))
    u, v = shown.to_view(shown.x0 + shown.region_width - 0.5, shown.y0 + shown.region_height - 0.5)
    assert (u, v) == pytest.approx((width - 0.5, -0.5 if row0 == "bottom" else height - 0.5))


@pytest.mark.parametrize("row0", ["top", "bottom"])
@pytest.mark.parametrize("region", [None, (40, 20, 100, 80)])
def test_a_pixel_is_drawn_where_its_coordinates_say(row0: str, region: tuple[int, ...] | None) -> None:
    pixels = np.zeros((90, 120))
    pixels[33, 71] = 1.0
    shown = render(Frame.from_array(pixels, row0=row0), LINEAR, region=region)
    (v,), (u,) = np.nonzero(shown.rgb[:, :, 0])
    assert shown.to_view(71, 33) == (u, v)
    assert shown.to_frame(u, v) == (71, 33)


@pytest.mark.parametrize("max_side", [61, 50, 40, 17])
@pytest.mark.parametrize("row0", ["top", "bottom"])
def test_a_star_stays_in_place_when_made_smaller(row0: str, max_side: int) -> None:
    y, x = np.mgrid[:90, :120]
    star = np.exp(-((x - 71.3) ** 2 + (y - 33.8) ** 2) / (2 * 5.0**2))
    shown = render(Frame.from_array(star, row0=row0), LINEAR, max_side=max_side)
    light = shown.rgb[:, :, 0].astype(float)
    v, u = (np.tensordot(axis, light) / light.sum() for axis in np.mgrid[: light.shape[0], : light.shape[1]])
    assert shown.to_frame(u, v) == pytest.approx((71.3, 33.8), abs=0.05 * 120 / max_side)


def test_sides_and_ratio() -> None:
    shown = render(ramp(), LINEAR, max_side=60)
    assert shown.rgb.shape == (45, 60, 3)
    assert render(ramp(), LINEAR, max_side=4000).rgb.shape == (90, 120, 3)  # never enlarged


def test_a_crop_and_a_small_picture_are_as_bright_as_the_whole() -> None:
    rng = np.random.default_rng(0)
    frame = Frame.from_array(rng.normal(100.0, 5.0, (90, 120)) + np.linspace(0, 200, 120))
    for limits in LIMITS:
        settings = DisplaySettings(limits=limits)
        whole = render(frame, settings).rgb
        crop = render(frame, settings, region=(30, 20, 90, 70)).rgb
        np.testing.assert_array_equal(crop, whole[20:70, 30:90])
        small = render(frame, settings, max_side=40).rgb
        blocks = whole[:, :, 0].reshape(30, 3, 40, 3).mean(axis=(1, 3))
        assert np.abs(small[:, :, 0] - blocks).mean() < 6.0


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("limits", LIMITS)
def test_brighter_is_never_darker(stretch: str, limits: str) -> None:
    frame = Frame.from_array(np.linspace(-5.0, 5.0, 4000).reshape(40, 100))
    levels = render(frame, DisplaySettings(stretch=stretch, limits=limits)).rgb[:, :, 0].ravel().astype(int)
    assert (np.diff(levels) >= 0).all()
    assert (levels[0], levels[-1]) == (0, 255)
    inverted = render(frame, DisplaySettings(stretch=stretch, limits=limits, invert=True)).rgb[:, :, 0]
    np.testing.assert_array_equal(inverted.ravel(), 255 - levels)


def test_stretches_are_astropys() -> None:
    from astropy.visualization import AsinhStretch, LogStretch, SqrtStretch

    values = np.linspace(0.0, 1.0, 900).reshape(30, 30)
    frame = Frame.from_array(values)
    for name, curve in [("asinh", AsinhStretch()), ("log", LogStretch()), ("sqrt", SqrtStretch())]:
        shown = render(frame, DisplaySettings(stretch=name, limits="minmax")).rgb[:, :, 0]
        assert np.abs(shown - 255.0 * curve(values)).max() <= 1.0


def test_histogram_equalisation_gives_every_brightness_as_many_pixels() -> None:
    frame = Frame.from_array(np.random.default_rng(0).normal(0.0, 1.0, (300, 300)) ** 3)
    levels = render(frame, DisplaySettings(stretch="histogram", limits="minmax")).rgb[:, :, 0]
    counts = np.histogram(levels, 8, (0, 256))[0]
    assert np.abs(counts / levels.size - 1 / 8).max() < 0.03


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        (DisplaySettings(limits="minmax"), 0.0, 999.0),
        (DisplaySettings(limits="manual", low=10.0, high=20.0), 10.0, 20.0),
        (DisplaySettings(limits="manual", low=10.0), 10.0, 999.0),
        (DisplaySettings(limits="percentile", percentile_low=10.0, percentile_high=90.0), 99.9, 899.1),
    ],
)
def test_limits(settings: DisplaySettings, low: float, high: float) -> None:
    found = cuts(Frame.from_array(np.arange(1000.0).reshape(25, 40)), settings)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_zscale_is_not_led_astray_by_bright_stars() -> None:
    pixels = np.random.default_rng(0).normal(1000.0, 10.0, (400, 400))
    pixels[::50, ::50] = 60_000.0
    found = cuts(Frame.from_array(pixels), DisplaySettings(limits="zscale"))
    assert 900.0 < found.low < 1000.0 < found.high < 1200.0


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize(
    "pixels",
    [
        np.full((20, 30), 7.0),
        np.full((20, 30), -1e30),
        np.zeros((1, 1)),
        np.full((20, 30), np.nan),
        np.where(np.arange(600).reshape(20, 30) == 3, 5.0, np.nan),
        np.random.default_rng(0).normal(0, 1e30, (20, 30)),
        np.full((20, 30, 3), 7.0),
    ],
    ids=["constant", "huge constant", "one pixel", "all missing", "one value", "huge", "constant colour"],
)
def test_odd_frames_are_drawn(pixels: np.ndarray, stretch: str, limits: str) -> None:
    shown = render(Frame.from_array(pixels), DisplaySettings(stretch=stretch, limits=limits), max_side=16)
    assert shown.rgb.dtype == np.uint8


def test_missing_pixels_are_flat_and_spare_their_neighbours() -> None:
    pixels = np.full((60, 60), 5.0)
    pixels[10:20, 10:20] = np.nan
    pixels[40, 40] = np.nan  # one lost pixel of a block does not make the block missing
    shown = render(
        Frame.from_array(pixels), DisplaySettings(limits="manual", low=0.0, high=10.0), max_side=30
    )
    assert (shown.rgb[5:10, 5:10] == MISSING_RGB).all()
    rest = np.ones((30, 30), bool)
    rest[5:10, 5:10] = False
    assert len(np.unique(shown.rgb[rest], axis=0)) == 1


def test_colour_frames_keep_their_colours() -> None:
    pixels = np.zeros((20, 20, 3))
    pixels[..., 0], pixels[..., 1], pixels[0, 0] = 200.0, 100.0, 255.0
    settings = DisplaySettings(stretch="linear", limits="minmax", colour_map="viridis")
    assert render(Frame.from_array(pixels), settings).rgb[10, 10].tolist() == [200, 100, 0]


@pytest.mark.parametrize("name", STOPS)
def test_colour_maps_grow_brighter_steadily(name: str) -> None:
    from skimage.color import rgb2lab

    lightness = rgb2lab(colour_table(name)[None] / 255.0)[0, :, 0]
    steps = np.diff(lightness[::5])
    assert (steps > 0).all()
    assert lightness[-1] - lightness[0] > 50.0


@pytest.mark.parametrize("region", [(5, 5, 5, 9), (200, 0, 300, 50), (-9, -9, 0, 0), (50, 50, 40, 60)])
def test_region_outside_the_frame(region: tuple[int, int, int, int]) -> None:
    with pytest.raises(ParameterInvalid, match="region"):
        render(ramp(), LINEAR, region=region)


def test_max_side_of_nothing() -> None:
    with pytest.raises(ParameterInvalid, match="max_side"):
        render(ramp(), LINEAR, max_side=0)
