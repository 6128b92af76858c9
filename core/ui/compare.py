"""Two methods on one frame: what both found, and what only one did."""

from __future__ import annotations

import streamlit as st

from core.scoring.agreement import Agreement, agree
from core.ui.runs import Analysis
from core.ui.viewer import Layer


def compare_layers(a: Analysis, b: Analysis, radius_px: float) -> tuple[Agreement, list[Layer]]:
    """Match two methods' detections and give the layers both, only the first, only the second."""
    first, second = a.result.detections, b.result.detections
    agreement = agree(first, second, radius_px=radius_px)
    layers = [
        Layer("both", first.where(_rows(len(first), agreement.matches.truth_index)), "#FFFFFF", "circle"),
        Layer(
            f"only {a.method.title}",
            first.where(_rows(len(first), agreement.only_a)),
            "#56B4E9",
            "square",
        ),
        Layer(
            f"only {b.method.title}",
            second.where(_rows(len(second), agreement.only_b)),
            "#E69F00",
            "diamond",
        ),
    ]
    return agreement, layers


def _rows(length: int, index: object) -> object:
    import numpy as np

    keep = np.zeros(length, bool)
    keep[index] = True  # type: ignore[call-overload]
    return keep


def compare_numbers(a: Analysis, b: Analysis, agreement: Agreement, radius_px: float) -> None:
    """Draw the counts of a comparison and how far the positions lie apart."""
    both = len(agreement.matches)
    columns = st.columns(4)
    columns[0].metric("Found by both", f"{both:,}")
    columns[1].metric(f"Only {a.method.title}", f"{len(agreement.only_a):,}")
    columns[2].metric(f"Only {b.method.title}", f"{len(agreement.only_b):,}")
    columns[3].metric("Positions differ by (RMS)", f"{agreement.rms_px:.2f} px" if both else "–")
    st.caption(
        f"Matched one to one within {radius_px:.2g} px: as many pairs as can be, and among all ways to "
        "pair so many the one with the least total distance."
    )
