"""Boxed objects of several methods: against the truth, class by class if need be, and against each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.corrections import CorrectedCatalogue
from core.results import Detections
from core.scoring.detection import Score, in_windows
from core.scoring.matching import Indices, Matches, match_boxes, match_centres

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


RULES = (Rule("IoU ≥ 0.5", 0.5), Rule("IoU ≥ 0.3", 0.3), Rule("centre inside"))


def score_objects(
    truth: Detections,
    found: Detections,
    rule: Rule,
    *,
    ignore: Detections | None = None,
    classes: Sequence[str] | None = None,
) -> Score:
    """Score what was found against the truth.

    Args:
        truth: What should be found, with boxes; a column ``also`` names a second class an object may be
            found as, such as a cluster with its nebula.
        found: What was found.
        rule: When a box counts as found.
        ignore: What is neither hit nor miss, whatever its class.
        classes: Those the method can tell: a true object of one of them must be found as such, one of none
            of them as any. Without them classes are not looked at.
    """
    spare = np.empty((0, 4)) if ignore is None else ignore.boxes
    all_true, all_found = np.ones(len(truth), bool), np.ones(len(found), bool)
    return _score(truth, found, rule, spare, classes, all_true, all_found)


def score_reviewed(
    catalogue: CorrectedCatalogue,
    found: Detections,
    rule: Rule,
    *,
    classes: Sequence[str] | None = None,
    others: Collection[str] = (),
) -> Score:
    """Score what was found against a catalogue that a person corrected, within the windows they reviewed.

    What lies outside the windows, or what the person could not tell, is neither hit nor miss; a true object
    inside is a hit wherever the middle of its found box lies.

    Args:
        catalogue: The corrected catalogue of any method's run on the frame.
        found: The detections to score, of the same or another method.
        rule: When a box counts as found.
        classes: As in :func:`score_objects`.
        others: What a person calls things that are not looked for: to call one so rejects it.
    """
    truth = catalogue.catalogue()
    truth = truth.where(~truth.table["label"].isin(others))
    spare = catalogue.unsure().boxes
    inside = in_windows(catalogue, truth.xy), in_windows(catalogue, found.xy)
    return _score(truth, found, rule, spare, classes, *inside)


def _score(
    truth: Detections,
    found: Detections,
    rule: Rule,
    ignore: Floats,
    classes: Sequence[str] | None,
    truth_counts: NDArray[np.bool_],
    found_counts: NDArray[np.bool_],
) -> Score:
    """Match, and count the rows that count."""
    is_found, is_free = np.zeros(len(truth), bool), np.ones(len(found), bool)
    for own, alike in _by_class(truth, found, classes):
        rows, columns = np.flatnonzero(own & ~is_found), np.flatnonzero(alike & is_free)
        matches = rule.match(truth.boxes[rows], found.boxes[columns])
        is_found[rows[matches.truth_index]] = True
        is_free[columns[matches.found_index]] = False
    false = np.flatnonzero(is_free)
    false = false[rule.match(ignore, found.boxes[false]).only_found]
    return Score(
        true_positives=int(truth_counts[is_found].sum()),
        false_positives=int(found_counts[false].sum()),
        false_negatives=int(truth_counts[~is_found].sum()),
    )


def _by_class(
    truth: Detections, found: Detections, classes: Sequence[str] | None
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Which true and which found objects may be one: class by class, then those of no class with any."""
    labels, said = truth.table["label"].to_numpy(), found.table["label"].to_numpy()
    for column in ("label", "also"):
        for label in classes or () if column in truth.table else ():
            yield (truth.table[column] == label).to_numpy(bool), said == label
    yield ~np.isin(labels, classes or ()), np.ones(len(found), bool)


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
