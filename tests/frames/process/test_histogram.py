"""Histograms and their statistics."""

from __future__ import annotations

import numpy as np
import pytest

from core.frames.process import histogram


@pytest.mark.parametrize("shape", [(200, 300), (200, 100, 3)])
@pytest.mark.parametrize("bins", [1, 64, 256])
def test_every_value_is_counted(shape: tuple[int, ...], bins: int) -> None:
    pixels = np.random.default_rng(0).normal(1000.0, 20.0, shape).astype(np.float32)
    pixels[0, 0] = 60_000.0
    pixels[1, :30] = np.nan
    found = histogram(pixels, bins)
    assert found.edges.shape == (bins + 1,)
    assert found.counts.shape == (bins,)
    assert found.counts.sum() == np.isfinite(pixels).sum()
    assert found.median == pytest.approx(1000.0, abs=0.5)
    assert found.sigma == pytest.approx(20.0, rel=0.02)
    assert found.maximum == 60_000.0
    assert found.minimum < 940.0
    assert found.missing_fraction == pytest.approx(np.isnan(pixels).mean())
    assert found.edges[-1] < 1200.0  # one bright pixel does not squeeze the sky into one bin


@pytest.mark.parametrize("value", [0.0, 7.0, -1e30])
def test_constant(value: float) -> None:
    found = histogram(np.full((20, 20), value, np.float32))
    assert found.counts.sum() == 400
    assert (found.counts > 0).sum() == 1
    assert (found.sigma, found.minimum, found.maximum) == (0.0, np.float32(value), np.float32(value))


def test_nothing_there() -> None:
    found = histogram(np.full((20, 20), np.nan, np.float32))
    assert found.counts.sum() == 0
    assert found.missing_fraction == 1.0
    assert np.isnan(found.median)


@pytest.mark.parametrize("largest", [40, 255, 256, 700, 65_535])
def test_whole_numbers_leave_no_bin_empty_by_its_place(largest: int) -> None:
    found = histogram(np.arange(largest + 1, dtype=np.float32).reshape(1, -1))
    assert len(found.counts) <= 258
    assert found.counts.sum() == largest + 1
    assert (found.counts[1:-1] == found.counts[1]).all()
