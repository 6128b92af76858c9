import numpy as np
import pytest

from training.surface_scores import (
    best_confidence,
    best_temperature,
    calibration_error,
    class_scores,
    compare,
    crater_logistic,
    crater_scores,
    known_places,
    nearness,
)
from training.surface_truth import IGNORE, TrueCrater

SHAPE = (200, 200)


def a_crater(x, y, radius, wanted=True):
    return TrueCrater(x, y, radius, radius, wanted=wanted)


def candidates(*rows):
    """Log odds, x, y and radius of each."""
    found = np.array(rows, float).reshape(-1, 4)
    return np.column_stack([found, np.zeros((len(found), 3))])


def test_nearness_follows_deepmoons_rule():
    near = nearness(
        candidates((0, 10, 10, 10), (0, 23.3, 10, 10), (0, 23.5, 10, 10), (0, 10, 10, 19.9)),
        [a_crater(10, 10, 10)],
    )
    assert near[0] == 1.0
    assert (near[:, 0] > 0).tolist() == [True, True, False, True]


def test_what_need_not_be_found_is_neither_hit_nor_miss():
    craters = [a_crater(50, 50, 10), a_crater(120, 120, 10, wanted=False), a_crater(-5, 50, 10)]
    one = compare(candidates((2, 50, 50, 10), (1, 120, 120, 10), (0, 180, 20, 8)), craters, SHAPE)
    assert one.diameter_px.tolist() == [20.0]
    assert one.found[:, 1].tolist() == [50.0, 180.0]
    scores = crater_scores([one], (0.0, 1.0, 0.0, 0.0), 0.6)
    assert (scores.precision, scores.recall, scores.f1) == (1.0, 1.0, 1.0)
    assert crater_scores([one], (0.0, 1.0, 0.0, 0.0), 0.2).precision == 0.5
    assert scores.average_precision == 1.0
    assert scores.radius_error == 0.0


def test_the_best_confidence_parts_hits_from_the_rest():
    rng = np.random.default_rng(0)
    compared = []
    for _ in range(20):
        at = rng.uniform(20, 180, (6, 2))
        found = candidates(
            *[(rng.normal(2, 0.3), x, y, 9.0) for x, y in at],
            *[(rng.normal(-1, 0.3), 5, 5 + i, 9.0) for i in range(4)],
        )
        compared.append(compare(found, [a_crater(x, y, 10.0) for x, y in at], SHAPE))
    constants = crater_logistic(compared)
    confidence = best_confidence(compared, constants)
    scores = crater_scores(compared, constants, confidence)
    assert scores.f1 > 0.97
    assert scores.radius_error == pytest.approx(0.1)
    assert scores.n_true == 120


def test_places_of_unknown_class_are_left_out_and_the_temperature_is_recovered():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, (5, 60, 60)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=0)
    truth = (rng.random((60, 60)) > np.cumsum(chances, axis=0)).sum(axis=0).clip(max=4).astype(np.uint8)
    truth[:10] = IGNORE
    known, classes = known_places([(2.5 * logits, truth)], most=2900)
    assert len(classes) == 2900
    temperature = best_temperature(known, classes)
    assert temperature == pytest.approx(2.5, rel=0.1)
    names = ("a", "b", "c", "d", "e")
    sharp, right = (class_scores(known, classes, t, names, "test") for t in (1.0, temperature))
    assert right["test, calibration error of places"] < 0.03 < sharp["test, calibration error of places"]
    assert right["test, accuracy of places"] == sharp["test, accuracy of places"]
    assert 0.0 < right["test, IoU of a"] < right["test, F1 of a"] < 1.0


def test_calibration_error_by_hand():
    sure = np.array([0.95, 0.95, 0.55, 0.55], np.float32)
    assert calibration_error(sure, np.array([True, True, True, False])) == pytest.approx(0.05, abs=1e-6)
    assert np.isnan(calibration_error(sure[:0], np.zeros(0, bool)))


def test_nothing_found_and_nothing_there():
    empty = compare(candidates(), [], SHAPE)
    scores = crater_scores([empty], (0.0, 1.0, 0.0, 0.0), 0.5)
    assert scores.n_true == 0
    assert scores.named("test") == {"test, F1 of craters from 10 px": 0.0}
    assert best_confidence([empty], (0.0, 1.0, 0.0, 0.0)) == 0.5
    assert crater_logistic([empty]) == ()
