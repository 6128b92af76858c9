"""Craters found by a network: where they are, how large, and how round."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import Method, Progress, no_progress
from core.models import chosen, read_card
from core.models.windows import Window, scales, windows
from core.parameters import Parameters, parameter
from core.results import Detections, Result, by_confidence
from core.shapes import Affine, Ellipse
from core.surfaces.kinds import CRATER
from core.surfaces.seen import LEAST_SEEN, seen_parts

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEIGHTS = "surfaces_craters"
DEFAULT_CONFIDENCE, DEFAULT_LOGISTIC = 0.5, (0.0, 1.0, 0.0, 0.0)
"""Where the card says nothing: the confidence, and the constant and the weights of :func:`features`."""
SMALLEST_COPY_PX, WINDOW_PX, OVERLAP = 128, 1024, 0.25
"""A frame is searched on copies down to the first. A copy that is larger than a window is searched in
several, which share this part."""
ENLARGED_BELOW_PX = 1100
"""Frames up to this side are searched on a copy twice as large too: craters of a few pixels show there."""
SHOWN_PX = (9.0, 250.0)
"""Craters that look smaller on a smaller copy, or larger on a larger one, are left to another copy."""
SAME_IOU, ALIKE_IOU = 0.35, 0.55
"""Discs that share so much of what both cover are one crater; of those that share the second its place, size
and shape are the mean."""
LEAST_SCORE = 0.03
"""Candidates below are not worth keeping even as such."""
MOST_KEPT = 6
"""Pictures whose craters are kept."""
_found: dict[tuple[object, ...], Float64] = {}
_lock = Lock()
UNITS = {"diameter_px": "pix", "angle_deg": "deg"}


@dataclass(frozen=True)
class CraterParameters(Parameters):
    """How sure the network must be, and how small a crater may be."""

    confidence: float | None = parameter(
        None,
        label="Confidence",
        low=0.01,
        high=0.99,
        step=0.01,
        help="Least confidence of a crater; auto takes the one that was best on ground it had not seen.",
        why="Chosen with the training for the best balance of craters missed and craters made up.",
    )
    min_diameter_px: float = parameter(
        5.0,
        label="Smallest crater",
        unit="px",
        low=3.0,
        high=1000.0,
        step=1.0,
        help="Smaller ones are not given.",
        why="Counts are complete from about 10 px; below 5 px a crater cannot be told from a pit or noise.",
    )


Look = Callable[[UInt8], Float32]
"""``(N, 6)`` log odds, x, y, radius and shape of the craters of a ``(h, w)`` picture."""


def analyse(frame: Frame, params: CraterParameters, progress: Progress) -> Result:
    """Find craters on a frame.

    Returns:
        Craters, surest first, with ``diameter_px`` (of the circle of the same area), ``axis_ratio`` (minor
        over major) and ``angle_deg`` (of the major axis from +x towards +y, in [0, 180)).
    """
    from core.surfaces.pictures import pixel_aspect, surface_picture
    from core.surfaces.refusals import why_not_surface

    progress(0.0, "preparing the picture")
    refusal = why_not_surface(frame)
    if refusal:
        return Result(Detections.empty(), summary="No craters.", warnings=(refusal,))
    found, scores, confidence = find(
        surface_picture(frame), progress, np.isfinite(frame.grey), pixel_aspect(frame)
    )
    keep = (2.0 * found[:, 3] >= params.min_diameter_px) & (scores >= LEAST_SCORE)
    result = by_confidence(as_detections(found[keep], scores[keep]), params.confidence or confidence)
    return dataclasses.replace(result, summary=in_words(len(result.detections)))


def find(
    picture: UInt8, progress: Progress = no_progress, seen: Bools | None = None, aspect: float = 1.0
) -> tuple[Float64, Float64, float]:
    """Craters of a ``(H, W)`` picture by the trained network: ``(N, 7)`` as :func:`search` gives them, their
    ``(N,)`` scores in [0, 1], and the confidence of the card.

    On a map whose pixels are not square a crater that is round on the ground is not on the picture, and the
    network knows round ones: it looks at a copy with square pixels.

    Discs that lie on missing pixels for more than a little are none: those are as flat and grey as a floor.
    What was found on the last few pictures is kept, for other methods look at craters to see the light.

    Args:
        picture: What is searched.
        progress: Told the part of the windows that was looked at.
        seen: ``(H, W)`` where the frame has pixels; everywhere when None.
        aspect: Height over width of a pixel on the ground.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """
    from core.surfaces.landform_network import landform_network, look

    card, network = read_card(WEIGHTS), landform_network(WEIGHTS)
    key = card.sha256, picture.shape, aspect, hashlib.sha256(np.ascontiguousarray(picture).data).digest()
    found = _found.get(key)
    if found is None:
        found = search(_squared(picture, aspect), lambda shown: look(network, shown).craters, progress)
        with _lock:
            _found[key] = found
            while len(_found) > MOST_KEPT:
                _found.pop(next(iter(_found)))
    scores = scores_of(found, tuple(map(float, card.extra.get("crater_logistic", DEFAULT_LOGISTIC))))
    found = _on_picture(found, aspect, picture.shape)
    if seen is not None:
        there = seen_parts(found[:, 1:4], seen) >= LEAST_SEEN
        found, scores = found[there], scores[there]
    return found, scores, chosen(None, card.extra, "crater_confidence", DEFAULT_CONFIDENCE)


def search(picture: UInt8, look: Look, progress: Progress = no_progress) -> Float64:
    """Look at a picture in windows and on smaller copies; what several show is one crater.

    Args:
        picture: ``(H, W)``.
        look: The network.
        progress: Told the part of the windows that was looked at.

    Returns:
        ``(N, 7)`` log odds, x, y, radius in pixels of the picture, shape, and how much other copies and
        windows agree (see :func:`joined`); the surest first, each crater once.
    """
    height, width = picture.shape
    copies = scales(width, height, SMALLEST_COPY_PX)
    if max(width, height) <= ENLARGED_BELOW_PX:
        copies = [2.0, *copies]
    todo = windows(width, height, WINDOW_PX, OVERLAP, copies)
    parts = [np.empty((0, 6))]
    for number, window in enumerate(todo):
        progress(0.05 + 0.9 * number / len(todo), f"looking at part {number + 1} of {len(todo)}")
        parts.append(_whole(look(window.show(picture)).astype(np.float64), window, len(copies)))
    return joined(np.concatenate(parts))


def joined(candidates: Float64) -> Float64:
    """One crater of all candidates that are the same.

    It has the log odds of the surest; place, size and shape are their mean by their chances (after Solovyev
    et al. 2021, Image Vis. Comput. 107, 104117).

    Args:
        candidates: ``(M, 6)`` log odds, x, y, radius and shape.

    Returns:
        ``(N, 7)``, the surest first; the last is log(1 + s), s being the sum of the chances of the others.
    """
    from scipy.spatial import cKDTree

    if not len(candidates):
        return np.empty((0, 7))
    candidates = candidates[np.argsort(-candidates[:, 0], kind="stable")]
    chances = 1.0 / (1.0 + np.exp(-candidates[:, 0]))
    left = np.ones(len(candidates), bool)
    places = cKDTree(candidates[:, 1:3])
    found = []
    for row, one in enumerate(candidates):
        if not left[row]:
            continue
        # Of the same crater none is so much larger that its middle lies further away.
        rest = np.array(places.query_ball_point(one[1:3], one[3] * (1.0 + 1.0 / SAME_IOU)))
        rest = np.sort(rest[(rest >= row) & left[rest]])
        overlap = _overlap(one, candidates[rest])
        same, alike = rest[overlap >= SAME_IOU], rest[overlap >= ALIKE_IOU]
        left[same] = False
        _, x, y, radius, cosine, sine = np.average(candidates[alike], axis=0, weights=chances[alike])
        radius = np.exp(np.average(np.log(candidates[alike, 3]), weights=chances[alike]))
        agree = np.log1p(chances[same].sum() - chances[row])
        found.append((one[0], x, y, radius, cosine, sine, agree))
    return np.array(found, float)


def scores_of(craters: Float64, logistic: tuple[float, ...]) -> Float64:
    """``(N,)`` chances that candidates are craters, from their log odds and their size."""
    odds = logistic[0] + features(craters) @ np.array(logistic[1:])
    scores: Float64 = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    return scores


def features(craters: Float64) -> Float64:
    """``(N, 3)`` what the score is made of: the network's log odds, the logarithm of the diameter over 10 px,
    and how much other looks agree."""
    return np.column_stack([craters[:, 0], np.log(np.maximum(craters[:, 3], 0.5) / 5.0), craters[:, 6]])


def as_detections(craters: Float64, scores: Float64) -> Detections:
    """The craters as a table.

    Args:
        craters: ``(N, 7)`` as :func:`search` gives them.
        scores: ``(N,)`` in [0, 1].
    """
    rows = []
    for (_, x, y, radius, cosine, sine, _), score in zip(
        craters.tolist(), np.clip(scores, 0.0, 1.0), strict=True
    ):
        ellipse = Ellipse.squeezed(x, y, 2.0 * radius, cosine, sine)
        rows.append({"label": CRATER, "score": score, **ellipse.entry})
    if not rows:
        return Detections.empty()
    table = pd.DataFrame(rows).sort_values("score", ascending=False, kind="stable")
    return Detections(table, UNITS)


def in_words(n: int) -> str:
    """One sentence on what was found."""
    return "No craters were found." if not n else f"{n:,} crater{'' if n == 1 else 's'} found."


def _square_size(aspect: float, shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height of a ``shape`` picture once its pixels are square: none is made smaller."""
    height, width = shape[:2]
    return round(width * max(1.0, 1.0 / aspect)), round(height * max(1.0, aspect))


def _squared(picture: UInt8, aspect: float) -> UInt8:
    from PIL import Image

    size = _square_size(aspect, picture.shape)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _on_picture(craters: Float64, aspect: float, shape: tuple[int, ...]) -> Float64:
    """``(N, 7)`` craters of the picture from those of its copy with square pixels."""
    wide, high = _square_size(aspect, shape)
    scale = np.array([shape[1] / wide, shape[0] / high])
    if (scale == 1.0).all():
        return craters
    onto = Affine(np.diag(scale), 0.5 * scale - 0.5)  # their edges lie on each other
    own = craters.copy()
    for row, (_, x, y, radius, cosine, sine, _) in enumerate(craters.tolist()):
        one = Ellipse.squeezed(x, y, 2.0 * radius, cosine, sine).mapped(onto)
        squeeze, twice = (1.0 - one.axis_ratio) / (1.0 + one.axis_ratio), np.radians(2.0 * one.angle_deg)
        own[row, 1:6] = one.x, one.y, one.diameter_px / 2.0, squeeze * np.cos(twice), squeeze * np.sin(twice)
    return own


def _whole(craters: Float64, window: Window, n_copies: int) -> Float64:
    """The craters of a window in pixels of the frame, without those that another window shows better."""
    size = 2.0 * craters[:, 3]
    height, width = window.height * window.scale, window.width * window.scale
    keep = np.ones(len(craters), bool)
    if window.level < n_copies - 1:
        keep &= size <= SHOWN_PX[1]
    if window.level > 0:
        keep &= size >= SHOWN_PX[0]
    left, top, right, bottom = window.inner
    x, y, reach = craters[:, 1], craters[:, 2], 0.5 * craters[:, 3]
    for inner, room in ((left, x), (top, y), (right, width - 1 - x), (bottom, height - 1 - y)):
        if inner:
            keep &= room >= reach
    own = craters[keep]
    # The middle of the first pixel shown lies where that of the first (1 / scale) pixels of the frame does.
    own[:, 1] = (own[:, 1] + 0.5) / window.scale - 0.5 + window.x
    own[:, 2] = (own[:, 2] + 0.5) / window.scale - 0.5 + window.y
    own[:, 3] /= window.scale
    return own


def _overlap(one: Float64, others: Float64) -> Float64:
    """``(N,)`` intersection over union of a disc with others, as if discs were squares of the same area."""
    half, halves = 0.886 * one[3], 0.886 * others[:, 3]
    apart = np.abs(others[:, 1:3] - one[1:3])
    shared = np.minimum(half + halves[:, None] - apart, 2.0 * np.minimum(half, halves)[:, None])
    both = np.maximum(shared, 0.0).prod(axis=1)
    iou: Float64 = both / (4.0 * half**2 + 4.0 * halves**2 - both)
    return iou


METHOD = Method(
    name="surfaces.craters",
    title="Crater network",
    summary="Finds craters of all sizes, fresh or worn, whatever side the light comes from.",
    description=(
        "A residual U-Net says of each place whether the middle of a crater lies in it, and how large and "
        "round that is. It was trained on hillshades of lunar relief under any sun, with craters that were "
        "catalogued or drawn, and on day infrared tiles of Mars. A picture is searched in windows "
        "and on smaller copies, a small one on a larger copy too, and what they show is averaged; a map is "
        "searched with pixels that are square on the ground, for the network knows round craters. The score "
        "is calibrated to the chance that it is a crater."
    ),
    reference=(
        "Ronneberger et al. 2015, arXiv:1505.04597; Zhou et al. 2019, arXiv:1904.07850; matched as "
        "Silburt et al. 2019, Icarus 317, 27 (DeepMoon)"
    ),
    params=CraterParameters,
    analyse=analyse,
    labels=(CRATER,),
    geometry=("ellipse", "box"),
    weights=WEIGHTS,
)
