"""Methods of frames on simulated frames: what each finds, and how well it outlines it."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clusters.scenes import ClusterScene, Injected, all_scenes, draw, fingerprint
from benchmarks.kept import Line, code_of, key_of, measured
from core.errors import AlmagestError
from core.methods import Method
from core.scoring.average_precision import average_precision_of
from core.scoring.detection import Score, score_boxes, score_centres
from core.scoring.intervals import wilson_interval
from core.scoring.matching import match_centres
from core.scoring.pooled import pooled, without_ignored

Float64 = NDArray[np.float64]

KINDS = ("open", "globular")

CODE = ("clusters/*.py", "stars/*.py", "models/*.py", "frames/night.py", "simulate/*.py")
"""What the lines that are kept depend on: the frames are exposed anew each time, from scenes of one hash."""
CONTRAST_EDGES = (1.0, 1.5, 2.0, 3.0, 6.0, 20.0, np.inf)
SIZE_EDGES_PX = (0.0, 10.0, 25.0, 60.0, np.inf)
"""Of the core radius."""
FIELD_EDGES = (0.0, 500.0, 1500.0, 4000.0, np.inf)
"""Of stars of the field a million pixels."""
NUMBER_EDGES = (0.0, 40.0, 100.0, 400.0, np.inf)
"""Of stars of the cluster that count."""


def run(
    methods: Mapping[str, Method], cache: Path, limit: int | None, earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """Measure methods of frames, and merge into earlier results of the same frames."""
    numbers = all_scenes()
    if limit is not None:
        numbers = [numbers[i * len(numbers) // limit] for i in range(min(limit, len(numbers)))]
    scenes = [draw(number, full=full) for number, full in numbers]
    sha256 = hashlib.sha256("".join(map(fingerprint, scenes)).encode()).hexdigest()
    named = {scene.name: scene for scene in scenes}
    known = dict(earlier.get("methods", {})) if earlier.get("sha256") == sha256 else {}
    for method in methods.values():
        path = cache / f"{method.name}-{key_of(method, code_of(CODE), sha256)}.jsonl"
        lines = measured(
            path, list(named), lambda name, one=method: run_one(one, named[name]), doing=method.name
        )
        known[method.name] = {
            "title": method.title,
            "weights_sha256": method.weights_sha256,
            **figures(scenes, lines),
        }
    clusters = [one for scene in scenes for one in scene.clusters]
    return {
        "about": (
            f"{len(clusters)} clusters in simulated frames of {scenes[0].shape[0]}² pixels; "
            f"{sum(one.is_clear for one in clusters)} of them with a contrast above 2 and 40 stars that count"
        ),
        "frames": len(scenes),
        "empty": sum(not scene.clusters for scene in scenes),
        "sha256": sha256,
        "rows": [row(one["title"], one) for _, one in sorted(known.items())],
        "methods": dict(sorted(known.items())),
    }


def run_one(method: Method, scene: ClusterScene) -> Line:
    """One frame: boxes, scores, the overlaps of masks, and the time; a failure is no box and a sentence."""
    frame = scene.frame()
    try:
        result = method.run(frame)
    except AlmagestError as refusal:
        return {"boxes": [], "scores": [], "seconds": 0.0, "error": refusal.message, "masks": None}
    found = result.detections
    mask = next(iter(result.masks.values()), None)
    return {
        "boxes": np.round(found.boxes, 2).tolist(),
        "scores": [float(score) for score in found.table["score"]],
        "seconds": round(float(result.timings["total"]), 3),
        "error": "",
        "masks": None if mask is None else _overlaps(mask, scene, len(found)),
    }


def figures(scenes: Sequence[ClusterScene], lines: Mapping[str, Line]) -> dict[str, Any]:
    """All that is measured of a method."""
    pairs = [(scene, lines[scene.name]) for scene in scenes]
    rules: dict[str, Callable[[Float64, Float64, Float64], Score]] = {
        "centre inside": score_centres,
        "IoU ≥ 0.5": lambda truth, found, ignore: score_boxes(truth, found, 0.5, ignore),
    }
    empty = [line for scene, line in pairs if not scene.clusters]
    boxed = sum(bool(line["boxes"]) for line in empty)
    return {
        "rules": {name: _pooled([rule(*_boxes(*pair)) for pair in pairs]) for name, rule in rules.items()},
        **_of_masks(pairs),
        "recall_by": {
            "contrast": _binned(pairs, CONTRAST_EDGES, lambda one: one.contrast, everyone=True),
            "core radius, px": _binned(pairs, SIZE_EDGES_PX, lambda one: one.core_px),
            "field stars a Mpx": _binned(pairs, FIELD_EDGES, lambda one: one.field_per_mpix),
            "stars that count": _binned(pairs, NUMBER_EDGES, lambda one: one.n_visible, everyone=True),
            **{kind: [_recall(pairs, lambda one, k=kind: one.is_clear and one.kind == k)] for kind in KINDS},
        },
        "empty_boxed": boxed / len(empty) if empty else None,
        "empty_boxed_interval": [float(end) for end in wilson_interval(boxed, len(empty))] if empty else None,
        "false_per_empty": float(np.mean([len(line["boxes"]) for line in empty])) if empty else None,
        "seconds": float(np.median([line["seconds"] for _, line in pairs])),
        "failed": sum(bool(line["error"]) for _, line in pairs),
    }


def row(title: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that fit a line."""
    centre, box = one["rules"]["centre inside"], one["rules"]["IoU ≥ 0.5"]
    return {
        "method": title,
        "recall": round(centre["recall"], 3),
        "precision": round(centre["precision"], 3),
        "F1": round(centre["f1"], 3),
        "its 95 % interval": "–".join(f"{end:.2f}" for end in centre["f1_interval"]),
        "F1, IoU ≥ 0.5": round(box["f1"], 3),
        "Dice": one["dice"] and round(one["dice"], 3),
        "AP50 of masks": one["AP50"] and round(one["AP50"], 3),
        "empty frames with a cluster": one["empty_boxed"] and round(one["empty_boxed"], 3),
        "seconds a frame": round(one["seconds"], 2),
    }


def _boxes(scene: ClusterScene, line: Line) -> tuple[Float64, Float64, Float64]:
    """True boxes, found ones, and those to ignore."""
    clear = [one.box(scene.shape) for one in scene.clusters if one.is_clear]
    other = [one.box(scene.shape) for one in scene.clusters if not one.is_clear]
    true, ignore = (np.array(each).reshape(-1, 4) for each in (clear, other))
    return true, np.array(line["boxes"], float).reshape(-1, 4), ignore


def _overlaps(mask: NDArray[np.uint16], scene: ClusterScene, n_found: int) -> dict[str, Any]:
    """Overlaps of each found instance with each true one, and pixels of all clear ones together."""
    truth = scene.instances()
    rows, columns = (
        (np.arange(side) * small // side) for side, small in zip(scene.shape, mask.shape, strict=True)
    )
    found = mask[np.ix_(rows, columns)]
    table = np.zeros((n_found + 1, len(scene.clusters) + 1))
    np.add.at(table, (np.minimum(found, n_found), truth), 1.0)
    whole = table.sum(axis=1)[1:, None] + table.sum(axis=0)[None, 1:] - table[1:, 1:]
    clear = np.array([False, *(one.is_clear for one in scene.clusters)])
    counted = table[:, clear | (np.arange(len(clear)) == 0)]  # pixels of what is to ignore count for nothing
    return {
        "iou": np.round(table[1:, 1:] / np.maximum(whole, 1.0), 4).tolist(),
        "both": float(counted[1:, 1:].sum()),
        "found": float(counted[1:].sum()),
        "true": float(counted[:, 1:].sum()),
    }


def _of_masks(pairs: Sequence[tuple[ClusterScene, Line]]) -> dict[str, float | None]:
    """Dice of all masks together and AP50 of instances; None for a method without masks."""
    with_masks = [(scene, line) for scene, line in pairs if line["masks"] is not None]
    if not any(line["masks"]["found"] for _, line in with_masks):
        return {"dice": None, "AP50": None}
    both, found, true = (
        sum(line["masks"][key] for _, line in with_masks) for key in ("both", "found", "true")
    )
    overlaps, scores = [], []
    for scene, line in with_masks:
        clear = np.array([one.is_clear for one in scene.clusters], bool)
        iou = np.array(line["masks"]["iou"], float).reshape(len(line["scores"]), len(clear))
        truth, boxes, ignore = _boxes(scene, line)
        spare = iou[:, ~clear].max(axis=1, initial=0.0) >= 0.5
        kept = without_ignored(truth, boxes, ignore) & ~(
            spare & (iou[:, clear].max(axis=1, initial=0.0) < 0.5)
        )
        overlaps.append(iou[kept][:, clear])
        scores.append(np.array(line["scores"])[kept])
    ap = average_precision_of(overlaps, scores)
    return {"dice": 2.0 * both / max(found + true, 1.0), "AP50": ap}


def _recall(pairs: Sequence[tuple[ClusterScene, Line]], which: Callable[[Injected], bool]) -> dict[str, Any]:
    n, hits = 0, 0
    for scene, line in pairs:
        boxes = np.array([one.box(scene.shape) for one in scene.clusters]).reshape(-1, 4)
        found = np.array(line["boxes"], float).reshape(-1, 4)
        wanted = np.array([which(one) for one in scene.clusters], bool)
        n += int(wanted.sum())
        hits += int(wanted[match_centres(boxes, found).truth_index].sum())
    interval = [float(end) for end in wilson_interval(hits, n)] if n else None
    return {"clusters": n, "recall": hits / n if n else None, "interval": interval}


def _binned(
    pairs: Sequence[tuple[ClusterScene, Line]],
    edges: Sequence[float],
    value: Callable[[Injected], float],
    *,
    everyone: bool = False,
) -> list[dict[str, Any]]:
    rows = []
    for low, high in itertools.pairwise(edges):
        inside = _recall(
            pairs,
            lambda one, low=low, high=high: (everyone or one.is_clear) and low <= value(one) < high,
        )
        rows.append({"low": low, "high": high if np.isfinite(high) else None, **inside})
    return rows


def _pooled(scores: Sequence[Score]) -> dict[str, Any]:
    one = pooled(scores)
    return json.loads(
        json.dumps(
            {
                "precision": one.precision,
                "recall": one.recall,
                "f1": one.f1,
                "precision_interval": one.precision_interval,
                "recall_interval": one.recall_interval,
                "f1_interval": one.f1_interval,
            }
        )
    )
