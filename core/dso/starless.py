"""Deep-sky objects by taking the stars away and outlining what is left: star removal, Canny, contours.

The picture without stars is averaged down to several scales. On each, an even background is taken away, the
noise is measured, edges are found (Canny 1986, IEEE PAMI 8, 679), closed and filled, and every filled area
becomes a box. Edges are asked for in units of the noise of their scale, so faint wide nebulae are found on
the small copies and small galaxies on the large one. How sure a box is comes from its contrast, its light and
its size through a logistic whose constants stand in the card: they were fitted, on drawn scenes that the
network had not learned from, to whether such a box was an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.dso.boxes import Found, merged
from core.dso.parameters import DsoParameters
from core.dso.report import WITHOUT_CLASS, as_detections, searches_sky
from core.frames import Frame
from core.methods import Method, Progress
from core.models import chosen, read_card
from core.parameters import parameter
from core.results import Result, by_confidence

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

WEIGHTS = "dso_starless"
DEFAULT_CONFIDENCE = 0.5
DEFAULT_LOGISTIC = (-6.0, 1.2, 1.0, 1.0, 1.0)
"""Where the card says nothing: the constant, and the weights of :func:`features`."""
WORKING_SIDE_PX, LEAST_COPY_PX = 1024, 40
"""Longest side of the largest copy that is searched, and shortest side of the smallest."""
SMOOTHING_PX = 1.2
NOISE_UNIT, MOST_NOISE = 8.0, 30.0
"""Levels a standard deviation is given in the picture Canny sees, and how many of them are told apart."""
LEAST_NOISE_LEVELS = 0.35
SOBEL = 8.0
"""What OpenCV's 3 × 3 Sobel makes of a slope of 1 level a pixel."""
SEEN_OF_PEAK = 0.12
"""Outlines run along the foot of a glow; its box holds what has this part of its brightest, or more."""
BLOCK_PX = 16
MOST_CANDIDATES = 400


@dataclass(frozen=True)
class StarlessParameters(DsoParameters):
    """What star removal and the search for outlines can be told."""

    edge_high: float = parameter(
        1.5,
        label="Edge",
        unit="σ/px",
        low=0.1,
        high=10.0,
        step=0.05,
        help="Slope of the brightness, in noise of a pixel each pixel, at which an outline begins.",
        why="Above the slopes that smoothed noise has by itself; each scale is measured in its own noise.",
    )
    edge_low: float = parameter(
        0.75,
        label="Edge goes on",
        unit="σ/px",
        low=0.05,
        high=10.0,
        step=0.05,
        help="Slope down to which an outline that has begun is followed.",
        why="Canny recommends a half to a third of the slope at which it begins.",
        advanced=True,
    )
    smallest_px: float = parameter(
        8.0,
        label="Smallest object",
        unit="px",
        low=3.0,
        high=500.0,
        step=1.0,
        help="Boxes whose longer side is shorter are turned down.",
        why="What is smaller cannot be told from a star that was not removed whole.",
    )
    merge_gap_px: int = parameter(
        5,
        label="Merge gap",
        unit="px",
        low=1,
        high=31,
        step=2,
        help="Gaps in an outline, and between pieces, up to so wide are closed, on each scale in its pixels.",
        why="Outlines of faint objects break where noise hides them.",
        advanced=True,
    )


@dataclass(frozen=True, eq=False)
class Outlined:
    """Areas that stand out of a picture.

    Attributes:
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max in pixels of the picture, from the middle of the first.
        contrast: ``(N,)`` mean brightness over what surrounds it, in noise of the scale it was found on.
        levels: ``(N,)`` the same in levels.
        filled: ``(N,)`` part of the box that the area fills.
    """

    boxes: Float64
    contrast: Float64
    levels: Float64
    filled: Float64

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def size_px(self) -> Float64:
        """``(N,)`` the longer side of each box."""
        sides: Float64 = self.boxes[:, 2:] - self.boxes[:, :2]
        return np.maximum(sides[:, 0], sides[:, 1])

    @classmethod
    def none(cls) -> Outlined:
        """Nothing stands out."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty(0), np.empty(0))

    @classmethod
    def joined(cls, parts: Sequence[Outlined]) -> Outlined:
        """Those of several scales."""
        parts = [cls.none(), *parts]
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("boxes", "contrast", "levels", "filled")
            )
        )


@searches_sky(WEIGHTS)
def analyse(frame: Frame, picture: UInt8, params: StarlessParameters, progress: Progress) -> Result:
    """Remove the stars, then find what stands out, as boxes."""
    from core.dso.starless_network import remove_stars, starless_network

    card = read_card(WEIGHTS)
    network = starless_network(WEIGHTS)
    starless = remove_stars(
        network, picture, lambda fraction: progress(0.05 + 0.75 * fraction, "taking the stars away")
    )
    progress(0.8, "outlining what is left")
    outlined = outline(starless, params)
    logistic = tuple(map(float, card.extra.get("logistic", DEFAULT_LOGISTIC)))
    found = best_boxes(outlined, logistic)
    confidence = chosen(params.confidence, card.extra, "confidence", DEFAULT_CONFIDENCE)
    return by_confidence(
        as_detections(frame, found.boxes, found.scores, [WITHOUT_CLASS] * len(found)),
        confidence,
        facts={"starlight_percent": _percent(picture, starless)},
        pictures={"starless": starless, "stars only": picture - starless},
    )


def outline(starless: UInt8, params: StarlessParameters) -> Outlined:
    """What stands out of a picture without stars, on every scale; one thing may be found on several.

    Args:
        starless: ``(H, W, 3)``.
        params: Slopes of edges, the gap that is closed, and the smallest size.
    """
    import cv2

    height, width = starless.shape[:2]
    scale = min(1.0, WORKING_SIDE_PX / max(height, width))
    found = []
    while True:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        copy = cv2.resize(starless, size, interpolation=cv2.INTER_AREA) if scale < 1.0 else starless
        zoom = np.array([width / size[0], height / size[1]])
        found.append(_outline_copy(copy.astype(np.float32), zoom, params))
        scale /= 2.0
        if min(width, height) * scale < LEAST_COPY_PX:
            break
    everything = Outlined.joined(found)
    large = np.flatnonzero(everything.size_px >= params.smallest_px)
    best = large[np.argsort(-everything.contrast[large], kind="stable")[:MOST_CANDIDATES]]
    return Outlined(
        everything.boxes[best], everything.contrast[best], everything.levels[best], everything.filled[best]
    )


def features(outlined: Outlined) -> Float64:
    """``(N, 4)`` what confidence is made of: logarithms of contrast, levels, size, and the part filled."""
    return np.log(
        np.column_stack(
            [
                np.clip(outlined.contrast, 0.1, 100.0),
                np.clip(outlined.levels, 0.1, 100.0),
                np.clip(outlined.size_px, 1.0, 1e4) / 50.0,
                np.clip(outlined.filled, 0.05, 1.0),
            ]
        )
    )


def best_boxes(outlined: Outlined, logistic: Sequence[float]) -> Found:
    """One box a thing, with its confidence, the surest first.

    Args:
        outlined: As :func:`outline` gives it.
        logistic: The constant, and the weight of each of :func:`features`.
    """
    odds = logistic[0] + features(outlined) @ np.array(logistic[1:])
    scores = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    n = len(outlined)
    return merged(Found(outlined.boxes, scores, np.zeros(n, np.int64), np.zeros(n, bool)))


def _outline_copy(copy: Float32, zoom: Float64, params: StarlessParameters) -> Outlined:
    """What stands out of one copy of the picture; ``zoom`` is how much larger the picture is in x and y."""
    import cv2

    lit = cv2.erode((copy.max(axis=2) > 0.0).astype(np.uint8), np.ones((3, 3), np.uint8))
    grey = cv2.GaussianBlur(copy.mean(axis=2), (0, 0), SMOOTHING_PX)
    excess, noise = _over_sky(grey, lit > 0)
    excess[lit == 0] = 0.0
    # Beyond the frame lies sky: what the frame's edge cuts has an edge there.
    shown = np.pad(np.clip(excess / noise, 0.0, MOST_NOISE) * NOISE_UNIT, 2).astype(np.uint8)
    unit = SOBEL * NOISE_UNIT
    edges = cv2.Canny(shown, params.edge_low * unit, params.edge_high * unit, L2gradient=True)
    gap = params.merge_gap_px
    closed = cv2.morphologyEx(
        np.pad(edges, gap), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    )[gap:-gap, gap:-gap]
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    inside = np.zeros(closed.shape, np.int32)
    for number, line in enumerate(outlines, start=1):
        cv2.drawContours(inside, [line], -1, number, cv2.FILLED)
    inside = inside[2:-2, 2:-2]
    rows = [
        row
        for number, line in enumerate(outlines, start=1)
        if (row := _measured(cv2.boundingRect(line), number, inside, excess, noise)) is not None
    ]
    if not rows:
        return Outlined.none()
    table = np.array(rows)
    boxes = (table[:, :4] + 0.5) * np.tile(zoom, 2) - 0.5
    return Outlined(boxes, table[:, 4], table[:, 5], table[:, 6])


def _measured(
    place: Sequence[int], number: int, inside: NDArray[np.int32], excess: Float32, noise: float
) -> tuple[float, ...] | None:
    """Box, contrast in noise and in levels, and filled part of an area; None when it is no brighter."""
    height, width = excess.shape
    x, y, w, h = place[0] - 2, place[1] - 2, place[2], place[3]
    rim = max(2, min(w, h) // 4)
    top, left = max(0, y - rim), max(0, x - rim)
    around = (slice(top, min(height, y + h + rim)), slice(left, min(width, x + w + rim)))
    own, free = inside[around] == number, inside[around] == 0
    n = int(own.sum())
    if n < 4:
        return None
    values = excess[around]
    # In a frame that is full of an object there is no sky around: the background is then that of the frame.
    sky = max(float(np.median(values[free])), 0.0) if int(free.sum()) >= 8 else 0.0
    peak = float(np.percentile(values[own], 95)) - sky
    if peak <= 0.0:
        return None
    own &= values >= sky + SEEN_OF_PEAK * peak
    down, across = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    box = (left + across[0] - 0.5, top + down[0] - 0.5, left + across[-1] + 0.5, top + down[-1] + 0.5)
    levels = float(values[own].mean()) - sky
    filled = int(own.sum()) / ((box[2] - box[0]) * (box[3] - box[1]))
    return (*box, levels / noise, levels, filled)


def _over_sky(grey: Float32, lit: NDArray[np.bool_]) -> tuple[Float32, float]:
    """What is above a plane through the sky, and the noise around it, both in levels.

    The plane is fitted to the medians of blocks, of which those that stand out are left out by and by; the
    noise is that of what lies below it, where no object is.
    """
    height, width = grey.shape
    step = max(2, min(BLOCK_PX, min(height, width) // 6))
    terms, values = _block_medians(grey, lit, step)
    if len(values) < 6:
        return np.zeros_like(grey), 1.0
    kept = values <= np.percentile(values, 70)
    fit = np.array([np.median(values), 0.0, 0.0])
    for _ in range(6):
        if kept.sum() < 6:
            break
        fit = np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0]
        off = values - terms @ fit
        spread = max(1.4826 * float(np.median(np.abs(off[kept]))), 0.05)
        kept = off < 2.0 * spread
    y, x = (np.arange(n, dtype=np.float32) / n - 0.5 for n in (height, width))
    excess = grey - (fit[0] + fit[1] * y[:, None] + fit[2] * x[None, :]).astype(np.float32)
    below = excess[lit & (excess < 0.0)]
    noise = 1.4826 * float(np.median(-below)) if len(below) else 0.0
    return excess, max(noise, LEAST_NOISE_LEVELS)


def _block_medians(grey: Float32, lit: NDArray[np.bool_], step: int) -> tuple[Float64, Float64]:
    """``(B, 3)`` one, y and x, and ``(B,)`` median, of the blocks of ``step`` pixels that are mostly lit."""
    n_y, n_x = grey.shape[0] // step, grey.shape[1] // step
    values = np.where(lit, grey, np.inf)[: n_y * step, : n_x * step]
    blocks = values.reshape(n_y, step, n_x, step).transpose(0, 2, 1, 3).reshape(n_y * n_x, step * step)
    n_lit = np.isfinite(blocks).sum(axis=1)
    middle = np.sort(blocks, axis=1)[np.arange(len(blocks)), np.maximum(n_lit - 1, 0) // 2]
    y, x = np.divmod(np.arange(n_y * n_x), n_x)
    terms = np.column_stack(
        [
            np.ones(n_y * n_x),
            (y + 0.5) * step / grey.shape[0] - 0.5,
            (x + 0.5) * step / grey.shape[1] - 0.5,
        ]
    )
    mostly = n_lit > step * step / 2
    return terms[mostly], middle[mostly].astype(np.float64)


def _percent(picture: UInt8, starless: UInt8) -> float:
    """How much of a picture's light was taken away."""
    whole = float(picture.sum(dtype=np.int64))
    return 100.0 * (1.0 - float(starless.sum(dtype=np.int64)) / whole) if whole > 0.0 else 0.0


METHOD = Method(
    name="dso.starless",
    title="Star removal and outlines",
    summary="Shows the sky without stars and boxes what glows; it cannot say what it is, and loses clusters.",
    description=(
        "A small U-Net, trained on drawn scenes with and without stars, takes the stars away; what is left "
        "is searched for edges in units of its noise at several scales (Canny), outlines are closed and "
        "filled, and each area's contrast becomes a confidence that was calibrated on scenes it had not seen."
    ),
    reference=(
        "After StarNet (Misiura 2018, github.com/nekitmm/starnet); Ronneberger et al. 2015, "
        "arXiv:1505.04597; Canny 1986, IEEE PAMI 8, 679; compared as a technique by Parisot & Jaziri 2024"
    ),
    params=StarlessParameters,
    analyse=analyse,
    labels=(WITHOUT_CLASS,),
    geometry=("box",),
    weights=WEIGHTS,
)
