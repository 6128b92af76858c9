"""Averaging down by area."""

from __future__ import annotations

import numpy as np
import pytest

from core.frames.display.resample import area_mean


@pytest.mark.parametrize(("width", "height"), [(50, 40), (33, 27), (25, 20), (7, 3), (1, 1), (100, 80)])
def test_mean_is_kept(width: int, height: int) -> None:
    pixels = np.random.default_rng(0).normal(100.0, 10.0, (80, 100)).astype(np.float32)
    small = area_mean(pixels, width, height)
    assert small.shape == (height, width)
    assert small.mean() == pytest.approx(pixels.mean(), rel=1e-5)


def test_uneven_rectangles_are_weighted_by_area() -> None:
    row = np.array([[0.0, 3.0, 9.0, 0.0, 6.0]], np.float32)
    expected = [[(0.0 + 3.0 * 2 / 3) / (5 / 3), (1.0 + 9.0 + 0.0 / 3) / (5 / 3), (0.0 + 6.0) / (5 / 3)]]
    np.testing.assert_allclose(area_mean(row, 3, 1), expected, rtol=1e-6)


def test_whole_blocks_are_exact() -> None:
    pixels = np.random.default_rng(0).normal(100.0, 10.0, (80, 100)).astype(np.float32)
    expected = pixels.reshape(20, 4, 25, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(area_mean(pixels, 25, 20), expected, rtol=1e-5)


def test_missing_pixels_are_left_out() -> None:
    pixels = np.full((64, 64), 3.0, np.float32)
    pixels[np.random.default_rng(0).random((64, 64)) < 0.2] = np.nan
    pixels[:16, :16] = np.nan
    small = area_mean(pixels, 16, 16)
    assert np.isnan(small[:4, :4]).all()
    np.testing.assert_allclose(small[np.isfinite(small)], 3.0, rtol=1e-6)
    assert np.isfinite(small).sum() >= 256 - 16 - 3
