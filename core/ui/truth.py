"""Methods held against the known truth of a simulated frame."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.results import Detections
from core.scoring.truth import SNR_CUTS, TruthScore, score_against_truth
from core.ui import plots
from core.ui.methods import method_style
from core.ui.runs import Analysis


def truth_panel(analyses: Sequence[Analysis], truth: Detections, radius_px: float) -> None:
    """Draw each method's precision, recall and F1 by signal-to-noise ratio, and its completeness.

    Args:
        analyses: The methods run on the frame.
        truth: What is truly on the frame.
        radius_px: Largest distance between a true star and its detection.
    """
    scores = {
        analysis.method.title: score_against_truth(analysis.result.detections, truth, radius_px=radius_px)
        for analysis in analyses
    }
    colours = {analysis.method.title: method_style(analysis.method.name)[0] for analysis in analyses}
    rows = [_row(title, score, cut) for title, score in scores.items() for cut in SNR_CUTS]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Scores of each method against the truth")
    st.caption(
        f"A match is one to one and within {radius_px:.2g} px. True stars under the SNR cut are neither hit "
        "nor miss; the SNR is that of weighting by the true star image."
    )
    bins = {title: score.snr_bins for title, score in scores.items()}
    curves = {title: score.completeness for title, score in scores.items() if score.completeness}
    recall, f1, magnitude = st.columns(3, gap="medium")
    with recall:
        st.markdown("**How many are found, by signal-to-noise ratio**")
        st.plotly_chart(plots.snr_figure(bins, colours), alt="Fraction found against signal-to-noise ratio")
    with f1:
        st.markdown("**F1, by signal-to-noise ratio**")
        st.plotly_chart(plots.f1_figure(bins, colours), alt="F1 against signal-to-noise ratio")
    with magnitude:
        st.markdown("**How many are found, by magnitude**")
        st.plotly_chart(plots.completeness_figure(curves, colours), alt="Completeness against magnitude")
    for title, score in scores.items():
        st.caption(f"{title}: half are found at {_mag(score.m50)}, nine in ten at {_mag(score.m90)}.")


def _mag(value: float | None) -> str:
    return "no magnitude in this frame" if value is None else f"G {value:.2f}"


def _row(title: str, score: TruthScore, cut: float) -> dict[str, object]:
    at = score.at_snr[cut]
    return {
        "method": title,
        "SNR at least": cut,
        "found": at.true_positives,
        "false": at.false_positives,
        "missed": at.false_negatives,
        "precision": round(at.precision, 3),
        "recall": round(at.recall, 3),
        "F1": round(at.f1, 3),
    }
