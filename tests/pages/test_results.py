"""The page of stored runs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

import core
from core.frames import Frame
from core.results import Detections, Provenance, Result
from core.ui.runs import store


def keep(name: str, method: str = "stars.sep") -> None:
    """Store a run on a frame of this name, as another visitor's session would."""
    frame = Frame.from_array(np.full((8, 9), float(len(name))), name=name)
    about = Provenance(
        method, {}, name, frame.sha256, frame.key, 9, 8, core.__version__, "2026-03-01T21:04:05+00:00"
    )
    stars = Detections(pd.DataFrame({"label": ["star"], "score": 1.0, "x": 1.0, "y": 2.0}))
    db = store()
    assert db is not None
    db.save_run(frame, Result(stars, provenance=about))


def pick(app: AppTest, row: int) -> None:
    """Pick a row of the table of runs; the harness has no touch for it."""
    states = app._tree.get_widget_states()
    (table,) = [each.proto.id for each in app.dataframe if "results.table" in each.proto.id]
    chosen = {"selection": {"rows": [row], "columns": [], "cells": []}}
    states.widgets.append(WidgetState(id=table, string_value=json.dumps(chosen)))
    app._run(states)


def shown(app: AppTest) -> list[str]:
    assert not app.exception
    assert not app.error
    return [title.value for title in app.subheader]


def test_the_run_that_was_picked_stays_when_the_table_changes(app: AppTest) -> None:
    for name in ("first.fits", "second.fits"):
        keep(name)
    keep("moon.png", "surfaces.craters")
    app.switch_page("pages/results.py").run()
    assert shown(app) == []
    pick(app, 2)
    assert shown(app) == ["stars\\.sep on first\\.fits"]
    keep("newcomer.fits")
    app.run()
    assert shown(app) == ["stars\\.sep on first\\.fits"]
    app.segmented_control(key="results.task").set_value("Planetary surfaces").run()
    assert shown(app) == []
    pick(app, 0)
    assert shown(app) == ["surfaces\\.craters on moon\\.png"]


def test_every_run_is_listed_and_an_analysis_without_one_says_so(app: AppTest) -> None:
    keep("first.fits")
    db = store()
    assert db is not None
    copies = "INSERT INTO runs SELECT runs.* REPLACE (run_id || i AS run_id) FROM runs, range(600) t(i)"
    db._database.write(lambda cursor: cursor.execute(copies))
    app.switch_page("pages/results.py").run()
    assert len(app.dataframe[0].value) == 601
    app.segmented_control(key="results.task").set_value("Planetary surfaces").run()
    assert not app.dataframe
    assert [info.value for info in app.info if "demo" in info.value] == []
