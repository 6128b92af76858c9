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
