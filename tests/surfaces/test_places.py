import numpy as np
import pytest

from core.surfaces.places import share_name, shares, softmax, sure_classes


def test_probabilities_add_up_and_a_temperature_makes_them_milder():
    logits = np.random.default_rng(0).normal(0, 300, (4, 5, 6)).astype(np.float32)
    sharp, mild = softmax(logits, 1.0), softmax(logits, 500.0)
    assert sharp.sum(axis=0) == pytest.approx(1.0)
    assert mild.max() < 1.0
    assert (mild.argmax(axis=0) == sharp.argmax(axis=0)).all()


def test_places_without_a_sure_class_and_places_not_seen_are_unsure():
    chances = np.array([[[0.95, 0.5], [0.02, 0.9]], [[0.05, 0.5], [0.98, 0.1]]], np.float32)
    seen = np.array([[True, True], [True, False]])
    assert sure_classes(chances, 0.9).tolist() == [[1, 0], [2, 1]]
    classes = sure_classes(chances, 0.9, seen)
    assert classes.tolist() == [[1, 0], [2, 0]]
    assert shares(classes, ("crater floor", "plain"), seen) == pytest.approx(
        {"share_unsure": 1 / 3, "share_crater_floor": 1 / 3, "share_plain": 1 / 3}
    )


def test_nothing_seen_has_no_shares():
    nothing = np.zeros((3, 3), bool)
    assert sum(shares(np.zeros((3, 3), np.uint16), ("plain",), nothing).values()) == 0.0


def test_names_have_no_blanks():
    assert share_name("crater rim") == "share_crater_rim"
