"""What is chosen on pictures for ``dso.pix2pix``: the middle of the painting, and the limits of its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.dso.pix2pix_map import confidences, features, regions
from core.explain.boxes import MapBoxes
from core.scoring.boxes import box_iou
from core.scoring.likeness import Likeness, copied_input, likeness, mean_likeness
from core.scoring.pooled import without_ignored
from training.dso_pix2pix_data import Example

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

IOU = 0.5
MIDDLES, MIDDLE_PICTURES = 15, 400
"""Candidates of the middle, evenly in logarithm between what few and what most pictures' hot pixels reach."""
THRESHOLDS = tuple(float(level) for level in np.arange(0.15, 0.81, 0.05))
MOST_EMPTY_BOXED = 0.05
"""Frames without objects that may get a box."""
RIDGE = 1.0


@dataclass(frozen=True)
class Limits:
    """How boxes are made of a painted map, and what came of it where it was chosen.

    Attributes:
        map_threshold: What is painted at least so hot is a region.
        calibration: ``(a, b, c)`` of :func:`core.dso.pix2pix_map.confidences`.
        confidence: Least confidence of an object.
        precision, recall, f1: At IoU 0.5, without classes, at that confidence.
        empty_boxed: Frames without objects that got a box, in [0, 1]; NaN without any such frame.
    """

    map_threshold: float
    calibration: tuple[float, float, float]
    confidence: float
    precision: float
    recall: float
    f1: float
    empty_boxed: float


def best_middle(examples: Sequence[Example]) -> tuple[float, float]:
    """The relevance above which boxing XRAI's own maps finds objects best, and that F1 at IoU 0.5.

    It is painted one half: the painter's errors count most where they decide. The first
    :data:`MIDDLE_PICTURES` are looked at.
    """
    examples = examples[:MIDDLE_PICTURES]
    hot = np.array([np.quantile(one.relevance.astype(np.float32), [0.9, 0.99]) for one in examples])
    hot = np.maximum(hot, 0.0)
    if not hot.any():
        raise SystemExit("No XRAI map is positive anywhere: the classifier has nothing to explain.")
    low, high = np.quantile(hot[hot > 0], 0.05), np.quantile(hot[:, 1], 0.95)
    scored = []
    for middle in np.geomspace(low, max(high, 1.001 * low), MIDDLES):
        painted = [one.target(float(middle)) for one in examples]
        counts = _Counts.of(_regions(painted, examples, 0.5), examples)
        scored.append((counts.f1(np.ones(len(counts.hit), bool)), float(middle)))
    f1, middle = max(scored)
    return middle, f1


def choose_limits(painted: Sequence[Float32], examples: Sequence[Example]) -> Limits:
    """The limits of greatest F1 that leave nineteen of twenty empty frames without a box."""
    return max((_limits(painted, examples, threshold) for threshold in THRESHOLDS), key=lambda one: one.f1)


def likeness_to_xrai(
    painted: Sequence[Float32], examples: Sequence[Example], middle: float
) -> dict[str, Likeness]:
    """How like the painted maps are to XRAI's, and how like trivial ones are.

    Args:
        painted: What was painted of each picture.
        examples: The pictures.
        middle: Of the painting.

    Returns:
        By ``"painted"``, ``"copied input"``, and ``"mean of the others"``: what can be painted blindly.
    """
    targets = [one.target(middle) for one in examples]
    total = np.sum(targets, axis=0)
    maps = {
        "painted": painted,
        "copied input": [copied_input(one.picture) for one in examples],
        "mean of the others": [(total - one) / max(len(targets) - 1, 1) for one in targets],
    }
    return {
        name: mean_likeness([likeness(truth, found) for truth, found in zip(targets, these, strict=True)])
        for name, these in maps.items()
    }


def hits_of(found: MapBoxes, scores: Float64, truth: Float64) -> NDArray[np.bool_]:
    """``(N,)`` whether each box gets a true box of its own, the most confident choosing first."""
    overlap = box_iou(found.boxes, truth)
    hits, free = np.zeros(len(found), bool), np.ones(len(truth), bool)
    for row in np.argsort(-scores, kind="stable"):
        open_ = np.where(free, overlap[row], 0.0)
        if len(open_) and open_.max() >= IOU:
            hits[row], free[int(open_.argmax())] = True, False
    return hits


def fit_logistic(given: Float64, hit: NDArray[np.bool_]) -> Float64:
    """``(K,)`` coefficients of a logistic regression by Newton's method, slopes held by a ridge.

    Args:
        given: ``(N, K)``, its first column ones.
        hit: ``(N,)``.
    """
    weights = np.zeros(given.shape[1])
    if not len(hit):
        return weights
    ridge = np.diag([1e-3, *[RIDGE] * (given.shape[1] - 1)])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(given @ weights, -30.0, 30.0)))
        slope = given.T @ (hit - p) - ridge @ weights
        curve = (given * (p * (1.0 - p))[:, None]).T @ given + ridge
        step = np.linalg.solve(curve, slope)
        weights = weights + step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _regions(painted: Sequence[Float32], examples: Sequence[Example], threshold: float) -> list[MapBoxes]:
    """What is boxed of each map, without the boxes of hidden objects, which do not count."""
    boxed = []
    for levels, one in zip(painted, examples, strict=True):
        found = regions(levels, threshold)
        counts = without_ignored(one.boxes, found.boxes, one.hidden, IOU)
        boxed.append(MapBoxes(found.boxes[counts], found.scores[counts], found.areas_px[counts]))
    return boxed


def _limits(painted: Sequence[Float32], examples: Sequence[Example], threshold: float) -> Limits:
    found = _regions(painted, examples, threshold)
    counts = _Counts.of(found, examples)
    given = np.concatenate([np.empty((0, 3)), *(features(one) for one in found)])
    a, b, c = (round(float(value), 4) for value in fit_logistic(given, counts.hit))
    scores = np.concatenate([np.empty(0), *(confidences(one, (a, b, c)) for one in found)])
    confidence = _best_confidence(counts, scores)
    kept = scores >= confidence
    n_hit = int(counts.hit[kept].sum())
    n_empty = int(counts.is_empty.sum())
    boxed = len(np.unique(counts.picture[kept & counts.is_empty[counts.picture]]))
    return Limits(
        map_threshold=round(threshold, 3),
        calibration=(a, b, c),
        confidence=confidence,
        precision=n_hit / max(int(kept.sum()), 1),
        recall=n_hit / max(counts.n_truth, 1),
        f1=counts.f1(kept),
        empty_boxed=boxed / n_empty if n_empty else float("nan"),
    )


def _best_confidence(counts: _Counts, scores: Float64) -> float:
    """Of the best F1 among the limits that leave enough empty frames alone."""
    allowed = MOST_EMPTY_BOXED * int(counts.is_empty.sum())
    best, chosen = -1.0, 1.0
    for limit in np.unique(np.round(scores, 3)):
        kept = scores >= limit
        boxed = np.unique(counts.picture[kept & counts.is_empty[counts.picture]])
        f1 = counts.f1(kept)
        if len(boxed) <= allowed and f1 > best:
            best, chosen = f1, float(limit)
    return chosen


@dataclass(frozen=True, eq=False)
class _Counts:
    """Boxes of many pictures, pooled.

    Attributes:
        hit: ``(N,)`` whether each box is a true one's.
        picture: ``(N,)`` number of its picture.
        is_empty: ``(P,)`` whether there is nothing at all in each picture.
        n_truth: True boxes.
    """

    hit: NDArray[np.bool_]
    picture: NDArray[np.intp]
    is_empty: NDArray[np.bool_]
    n_truth: int

    @classmethod
    def of(cls, found: Sequence[MapBoxes], examples: Sequence[Example]) -> _Counts:
        pairs = list(zip(found, examples, strict=True))
        return cls(
            np.concatenate([np.empty(0, bool), *(hits_of(f, f.scores, one.boxes) for f, one in pairs)]),
            np.repeat(np.arange(len(pairs)), [len(f) for f, _ in pairs]),
            np.array([one.is_empty for one in examples], bool),
            sum(len(one.boxes) for one in examples),
        )

    def f1(self, kept: NDArray[np.bool_]) -> float:
        """Of the boxes that are kept."""
        return 2.0 * float(self.hit[kept].sum()) / max(self.n_truth + int(kept.sum()), 1)
