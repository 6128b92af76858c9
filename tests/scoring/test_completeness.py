import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.scoring.completeness import completeness_curve


def observed(*found_of_ten):
    """Ten stars in each whole magnitude from 10, so many of them found."""
    magnitude = np.repeat(np.arange(len(found_of_ten)) + 10.5, 10)
    found = np.concatenate([np.arange(10) < n for n in found_of_ten])
    return magnitude, found, np.arange(len(found_of_ten) + 1) + 10.0


def test_bins_by_hand():
    curve = completeness_curve(*observed(10, 8, 0))
    assert curve.magnitude.tolist() == [10.5, 11.5, 12.5]
    assert curve.n_truth.tolist() == [10, 10, 10]
    assert curve.n_found.tolist() == [10, 8, 0]
    assert curve.completeness.tolist() == [1.0, 0.8, 0.0]
    assert (curve.low[1], curve.high[1]) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert curve.m90 == pytest.approx(11.0)
    assert curve.m50 == pytest.approx(11.5 + 0.3 / 0.8)


@pytest.mark.parametrize(
    ("found", "m50", "m90"),
    [
        ((10, 10, 10), None, None),  # complete throughout
        ((0, 0, 0), None, None),
        ((5, 0), 10.5, None),
        ((2, 10, 10, 0), 13.0, 12.6),  # saturated stars that are missed are no limit
        ((10, 4, 6, 0), 12.5, 10.7),
    ],
)
def test_limits_by_hand(found, m50, m90):
    curve = completeness_curve(*observed(*found))
    assert (curve.m50, curve.m90) == (pytest.approx(m50), pytest.approx(m90))


def test_a_chance_match_among_the_faintest_is_no_limit():
    magnitude, found, edges = observed(10, 10, 6, 1, 0, 0)
    lucky = completeness_curve([*magnitude, 17.5], [*found, True], [*edges, 17.0, 18.0])
    plain = completeness_curve(magnitude, found, edges)
    assert lucky.m50 == plain.m50
    assert plain.m50 == pytest.approx(12.7)


def test_an_empty_bin_is_a_gap_and_is_bridged():
    magnitude, found, _ = observed(10, 0)
    curve = completeness_curve(np.where(magnitude > 11, 12.5, 10.5), found, [10, 11, 12, 13])
    assert np.isnan(curve.completeness[1])
    assert (curve.low[1], curve.high[1]) == (0.0, 1.0)
    assert curve.m50 == pytest.approx(11.5)


def test_stars_without_a_magnitude_or_outside_the_bins_are_left_out():
    curve = completeness_curve([10.5, np.nan, np.inf, 99.0], [True, True, True, False], [10, 11])
    assert (curve.n_truth.tolist(), curve.n_found.tolist()) == ([1], [1])


@pytest.mark.parametrize(("magnitude", "found", "n"), [([], [], 0), ([12.0], [True], 1)])
def test_no_star_and_a_single_star(magnitude, found, n):
    curve = completeness_curve(magnitude, found, 4)
    assert (curve.n_truth.sum(), curve.n_found.sum()) == (n, n)
    assert (curve.m50, curve.m90) == (None, None)


def test_a_known_limit_is_recovered():
    rng = np.random.default_rng(5)
    magnitude = rng.uniform(14, 22, 40_000)
    found = rng.uniform(size=40_000) < 1 / (1 + np.exp(3.0 * (magnitude - 19.0)))
    curve = completeness_curve(magnitude, found, 32)
    assert curve.m50 == pytest.approx(19.0, abs=0.06)
    assert curve.m90 == pytest.approx(19.0 - np.log(9) / 3, abs=0.1)  # three times its scatter
    expected = 1 / (1 + np.exp(3.0 * (curve.magnitude - 19.0)))
    inside = (curve.low <= expected) & (expected <= curve.high)
    assert inside.mean() > 0.8


@pytest.mark.parametrize("bins", [0, -1, [3, 2, 1], "many"])
def test_bins_that_are_none_are_refused(bins):
    with pytest.raises(ParameterInvalid, match="bins must be a number of bins or edges"):
        completeness_curve([1.0, 2.0], [True, False], bins)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ParameterInvalid, match="must be equally long, got 2 and 1"):
        completeness_curve([1.0, 2.0], [True])
