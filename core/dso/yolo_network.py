"""The network of ``dso.yolo``: loading it, and what it finds on one picture or in the windows of a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.dso.boxes import EDGE_PX, Found, fused, merged
from core.dso.library import import_ultralytics
from core.models import LockedNetwork, cached_network, weights_path
from core.models.windows import Window, windows

if TYPE_CHECKING:
    import torch

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

STRIDE_PX = 32
"""Sides of what the network is given are multiples of this."""
NMS_IOU, MAX_CANDIDATES = 0.6, 1000
"""Overlap above which the less confident of two boxes of a class goes, and how many enter the comparison."""
PAD_LEVEL = 114
"""Grey around a picture that does not fill its square, as in the network's training."""


def yolo_network(name: str) -> LockedNetwork[Any]:
    """The network of a card, loaded once its file's hash is known to be right.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """

    def build() -> torch.nn.Module:
        return load_yolo(str(weights_path(name)))

    return cached_network(name, build)


def load_yolo(path: str) -> torch.nn.Module:
    """A detector of Ultralytics ready for inference in float32: its layers fused, its weights laid out as a
    processor multiplies them fastest.

    The file can hold code: only paths of :func:`core.models.weights_path`, or of files made here, go in.
    """
    import_ultralytics()
    import torch
    from ultralytics.nn.tasks import load_checkpoint

    network, _ = load_checkpoint(path, device="cpu", fuse=True)
    loaded: torch.nn.Module = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return loaded


def detect(
    network: LockedNetwork[Any],
    picture: UInt8,
    least_score: float,
    tile_px: int,
    overlap: float,
    zooms: Sequence[float],
    progress: Callable[[float, str], None],
) -> Found:
    """Everything found on a frame of any size, one box a thing.

    Args:
        network: The detector.
        picture: ``(H, W, 3)``.
        least_score: Boxes below are dropped.
        tile_px: Side of a window as it is shown.
        overlap: Part of a window that the next one shares.
        zooms: Pixels the network is given for one that is shown: a window is seen once at each, every second
            time mirrored, and what is found is averaged.
        progress: Told the fraction of windows searched.
    """
    height, width = picture.shape[:2]
    todo = windows(width, height, tile_px, overlap)
    found = []
    for number, window in enumerate(todo):
        progress(number / len(todo), f"searching part {number + 1} of {len(todo)}")
        shown = window.show(picture)
        views = [
            on_frame(window, *_seen(network, shown, least_score, zoom, mirror=bool(view % 2)))
            for view, zoom in enumerate(zooms)
        ]
        found.append(fused(views) if len(views) > 1 else views[0])
    return merged(Found.joined(found))


def _seen(
    network: LockedNetwork[Any], shown: UInt8, least_score: float, zoom: float, *, mirror: bool
) -> tuple[Float64, Float64, NDArray[np.int64]]:
    """What :func:`detect_one` finds, on the mirrored picture if so wanted."""
    if not mirror:
        return detect_one(network, shown, least_score, zoom)
    boxes, scores, labels = detect_one(network, np.ascontiguousarray(shown[:, ::-1]), least_score, zoom)
    boxes[:, [0, 2]] = shown.shape[1] - boxes[:, [2, 0]]
    return boxes, scores, labels


def detect_one(
    network: LockedNetwork[Any], shown: UInt8, least_score: float, zoom: float = 1.0
) -> tuple[Float64, Float64, NDArray[np.int64]]:
    """``(N, 4)`` boxes from the corner of the first pixel, ``(N,)`` scores and numbers of classes.

    Args:
        network: The detector.
        shown: ``(h, w, 3)`` picture.
        least_score: Boxes below are dropped.
        zoom: Pixels the network is given for one of the picture.
    """
    import torch

    height, width = shown.shape[:2]
    given, zoom_x, zoom_y = _given(shown, zoom)
    with network.use() as run, torch.inference_mode():
        answer = run(given)
    rows = _candidates(answer[0] if isinstance(answer, (tuple, list)) else answer, least_score)
    boxes = rows[:, :4] / [zoom_x, zoom_y, zoom_x, zoom_y]
    boxes = np.clip(boxes, 0.0, [width, height, width, height])
    solid = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1.0
    return boxes[solid], np.clip(rows[solid, 4], 0.0, 1.0), rows[solid, 5].astype(np.int64)


def _candidates(answer: torch.Tensor, least_score: float) -> Float64:
    """``(N, 6)`` x_min, y_min, x_max, y_max, score and class of ``(1, 4 + classes, A)`` anchors.

    Each class is cleared of overlapping boxes by itself.
    """
    import torch

    from core.models.torchvision_ops import nms

    scores, labels = answer[0, 4:].float().max(dim=0)
    sure = (scores >= least_score).nonzero()[:, 0]
    sure = sure[scores[sure].argsort(descending=True, stable=True)[:MAX_CANDIDATES]]
    middle, half = answer[0, :2, sure].T.float(), answer[0, 2:4, sure].T.float() / 2.0
    boxes, scores, labels = torch.cat([middle - half, middle + half], dim=1), scores[sure], labels[sure]
    # Classes are moved apart, so that one pass clears them all.
    apart = boxes + labels[:, None].float() * (boxes.abs().max() if len(boxes) else 0.0) * 2.0
    kept = nms(apart, scores, NMS_IOU)
    rows: Float64 = torch.cat([boxes, scores[:, None], labels[:, None].float()], dim=1)[kept].double().numpy()
    return rows


def on_frame(window: Window, boxes: Float64, scores: Float64, labels: NDArray[np.int64]) -> Found:
    """Boxes in a window as it is shown, as boxes on the frame."""
    shown_w, shown_h = window.width * window.scale, window.height * window.scale
    near = boxes <= EDGE_PX
    far = boxes >= np.array([shown_w, shown_h, shown_w, shown_h]) - EDGE_PX
    touches = np.column_stack([near[:, 0], near[:, 1], far[:, 2], far[:, 3]])
    cut = (touches & np.array(window.inner)).any(axis=1)
    corner = np.array([window.x, window.y, window.x, window.y], float)
    return Found(boxes / window.scale + corner - 0.5, scores, labels, cut)


def _given(shown: UInt8, zoom: float) -> tuple[torch.Tensor, float, float]:
    """``(1, 3, h, w)`` what the network is given, padded at the right and below, and its true zooms."""
    import torch

    height, width = shown.shape[:2]
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    if size != (width, height):
        from PIL import Image

        shown = np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.BILINEAR))
    side = [-(-edge // STRIDE_PX) * STRIDE_PX for edge in size]
    padded = np.full((side[1], side[0], 3), PAD_LEVEL, np.uint8)
    padded[: size[1], : size[0]] = shown
    tensor = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255.0
    return tensor, size[0] / width, size[1] / height
