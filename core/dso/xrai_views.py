"""What ``dso.xrai`` does with views of a frame: which it explains, how boxes and a map come of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.dso.boxes import Found, merged
from core.dso.classifier import OUTPUTS, SIDE_PX, Square, prepared
from core.explain.boxes import boxes_from_map
from core.explain.gradcam import grad_cam_plus_plus
from core.explain.integrated_gradients import PathSettings
from core.explain.score import class_score
from core.explain.xrai import XraiSettings, explain
from core.methods import Progress, no_progress
from core.models import LockedNetwork

if TYPE_CHECKING:
    from torch import nn

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

CAM_LAYER = "layer4.2.relu"
"""The last features before the mean over the view."""
BASELINES: Mapping[str, tuple[str, ...]] = {
    "black and white": ("minimum", "maximum"),
    "black": ("minimum",),
    "sky": ("sky",),
    "sky and white": ("sky", "maximum"),
}
DEFAULTS: Mapping[str, Any] = {"baseline": "black and white", "steps": 8, "map_threshold": 0.5}
"""Where the card says nothing."""
MAP_PX = 1024
"""Longest side of a frame's map: views have no finer detail than a few of its pixels."""
APART = 0.35
"""Views that are explained share at most this part of the smaller one with others of their kind."""
ALREADY_SEEN, POINTED_AT = 0.3, 0.15
"""What a view's probability loses when a coarser map points at it already: is at least so hot in it."""
LEAST_REGION_PX, GAP_PX = 40, 6
"""Smaller hot regions of a map are none, and regions with no wider gap between them are one."""
MOST_BOXES = 6
"""Of a view, the hottest."""
EDGE_PX = 4
"""A box so near the edge of a view, in pixels shown, is taken to be cut by it."""


@dataclass(frozen=True, eq=False)
class Explained:
    """The explanation of a view.

    Attributes:
        square: Where it is.
        chance: Calibrated probability of anything in it.
        relevance: ``(224, 224)`` logits a pixel.
    """

    square: Square
    chance: float
    relevance: Float32

    def hot(self) -> Float32:
        """The map from 0 to 1, where 1 is the hottest; what speaks against is 0."""
        positive: Float32 = np.maximum(self.relevance, np.float32(0.0))
        peak = float(positive.max())
        return positive / np.float32(peak) if peak > 0.0 else positive


def xrai_settings(baseline: str, steps: int) -> XraiSettings:
    """Settings by the names a person chooses from, :data:`BASELINES`."""
    return XraiSettings(path=PathSettings(steps=steps, batch=8), baselines=BASELINES[baseline])  # type: ignore[arg-type]


def relevance_of(
    network: LockedNetwork[nn.Module],
    view: Float32,
    settings: XraiSettings,
    index: int = 0,
    progress: Progress = no_progress,
) -> Float32:
    """``(224, 224)`` XRAI of a prepared view, in logits a pixel, for one of the classifier's outputs."""
    with network.use() as held:
        return explain(class_score(held, index), view, settings, progress=progress).map


def cam_of(network: LockedNetwork[nn.Module], view: Float32, index: int = 0) -> Float32:
    """``(224, 224)`` Grad-CAM++ of a prepared view, from 0 to 1."""
    with network.use() as held:
        return grad_cam_plus_plus(held, CAM_LAYER, view, index)


def explained_views(
    network: LockedNetwork[nn.Module],
    picture: UInt8,
    views: Sequence[Square],
    chances: Float32,
    limit: float,
    settings: XraiSettings,
    details: int,
    progress: Progress = no_progress,
) -> list[Explained]:
    """Explain the coarsest views that hold something, and a few finer ones.

    Args:
        network: The classifier.
        picture: ``(H, W, 3)``.
        views: Of the frame, as :func:`core.dso.classifier.squares` gives them.
        chances: ``(N,)`` calibrated probability of anything in each.
        limit: Least probability of a view that is explained.
        settings: Of XRAI.
        details: Most finer views, and most further views of a long frame.
        progress: Told on the way.

    Returns:
        The coarse ones first; none when nothing is likely enough.
    """
    coarse = sorted(
        (i for i, v in enumerate(views) if v.level == 0 and chances[i] >= limit), key=lambda i: -chances[i]
    )
    coarse = coarse[: 1 + details]
    total = len(coarse) + min(
        details, sum(v.level > 0 and c >= limit for v, c in zip(views, chances, strict=True))
    )
    done: list[Explained] = []

    def add(which: int) -> None:
        begun, share = len(done) / max(total, 1), 1.0 / max(total, 1)
        square = views[which]
        relevance = relevance_of(
            network,
            prepared(square.cut(picture)),
            settings,
            progress=lambda fraction, doing: progress(min(1.0, begun + share * fraction), doing),
        )
        done.append(Explained(square, float(chances[which]), relevance))

    for which in coarse:
        add(which)
    fine = [i for i, view in enumerate(views) if view.level > 0 and chances[i] >= limit]
    seen = {i: _pointed_at(views[i], done) for i in fine}
    # What no coarser map points at comes first; of equals the finer view, which shows the object larger.
    fine.sort(key=lambda i: (-(float(chances[i]) - ALREADY_SEEN * seen[i]), -views[i].level))
    taken: list[Square] = []
    for which in fine:
        if len(taken) >= details:
            break
        if all(_shared(views[which], other) <= APART for other in taken):
            taken.append(views[which])
            add(which)
    return done


def boxes_of(explained: Sequence[Explained], map_threshold: float, width: int, height: int) -> Found:
    """The hot regions of all maps as boxes on the frame, one a thing, the hottest first.

    Args:
        explained: Views with their maps.
        map_threshold: What is at least so hot is boxed, in [0, 1] of each map.
        width, height: Of the frame.
    """
    parts = []
    for one in explained:
        found = boxes_from_map(
            one.hot(), threshold=map_threshold, min_area_px=LEAST_REGION_PX, merge_px=GAP_PX
        )
        boxes, scores = found.boxes[:MOST_BOXES], found.scores[:MOST_BOXES]
        low = boxes[:, :2] <= EDGE_PX - 0.5
        high = boxes[:, 2:] >= SIDE_PX - EDGE_PX - 0.5
        inner_low = np.array([one.square.x > 0, one.square.y > 0])
        inner_high = np.array(
            [one.square.x + one.square.side < width, one.square.y + one.square.side < height]
        )
        cut = ((low & inner_low) | (high & inner_high)).any(axis=1)
        on_frame = (boxes + 0.5) * (one.square.side / SIDE_PX) - 0.5
        on_frame += np.array([one.square.x, one.square.y] * 2, float)
        on_frame = np.clip(on_frame, -0.5, np.array([width, height] * 2) - 0.5)
        # Boxes of different kinds never meet, and what kind it is comes later: all are of one kind here.
        parts.append(Found(on_frame, scores * one.chance, np.zeros(len(boxes), np.int64), cut))
    return merged(Found.joined(parts))


def joined_map(
    maps: Sequence[tuple[Square, Float32]], width: int, height: int, longest_px: int = MAP_PX
) -> Float32:
    """One map of the frame: the highest of all views', each fading towards edges within the frame.

    Args:
        maps: Views with their maps, at any resolution.
        width, height: Of the frame.
        longest_px: The map is no larger.

    Returns:
        ``(h, w)`` float32, 0 where no view is.
    """
    scale = min(1.0, longest_px / max(width, height))
    joined = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.float32)
    for square, values in maps:
        side = max(2, round(square.side * scale))
        x, y = round(square.x * scale), round(square.y * scale)
        shown = resized(values, side)
        ramps = []
        for begin, reach in ((y, joined.shape[0]), (x, joined.shape[1])):
            step = (np.arange(side) + 0.5) / max(1.0, 0.08 * side)
            rising = step if begin > 0 else np.ones(side)
            falling = step[::-1] if begin + side < reach else np.ones(side)
            ramps.append(np.minimum(np.minimum(rising, falling), 1.0))
        shown = shown * np.outer(*ramps).astype(np.float32)
        top, left = max(y, 0), max(x, 0)
        here = joined[top : y + side, left : x + side]
        np.maximum(here, shown[top - y :, left - x :][: here.shape[0], : here.shape[1]], out=here)
    return joined


def resized(values: Float32, side: int) -> Float32:
    """``(side, side)`` of a square map, averaged down or drawn out."""
    from PIL import Image

    kind = Image.Resampling.BOX if side < len(values) else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(values).resize((side, side), kind), np.float32)


def square_around(box: Float64, width: int, height: int, room: float, least_px: float) -> Square:
    """A square view of a box ``(4,)`` with some sky around it, inside the frame where that is large enough.

    Args:
        box: On the frame.
        width, height: Of the frame.
        room: Side of the view in longest sides of the box.
        least_px: Least side of the view.
    """
    longest = float(max(box[2] - box[0], box[3] - box[1]))
    side = round(min(max(room * longest, least_px), max(width, height)))
    corner = []
    for low, high, reach in ((box[0], box[2], width), (box[1], box[3], height)):
        first = round(float(low + high) / 2.0 + 0.5 - side / 2.0)
        corner.append(int(np.clip(first, 0, reach - side)) if side <= reach else (reach - side) // 2)
    return Square(corner[0], corner[1], side)


def named(chances: Float32) -> dict[str, float]:
    """``(4,)`` probabilities by the names of the classifier's outputs."""
    return {name: float(value) for name, value in zip(OUTPUTS, chances, strict=True)}


def _pointed_at(square: Square, coarser: Sequence[Explained]) -> bool:
    """Whether a coarser map is hot somewhere in a view."""
    for one in coarser:
        scale = SIDE_PX / one.square.side
        x0, y0 = (
            max(0, round((a - b) * scale)) for a, b in ((square.x, one.square.x), (square.y, one.square.y))
        )
        reach = round(square.side * scale)
        part = one.hot()[y0 : y0 + reach, x0 : x0 + reach]
        if part.size and float(part.max()) >= POINTED_AT:
            return True
    return False


def _shared(one: Square, other: Square) -> float:
    """Part of the smaller square that the other covers."""
    sides = [min(a + one.side, b + other.side) - max(a, b) for a, b in ((one.x, other.x), (one.y, other.y))]
    return max(0, sides[0]) * max(0, sides[1]) / min(one.side, other.side) ** 2
