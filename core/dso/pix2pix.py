"""Deep-sky objects by painting: a conditional GAN paints the map that XRAI would give, and it is boxed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.dso.report import WITHOUT_CLASS, as_detections, doubts, finish, nothing_to_search
from core.frames import Frame
from core.methods import Method, Progress
from core.models import read_card
from core.parameters import Parameters, parameter
from core.results import Result

WEIGHTS = "dso_pix2pix"
MAP = "painted XRAI"
"""The map of a result."""
DEFAULT_CONFIDENCE, DEFAULT_THRESHOLD = 0.5, 0.5
"""Where the card says nothing."""


@dataclass(frozen=True)
class Pix2PixParameters(Parameters):
    """What the painter can be told."""

    confidence: float | None = parameter(
        None,
        label="Confidence",
        low=0.01,
        high=0.99,
        step=0.01,
        help="Least confidence of an object; auto takes the one that was best on skies it had not seen.",
        why="Chosen with the training, so that at most one empty frame in twenty gets a box.",
    )
    map_threshold: float | None = parameter(
        None,
        label="Map threshold",
        low=0.05,
        high=0.95,
        step=0.05,
        help="What is painted at least so hot is boxed; auto takes the one that was best.",
        why="Chosen with the training; one half is where XRAI itself is boxed best.",
        advanced=True,
    )
    tile_px: int = parameter(
        640,
        label="Tile",
        unit="px",
        low=320,
        high=1280,
        step=32,
        help="Side of the windows that larger frames are painted in.",
        why="What it was trained on.",
        advanced=True,
    )
    overlap: float = parameter(
        0.25,
        label="Overlap",
        low=0.0,
        high=0.6,
        step=0.05,
        help="Part of a window that the next one shares, so that they fade into each other.",
        why="Objects larger than a quarter of a window are painted on a smaller copy of the frame.",
        advanced=True,
    )
    name_objects: bool = parameter(
        True,
        label="Name the objects",
        help="Look each object up in OpenNGC where the frame has sky coordinates.",
        why="It takes a fraction of a second and no network.",
    )


def analyse(frame: Frame, params: Pix2PixParameters, progress: Progress) -> Result:
    """Paint the map and box what is hot.

    What cannot be a picture of the night sky (blank, daylight, nothing but noise) gives no boxes and a
    sentence that says so.
    """
    from core.dso.picture import network_picture, why_not_sky

    progress(0.0, "preparing the picture")
    picture = network_picture(frame)
    refusal = why_not_sky(picture)
    if refusal:
        return nothing_to_search(refusal)

    from core.dso.pix2pix_map import calibration_of, confidences, on_frame, paint_frame, regions
    from core.dso.pix2pix_network import pix2pix_network

    card = read_card(WEIGHTS)
    painted = paint_frame(
        pix2pix_network(WEIGHTS),
        picture,
        params.tile_px,
        params.overlap,
        lambda fraction, doing: progress(0.05 + 0.8 * fraction, doing),
    )
    progress(0.85, "boxing what is hot")
    found = regions(painted, _chosen(params.map_threshold, card.extra, "map_threshold", DEFAULT_THRESHOLD))
    scores = confidences(found, calibration_of(card.extra))
    boxes = on_frame(found.boxes, painted.shape, picture.shape)
    return finish(
        frame,
        as_detections(frame, boxes, scores, [WITHOUT_CLASS] * len(found)),
        _chosen(params.confidence, card.extra, "confidence", DEFAULT_CONFIDENCE),
        name_objects=params.name_objects,
        progress=progress,
        warnings=doubts(card, frame),
        maps={MAP: painted},
    )


def _chosen(given: float | None, extra: Mapping[str, Any], name: str, default: float) -> float:
    """What a person chose, or what the card says."""
    return float(extra.get(name, default)) if given is None else given


METHOD = Method(
    name="dso.pix2pix",
    title="Pix2Pix · painted explanation",
    summary="Paints in a fraction of a second where an explanation by XRAI would be hot, and boxes that.",
    description=(
        "A conditional GAN (U-Net generator, 70 × 70 PatchGAN critic, L1 weight 100) trained to paint the "
        "map that XRAI gives of the ResNet-50 classifier. It draws no noise: a frame always gives one map. "
        "Frames larger than a tile are painted in overlapping windows at several scales. A region's "
        "confidence is calibrated on scenes that were not trained on. It tells no classes."
    ),
    reference=(
        "Isola et al. 2017, arXiv:1611.07004; Kapishnikov et al. 2019, arXiv:1906.02825; combination and "
        "task after Parisot & Jaziri 2024 (DeepSpaceYolo)"
    ),
    params=Pix2PixParameters,
    analyse=analyse,
    labels=(WITHOUT_CLASS,),
    geometry="box",
    weights=WEIGHTS,
)
