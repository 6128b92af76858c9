"""How well craters and landforms of scenes are told, and the constants that make scores chances.

A crater is found when it matches by DeepMoon's rule (:func:`core.scoring.matching.match_craters`); craters
that need not be found are neither hit nor miss, and neither is what matches them. Places whose class is not
known count neither way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from core.scoring.average_precision import average_precision_of, hits_by_score
from core.scoring.matching import APART_SQUARED
from core.surfaces.craters import features, scores_of
from core.surfaces.kinds import SEGMENTS
from training.calibration import logistic
from training.surface_truth import IGNORE, TrueCrater

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]

LEAST_PX = 10.0
"""Diameter from which counts of craters are taken to be complete."""
TOUCHES = 1e-9
"""Least nearness of a match."""
AS_GOOD = 0.004
"""F1s that differ by no more are the same."""
BINS = 15
"""Of equal width, for the calibration error (Guo et al. 2017, arXiv:1706.04599)."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Craters found in a picture beside those that are there.

    Attributes:
        found: ``(M, 7)`` candidates as :func:`core.surfaces.craters.search` gives them, without those that
            match only what need not be found.
        near: ``(M, N)`` how near each is to each wanted crater, in (0, 1]; 0 where they do not match.
        diameter_px: ``(N,)`` of the wanted ones.
    """

    found: Float64
    near: Float64
    diameter_px: Float64


def compare(found: Float64, craters: Sequence[TrueCrater], shape: tuple[int, ...]) -> Compared:
    """What was found in a picture of this ``(H, W)`` beside what is there.

    Args:
        found: ``(M, 7)`` candidates, the surest first.
        craters: All that are known; those with their middle beyond the picture are left out.
        shape: Of the picture.
    """
    inside = [one for one in craters if 0 <= one.x < shape[1] and 0 <= one.y < shape[0]]
    wanted, others = ([one for one in inside if one.wanted == is_wanted] for is_wanted in (True, False))
    near, near_others = nearness(found, wanted), nearness(found, others)
    counts = near.any(axis=1) | ~near_others.any(axis=1)
    return Compared(found[counts], near[counts], np.array([one.diameter_px for one in wanted]))


def nearness(found: Float64, craters: Sequence[TrueCrater]) -> Float64:
    """``(M, N)`` 1 for the same crater, falling to 0 where DeepMoon's rule is not met."""
    if not len(found) or not craters:
        return np.zeros((len(found), len(craters)))
    x, y, radius = np.array([(one.x, one.y, one.diameter_px / 2.0) for one in craters]).T
    smaller = np.minimum(radius, found[:, 3:4])
    apart = ((found[:, 1:2] - x) ** 2 + (found[:, 2:3] - y) ** 2) / smaller**2
    differs = np.abs(found[:, 3:4] - radius) / smaller
    near = 1.0 / (1.0 + apart + differs**2)
    return np.where((apart < APART_SQUARED) & (differs < 1.0), near, 0.0)


@dataclass(frozen=True)
class CraterScores:
    """Of craters from :data:`LEAST_PX` on, at one confidence but for the average precision.

    Attributes:
        confidence: Least score.
        precision, recall, f1: Of those found, of those there.
        average_precision: Over all confidences.
        radius_error: Median of |Δr| / r over the hits.
        n_true: Craters that were there.
    """

    confidence: float
    precision: float
    recall: float
    f1: float
    average_precision: float
    radius_error: float
    n_true: int

    def named(self, on: str) -> dict[str, float]:
        """The figures by what they are, those that are known."""
        figures = {
            f"{on}, recall of craters from {LEAST_PX:g} px": self.recall,
            f"{on}, precision of craters from {LEAST_PX:g} px": self.precision,
            f"{on}, F1 of craters from {LEAST_PX:g} px": self.f1,
            f"{on}, average precision of craters from {LEAST_PX:g} px": self.average_precision,
            f"{on}, median error of the radius": self.radius_error,
        }
        return {name: value for name, value in figures.items() if np.isfinite(value)}


def crater_logistic(compared: Sequence[Compared]) -> tuple[float, ...]:
    """Constants that make scores the chance of a crater; nothing where none, or all, are hits."""
    known = [features(one.found) for one in compared if len(one.found)]
    hits = [hits_by_score(one.near, one.found[:, 0], TOUCHES) for one in compared if len(one.found)]
    return logistic(np.concatenate(known), np.concatenate(hits)) if known else ()


def best_confidence(compared: Sequence[Compared], constants: tuple[float, ...]) -> float:
    """The least score whose F1 is the best, or so near to it that chance may have decided.

    The F1 is flat around its best; of equal ones a person would rather strike out a crater than look for one.
    """
    scores, hits, large, _, n_true = _pooled(compared, constants)
    order = np.argsort(-scores[large], kind="stable")
    right = np.cumsum(hits[large][order])
    f1 = 2.0 * right / np.maximum(np.arange(1, len(right) + 1) + n_true, 1)
    if not len(f1):
        return 0.5
    return float(scores[large][order][np.flatnonzero(f1 >= f1.max() - AS_GOOD)[-1]])


def crater_scores(
    compared: Sequence[Compared], constants: tuple[float, ...], confidence: float
) -> CraterScores:
    """The figures at a confidence."""
    scores, hits, large, errors, n_true = _pooled(compared, constants)
    chosen = scores >= confidence
    n_found = int((chosen & large).sum())
    precision = float((hits & chosen & large).sum()) / n_found if n_found else float("nan")
    found_true = sum(
        int((_matched(one, constants, confidence) & (one.diameter_px >= LEAST_PX)).sum()) for one in compared
    )
    recall = found_true / n_true if n_true else float("nan")
    f1 = 2.0 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    kept = errors[hits & chosen & large]
    return CraterScores(
        confidence,
        precision,
        recall,
        f1,
        _average_precision(compared, constants) if n_true else float("nan"),
        float(np.median(kept)) if len(kept) else float("nan"),
        n_true,
    )


def _average_precision(compared: Sequence[Compared], constants: tuple[float, ...]) -> float:
    """Over large candidates and large craters. One that matches a small crater only counts neither way."""
    near, scores = [], []
    for one in compared:
        of_large = one.near[:, one.diameter_px >= LEAST_PX]
        keep = (2.0 * one.found[:, 3] >= LEAST_PX) & (of_large.any(axis=1) | ~one.near.any(axis=1))
        near.append(of_large[keep])
        scores.append(scores_of(one.found[keep], constants))
    return average_precision_of(near, scores, TOUCHES)


def _matched(one: Compared, constants: tuple[float, ...], confidence: float) -> Bool:
    """``(N,)`` which of the wanted craters are found at a confidence."""
    found = one.near[scores_of(one.found, constants) >= confidence]
    taken = np.zeros(len(one.diameter_px), bool)
    for row in found:
        free = np.where(taken, 0.0, row)
        if free.size and free.max() > 0.0:
            taken[int(free.argmax())] = True
    return taken


def _pooled(
    compared: Sequence[Compared], constants: tuple[float, ...]
) -> tuple[Float64, Bool, Bool, Float64, int]:
    """Scores, hits, whether from :data:`LEAST_PX` on, and error of the radius of all candidates; and how many
    craters from there on are there."""
    scores = [scores_of(one.found, constants) for one in compared]
    hits = [hits_by_score(one.near, one.found[:, 0], TOUCHES) for one in compared]
    large = [2.0 * one.found[:, 3] >= LEAST_PX for one in compared]
    errors = []
    for one in compared:
        if len(one.diameter_px) and len(one.found):
            nearest = one.diameter_px[one.near.argmax(axis=1)] / 2.0
            errors.append(np.abs(one.found[:, 3] - nearest) / nearest)
        else:
            errors.append(np.full(len(one.found), np.nan))
    n_true = sum(int((one.diameter_px >= LEAST_PX).sum()) for one in compared)
    none = np.empty(0)
    return (
        np.concatenate([none, *scores]),
        np.concatenate([none.astype(bool), *hits]),
        np.concatenate([none.astype(bool), *large]),
        np.concatenate([none, *errors]),
        n_true,
    )


def known_places(
    pairs: Iterable[tuple[Float32, UInt8]], most: int = 4000, seed: int = 0
) -> tuple[Float32, NDArray[np.int64]]:
    """``(N, 5)`` logits and ``(N,)`` classes of places whose class is known, some of each picture.

    Args:
        pairs: ``(5, h, w)`` logits and ``(h, w)`` classes of each picture.
        most: Places a picture.
        seed: Decides which.
    """
    rng = np.random.default_rng(seed)
    logits, classes = [np.empty((0, len(SEGMENTS)), np.float32)], [np.empty(0, np.int64)]
    for said, truth in pairs:
        at = np.flatnonzero(truth != IGNORE)
        at = rng.choice(at, min(most, len(at)), replace=False)
        logits.append(said.reshape(len(SEGMENTS), -1)[:, at].T)
        classes.append(truth.reshape(-1)[at].astype(np.int64))
    return np.concatenate(logits), np.concatenate(classes)


def best_temperature(logits: Float32, classes: NDArray[np.int64]) -> float:
    """The temperature with the least cross entropy (Guo et al. 2017, arXiv:1706.04599)."""
    if not len(classes):
        return 1.0

    def entropy(log_t: float) -> float:
        scaled = logits / np.exp(log_t)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        own = np.take_along_axis(scaled, classes[:, None], axis=1)[:, 0]
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - own))

    return float(np.exp(minimize_scalar(entropy, bounds=(-2.0, 3.0), method="bounded").x))


def class_scores(
    logits: Float32, classes: NDArray[np.int64], temperature: float, names: Sequence[str], on: str
) -> dict[str, float]:
    """Macro-F1, accuracy, calibration error, and F1 and IoU of each class that occurs.

    Args:
        logits: ``(N, K)``.
        classes: ``(N,)``.
        temperature: Of the probabilities.
        names: Of the K classes.
        on: What is said before each figure.
    """
    scaled = logits / np.float32(temperature)
    chances = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    said, sure = chances.argmax(axis=1), chances.max(axis=1)
    figures, f1s = {}, []
    for number, name in enumerate(names):
        both = int(((said == number) & (classes == number)).sum())
        either = int((said == number).sum()) + int((classes == number).sum())
        if (classes == number).any():
            f1s.append(2.0 * both / either)
            figures[f"{on}, F1 of {name}"] = f1s[-1]
            figures[f"{on}, IoU of {name}"] = both / (either - both)
    right = said == classes
    return {
        f"{on}, macro-F1 of places": float(np.mean(f1s)) if f1s else float("nan"),
        f"{on}, accuracy of places": float(right.mean()) if len(right) else float("nan"),
        f"{on}, calibration error of places": calibration_error(sure, right),
        **figures,
    }


def calibration_error(sure: Float32, right: Bool) -> float:
    """Mean of |confidence − accuracy| over bins of confidence, weighed by how many lie in each."""
    if not len(sure):
        return float("nan")
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    n = np.bincount(place, minlength=BINS)
    apart = np.abs(np.bincount(place, sure, BINS) - np.bincount(place, right.astype(float), BINS))
    return float(apart[n > 0].sum() / n.sum())
