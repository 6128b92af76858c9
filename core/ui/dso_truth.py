"""What detections of the deep-sky page can be held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.corrections import CorrectedCatalogue
from core.dso.kinds import LABELS, OTHERS
from core.frames import Frame
from core.results import Detections
from core.ui import boxes
from core.ui.confidence import Candidates
from core.ui.dso_names import known_on
from core.ui.frames import Choice
from core.ui.methods import short_title
from core.ui.runs import Analysis

LEAST_SNR = 3.0
"""Simulated objects fainter than this need not be found."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What detections can be held against.

    Attributes:
        title: What a person calls it.
        about: What it is, as a sentence.
        score: Holds detections against it.
    """

    title: str
    about: str
    score: boxes.Scorer


def truths(
    choice: Choice, frame: Frame, analyses: Sequence[Analysis], catalogues: Sequence[CorrectedCatalogue]
) -> list[Truth]:
    """What there is to hold the methods against, the surest first.

    Args:
        choice: The frame as chosen, with its truth where it was simulated.
        frame: The frame as analysed.
        analyses: The methods' runs.
        catalogues: What a person has put right of each of them.
    """
    found = []
    if choice.truth is not None:
        found.append(simulated_truth(choice.truth))
    for analysis, catalogue in zip(analyses, catalogues, strict=True):
        if catalogue.reviewed:
            windows = len(catalogue.reviewed)
            about = (
                f"What you made of {short_title(analysis.method.title)}'s boxes, within the "
                f"{windows} window{'s' * (windows != 1)} you marked as complete."
            )
            found.append(Truth("Your corrections", about, boxes.against_corrections(catalogue, OTHERS)))
            break
    known = known_on(frame)
    if len(known.objects):
        names = ", ".join(str(name) for name in known.objects.table["name"][:6])
        more = len(known.objects) - 6
        about = (
            f"The catalogue OpenNGC: {names}{f' and {more} more' if more > 0 else ''}. A box goes around the "
            "ellipse the catalogue gives; what is small, faint or of unknown size counts neither way, and "
            "whether this exposure shows an object is not known."
        )
        found.append(Truth("Catalogue", about, boxes.against(known.objects, known.others)))
    return found


def simulated_truth(truth: Detections) -> Truth:
    """The truth of a simulated frame, without its stars."""
    table = truth.table
    extended = table["label"].isin(LABELS) & truth.table["x_min"].notna()
    bright = table["snr"] >= LEAST_SNR if "snr" in table else extended
    objects, others = truth.where(extended & bright), truth.where(extended & ~bright)
    about = (
        f"What was put into the simulated frame: {len(objects)} galaxies, nebulae and clusters of a "
        f"signal-to-noise ratio of {LEAST_SNR:g} and more; fainter ones count neither way."
    )
    return Truth("Simulation", about, boxes.against(objects, others))


def truth_panel(found: Sequence[Candidates], known: Sequence[Truth]) -> None:
    """Draw the scores of the methods against what is known of the frame."""
    if not known:
        st.info(
            "Nothing is known of this frame to hold the methods against. A frame with a WCS has the "
            "catalogue, a frame from the playground its truth, and a window that you correct and mark as "
            "complete is as good."
        )
        return
    titles = {each.title: each for each in known}
    picked = st.segmented_control(
        "Held against", list(titles), default=next(iter(titles)), key="dso.truth", required=True
    )
    truth = titles.get(str(picked), known[0])
    boxes.score_panel(found, truth.score, truth.about)
