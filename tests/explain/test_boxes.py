import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.explain.boxes import boxes_from_map
from core.scoring.boxes import box_iou


def two_spots():
    relevance = np.zeros((20, 30))
    relevance[2:5, 3:9] = 0.8
    relevance[10:16, 20:24] = 1.0
    return relevance


def test_two_spots_by_hand_the_hotter_first():
    got = boxes_from_map(two_spots(), threshold=0.5)

    np.testing.assert_allclose(got.boxes, [[19.5, 9.5, 23.5, 15.5], [2.5, 1.5, 8.5, 4.5]])
    np.testing.assert_allclose(got.scores, [1.0, 0.8])
    np.testing.assert_array_equal(got.areas_px, [24, 18])


def test_the_scale_of_the_map_does_not_matter():
    one, other = (
        boxes_from_map(two_spots(), threshold=0.5),
        boxes_from_map(two_spots() * 40 - 7, threshold=0.5),
    )

    np.testing.assert_array_equal(one.boxes, other.boxes)
    np.testing.assert_allclose(one.scores, other.scores)


@pytest.mark.parametrize(("share", "expected"), [(24 / 600, 1), (30 / 600, 1), (42 / 600, 2), (0.001, 1)])
def test_a_share_of_the_area_is_never_exceeded_but_by_the_peak(share, expected):
    assert len(boxes_from_map(two_spots(), area_share=share)) == expected


def test_small_regions_are_dropped():
    assert len(boxes_from_map(two_spots(), threshold=0.5, min_area_px=20)) == 1
    assert len(boxes_from_map(two_spots(), threshold=0.5, min_area_px=25)) == 0


@pytest.mark.parametrize(
    ("gap", "merge_px", "expected"), [(3, 0, 2), (3, 2, 2), (3, 3, 1), (4, 3, 2), (4, 4, 1)]
)
def test_regions_are_merged_over_gaps_up_to_the_given(gap, merge_px, expected):
    relevance = np.zeros((12, 40))
    relevance[4:8, 5:10] = relevance[4:8, 10 + gap : 20] = 1
    got = boxes_from_map(relevance, threshold=0.5, merge_px=merge_px)

    assert len(got) == expected
    if expected == 1:
        np.testing.assert_allclose(got.boxes, [[4.5, 3.5, 19.5, 7.5]])
        assert got.areas_px[0] == 4 * (15 - gap)  # the gap itself is no part of it


def test_touching_by_a_corner_is_one_region():
    relevance = np.zeros((10, 10))
    relevance[2:4, 2:4] = relevance[4:6, 4:6] = 1

    assert len(boxes_from_map(relevance, threshold=0.5)) == 1


def test_planted_boxes_are_recovered_under_noise():
    rng = np.random.default_rng(5)
    truth, relevance = [], rng.normal(0, 0.05, (200, 200))
    for row, column in ((20, 30), (110, 40), (60, 140), (150, 150)):
        height, width = rng.integers(12, 40, 2)
        relevance[row : row + height, column : column + width] += rng.uniform(0.8, 1.2)
        truth.append((column - 0.5, row - 0.5, column + width - 0.5, row + height - 0.5))
    got = boxes_from_map(relevance, threshold=0.5, min_area_px=30)

    assert len(got) == 4
    assert box_iou(truth, got.boxes).max(axis=1).min() > 0.9


@pytest.mark.parametrize("relevance", [np.zeros((5, 5)), np.full((5, 5), 7.0), np.full((5, 5), np.nan)])
def test_a_flat_map_has_no_boxes(relevance):
    got = boxes_from_map(relevance, threshold=0.5)

    assert len(got) == 0
    assert got.boxes.shape == (0, 4)


def test_pixels_that_are_not_finite_are_in_no_region():
    relevance = two_spots()
    relevance[2:5, 3:9] = np.nan

    assert len(boxes_from_map(relevance, threshold=0.0)) == 1
    np.testing.assert_allclose(boxes_from_map(relevance, threshold=0.5).boxes, [[19.5, 9.5, 23.5, 15.5]])


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({}, "threshold"),
        ({"threshold": 0.5, "area_share": 0.1}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
        ({"area_share": 1.0}, "area_share"),
        ({"threshold": 0.5, "min_area_px": 0}, "min_area_px"),
        ({"threshold": 0.5, "merge_px": -1}, "merge_px"),
    ],
)
def test_numbers_out_of_bounds_are_refused(wrong, match):
    with pytest.raises(ParameterInvalid, match=match):
        boxes_from_map(two_spots(), **wrong)


def test_what_is_not_a_map_is_refused():
    with pytest.raises(ParameterInvalid, match="relevance"):
        boxes_from_map(np.zeros((3, 4, 5)), threshold=0.5)


def test_a_span_keeps_what_is_faint_on_every_picture_from_being_boxed():
    spots = two_spots() / two_spots().max()

    assert len(boxes_from_map(0.3 * spots, threshold=0.5)) == len(boxes_from_map(spots, threshold=0.5)) > 0
    assert len(boxes_from_map(0.3 * spots, threshold=0.5, span=(0.0, 1.0))) == 0
    whole = boxes_from_map(np.full((4, 6), 0.8), threshold=0.5, span=(0.0, 1.0))
    np.testing.assert_allclose(whole.boxes, [[-0.5, -0.5, 5.5, 3.5]])
    assert whole.scores == pytest.approx([0.8])
    with pytest.raises(ParameterInvalid, match="span"):
        boxes_from_map(spots, threshold=0.5, span=(1.0, 1.0))
