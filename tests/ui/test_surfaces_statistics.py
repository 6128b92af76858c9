"""What all stored runs on surfaces found, added up."""

import pandas as pd
import pytest

from core.ui.surfaces_statistics import totals

COLUMNS = ["run_id", "frame_key", "method", "body", "label", "n", "pixels"]
TWICE = pd.DataFrame(
    [
        ("1", "a", "surfaces.hough", "Moon", "crater", 7, 1e6),
        ("1", "a", "surfaces.hough", "Moon", "ridge", 2, 1e6),
        ("2", "a", "surfaces.craters", "Moon", "crater", 10, 1e6),
        ("3", "a", "surfaces.classify", "Moon", None, None, 1e6),
        ("4", "b", "surfaces.hough", "Moon", "crater", 5, 1e6),
    ],
    columns=COLUMNS,
)


def test_what_two_methods_found_on_a_frame_counts_once():
    (moon,) = totals(TWICE, "body", once=True).to_dict("records")
    assert (moon["runs"], moon["frames"]) == (4, 2)
    assert (moon["craters"], moon["ridges"], moon["valleys"]) == (10 + 5, 2, 0)
    assert moon["per Mpx"] == pytest.approx(17 / 2)


def test_each_method_has_its_own_objects():
    table = totals(TWICE, "method", once=True)
    assert table["craters"].to_dict() == {
        "surfaces.classify": 0,
        "surfaces.craters": 10,
        "surfaces.hough": 12,
    }
    assert table["per Mpx"]["surfaces.hough"] == pytest.approx(14 / 2)


def test_every_run_can_count_for_itself():
    (moon,) = totals(TWICE, "body", once=False).to_dict("records")
    assert (moon["craters"], moon["per Mpx"]) == (22, pytest.approx(24 / 4))
