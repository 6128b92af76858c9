import numpy as np
import pytest

from core.surfaces.size_frequency import Counted


def a_law(n, slope=2.0, least=1.0, seed=0):
    """Diameters whose cumulative number falls with a power."""
    return least * np.random.default_rng(seed).uniform(size=n) ** (-1.0 / slope)


def test_bins_grow_by_the_root_of_two_from_powers_of_it():
    edges = Counted(np.array([2.0, 3.0, 8.0]), 1.0, 1.0).bins()
    np.testing.assert_allclose(edges, 2.0 ** np.arange(1.0, 4.0, 0.5), rtol=1e-12)


def test_all_plots_of_one_small_count():
    counted = Counted(np.array([1.0, 1.2, 2.0, 4.0]), 50.0, 1.5)
    cumulative = counted.cumulative()
    np.testing.assert_allclose(cumulative.value, np.array([4, 3, 2, 1]) / 50)
    assert cumulative.complete.tolist() == [False, False, True, True]
    differential = counted.differential()
    np.testing.assert_allclose(differential.diameter, 2.0 ** np.array([0.25, 1.25, 2.25]))
    np.testing.assert_allclose(differential.value[0], 2 / 50 / (np.sqrt(2) - 1))
    assert differential.count.tolist() == [2, 1, 1]
    assert differential.complete.tolist() == [False, True, True]
    relative = counted.relative()
    np.testing.assert_allclose(relative.value, differential.value * differential.diameter**3)
    assert (relative.low < relative.value).all()
    assert (relative.high > relative.value).all()


def test_an_r_plot_of_the_law_it_is_relative_to_is_flat():
    relative = Counted(a_law(200_000, 2.0), 1e4, 1.0).relative()
    many = relative.count > 500
    assert many.sum() >= 8
    np.testing.assert_allclose(relative.value[many] / relative.value[0], 1.0, rtol=0.12)


@pytest.mark.parametrize("slope", [1.5, 2.0, 3.2])
def test_the_slope_of_a_law_comes_back_within_its_error(slope):
    away = []
    for seed in range(200):
        found, error = Counted(a_law(120, slope, seed=seed), 1.0, 1.0).slope()
        away.append((found - slope) / error)
    assert np.mean(away) == pytest.approx(0, abs=0.2)
    assert np.std(away) == pytest.approx(1, abs=0.2)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(5)
    truth, area, held = 0.12, 100.0, []
    for _ in range(600):
        n = rng.poisson(truth * area)
        value, low, high = Counted(a_law(n, seed=int(rng.integers(1e9))), area, 1.0).density(confidence=0.9)
        assert low <= value <= high
        held.append(low <= truth <= high)
    assert 0.88 <= np.mean(held) <= 0.97


def test_no_craters_have_a_density_of_zero_with_an_upper_bound():
    counted = Counted(np.empty(0), 10.0, 1.0)
    value, low, high = counted.density()
    assert value == low == 0
    assert high == pytest.approx(1.841 / 10, abs=1e-3)
    assert len(counted.cumulative()) == len(counted.differential()) == len(counted.relative()) == 0
    assert counted.slope() is None


def test_one_crater_is_one_point():
    counted = Counted(np.array([3.0]), 10.0, 1.0)
    assert len(counted.cumulative()) == len(counted.relative()) == 1


@pytest.mark.parametrize(("sizes", "area"), [([1.0], 0.0), ([np.nan], 1.0), ([-1.0], 1.0), ([1.0], np.inf)])
def test_what_cannot_be_counted_is_refused(sizes, area):
    with pytest.raises(ValueError, match=r"area|diameters"):
        Counted(np.array(sizes), area, 1.0)
