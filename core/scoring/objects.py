"""Boxed objects of several methods: against the truth, class by class if need be, and against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.corrections import CorrectedCatalogue
from core.results import Detections
from core.scoring.detection import Score, score_boxes, score_centres
from core.scoring.matching import Indices, Matches, match_boxes, match_centres
from core.shapes import BOX_COLUMNS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """When a found box counts as the true one.

    Attributes:
        title: What a person calls it.
        iou: Least intersection over union; None where the middle of the found box must lie in the true one.
    """

    title: str
    iou: float | None = None

    def match(self, truth: Floats, found: Floats, *, either: bool = False) -> Matches:
        """Match ``(N, 4)`` with ``(M, 4)`` boxes one to one; ``either`` as in :func:`match_centres`."""
        if self.iou is None:
            return match_centres(truth, found, either=either)
        return match_boxes(truth, found, self.iou)

    def score(self, truth: Floats, found: Floats, ignore: Floats) -> Score:
        """Score boxes; what fits only a box of ``ignore`` is neither hit nor miss."""
        if self.iou is None:
            return score_centres(truth, found, ignore)
        return score_boxes(truth, found, self.iou, ignore)


RULES = (Rule("IoU ≥ 0.5", 0.5), Rule("IoU ≥ 0.3", 0.3), Rule("centre inside"))


def score_objects(
    truth: Detections,
    found: Detections,
    rule: Rule,
    *,
    ignore: Detections | None = None,
    by_class: bool = False,
) -> Score:
    """Score what was found against the truth.

    Args:
        truth: What should be found, with boxes.
        found: What was found.
        rule: When a box counts as found.
        ignore: What is neither hit nor miss, whatever its class.
        by_class: A box counts only for the truth of its own class; else classes are not looked at.
    """
    spare = np.empty((0, 4)) if ignore is None else ignore.boxes
    if not by_class:
        return rule.score(truth.boxes, found.boxes, spare)
    scores = [
        rule.score(_of(truth, label), _of(found, label), spare)
        for label in sorted({*truth.table["label"], *found.table["label"]})
    ]
    return Score(
        true_positives=sum(score.true_positives for score in scores),
        false_positives=sum(score.false_positives for score in scores),
        false_negatives=sum(score.false_negatives for score in scores),
    )


def score_reviewed(
    catalogue: CorrectedCatalogue, found: Detections, rule: Rule, *, by_class: bool = False
) -> Score:
    """Score what was found against a catalogue that a person corrected, within the windows they reviewed.

    What lies outside the windows, or what the person could not tell, is neither hit nor miss.

    Args:
        catalogue: The corrected catalogue of any method's run on the frame.
        found: The detections to score, of the same or another method.
        rule: When a box counts as found.
        by_class: As in :func:`score_objects`.
    """
    truth, unsure = catalogue.catalogue(), catalogue.unsure()
    inside = _reviewed(catalogue, truth)
    spare = np.concatenate([truth.where(~inside).boxes, unsure.boxes])
    ignore = Detections(pd.DataFrame(spare, columns=list(BOX_COLUMNS)).assign(label="any", score=0, x=0, y=0))
    seen = found.where(_reviewed(catalogue, found))
    return score_objects(truth.where(inside), seen, rule, ignore=ignore, by_class=by_class)


def _reviewed(catalogue: CorrectedCatalogue, table: Detections) -> NDArray[np.bool_]:
    inside = np.zeros(len(table), bool)
    for window in catalogue.reviewed:
        inside |= window.holds(table.xy)
    return inside


def agreement_matrix(found: Sequence[Detections], rule: Rule) -> Floats:
    """How far methods agree.

    Args:
        found: What each of M methods found on one frame.
        rule: When two boxes are one object; neither is the truth, so either middle may lie in the other box.

    Returns:
        ``(M, M)``: the share of the boxes of a row's method that the column's method has too; NaN where the
        row's method found nothing.
    """
    shares = np.full((len(found), len(found)), np.nan)
    for row, one in enumerate(found):
        for column, other in enumerate(found):
            if len(one):
                shares[row, column] = len(rule.match(one.boxes, other.boxes, either=True)) / len(one)
    return shares


def found_once(found: Sequence[Detections], rule: Rule) -> list[Indices]:
    """For each method, the rows of what no other method has: without a partner in any other table."""
    alone = []
    for row, one in enumerate(found):
        left = np.ones(len(one), bool)
        for column, other in enumerate(found):
            if column != row:
                left[rule.match(one.boxes, other.boxes, either=True).truth_index] = False
        alone.append(np.flatnonzero(left))
    return alone


def _of(table: Detections, label: str) -> Floats:
    return table.boxes[(table.table["label"] == label).to_numpy()]
