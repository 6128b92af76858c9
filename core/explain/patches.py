"""Maps of frames larger than a network's input: patch by patch, blended so that no seam shows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterInvalid
from core.methods import Progress, no_progress

Pixels = NDArray[np.float32]


def stitched(
    frame: Pixels,
    patch_px: int,
    overlap_px: int,
    explain: Callable[[Pixels], Pixels],
    *,
    progress: Progress = no_progress,
) -> Pixels:
    """Explain a frame patch by patch.

    Each patch counts most at its middle and less towards its edges, where its network saw only one side;
    where patches overlap their weights fade into each other.

    Args:
        frame: ``(C, H, W)``. A frame smaller than a patch is mirrored at its edges.
        patch_px: Side of a patch in pixels.
        overlap_px: Least number of pixels that neighbours share, from 0 to less than ``patch_px``.
        explain: Gives the ``(patch_px, patch_px)`` map of a ``(C, patch_px, patch_px)`` patch.
        progress: Told after each patch; it may raise to stop the work.

    Returns:
        ``(H, W)`` float32.

    Raises:
        ParameterInvalid: The frame is not ``(C, H, W)``, the overlap does not fit, or ``explain`` gives
            another shape.
    """
    if frame.ndim != 3 or frame.size == 0:
        raise _refused("frame", frame.shape, "(C, H, W)")
    if not 0 <= overlap_px < patch_px:
        raise _refused("overlap_px", overlap_px, f"from 0 to {patch_px - 1}")
    height, width = frame.shape[1:]
    missing = [max(patch_px - side, 0) for side in (height, width)]
    if any(missing):
        frame = np.pad(frame, ((0, 0), (0, missing[0]), (0, missing[1])), mode="symmetric")
    ramp = np.minimum(np.arange(patch_px) + 1, patch_px - np.arange(patch_px)) / max(overlap_px, 1)
    window = np.outer(np.minimum(ramp, 1.0), np.minimum(ramp, 1.0))
    total, weight = np.zeros(frame.shape[1:]), np.zeros(frame.shape[1:])
    places = list(product(*(begins(side, patch_px, overlap_px) for side in frame.shape[1:])))
    for done, (row, column) in enumerate(places, 1):
        here = (slice(row, row + patch_px), slice(column, column + patch_px))
        relevance = explain(frame[:, *here])
        if relevance.shape != (patch_px, patch_px):
            raise _refused("explain", relevance.shape, (patch_px, patch_px))
        total[here] += window * relevance
        weight[here] += window
        progress(done / len(places), f"explaining patch {done} of {len(places)}")
    return (total / weight)[:height, :width].astype(np.float32)


def begins(side_px: int, patch_px: int, overlap_px: int) -> list[int]:
    """Where patches begin along a side: evenly, the first at 0, the last ending with the side."""
    if side_px <= patch_px:
        return [0]
    n_steps = -(-(side_px - patch_px) // (patch_px - overlap_px))
    return [round(step * (side_px - patch_px) / n_steps) for step in range(n_steps + 1)]


def _refused(name: str, given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(f"{name} must be {limit}, got {given}.", parameter=name, given=given, limit=limit)
