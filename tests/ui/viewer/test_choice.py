"""Who chose last, and what a browser may say."""

from __future__ import annotations

import pandas as pd
import pytest

from core.results import Detections
from core.ui.viewer import Layer, ViewerEvent
from core.ui.viewer.choice import Choice
from core.ui.viewer.detail import MOST_PIXELS, View, read_view

LAYERS = [
    Layer("A", Detections(pd.DataFrame({"label": "star", "score": 1.0, "x": range(9), "y": 1.0})), "#fff")
]


def event(**changes: object) -> dict[str, object]:
    usual = {
        "scene": "s",
        "layers": "l",
        "threshold": 0.25,
        "selected": [0, 3],
        "clicked": [1.5, 2],
        "view": [0, 0, 9, 9],
    }
    return {**usual, **changes}


def test_last_to_choose_wins():
    choice = Choice()
    choice.ask(None, LAYERS, "l")
    assert choice.hear(event(), "s", LAYERS) == ViewerEvent((0, 3), 0.25, (0, 0, 9, 9), (1.5, 2))
    choice.ask((0, 5), LAYERS, "l")
    assert choice.hear(event(), "s", LAYERS).selected == (0, 5)
    choice.ask((0, 5), LAYERS, "l")
    assert choice.hear(event(selected=[0, 7]), "s", LAYERS).selected == (0, 7)
    choice.ask((0, 5), LAYERS, "l")
    assert choice.hear(event(selected=[0, 7]), "s", LAYERS).selected == (0, 7)
    choice.ask(None, LAYERS, "l")
    assert choice.selected is None


def test_choice_does_not_outlive_its_table():
    choice = Choice()
    choice.ask(None, LAYERS, "l")
    choice.hear(event(), "s", LAYERS)
    choice.ask(None, LAYERS, "another")
    assert choice.hear(event(), "s", LAYERS).selected is None


def test_page_that_insists_keeps_its_choice_on_new_layers():
    choice = Choice()
    choice.ask((0, 5), LAYERS, "l")
    choice.ask((0, 5), LAYERS, "another")
    assert choice.selected == (0, 5)
    assert choice.command == 2


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (None, ViewerEvent()),
        ("text", ViewerEvent()),
        ({}, ViewerEvent()),
        (event(scene="before"), ViewerEvent(None, 0.25)),
        (event(selected=[0, 9], view="x", clicked=[1]), ViewerEvent(None, 0.25)),
        (event(selected=[4, 0], view=None, clicked=None), ViewerEvent(None, 0.25)),
        (event(selected={"a": 1}, threshold=float("nan"), view=None, clicked=None), ViewerEvent()),
        (event(selected=None, threshold=7, view=None, clicked=None), ViewerEvent(None, 1.0)),
    ],
)
def test_what_a_browser_reports_is_checked(reported, expected):
    choice = Choice()
    choice.ask(None, LAYERS, "l")
    assert choice.hear(reported, "s", LAYERS) == expected


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({"scene": "s", "region": [10, 20, 30, 60], "step": 1}, View((10, 20, 30, 60), 1)),
        ({"scene": "s", "region": [-5, -5, 9999, 9999], "step": 1}, View((0, 0, 400, 300), 1)),
        ({"scene": "s", "region": [10, 20, 10, 60], "step": 1}, None),
        ({"scene": "s", "region": [10, 20, 30], "step": 1}, None),
        ({"scene": "s", "region": ["a", 20, 30, 60], "step": 1}, None),
        ({"scene": "s", "region": [10, 20, 30, float("inf")], "step": 1}, None),
        ({"scene": "s", "region": [10, 20, 30, 60], "step": 0}, None),
        ({"scene": "s", "region": 7, "step": 1}, None),
        ({"scene": "other", "region": [10, 20, 30, 60], "step": 1}, None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_view_is_checked_and_cut_to_the_frame(reported, expected):
    assert read_view(reported, "s", 400, 300) == expected


def test_large_view_is_sent_smaller():
    view = read_view({"scene": "s", "region": [0, 0, 8000, 8000], "step": 1}, "s", 8192, 8192)
    assert view is not None
    assert 8000 * 8000 / view.step**2 <= MOST_PIXELS
