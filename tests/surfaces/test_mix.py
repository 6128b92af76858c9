"""What a surface is a mix of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.frames import Frame
from core.results import Detections
from core.surfaces.mix import OTHER, WITHIN, crater_cover, craters_of, lines_of, mix_of, mix_or_cover
from tests.surfaces import surveys


def test_classes_of_places_add_up_to_landforms():
    mix = mix_of(
        {"share_plain": 0.4, "share_crater_floor": 0.2, "share_crater_rim": 0.1, "share_unsure": 0.3}
    )
    assert mix == {
        "crater": pytest.approx(0.3),
        "valley": 0.0,
        "ridge": 0.0,
        "plain": 0.4,
        "unsure": pytest.approx(0.3),
    }


@pytest.mark.parametrize("facts", [{}, {"fwhm_px": 3.0}, {"share_plain": float("nan")}, {"share_plain": 0.0}])
def test_a_result_that_does_not_say_has_no_mix(facts):
    assert mix_of(facts) == {}


def test_the_ground_under_craters_counts_once():
    one = surveys.craters([100.0])
    cover = crater_cover(one, 200, 200)
    assert cover == pytest.approx(np.pi * 50**2 / 200**2, rel=0.02)
    assert crater_cover(pd.concat([one, one]), 200, 200) == cover
    half = one.assign(axis_ratio=0.25, angle_deg=30.0)
    assert crater_cover(half, 200, 200) == pytest.approx(cover, rel=0.05), "the same area, oval"


def test_a_crater_over_the_edge_covers_what_lies_on_the_frame():
    over = surveys.craters([100.0]).assign(x=-0.5, y=99.5)
    assert crater_cover(over, 200, 200) == pytest.approx(np.pi * 50**2 / 200**2 / 2, rel=0.03)


def test_a_method_of_craters_alone_says_what_they_cover():
    mix = mix_or_cover({}, surveys.craters([40.0]), 200, 200)
    assert mix[WITHIN] == pytest.approx(np.pi * 20.0**2 / 200**2, rel=0.02)
    assert mix[OTHER] == pytest.approx(1.0 - mix[WITHIN])
    assert mix_or_cover({}, Detections.empty().table, 200, 200) == {}


def test_rows_without_a_size_are_no_craters_and_no_lines():
    table = pd.concat(
        [surveys.craters([10.0, 20.0]), surveys.line("ridge", (0, 0), (30, 40))], ignore_index=True
    )
    assert len(craters_of(table)) == 2
    assert lines_of(table)["length_px"].tolist() == [50.0]
    nothing = Detections.empty().table
    assert craters_of(nothing).empty
    assert lines_of(nothing).empty
    added = pd.DataFrame({"label": ["crater"], "score": [1.0], "x": [3.0], "y": [4.0]})
    assert craters_of(added).empty


def test_the_helpers_make_results_that_stand() -> None:
    frame = Frame.from_array(np.zeros((200, 200)), "ground.png")
    made = surveys.result(frame, surveys.craters([12.0]), surveys.line("valley", (5, 5), (50, 5)))
    assert len(made.detections) == 2
    assert sum(mix_of(made.facts).values()) == pytest.approx(1.0)
