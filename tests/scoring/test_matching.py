import itertools

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.scoring import matching
from core.scoring.boxes import box_iou
from core.scoring.matching import match_boxes, match_craters, match_points


def best_by_trying_all(cost, limit):
    """Most pairs with a cost within the limit, then the least total, by trying every assignment."""
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    best = (0, 0.0)
    for columns in itertools.permutations(range(cost.shape[1]), cost.shape[0]):
        costs = cost[np.arange(cost.shape[0]), list(columns)]
        kept = costs[costs <= limit]
        best = min(best, (-len(kept), kept.sum()))
    return -best[0], best[1]


def distances(a, b):
    return np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])


def random_boxes(rng, n):
    corner = rng.uniform(0, 6, (n, 2))
    return np.hstack([corner, corner + rng.uniform(2, 6, (n, 2))])


def assert_one_to_one(matches, n_truth, n_found):
    assert sorted([*matches.truth_index, *matches.only_truth]) == list(range(n_truth))
    assert sorted([*matches.found_index, *matches.only_found]) == list(range(n_found))


def test_pairs_by_hand():
    truth = [(0, 0), (10, 0), (20, 0)]
    found = [(20.5, 0), (0, 1), (50, 50)]
    matches = match_points(truth, found, 2.0)
    assert matches.truth_index.tolist() == [0, 2]
    assert matches.found_index.tolist() == [1, 0]
    assert matches.distance == pytest.approx([1.0, 0.5])
    assert matches.only_truth.tolist() == [1]
    assert matches.only_found.tolist() == [2]
    assert matches.exact


def test_two_pairs_are_better_than_one_closer_pair():
    # Truth 0 is nearest to found 0, but then truth 1 would go without.
    matches = match_points([(1, 0), (2, 0)], [(1.4, 0), (0, 0)], 1.0)
    assert matches.found_index.tolist() == [1, 0]


def test_the_radius_is_inclusive():
    assert len(match_points([(0, 0)], [(3, 4)], 5.0)) == 1
    assert len(match_points([(0, 0)], [(3, 4)], 4.999)) == 0


def test_identical_positions_are_paired_at_no_distance():
    matches = match_points([(1, 1), (5, 5)], [(1, 1), (5, 5)], 1.0)
    assert matches.distance.tolist() == [0.0, 0.0]


def test_duplicates_of_one_star_give_one_pair():
    matches = match_points([(1, 1)], [(1.2, 1), (1.1, 1), (0.8, 1)], 1.0)
    assert matches.found_index.tolist() == [1]
    assert matches.only_found.tolist() == [0, 2]


@pytest.mark.parametrize(("n_truth", "n_found"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_matches_nothing(n_truth, n_found):
    matches = match_points(np.zeros((n_truth, 2)), np.zeros((n_found, 2)), 1.0)
    assert len(matches) == 0
    assert_one_to_one(matches, n_truth, n_found)
    boxes = match_boxes(np.ones((n_truth, 4)), np.ones((n_found, 4)))
    assert len(boxes) == 0
    assert_one_to_one(boxes, n_truth, n_found)


@pytest.mark.parametrize("seed", range(25))
def test_points_match_as_trying_everything_does(seed):
    rng = np.random.default_rng(seed)
    truth, found = rng.uniform(0, 6, (rng.integers(1, 7), 2)), rng.uniform(0, 6, (rng.integers(1, 7), 2))
    matches = match_points(truth, found, 2.0)
    n_pairs, total = best_by_trying_all(distances(truth, found), 2.0)
    assert len(matches) == n_pairs
    assert matches.distance.sum() == pytest.approx(total)
    assert_one_to_one(matches, len(truth), len(found))
    np.testing.assert_allclose(
        matches.distance, distances(truth, found)[matches.truth_index, matches.found_index]
    )


@pytest.mark.parametrize("seed", range(10))
def test_boxes_match_as_trying_everything_does(seed):
    rng = np.random.default_rng(seed)
    truth, found = random_boxes(rng, rng.integers(1, 7)), random_boxes(rng, rng.integers(1, 7))
    matches = match_boxes(truth, found, 0.2)
    n_pairs, total = best_by_trying_all(1.0 - box_iou(truth, found), 0.8)
    assert len(matches) == n_pairs
    assert matches.distance.sum() == pytest.approx(total)
    assert_one_to_one(matches, len(truth), len(found))


def test_a_detection_without_a_box_matches_no_box():
    matches = match_boxes([(0, 0, 2, 2)], [(np.nan,) * 4, (0, 0, 2, 2)])
    assert matches.found_index.tolist() == [1]


def test_large_groups_are_solved_as_small_ones_are(monkeypatch):
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 30, (300, 2))
    found = truth + rng.normal(0, 0.7, truth.shape)
    dense = match_points(truth, found, 3.0)
    monkeypatch.setattr(matching, "DENSE_LIMIT", 5)
    sparse = match_points(truth, found, 3.0)
    assert sparse.exact
    assert len(sparse) == len(dense)
    assert sparse.distance.sum() == pytest.approx(dense.distance.sum())


def test_a_giant_group_is_paired_nearest_first_and_says_so(monkeypatch):
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 30, (300, 2))
    found = truth + rng.normal(0, 0.7, truth.shape)
    best = match_points(truth, found, 3.0)
    monkeypatch.setattr(matching, "DENSE_LIMIT", 5)
    monkeypatch.setattr(matching, "EXACT_LIMIT", 5)
    matches = match_points(truth, found, 3.0)
    assert not matches.exact
    assert 0.9 * len(best) <= len(matches) <= len(best)
    assert (matches.distance <= 3.0).all()
    assert_one_to_one(matches, 300, 300)


@pytest.mark.parametrize("radius_px", [0.0, -1.0, np.nan, np.inf])
def test_a_radius_that_is_not_positive_is_refused(radius_px):
    with pytest.raises(ParameterInvalid, match="radius_px must be a positive number"):
        match_points([(0, 0)], [(0, 0)], radius_px)


@pytest.mark.parametrize("points", [[(0, np.nan)], [(0, 0, 0)], [0, 0]])
def test_points_that_are_not_positions_are_refused(points):
    with pytest.raises(ParameterInvalid, match=r"found_xy must be \(N, 2\)"):
        match_points([(0, 0)], points, 1.0)


@pytest.mark.parametrize("iou", [0.0, -0.1, 1.1, np.nan])
def test_an_overlap_out_of_bounds_is_refused(iou):
    with pytest.raises(ParameterInvalid, match="iou must be"):
        match_boxes([(0, 0, 1, 1)], [(0, 0, 1, 1)], iou)


def test_craters_pair_by_the_smaller_radius():
    truth = [(0, 0, 10), (100, 0, 10), (200, 0, 10), (300, 0, 10)]
    found = [(13.3, 0, 10), (113.5, 0, 10), (200, 0, 19.9), (300, 0, 4.9)]
    matches = match_craters(truth, found)
    assert matches.truth_index.tolist() == [0, 2]
    assert matches.distance == pytest.approx([1.33, 0.99])
    assert matches.only_found.tolist() == [1, 3]


def test_of_nested_craters_each_finds_its_own():
    matches = match_craters([(0, 0, 10), (0, 0, 18)], [(1, 0, 17), (0, 1, 11)])
    assert matches.found_index.tolist() == [1, 0]


@pytest.mark.parametrize("wrong", [[(0, 0)], [(0, 0, 0)], [(0, 0, np.nan)]])
def test_craters_need_radii(wrong):
    with pytest.raises(ParameterInvalid, match="positive radii"):
        match_craters(wrong, [(0, 0, 1)])


def test_no_craters_are_matched_with_none():
    assert match_craters([], [(0, 0, 1)]).only_found.tolist() == [0]
    assert len(match_craters([(0, 0, 1)], [])) == 0
