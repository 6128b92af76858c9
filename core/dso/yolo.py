"""Galaxies, nebulae and clusters by YOLO26, trained on drawn and photographed skies of smart telescopes."""

from __future__ import annotations

from dataclasses import dataclass

from core.dso.kinds import LABELS
from core.dso.parameters import TiledParameters
from core.dso.report import UInt8, as_detections, searches_sky
from core.frames import Frame
from core.methods import Method, Progress
from core.models import chosen, read_card
from core.results import Result, by_confidence

WEIGHTS = "dso_yolo"
LEAST_SCORE = 0.02
"""Boxes below are not worth keeping even as candidates that were turned down."""
DEFAULT_CONFIDENCE, DEFAULT_ZOOMS = 0.25, (1.0,)
"""Where the card says nothing."""


@dataclass(frozen=True)
class YoloParameters(TiledParameters):
    """What the detector can be told."""


@searches_sky(WEIGHTS)
def analyse(frame: Frame, picture: UInt8, params: YoloParameters, progress: Progress) -> Result:
    """Find deep-sky objects, as boxes."""
    from core.dso.yolo_network import detect, yolo_network

    card = read_card(WEIGHTS)
    confidence = chosen(params.confidence, card.extra, "confidence", DEFAULT_CONFIDENCE)
    found = detect(
        yolo_network(WEIGHTS),
        picture,
        min(LEAST_SCORE, confidence),
        params.tile_px,
        params.overlap,
        [float(zoom) for zoom in card.extra.get("zooms", DEFAULT_ZOOMS)],
        lambda fraction, doing: progress(0.05 + 0.85 * fraction, doing),
    )
    return by_confidence(
        as_detections(frame, found.boxes, found.scores, [card.labels[n] for n in found.labels]),
        confidence,
    )


METHOD = Method(
    name="dso.yolo",
    title="YOLO26 · object detector",
    summary="Boxes galaxies, nebulae and clusters in a fraction of a second; faint nebulosity is its limit.",
    description=(
        "A convolutional detector, trained from nothing on scenes composed of photographs and simulations as "
        "smart telescopes show them. A picture is seen at three scales, and what is found is averaged "
        "(weighted boxes fusion). Frames larger than a tile are searched in overlapping windows at several "
        "scales, and the boxes are joined."
    ),
    reference=(
        "Jocher et al., Ultralytics YOLO26 (github.com/ultralytics/ultralytics); Redmon et al. 2016, "
        "arXiv:1506.02640; Solovyev et al. 2021, Image Vis. Comput. 107, 104117; "
        "data set and task after Parisot & Jaziri 2024 (DeepSpaceYolo)"
    ),
    params=YoloParameters,
    analyse=analyse,
    labels=LABELS,
    geometry=("box",),
    weights=WEIGHTS,
)
