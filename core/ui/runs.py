"""What methods found on a page's frame, kept in the session and in the store."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.catalogues.tables import SourceTable
from core.errors import StoreUnavailable
from core.frames import Frame
from core.methods import Method
from core.parameters import Parameters
from core.results import Result
from core.store import Store, default_path
from core.ui.shell import show_warnings
from core.ui.text import plain
from core.ui.visitor import person_name

_KEEP, _KEEP_BYTES = 24, 128 * 2**20
"""Results a session keeps at most, and bytes of their maps and pictures: a server has many sessions."""
_KEEP_WHOLE = 6
"""The latest results are kept whatever their size: those of the page that is open."""


@dataclass(frozen=True)
class Analysis:
    """One method's result on the page's frame.

    Attributes:
        method: The method.
        result: What it found.
        run_id: Its run in the store, or None when the store could not be written.
        stored_at: When it was run, if it came from the store; None when it was run just now.
        unkept: Why it is not in the store, as a sentence; empty when it is.
    """

    method: Method
    result: Result
    run_id: str | None
    stored_at: str | None
    unkept: str = ""


@st.cache_resource(show_spinner=False)
def _open_store(path: str) -> Store:
    return Store(path)


def store() -> Store | None:
    """The store, or None with a sentence on the page when it cannot be opened: pages work without it."""
    try:
        return _open_store(str(default_path()))
    except StoreUnavailable as error:
        show_warnings([f"{error.message} Results are shown but not kept."])
        return None


def run_key(method: Method, frame: Frame | SourceTable, params: Parameters) -> tuple[str, str, str]:
    """What a run is known by: equal ones give equal results."""
    return frame.key, method.name, params.to_json()


def find_analysis(method: Method, frame: Frame | SourceTable, params: Parameters) -> Analysis | None:
    """A method's result on a frame, if the session or the store has it; nothing is run."""
    key = run_key(method, frame, params)
    if key not in _kept():
        stored = _from_store(method, frame, params)
        if stored is None:
            return None
        _keep(key, stored)
    return _on(frame, _kept()[key])


def keep_analysis(method: Method, frame: Frame | SourceTable, params: Parameters, result: Result) -> Analysis:
    """Keep a result that has just been found, in the session and in the store."""
    try:
        run_id = _open_store(str(default_path())).save_run(frame, result, person=person_name())
        analysis = Analysis(method, result, run_id, None)
    except StoreUnavailable as error:
        analysis = Analysis(method, result, None, None, f"{error.message} Results are shown but not kept.")
    return _keep(run_key(method, frame, params), analysis)


def _kept() -> dict[tuple[str, str, str], Analysis]:
    kept: dict[tuple[str, str, str], Analysis] = st.session_state.setdefault("analyses", {})
    return kept


def _keep(key: tuple[str, str, str], analysis: Analysis) -> Analysis:
    kept = _kept()
    kept[key] = analysis
    while len(kept) > _KEEP:
        kept.pop(next(iter(kept)))
    # What the store has can be had again, with its pictures as coarse as the store keeps them.
    again = [old for old in list(kept)[:-_KEEP_WHOLE] if kept[old].run_id is not None]
    while again and sum(_layer_bytes(each.result) for each in kept.values()) > _KEEP_BYTES:
        kept.pop(again.pop(0))
    return analysis


def _layer_bytes(result: Result) -> int:
    layers = (result.maps, result.masks, result.pictures)
    return sum(values.nbytes for each in layers for values in each.values())


def _from_store(method: Method, frame: Frame | SourceTable, params: Parameters) -> Analysis | None:
    try:
        db = _open_store(str(default_path()))
        found = db.find_run(frame.key, method.name, params.to_dict(), method.weights_sha256)
        if found is None:
            return None
        result = db.load_result(found.run_id)
    except StoreUnavailable:
        return None  # said when the result that is run instead cannot be kept
    return Analysis(method, result, found.run_id, str(found.started_at))


def _on(frame: Frame | SourceTable, analysis: Analysis) -> Analysis:
    """The analysis with the name that its frame has now: the same file may have been opened under another."""
    provenance = analysis.result.provenance
    assert provenance is not None  # noqa: S101 (what a method ran has one)
    if provenance.frame_name == frame.name:
        return analysis
    provenance = replace(provenance, frame_name=frame.name)
    return replace(analysis, result=replace(analysis.result, provenance=provenance))


def run_note(analysis: Analysis) -> str:
    """A few words on where a result came from, as Markdown-safe text."""
    seconds = analysis.result.timings.get("total", 0.0)
    origin = (
        "run just now"
        if analysis.stored_at is None
        else f"from the store, run {analysis.stored_at[:16].replace('T', ' ')} UTC"
    )
    return plain(f"{analysis.method.title}: {origin}, {seconds:.2f} s")
