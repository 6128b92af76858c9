"""What a surface is a mix of: a classifier says of squares all over it which landform rules there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import Method, Progress
from core.models import LockedNetwork, cached_network, inference_dtype, load_state, read_card
from core.parameters import Parameters, parameter
from core.results import Detections, Result
from core.surfaces.in_light import light_on, look_in_light, sun_fact
from core.surfaces.kinds import LANDFORMS, SURE_FROM, UNSURE
from core.surfaces.places import share_name, shares, softmax, sure_classes
from core.surfaces.seen import seen_on
from core.surfaces.sunlight import SUN, UNLIT, WHY_CRATERS
from core.words import percent

if TYPE_CHECKING:
    from core.models.efficientnet import EfficientNetLite0

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WEIGHTS = "surfaces_classifier"
SQUARE_PX, STEP_PX = 224, 32
"""Side of a square as it is shown, and from one to the next."""
LONGEST_PX, SHORTEST_PX = 1344, 224
"""Longer frames are shown smaller: a landform is not told from a twentieth of it. Frames whose shorter side
is less than a square are shown larger."""
DEFAULT_TEMPERATURE = 1.0
"""Where the card says nothing."""


@dataclass(frozen=True)
class ClassifyParameters(Parameters):
    """How sure the classifier must be."""

    sure_from: float = parameter(
        SURE_FROM,
        label="Sure from",
        low=0.2,
        high=0.99,
        step=0.01,
        help="Least probability of the likeliest landform; where it is lower the place is unsure.",
        why="NASA's PDS Image Atlas shows its classes from 0.9 on.",
    )
    sun_azimuth_deg: float | None = parameter(
        None,
        **SUN,
        why=WHY_CRATERS,
    )


def analyse(frame: Frame, params: ClassifyParameters, progress: Progress) -> Result:
    """Say what a frame is a mix of.

    Returns:
        No detections; a map of the probability of each class, the mask ``classes`` with the number of the
        likeliest from 1 in the order of the card's labels, 0 where it is not sure enough or
        nothing is seen, and the part of each of what is seen, ``share_unsure`` among them.
    """
    from core.surfaces.pictures import pixel_aspect, surface_picture
    from core.surfaces.refusals import why_not_surface

    progress(0.0, "preparing the picture")
    refusal = why_not_surface(frame)
    if refusal:
        return Result(Detections.empty(), summary="No landforms.", warnings=(refusal,))
    card = read_card(WEIGHTS)
    picture, network = surface_picture(frame), classifier()
    light = light_on(
        picture,
        params.sun_azimuth_deg,
        lambda done, doing: progress(0.6 * done, doing),
        np.isfinite(frame.grey),
        pixel_aspect(frame),
    )
    progress(0.6, "looking at every part")
    logits = look_in_light(picture, light, lambda turned, _: look_around(network, turned))
    chances = softmax(logits, float(card.extra.get("temperature", DEFAULT_TEMPERATURE)))
    rows, columns = chances.shape[1:]
    seen = seen_on(frame, (rows, columns))
    mask = sure_classes(chances, params.sure_from, seen)
    facts = shares(mask, card.labels, seen)
    return Result(
        Detections.empty(),
        summary=in_words(facts, card.labels),
        maps=dict(zip(card.labels, chances, strict=True)),
        masks={"classes": mask},
        facts=facts | sun_fact(light),
        warnings=() if light.is_known else (UNLIT,),
    )


def classifier() -> LockedNetwork[EfficientNetLite0]:
    """The trained network; the process keeps it.

    Raises:
        WeightsUnavailable: The weights are missing or are not what they should be.
    """
    dtype = inference_dtype()

    def build() -> EfficientNetLite0:
        import torch

        from core.models.efficientnet import EfficientNetLite0

        network = EfficientNetLite0(len(read_card(WEIGHTS).labels)).eval()
        network.load_state_dict(load_state(WEIGHTS))
        network.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network.requires_grad_(False)

    return cached_network(WEIGHTS, build, variant=str(dtype))


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Width and height that a frame is shown with, multiples of :data:`STEP_PX`."""
    scale = min(1.0, LONGEST_PX / max(width, height))
    if min(width, height) * scale < SHORTEST_PX:
        scale = min(SHORTEST_PX / min(width, height), LONGEST_PX / max(width, height))
    wide, high = (max(STEP_PX, round(side * scale / STEP_PX) * STEP_PX) for side in (width, height))
    return wide, high


def look_around(network: LockedNetwork[EfficientNetLite0], picture: UInt8) -> Float32:
    """``(classes, h, w)`` logits of the squares around places all over a ``(H, W)`` picture.

    Beyond its edges the picture is mirrored.
    """
    import torch
    from PIL import Image

    size = shown_size(picture.shape[1], picture.shape[0])
    shown = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0))
    edge = (SQUARE_PX - STEP_PX) // 2
    shown = np.pad(shown, edge, mode="symmetric")
    with network.use() as run, torch.inference_mode():
        weight = next(run.parameters())
        given = torch.from_numpy(shown).to(weight.device, weight.dtype).div_(127.5).sub_(1.0)
        given = given[None, None].expand(1, 3, *shown.shape).contiguous(memory_format=torch.channels_last)
        logits: Float32 = run.logits_around(given, SQUARE_PX // STEP_PX)[0].float().cpu().numpy()
    return logits


def in_words(facts: dict[str, float], labels: tuple[str, ...]) -> str:
    """One sentence on the mix."""
    parts = sorted(((facts[share_name(name)], name) for name in labels), reverse=True)
    named = [f"{percent(part)} {name}" for part, name in parts if part >= 0.005]
    unsure = facts[share_name(UNSURE)]
    if not named:
        return "The network is not sure of any part of this surface."
    tail = f"; it is not sure of {percent(unsure)}" if unsure >= 0.005 else ""
    return f"This surface is {', '.join(named)}{tail}."


METHOD = Method(
    name="surfaces.classify",
    title="Landform mix",
    summary="Says which landform rules each part of the picture, and where it cannot tell.",
    description=(
        "EfficientNet-Lite0, which had learned on ImageNet, was trained further on squares of lunar relief. "
        "The side of the light is measured on craters first, and the picture turned so that it comes from "
        "the upper left, for a valley looks like a ridge under the opposite sun. It looks at a square of "
        "224 px around places 32 px apart. Its probabilities are calibrated by temperature; below 0.9 a "
        "place is called unsure."
    ),
    reference=(
        "Tan & Le 2019, arXiv:1905.11946; temperature scaling: Guo et al. 2017, arXiv:1706.04599; "
        "unsure below 0.9: Wagstaff et al. 2018, AAAI 32, 7867"
    ),
    params=ClassifyParameters,
    analyse=analyse,
    labels=LANDFORMS,
    geometry=("box",),
    weights=WEIGHTS,
)
