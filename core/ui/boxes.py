"""Boxed objects of several methods in numbers: how they agree, and how they score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.corrections import CorrectedCatalogue
from core.results import Detections
from core.scoring.detection import Score
from core.scoring.objects import RULES, Rule, agreement_matrix, found_once, score_objects, score_reviewed
from core.ui.confidence import Candidates
from core.words import percent

Scorer = Callable[[Detections, Rule, Sequence[str] | None], Score]
"""Scores what was found under a rule; class by class where the method's classes are given."""
_AGREEMENT_RULES = (Rule("IoU ≥ 0.3", 0.3), Rule("centre inside"))


def agreement_panel(found: Sequence[Candidates], key: str) -> tuple[str, int] | None:
    """Draw how far the methods agree and what only one of them found; the row picked there, if one is.

    Args:
        found: What each method found.
        key: Prefix of the widgets' keys.

    Returns:
        Name of the method and row of its candidates, or None.
    """
    titles = {rule.title: rule for rule in _AGREEMENT_RULES}
    picked = st.segmented_control(
        "Two boxes are one object at",
        list(titles),
        default=next(iter(titles)),
        key=f"{key}.rule",
        required=True,
    )
    rule = titles[str(picked)]
    shown = [each.shown for each in found]
    matrix, once = st.columns([2, 3], gap="large")
    with matrix:
        st.markdown("**How many of a method's objects the others have too**")
        shares = agreement_matrix(shown, rule)
        names = [each.title for each in found]
        table = pd.DataFrame(
            [
                {
                    "of the objects of": f"{name} ({len(each)})",
                    **{
                        other: "–" if np.isnan(share) else percent(share)
                        for other, share in zip(names, row, strict=True)
                    },
                }
                for name, each, row in zip(names, shown, shares, strict=True)
            ]
        )
        st.dataframe(table, hide_index=True, alt="Share of each method's objects that each other method has")
        st.caption("Matched one to one; neither method is the truth. “–”: that method found nothing.")
    with once:
        st.markdown("**What only one method found**")
        return _found_once_table(found, shown, rule, f"{key}.once")


def _found_once_table(
    found: Sequence[Candidates], shown: Sequence[Detections], rule: Rule, key: str
) -> tuple[str, int] | None:
    rows: list[dict[str, Any]] = []
    places: list[tuple[str, int]] = []
    for each, table, alone in zip(found, shown, found_once(shown, rule), strict=True):
        for number in alone:
            entry = table.table.iloc[number]
            rows.append(
                {
                    "method": each.title,
                    "what it is": entry["label"],
                    "name": entry["name"],
                    "confidence": round(float(entry["score"]), 2),
                    "x [px]": round(float(entry["x"])),
                    "y [px]": round(float(entry["y"])),
                    "width [px]": round(float(entry["x_max"] - entry["x_min"])),
                    "height [px]": round(float(entry["y_max"] - entry["y_min"])),
                }
            )
            places.append((each.analysis.method.name, int(each.rows[number])))
    if not rows:
        st.info("Nothing: whatever one method found, another has too.")
        return None
    event = st.dataframe(
        pd.DataFrame(rows),
        # A table marks rows by their place: with others in it, it must be another table.
        key=f"{key}.{hash(tuple(places))}",
        on_select="rerun",
        selection_mode="single-row",
        alt="Objects that only one method found",
    )
    picked = event["selection"]["rows"]
    return places[picked[0]] if picked and picked[0] < len(places) else None


def score_panel(
    found: Sequence[Candidates], score: Scorer, about: str, *, by_confidence: bool = True
) -> None:
    """Draw precision, recall and F1 of each method, by three rules and with and without classes.

    Args:
        found: What each method found, at the confidence asked for.
        score: Holds detections against the truth.
        about: What the truth is, as a sentence.
        by_confidence: Whether the page has a confidence slider.
    """
    rows = []
    for each in found:
        labels = each.analysis.method.labels
        for classes in (None, labels) if tells_classes(labels) else (None,):
            for rule in RULES:
                row = _row(each, rule, classes is not None, score(each.shown, rule, classes))
                rows.append(row)
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            name: st.column_config.ProgressColumn(name, min_value=0.0, max_value=1.0, format="%.2f")
            for name in ("precision", "recall", "F1")
        },
        alt="Precision, recall and F1 of each method",
    )
    st.caption(
        f"{about} A match is one to one. “Centre inside”: the middle of the found box lies in the true one."
        + (" The table follows the confidence slider under the picture." if by_confidence else "")
    )


def tells_classes(labels: Sequence[str]) -> bool:
    """Whether a method with these classes says what it found, and not only where."""
    return len(labels) > 1


def against(truth: Detections, ignore: Detections) -> Scorer:
    """Scores against a table of what is truly there."""
    return lambda found, rule, classes: score_objects(truth, found, rule, ignore=ignore, classes=classes)


def against_corrections(catalogue: CorrectedCatalogue, others: Collection[str] = ()) -> Scorer:
    """Scores against what a person put right, within the windows they marked as complete.

    Args:
        catalogue: The corrected catalogue of any method's run.
        others: What a person calls things that are not looked for.
    """
    return lambda found, rule, classes: score_reviewed(catalogue, found, rule, classes=classes, others=others)


def _row(each: Candidates, rule: Rule, by_class: bool, score: Score) -> dict[str, Any]:
    return {
        "method": each.title,
        "rule": rule.title,
        "class": "must agree" if by_class else "any",
        "found": score.true_positives,
        "false": score.false_positives,
        "missed": score.false_negatives,
        "precision": round(score.precision, 3),
        "recall": round(score.recall, 3),
        "F1": round(score.f1, 3),
    }
