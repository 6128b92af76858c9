"""The panel on which detections are put right, without a browser; tests/browser draws for real."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from core.corrections import Edit
from core.errors import StoreUnavailable
from core.store import Store


def app() -> None:
    import numpy as np
    import pandas as pd
    import streamlit as st

    from core.frames import Frame
    from core.frames.display import DisplaySettings
    from core.methods import get_method
    from core.results import Detections, Provenance, Result
    from core.ui.corrections import corrected, correction_panel
    from core.ui.runs import keep_analysis

    frame = Frame.from_array(np.random.default_rng(0).random((300, 1300)), "wide.fits")
    method = get_method("stars.sep")
    stars = Detections(pd.DataFrame({"label": ["star"], "score": 0.9, "x": 650.0, "y": 150.0}))
    facts = (frame.sha256, frame.key, frame.width, frame.height, "0", "2026-03-01T21:04:05+00:00")
    about = Provenance(method.name, method.params().to_dict(), frame.name, *facts)
    analysis = keep_analysis(method, frame, method.params(), Result(stars, provenance=about))
    correction_panel(analysis, frame, DisplaySettings.for_frame(frame), "Ada", "panel")
    st.text(", ".join(corrected(analysis, "Ada").table["label"]))


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("ALMAGEST_STORE", str(tmp_path / "test.duckdb"))
    return AppTest.from_function(app, default_timeout=60).run()


def write_label(panel: AppTest, label: str | None) -> None:
    """Write what the first object is into the list; the harness has no touch for it."""
    states = panel._tree.get_widget_states()
    (table,) = [each.proto.id for each in panel.dataframe if "panel.list" in each.proto.id]
    edited = {"edited_rows": {"0": {"label": label}}, "added_rows": [], "deleted_rows": []}
    states.widgets.append(WidgetState(id=table, string_value=json.dumps(edited)))
    panel._run(states)
    assert not panel.exception


@pytest.mark.parametrize(
    ("label", "said"), [("galaxy", "1 change not saved yet"), (None, "No unsaved changes")]
)
def test_a_label_that_is_cleared_is_no_new_label(panel: AppTest, label: str | None, said: str) -> None:
    write_label(panel, label)
    assert f"**{said}**" in [text.value for text in panel.markdown]


def test_the_next_window_is_one_that_nobody_has_looked_through(panel: AppTest) -> None:
    def corner() -> NumberInput:
        return next(widget for widget in panel.number_input if widget.label == "From x (px)")

    def next_window() -> int:
        next(button for button in panel.button if button.label == "Next window").click().run()
        return int(corner().value)

    panel.segmented_control(key="panel.side").set_value(512).run()
    for x in (0, 512):
        corner().set_value(x).run()
        panel.button(key="panel.review").click().run()
    corner().set_value(0).run()
    assert [next_window(), next_window()] == [788, 788]


def test_what_the_store_cannot_take_is_a_sentence_and_the_panel_stays(
    panel: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("The disk is full.", parameter="path")

    monkeypatch.setattr(Store, "append_corrections", full)
    panel.button(key="panel.review").click().run()
    assert not panel.exception
    assert "disk is full" in panel.error[0].value
    assert any("0 windows marked complete" in caption.value for caption in panel.caption)


def test_what_was_put_right_before_a_name_was_given_is_not_lost_from_sight(panel: AppTest) -> None:
    assert not any("before you gave a name" in info.value for info in panel.info)
    with Store(Path(os.environ["ALMAGEST_STORE"])) as store:
        (run,) = store.runs()
        store.append_corrections(run.run_id, "visitor 0123abcd", [Edit("accept", "p0")])
    panel.session_state["visitor.number"] = "0123abcd"
    panel.run()
    assert any("before you gave a name" in info.value for info in panel.info)
    panel.button(key="panel.review").click().run()
    assert not any("before you gave a name" in info.value for info in panel.info)
