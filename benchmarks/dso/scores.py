"""The figures of a method on a set of pictures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.dso.runs import Found
from benchmarks.dso.sets import Example
from core.dso.kinds import LABELS
from core.scoring.average_precision import average_precision
from core.scoring.detection import Score, score_boxes, score_centres
from core.scoring.intervals import wilson_interval
from core.scoring.matching import match_boxes, match_centres
from core.scoring.pooled import Pooled, auroc, pooled, without_ignored

Float64 = NDArray[np.float64]

IOUS = tuple(float(iou) for iou in np.arange(0.5, 0.96, 0.05))
RULES: dict[str, Callable[[Float64, Float64, Float64], Score]] = {
    "IoU ≥ 0.5": lambda truth, found, ignore: score_boxes(truth, found, 0.5, ignore),
    "IoU ≥ 0.3": lambda truth, found, ignore: score_boxes(truth, found, 0.3, ignore),
    "centre inside": score_centres,
}
SIZE_EDGES_PX = (0.0, 24.0, 64.0, 192.0, np.inf)
"""Of the root of a box's area."""
SNR_EDGES = (0.0, 1.0, 2.0, 4.0, 8.0, np.inf)
"""Of the mean light of an object over the noise of a pixel."""


def figures(examples: Sequence[Example], found: Sequence[Found], labels: Sequence[str]) -> dict[str, Any]:
    """Everything that is measured of a method on a set.

    Args:
        examples: The pictures.
        found: What the method gave on each.
        labels: Those the method can give; by-class figures are made where they are more than one.

    Returns:
        Plain numbers; null where there was nothing to measure.
    """
    pairs = list(zip(examples, found, strict=True))
    measured: dict[str, Any] = {
        "rules": {
            name: _pooled(pooled([rule(e.boxes, f.array[f.is_sure], e.ignore) for e, f in pairs]))
            for name, rule in RULES.items()
        },
        "mAP50": _ap(pairs, (0.5,), None),
        "mAP50-95": _ap(pairs, IOUS, None),
        "images": _images(pairs),
        "recall_by_class": {
            name: _recall(pairs, lambda e, n=number: e.labels == n) for number, name in enumerate(LABELS)
        },
        "recall_by_size_px": _binned(pairs, SIZE_EDGES_PX, lambda e: _root_area(e.boxes)),
        "recall_by_surface_snr": _binned(pairs, SNR_EDGES, lambda e: e.surface_snr),
        "seconds": _known(np.median([f.seconds for f in found if not f.error] or [np.nan])),
        "failed": sum(bool(f.error) for f in found),
        "maps": _maps(pairs),
    }
    if len(labels) > 1:
        measured["by_class"] = _by_class(pairs)
    return measured


def row(title: str, measured: dict[str, Any]) -> dict[str, Any]:
    """The figures that fit one line of a table, by what a person calls them."""
    at, images = measured["rules"]["IoU ≥ 0.5"], measured["images"]
    line = {
        "method": title,
        "F1, IoU ≥ 0.5": _short(at["f1"]),
        "its 95 % interval": _span(at["f1_interval"]),
        "precision": _short(at["precision"]),
        "recall": _short(at["recall"]),
        "F1, IoU ≥ 0.3": _short(measured["rules"]["IoU ≥ 0.3"]["f1"]),
        "F1, centre inside": _short(measured["rules"]["centre inside"]["f1"]),
        "mAP50": _short(measured["mAP50"]),
        "mAP50-95": _short(measured["mAP50-95"]),
        "picture accuracy": _short(images["accuracy"]),
        "picture AUROC": _short(images["auroc"]),
        "boxes per empty picture": _short(images["boxes_per_empty"]),
        "empty pictures with a box": _short(images["empty_boxed"]),
        "F1 with the right class": _short(measured.get("by_class", {}).get("f1")),
        "mAP50 by class": _short(measured.get("by_class", {}).get("mAP50")),
        "seconds a picture": _short(measured["seconds"]),
    }
    if "peak_mb" in measured:
        line["peak memory, MB"] = round(measured["peak_mb"])
    return line


def map_rows(title: str, measured: dict[str, Any]) -> list[dict[str, Any]]:
    """A line a map."""
    return [
        {
            "method": title,
            "map": name,
            "pictures with objects": one["pictures"],
            "hottest place in an object": _short(one["pointing"]),
            "share of the heat in objects": _short(one["mass"]),
            "share of the picture that is object": _short(one["area"]),
        }
        for name, one in measured["maps"].items()
        if one["pictures"]
    ]


def _by_class(pairs: Sequence[tuple[Example, Found]]) -> dict[str, Any]:
    """Figures in which a box must have the right class."""
    classes: dict[str, Any] = {}
    for number, name in enumerate(LABELS):
        scores = [
            score_boxes(
                e.boxes[e.labels == number],
                f.array[f.is_sure & _is(f, name)],
                0.5,
                # Nobody says of what class an object to ignore is, and one of another class is none.
                e.ignore,
            )
            for e, f in pairs
        ]
        classes[name] = {**_pooled(pooled(scores)), "AP50": _ap(pairs, (0.5,), number)}
    known = [number for number in range(len(LABELS)) if any((e.labels == number).any() for e, _ in pairs)]
    whole = [
        Score(
            sum(one.true_positives for one in each),
            sum(one.false_positives for one in each),
            sum(one.false_negatives for one in each),
        )
        for each in (_scores_by_class(e, f) for e, f in pairs)
    ]
    aps = {ious: [_ap(pairs, ious, number) for number in known] for ious in ((0.5,), IOUS)}
    return {
        **_pooled(pooled(whole)),
        "mAP50": _known(np.mean(aps[(0.5,)])) if known else None,
        "mAP50-95": _known(np.mean(aps[IOUS])) if known else None,
        "classes": classes,
    }


def _scores_by_class(example: Example, found: Found) -> list[Score]:
    return [
        score_boxes(
            example.boxes[example.labels == number],
            found.array[found.is_sure & _is(found, name)],
            0.5,
            example.ignore,
        )
        for number, name in enumerate(LABELS)
    ]


def _ap(pairs: Sequence[tuple[Example, Found]], ious: Sequence[float], number: int | None) -> float | None:
    """Mean over the overlaps of the average precision of a class, or without classes."""
    truth = [e.boxes if number is None else e.boxes[e.labels == number] for e, _ in pairs]
    if not sum(map(len, truth)):
        return None
    values = []
    for iou in ious:
        boxes, scores = [], []
        for (example, one), true in zip(pairs, truth, strict=True):
            kept = np.ones(len(one.scores), bool) if number is None else _is(one, LABELS[number])
            kept &= without_ignored(true, one.array, example.ignore, iou)
            boxes.append(one.array[kept])
            scores.append(np.array(one.scores)[kept])
        values.append(average_precision(truth, boxes, scores, iou))
    return float(np.mean(values))


def _images(pairs: Sequence[tuple[Example, Found]]) -> dict[str, Any]:
    """Whole pictures: does one hold an object? Those with nothing but what is to ignore are left out.

    They are ranked by what the method says of the whole, or by its surest box.
    """
    clear = [(e, f) for e, f in pairs if len(e.boxes) or not len(e.ignore)]
    full = np.array([len(e.boxes) > 0 for e, _ in clear], bool)
    said = np.array([any(f.sure) for _, f in clear], bool)
    highest = np.array([max(f.scores, default=0.0) if f.chance is None else f.chance for _, f in clear])
    boxes = np.array([sum(f.sure) for _, f in clear], float)
    n_right, n_empty = int((full == said).sum()), int((~full).sum())
    n_boxed = int(said[~full].sum())
    return {
        "pictures": len(clear),
        "empty": n_empty,
        "accuracy": n_right / len(clear) if clear else None,
        "accuracy_interval": _wilson(n_right, len(clear)),
        "always_yes": float(full.mean()) if clear else None,
        "auroc": _known(auroc(highest, full)),
        "boxes_per_empty": float(boxes[~full].mean()) if n_empty else None,
        "empty_boxed": n_boxed / n_empty if n_empty else None,
        "empty_boxed_interval": _wilson(n_boxed, n_empty) if n_empty else None,
    }


def _recall(
    pairs: Sequence[tuple[Example, Found]], which: Callable[[Example], NDArray[np.bool_]]
) -> dict[str, Any]:
    """Of some of the true boxes, those that are found: by overlap, and by the middle."""
    n, by_overlap, by_middle = 0, 0, 0
    for example, one in pairs:
        wanted, sure = which(example), one.array[one.is_sure]
        n += int(wanted.sum())
        by_overlap += int(wanted[match_boxes(example.boxes, sure, 0.5).truth_index].sum())
        by_middle += int(wanted[match_centres(example.boxes, sure).truth_index].sum())
    return {
        "objects": n,
        "recall": by_overlap / n if n else None,
        "interval": _wilson(by_overlap, n) if n else None,
        "recall_centre": by_middle / n if n else None,
    }


def _binned(
    pairs: Sequence[tuple[Example, Found]], edges: Sequence[float], value: Callable[[Example], Float64]
) -> list[dict[str, Any]]:
    rows = []
    for low, high in itertools.pairwise(edges):
        inside = _recall(pairs, lambda e, low=low, high=high: (value(e) >= low) & (value(e) < high))
        rows.append({"low": low, "high": high if np.isfinite(high) else None, **inside})
    return rows


def _maps(pairs: Sequence[tuple[Example, Found]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for _, one in pairs for name in one.maps):
        each = [f.maps[name] for _, f in pairs if name in f.maps and f.maps[name]["pointing"] is not None]
        mass = [one["mass"] for one in each if one["mass"] is not None]
        found[name] = {
            "pictures": len(each),
            "pointing": float(np.mean([one["pointing"] for one in each])) if each else None,
            "mass": float(np.mean(mass)) if mass else None,
            "area": float(np.mean([one["area"] for one in each])) if each else None,
        }
    return found


def _pooled(one: Pooled) -> dict[str, Any]:
    return {
        "precision": one.precision,
        "recall": one.recall,
        "f1": one.f1,
        "precision_interval": list(one.precision_interval),
        "recall_interval": list(one.recall_interval),
        "f1_interval": list(one.f1_interval),
        "objects": one.n_truth,
        "boxes": one.n_found,
    }


def _is(found: Found, label: str) -> NDArray[np.bool_]:
    return np.array([one == label for one in found.labels], bool)


def _root_area(boxes: Float64) -> Float64:
    root: Float64 = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1))
    return root


def _wilson(hits: int, tries: int) -> list[float]:
    low, high = wilson_interval(hits, tries)
    return [float(low), float(high)]


def _known(value: float | np.floating[Any]) -> float | None:
    return float(value) if np.isfinite(value) else None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _span(interval: Sequence[float]) -> str:
    return f"{interval[0]:.2f}–{interval[1]:.2f}"
