"""What was found, drawn over a picture: markers, boxes and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from core.export.lettering import font, write
from core.export.markers import Ink, Marker, draw_box, draw_line, draw_marker
from core.results import Detections

MAX_NAMES = 60
"""With more names than this the text would cover the picture, and none is written."""
HALO = (0, 0, 0, 150)
"""Drawn under every line, so that it shows on a bright nebula and on a dark sky alike."""

_LARGEST_PX, _SMALLEST_PX = 6.0, 3.5  # radius of a marker of unknown size, on a picture of 1200 px
_LINE_PX, _NAME_PX = 1.5, 15.0


@dataclass(frozen=True)
class PngLayer:
    """Detections of one method or class as they are drawn.

    Attributes:
        name: What the legend calls it.
        detections: The objects. An ellipse, a line, a polygon or a box is drawn as it is, and a point as the
            marker about x, y, which also tells the layer of the others unless it is ``"box"``.
        colour: ``"#rrggbb"``.
        marker: Its shape; give each layer its own, so that colour is never alone.
        radius_px: ``(N,)`` radius of each marker in pixels of the frame; NaN or None for the smallest.
    """

    name: str
    detections: Detections
    colour: str = "#4cc9f0"
    marker: Marker = "circle"
    radius_px: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class PlacedLayer:
    """A layer with its places on the canvas, in the canvas's pixels.

    Attributes:
        layer: The layer.
        centres: ``(N, 2)`` places of x, y.
        corners: ``(N, 2, 2)`` two opposite corners of each box; NaN where there is none.
        outlines: What is drawn in place of a box: ``(M, 2)`` points of a line, or None.
        scale: Canvas pixels for one pixel of the frame.
        unit: Canvas pixels for one pixel of a picture of 1200 px: the measure of every line and letter.
    """

    layer: PngLayer
    centres: NDArray[np.float64]
    corners: NDArray[np.float64]
    outlines: Sequence[NDArray[np.float64] | None]
    scale: float
    unit: float

    def draw_shapes(self, draw: ImageDraw.ImageDraw, ink: Ink, times: float, smallest: float) -> None:
        """Draw every marker and box in one ink, with lines ``times`` as wide as usual."""
        width = _LINE_PX * self.unit * times
        radii = self._radii(smallest)
        for centre, corner, outline, radius in zip(
            self.centres, self.corners, self.outlines, radii, strict=True
        ):
            at = (float(centre[0]), float(centre[1]))
            if outline is not None:
                draw_line(draw, [(float(u), float(v)) for u, v in outline], ink, width)
                radius = smallest
            elif np.isfinite(corner).all():
                draw_box(draw, (*corner.min(axis=0), *corner.max(axis=0)), ink, width)
                radius = smallest
            if not np.isfinite(corner).all() or self.layer.marker != "box":
                draw_marker(draw, self.layer.marker, at, radius, ink, width)

    def write_names(self, draw: ImageDraw.ImageDraw, smallest: float) -> None:
        """Write the name beside each object, or the label where there is a box and no name."""
        table = self.layer.detections.table
        boxed = [bool(np.isfinite(corner).all()) for corner in self.corners]
        names = [
            name or (label if box else "")
            for name, label, box in zip(table["name"], table["label"], boxed, strict=True)
        ]
        if sum(map(bool, names)) > MAX_NAMES:
            return
        face, gap = font(_NAME_PX * self.unit), 3 * self.unit
        places = zip(names, self.centres, self.corners, self._radii(smallest), boxed, strict=True)
        for name, centre, corner, radius, box in places:
            if name:
                beside = (centre[0] + radius + gap, centre[1])
                above = (corner[:, 0].min() + gap, corner[:, 1].min() - 10 * self.unit)
                write(draw, above if box else beside, name, face, self.layer.colour, "lm", halo=True)

    def _radii(self, smallest: float) -> NDArray[np.float64]:
        own = self.layer.radius_px
        radii = np.full(len(self.centres), np.nan) if own is None else own * self.scale
        return np.fmax(radii, smallest)


def draw_layers(draw: ImageDraw.ImageDraw, layers: Sequence[PlacedLayer], area_px: float) -> None:
    """Draw layers on a transparent canvas of ``area_px`` pixels, the last one on top.

    All halos lie under all lines, or one marker would cut into the next where they crowd.
    """
    count = max(1, *(len(placed.centres) for placed in layers)) if layers else 1
    room = 0.2 * (area_px / count) ** 0.5
    sizes = [float(np.clip(room, _SMALLEST_PX * p.unit, _LARGEST_PX * p.unit)) for p in layers]
    for placed, smallest in zip(layers, sizes, strict=True):
        placed.draw_shapes(draw, HALO, 2.2, smallest)
    for placed, smallest in zip(layers, sizes, strict=True):
        placed.draw_shapes(draw, placed.layer.colour, 1.0, smallest)
    for placed, smallest in zip(layers, sizes, strict=True):
        placed.write_names(draw, smallest)
