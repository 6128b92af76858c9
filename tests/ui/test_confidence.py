"""What is shown at the confidence a person asks for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.methods import get_method
from core.results import Detections, Result
from core.ui.confidence import Candidates, candidates_of, layers_of, leading
from core.ui.methods import short_title
from core.ui.runs import Analysis


def boxes(*scores: float, **more: object) -> Detections:
    table = pd.DataFrame({"label": "galaxy", "score": scores, "x": 5.0, "y": 5.0})
    return Detections(table.assign(x_min=0.0, y_min=0.0, x_max=10.0, y_max=10.0, **more))


def result() -> Result:
    rejected = boxes(0.4, 0.3, 0.9, reason=["confidence below 0.50", "confidence below 0.50", "too small"])
    return Result(boxes(0.8, 0.6), rejected=rejected, facts={"confidence_limit": 0.5})


def candidates(asked: float | None) -> Candidates:
    return Candidates(Analysis(get_method("dso.yolo"), result(), None, None), *candidates_of(result()), asked)


def test_only_what_lacked_confidence_can_come_back():
    everything, limit = candidates_of(result())
    assert everything.table["score"].tolist() == [0.8, 0.6, 0.4, 0.3]
    assert "reason" not in everything.table
    assert limit == 0.5


@pytest.mark.parametrize(
    ("asked", "rows"), [(None, [0, 1]), (0.7, [0]), (0.35, [0, 1, 2]), (0.0, [0, 1, 2, 3]), (0.8, [0])]
)
def test_the_confidence_shows_more_or_less(asked, rows):
    each = candidates(asked)
    assert each.rows.tolist() == rows
    assert len(each.shown) == len(rows)


def test_the_layer_leaves_the_choice_to_the_browser():
    layer = candidates(0.7).layer()
    assert len(layer.detections) == 4
    assert layer.limit == 0.5
    assert layer.name == "YOLO26"


@pytest.mark.parametrize(
    "given",
    [Result(Detections.empty()), Result(Detections.empty(), rejected=boxes(0.1, reason=["too small"]))],
)
def test_nothing_found_is_nothing_shown(given):
    everything, limit = candidates_of(given)
    assert len(everything) == 0
    assert limit == 0.0


def test_without_detections_the_candidates_remain():
    given = Result(
        Detections.empty(),
        rejected=boxes(0.1, reason=["confidence below 0.50"]),
        facts={"confidence_limit": 0.5},
    )
    everything, _ = candidates_of(given)
    assert np.allclose(everything.table["score"], [0.1])


def test_titles_are_short_in_legends():
    assert short_title("YOLO26 · object detector") == "YOLO26"
    assert short_title("Star removal and outlines") == "Star removal and outlines"


def test_units_of_what_was_not_found_are_left_out():
    nothing = Detections(
        pd.DataFrame({"label": [], "score": [], "x": [], "y": [], "magnitude": []}), {"magnitude": "mag"}
    )
    unsure = Detections(
        pd.DataFrame(
            {"label": ["galaxy"], "score": [0.1], "x": [1.0], "y": [2.0], "reason": ["confidence below 0.3"]}
        )
    )
    everything, _ = candidates_of(Result(nothing, unsure))
    assert len(everything) == 1
    assert "magnitude" not in everything.units


def test_the_first_that_finds_anything_leads():
    silent, seen = Result(Detections.empty()), result()
    nothing = Candidates(Analysis(get_method("dso.yolo"), silent, None, None), *candidates_of(silent), None)
    something = Candidates(Analysis(get_method("dso.pix2pix"), seen, None, None), *candidates_of(seen), None)
    assert leading([]) is None
    assert leading([nothing]) is nothing
    assert leading([nothing, something]) is something
    layers = layers_of([nothing, something], only=something)
    assert [layer.visible for layer in layers] == [False, True]
