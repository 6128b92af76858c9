"""What every format is written from: the detections to take home and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ExportRefused
from core.export.text import fact_text, one_line
from core.frames import Frame
from core.parameters import canonical_json
from core.results import Detections, Provenance, Result
from core.shapes import Box, Line, Point, Polygon, Shape, as_points, shapes_of

LINE_WIDTH_PX = 1.0
"""Width of a line where none is known, in pixels."""
POINT_BOX_PX = 8.0
"""Side of the box of a point when neither a radius nor a FWHM is known, in pixels."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Detections ready to be written.

    Attributes:
        detections: The objects; every text is one line, and the sky position follows x, y by the frame's WCS.
        provenance: What every export carries, by name, as one line of text each.
        width, height: Of the frame, in pixels.
        frame_name: The frame's file name.
        labels: The classes in the order of their numbers.
        frame: The frame, or None when it is not at hand.
        fwhm_px: FWHM of a point source measured on the frame, in pixels, or None.
    """

    detections: Detections
    provenance: Mapping[str, str]
    width: int
    height: int
    frame_name: str
    labels: tuple[str, ...]
    frame: Frame | None = None
    fwhm_px: float | None = None

    @classmethod
    def of(
        cls,
        result: Result,
        *,
        frame: Frame | None = None,
        detections: Detections | None = None,
        extra: Mapping[str, Any] | None = None,
        labels: Sequence[str] = (),
    ) -> Catalogue:
        """Put together what is to be written; the arguments are those of :func:`core.export.export`.

        Raises:
            ExportRefused: The result does not say where it came from, or the frame is another one.
        """
        source = result.provenance
        if source is None:
            raise ExportRefused(
                "A result without provenance cannot be exported.", parameter="provenance", given=None
            )
        if frame is not None and (frame.sha256, frame.hdu, frame.plane) != (
            source.frame_sha256,
            source.hdu,
            source.plane,
        ):
            raise ExportRefused(
                f"The result is of the frame {source.frame_name!r}, not of {frame.name!r}.",
                parameter="frame",
                given=frame.sha256,
                limit=source.frame_sha256,
            )
        chosen = _written(result.detections if detections is None else detections, frame)
        found = set(chosen.table["label"])
        listed = [one_line(label) for label in labels]
        return cls(
            detections=chosen,
            provenance=_facts(source, len(chosen), extra or {}),
            width=source.width,
            height=source.height,
            frame_name=source.frame_name,
            labels=(*listed, *sorted(found - set(listed))),
            frame=frame,
            fwhm_px=result.facts.get("fwhm_px"),
        )

    @property
    def radius_px(self) -> NDArray[np.float64]:
        """``(N,)`` radius a point is drawn with: its radius, else its FWHM, else the frame's; NaN unknown."""
        table = self.detections.table
        radius = np.full(len(table), np.nan if self.fwhm_px is None else float(self.fwhm_px))
        for column in ("fwhm_px", "radius_px"):
            if column in table.columns:
                own = pd.to_numeric(table[column], errors="coerce").to_numpy(float, na_value=np.nan)
                radius = np.where(np.isfinite(own) & (own > 0), own, radius)
        return radius

    @property
    def shapes(self) -> list[Shape]:
        """The shape of each object in pixels; a point's is a point, whatever its radius."""
        return shapes_of(self.detections.table)

    @cached_property
    def outlines(self) -> list[Polygon | None]:
        """The area of each ellipse, polygon, and line with its ``width_px``; None of points and boxes."""
        table = self.detections.table
        known = table["width_px"] if "width_px" in table else pd.Series(np.nan, index=table.index)
        widths = pd.to_numeric(known, errors="coerce").to_numpy(float, na_value=np.nan)
        return [
            None
            if isinstance(shape, Point | Box)
            else shape.ribbon(float(width) if width > 0.0 else LINE_WIDTH_PX)
            if isinstance(shape, Line)
            else Polygon(as_points(shape.outline[:-1]))
            for shape, width in zip(self.shapes, widths, strict=True)
        ]

    @property
    def boxes(self) -> NDArray[np.float64]:
        """``(N, 4)`` boxes in pixels; a point's is a square about it, twice its radius wide.

        Where nothing is known of a point's size the square is :data:`POINT_BOX_PX` wide. A line's holds its
        width.
        """
        radius = np.nan_to_num(self.radius_px, nan=POINT_BOX_PX / 2)
        xy = self.detections.xy
        square = np.column_stack([xy - radius[:, None], xy + radius[:, None]])
        boxes = self.detections.boxes
        for row, (shape, outline) in enumerate(zip(self.shapes, self.outlines, strict=True)):
            if isinstance(shape, Line) and outline is not None:
                boxes[row] = outline.box
        return np.where(np.isfinite(boxes), boxes, square)

    @property
    def outer_boxes(self) -> NDArray[np.float64]:
        """``(N, 4)`` :attr:`boxes` cut at the frame's border, with 0 at the outer edge of the first pixel.

        This is how COCO and YOLO count: half a pixel more than the rest of Almagest, where 0 is the
        centre of the first pixel. A box that lies outside the frame has no width or no height.
        """
        limits = [self.width, self.height, self.width, self.height]
        whole = self.boxes + 0.5
        boxes = np.clip(whole, 0.0, limits)
        for row in np.flatnonzero((whole != boxes).any(axis=1)):
            if self.outlines[row] is not None:
                left = self.outer_outlines[row]
                boxes[row] = 0.0 if left is None else left.box
        return boxes

    @cached_property
    def outer_outlines(self) -> list[Polygon | None]:
        """:attr:`outlines` cut at the frame's border, counted as :attr:`outer_boxes` are; None beyond it."""
        frame = Box(0.0, 0.0, self.width, self.height)
        return [
            None if outline is None else Polygon(as_points(np.add(outline.points, 0.5))).within(frame)
            for outline in self.outlines
        ]


def _written(detections: Detections, frame: Frame | None) -> Detections:
    table = detections.table.copy()
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = [_text(value) for value in table[column]]
    if frame is not None and len(table) and (sky := frame.sky(table["x"], table["y"])) is not None:
        table["ra_deg"], table["dec_deg"] = sky
    return Detections(table, {column: one_line(unit) for column, unit in detections.units.items()})


def _text(value: Any) -> str | None:
    return None if value is None or value is pd.NA or value != value else one_line(value)


def _facts(source: Provenance, count: int, extra: Mapping[str, Any]) -> dict[str, str]:
    facts: dict[str, Any] = {
        "almagest_version": source.version,
        "method": source.method,
        "parameters": canonical_json(dict(source.params)),
        "weights_sha256": source.weights_sha256,
        "frame_name": source.frame_name,
        "frame_sha256": source.frame_sha256,
        "frame_width_px": source.width,
        "frame_height_px": source.height,
        "hdu": source.hdu,
        "plane": source.plane,
        "processing": source.processing or None,
        "run_started_at": source.started_at,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "n_detections": count,
        "human_edits": 0,
        **extra,
    }
    return {one_line(name): fact_text(value) for name, value in facts.items()}
