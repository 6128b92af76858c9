import numpy as np
import pytest

from core.explain.baselines import baselines, constant_baselines, sky_baseline


def test_constant_baselines_are_the_extremes():
    shown = np.linspace(-0.7, 0.9, 3 * 8 * 9, dtype=np.float32).reshape(3, 8, 9)
    low, high = constant_baselines(shown)

    assert (low == shown.min()).all()
    assert (high == shown.max()).all()
    assert low.shape == high.shape == shown.shape


def test_the_sky_is_recovered_under_a_galaxy_and_stars():
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:200, :260] / 200
    sky = np.stack([0.1 + 0.1 * x + 0.05 * y, 0.12 + 0.08 * x, 0.2 - 0.05 * y]).astype(np.float32)
    galaxy = 0.6 * np.exp(-(((x - 0.7) / 0.12) ** 2) - ((y - 0.5) / 0.08) ** 2)
    shown = sky + galaxy + rng.normal(0, 0.01, sky.shape)
    shown[:, rng.integers(0, 200, 60), rng.integers(0, 260, 60)] = 1.0
    got = sky_baseline(shown.astype(np.float32))

    assert got.shape == sky.shape
    assert got.dtype == np.float32
    assert np.abs(got - sky).max() < 0.05  # the galaxy has 0.6, the stars 0.8
    assert np.sqrt(np.mean((got - sky) ** 2)) < 0.02


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 5, 40), (3, 56, 57)])
def test_any_size_has_a_sky(shape):
    np.testing.assert_allclose(sky_baseline(np.full(shape, 0.25, np.float32)), 0.25, rtol=1e-6)


def test_baselines_by_name_in_order():
    shown = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32)).astype(np.float32)
    got = baselines(shown, ("sky", "minimum"))

    np.testing.assert_array_equal(got[0], sky_baseline(shown))
    np.testing.assert_array_equal(got[1], constant_baselines(shown)[0])
