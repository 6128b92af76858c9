"""Galaxies, nebulae and clusters by YOLO26, trained on drawn and photographed skies of smart telescopes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.dso.kinds import LABELS, count_in_words
from core.frames import Frame
from core.methods import Method, Progress
from core.models import ModelCard, read_card
from core.parameters import Parameters, parameter
from core.results import Detections, Result

WEIGHTS = "dso_yolo"
LEAST_SCORE = 0.02
"""Boxes below are not worth keeping even as candidates that were turned down."""
DEFAULT_CONFIDENCE, DEFAULT_ZOOM = 0.25, 1.0
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
        return Result(Detections.empty(), summary="No deep-sky objects.", warnings=(refusal,))

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
        float(card.extra.get("zoom", DEFAULT_ZOOM)),
        lambda fraction, doing: progress(0.05 + 0.85 * fraction, doing),
    )
    everything = as_detections(frame, found.boxes, found.scores, [card.labels[n] for n in found.labels])
    seen = everything.table["score"] >= confidence
    detections, rejected = everything.where(seen), everything.where(~seen)
    rejected = Detections(
        rejected.table.assign(reason=f"confidence below {confidence:.2f}"), everything.units
    )
    warnings = (*_doubts(card, frame),)
    if params.name_objects and frame.wcs is not None:
        from core.dso.names import name_detections

        progress(0.9, "naming the objects")
        detections = name_detections(detections, frame)
    return Result(
        detections=detections,
        rejected=rejected,
        summary=summary(detections),
        facts={"confidence_limit": confidence},
        warnings=warnings,
    )


def as_detections(frame: Frame, boxes: np.ndarray, scores: np.ndarray, labels: list[str]) -> Detections:
    """The boxes as a table: with the position on the sky and the size where the frame tells.

    Args:
        frame: Where they are.
        boxes: ``(N, 4)`` in pixels.
        scores: ``(N,)``.
        labels: N classes.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    middle, size = (low + high) / 2.0, high - low
    table = pd.DataFrame(boxes, columns=["x_min", "y_min", "x_max", "y_max"])
    table["label"], table["score"] = np.array(labels, object), scores
    table["x"], table["y"] = middle[:, 0], middle[:, 1]
    table["size_px"] = size.max(axis=1, initial=0.0) if len(size) else np.empty(0)
    units = {"size_px": "pix"}
    if frame.pixel_scale_arcsec is not None:
        table["size_arcmin"] = table["size_px"] * frame.pixel_scale_arcsec / 60.0
        units["size_arcmin"] = "arcmin"
    sky = frame.sky(middle[:, 0], middle[:, 1]) if len(boxes) else None
    if sky is not None:
        table["ra_deg"], table["dec_deg"] = sky
    return Detections(table, units)


def summary(detections: Detections) -> str:
    """One sentence on what was found."""
    table = detections.table
    if table.empty:
        return "No deep-sky objects were found."
    said = f"{count_in_words(list(table['label']))} found"
    named = [name for name in table["name"] if name is not None]
    if named:
        more = f" and {len(named) - 3} more with a name" if len(named) > 3 else ""
        said += f": {', '.join(named[:3])}{more}"
    if "size_arcmin" in table:
        largest = table.iloc[int(table["size_arcmin"].to_numpy(float).argmax())]
        said += f"; the largest, a {largest['label']}, is {largest['size_arcmin']:.3g}′ across"
    return f"{said}."


def _doubts(card: ModelCard, frame: Frame) -> list[str]:
    said = []
    if frame.wcs is None:
        said.append(
            "The objects cannot be named: the file does not say where on the sky the frame is. "
            "A FITS file with a WCS does, as plate solvers such as astrometry.net write it."
        )
    unknown = sorted(set(card.labels) - set(LABELS))
    if unknown:
        said.append(f"These weights also know {', '.join(unknown)}, which this page has no words for.")
    return said


METHOD = Method(
    name="dso.yolo",
    title="YOLO26 · object detector",
    summary="Boxes galaxies, nebulae and clusters in a fraction of a second; faint nebulosity is its limit.",
    description=(
        "A convolutional detector without suppression of overlapping boxes (end to end), trained from "
        "nothing on scenes composed of photographs and simulations as smart telescopes show them. Frames "
        "larger than a tile are searched in overlapping windows at several scales, and the boxes are joined."
    ),
    reference=(
        "Jocher et al., Ultralytics YOLO26 (github.com/ultralytics/ultralytics); Redmon et al. 2016, "
        "arXiv:1506.02640; data set and task after Parisot & Jaziri 2024 (DeepSpaceYolo)"
    ),
    params=YoloParameters,
    analyse=analyse,
    labels=LABELS,
    geometry="box",
    weights=WEIGHTS,
)
