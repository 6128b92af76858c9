import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.scoring import boxes
from core.scoring.boxes import as_boxes, box_iou, overlapping_pairs


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 2 / 6),
        ((0, 0, 4, 4), (1, 1, 3, 3), 4 / 16),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),  # touching edges share no area
        ((0, 0, 2, 2), (5, 5, 6, 6), 0.0),
        ((1, 1, 1, 1), (1, 1, 1, 1), 0.0),  # no area
        ((0, 0, 2, 2), (np.nan,) * 4, 0.0),
    ],
)
def test_iou_by_hand(a, b, expected):
    assert box_iou([a], [b])[0, 0] == pytest.approx(expected)
    assert box_iou([b], [a])[0, 0] == pytest.approx(expected)


def test_iou_has_a_row_for_each_of_the_first_and_a_column_for_each_of_the_second():
    assert box_iou(np.zeros((3, 4)), np.ones((5, 4))).shape == (3, 5)
    assert box_iou([], [[0, 0, 1, 1]]).shape == (0, 1)


def test_pairs_found_in_blocks_are_those_of_the_whole_table(monkeypatch):
    rng = np.random.default_rng(4)
    corner = rng.uniform(0, 20, (30, 2))
    a = np.hstack([corner, corner + rng.uniform(1, 8, (30, 2))])
    b = a[:17] + 0.5
    monkeypatch.setattr(boxes, "BLOCK_PAIRS", 40)
    rows, columns, overlap = overlapping_pairs(a, b, 0.3)
    expected_rows, expected_columns = np.nonzero(box_iou(a, b) >= 0.3)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(columns, expected_columns)
    np.testing.assert_array_equal(overlap, box_iou(a, b)[rows, columns])


@pytest.mark.parametrize("bad", [[1, 2, 3, 4], [[1, 2, 3]], np.zeros((2, 4, 1))])
def test_what_is_not_a_list_of_boxes_is_refused(bad):
    with pytest.raises(ParameterInvalid, match=r"must be \(N, 4\) boxes"):
        as_boxes(bad, "found")
