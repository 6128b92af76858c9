"""Boxes over a set of pictures: counts added up, how far the sums can be trusted, and whole pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid
from core.scoring.boxes import as_boxes, box_iou
from core.scoring.detection import Score

Floats = NDArray[np.float64]

RESAMPLES = 1000
QUANTILES = (0.025, 0.975)


@dataclass(frozen=True)
class Pooled:
    """Precision, recall and F1 of all pictures together.

    Attributes:
        precision, recall, f1: Of the sums of the pictures' counts.
        precision_interval, recall_interval, f1_interval: 95 % intervals by resampling pictures, since boxes
            of one picture are not independent.
        n_truth, n_found: True boxes, and boxes that were found (without those that are neither).
    """

    precision: float
    recall: float
    f1: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    f1_interval: tuple[float, float]
    n_truth: int
    n_found: int


def pooled(scores: Sequence[Score], *, resamples: int = RESAMPLES, seed: int = 0) -> Pooled:
    """Add up the counts of pictures.

    Args:
        scores: One of each picture.
        resamples: Bootstraps of the pictures.
        seed: Of the bootstraps.

    Raises:
        ParameterInvalid: There are no pictures.
    """
    if not scores:
        raise ParameterInvalid(
            "scores must be of at least one picture.", parameter="scores", given=0, limit=1
        )
    each = [(s.true_positives, s.false_positives, s.false_negatives) for s in scores]
    counts = np.array(each, float)  # (P, 3)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(counts), size=(resamples, len(counts)))
    sums = np.concatenate([counts.sum(axis=0)[None], counts[drawn].sum(axis=1)])  # (1 + resamples, 3)
    true, false, missed = sums.T
    figures = [
        _share(true, true + false),
        _share(true, true + missed),
        _share(2.0 * true, 2.0 * true + false + missed),
    ]
    low_high = [np.quantile(values[1:], QUANTILES) if resamples else values[[0, 0]] for values in figures]
    precision, recall, f1 = (float(values[0]) for values in figures)
    of_precision, of_recall, of_f1 = ((float(low), float(high)) for low, high in low_high)
    n_truth, n_found = int(true[0] + missed[0]), int(true[0] + false[0])
    return Pooled(precision, recall, f1, of_precision, of_recall, of_f1, n_truth, n_found)


def without_ignored(
    truth: ArrayLike, found: ArrayLike, ignore: ArrayLike, iou: float = 0.5
) -> NDArray[np.bool_]:
    """``(M,)`` whether a found box counts: false where it fits one to ignore and no true one.

    Args:
        truth: ``(N, 4)`` boxes that should be found, in pixels.
        found: ``(M, 4)`` boxes that were found.
        ignore: ``(K, 4)`` boxes that are neither hit nor miss.
        iou: Least intersection over union of a fit.
    """
    boxes = as_boxes(found, "found")

    def fits(others: Floats) -> NDArray[np.bool_]:
        best: NDArray[np.bool_] = box_iou(boxes, others).max(axis=1, initial=0.0) >= iou
        return best

    counts: NDArray[np.bool_] = fits(as_boxes(truth, "truth")) | ~fits(as_boxes(ignore, "ignore"))
    return counts


def auroc(scores: ArrayLike, is_true: ArrayLike) -> float:
    """Probability that a true one scores above a false one, equal scores counting half (Mann & Whitney 1947).

    Args:
        scores: ``(N,)``.
        is_true: ``(N,)``.

    Returns:
        In [0, 1]; NaN where all are of one kind.
    """
    from scipy.stats import rankdata

    values, true = np.asarray(scores, float), np.asarray(is_true, bool)
    n_true, n_false = int(true.sum()), int((~true).sum())
    if not n_true or not n_false:
        return float("nan")
    ranks = rankdata(values)
    return float((ranks[true].sum() - n_true * (n_true + 1) / 2.0) / (n_true * n_false))


def _share(part: Floats, whole: Floats) -> Floats:
    """1 where there was nothing, as :class:`core.scoring.detection.Score` has it."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
