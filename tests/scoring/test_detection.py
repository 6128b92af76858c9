import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from core.corrections import Correction, fold
from core.errors import ParameterInvalid
from core.results import Detections
from core.scoring.detection import Score, score_against_corrections, score_boxes, score_points

NOTHING = np.empty((0, 2))


def counts(score):
    return dataclasses.astuple(score)


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "precision", "recall", "f1"),
    [
        (8, 2, 4, 0.8, 2 / 3, 16 / 22),
        (1, 0, 0, 1.0, 1.0, 1.0),
        (0, 0, 0, 1.0, 1.0, 1.0),  # nothing there, nothing found
        (0, 3, 0, 0.0, 1.0, 0.0),  # nothing there
        (0, 0, 3, 1.0, 0.0, 0.0),  # nothing found
        (0, 2, 3, 0.0, 0.0, 0.0),
    ],
)
def test_fractions_by_hand_are_numbers_whatever_the_counts(tp, fp, fn, precision, recall, f1):
    score = Score(tp, fp, fn)
    assert (score.precision, score.recall, score.f1) == pytest.approx((precision, recall, f1))
    for value, (low, high) in (
        (precision, score.precision_interval),
        (recall, score.recall_interval),
    ):
        assert 0.0 <= low <= value <= high <= 1.0


def test_intervals_are_of_the_right_counts():
    score = Score(8, 2, 4)
    assert score.precision_interval == pytest.approx((0.4902, 0.9433), abs=1e-4)  # 8 of 10
    assert score.recall_interval == pytest.approx((0.3906, 0.8619), abs=1e-4)  # 8 of 12
    assert Score(0, 0, 0).precision_interval == (0.0, 1.0)


def test_points_by_hand():
    truth = [(0, 0), (10, 0), (20, 0)]
    found = [(0.5, 0), (10, 1), (40, 0), (41, 0)]
    assert counts(score_points(truth, found, 2.0)) == (2, 2, 1)


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [(NOTHING, NOTHING, (0, 0, 0)), (NOTHING, [(1, 1)], (0, 1, 0)), ([(1, 1)], NOTHING, (0, 0, 1))],
)
def test_nothing_is_scored_without_ado(truth, found, expected):
    assert counts(score_points(truth, found, 1.0)) == expected
    boxes = [[(x, y, x + 1, y + 1) for x, y in points] for points in (truth, found)]
    assert counts(score_boxes(*boxes)) == expected


def test_a_second_detection_of_one_star_is_false():
    assert counts(score_points([(0, 0)], [(0, 0.1), (0, 0.2)], 1.0)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("ignore", "expected"),
    [
        ([], (1, 1, 1)),
        ([(50, 0)], (1, 0, 1)),  # the false one is a star under the cut
        ([(50, 0), (80, 0)], (1, 0, 1)),  # one that was not found is no miss
        ([(0.1, 0)], (1, 1, 1)),  # truth is matched first: it is not taken away
        ([(50, 0.5), (50, 0.6)], (1, 0, 1)),
    ],
)
def test_what_is_ignored_is_neither_hit_nor_miss(ignore, expected):
    truth, found = [(0, 0), (20, 0)], [(0.2, 0), (50, 0)]
    assert counts(score_points(truth, found, 1.0, ignore)) == expected


def test_boxes_by_hand():
    truth = [(0, 0, 10, 10), (50, 50, 60, 60)]
    found = [(0, 0, 10, 8), (50, 50, 60, 54), (90, 90, 99, 99)]
    assert counts(score_boxes(truth, found)) == (1, 2, 1)
    assert counts(score_boxes(truth, found, iou=0.3)) == (2, 1, 0)
    assert counts(score_boxes(truth, found, ignore=[(90, 90, 99, 98)])) == (1, 1, 1)


def stars(*xy):
    x, y = np.array(xy, float).reshape(-1, 2).T
    return Detections(pd.DataFrame({"label": "star", "score": 1.0, "x": x, "y": y}))


def corrected(predictions, *edits):
    log = [
        Correction(
            action,
            target,
            {},
            after,
            correction_id=f"c{number}",
            seq=number,
            run_id="run",
            person="Ada",
            at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        for number, (action, target, after) in enumerate(edits)
    ]
    return fold(predictions, log)


def looked_through(x_min, y_min, x_max, y_max):
    return ("review", "frame", {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max})


WINDOW = looked_through(0, 0, 50, 50)
PREDICTED = stars((10, 10), (20, 20), (30, 30), (80, 80))
EDITS = (("reject", "p1", {}), ("add", "a1", {"label": "star", "x": 40.0, "y": 40.0}))


def test_a_method_is_scored_by_what_the_person_says_is_in_the_window():
    # There are (10, 10), (30, 30) and (40, 40); found were the first two, and (20, 20) that is none.
    assert counts(
        score_against_corrections(corrected(PREDICTED, WINDOW, *EDITS), PREDICTED, radius_px=1.0)
    ) == (2, 1, 1)


def test_another_method_is_scored_by_the_same_truth():
    other = stars((40, 40), (10.4, 10), (70, 70))
    assert counts(score_against_corrections(corrected(PREDICTED, WINDOW, *EDITS), other, radius_px=1.0)) == (
        2,
        0,
        1,
    )


def test_where_nobody_has_looked_nothing_counts():
    catalogue = corrected(PREDICTED, *EDITS)
    assert counts(score_against_corrections(catalogue, PREDICTED, radius_px=1.0)) == (0, 0, 0)


def test_windows_that_overlap_count_once():
    catalogue = corrected(
        PREDICTED, WINDOW, looked_through(5, 5, 45, 45), looked_through(75, 75, 99, 99), *EDITS
    )
    assert counts(score_against_corrections(catalogue, PREDICTED, radius_px=1.0)) == (3, 1, 1)


def test_what_the_person_could_not_tell_is_neither_hit_nor_miss():
    catalogue = corrected(PREDICTED, WINDOW, ("unsure", "p1", {}), ("unsure", "p2", {}))
    assert counts(score_against_corrections(catalogue, PREDICTED, radius_px=1.0)) == (1, 0, 0)
    assert counts(score_against_corrections(catalogue, stars((10, 10)), radius_px=1.0)) == (1, 0, 0)


def test_what_the_person_calls_something_else_is_not_true():
    catalogue = corrected(PREDICTED, WINDOW, ("relabel", "p0", {"label": "galaxy"}))
    score = score_against_corrections(catalogue, PREDICTED, radius_px=1.0, others=("galaxy",))
    assert counts(score) == (2, 1, 0)


def test_a_pair_across_the_edge_of_a_window_is_no_error():
    predicted = stars((49.8, 10), (50.2, 30))
    catalogue = corrected(predicted, WINDOW)
    # The truth inside is found just outside: a hit. The one inside belongs to a truth outside: neither.
    found = stars((50.3, 10), (49.9, 30))
    assert counts(score_against_corrections(catalogue, found, radius_px=1.0)) == (1, 0, 0)


def test_boxes_are_scored_by_their_overlap():
    def box(x, y, side):
        half = side / 2
        return {"x": x, "y": y, "x_min": x - half, "y_min": y - half, "x_max": x + half, "y_max": y + half}

    predicted = Detections(
        pd.DataFrame([{"label": "galaxy", "score": 0.5, **box(x, 20, 10)} for x in (10, 40)])
    )
    catalogue = corrected(predicted, WINDOW)
    found = Detections(
        pd.DataFrame(
            [{"label": "galaxy", "score": 0.5, **box(x, 20, side)} for x, side in ((10, 9), (40, 3))]
        )
    )
    assert counts(score_against_corrections(catalogue, found, iou=0.5)) == (1, 1, 1)


@pytest.mark.parametrize("how", [{}, {"radius_px": 1.0, "iou": 0.5}])
def test_it_must_be_said_how_to_match(how):
    with pytest.raises(ParameterInvalid, match="either by radius_px or by iou"):
        score_against_corrections(corrected(PREDICTED, WINDOW), PREDICTED, **how)
