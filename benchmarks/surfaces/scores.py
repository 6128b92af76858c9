"""Figures of what was found on the pictures of a set.

Craters are matched one to one by DeepMoon's rule (:func:`core.scoring.matching.match_craters`), and by boxes
at an intersection over union of one half. Of a diameter limit: recall is of true craters from it on, whatever
the diameter they were found with, and precision of found ones from it on. What matches only a crater that
counts neither way is neither hit nor miss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scoring.matching import Matches, match_boxes, match_craters
from core.surfaces.kinds import SEGMENTS
from training.surface_truth import IGNORE, TrueCrater

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Line = dict[str, Any]

BINS_PX = ((5.0, 8.0), (8.0, 10.0), (10.0, 15.0), (15.0, 25.0), (25.0, 50.0), (50.0, float("inf")))


def crater_counts(
    found: Float64, craters: Sequence[TrueCrater], shape: tuple[int, ...], least_px: float
) -> dict[str, Any]:
    """What of a picture is summed up over the set.

    Args:
        found: ``(M, 7)`` x, y, radius and box of each.
        craters: What is known.
        shape: ``(H, W)`` of the picture.
        least_px: Diameter limit.
    """
    inside = [one for one in craters if 0 <= one.x < shape[1] and 0 <= one.y < shape[0]]
    wanted, others = ([one for one in inside if one.wanted == is_wanted] for is_wanted in (True, False))
    counts: dict[str, Any] = {}
    for rule, match in (("deepmoon", _by_rule), ("iou", _by_boxes)):
        counts[rule] = _counted(found, wanted, others, match, least_px)
    return counts


def _by_rule(craters: Sequence[TrueCrater], found: Float64) -> Matches:
    truth = [(one.x, one.y, one.diameter_px / 2.0) for one in craters]
    return match_craters(np.array(truth).reshape(-1, 3), found[:, :3])


def _by_boxes(craters: Sequence[TrueCrater], found: Float64) -> Matches:
    return match_boxes(np.array([one.box for one in craters]).reshape(-1, 4), found[:, 3:], 0.5)


def _counted(
    found: Float64,
    wanted: Sequence[TrueCrater],
    others: Sequence[TrueCrater],
    match: Callable[[Sequence[TrueCrater], Float64], Matches],
    least_px: float,
) -> dict[str, Any]:
    pairs = match(wanted, found)
    size = np.array([one.diameter_px for one in wanted])
    hit = np.zeros(len(size), bool)
    hit[pairs.truth_index] = True
    false = found[pairs.only_found]
    excused = np.zeros(len(false), bool)
    excused[match(others, false).found_index] = True
    false = false[~excused]
    found_size = 2.0 * found[pairs.found_index, 2]
    radius = size[pairs.truth_index] / 2.0
    errors = np.abs(found_size / 2.0 - radius) / radius
    return {
        "true": int((size >= least_px).sum()),
        "recalled": int((hit & (size >= least_px)).sum()),
        "right": int((found_size >= least_px).sum()),
        "false": int((2.0 * false[:, 2] >= least_px).sum()),
        "errors": [round(float(one), 4) for one in errors[size[pairs.truth_index] >= least_px]],
        "bins": [
            [int(_within(size, low, high).sum()), int((hit & _within(size, low, high)).sum())]
            for low, high in BINS_PX
        ],
    }


def _within(size: Float64, low: float, high: float) -> NDArray[np.bool_]:
    return np.asarray((size >= low) & (size < high))


def crater_figures(counts: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Precision, recall, F1 and the median error of the radius over pictures, for one rule."""
    true, recalled, right, false = (
        sum(each[name] for each in counts) for name in ("true", "recalled", "right", "false")
    )
    precision = _over(right, right + false)
    recall = _over(recalled, true)
    errors = [error for each in counts for error in each["errors"]]
    both = None if precision is None or recall is None else precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "F1": None if both is None else (2.0 * (precision or 0.0) * (recall or 0.0) / both if both else 0.0),
        "radius error": float(np.median(errors)) if errors else None,
    }


def recall_by_size(counts: Sequence[dict[str, Any]]) -> list[dict[str, float | int | None]]:
    """Recall of each bin of the diameter."""
    bins = np.sum([each["bins"] for each in counts], axis=0)
    return [
        {
            "low": low,
            "high": high if np.isfinite(high) else None,
            "true": int(n),
            "recall": _over(int(hits), int(n)),
        }
        for (low, high), (n, hits) in zip(BINS_PX, bins, strict=True)
    ]


def confusion(mask: NDArray[np.uint16], classes: UInt8) -> list[list[int]]:
    """``(5, 6)`` places of each true class by what they were called, unsure first.

    Args:
        mask: ``(h, w)`` of a result: numbers of classes from 1, 0 for unsure.
        classes: ``(H, W)`` that are true, or :data:`training.surface_truth.IGNORE`.
    """
    rows = ((np.arange(classes.shape[0]) + 0.5) * mask.shape[0] / classes.shape[0]).astype(int)
    columns = ((np.arange(classes.shape[1]) + 0.5) * mask.shape[1] / classes.shape[1]).astype(int)
    said, known = mask[np.ix_(rows, columns)].astype(int), classes != IGNORE
    n = len(SEGMENTS)
    table = np.bincount(classes[known].astype(int) * (n + 1) + said[known], minlength=n * (n + 1))
    return [[int(one) for one in row] for row in table.reshape(n, n + 1)]


def class_figures(table: NDArray[np.int64]) -> dict[str, float | None]:
    """Macro-F1 over the classes that occur, and F1 and IoU of each.

    Args:
        table: ``(5, 6)`` of :func:`confusion`, summed over pictures.
    """
    figures: dict[str, float | None] = {}
    f1s = []
    for number, name in enumerate(SEGMENTS):
        both, true, said = table[number, number + 1], table[number].sum(), table[:, number + 1].sum()
        if true:
            f1s.append(2.0 * both / (true + said))
            figures[f"F1 {name}"] = float(f1s[-1])
            figures[f"IoU {name}"] = float(both / (true + said - both))
    return {
        "macro-F1": float(np.mean(f1s)) if f1s else None,
        "unsure": _over(int(table[:, 0].sum()), int(table.sum())),
        **figures,
    }


def _over(part: int, whole: int) -> float | None:
    return part / whole if whole else None
