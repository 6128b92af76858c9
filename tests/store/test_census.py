"""What all stored runs found, counted."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame
from core.store import Store
from core.store.census import MOST_TEXT


@pytest.fixture
def other() -> Frame:
    return Frame.from_array(np.ones((50, 40)), name="other.fits")


def test_the_last_word_on_a_name_counts_and_is_kept_once(store: Store, frame: Frame) -> None:
    assert store.tags(frame.key) == {}
    store.tag_frame(frame.key, "body", "Moon", source="the sample")
    store.tag_frame(frame.key, "body", "Mars'; DROP TABLE tags; --", source="a person", person="Ada")
    store.tag_frame(frame.key, "light", "from the left", source="a person")
    assert store.tags(frame.key) == {"body": "Mars'; DROP TABLE tags; --", "light": "from the left"}


@pytest.mark.parametrize("value", ["", "  ", "x" * (MOST_TEXT + 1)])
def test_a_tag_without_sense_is_refused(store: Store, frame: Frame, value: str) -> None:
    with pytest.raises(ParameterInvalid, match="body must have 1 to 10000 letters"):
        store.tag_frame(frame.key, "body", value, source="a person")


def test_labels_are_counted_by_run_with_tag_and_person(store, frame, other, result_of) -> None:
    store.save_run(frame, result_of(frame, n=5, method="stars.toy"), person="Ada")
    store.save_run(frame, result_of(frame, n=7, method="stars.toy"), person="Bob")
    store.save_run(other, result_of(other, n=0, method="stars.toy"))
    store.save_run(other, result_of(other, n=3, method="dso.toy"))
    store.tag_frame(frame.key, "body", "Moon", source="the sample")
    newest = store.label_counts("stars", "body")
    assert newest[["person", "tag", "label", "n"]].fillna("").values.tolist() == [
        ["Bob", "Moon", "star", 7],
        ["", "", "", 0],
    ]
    assert newest["pixels"].tolist() == [12_000, 2_000]
    every = store.label_counts("stars", "body", newest=False)
    assert every["n"].tolist() == [5, 7, 0]
    assert len(store.label_counts("surfaces", "body")) == 0


def test_facts_are_given_by_the_beginning_of_their_names(store, frame, other, result_of) -> None:
    store.save_run(frame, result_of(frame, facts={"share_plain": 0.75, "share_ridge": 0.25, "fwhm_px": 3.0}))
    store.save_run(other, result_of(other, facts={"share_plain": 0.5}))
    facts = store.fact_values("stars", "body", "share_")
    assert facts[["fact", "value"]].values.tolist() == [
        ["share_plain", 0.75],
        ["share_ridge", 0.25],
        ["share_plain", 0.5],
    ]
