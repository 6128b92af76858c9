"""Intersection over union of boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BLOCK_PAIRS = 2_000_000
"""Pairs of boxes compared at a time, so that thousands of boxes stay under 100 MB."""


def as_boxes(boxes: ArrayLike, name: str) -> Floats:
    """``boxes`` as ``(N, 4)`` float64; an empty sequence is ``(0, 4)``.

    Raises:
        ParameterInvalid: They are not ``(N, 4)``.
    """
    array = np.asarray(boxes, float)
    if array.size == 0:
        return np.empty((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise ParameterInvalid(
            f"{name} must be (N, 4) boxes x_min, y_min, x_max, y_max, got shape {array.shape}.",
            parameter=name,
            given=array.shape,
            limit="(N, 4)",
        )
    return array


def box_iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of every box of ``a`` with every box of ``b``.

    Args:
        a: ``(N, 4)`` boxes ``x_min, y_min, x_max, y_max`` in pixels.
        b: ``(M, 4)`` boxes.

    Returns:
        ``(N, M)`` in [0, 1]; 0 where either box has no area or is NaN.
    """
    first, second = as_boxes(a, "a")[:, None, :], as_boxes(b, "b")[None, :, :]
    overlap = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared = np.prod(np.maximum(overlap, 0.0), axis=-1)  # NaN stays NaN
    area = np.prod(first[..., 2:] - first[..., :2], axis=-1)
    union = area + np.prod(second[..., 2:] - second[..., :2], axis=-1) - shared
    iou: Floats = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return iou


def overlapping_pairs(a: Floats, b: Floats, iou: float) -> tuple[Indices, Indices, Floats]:
    """Pairs of boxes that overlap by at least ``iou``.

    Args:
        a: ``(N, 4)`` boxes.
        b: ``(M, 4)`` boxes.
        iou: Least intersection over union, inclusive, more than 0.

    Returns:
        ``(K,)`` rows of ``a``, rows of ``b``, and the intersection over union of each pair.
    """
    rows, columns, overlaps = [np.empty(0, np.intp)], [np.empty(0, np.intp)], [np.empty(0)]
    step = max(1, BLOCK_PAIRS // max(1, len(b)))
    for start in range(0, len(a), step):
        overlap = box_iou(a[start : start + step], b)
        row, column = np.nonzero(overlap >= iou)
        rows.append(row + start)
        columns.append(column)
        overlaps.append(overlap[row, column])
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(overlaps)
