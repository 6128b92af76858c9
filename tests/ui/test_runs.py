"""Results that are there already: of another visitor, or of the same file under another name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from core.frames import Frame
from core.methods import get_method
from core.ui.runs import find_analysis, keep_analysis, store


@pytest.mark.parametrize("by", ["another visitor", "this one"])
def test_a_result_has_the_name_of_the_frame_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setenv("ALMAGEST_STORE", str(tmp_path / "runs.duckdb"))
    monkeypatch.setattr(st, "session_state", {})
    method = get_method("stars.sep")
    frame = Frame.from_array(np.random.default_rng(0).normal(100.0, 5.0, (64, 64)), "target_of_ada.fits")
    result = method.run(frame)
    if by == "this one":
        run_id = keep_analysis(method, frame, method.params(), result).run_id
    else:
        db = store()
        assert db is not None
        run_id = db.save_run(frame, result, person="Ada")
    found = find_analysis(method, dataclasses.replace(frame, name="field.fits"), method.params())
    assert found is not None
    assert found.run_id == run_id
    assert found.result.provenance is not None
    assert found.result.provenance.frame_name == "field.fits"


def test_a_session_lets_go_of_large_pictures_that_the_store_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALMAGEST_STORE", str(tmp_path / "runs.duckdb"))
    monkeypatch.setattr(st, "session_state", {})
    method = get_method("stars.sep")
    monkeypatch.setattr("core.ui.runs._KEEP_BYTES", 6 * 64 * 64 * 3)
    pictures = {"starless": np.zeros((64, 64, 3), np.uint8)}
    frames = [Frame.from_array(np.full((64, 64), float(level)), f"{level}.fits") for level in range(8)]
    for frame in frames:
        result = dataclasses.replace(method.run(frame), pictures=pictures)
        assert keep_analysis(method, frame, method.params(), result).run_id is not None
    held = st.session_state["analyses"].values()
    assert [each.result.provenance.frame_name for each in held] == [f"{level}.fits" for level in range(2, 8)]
    first = find_analysis(method, frames[0], method.params())
    assert first is not None
    assert first.stored_at is not None
