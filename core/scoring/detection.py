"""Precision, recall and F1 of what was found against what is true."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.corrections import CorrectedCatalogue
from core.errors import ParameterInvalid
from core.results import Detections
from core.scoring.boxes import as_boxes
from core.scoring.intervals import wilson_interval
from core.scoring.matching import Matches, as_points, match_boxes, match_centres, match_points

Floats = NDArray[np.float64]
Matcher = Callable[[Floats, Floats], Matches]


@dataclass(frozen=True)
class Score:
    """Counts of a one-to-one match, and the fractions that follow. No fraction is ever NaN.

    Attributes:
        true_positives: Found and true.
        false_positives: Found and not true.
        false_negatives: True and not found.
    """

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def precision(self) -> float:
        """Of what was found, the fraction that is true; 1 when nothing was found: nothing false was said."""
        found = self.true_positives + self.false_positives
        return self.true_positives / found if found else 1.0

    @property
    def recall(self) -> float:
        """Of what is true, the fraction that was found; 1 when there was nothing to find."""
        true = self.true_positives + self.false_negatives
        return self.true_positives / true if true else 1.0

    @property
    def f1(self) -> float:
        """``2 TP / (2 TP + FP + FN)``; 1 when there was nothing to find and nothing was found."""
        total = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / total if total else 1.0

    @property
    def precision_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the precision; (0, 1) when nothing was found."""
        return _interval(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the recall; (0, 1) when there was nothing to find."""
        return _interval(self.true_positives, self.true_positives + self.false_negatives)


def score_points(
    truth_xy: ArrayLike, found_xy: ArrayLike, radius_px: float, ignore_xy: ArrayLike | None = None
) -> Score:
    """Score positions, matched one to one within a radius.

    Args:
        truth_xy: ``(N, 2)`` positions that should be found, in pixels.
        found_xy: ``(M, 2)`` positions that were found.
        radius_px: Largest distance of a match.
        ignore_xy: ``(K, 2)`` objects that are neither hit nor miss: real ones under the SNR cut, or ones
            nobody could tell. What was found is matched with the truth first, and what is left over
            with these, as COCO does; such a match does not count.
    """
    return _count(
        lambda truth, found: match_points(truth, found, radius_px),
        as_points(truth_xy, "truth_xy"),
        as_points(found_xy, "found_xy"),
        as_points(() if ignore_xy is None else ignore_xy, "ignore_xy"),
    )


def score_boxes(
    truth: ArrayLike, found: ArrayLike, iou: float = 0.5, ignore: ArrayLike | None = None
) -> Score:
    """Score boxes, matched one to one by their intersection over union.

    Args:
        truth: ``(N, 4)`` boxes that should be found, in pixels.
        found: ``(M, 4)`` boxes that were found.
        iou: Least intersection over union of a match.
        ignore: ``(K, 4)`` boxes that are neither hit nor miss, as in :func:`score_points`.
    """
    return _count(
        lambda truth, found: match_boxes(truth, found, iou),
        as_boxes(truth, "truth"),
        as_boxes(found, "found"),
        as_boxes(() if ignore is None else ignore, "ignore"),
    )


def score_centres(truth: ArrayLike, found: ArrayLike, ignore: ArrayLike | None = None) -> Score:
    """Score boxes, matched one to one where the middle of a found box lies in a true one.

    Args:
        truth: ``(N, 4)`` boxes that should be found, in pixels.
        found: ``(M, 4)`` boxes that were found.
        ignore: ``(K, 4)`` boxes that are neither hit nor miss, as in :func:`score_points`.
    """
    return _count(
        match_centres,
        as_boxes(truth, "truth"),
        as_boxes(found, "found"),
        as_boxes(() if ignore is None else ignore, "ignore"),
    )


def score_against_corrections(
    catalogue: CorrectedCatalogue,
    found: Detections,
    *,
    radius_px: float | None = None,
    iou: float | None = None,
    others: Collection[str] = (),
) -> Score:
    """Score detections against what a person says is there, where they have looked.

    A person's truth is complete only in the windows they have looked through, so only those count: the
    objects there that were neither rejected nor marked unsure, and the detections there. With no such
    window nothing is counted. Unsure objects are neither hit nor miss, and so is a detection inside that
    matches an object outside.

    Args:
        catalogue: The corrected catalogue of any method's run on the frame.
        found: The detections to score, of the same or another method.
        radius_px: Match positions within this distance, or
        iou: match boxes with at least this intersection over union. One of the two is given.
        others: What the person calls things that are not looked for: to call one so rejects it.

    Raises:
        ParameterInvalid: Neither or both of ``radius_px`` and ``iou`` are given.
    """
    match, values = matcher(radius_px, iou)
    truth = catalogue.catalogue()
    truth = truth.where(~truth.table["label"].isin(others))
    return _count(
        match,
        values(truth),
        values(found),
        values(catalogue.unsure()),
        in_windows(catalogue, truth.xy),
        in_windows(catalogue, found.xy),
    )


def matcher(radius_px: float | None, iou: float | None) -> tuple[Matcher, Callable[[Detections], Floats]]:
    """How to match two tables of detections, and the values to match them by.

    Raises:
        ParameterInvalid: Neither or both of ``radius_px`` and ``iou`` are given.
    """
    if radius_px is not None and iou is None:
        return lambda truth, found: match_points(truth, found, radius_px), lambda table: table.xy
    if iou is not None and radius_px is None:
        return lambda truth, found: match_boxes(truth, found, iou), lambda table: table.boxes
    raise ParameterInvalid(
        "Detections are matched either by radius_px or by iou; give one of them.",
        parameter="radius_px, iou",
        given=(radius_px, iou),
        limit="one of the two",
    )


def _count(
    match: Matcher,
    truth: Floats,
    found: Floats,
    ignore: Floats,
    truth_counts: NDArray[np.bool_] | None = None,
    found_counts: NDArray[np.bool_] | None = None,
) -> Score:
    """Match, and count the rows that count (all of them when that is not said)."""
    truth_counts = np.ones(len(truth), bool) if truth_counts is None else truth_counts
    found_counts = np.ones(len(found), bool) if found_counts is None else found_counts
    matches = match(truth, found)
    false = matches.only_found
    false = false[match(ignore, found[false]).only_found]
    return Score(
        true_positives=int(truth_counts[matches.truth_index].sum()),
        false_positives=int(found_counts[false].sum()),
        false_negatives=int(truth_counts[matches.only_truth].sum()),
    )


def in_windows(catalogue: CorrectedCatalogue, xy: Floats) -> NDArray[np.bool_]:
    """``(N,)`` whether each of the ``(N, 2)`` positions lies in a window that the person looked through."""
    inside = np.zeros(len(xy), bool)
    for window in catalogue.reviewed:
        inside |= window.holds(xy)
    return inside


def _interval(hits: int, tries: int) -> tuple[float, float]:
    low, high = wilson_interval(hits, tries)
    return float(low), float(high)
