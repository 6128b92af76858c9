"""What methods that give boxes agree on, without a browser."""

from __future__ import annotations

import json

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest


def app() -> None:
    import pandas as pd
    import streamlit as st

    from core.methods import get_method
    from core.results import Detections, Result
    from core.ui.boxes import agreement_panel
    from core.ui.confidence import Candidates
    from core.ui.runs import Analysis

    asked = st.session_state.get("asked")
    rows = [
        {"label": "galaxy", "score": score, "x_min": x, "y_min": 0.0, "x_max": x + 9.0, "y_max": 9.0}
        for score, x in ((0.3, 0.0), (0.6, 50.0), (0.9, 100.0))
    ]
    table = pd.DataFrame(rows).assign(x=lambda each: each["x_min"] + 4.5, y=4.5)
    analyses = [
        Analysis(get_method(name), Result(Detections.empty()), None, None)
        for name in ("dso.yolo", "dso.xrai")
    ]
    found = [
        Candidates(analyses[0], Detections(table), 0.0, asked),
        Candidates(analyses[1], Detections.empty(), 0.0, asked),
    ]
    st.text(agreement_panel(found, "agree"))


def test_another_confidence_picks_no_other_object() -> None:
    page = AppTest.from_function(app, default_timeout=60).run()
    states = page._tree.get_widget_states()
    (once,) = [each.proto.id for each in page.dataframe if "agree.once" in each.proto.id]
    picked = {"selection": {"rows": [1], "columns": [], "cells": []}}
    states.widgets.append(WidgetState(id=once, string_value=json.dumps(picked)))
    page._run(states)
    assert page.text[0].value == "('dso.yolo', 1)"
    page.session_state["asked"] = 0.5
    page.run()
    assert not page.exception
    assert page.text[0].value != "('dso.yolo', 2)"
