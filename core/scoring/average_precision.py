"""Average precision of scored boxes: the area under the precision-recall curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid
from core.scoring.boxes import as_boxes, box_iou


def average_precision(
    truth: Sequence[ArrayLike], found: Sequence[ArrayLike], scores: Sequence[ArrayLike], iou: float = 0.5
) -> float:
    """Average precision over a set of frames, their detections pooled by score.

    As in COCO detections take, from the highest score down, the free true box they overlap most (PASCAL VOC
    takes a second detection of a box for false, even where it overlaps another one enough). Precision is made
    to fall with recall, and as in PASCAL VOC since 2010 the area under it is summed exactly, where COCO
    samples it at 101 recalls. Detections of equal score enter together, so their order does not matter.

    Args:
        truth: For each frame, ``(N, 4)`` true boxes in pixels.
        found: For each frame, ``(M, 4)`` found boxes.
        scores: For each frame, ``(M,)`` scores.
        iou: Least intersection over union of a match.

    Returns:
        In [0, 1]. With nothing to find, 1 if nothing was found and 0 otherwise.

    Raises:
        ParameterInvalid: The numbers of frames, or of boxes and scores of a frame, differ.
    """
    if not len(truth) == len(found) == len(scores):
        raise _unequal("frames", len(truth), len(found), len(scores))
    overlaps = []
    for true_boxes, found_boxes, found_scores in zip(truth, found, scores, strict=True):
        true_array, found_array = as_boxes(true_boxes, "truth"), as_boxes(found_boxes, "found")
        if len(found_array) != np.size(found_scores):
            raise _unequal("boxes and scores", len(found_array), np.size(found_scores))
        overlaps.append(box_iou(found_array, true_array))
    return average_precision_of(overlaps, scores, iou)


def average_precision_of(
    overlaps: Sequence[NDArray[np.float64]], scores: Sequence[ArrayLike], iou: float = 0.5
) -> float:
    """Average precision from overlaps that are known, such as those of masks; see :func:`average_precision`.

    Args:
        overlaps: For each frame, ``(M, N)`` overlap of each found object with each true one.
        scores: For each frame, ``(M,)`` scores.
        iou: Least overlap of a match.
    """
    hits, score = [np.empty(0, bool)], [np.empty(0)]
    for overlap, found_scores in zip(overlaps, scores, strict=True):
        score.append(np.asarray(found_scores, float).ravel())
        hits.append(hits_by_score(overlap, score[-1], iou))
    n_truth = sum(overlap.shape[1] for overlap in overlaps)
    return _area(np.concatenate(hits), np.concatenate(score), n_truth)


def hits_by_score(overlap: NDArray[np.float64], scores: NDArray[np.float64], iou: float) -> NDArray[np.bool_]:
    """Whether each found object gets a true one of its own: the surest first, the one it overlaps most.

    Args:
        overlap: ``(M, N)`` overlap of each found object with each true one.
        scores: ``(M,)``.
        iou: Least overlap of a match.
    """
    hits = np.zeros(len(scores), bool)
    free = np.ones(overlap.shape[1], bool)
    if not len(free):
        return hits
    for row in np.argsort(-scores, kind="stable"):
        best = int(np.argmax(np.where(free, overlap[row], -1.0)))
        if free[best] and overlap[row, best] >= iou:
            hits[row], free[best] = True, False
    return hits


def _area(hits: NDArray[np.bool_], scores: NDArray[np.float64], n_truth: int) -> float:
    if n_truth == 0:
        return float(len(hits) == 0)
    order = np.argsort(-scores, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)[: len(order)]
    true = np.cumsum(hits[order])[last_of_score]
    precision = true / (last_of_score + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(true, prepend=0) / n_truth * envelope))


def _unequal(what: str, *numbers: int) -> ParameterInvalid:
    return ParameterInvalid(
        f"The numbers of {what} must be equal, got {', '.join(map(str, numbers))}.",
        parameter="found",
        given=numbers,
        limit="equal numbers",
    )
