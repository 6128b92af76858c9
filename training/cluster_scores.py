"""How well the clusters of scenes are found, and from what confidence on they count as found.

All figures are of the product's own search. An outline is a hit when the middle of its box lies in a true one
that is free, or their intersection over union is :data:`FOUND_IOU` or more: where a cluster ends is a matter
of definition. For the average precision the intersection over union must be 0.5. Clusters that need not be
found are neither hit nor miss, and neither is what lies on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.clusters.outlines import Outline
from core.clusters.pictures import LEAST_GRAIN, Look, look_around
from core.models.windows import Grid
from core.scoring.average_precision import average_precision_of, hits_by_score
from training.calibration import logistic
from training.cluster_data import DrawnScene, read_scene

Float64 = NDArray[np.float64]

FOUND_IOU = 0.3
LEAST_PRECISION = 0.9
ON_UNWANTED = 0.4
"""An outline that no true one explains is passed over when so much of it lies on clusters not asked for."""
CLEAR_CONTRAST, CLEAR_SEEN = 2.0, 20
"""Drawn clusters that are plain to see have a higher contrast, and more stars that are seen."""


@dataclass(frozen=True, eq=False)
class Compared:
    """What was found in a scene beside what is there.

    Attributes:
        found: Outlines, the surest first, without those that lie on clusters not asked for.
        overlap: ``(M, N)`` intersection over union with each wanted cluster.
        near: ``(M, N)`` the same, and 1 more where the middle of the outline lies in the cluster.
        dice: ``(M, N)`` the same as Dice's coefficient.
        right: ``(M, N)`` whether the kind is the same.
        clear: ``(N,)`` which of them are plain to see.
        is_empty: Whether there is nothing in the scene at all.
    """

    found: tuple[Outline, ...]
    overlap: Float64
    near: Float64
    dice: Float64
    right: NDArray[np.bool_]
    clear: NDArray[np.bool_]
    is_empty: bool

    @property
    def scores(self) -> Float64:
        """``(M,)`` of the outlines."""
        return np.array([one.score for one in self.found])

    @property
    def hits(self) -> NDArray[np.bool_]:
        """``(M,)`` which of them are hits, whatever their scores."""
        return hits_by_score(self.near, self.scores, FOUND_IOU)


@dataclass(frozen=True)
class Scores:
    """Of a set of scenes, at one confidence but for the average precision.

    Attributes:
        confidence: Least score of a cluster.
        precision, recall, f1: Of outlines.
        clear_recall: Of drawn clusters that are plain to see.
        ap50: Average precision at an IoU of one half.
        dice: Mean over the hits.
        kinds: Part of the hits whose kind is right.
        false_on_empty: Clusters found in a scene without any, in the mean.
        seconds: Of a scene, in the mean.
    """

    confidence: float
    precision: float
    recall: float
    f1: float
    clear_recall: float
    ap50: float
    dice: float
    kinds: float
    false_on_empty: float
    seconds: float

    def named(self, on: str) -> dict[str, float]:
        """The figures by what they are, those that are known."""
        all_of_them = {
            f"{on}, recall at the confidence": self.recall,
            f"{on}, precision at the confidence": self.precision,
            f"{on}, F1 at the confidence": self.f1,
            f"{on}, recall of clusters of contrast above {CLEAR_CONTRAST:g}": self.clear_recall,
            f"{on}, AP50 of masks": self.ap50,
            f"{on}, mean Dice of hits": self.dice,
            f"{on}, part of hits whose kind is right": self.kinds,
            f"{on}, false clusters an empty scene": self.false_on_empty,
        }
        return {name: value for name, value in all_of_them.items() if np.isfinite(value)}


def search_scenes(paths: Sequence[Path], look: Look) -> tuple[list[Compared], float]:
    """Search scenes as the product does; what was found beside what is there, and seconds a scene."""
    import time

    compared, seconds = [], 0.0
    for path in tqdm(paths, desc="searching scenes", unit="scene"):
        scene = read_scene(path)
        height, width = scene.picture.shape[:2]
        start = time.perf_counter()
        found, _ = look_around(scene.picture, Grid(width, height), look)
        seconds += time.perf_counter() - start
        compared.append(compare(scene, [one for one in found if one.grain >= LEAST_GRAIN]))
    return compared, seconds / max(len(paths), 1)


def compare(scene: DrawnScene, found: Sequence[Outline]) -> Compared:
    """What was found beside what is there.

    Args:
        scene: The truth.
        found: On a grid of one cell a pixel.
    """
    truth = [_outline(scene.instances == number) for number in scene.wanted]
    others = ~np.isin(scene.instances, [0, *scene.wanted])
    kept, overlap, near, dice = [], [], [], []
    for one in sorted(found, key=lambda each: -each.score):
        shared = np.array([one.shared(other) for other in truth], float)
        areas = np.array([other.area for other in truth], float)
        iou = shared / np.maximum(one.area + areas - shared, 1.0)
        window = others[
            one.row : one.row + one.inside.shape[0], one.column : one.column + one.inside.shape[1]
        ]
        row = min(one.row + one.inside.shape[0] // 2, scene.instances.shape[0] - 1)
        column = min(one.column + one.inside.shape[1] // 2, scene.instances.shape[1] - 1)
        holds = np.array([scene.instances[row, column] == number for number in scene.wanted], float)
        if (iou + holds).max(initial=0.0) < FOUND_IOU and (
            window & one.inside
        ).sum() >= ON_UNWANTED * one.area:
            continue
        kept.append(one)
        overlap.append(iou)
        near.append(iou + holds)
        dice.append(2.0 * shared / (one.area + areas))
    known = [scene.clusters[number - 1] for number in scene.wanted]
    shape = (len(kept), len(truth))
    return Compared(
        found=tuple(kept),
        overlap=np.array(overlap, float).reshape(shape),
        near=np.array(near, float).reshape(shape),
        dice=np.array(dice, float).reshape(shape),
        right=np.array([[one.label == other.kind for other in known] for one in kept], bool).reshape(shape),
        clear=np.array([c.contrast > CLEAR_CONTRAST and c.n_seen >= CLEAR_SEEN for c in known], bool),
        is_empty=not scene.clusters,
    )


def calibrated(compared: Sequence[Compared]) -> tuple[float, ...]:
    """Constant and weights that make the score of an outline the chance that it is a hit; see
    :func:`training.calibration.logistic`."""
    found = [one for each in compared for one in each.found]
    hits = np.concatenate([np.zeros(0, bool), *(each.hits for each in compared)])
    return logistic(np.array([one.features for one in found], float), hits) if found else ()


def chosen_scores(compared: Sequence[Compared], seconds: float = float("nan")) -> Scores:
    """The scores at the confidence of greatest recall whose precision is :data:`LEAST_PRECISION` or more.

    Where there is none, at that of the greatest F1.
    """
    tried = np.unique(np.concatenate([[0.5], *(each.scores for each in compared)]))
    if len(tried) > 200:
        tried = np.quantile(tried, np.linspace(0.0, 1.0, 200))
    all_of_them = [scores_at(compared, float(one), seconds) for one in tried]
    fine = [one for one in all_of_them if one.precision >= LEAST_PRECISION]
    return max(fine, key=lambda one: one.recall) if fine else max(all_of_them, key=lambda one: one.f1)


def scores_at(compared: Sequence[Compared], confidence: float, seconds: float = float("nan")) -> Scores:
    """The scores at one confidence; NaN where there is nothing to count."""
    n_true = n_found = n_hit = n_right = n_clear = n_clear_hit = 0
    dice: list[float] = []
    on_empty: list[int] = []
    for each in compared:
        sure = each.scores >= confidence
        rows, columns = _matched(each, sure)
        n_true, n_found, n_hit = n_true + each.overlap.shape[1], n_found + int(sure.sum()), n_hit + len(rows)
        n_right += int(each.right[rows, columns].sum())
        n_clear, n_clear_hit = n_clear + int(each.clear.sum()), n_clear_hit + int(each.clear[columns].sum())
        dice += each.dice[rows, columns].tolist()
        if each.is_empty:
            on_empty.append(int(sure.sum()))

    def part(some: float, whole: float) -> float:
        return some / whole if whole else float("nan")

    return Scores(
        confidence=confidence,
        precision=part(n_hit, n_found),
        recall=part(n_hit, n_true),
        f1=part(2.0 * n_hit, n_true + n_found),
        clear_recall=part(n_clear_hit, n_clear),
        ap50=average_precision_of([one.overlap for one in compared], [one.scores for one in compared], 0.5),
        dice=part(sum(dice), len(dice)),
        kinds=part(n_right, n_hit),
        false_on_empty=part(sum(on_empty), len(on_empty)),
        seconds=seconds,
    )


def judge(
    paths: Sequence[Path],
    look_with: Callable[[tuple[float, ...]], Look],
    default: tuple[float, ...],
) -> tuple[tuple[float, ...], Scores]:
    """Calibrate on scenes, and choose the confidence there.

    Args:
        paths: Of validation scenes.
        look_with: The network's look, given the constants of the calibration.
        default: Constants to begin with.

    Returns:
        The constants, and the scores at the confidence that was chosen.
    """
    first, _ = search_scenes(paths, look_with(default))
    constants = calibrated(first) or default
    compared, seconds = search_scenes(paths, look_with(constants))
    return constants, chosen_scores(compared, seconds)


def _matched(each: Compared, sure: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the hits, the surest outlines choosing first."""
    free = np.ones(each.overlap.shape[1], bool)
    pairs = []
    for row in np.flatnonzero(sure):
        if not free.any():
            break
        best = int(np.argmax(np.where(free, each.near[row], -1.0)))
        if each.near[row, best] >= FOUND_IOU:
            free[best] = False
            pairs.append((row, best))
    both = np.array(pairs, np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _outline(inside: NDArray[np.bool_]) -> Outline:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    patch = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Outline(int(rows[0]), int(columns[0]), patch, 1.0, 0.0)
