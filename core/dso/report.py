"""From boxes to a result, the same for every method of deep-sky objects: the table, names, and sentences."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.dso.kinds import LABELS, count_in_words
from core.dso.parameters import DsoParameters
from core.frames import Frame
from core.methods import Progress
from core.models import ModelCard, read_card
from core.results import Detections, Result

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
P = TypeVar("P", bound=DsoParameters, contravariant=True)

WITHOUT_CLASS = "object"
"""The label of methods that cannot tell classes."""


class Search(Protocol[P]):
    """Searches the ``(H, W, 3)`` picture of a frame."""

    def __call__(self, frame: Frame, picture: UInt8, params: P, progress: Progress, /) -> Result:
        """What is there, not yet named."""


class Analysis(Protocol[P]):
    """Analyses a frame, as :class:`core.methods.Method` asks for it."""

    def __call__(self, frame: Frame, params: P, progress: Progress, /) -> Result:
        """The whole result."""


def searches_sky(weights: str) -> Callable[[Search[P]], Analysis[P]]:
    """Make the analysis of a frame from the search of a picture: what all methods of this task share.

    The frame becomes a picture as the networks know it. What cannot be one of the night sky (blank, by day,
    nothing but noise) is not searched, and a sentence says so. What is found is named where the frame has
    sky coordinates, and summed up in a sentence unless the search has said its own.

    Args:
        weights: Name of the method's card.
    """

    def decorator(search: Search[P]) -> Analysis[P]:
        @functools.wraps(search)
        def analyse(frame: Frame, params: P, progress: Progress) -> Result:
            from core.frames.night import network_picture, why_not_sky

            progress(0.0, "preparing the picture")
            picture = network_picture(frame)
            refusal = why_not_sky(picture)
            if refusal:
                return Result(Detections.empty(), summary="No deep-sky objects.", warnings=(refusal,))
            result = search(frame, picture, params, progress)
            found = result.detections
            if params.name_objects and frame.wcs is not None:
                from core.dso.names import name_detections

                progress(0.9, "naming the objects")
                found = name_detections(found, frame)
            return dataclasses.replace(
                result,
                detections=found,
                summary=result.summary or summary(found),
                warnings=(*result.warnings, *doubts(read_card(weights), frame)),
            )

        return analyse

    return decorator


def as_detections(frame: Frame, boxes: Float64, scores: Float64, labels: Sequence[str]) -> Detections:
    """The boxes as a table: with the position on the sky and the size where the frame tells.

    Args:
        frame: Where they are.
        boxes: ``(N, 4)`` in pixels.
        scores: ``(N,)``.
        labels: N classes.
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    table = pd.DataFrame(boxes, columns=["x_min", "y_min", "x_max", "y_max"])
    table["label"], table["score"] = np.array(labels, dtype=object), scores
    table["x"], table["y"] = middle[:, 0], middle[:, 1]
    sky = frame.sky(middle[:, 0], middle[:, 1]) if len(boxes) else None
    if sky is not None:
        table["ra_deg"], table["dec_deg"] = sky
    return sized(Detections(table), frame)


def sized(objects: Detections, frame: Frame) -> Detections:
    """The objects with the longer side of the box that each has now.

    Args:
        objects: What was found, or what a person made of it.
        frame: Where they are.

    Returns:
        With ``size_px`` and, where the frame tells its pixel scale, ``size_arcmin``; NaN without a box.
    """
    table, units = objects.table.copy(), {**objects.units, "size_px": "pix"}
    table["size_px"] = (objects.boxes[:, 2:] - objects.boxes[:, :2]).max(axis=1)
    if frame.pixel_scale_arcsec is not None:
        table["size_arcmin"] = table["size_px"] * frame.pixel_scale_arcsec / 60.0
        units["size_arcmin"] = "arcmin"
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
        article = "an" if str(largest["label"])[0] in "aeiou" else "a"
        which = "it" if len(table) == 1 else f"the largest, {article} {largest['label']},"
        said += f"; {which} is {largest['size_arcmin']:.3g}′ across"
    return f"{said}."


def doubts(card: ModelCard, frame: Frame) -> list[str]:
    """What a person should know of names and classes: sentences."""
    said = []
    if frame.wcs is None:
        said.append(
            "The objects cannot be named: the file does not say where on the sky the frame is. "
            "A FITS file with a WCS does, as plate solvers such as astrometry.net write it."
        )
    unknown = sorted(set(card.labels) - {*LABELS, WITHOUT_CLASS})
    if unknown:
        said.append(f"These weights also know {', '.join(unknown)}, which this page has no words for.")
    return said
