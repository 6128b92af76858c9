"""Integrated gradients: how much each pixel adds to a score on the way from a baseline to the picture.

Sundararajan, Taly & Yan 2017 (arXiv:1703.01365). The integral over the straight path is a weighted sum of
gradients at some steps of it; nearly all the time goes into those, so they are few, well placed, and taken
many at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.errors import ParameterInvalid
from core.explain.score import Score
from core.methods import Progress, no_progress
from core.models.inference import inference_dtype

Rule = Literal["ends", "left", "midpoint", "trapezoid", "gauss"]
Precision = Literal["float32", "bfloat16", "auto"]


@dataclass(frozen=True)
class PathSettings:
    """How the path is walked.

    Attributes:
        steps: Gradients for each baseline.
        rule: Where the steps lie in [0, 1], 0 being the baseline, and what each counts: ``"gauss"``
            (Gauss-Legendre), ``"midpoint"``, ``"trapezoid"``, ``"left"`` (left Riemann sum), or ``"ends"``
            (evenly from 0 to 1 with both ends and equal weights, as PAIR's ``saliency`` has it). Gradients
            of deep networks jump along the path, so that equal weights beat the finer rule of Gauss.
        batch: Steps that go through the network at a time.
        precision: ``"bfloat16"`` runs the network under autocast; ``"auto"`` does so where the processor
            has it in hardware.

    Raises:
        ParameterInvalid: One of them is not among these.
    """

    steps: int = 12
    rule: Rule = "midpoint"
    batch: int = 8
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name, least in (("steps", 2 if self.rule in ("trapezoid", "ends") else 1), ("batch", 1)):
            if getattr(self, name) < least:
                raise _refused(name, getattr(self, name), f"at least {least}")
        for name, kind in (("rule", Rule), ("precision", Precision)):
            if getattr(self, name) not in get_args(kind):
                raise _refused(name, getattr(self, name), ", ".join(get_args(kind)))


def quadrature(rule: Rule, steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``(S,)`` places in [0, 1] and ``(S,)`` weights that sum to 1; the rules of :class:`PathSettings`."""
    if rule == "gauss":
        places, weights = np.polynomial.legendre.leggauss(steps)
        return (places + 1.0) / 2.0, weights / 2.0
    if rule == "left":
        return np.arange(steps) / steps, np.full(steps, 1.0 / steps)
    if rule == "midpoint":
        return (np.arange(steps) + 0.5) / steps, np.full(steps, 1.0 / steps)
    weights = np.full(steps, 1.0 / steps)
    if rule == "trapezoid":
        weights = np.full(steps, 1.0 / (steps - 1))
        weights[[0, -1]] /= 2.0
    return np.linspace(0.0, 1.0, steps), weights


def integrated_gradients(
    score: Score,
    picture: ArrayLike,
    baselines: ArrayLike,
    settings: PathSettings | None = None,
    *,
    progress: Progress = no_progress,
) -> NDArray[np.float32]:
    """Attribute a score to the pixels of a picture.

    Args:
        score: What is explained; its device is the CPU.
        picture: ``(C, H, W)`` as the network takes it.
        baselines: ``(K, C, H, W)`` pictures that show nothing.
        settings: How the path is walked.
        progress: Told after each batch; it may raise to stop the work.

    Returns:
        ``(K, C, H, W)`` attributions in units of the score. Those of a baseline sum to the score of the
        picture minus that of the baseline, as far as the steps integrate exactly.

    Raises:
        ParameterInvalid: The shapes do not fit, pixels are not finite, or the score is not ``(B,)``.
    """
    settings = settings or PathSettings()
    target, starts = _checked(picture, baselines)
    places, weights = quadrature(settings.rule, settings.steps)
    n_baselines, n_all = len(starts), len(starts) * settings.steps
    which = np.repeat(np.arange(n_baselines), settings.steps)
    place = torch.from_numpy(np.tile(places, n_baselines).astype(np.float32))[:, None, None, None]
    weight = torch.from_numpy(np.tile(weights, n_baselines).astype(np.float32))[:, None, None, None]
    total = torch.zeros_like(starts)
    with _precision(settings.precision):
        for begin in range(0, n_all, settings.batch):
            now = slice(begin, min(begin + settings.batch, n_all))
            start = starts[which[now]]
            points = start + place[now] * (target - start)
            gradients = _gradients(score, points) * weight[now]
            total.index_add_(0, torch.from_numpy(which[now]), gradients)
            progress(now.stop / n_all, f"following the path, {now.stop} of {n_all} steps")
    return cast(NDArray[np.float32], (total * (target - starts)).numpy())


def completeness_gap(
    score: Score, picture: ArrayLike, baselines: ArrayLike, attributions: NDArray[np.float32]
) -> NDArray[np.float64]:
    """``(K,)`` sum of the attributions minus the difference in score that it should equal.

    Args:
        score: What was explained.
        picture, baselines, attributions: As in :func:`integrated_gradients`.
    """
    target, starts = _checked(picture, baselines)
    with torch.no_grad():
        scores = score(torch.cat([target[None], starts])).double().numpy()
    return cast(NDArray[np.float64], attributions.sum(axis=(1, 2, 3), dtype=float) - (scores[0] - scores[1:]))


def _gradients(score: Score, points: Tensor) -> Tensor:
    """``(B, C, H, W)`` gradients of the scores by their own pictures."""
    points = points.contiguous(memory_format=torch.channels_last).requires_grad_(True)
    with torch.enable_grad():
        scores = score(points)
        if scores.shape != points.shape[:1]:
            raise _refused("score", tuple(scores.shape), f"{tuple(points.shape[:1])}, one number a picture")
        (gradients,) = torch.autograd.grad(scores.float().sum(), points)
    return gradients.detach().float()


@contextmanager
def _precision(precision: Precision) -> Iterator[None]:
    low = precision == "bfloat16" or (precision == "auto" and inference_dtype() == torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
        yield


def _checked(picture: ArrayLike, baselines: ArrayLike) -> tuple[Tensor, Tensor]:
    target, starts = np.asarray(picture, np.float32), np.asarray(baselines, np.float32)
    if target.ndim != 3 or target.size == 0:
        raise _refused("picture", target.shape, "(C, H, W)")
    if starts.ndim != 4 or not len(starts) or starts.shape[1:] != target.shape:
        raise _refused("baselines", starts.shape, ("K", *target.shape))
    for name, pixels in (("picture", target), ("baselines", starts)):
        if not np.isfinite(pixels).all():
            raise _refused(name, "pixels that are not finite", "finite pixels")
    return torch.from_numpy(np.ascontiguousarray(target)), torch.from_numpy(np.ascontiguousarray(starts))


def _refused(name: str, given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(f"{name} must be {limit}, got {given}.", parameter=name, given=given, limit=limit)
