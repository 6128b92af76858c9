"""How good the classifier of ``dso.xrai`` is: accuracy, calibration, and false alarms of empty frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from core.dso.classifier import OUTPUTS, SIDE_PX, normalised, prepared, raw_logits, squares
from core.models.inference import LockedNetwork
from training.dso_views import Pictures, fixed_views

Float64 = NDArray[np.float64]
FALSE_ALARMS = 0.05
"""Empty frames that may be said to hold something."""
N_VIEWS = 600
BINS = 10


@dataclass(frozen=True, eq=False)
class Judged:
    """Logits of views and what is true.

    Attributes:
        logits, present, known: ``(N, 4)``.
        half: ``(N,)`` 0 or 1: calibrated on one half of the pictures, measured on the other.
    """

    logits: Float64
    present: NDArray[np.bool_]
    known: NDArray[np.bool_]
    half: NDArray[np.int64]


def judged(network: LockedNetwork[nn.Module], pictures: Pictures, n_views: int = N_VIEWS) -> Judged:
    """Show a network the fixed views of pictures."""
    views, which = fixed_views(pictures, n_views, SIDE_PX, seed=7)
    logits = raw_logits(network, [normalised(view.pixels) for view in views])
    return Judged(
        logits.astype(np.float64),
        np.stack([view.present for view in views]) > 0.5,
        np.stack([view.known for view in views]) > 0.5,
        np.array(which) % 2,
    )


def fitted_calibration(logits: Float64, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of least cross-entropy (Platt 1999), hardly drawn to zero."""
    from sklearn.linear_model import LogisticRegression

    if truth.all() or not truth.any():
        return 1.0, 0.0
    found = LogisticRegression(C=100.0).fit(logits[:, None], truth)
    return float(found.coef_[0, 0]), float(found.intercept_[0])


def chance(logits: Float64, calibration: tuple[float, float]) -> Float64:
    """Calibrated probabilities of logits."""
    from scipy.special import expit

    slope, offset = calibration
    found: Float64 = expit(slope * logits + offset)
    return found


def auroc(scores: Float64, truth: NDArray[np.bool_]) -> float:
    """Area under the receiver's curve: how often what is true scores above what is not; ties count half."""
    from scipy.stats import rankdata

    n_true, n_false = int(truth.sum()), int((~truth).sum())
    if not n_true or not n_false:
        return float("nan")
    return float((rankdata(scores)[truth].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))


def calibration_error(chances: Float64, truth: NDArray[np.bool_], n_bins: int = BINS) -> float:
    """Expected calibration error over equally wide bins (Guo et al. 2017, arXiv:1706.04599)."""
    bins = np.minimum((chances * n_bins).astype(int), n_bins - 1)
    gaps = [abs(chances[bins == b].sum() - truth[bins == b].sum()) for b in np.unique(bins)]
    return float(sum(gaps) / max(len(chances), 1))


def scores(answers: Judged) -> tuple[list[tuple[float, float]], dict[str, float]]:
    """The calibration by all views, and figures by name measured on halves that did not set theirs."""
    calibration, named = [], {}
    for which, name in enumerate(OUTPUTS):
        known = answers.known[:, which]
        logits, truth = answers.logits[known, which], answers.present[known, which]
        half = answers.half[known]
        chances = np.zeros(len(logits))
        for own in (0, 1):
            other = fitted_calibration(logits[half != own], truth[half != own])
            chances[half == own] = chance(logits[half == own], other)
        calibration.append(fitted_calibration(logits, truth))
        said = "any object" if name == "any" else name
        for figure, value in (
            ("accuracy", float(np.mean((chances >= 0.5) == truth)) if len(truth) else float("nan")),
            ("area under the ROC curve", auroc(logits, truth)),
            ("expected calibration error", calibration_error(chances, truth)),
        ):
            if np.isfinite(value):
                named[f"{figure} of views, {said}"] = value
    return calibration, named


def highest_logits(network: LockedNetwork[nn.Module], pictures: Pictures, rows: Sequence[int]) -> Float64:
    """``(N,)`` highest logit for any object over the views ``dso.xrai`` takes of each picture."""
    highest = []
    for row in rows:
        width, height = pictures.sizes[row]
        whole = pictures.fine[row, :height, :width]
        views = [prepared(square.cut(whole)) for square in squares(int(width), int(height))]
        highest.append(float(raw_logits(network, views)[:, 0].max()))
    return np.array(highest)


def chosen_threshold(empty: Float64, full: Float64) -> tuple[float, dict[str, float]]:
    """The probability from which a frame holds something, and what comes of it.

    It lets at most :data:`FALSE_ALARMS` of the empty frames through; the share reported is of halves by the
    threshold of the other half.

    Args:
        empty, full: ``(N,)`` highest probabilities of frames with nothing and with something.
    """
    if not len(empty):
        return 0.5, {}
    cut = _cut(empty)
    crossed = [float(np.mean(empty[own::2] > _cut(empty[1 - own :: 2]))) for own in (0, 1) if len(empty) > 1]
    named = {
        "empty frames said to hold something, by the other half's threshold": float(np.mean(crossed or [0.0]))
    }
    if len(full):
        named["frames with objects said to hold something"] = float(np.mean(full > cut))
    return cut, named


def _cut(empty: Float64) -> float:
    """Just above all but the allowed share, and never below even odds."""
    allowed = int(FALSE_ALARMS * len(empty))
    return max(0.5, float(np.sort(empty)[::-1][min(allowed, len(empty) - 1)]) + 1e-4)
