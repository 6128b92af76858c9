"""Taking a catalogue home: as found or as put right, one choice of format, one button."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from core.corrections import CorrectedCatalogue
from core.export import FORMATS, export
from core.frames import Frame
from core.results import Detections, Result
from core.ui.runs import Analysis

TABLE_FORMATS = ("csv", "ecsv", "votable", "fits", "parquet")
"""Formats for what does not stand on a frame."""


def catalogue_panel(
    analysis: Analysis,
    corrected: CorrectedCatalogue,
    frame: Frame,
    person: str,
    key: str,
    *,
    shown: Detections | None = None,
    confidence: float | None = None,
    told: Callable[[Detections], Detections] = lambda objects: objects,
) -> None:
    """Draw the download of a method's catalogue, as found or as a person has put it right.

    Args:
        analysis: The method's run.
        corrected: The same catalogue with the person's corrections folded in.
        frame: Its frame.
        person: Who corrected it.
        key: Prefix of the widgets' keys.
        shown: What is shown at another confidence than the method's own, if one is asked for.
        confidence: That confidence.
        told: Gives objects the columns that the page shows beside the method's own.
    """
    edits = int((corrected.table["state"] != "unreviewed").sum())
    mended = corrected.catalogue(frame)
    found = f"As {analysis.method.title} found it ({len(analysis.result.detections):,})"
    mine = f"As you put it right ({len(mended):,}; {edits} object{'s' * (edits != 1)} corrected)"
    options = [mine, found] if edits else [found]
    other = ""
    if shown is not None:
        other = f"As shown at a confidence of {confidence:.2f} and above ({len(shown):,})"
        options.append(other)
    which = found
    if len(options) > 1:
        which = str(st.radio("Catalogue", options, key=f"{key}.which"))
    if shown is not None and which == other:
        export_panel(
            analysis.result,
            frame,
            key,
            detections=shown,
            extra={"least_confidence": confidence},
            labels=analysis.method.labels,
        )
    elif which == mine:
        extra = {"human_edits": edits, "edited_by": person}
        export_panel(
            analysis.result,
            frame,
            key,
            detections=told(mended),
            extra=extra,
            labels=analysis.method.labels,
        )
    else:
        detections = told(analysis.result.detections)
        export_panel(analysis.result, frame, key, detections=detections, labels=analysis.method.labels)


def export_panel(
    result: Result,
    frame: Frame | None,
    key: str,
    *,
    detections: Detections | None = None,
    extra: Mapping[str, Any] | None = None,
    labels: Sequence[str] = (),
    formats: Sequence[str] = tuple(FORMATS),
) -> None:
    """Draw the choice of format and the download button.

    Args:
        result: The result, with its provenance.
        frame: Its frame, or None when it is no longer at hand: formats that need it are left out.
        key: Prefix of the widgets' keys.
        detections: What to export in place of the result's own detections.
        extra: Facts to add to the provenance, such as the number of corrections.
        labels: The method's classes, in order.
        formats: What is offered, by the formats' names.
    """
    names = [name for name in formats if frame is not None or not FORMATS[name].needs_frame]
    name = st.segmented_control(
        "Format",
        names,
        default=names[0],
        key=f"{key}.format",
        format_func=lambda name: FORMATS[name].title,
        required=True,
    )
    chosen = FORMATS[str(name)]
    st.caption(chosen.purpose)
    facts = result.provenance
    stem = PurePath(facts.frame_name).name.split(".")[0] if facts else ""
    st.download_button(
        f"Download {chosen.title}",
        # Made when the button is pressed, not on every run of the page.
        data=lambda: export(
            result, chosen.name, frame=frame, detections=detections, extra=extra, labels=labels
        ),
        file_name=f"{stem or 'frame'}.{facts.method if facts else 'result'}{chosen.extension}",
        mime=chosen.mime,
        key=f"{key}.download.{chosen.name}",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )
