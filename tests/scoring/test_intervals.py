import numpy as np
import pytest

from core.scoring.intervals import poisson_interval, wilson_interval


def wilson_by_formula(k, n, z=1.959963984540054):
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return centre - half, centre + half


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (5, 10), (97, 100), (0, 50)])
def test_interval_is_wilsons(k, n):
    low, high = wilson_interval(k, n)
    assert (float(low), float(high)) == pytest.approx(wilson_by_formula(k, n), abs=1e-12)
    assert 0.0 <= low <= k / n <= high <= 1.0


def test_where_nothing_was_tried_nothing_is_known():
    low, high = wilson_interval([0, 1], [0, 2])
    assert (low[0], high[0]) == (0.0, 1.0)
    assert 0.0 < low[1] < 0.5 < high[1] < 1.0


def test_poisson_intervals_are_those_of_gehrels():
    # Gehrels 1986, ApJ 303, 336, tables 1 and 2, for 1 σ.
    low, high = poisson_interval([0, 1, 5, 100])
    np.testing.assert_allclose(low, [0.0, 0.173, 2.840, 90.02], atol=0.005)
    np.testing.assert_allclose(high, [1.841, 3.300, 8.382, 111.03], atol=0.01)


def test_poisson_intervals_hold_the_truth_as_often_as_they_say():
    drawn = np.random.default_rng(4).poisson(7.3, 20_000)
    low, high = poisson_interval(drawn, 0.9)
    assert 0.9 <= np.mean((low <= 7.3) & (high >= 7.3)) < 0.95
