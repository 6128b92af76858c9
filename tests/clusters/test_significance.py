import numpy as np
import pandas as pd
import pytest

from core.catalogues.tables import SourceTable
from core.clusters.footprint import Footprint
from core.clusters.significance import (
    Group,
    group_of,
    in_motion,
    in_place,
    li_ma,
    moves_too_fast,
    significance,
)
from core.clusters.table import project, star_table
from tests.clusters.skies import cluster, sky


def test_li_ma_against_a_hand_computed_value():
    # Li & Ma 1983, eq. 17: on 100, off 500, alpha 0.1 expects 50.
    on, off, alpha = 100, 500, 0.1
    by_hand = np.sqrt(2 * (on * np.log(1.1 / 0.1 * on / 600) + off * np.log(1.1 * off / 600)))
    assert li_ma(on, off, alpha) == pytest.approx(by_hand)
    assert li_ma(50, 500, 0.1) == pytest.approx(0, abs=1e-6)
    assert li_ma(20, 500, 0.1) < -4
    assert li_ma(0, 0, 0.1) == 0
    assert np.isfinite(li_ma(5, 0, 0.1))


def test_chance_gives_what_a_normal_distribution_gives():
    rng = np.random.default_rng(0)
    sigma = li_ma(rng.poisson(40, 4000), rng.poisson(400, 4000), 0.1)
    assert np.mean(sigma) == pytest.approx(0, abs=0.06)
    assert np.std(sigma) == pytest.approx(1, abs=0.05)


def test_a_planted_group_is_significant_and_the_same_place_without_it_is_not():
    rng = np.random.default_rng(1)
    source, truth = sky(rng, 5000, cluster(rng, 60, centre=(10, 5)))
    stars = star_table(source)
    group = group_of(stars, np.flatnonzero(truth[stars.row] == 0))
    found = significance(stars, group)
    assert found.sigma > 10
    assert 25 < found.n_on < 60
    blank = star_table(sky(np.random.default_rng(2), 5000)[0])
    assert significance(blank, group).sigma < 4


def test_a_cluster_that_fills_the_table_shows_in_its_motion():
    rng = np.random.default_rng(3)
    source, _ = sky(rng, 3000, cluster(rng, 120, core=200.0, tidal=400.0, parallax=2.0))
    source = SourceTable.from_frame(source.table[np.hypot(*circle(source)) < 60])
    stars = star_table(source)
    near = (np.hypot(*(stars.pm - [-4, 2]).T) < 0.4) & (np.abs(stars.parallax - 2) < 0.2)
    group = group_of(stars, np.flatnonzero(near))
    assert in_motion(stars, group).sigma > 5 > in_place(stars, group).sigma
    assert significance(stars, group) == in_motion(stars, group)


def circle(source):
    return project(source.table[["ra", "dec"]].to_numpy(), (120.0, -30.0)).T


def test_where_the_fields_motions_crowd_is_no_cluster():
    stars = star_table(sky(np.random.default_rng(4), 8000)[0])
    peak = Group(np.zeros(2), 20.0, np.array([-1.5, -1.0, 0.3]), np.array([0.2, 0.2, 0.1]))
    assert in_motion(stars, peak).n_on > 20
    assert in_motion(stars, peak).sigma < 4


def test_stars_that_cannot_stay_together():
    def group(parallax, spread):
        return Group(np.zeros(2), 1.0, np.array([0, 0, parallax]), np.array([spread, spread, 0.05]))

    assert moves_too_fast(group(0.3, 1.0))
    assert not moves_too_fast(group(0.3, 0.3))
    assert not moves_too_fast(group(21.0, 15.0))  # the Hyades
    assert not moves_too_fast(Group(np.zeros(2), 1.0, np.empty(0), np.empty(0)))
    assert moves_too_fast(Group(np.zeros(2), 1.0, np.zeros(2), np.array([1.0, 1.0])))  # no parallax: far
    assert not moves_too_fast(Group(np.zeros(2), 1.0, np.zeros(2), np.array([0.3, 0.3])))


def test_an_even_field_is_as_dense_in_its_middle_as_beside_it():
    rng = np.random.default_rng(0)
    stars = star_table(SourceTable.from_frame(pd.DataFrame(rng.uniform(0, 1, (6000, 2)), columns=["x", "y"])))
    group = Group(np.array([0.5, 0.5]), 0.3, np.empty(0), np.empty(0))  # leaves no room for a far ring
    assert in_place(stars, group).n_expected == pytest.approx(6000 * np.pi * 0.36**2, rel=0.03)


def circle_of_places(radius):
    angle = np.radians(np.arange(360))
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def test_circles_are_cut_by_the_outline():
    corners = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [5, 5]], float)
    square = Footprint.of(corners)
    assert square.area == pytest.approx(100)
    radii = np.array([1.0, 3.0, 100.0])
    assert square.area_within(np.array([5, 5]), radii) == pytest.approx([np.pi, 9 * np.pi, 100], rel=1e-3)
    assert square.area_within(np.array([0, 5]), radii) == pytest.approx(
        [np.pi / 2, 4.5 * np.pi, 100], rel=0.02
    )
    assert square.coverage(np.array([0, 5]), np.array([1.0])) == pytest.approx([0.5], abs=0.01)
    assert square.square(np.array([5, 4])) == pytest.approx(4)
    assert Footprint.of(circle_of_places(10.0)).square(np.zeros(2)) == pytest.approx(
        10 / np.sqrt(2), rel=0.01
    )
    line = Footprint.of(np.column_stack([np.arange(5.0), np.zeros(5)]))
    assert line.area == 0
    assert line.area_within(np.zeros(2), radii).tolist() == [0, 0, 0]
