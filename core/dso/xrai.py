"""Deep-sky objects by explanation: a classifier says that there is one, XRAI what made it say so."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.dso.classifier import SIDE_PX, WEIGHTS, classifier, looked_at, normalised, squares, threshold
from core.dso.kinds import LABELS
from core.dso.parameters import DsoParameters
from core.dso.report import UInt8, as_detections, searches_sky
from core.errors import ParameterInvalid
from core.frames import Frame
from core.methods import Method, Progress, no_progress
from core.models import read_card
from core.parameters import parameter
from core.results import Detections, Result, by_confidence

MAP, CAM = "XRAI", "Grad-CAM++"
"""The maps of a result."""
BASELINE_NAMES = ("auto", "black and white", "black", "sky", "sky and white")
BOX_ROOM, WHY_ROOM = 1.6, 1.8
"""Sides of the view in which a box is judged and explained, in longest sides of the box."""
LEAST_VIEW_PX = 96.0
"""Smaller views are enlarged so much that nothing looks as it did in the training."""
WHY_STEPS = 6


@dataclass(frozen=True)
class XraiParameters(DsoParameters):
    """What the explanation can be told."""

    details: int = parameter(
        2,
        label="Close looks",
        low=0,
        high=24,
        step=1,
        help="Windows explained besides the whole frame, where the classifier sees most.",
        why="Each takes about a second on two cores; objects lost in the whole frame come first.",
    )
    map_threshold: float | None = parameter(
        None,
        label="Map threshold",
        low=0.01,
        high=0.95,
        step=0.01,
        help="What is at least so hot in the map is boxed; auto takes the one that was best.",
        why="Measured on scenes the classifier had not seen.",
        advanced=True,
    )
    baseline: str = parameter(
        "auto",
        label="Baseline",
        choices=BASELINE_NAMES,
        help="The picture without anything that the explanation starts from.",
        why="Measured on scenes the classifier had not seen.",
        advanced=True,
    )
    steps: int | None = parameter(
        None,
        label="Steps",
        low=2,
        high=100,
        step=1,
        help="Gradients between each baseline and the picture: more are slower and smoother.",
        why="As few as give the same boxes.",
        advanced=True,
    )


@searches_sky(WEIGHTS)
def analyse(frame: Frame, picture: UInt8, params: XraiParameters, progress: Progress) -> Result:
    """Ask the classifier whether there is anything, explain where, and box it."""
    card = read_card(WEIGHTS)
    limit = threshold() if params.confidence is None else params.confidence
    clock = [time.perf_counter()]
    network = classifier()
    height, width = picture.shape[:2]
    views = squares(width, height)
    chances = looked_at(network, picture, views, _part(progress, 0.02, 0.3))
    clock.append(time.perf_counter())
    highest = float(chances[:, 0].max())
    facts = {"any_object_probability": highest}
    if highest < limit:
        return Result(
            Detections.empty(),
            summary=_nothing(highest, limit),
            facts={**facts, "confidence_limit": limit},
            timings={"looking": clock[1] - clock[0]},
        )

    from core.dso.classifier import prepared
    from core.dso.xrai_views import (
        boxes_of,
        cam_of,
        explained_views,
        joined_map,
        square_around,
        xrai_settings,
    )

    chosen = settings_of(card.extra, params)
    explained = explained_views(
        network,
        picture,
        views,
        chances[:, 0],
        limit,
        xrai_settings(chosen["baseline"], chosen["steps"]),
        params.details,
        _part(progress, 0.3, 0.8),
    )
    clock.append(time.perf_counter())
    progress(0.8, "boxing what is hot")
    found = boxes_of(explained, chosen["map_threshold"], width, height)
    around = [square_around(box, width, height, BOX_ROOM, LEAST_VIEW_PX) for box in found.boxes]
    of_boxes = looked_at(network, picture, around)
    cams = [(one.square, cam_of(network, prepared(one.square.cut(picture)))) for one in explained]
    everything = as_detections(
        frame,
        found.boxes,
        of_boxes[:, 0].astype(np.float64),
        [LABELS[int(n)] for n in of_boxes[:, 1:].argmax(axis=1)],
    )
    clock.append(time.perf_counter())
    result = by_confidence(
        everything,
        limit,
        facts={**facts, "explained_views": float(len(explained))},
        maps={
            MAP: joined_map(
                [(one.square, one.hot() * np.float32(one.chance)) for one in explained], width, height
            ),
            CAM: joined_map(cams, width, height),
        },
    )
    steps = dict(zip(("looking", "explaining", "boxing"), np.diff(clock).tolist(), strict=True))
    said = "" if len(result.detections) else _no_box(highest)
    return dataclasses.replace(result, summary=said, timings=steps)


@dataclass(frozen=True, eq=False)
class Why:
    """Why there should be an object in a box.

    Attributes:
        relevance: ``(h, w)`` float32 over the frame at a resolution of its own, from 0 to 1 at the hottest; 0
            outside of the view.
        view: ``(4,)`` the view that was explained, as a box on the frame.
        probabilities: Calibrated, by ``"any"`` and each class.
        label: The class that was explained; ``"any"`` where the classifier sees nothing.
        inside_share: Share of what speaks for it that lies in the box, in [0, 1].
        sentence: The same for a person.
        seconds: It took.
    """

    relevance: NDArray[np.float32]
    view: NDArray[np.float64]
    probabilities: Mapping[str, float]
    label: str
    inside_share: float
    sentence: str
    seconds: float


def why(frame: Frame, box: ArrayLike, progress: Progress = no_progress) -> Why:
    """Explain a box of any method: what in it, and around it, makes the classifier see an object.

    Args:
        frame: The frame.
        box: ``(4,)`` x_min, y_min, x_max, y_max in pixels.
        progress: Told on the way; it may raise to stop the work.

    Raises:
        ParameterInvalid: The box is not four finite numbers in order, or lies outside of the frame.
        WeightsUnavailable: The classifier is not installed here.
    """
    from core.frames.night import network_picture

    start = time.perf_counter()
    corners = _checked(box, frame)
    network = classifier()

    from core.dso.classifier import OUTPUTS, prepared
    from core.dso.xrai_views import joined_map, named, relevance_of, resized, square_around, xrai_settings
    from core.scoring.maps import relevance_mass

    progress(0.0, "preparing the picture")
    picture = network_picture(frame)
    square = square_around(corners, frame.width, frame.height, WHY_ROOM, LEAST_VIEW_PX)
    chances = looked_at(network, picture, [square])[0]
    index = 1 + int(chances[1:].argmax()) if chances[0] >= 0.5 else 0
    chosen = settings_of(read_card(WEIGHTS).extra, XraiParameters(steps=WHY_STEPS))
    values = relevance_of(
        network,
        prepared(square.cut(picture)),
        xrai_settings(chosen["baseline"], chosen["steps"]),
        index,
        _part(progress, 0.1, 0.9),
    )
    positive: NDArray[np.float32] = np.maximum(values, np.float32(0.0))
    top, left = max(square.y, 0), max(square.x, 0)
    shown = resized(positive, square.side)[top - square.y :, left - square.x :]
    on_frame = shown[: frame.height - top, : frame.width - left]
    inside = relevance_mass(on_frame, (corners - np.array([left, top, left, top]))[None])
    inside = 0.0 if np.isnan(inside) else inside
    relevance = joined_map([(square, positive)], frame.width, frame.height)
    relevance /= np.float32(max(float(relevance.max()), 1e-30))
    view = np.array([square.x, square.y, square.x + square.side, square.y + square.side], float) - 0.5
    sentence = _because(chances, OUTPUTS[index], inside)
    progress(1.0, "done")
    seconds = time.perf_counter() - start
    return Why(relevance, view, named(chances), OUTPUTS[index], inside, sentence, seconds)


def xrai_map(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """XRAI of a whole square picture as the method makes it, for the logit of any object.

    The network is built once and kept. A map takes some gradients of the network, as many as the card's
    steps for each baseline, and the pieces.

    Args:
        picture: ``(224, 224, 3)`` levels; other squares are resized.

    Returns:
        ``(224, 224)`` mean attribution of each pixel's region, in logits a pixel; negative where the picture
        speaks against.

    Raises:
        ParameterInvalid: The picture is not ``(S, S, 3)``.
        WeightsUnavailable: The classifier is not installed here.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.shape[0] != picture.shape[1] or not picture.size:
        raise ParameterInvalid(
            f"picture must be (S, S, 3), got {picture.shape}.",
            parameter="picture",
            given=picture.shape,
            limit="(S, S, 3)",
        )
    network = classifier()

    from core.dso.classifier import prepared
    from core.dso.xrai_views import relevance_of, xrai_settings

    chosen = settings_of(read_card(WEIGHTS).extra, XraiParameters())
    view = normalised(picture) if len(picture) == SIDE_PX else prepared(picture)
    return relevance_of(network, view, xrai_settings(chosen["baseline"], chosen["steps"]))


def settings_of(extra: Mapping[str, Any], params: XraiParameters) -> dict[str, Any]:
    """Baseline, steps and map threshold: what a person chose, else what the card has, else the defaults."""
    from core.dso.xrai_views import DEFAULTS

    kept = {**DEFAULTS, **extra.get("xrai", {})}
    given = {
        "baseline": None if params.baseline == "auto" else params.baseline,
        "steps": params.steps,
        "map_threshold": params.map_threshold,
    }
    return {name: kept[name] if value is None else value for name, value in given.items()}


def _part(progress: Progress, begin: float, end: float) -> Progress:
    return lambda fraction, doing: progress(begin + (end - begin) * fraction, doing)


def _nothing(highest: float, limit: float) -> str:
    return (
        f"No deep-sky objects were found: for the classifier there is something with a probability of "
        f"{_percent(highest)}, and it looks closer from {_percent(limit)}."
    )


def _no_box(highest: float) -> str:
    return (
        f"The classifier sees something (probability {_percent(highest)}), "
        "but no part of the frame stands out enough to be boxed."
    )


def _because(chances: Sequence[float] | NDArray[np.float32], label: str, inside: float) -> str:
    if label == "any":
        said = _percent(float(chances[0]))
        return f"The classifier sees nothing here: the probability of any object is {said}."
    chance = float(chances[1 + LABELS.index(label)])
    return (
        f"The classifier sees an object with a probability of {_percent(float(chances[0]))}, most likely a "
        f"{label} ({_percent(chance)}); {_percent(inside)} of what speaks for it lies in the box."
    )


def _percent(share: float) -> str:
    if share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if share > 0.99 else f"{100.0 * share:.0f} %"


def _checked(box: ArrayLike, frame: Frame) -> NDArray[np.float64]:
    corners: NDArray[np.float64] = np.asarray(box, float).ravel()
    size = f"{frame.width} × {frame.height} px"
    limit = f"four numbers x_min < x_max, y_min < y_max on the frame of {size}"
    if len(corners) == 4 and np.isfinite(corners).all() and (corners[:2] < corners[2:]).all():
        edges = np.array([frame.width, frame.height] * 2) - 0.5
        inside: NDArray[np.float64] = np.clip(corners, -0.5, edges)
        if (inside[:2] < inside[2:]).all():
            return inside
    raise ParameterInvalid(f"box must be {limit}, got {box!r}.", parameter="box", given=box, limit=limit)


METHOD = Method(
    name="dso.xrai",
    title="XRAI · classifier explained",
    summary="Says whether there is anything at all, and shows what made it say so; boxes are rough.",
    description=(
        "A ResNet-50, trained from nothing to tell views with a galaxy, nebula or cluster from empty ones, "
        "looks at the frame and at overlapping windows of it. Where it sees something, XRAI ranks the "
        "regions that made it say so (integrated gradients over pieces of several sizes), and what is hot "
        "is boxed; the classifier then judges each box."
    ),
    reference=(
        "Kapishnikov et al. 2019, arXiv:1906.02825 (XRAI); He et al. 2016, arXiv:1512.03385; Chattopadhay et "
        "al. 2018, arXiv:1710.11063 (Grad-CAM++); for smart-telescope images after Parisot & Jaziri 2024"
    ),
    params=XraiParameters,
    analyse=analyse,
    labels=LABELS,
    geometry=("box",),
    weights=WEIGHTS,
)
