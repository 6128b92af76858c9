"""Places of a surface: the probabilities of their classes, which of them is sure, what each covers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.surfaces.kinds import UNSURE

UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


def softmax(logits: Float32, temperature: float) -> Float32:
    """``(K, h, w)`` probabilities of K classes, calibrated by a temperature (Guo et al. 2017,
    arXiv:1706.04599)."""
    powers = np.exp((logits - logits.max(axis=0)) / np.float32(temperature))
    chances: Float32 = powers / powers.sum(axis=0)
    return chances


def sure_classes(chances: Float32, sure_from: float, seen: Bool | None = None) -> UInt16:
    """``(h, w)`` number of the likeliest class from 1; 0 where it is not sure enough or nothing is seen.

    Args:
        chances: ``(K, h, w)``.
        sure_from: Least probability.
        seen: ``(h, w)``; everywhere when None.
    """
    sure = chances.max(axis=0) >= sure_from
    if seen is not None:
        sure &= seen
    return np.where(sure, chances.argmax(axis=0) + 1, 0).astype(np.uint16)


def shares(classes: UInt16, labels: Sequence[str], seen: Bool | None = None) -> dict[str, float]:
    """Part of what is seen that each class covers, and that is unsure.

    Args:
        classes: Of :func:`sure_classes`.
        labels: What the numbers from 1 mean.
        seen: ``(h, w)``; everywhere when None.

    Returns:
        Named as :func:`share_name` does, ``"share_unsure"`` first.
    """
    looked_at = classes if seen is None else classes[seen]
    counts = np.bincount(looked_at.ravel(), minlength=len(labels) + 1) / max(looked_at.size, 1)
    return {share_name(name): float(part) for name, part in zip((UNSURE, *labels), counts, strict=True)}


def share_name(label: str) -> str:
    """What the part of a class is called in a result's facts."""
    return f"share_{label.replace(' ', '_')}"
