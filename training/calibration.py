"""Scores that are chances: a logistic of what is known of each candidate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RIDGE = 1e-2
STEPS = 50


def logistic(x: NDArray[np.float64], hit: NDArray[np.bool_]) -> tuple[float, ...]:
    """Constants that make the logistic of ``x`` the chance of a hit, by Newton's method with a small ridge.

    Args:
        x: ``(N, K)`` what is known of each candidate.
        hit: ``(N,)`` whether it was one.

    Returns:
        The constant, and the weight of each of the ``K``; nothing where none is a hit, or all are.
    """
    if not 0 < hit.sum() < len(hit):
        return ()
    terms = np.column_stack([np.ones(len(x)), x])
    weights = np.zeros(terms.shape[1])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(terms @ weights, -30.0, 30.0)))
        slope = terms.T @ (p - hit) + RIDGE * weights
        bend = (terms * (p * (1.0 - p))[:, None]).T @ terms + RIDGE * np.eye(len(weights))
        change = np.linalg.solve(bend, slope)
        weights -= change
        if np.abs(change).max() < 1e-8:
            break
    return tuple(float(one) for one in weights)
