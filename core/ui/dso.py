"""What the deep-sky page says of what was found, and how it is put right and taken home."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.corrections import ARTEFACT
from core.dso.kinds import LABELS, OTHERS
from core.dso.names import name_detections
from core.dso.report import sized, summary
from core.frames import Frame
from core.frames.display import DisplaySettings
from core.results import Detections
from core.ui import boxes
from core.ui.boxes import tells_classes
from core.ui.confidence import Candidates, candidates_of, leading, run_name
from core.ui.corrections import aim_window, corrected
from core.ui.corrections import correction_panel as canvas_panel
from core.ui.exports import catalogue_panel
from core.ui.frames import Choice, about_frame
from core.ui.methods import what_each_does
from core.ui.runs import Analysis
from core.ui.selection import Selected, offer
from core.ui.tables import sources_table
from core.ui.visitor import person

QUICK_PIXELS = 6 * 2**20
CORRECTION_LABELS = (*LABELS, *OTHERS, ARTEFACT)
FIRST_COLUMNS = ("name", "label", "score", "common_name", "kind", "constellation", "magnitude", "size_arcmin")


def is_quick(frame: Frame) -> bool:
    """Whether every method may be asked at once; on a larger frame a person chooses what to wait for."""
    return frame.width * frame.height <= QUICK_PIXELS


def candidates(analyses: Sequence[Analysis], frame: Frame, asked: float | None) -> list[Candidates]:
    """What each method found at the confidence asked for, named where the frame knows its place."""
    return [
        Candidates(analysis, *_named(run_name(analysis), analysis, frame), asked) for analysis in analyses
    ]


@st.cache_resource(show_spinner=False, max_entries=32, ttl=3600)
def _named(run: str, _analysis: Analysis, _frame: Frame) -> tuple[Detections, float]:
    everything, limit = candidates_of(_analysis.result)
    if _frame.wcs is None or not len(everything):
        return everything, limit
    # What was found is named first; what a candidate is called may not be taken from it.
    sure = np.arange(len(everything)) < len(_analysis.result.detections)
    named = name_detections(everything.where(sure), _frame)
    others = name_detections(everything.where(~sure), _frame)
    taken = set(named.table["name"].dropna())
    table = everything.table.copy()
    for column in ("name", "common_name", "kind", "constellation", "magnitude", "catalogue_size_arcmin"):
        values = others.table[column].where(~others.table["name"].isin(taken), None)
        table[column] = [*named.table[column], *values]
    return Detections(table, named.units), limit


def sentence(found: Sequence[Candidates], asked: float | None, *, waiting: bool) -> str:
    """The one sentence on top of the page: what the first method says that found anything."""
    first = leading(found)
    if first is None:
        return (
            "Looking for galaxies, nebulae and clusters." if waiting else "No method can look at this here."
        )
    said = first.analysis.result.summary
    if asked is not None and len(first.everything):
        said = f"At a confidence of {asked:.2f} and above: {_lower(summary(first.shown))}"
    return said if first is found[0] else f"{first.title}: {_lower(said)} {found[0].title} found nothing."


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def objects_panel(found: Sequence[Candidates], mark: Selected | None) -> None:
    """Draw the table of what one method found, linked to the picture."""
    sources = {each.analysis.method.name: each for each in found}
    if st.session_state.get("dso.objects") not in sources:
        st.session_state["dso.objects"] = next(iter(sources))
    name = st.segmented_control(
        "Method",
        list(sources),
        key="dso.objects",
        required=True,
        format_func=lambda name: sources[name].title,
    )
    each = sources[str(name)]
    rows = list(each.rows)
    row = rows.index(mark[1]) if mark and mark[0] == name and mark[1] in rows else None
    if not rows:
        st.info(
            f"{each.title} found nothing at this confidence. Lower it under the picture, and more is shown."
        )
        return
    picked = sources_table(each.shown, f"dso.table.{name}", row, first=FIRST_COLUMNS)
    meant = None if picked is None or picked >= len(rows) else (str(name), int(rows[picked]))
    offer("dso", f"table.{name}.{row}", meant)


def explain(choice: Choice, found: Sequence[Candidates], *, named: bool) -> None:
    """Tell a visitor what they are looking at and what the methods do, in plain words."""
    with about_frame(choice):
        rings = " A circle is an object that catalogues know." if named else ""
        st.write(f"Every box is a place where a method sees something.{rings} Click one to read about it.")
        what_each_does([(each.analysis.method, len(each.shown)) for each in found])


def times(found: Sequence[Candidates]) -> str:
    """How long each method took."""
    return " · ".join(
        f"{each.title} {each.analysis.result.timings.get('total', 0.0):.1f} s" for each in found
    )


def correction_panel(
    analysis: Analysis,
    found: Sequence[Candidates],
    frame: Frame,
    settings: DisplaySettings,
    clicked: tuple[float, float] | None,
) -> None:
    """Draw the canvas on which a method's boxes are put right, and every method's score against that."""
    who = person()
    aim_window("dso.correct", clicked)
    own = analysis.method.labels
    labels = (*own, *CORRECTION_LABELS) if tells_classes(own) else (*CORRECTION_LABELS, *own)
    canvas_panel(analysis, frame, settings, who, "dso.correct", labels=labels)
    catalogue = corrected(analysis, who)
    if catalogue.reviewed:
        about = "Your own boxes, within the windows you marked as complete."
        boxes.score_panel(found, boxes.against_corrections(catalogue, OTHERS), about)
    else:
        st.info("Mark a window as complete, and every method is scored there against your own boxes.")


def export_panel(analysis: Analysis, found: Sequence[Candidates], frame: Frame) -> None:
    """Draw the download of a method's boxes: as found, as shown at another confidence, or as put right."""
    who = person()
    each = next(each for each in found if each.analysis is analysis)
    shown = None if each.asked is None else each.shown
    catalogue_panel(
        analysis,
        corrected(analysis, who),
        frame,
        who,
        "dso.export",
        shown=shown,
        confidence=each.asked,
        told=lambda objects: sized(objects, frame),
    )
