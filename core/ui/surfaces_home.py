"""Putting right what was found on a planetary surface, and taking it home: tables and a report."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import streamlit as st

from core.corrections import ARTEFACT, CorrectedCatalogue
from core.export.report import Report, write_html, write_pdf
from core.export.text import picture_stem
from core.frames import Frame
from core.frames.display import DisplaySettings, render
from core.results import Detections
from core.surfaces.kinds import CRATER, RIDGE, VALLEY
from core.surfaces.measure import Measure, measured, named
from core.ui import boxes
from core.ui.confidence import Candidates
from core.ui.corrections import aim_window, corrected
from core.ui.corrections import correction_panel as canvas_panel
from core.ui.exports import catalogue_panel
from core.ui.frames import Choice
from core.ui.runs import Analysis
from core.ui.surfaces import in_words, refusal
from core.ui.surfaces_report import Edits, Subject, surface_report
from core.ui.surfaces_scale import Ground
from core.ui.visitor import person

CORRECTION_LABELS = (CRATER, VALLEY, RIDGE, "plain", ARTEFACT)
"""What a person can call what they mark."""
PICTURE_SIDE = 1600
"""Longest side of a report's picture, in px."""
KINDS = {"HTML": ("html", "text/html"), "PDF": ("pdf", "application/pdf")}


def correction_panel(
    analysis: Analysis,
    found: Sequence[Candidates],
    frame: Frame,
    settings: DisplaySettings,
    clicked: tuple[float, float] | None,
) -> None:
    """Draw the canvas on which what a method marked is put right, and every method's score against that."""
    who = person()
    aim_window("surfaces.correct", clicked)
    labels = (*CORRECTION_LABELS, *(name for name in analysis.method.labels if name not in CORRECTION_LABELS))
    canvas_panel(
        analysis,
        frame,
        settings,
        who,
        "surfaces.correct",
        labels=labels,
        drawn_as={CRATER: "ellipse", VALLEY: "line", RIDGE: "line", "plain": "box"},
    )
    catalogue = corrected(analysis, who)
    if catalogue.reviewed:
        about = "Your own marks, within the windows you marked as complete."
        boxes.score_panel(found, boxes.against_corrections(catalogue), about)
    else:
        st.info("Mark a window as complete, and every method is scored there against your own marks.")


def home_panel(
    analysis: Analysis, found: Sequence[Candidates], choice: Choice, ground: Ground, measure: Measure
) -> None:
    """Draw the downloads: the landforms as a table or picture, or a report."""
    what = st.segmented_control(
        "What", ["Report", "Landforms"], default="Report", key="surfaces.home.what", required=True
    )
    who = person()
    catalogue = corrected(analysis, who)
    if what == "Landforms":
        each = next(each for each in found if each.analysis is analysis)
        shown = None if each.asked is None else each.shown
        catalogue_panel(
            analysis,
            catalogue,
            choice.frame,
            who,
            "surfaces.export",
            shown=shown,
            confidence=each.asked,
            told=lambda objects: named(measured(objects, measure), choice.frame),
        )
        return
    st.caption(
        "A few pages with the picture, plots, tables, parameters, what people put right, and the command "
        "that does it again. The HTML file needs no other file and no network."
    )
    kind = str(
        st.segmented_control("Format", list(KINDS), default="PDF", key="surfaces.home.kind", required=True)
    )
    ending, mime = KINDS[kind]
    st.download_button(
        f"Download the report as {kind}",
        # Made when the button is pressed, not on every run of the page.
        data=functools.partial(_written, kind, analysis, catalogue, choice, ground, measure, who),
        file_name=f"{picture_stem(choice.frame.name)}.{analysis.method.name}.{ending}",
        mime=mime,
        key=f"surfaces.home.report.{kind}",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )


def _written(
    kind: str,
    analysis: Analysis,
    catalogue: CorrectedCatalogue,
    choice: Choice,
    ground: Ground,
    measure: Measure,
    who: str,
) -> bytes:
    made = report(analysis, catalogue, choice, ground, measure, who)
    return write_html(made) if kind == "HTML" else write_pdf(made)


def report(
    analysis: Analysis,
    catalogue: CorrectedCatalogue,
    choice: Choice,
    ground: Ground,
    measure: Measure,
    who: str,
) -> Report:
    """What a method found on a frame as a report, with a person's corrections in it."""
    frame, sample = choice.frame, choice.sample
    states = catalogue.table["state"].value_counts().drop("unreviewed", errors="ignore")
    edits = Edits({str(state): int(n) for state, n in states.items()}, who, len(catalogue.reviewed))
    found: Detections = catalogue.catalogue(frame) if edits.total else analysis.result.detections
    placed = named(measured(found, measure), frame)
    shown = render(frame, DisplaySettings.for_frame(frame), max_side=PICTURE_SIDE)
    return surface_report(
        Subject(
            title=sample.title if sample is not None else frame.name,
            sentence=refusal([analysis]) or in_words(placed.table, measure, ground),
            method=analysis.method,
            result=analysis.result,
            detections=placed,
            picture=shown.rgb,
            measure=measure,
            edits=edits,
            body=ground.body,
            km_per_px=ground.km_per_px,
            scale_source=f"in the middle, {ground.source}" if ground.by_map else ground.source,
            credit="" if sample is None else f"Picture: {sample.credit}. Licence: {sample.licence}.",
        )
    )
