"""The scale bar and the compass of an annotated picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ImageDraw

from core.export.lettering import font, write
from core.export.markers import Point, draw_line
from core.frames import Frame

ToView = Callable[[Any, Any], tuple[Any, Any]]
"""Maps frame pixels ``x, y`` to picture pixels ``u, v``, both 0-based at the first pixel's centre."""

_INK = "#f2f4f8"
_STEP_PX = 0.01  # short, so that the arrows are true a pixel away from a pole
Box = tuple[float, float, float, float]
_UNITS = (("deg", 3600.0), ("arcmin", 60.0), ("arcsec", 1.0))


@dataclass(frozen=True)
class ScaleBar:
    """A round length that fits a picture.

    Attributes:
        length_px: Its length in picture pixels.
        text: What it measures, with its unit.
    """

    length_px: float
    text: str


@dataclass(frozen=True)
class Compass:
    """Where north and east lie on a picture: unit vectors ``(du, dv)``, v downwards."""

    north: tuple[float, float]
    east: tuple[float, float]


def scale_bar(longest_px: float, zoom: float, arcsec_per_px: float | None) -> ScaleBar:
    """The longest round scale bar that fits.

    Args:
        longest_px: The room there is, in picture pixels.
        zoom: Picture pixels for one pixel of the frame.
        arcsec_per_px: The frame's pixel scale; without one the bar measures pixels of the frame.
    """
    if arcsec_per_px is None:
        length = _round_down(longest_px / zoom)
        return ScaleBar(length * zoom, f"{length:g} px")
    room = longest_px / zoom * arcsec_per_px
    name, arcsec = next((unit for unit in _UNITS if room >= unit[1]), _UNITS[-1])
    length = _round_down(room / arcsec)
    return ScaleBar(length * arcsec / arcsec_per_px * zoom, f"{length:g} {name}")


def _round_down(value: float) -> float:
    """The largest of 1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500, … that is not above ``value``."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1.0, 1.5, 2.0, 3.0, 5.0) if power == 10.0 else (1.0, 2.0, 5.0)
    return max(step for step in steps if step * power <= value * (1 + 1e-9)) * power


def compass_of(frame: Frame, to_view: ToView) -> Compass | None:
    """North and east at the middle of a frame as a picture shows it; None without a WCS."""
    x, y = (frame.width - 1) / 2, (frame.height - 1) / 2
    sky = frame.sky(x, y)
    if sky is None or frame.pixel_scale_arcsec is None or not np.isfinite(sky).all():
        return None
    ra, dec = float(sky[0][0]), float(sky[1][0])
    step = _STEP_PX * frame.pixel_scale_arcsec / 3600
    # North is sought away from the nearer pole: no declination lies beyond it.
    northward = -1.0 if dec > 0 else 1.0
    north = frame.pixel(ra, dec + step * northward)
    east = frame.pixel(ra + step / max(math.cos(math.radians(dec)), 1e-9), dec)
    if north is None or east is None:
        return None
    origin = np.array(to_view(x, y), float)
    arrows = []
    for (to_x, to_y), way in ((north, northward), (east, 1.0)):
        vector = (np.array(to_view(float(to_x[0]), float(to_y[0])), float) - origin) * way
        length = float(np.hypot(*vector))
        if not math.isfinite(length) or length == 0:
            return None
        arrows.append((float(vector[0] / length), float(vector[1] / length)))
    return Compass(north=arrows[0], east=arrows[1])


def draw_skymarks(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], bar: ScaleBar, compass: Compass | None, unit: float
) -> list[Box]:
    """Draw the scale bar at the bottom left and the compass at the bottom right of a canvas.

    Args:
        draw: Of the canvas.
        size: Its width and height in pixels.
        bar: The scale bar, in pixels of the canvas.
        compass: Where north and east lie, or None.
        unit: Pixels for one pixel of a picture of 1200 px.

    Returns:
        The boxes they lie in, left, top, right, bottom, for a darker ground.
    """
    wide, high = size
    margin, face = 30 * unit, font(17 * unit)
    left, right, floor, tick = margin, margin + bar.length_px, high - margin, 6 * unit
    for points in (
        [(left, floor), (right, floor)],
        [(left, floor - tick), (left, floor + tick)],
        [(right, floor - tick), (right, floor + tick)],
    ):
        draw_line(draw, points, _INK, 2 * unit)
    text = ((left + right) / 2, floor - 9 * unit)
    write(draw, text, bar.text, face, _INK, "mb")
    text_left, text_top, text_right, _ = draw.textbbox(text, bar.text, font=face, anchor="mb")
    pad = 12 * unit
    boxes = [(min(left, text_left) - pad, text_top - pad, max(right, text_right) + pad, floor + pad)]
    if compass is None:
        return boxes
    vectors = np.array([compass.north, compass.east]) * 46 * unit
    letters = vectors * 1.36
    # The arrows and their letters stay inside the corner wherever they point.
    span = np.vstack([letters, [0.0, 0.0]])
    origin = np.array([wide, high]) - margin - span.max(axis=0)
    for letter, vector, place in zip("NE", vectors, letters, strict=True):
        _draw_arrow(draw, tuple(origin), tuple(origin + vector), unit)
        write(draw, tuple(origin + place), letter, face, _INK, "mm")
    low, top = origin + span.min(axis=0) - 1.4 * pad
    return [*boxes, (low, top, wide - margin + 1.4 * pad, high - margin + 1.4 * pad)]


def _draw_arrow(draw: ImageDraw.ImageDraw, tail: Point, tip: Point, unit: float) -> None:
    along = np.subtract(tip, tail) / np.hypot(*np.subtract(tip, tail))
    across = np.array([-along[1], along[0]])
    base = np.asarray(tip) - along * 9 * unit
    draw_line(draw, [tail, tuple(base)], _INK, 2 * unit)
    draw.polygon([tip, tuple(base + across * 4.5 * unit), tuple(base - across * 4.5 * unit)], fill=_INK)
