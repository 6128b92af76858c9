"""Boxes found in many windows, joined to one a thing.

Boxes of one class are compared by the part of the smaller one that the other covers. A box that a window's
edge has cut gives way to a whole one; cut pieces that meet are one object that no window held; of whole
boxes that are much alike the most confident stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.scoring.boxes import box_iou

Float64 = NDArray[np.float64]

SAME_IOU = 0.3
COVERED = 0.75
"""A box is part of another when that covers so much of it."""
FRAGMENT = 0.2
"""Boxes smaller than this part of one that covers them may be objects of their own."""
PIECES_MEET = 0.25
"""Cut pieces that share so much of the smaller one are pieces of one object."""
FUSED_IOU = 0.55
"""Boxes from copies of one picture that overlap so much are of one thing."""
EDGE_PX = 3.0
"""A box so near the edge of a window, in pixels shown, is taken to be cut by it."""


@dataclass(frozen=True, eq=False)
class Found:
    """Boxes on a frame.

    Attributes:
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max in pixels of the frame, from the middle of the first one.
        scores: ``(N,)`` in [0, 1].
        labels: ``(N,)`` numbers of classes.
        cut: ``(N,)`` whether an edge within the frame has cut the box.
    """

    boxes: Float64
    scores: Float64
    labels: NDArray[np.int64]
    cut: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> Found:
        """Nothing found."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64), np.empty(0, bool))

    @classmethod
    def joined(cls, parts: list[Found]) -> Found:
        """All boxes of several windows."""
        parts = [cls.none(), *parts]
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.cut for part in parts]),
        )

    def at(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Found:
        """Only these."""
        return Found(self.boxes[rows], self.scores[rows], self.labels[rows], self.cut[rows])


def fused(views: list[Found], iou: float = FUSED_IOU) -> Found:
    """Boxes that a network found on several copies of one picture, averaged: one box a thing.

    Boxes of a class that overlap are averaged by their scores, and the score becomes the mean over all
    copies: what a single copy shows counts for less. After weighted boxes fusion (Solovyev et al. 2021,
    Image and Vision Computing 107, 104117), with the sum over all copies in its rescaling.

    Args:
        views: What was found on each copy, in pixels of the same frame.
        iou: Boxes that overlap at least so much are of one thing.
    """
    everything = Found.joined(views)
    copy = np.repeat(np.arange(len(views)), [len(view) for view in views])
    order = np.argsort(-everything.scores, kind="stable")
    everything, copy = everything.at(order), copy[order]
    free = np.ones(len(everything), bool)
    groups = []
    for row in range(len(everything)):
        if not free[row]:
            continue
        near = free & (everything.labels == everything.labels[row])
        near[near] = box_iou(everything.boxes[row : row + 1], everything.boxes[near])[0] >= iou
        near[row] = True
        free &= ~near
        rows = np.flatnonzero(near)
        groups.append(rows[np.sort(np.unique(copy[rows], return_index=True)[1])])  # the surest of each copy
    weights = [everything.scores[rows] for rows in groups]
    first = np.array([rows[0] for rows in groups], np.intp)
    boxes = [w @ everything.boxes[rows] / w.sum() for rows, w in zip(groups, weights, strict=True)]
    return Found(
        np.array(boxes, float).reshape(-1, 4),
        np.array([w.sum() for w in weights], float) / max(len(views), 1),
        everything.labels[first],
        everything.cut[first],
    )


def merged(found: Found) -> Found:
    """One box a thing, the most confident first; boxes of different classes never meet."""
    kept = [_merged_class(found.at(found.labels == label)) for label in np.unique(found.labels)]
    whole = Found.joined(kept)
    return whole.at(np.argsort(-whole.scores, kind="stable"))


def _merged_class(found: Found) -> Found:
    order = np.lexsort((-found.scores, found.cut))  # whole ones first, each the most confident first
    boxes, scores = found.boxes[order], found.scores[order]
    cut, label = found.cut[order], found.labels[:1]
    kept: list[int] = []
    for row in range(len(boxes)):
        if cut[row]:
            _add_piece(row, kept, boxes, scores, cut)
        elif not any(_same(row, other, boxes, scores) for other in kept):
            kept.append(row)
    rows = np.array(kept, np.intp)
    return Found(boxes[rows], scores[rows], np.repeat(label, len(rows)), cut[rows])


def _same(row: int, other: int, boxes: Float64, scores: Float64) -> bool:
    """Whether a whole box shows what another one, which is more confident, shows already."""
    shared, areas = _shared(boxes[row], boxes[other])
    if shared / (areas.sum() - shared) >= SAME_IOU:
        return True
    # Small inside large: another object when it is much smaller and the surer of the two.
    inside = shared >= COVERED * areas.min()
    return bool(inside and (areas.min() >= FRAGMENT * areas.max() or areas[0] < areas[1]))


def _add_piece(row: int, kept: list[int], boxes: Float64, scores: Float64, cut: NDArray[np.bool_]) -> None:
    """Drop a cut box that a whole one covers, grow the piece it continues, or keep it."""
    while True:
        for other in kept:
            shared, areas = _shared(boxes[row], boxes[other])
            if not cut[other] and shared >= COVERED * areas.min() and areas[0] <= 1.2 * areas[1]:
                return
            if cut[other] and shared >= PIECES_MEET * areas.min():
                low = np.minimum(boxes[row, :2], boxes[other, :2])
                high = np.maximum(boxes[row, 2:], boxes[other, 2:])
                boxes[row] = np.concatenate([low, high])
                scores[row] = max(scores[row], scores[other])
                kept.remove(other)
                break  # grown: it may now meet others
        else:
            kept.append(row)
            return


def _shared(one: Float64, other: Float64) -> tuple[float, Float64]:
    """Area that two boxes share, and both their areas; no area is taken as a tiny one."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    areas = np.array([np.prod(box[2:] - box[:2]) for box in (one, other)])
    return float(np.prod(np.maximum(sides, 0.0))), np.maximum(areas, 1e-9)
