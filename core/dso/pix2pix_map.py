"""Maps of ``dso.pix2pix``: what is painted, on frames of any size, and the boxes around what is hot.

**What is painted.** XRAI gives each region of a whole picture its mean attribution, in logits a pixel.
Regions of a picture without objects have one too, so it is multiplied by the classifier's calibrated
probability that there is anything. It spans orders of magnitude, since a small galaxy has all its logit in
a few pixels, and it may be negative. Times the number of pixels it is a relevance r in logits a picture.
That is painted as r² / (r² + m²), or 0 where it is negative: m is painted one half, m/3 a tenth and 3m nine
tenths. The middle m is one number for all pictures, kept in the card, so that a picture without objects is
dark; within a picture the order of pixels stays XRAI's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.explain.boxes import MapBoxes, boxes_from_map
from core.models import LockedNetwork
from core.models.windows import Window, windows

if TYPE_CHECKING:
    from core.dso.pix2pix_network import Generator

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MIN_AREA_PX = 6
"""Smaller spots of a painted map are no objects."""
EDGE_WEIGHT = 0.02
"""Of a window's rim, where its middle counts 1: what lies there is cut."""


def explained_map(square: UInt8) -> Float32:
    """XRAI of a whole square picture, times the probability that there is anything on it.

    Args:
        square: ``(S, S, 3)`` at the side the classifier takes.

    Returns:
        ``(S, S)`` in logits a pixel.

    Raises:
        WeightsUnavailable: The classifier is not installed here.
    """
    from core.dso.classifier import classifier, prepared, probabilities
    from core.dso.xrai import xrai_map

    chance = probabilities(classifier(), [prepared(square)])[0, 0]
    explained: Float32 = (xrai_map(square) * np.float32(chance)).astype(np.float32)
    return explained


def painted_levels(explained: ArrayLike, middle: float) -> Float32:
    """The map that is painted of a picture, from its explanation.

    Args:
        explained: ``(H, W)`` of :func:`explained_map`.
        middle: Relevance, in logits a picture, that is painted one half; positive.

    Returns:
        ``(H, W)`` in [0, 1[; 0 where XRAI is negative or not finite.
    """
    values = np.nan_to_num(np.asarray(explained, float), nan=0.0, posinf=0.0, neginf=0.0)
    relative = np.maximum(values * values.size / middle, 0.0)
    levels: Float32 = (1.0 - 1.0 / (1.0 + relative**2)).astype(np.float32)
    return levels


def paint_frame(
    network: LockedNetwork[Generator],
    picture: UInt8,
    tile_px: int,
    overlap: float,
    progress: Callable[[float, str], None],
) -> Float32:
    """``(h, w)`` map in [0, 1] of a whole frame of any size.

    A frame larger than a window is painted window by window and at several scales: windows of one scale fade
    into each other, and of the scales the hottest holds.

    Args:
        network: The generator.
        picture: ``(H, W, 3)``.
        tile_px: Side of a window.
        overlap: Part of a window that the next one shares.
        progress: Told the fraction of windows painted.
    """
    from core.dso.pix2pix_network import SIDE_PX, paint

    height, width = picture.shape[:2]
    todo = windows(width, height, tile_px, overlap)
    if len(todo) == 1:
        progress(0.0, "painting the map")
        return paint(network, todo[0].show(picture))
    scale = SIDE_PX / max(todo[0].width, todo[0].height)
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    hottest = np.zeros(shape, np.float32)
    for level in sorted({window.level for window in todo}):
        light, weight = np.zeros(shape, np.float32), np.full(shape, 1e-6, np.float32)
        for number, window in enumerate(todo):
            if window.level != level:
                continue
            progress(number / len(todo), f"painting part {number + 1} of {len(todo)}")
            rows, columns = _place(window, scale, shape)
            part = _resized(paint(network, window.show(picture)), rows.stop - rows.start, columns)
            faded = _faded(part.shape, window.inner)
            light[rows, columns] += part * faded
            weight[rows, columns] += faded
        np.maximum(hottest, light / weight, out=hottest)
    return hottest


def regions(painted: Float32, threshold: float) -> MapBoxes:
    """Boxes, in pixels of the map, around what is painted at least ``threshold``."""
    return boxes_from_map(painted, threshold=threshold, min_area_px=MIN_AREA_PX, span=(0.0, 1.0))


def confidences(found: MapBoxes, calibration: Sequence[float]) -> Float64:
    """``(N,)`` probability that each region is an object: logistic in what is painted and in the size.

    Args:
        found: What :func:`regions` gave.
        calibration: ``(a, b, c)`` of a + b · log odds of the mean level + c · ln(area in pixels of the map).
    """
    log_odds = features(found) @ np.asarray(calibration, float)
    probability: Float64 = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
    return probability


def features(found: MapBoxes) -> Float64:
    """``(N, 3)`` what a region's confidence is told by: 1, log odds of its mean level, ln of its area."""
    level = np.clip(found.scores, 0.01, 0.99)
    area = np.log(np.maximum(found.areas_px, 1).astype(float))
    return np.column_stack([np.ones(len(level)), np.log(level / (1.0 - level)), area])


def on_frame(boxes: Float64, map_shape: tuple[int, ...], frame_shape: tuple[int, ...]) -> Float64:
    """``(N, 4)`` boxes of a ``(h, w)`` map as boxes of the ``(H, W)`` frame it covers."""
    zoom = np.tile([frame_shape[1] / map_shape[1], frame_shape[0] / map_shape[0]], 2)
    scaled: Float64 = (boxes + 0.5) * zoom - 0.5
    return scaled


def _place(window: Window, scale: float, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the map that a window covers."""
    low = [min(int(edge * scale), side - 1) for edge, side in zip((window.y, window.x), shape, strict=True)]
    far = (window.y + window.height, window.x + window.width)
    high = [min(round(edge * scale), side) for edge, side in zip(far, shape, strict=True)]
    rows, columns = (slice(a, max(b, a + 1)) for a, b in zip(low, high, strict=True))
    return rows, columns


def _resized(painted: Float32, n_rows: int, columns: slice) -> Float32:
    from PIL import Image

    size = (columns.stop - columns.start, n_rows)
    if size == painted.shape[::-1]:
        return painted
    resized: Float32 = np.asarray(Image.fromarray(painted).resize(size, Image.Resampling.BILINEAR))
    return resized


def _faded(shape: tuple[int, ...], inner: tuple[bool, bool, bool, bool]) -> Float32:
    """Weights of a window: 1 in the middle, falling towards the edges that lie within the frame."""
    left, top, right, bottom = inner
    rows, columns = _ramp(shape[0], top, bottom), _ramp(shape[1], left, right)
    faded: Float32 = np.minimum(rows[:, None], columns[None, :])
    return faded


def _ramp(n: int, before: bool, after: bool) -> Float32:
    along = (np.arange(n) + 0.5) / n
    weight = np.ones(n)
    if before:
        weight = np.minimum(weight, 4.0 * along)
    if after:
        weight = np.minimum(weight, 4.0 * (1.0 - along))
    ramp: Float32 = np.clip(weight, EDGE_WEIGHT, 1.0).astype(np.float32)
    return ramp


def calibration_of(extra: Any) -> tuple[float, float, float]:
    """The numbers of :func:`confidences` that a card holds; the mean level itself where it is silent."""
    a, b, c = extra.get("calibration", (0.0, 1.0, 0.0))
    return float(a), float(b), float(c)
