import numpy as np
import pandas as pd
import pytest

from core.results import Detections
from core.scoring.matching import match_centres
from core.scoring.objects import (
    RULES,
    Rule,
    agreement_matrix,
    found_once,
    score_objects,
    score_reviewed,
)
from tests.scoring.test_detection import corrected, looked_through

STRICT, KIND, CENTRE = RULES


def boxes(*rows):
    """Detections of x_min, y_min, x_max, y_max, label."""
    table = pd.DataFrame(rows, columns=["x_min", "y_min", "x_max", "y_max", "label"])
    table["x"], table["y"] = (table.x_min + table.x_max) / 2, (table.y_min + table.y_max) / 2
    return Detections(table.assign(score=0.8))


CLASSES = ("galaxy", "nebula", "cluster")
TRUTH = boxes((0, 0, 10, 10, "galaxy"), (50, 50, 90, 90, "nebula"))


def counts(score):
    return score.true_positives, score.false_positives, score.false_negatives


@pytest.mark.parametrize(
    ("found", "strict", "kind", "centre"),
    [
        (boxes((0, 0, 10, 10, "galaxy")), (1, 0, 1), (1, 0, 1), (1, 0, 1)),
        (boxes((0, 0, 10, 4, "galaxy")), (0, 1, 2), (1, 0, 1), (1, 0, 1)),  # IoU 0.4
        (boxes((60, 60, 70, 70, "nebula")), (0, 1, 2), (0, 1, 2), (1, 0, 1)),  # IoU 1/16, well inside
        (boxes((0, 0, 10, 10, "galaxy"), (1, 1, 9, 9, "galaxy")), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
        (boxes(), (0, 0, 2), (0, 0, 2), (0, 0, 2)),
    ],
)
def test_three_rules_by_hand(found, strict, kind, centre):
    for rule, expected in ((STRICT, strict), (KIND, kind), (CENTRE, centre)):
        assert counts(score_objects(TRUTH, found, rule)) == expected


def test_classes_count_only_when_they_are_asked_for():
    found = boxes((0, 0, 10, 10, "nebula"), (50, 50, 90, 90, "nebula"))
    assert counts(score_objects(TRUTH, found, STRICT)) == (2, 0, 0)
    assert counts(score_objects(TRUTH, found, STRICT, classes=CLASSES)) == (1, 1, 1)


def test_a_cluster_with_its_nebula_is_found_as_either_and_once():
    truth = Detections(TRUTH.table.assign(also=[None, "cluster"]))
    for label, expected in (("nebula", (1, 0, 1)), ("cluster", (1, 0, 1)), ("galaxy", (0, 1, 2))):
        found = boxes((50, 50, 90, 90, label))
        assert counts(score_objects(truth, found, STRICT, classes=CLASSES)) == expected
    both = boxes((50, 50, 90, 90, "nebula"), (50, 50, 90, 89, "cluster"))
    assert counts(score_objects(truth, both, STRICT, classes=CLASSES)) == (1, 1, 1)


def test_what_nobody_gave_a_class_is_found_as_any():
    truth = boxes((0, 0, 10, 10, "object"), (50, 50, 90, 90, "nebula"))
    found = boxes((0, 0, 10, 10, "nebula"), (50, 50, 90, 90, "galaxy"))
    assert counts(score_objects(truth, found, STRICT, classes=CLASSES)) == (1, 1, 1)


@pytest.mark.parametrize("classes", [CLASSES, None])
def test_what_need_not_be_found_is_neither_hit_nor_miss(classes):
    found = boxes((0, 0, 10, 10, "galaxy"), (200, 200, 210, 210, "cluster"))
    spare = boxes((200, 200, 210, 210, "galaxy"))
    for rule in RULES:
        assert counts(score_objects(TRUTH, found, rule, ignore=spare, classes=classes)) == (1, 0, 1)


@pytest.mark.parametrize(
    ("label", "of_any_class", "class_by_class"),
    [
        ("galaxy", (2, 0, 0), (2, 0, 0)),
        ("cluster", (2, 0, 0), (1, 1, 1)),
        ("star", (1, 1, 0), (1, 1, 0)),
        ("artefact", (1, 1, 0), (1, 1, 0)),
    ],
)
def test_what_a_person_calls_a_box_decides_whether_it_is_true(label, of_any_class, class_by_class):
    catalogue = corrected(TRUTH, looked_through(0, 0, 99, 99), ("relabel", "p0", {"label": label}))
    for classes, expected in ((None, of_any_class), (CLASSES, class_by_class)):
        score = score_reviewed(catalogue, TRUTH, STRICT, classes=classes, others=("star",))
        assert counts(score) == expected


def test_a_pair_across_the_edge_of_a_window_is_no_error():
    catalogue = corrected(TRUTH, looked_through(0, 0, 70, 70), ("unsure", "p0", {}))
    # The nebula's middle lies on the edge of the window, that of its found box outside.
    assert counts(score_reviewed(catalogue, boxes((51, 50, 91, 90, "nebula")), STRICT)) == (1, 0, 0)
    assert counts(score_reviewed(catalogue, boxes((0, 0, 10, 9, "galaxy")), STRICT)) == (0, 0, 1)
    beyond = corrected(TRUTH, looked_through(0, 0, 69, 69))
    assert counts(score_reviewed(beyond, boxes((48, 50, 88, 90, "nebula")), STRICT)) == (0, 0, 1)


def test_a_middle_in_the_box_takes_the_nearest_and_only_one():
    matches = match_centres([[0, 0, 10, 10]], [[0, 0, 4, 4], [3, 3, 8, 8], [20, 20, 30, 30]])
    assert matches.found_index.tolist() == [1]
    assert matches.only_found.tolist() == [0, 2]


def test_a_box_around_everything_is_no_hit_but_two_methods_may_agree_on_it():
    small, whole = [[0, 0, 10, 10]], [[0, 0, 100, 100]]
    assert len(match_centres(small, whole)) == 0
    assert len(match_centres(small, whole, either=True)) == 1
    assert len(match_centres(small, [[np.nan] * 4], either=True)) == 0


def test_agreement_by_hand():
    a = boxes((0, 0, 10, 10, "galaxy"), (50, 50, 90, 90, "nebula"))
    b = boxes((0, 0, 10, 9, "object"), (200, 0, 210, 10, "object"), (300, 0, 310, 10, "object"))
    none = boxes()
    shares = agreement_matrix([a, b, none], STRICT)
    np.testing.assert_allclose(shares[0], [1.0, 0.5, 0.0])
    np.testing.assert_allclose(shares[1], [1 / 3, 1.0, 0.0])
    assert np.isnan(shares[2]).all()
    assert [rows.tolist() for rows in found_once([a, b, none], STRICT)] == [[1], [1, 2], []]


def test_one_method_found_everything_alone():
    assert found_once([TRUTH], Rule("centre inside"))[0].tolist() == [0, 1]
