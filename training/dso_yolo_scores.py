"""How well a detector does on labelled pictures, and the threshold that serves it best.

Every figure is of the product's own search (:func:`core.dso.yolo_network.detect`), not of the trainer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.dso.boxes import Found
from core.dso.kinds import LABELS
from core.models.inference import LockedNetwork
from core.scoring.average_precision import average_precision
from core.scoring.boxes import box_iou
from core.scoring.pooled import without_ignored
from training.dso_yolo_data import Labelled, read_labelled

IOU = 0.5
IOUS = tuple(float(iou) for iou in np.arange(0.5, 0.96, 0.05))
MOST_FALSE_ON_EMPTY = 0.05
"""Boxes a frame without objects may get, in the mean."""
LEAST_SCORE = 0.005


@dataclass(frozen=True)
class Scores:
    """Figures of a detector on a set of pictures.

    Attributes:
        map50, map50_95: Mean over the classes of the average precision at IoU 0.5, and at 0.5 to 0.95.
        f1, precision, recall: At ``confidence``, IoU 0.5, boxes of the right class.
        f1_photographs: The same on photographs as they are alone; NaN without any.
        false_on_empty: Boxes a picture that holds nothing at all, at ``confidence``.
        confidence: Of the best F1 among those with few enough false boxes on empty pictures.
        by_label: F1 of each class at ``confidence``.
        n_pictures, n_empty: How many pictures, and how many of them without objects.
    """

    map50: float
    map50_95: float
    f1: float
    precision: float
    recall: float
    f1_photographs: float
    false_on_empty: float
    confidence: float
    by_label: dict[str, float]
    n_pictures: int
    n_empty: int

    def named(self) -> dict[str, float]:
        """The figures by what a card calls them; those that could not be measured are left out."""
        figures = {
            "validation mAP at IoU 0.5": self.map50,
            "validation mAP at IoU 0.5 to 0.95": self.map50_95,
            "validation F1 at IoU 0.5": self.f1,
            "validation precision at IoU 0.5": self.precision,
            "validation recall at IoU 0.5": self.recall,
            "validation F1 at IoU 0.5, photographs alone": self.f1_photographs,
            "validation false boxes on a frame without objects": self.false_on_empty,
            **{f"validation F1 at IoU 0.5, {label}": value for label, value in self.by_label.items()},
        }
        return {name: value for name, value in figures.items() if np.isfinite(value)}


def measured_scores(network: LockedNetwork[Any], pictures: Sequence[Path], zooms: Sequence[float]) -> Scores:
    """Search the pictures and score what is found.

    Args:
        network: The detector.
        pictures: Of a data set of :mod:`training.dso_yolo_data`.
        zooms: Pixels the network is given for one of the picture, view by view.
    """
    from core.dso.yolo_network import detect

    truth = [read_labelled(path) for path in pictures]
    found = [
        detect(network, one.pixels(), LEAST_SCORE, 640, 0.25, zooms, lambda fraction, doing: None)
        for one in truth
    ]
    return scores_of(truth, found)


def scores_of(truth: Sequence[Labelled], found: Sequence[Found]) -> Scores:
    """Score boxes that were found on pictures, picture by picture; those of hidden objects do not count."""
    found = [
        boxes.at(without_ignored(one.boxes, boxes.boxes, one.hidden, IOU))
        for one, boxes in zip(truth, found, strict=True)
    ]
    pairs = list(zip(truth, found, strict=True))
    hits = [hits_of(one, boxes) for one, boxes in pairs]
    empty = np.array([one.is_empty for one in truth], bool)
    n_truth = sum(len(one.labels) for one in truth)
    confidence = _best_confidence(found, hits, empty, n_truth)

    def f1(where: NDArray[np.bool_], label: int | None = None) -> tuple[float, float, float]:
        chosen = [(o, b, h) for (o, b), h, wanted in zip(pairs, hits, where, strict=True) if wanted]
        n = sum(int(np.sum((o.labels == label) | (label is None))) for o, _, _ in chosen)
        is_hit = [h[(b.scores >= confidence) & ((b.labels == label) | (label is None))] for _, b, h in chosen]
        flat = np.concatenate([np.empty(0, bool), *is_hit])
        true = float(flat.sum())
        nothing = float("nan")
        if n == 0:
            return nothing, nothing, nothing
        return 2 * true / (n + len(flat)), true / max(len(flat), 1), true / n

    everything = np.ones(len(truth), bool)
    photographs = np.array([one.is_photograph for one in truth], bool)
    on_empty = [np.sum(b.scores >= confidence) for b, is_empty in zip(found, empty, strict=True) if is_empty]
    whole = f1(everything)
    return Scores(
        map50=_mean_ap(pairs, (IOU,)),
        map50_95=_mean_ap(pairs, IOUS),
        f1=whole[0],
        precision=whole[1],
        recall=whole[2],
        f1_photographs=f1(photographs)[0],
        false_on_empty=float(np.mean(on_empty)) if on_empty else float("nan"),
        confidence=confidence,
        by_label={name: f1(everything, number)[0] for number, name in enumerate(LABELS)},
        n_pictures=len(truth),
        n_empty=int(empty.sum()),
    )


def hits_of(truth: Labelled, found: Found) -> NDArray[np.bool_]:
    """``(N,)`` whether each box found gets a true box of its class, the most confident choosing first."""
    overlap = box_iou(found.boxes, truth.boxes)
    overlap[found.labels[:, None] != truth.labels[None, :]] = 0.0
    hits, free = np.zeros(len(found), bool), np.ones(len(truth.labels), bool)
    for row in np.argsort(-found.scores, kind="stable"):
        open_ = np.where(free, overlap[row], 0.0)
        if len(open_) and open_.max() >= IOU:
            hits[row], free[int(open_.argmax())] = True, False
    return hits


def _best_confidence(
    found: Sequence[Found], hits: Sequence[NDArray[np.bool_]], empty: NDArray[np.bool_], n_truth: int
) -> float:
    scores = np.concatenate([np.empty(0), *(boxes.scores for boxes in found)])
    if not len(scores):
        return 0.5
    hit = np.concatenate([np.empty(0, bool), *hits])
    on_empty = np.concatenate(
        [np.empty(0, bool), *(np.full(len(b), is_empty) for b, is_empty in zip(found, empty, strict=True))]
    )
    order = np.argsort(-scores, kind="stable")
    n_hit, n_found = np.cumsum(hit[order]), np.arange(1, len(order) + 1)
    f1 = 2 * n_hit / max(n_truth, 1) / (1.0 + n_found / max(n_truth, 1))
    allowed = np.cumsum(on_empty[order]) <= MOST_FALSE_ON_EMPTY * max(int(empty.sum()), 1)
    best = int(np.argmax(np.where(allowed, f1, -1.0)))
    after = scores[order][best + 1] if best + 1 < len(order) else 0.0
    return float((scores[order][best] + after) / 2.0) if allowed[best] else float(scores.max()) + 1e-3


def _mean_ap(pairs: Sequence[tuple[Labelled, Found]], ious: Sequence[float]) -> float:
    values = []
    for number in range(len(LABELS)):
        true = [one.boxes[one.labels == number] for one, _ in pairs]
        if not sum(map(len, true)):
            continue
        boxes = [b.boxes[b.labels == number] for _, b in pairs]
        scores = [b.scores[b.labels == number] for _, b in pairs]
        values += [average_precision(true, boxes, scores, iou) for iou in ious]
    return float(np.mean(values)) if values else float("nan")
