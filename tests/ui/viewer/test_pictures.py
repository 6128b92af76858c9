"""Differences of two frames, and the limits of what is sent."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from core.frames import Frame
from core.frames.display import DisplaySettings
from core.ui.viewer.cached import BASE_SIDE, base_picture, base_values, crop_picture, crop_values
from core.ui.viewer.pictures import NO_DATA, DifferencePicture, FramePicture, why_no_difference


def frame(values: np.ndarray, row0: str = "bottom") -> Frame:
    return Frame.from_array(values, "f.fits", row0=row0)


def test_difference_is_white_at_zero_red_above_blue_below_and_grey_without_data():
    first = np.zeros((4, 4), np.float32)
    first[0] = [5, -5, 0, np.nan]
    rgb, region = DifferencePicture(frame(first), frame(np.zeros((4, 4))), "t").crop(None, 100)
    assert region == (0, 0, 4, 4)
    above, below, same, missing = rgb[-1].astype(int)  # row 0 is shown at the bottom
    assert above[0] > above[2] + 50
    assert below[2] > below[0] + 50
    assert_array_equal(same, [247, 247, 247])
    assert_array_equal(missing, NO_DATA)


def test_difference_of_equal_frames_has_a_scale():
    same = frame(np.ones((8, 8), np.float32))
    colours = DifferencePicture(same, same, "t").colours()
    assert colours is not None
    assert (colours["low"], colours["high"]) == (-1.0, 1.0)


def test_difference_of_colour_and_grey_compares_brightness():
    colour = frame(np.full((5, 6, 3), 9, np.float32))
    grey = frame(np.full((5, 6), 4, np.float32))
    assert_array_equal(DifferencePicture(colour, grey, "t").values(None), np.full((5, 6), 5))


@pytest.mark.parametrize(
    ("other", "row0", "why"),
    [
        ((5, 6), "bottom", None),
        ((5, 7), "bottom", "one size: f.fits is 6 × 5 px"),
        ((5, 6), "top", "one kind"),
    ],
)
def test_difference_needs_one_grid(other, row0, why):
    said = why_no_difference(frame(np.zeros((5, 6))), frame(np.zeros(other), row0))
    assert (said is None) if why is None else (said is not None and why in said)


def test_large_frame_travels_in_less_than_three_megabytes():
    pixels = np.random.default_rng(8).normal(1000, 30, (4096, 4096)).astype(np.float32)
    large = frame(pixels)
    picture = FramePicture(large, DisplaySettings.for_frame(large))
    encoded, _ = base_picture(picture)
    grid = base_values(picture)
    assert max(grid.width, grid.height) * grid.binning >= 4096
    assert len(encoded) + len(grid.codes) < 3_000_000
    crop, _, region = crop_picture(picture, (1000, 1200, 1640, 1560), 640)
    values = crop_values(picture, (1000, 1200, 1640, 1560))
    assert region == (1000, 1200, 1640, 1560)
    assert values is not None
    assert values.exact
    assert len(crop) + len(values.codes) < 3_000_000
    assert crop_values(picture, (0, 0, BASE_SIDE, BASE_SIDE)) is None


def test_other_settings_and_other_pixels_are_other_pictures():
    one = frame(np.zeros((5, 6), np.float32))
    settings = DisplaySettings.for_frame(one)
    inverted = dataclasses.replace(settings, invert=not settings.invert)
    other = one.with_pixels(one.pixels + 1, '["one"]')
    keys = {
        FramePicture(one, settings).key,
        FramePicture(one, inverted).key,
        FramePicture(other, settings).key,
    }
    assert len(keys) == 3
