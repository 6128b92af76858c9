"""Deep-sky objects by painting: a conditional GAN paints the map that XRAI would give, and it is boxed."""

from __future__ import annotations

from dataclasses import dataclass

from core.dso.parameters import TiledParameters
from core.dso.report import WITHOUT_CLASS, UInt8, as_detections, searches_sky
from core.frames import Frame
from core.methods import Method, Progress
from core.models import chosen, read_card
from core.parameters import parameter
from core.results import Result, by_confidence

WEIGHTS = "dso_pix2pix"
MAP = "painted XRAI"
"""The map of a result."""
DEFAULT_CONFIDENCE, DEFAULT_THRESHOLD = 0.5, 0.5
"""Where the card says nothing."""


@dataclass(frozen=True)
class Pix2PixParameters(TiledParameters):
    """What the painter can be told."""

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


@searches_sky(WEIGHTS)
def analyse(frame: Frame, picture: UInt8, params: Pix2PixParameters, progress: Progress) -> Result:
    """Paint the map and box what is hot."""
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
    found = regions(painted, chosen(params.map_threshold, card.extra, "map_threshold", DEFAULT_THRESHOLD))
    scores = confidences(found, calibration_of(card.extra))
    boxes = on_frame(found.boxes, painted.shape, picture.shape)
    return by_confidence(
        as_detections(frame, boxes, scores, [WITHOUT_CLASS] * len(found)),
        chosen(params.confidence, card.extra, "confidence", DEFAULT_CONFIDENCE),
        maps={MAP: painted},
    )


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
    geometry=("box",),
    weights=WEIGHTS,
)
