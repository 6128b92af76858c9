"""Each estimator finds what was planted, and is sensible about nothing, one star and missing values."""

import tracemalloc

import numpy as np
import pytest

from core.clusters import centre
from core.clusters.centre import middle, shape
from core.clusters.colours import colours
from core.clusters.distance import ZERO_POINT_MAS, distance, weighted_mean
from core.clusters.footprint import Footprint
from core.clusters.kde import density_map
from core.clusters.radial import contamination, half_number_radius, radial_profile
from core.clusters.ripley import ripley
from core.clusters.segregation import segregation, tree_length


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_middle_is_found_beside_strays():
    xy = np.concatenate([rng(0).normal([5, -3], 1.0, (300, 2)), rng(1).uniform(20, 40, (20, 2))])
    assert middle(xy) == pytest.approx([5, -3], abs=0.25)
    measured = shape(rng(2).normal([5, -3], 1.0, (400, 2)))
    assert np.hypot(*(measured.centre - [5, -3])) < 4 * np.hypot(*measured.centre_error)
    assert measured.centre_error == pytest.approx([0.06, 0.06], abs=0.03)


def test_planted_ellipticity_and_direction():
    found = []
    for seed in range(8):
        xy = rng(seed).normal(0, 1, (500, 2)) * [2.0, 1.0]
        turn = np.radians(30)
        xy = xy @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        found.append(shape(xy))
    assert np.mean([one.ellipticity for one in found]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([one.angle_deg for one in found]) == pytest.approx(30, abs=4)
    circle = shape(rng(3).normal(0, 1, (500, 2)))
    assert circle.ellipticity < 3 * circle.ellipticity_by_chance < 0.4


def test_density_and_light_of_an_even_field():
    xy = rng().uniform(-10, 10, (20_000, 2))
    footprint = Footprint.of(xy)
    mag = np.full(len(xy), 10.0)
    profile = radial_profile(xy, np.zeros(2), footprint, 9.0, mag)
    assert profile.density[3:] == pytest.approx(np.full(9, 50.0), rel=0.15)
    covered = (profile.density_low <= 50.0) & (profile.density_high >= 50.0)
    assert 0.4 < covered.mean() <= 1
    assert profile.light[-1] == pytest.approx(10 - 2.5 * np.log10(50), abs=0.1)
    # By a corner most of each ring is outside the table, and the density is the same.
    corner = radial_profile(xy, np.array([9.0, 9.0]), footprint, 6.0)
    assert corner.density[-1] == pytest.approx(50, rel=0.15)
    assert np.isnan(corner.light).all()


def test_poisson_intervals_of_small_counts():
    profile = radial_profile(
        np.array([[0.1, 0.0]]), np.zeros(2), Footprint.of(rng().uniform(-9, 9, (99, 2))), 5.0
    )
    one = int(np.argmax(profile.count))
    assert profile.density_high[one] * profile.area[one] == pytest.approx(3.30, abs=0.05)  # Gehrels 1986
    assert profile.density_low[one] * profile.area[one] == pytest.approx(0.17, abs=0.02)
    empty = profile.count == 0
    assert (profile.density_low[empty] == 0).all()
    assert (profile.density_high[empty] > 0).all()


def test_half_number_radius_of_a_known_profile():
    u = rng().random(2000)
    plummer = 4.0 * np.sqrt(u / (1 - u))  # half of Plummer's stars are within its scale
    turn = rng(1).uniform(0, 2 * np.pi, 2000)
    xy = plummer[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    radius, error = half_number_radius(xy, np.zeros(2))
    assert abs(radius - 4.0) < 4 * error < 1.0


def test_many_members_take_no_longer_than_some(monkeypatch):
    drawn = []
    monkeypatch.setattr(centre, "middle", lambda xy: drawn.append(len(xy)) or middle(xy))
    few, many = (shape(rng(2).normal(0, (1.0, 0.7), (count, 2))) for count in (4000, 64_000))
    assert set(drawn) == {4000, 64_000}
    assert drawn.count(64_000) == 1
    assert many.ellipticity == pytest.approx(0.3, abs=0.01)
    for name in ("centre_error", "ellipticity_error", "ellipticity_by_chance"):
        assert getattr(many, name) == pytest.approx(getattr(few, name) / 4, rel=0.35)


def test_many_members_fit_into_memory():
    xy = rng().normal(0, 1, (100_000, 2))
    tracemalloc.start()
    radius, error = half_number_radius(xy, np.zeros(2))
    mean = weighted_mean(xy[:, 0], np.full(len(xy), 0.5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(radius - np.sqrt(2 * np.log(2))) < 4 * error < 0.02
    assert mean.spread == pytest.approx(np.sqrt(1 - 0.25), rel=0.05)
    assert peak < 20e6


def test_contamination_is_what_the_probabilities_say():
    xy = np.array([[0.5, 0], [0.6, 0], [5.5, 0], [5.6, 0]])
    found = contamination(xy, np.array([1.0, 0.9, 0.6, 0.8]), np.zeros(2), 6.0)
    assert found.members.tolist() == [2, 0, 0, 0, 0, 2]
    assert found.fraction[[0, -1]] == pytest.approx([0.05, 0.3])
    assert np.isnan(found.fraction[1])
    assert found.total == pytest.approx(0.175)


def test_the_density_map_holds_every_star_and_its_error_is_right():
    xy = rng().normal(0, 1, (1000, 2))
    found = density_map(xy, bandwidth=0.2)
    cell = found.x[1] - found.x[0]
    assert found.density.sum() * cell**2 == pytest.approx(1000, rel=0.01)
    peak = np.unravel_index(np.argmax(found.density), found.density.shape)
    assert np.hypot(found.x[peak[1]], found.y[peak[0]]) < 0.5
    # Against many fields drawn anew, at the middle.
    at = np.argmin(np.abs(found.y)), np.argmin(np.abs(found.x))
    centres = [
        np.sum(np.exp(-np.sum(rng(k).normal(0, 1, (1000, 2)) ** 2, axis=1) / 0.08)) for k in range(200)
    ]
    scatter = np.std(centres) / (2 * np.pi * 0.04)
    assert found.error[at] == pytest.approx(scatter, rel=0.35)
    assert density_map(xy).bandwidth == pytest.approx(1000 ** (-1 / 6), rel=0.1)


def test_ripley_tells_clusters_from_even_fields():
    clustered = np.concatenate([rng(k).normal(rng(99 + k).uniform(2, 8, 2), 0.2, (20, 2)) for k in range(8)])
    assert ripley(clustered).is_clustered
    outside = [np.mean(ripley(rng(k).uniform(0, 10, (150, 2)), seed=k).is_clustered) for k in range(8)]
    assert np.mean(outside) < 0.7
    even = ripley(rng(5).uniform(0, 10, (200, 2)))
    assert np.abs(even.excess).max() < 0.5
    assert (even.low <= even.high).all()
    assert ripley(np.zeros((5, 2))).radius.size == 0
    assert ripley(rng().random((1, 2))).is_clustered is False
    assert ripley(rng().random((5000, 2))).n_stars == 300


def test_segregation_that_was_planted_and_none():
    xy = rng().normal(0, 5, (200, 2))
    mag = rng(1).uniform(10, 18, 200)
    assert not segregation(xy, mag).is_segregated
    by_radius = np.hypot(*xy.T) + rng(2).normal(0, 2, 200)
    found = segregation(xy, by_radius)
    assert found.is_segregated
    assert found.ratio[1] > 2
    assert found.n_brightest.tolist() == [5, 10, 15, 20, 30, 50, 100]
    assert found.proxy == "rank in brightness"
    assert segregation(xy, -by_radius).ratio[1] < 1
    assert segregation(xy, np.full(200, np.nan)).ratio.size == 0
    assert segregation(xy[:5], mag[:5]).ratio.size == 0


def test_the_tree_of_a_square():
    assert tree_length(np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], float)) == pytest.approx(3)
    assert tree_length(np.zeros((1, 2))) == 0


def test_a_planted_distance_comes_back_and_intervals_cover():
    covered, values = [], []
    for seed in range(60):
        error = rng(seed).uniform(0.03, 0.4, 150)
        parallax = rng(seed + 100).normal(1.25 + ZERO_POINT_MAS, error)
        found = distance(parallax, error)
        values.append(found.distance_pc)
        covered.append(found.low_pc <= 800 <= found.high_pc)
    assert np.mean(values) == pytest.approx(800, rel=0.01)
    assert np.mean(covered) > 0.6  # the zero point's own error, which is not drawn here, widens them
    assert found.size_pc(60.0) == pytest.approx(800 * np.tan(np.radians(1)), rel=0.03)


@pytest.mark.parametrize(
    ("parallax", "reason"),
    [
        (np.full(50, -0.5), "too small or uncertain"),
        (np.full(50, np.nan), "No member has"),
        (np.empty(0), "No m"),
    ],
)
def test_no_distance_says_why(parallax, reason):
    found = distance(parallax, np.full(len(parallax), 0.1))
    assert np.isnan(found.distance_pc)
    assert reason in found.reason


def test_the_mean_takes_errors_and_own_spread_apart():
    spreads, pulls = [], []
    for seed in range(60):
        error = rng(seed).uniform(0.05, 0.5, 120)
        values = rng(seed + 1000).normal(3.0, np.hypot(0.2, error))
        values[0] = 50.0  # a stray
        mean = weighted_mean(values, error)
        spreads.append(mean.spread)
        pulls.append((mean.value - 3.0) / mean.error)
    assert np.mean(spreads) == pytest.approx(0.2, rel=0.1)
    assert 0.75 < np.std(pulls) < 1.3
    one = weighted_mean(np.array([2.0]), np.array([0.1]))
    assert (one.value, one.error) == pytest.approx((2.0, 0.1))


def test_the_hess_diagram_counts_and_takes_the_field_off():
    mag = rng().uniform(10, 18, 400)
    colour = 0.2 * (mag - 10) + rng(1).normal(0, 0.05, 400)
    colour[0] = np.nan
    field_mag, field_colour = rng(2).uniform(10, 18, 4000), rng(3).uniform(0.2, 1.4, 4000)
    found = colours(colour, mag, field_colour, field_mag, 0.05)
    assert len(found.row) == 399 == found.hess.sum()
    assert 0 not in found.row
    assert found.hess_field.sum() == pytest.approx(200, rel=0.1)
    assert (found.expected_scatter**2).sum() == pytest.approx(
        399 + 0.05**2 * found.hess_field.sum() / 0.05, rel=0.01
    )
    assert colours(colour, mag).hess_field is None
    assert colours(np.full(3, np.nan), mag[:3]) is None
