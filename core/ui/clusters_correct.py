"""Putting right the clusters that methods mark on a picture, and every method's score against that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.clusters import kinds
from core.corrections import ARTEFACT
from core.frames.display import DisplaySettings
from core.results import Detections
from core.ui import boxes
from core.ui.clusters_field import Field
from core.ui.clusters_found import Found
from core.ui.clusters_picture import circles
from core.ui.confidence import Candidates, candidates_of
from core.ui.corrections import aim_window, corrected
from core.ui.corrections import correction_panel as canvas_panel
from core.ui.methods import choose_analysis
from core.ui.visitor import person

OTHERS = ("galaxy", "nebula")
LABELS = (*kinds.LABELS, *OTHERS, ARTEFACT)
"""What a person can call what a method marked; :data:`OTHERS` are no clusters."""
KEY = "clusters.correct"


def correction_panel(
    field: Field,
    found: Sequence[Found],
    settings: DisplaySettings,
    clicked: tuple[float, float] | None,
    *,
    waiting: bool,
) -> None:
    """Draw the canvas on which a method's marks are put right, and every method's score against that.

    Args:
        field: The picture and its stars.
        found: What each method found.
        settings: How the picture is shown.
        clicked: Where a person clicked the picture last.
        waiting: Whether a method is still to come.
    """
    analyses = [each.analysis for each in found if each.by_mark and each.analysis is not None]
    if field.choice is None or waiting or not analyses:
        st.info("What methods mark on a picture is put right here, once all of them have looked.")
        return
    who = person()
    analysis = choose_analysis(analyses, KEY)
    aim_window(KEY, clicked)
    canvas_panel(analysis, field.choice.frame, settings, who, KEY, labels=LABELS)
    catalogue = corrected(analysis, who)
    if not catalogue.reviewed:
        st.info("Mark a window as complete, and every method is scored there against your own marks.")
        return
    about = (
        "Your own marks, within the windows you marked as complete. Of a method that looks at a table, the "
        "circle around half of a cluster's stars counts as its mark."
    )
    score = boxes.against_corrections(catalogue, OTHERS)
    boxes.score_panel(_scored(field, found), score, about, by_confidence=False)


def _scored(field: Field, found: Sequence[Found]) -> list[Candidates]:
    """What each method found on the picture, in boxes."""
    listed = []
    for each in found:
        if each.analysis is None:
            continue
        if each.by_mark:
            table, limit = candidates_of(each.analysis.result)
        else:
            table, limit = _boxed(circles(each, field)), 0.0
        listed.append(Candidates(each.analysis, table, limit, None))
    return listed


def _boxed(marks: Detections) -> Detections:
    radius = marks.table["radius_px"].to_numpy(float)
    low, high = marks.xy - radius[:, None], marks.xy + radius[:, None]
    edges = dict(zip(("x_min", "y_min", "x_max", "y_max"), np.hstack([low, high]).T, strict=True))
    return Detections(marks.table.assign(**edges))
