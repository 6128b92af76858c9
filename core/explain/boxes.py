"""Boxes from a heat map: threshold it, and box the regions that remain.

This is how Parisot & Jaziri 2024 turn XRAI maps of smart-telescope images into detections.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from core.errors import ParameterInvalid


@dataclass(frozen=True, eq=False)
class MapBoxes:
    """Boxes around what is hot in a map, the most relevant first.

    Attributes:
        boxes: ``(N, 4)`` ``x_min, y_min, x_max, y_max`` in pixels, through the outer edges of the region's
            pixels: one pixel at (3, 5) is ``2.5, 4.5, 3.5, 5.5``.
        scores: ``(N,)`` mean relevance of the region in [0, 1], 0 being the lowest value of the map and 1
            its highest, or the ends of the span that was given.
        areas_px: ``(N,)`` pixels of the region.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    areas_px: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.boxes)


def boxes_from_map(
    relevance: ArrayLike,
    *,
    threshold: float | None = None,
    area_share: float | None = None,
    min_area_px: int = 1,
    merge_px: int = 0,
    span: tuple[float, float] | None = None,
) -> MapBoxes:
    """Box the hot regions of a map.

    Args:
        relevance: ``(H, W)`` map; it is scaled so that its lowest value is 0 and its highest 1. Pixels that
            are not finite belong to no region.
        threshold: Hot is what is at least this, in [0, 1] of the scaled map, or
        area_share: hot is what is above all but this share of the pixels, in ]0, 1[; pixels as hot as the
            last are left out rather than exceed it. One of the two is given.
        min_area_px: Smaller regions are dropped.
        merge_px: Regions with at most this many pixels between them count as one; 0 joins only those that
            touch, if only by a corner.
        span: Values that count as 0 and as 1, for maps whose values mean the same on every picture; those
            beyond count as the nearer. None takes the lowest and the highest of this map.

    Returns:
        The boxes; none for a flat map whose span is not given.

    Raises:
        ParameterInvalid: The map is not ``(H, W)``, neither or both of the thresholds are given, or a number
            is out of bounds.
    """
    values = np.asarray(relevance, float)
    if values.ndim != 2:
        raise _refused("relevance", values.shape, "(H, W)")
    if (threshold is None) == (area_share is None):
        raise _refused("threshold", "neither or both", "given if area_share is not")
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise _refused("threshold", threshold, "in [0, 1]")
    if area_share is not None and not 0.0 < area_share < 1.0:
        raise _refused("area_share", area_share, "in ]0, 1[")
    for name, number, least in (("min_area_px", min_area_px, 1), ("merge_px", merge_px, 0)):
        if number < least:
            raise _refused(name, number, f"at least {least}")
    finite = np.isfinite(values)
    if span is not None:
        low, high = span
        if not low < high:
            raise _refused("span", span, "a lower and a higher value")
    else:
        low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    if high <= low or not finite.any():
        return MapBoxes(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))
    scaled = np.where(finite, np.clip((values - low) / (high - low), 0.0, 1.0), -1.0)
    hot = scaled >= threshold if threshold is not None else _hottest(scaled, area_share or 0.0)
    return _boxed(scaled, hot & finite, min_area_px, merge_px)


def _hottest(scaled: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Pixels above the value that parts ``share`` of them from the rest; the peak is always among them."""
    cut = np.sort(scaled, axis=None)[::-1][min(int(share * scaled.size), scaled.size - 1)]
    hot: NDArray[np.bool_] = scaled > min(cut, np.nextafter(scaled.max(), 0.0))
    return hot


def _boxed(scaled: NDArray[np.float64], hot: NDArray[np.bool_], min_area_px: int, merge_px: int) -> MapBoxes:
    labels, _ = ndimage.label(hot, np.ones((3, 3))) if merge_px == 0 else (_merged(hot, merge_px), 0)
    found = []
    for label, window in enumerate(ndimage.find_objects(labels), 1):
        if window is None:
            continue
        inside = labels[window] == label
        area = int(inside.sum())
        if area >= min_area_px:
            rows, columns = window
            box = (columns.start - 0.5, rows.start - 0.5, columns.stop - 0.5, rows.stop - 0.5)
            found.append((float(scaled[window][inside].mean()), area, box))
    found.sort(key=lambda region: -region[0])
    return MapBoxes(
        np.array([box for _, _, box in found], float).reshape(-1, 4),
        np.array([score for score, _, _ in found], float),
        np.array([area for _, area, _ in found], np.int64),
    )


def _merged(hot: NDArray[np.bool_], merge_px: int) -> NDArray[np.int64]:
    """Labels of the regions, one for those with at most ``merge_px`` pixels between them.

    Two pixels with a gap of g between them are g + 1 apart. On a grid twice as fine there is a point half
    way, which both reach if each reaches g + 1 of the finer steps.
    """
    fine = np.zeros((2 * hot.shape[0] - 1, 2 * hot.shape[1] - 1), bool)
    fine[::2, ::2] = hot
    labels, _ = ndimage.label(ndimage.distance_transform_edt(~fine) <= merge_px + 1)
    return np.where(hot, labels[::2, ::2], 0)


def _refused(name: str, given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(f"{name} must be {limit}, got {given}.", parameter=name, given=given, limit=limit)
