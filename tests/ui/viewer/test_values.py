"""Values for the readout: decoded here as the browser decodes them."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from core.ui.viewer.values import (
    EXACT_BYTES,
    MEAN_NUMBERS,
    ValueGrid,
    binned_mean,
    binning_of,
    value_grid,
)


def decoded(grid: ValueGrid) -> np.ndarray:
    """``(height, width, channels)`` values of a grid."""
    codes = np.frombuffer(zlib.decompress(grid.codes), grid.kind).astype(float)
    linear = grid.offset + grid.step * codes
    values = grid.centre + grid.width_asinh * np.sinh(linear) if grid.width_asinh else linear
    if grid.missing is not None:
        values[codes == grid.missing] = np.nan
    return values.reshape(grid.height, grid.width, grid.channels)


def sky(height: int, width: int) -> np.ndarray:
    pixels = np.random.default_rng(1).normal(500, 12, (height, width)).astype(np.float32)
    pixels[7, 9] = 60_000
    pixels[3, 4] = np.nan
    return pixels


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        (np.arange(256, dtype=np.float32).reshape(16, 16), "uint8"),
        (np.array([[0, 255, np.nan]], np.float32), "uint16"),
        (np.array([[-300, 65_000, np.nan]], np.float32), "uint16"),
        (np.array([[0.5, -1e30, np.nan]], np.float32), "float32"),
        (np.full((3, 4), np.nan, np.float32), "uint8"),
        (np.random.default_rng(2).integers(0, 256, (8, 9, 3)).astype(np.float32), "uint8"),
    ],
)
def test_small_regions_travel_without_loss(pixels, kind):
    grid = value_grid(pixels, 5, 6, 1)
    assert (grid.x0, grid.y0, grid.kind, grid.exact) == (5, 6, kind, True)
    assert_array_equal(decoded(grid).reshape(pixels.shape), pixels)


def test_many_values_keep_the_noise_and_the_stars():
    pixels = sky(900, 1000)
    assert pixels.nbytes > EXACT_BYTES
    grid = value_grid(pixels, 0, 0, 1)
    assert not grid.exact
    found = decoded(grid)[..., 0]
    assert np.isnan(found[3, 4])
    good = np.isfinite(pixels)
    assert np.abs(found - pixels)[good & (pixels < 1000)].max() < 0.01 * 12
    assert found[7, 9] == pytest.approx(60_000, rel=1e-3)


@pytest.mark.parametrize("shape", [(40, 60), (41, 59), (1, 7), (30, 44, 3)])
def test_binned_mean_is_the_mean_of_what_each_bin_holds(shape):
    pixels = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    means = binned_mean(pixels, 4)
    assert means.shape[:2] == (-(-shape[0] // 4), -(-shape[1] // 4))
    assert_allclose(means[0, 0], pixels[:4, :4].mean(axis=(0, 1)), rtol=1e-4, atol=1e-6)
    last = pixels[4 * (means.shape[0] - 1) :, 4 * (means.shape[1] - 1) :]
    assert_allclose(means[-1, -1], last.mean(axis=(0, 1)), rtol=1e-4, atol=1e-6)


def test_binned_mean_leaves_missing_pixels_out():
    pixels = np.full((4, 8), 3, np.float32)
    pixels[0, 0] = np.nan
    pixels[:, 4:] = np.nan
    assert_array_equal(binned_mean(pixels, 4), [[3, np.nan]])


@pytest.mark.parametrize(
    ("shape", "whole", "binning"),
    [((700, 800), False, 1), ((1500, 1600), True, 1), ((1500, 1600), False, 2), ((4096, 4096), False, 4)],
)
def test_binning_keeps_a_frame_within_the_limit(shape, whole, binning):
    pixels = np.full(shape, 7 if whole else 7.5, np.float32)
    assert binning_of(pixels) == binning
    if not whole and binning > 1:
        assert pixels.size / binning**2 <= MEAN_NUMBERS
