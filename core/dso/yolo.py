"""Galaxies, nebulae and clusters by YOLO26, trained on drawn and photographed skies of smart telescopes."""

from __future__ import annotations

from dataclasses import dataclass

from core.dso.kinds import LABELS
from core.dso.report import as_detections, doubts, finish, nothing_to_search
from core.frames import Frame
from core.methods import Method, Progress
from core.models import read_card
from core.parameters import Parameters, parameter
from core.results import Result

WEIGHTS = "dso_yolo"
LEAST_SCORE = 0.02
"""Boxes below are not worth keeping even as candidates that were turned down."""
DEFAULT_CONFIDENCE, DEFAULT_ZOOMS = 0.25, (1.0,)
"""Where the card says nothing."""


@dataclass(frozen=True)
class YoloParameters(Parameters):
    """What the detector can be told."""

    confidence: float | None = parameter(
        None,
        label="Confidence",
        low=0.02,
        high=0.99,
        step=0.01,
        help="Least confidence of an object; auto takes the one that was best on skies it had not seen.",
        why="Chosen with the training, so that at most one empty frame in twenty gets a box.",
    )
    tile_px: int = parameter(
        640,
        label="Tile",
        unit="px",
        low=320,
        high=1280,
        step=32,
        help="Side of the windows that larger frames are searched in.",
        why="What it was trained on.",
        advanced=True,
    )
    overlap: float = parameter(
        0.25,
        label="Overlap",
        low=0.0,
        high=0.6,
        step=0.05,
        help="Part of a window that the next one shares, so that what one cuts is whole in the other.",
        why="Objects larger than a quarter of a window are found on a smaller copy of the frame.",
        advanced=True,
    )
    name_objects: bool = parameter(
        True,
        label="Name the objects",
        help="Look each object up in OpenNGC where the frame has sky coordinates.",
        why="It takes a fraction of a second and no network.",
    )


def analyse(frame: Frame, params: YoloParameters, progress: Progress) -> Result:
    """Find deep-sky objects, as boxes.

    What cannot be a picture of the night sky (blank, daylight, nothing but noise) gives no boxes and a
    sentence that says so.
    """
    from core.dso.picture import network_picture, why_not_sky

    progress(0.0, "preparing the picture")
    picture = network_picture(frame)
    refusal = why_not_sky(picture)
    if refusal:
        return nothing_to_search(refusal)

    from core.dso.yolo_network import detect, yolo_network

    card = read_card(WEIGHTS)
    confidence = params.confidence
    if confidence is None:
        confidence = float(card.extra.get("confidence", DEFAULT_CONFIDENCE))
    found = detect(
        yolo_network(WEIGHTS),
        picture,
        min(LEAST_SCORE, confidence),
        params.tile_px,
        params.overlap,
        [float(zoom) for zoom in card.extra.get("zooms", DEFAULT_ZOOMS)],
        lambda fraction, doing: progress(0.05 + 0.85 * fraction, doing),
    )
    return finish(
        frame,
        as_detections(frame, found.boxes, found.scores, [card.labels[n] for n in found.labels]),
        confidence,
        name_objects=params.name_objects,
        progress=progress,
        warnings=doubts(card, frame),
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
    geometry="box",
    weights=WEIGHTS,
)
