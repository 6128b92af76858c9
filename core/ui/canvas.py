"""Objects on the drawing canvas and back: pixels of the frame to Fabric.js shapes, and the reverse.

Fabric keeps only the properties it knows, so an object's identity cannot travel under a name of its
own. It rides in ``strokeMiterLimit``, which circles and upright rectangles never show: the value is
:data:`IDENTITY` plus the object's place in the list that was sent. A shape drawn by a person has
Fabric's default there (4), far below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.corrections import EditableObject
from core.frames.display import Rendered

IDENTITY = 1000.0
POINT_RADIUS = 9
STROKE = 2.0

STYLES: Mapping[str, Mapping[str, Any]] = {
    "unreviewed": {"stroke": "#F2B24C", "strokeDashArray": None},
    "accepted": {"stroke": "#56B4E9", "strokeDashArray": None},
    "unsure": {"stroke": "#CC79A7", "strokeDashArray": [2, 3]},
    "edited": {"stroke": "#FFFFFF", "strokeDashArray": [7, 3]},
}
"""How a state is drawn; dashes tell states apart without colour."""


@dataclass(frozen=True)
class Window:
    """A part of a frame on a canvas.

    Attributes:
        picture: The part as rendered, one displayed pixel for each ``step`` of the frame.
        zoom: Canvas pixels for one displayed pixel.
    """

    picture: Rendered
    zoom: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas in its own pixels."""
        height, width = self.picture.rgb.shape[:2]
        return round(width * self.zoom), round(height * self.zoom)

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Canvas position of a frame position."""
        u, v = self.picture.to_view(x, y)
        return (float(u) + 0.5) * self.zoom, (float(v) + 0.5) * self.zoom

    def to_frame(self, left: float, top: float) -> tuple[float, float]:
        """Frame position of a canvas position."""
        x, y = self.picture.to_frame(left / self.zoom - 0.5, top / self.zoom - 0.5)
        return float(x), float(y)


def to_fabric(objects: Sequence[EditableObject], states: Sequence[str], window: Window) -> dict[str, Any]:
    """The canvas's ``initial_drawing``: circles for points, rectangles for boxes.

    Args:
        objects: What is to be edited.
        states: State of each object, a key of :data:`STYLES` (others look edited).
        window: Where the canvas lies on the frame.
    """
    shapes = []
    for place, (thing, state) in enumerate(zip(objects, states, strict=True)):
        common = {
            "originX": "left",
            "originY": "top",
            "fill": "rgba(0,0,0,0)",
            "strokeWidth": STROKE,
            "strokeUniform": True,
            "strokeMiterLimit": IDENTITY + place,
            **STYLES.get(state, STYLES["edited"]),
        }
        if thing.box is None:
            u, v = window.to_canvas(thing.x, thing.y)
            side = POINT_RADIUS + STROKE / 2
            shapes.append(
                {
                    "type": "Circle",
                    "left": u - side,
                    "top": v - side,
                    "radius": POINT_RADIUS,
                    "width": 2 * POINT_RADIUS,
                    "height": 2 * POINT_RADIUS,
                    "startAngle": 0,
                    "endAngle": 360,
                    **common,
                }
            )
        else:
            x_min, y_min, x_max, y_max = thing.box
            corners = [window.to_canvas(x_min, y_min), window.to_canvas(x_max, y_max)]
            (left, right), (top, bottom) = (sorted(values) for values in zip(*corners, strict=True))
            shapes.append(
                {
                    "type": "Rect",
                    "left": left - STROKE / 2,
                    "top": top - STROKE / 2,
                    "width": right - left,
                    "height": bottom - top,
                    **common,
                }
            )
    return {"objects": shapes}


def from_fabric(
    drawing: Mapping[str, Any] | None, sent: Sequence[EditableObject], label: str, window: Window
) -> list[EditableObject]:
    """The objects as they stand on the canvas.

    Args:
        drawing: The canvas's ``json_data``; None means nothing was touched.
        sent: The objects the canvas was given.
        label: Label of shapes a person has drawn.
        window: Where the canvas lies on the frame.

    Returns:
        One object a shape: those sent keep their identity and label, drawn ones have ``object_id`` None.
        A shape without extent where a box was meant (a click with the box tool) is left out.
    """
    if drawing is None:
        return list(sent)
    found: list[EditableObject] = []
    for shape in drawing.get("objects", []):
        place = round(float(shape.get("strokeMiterLimit", 4)) - IDENTITY)
        known = sent[place] if 0 <= place < len(sent) else None
        centre, half = _extent(shape)
        x, y = window.to_frame(*centre)
        box = None
        if shape.get("type") == "Rect":
            if min(half) < 1.5:
                continue
            corner_a = window.to_frame(centre[0] - half[0], centre[1] - half[1])
            corner_b = window.to_frame(centre[0] + half[0], centre[1] + half[1])
            (x_min, x_max), (y_min, y_max) = (
                sorted(values) for values in zip(corner_a, corner_b, strict=True)
            )
            box = (x_min, y_min, x_max, y_max)
        elif shape.get("type") != "Circle":
            continue
        found.append(
            EditableObject(
                object_id=known.object_id if known else None,
                label=known.label if known else label,
                x=x,
                y=y,
                box=box,
            )
        )
    return found


def _extent(shape: Mapping[str, Any]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Centre and half width and height on the canvas, the stroke left out, the rotation boxed in."""
    scale_x, scale_y = float(shape.get("scaleX", 1)), float(shape.get("scaleY", 1))
    stroke = float(shape.get("strokeWidth", 0))
    uniform = bool(shape.get("strokeUniform"))
    half_w = float(shape["width"]) * scale_x / 2
    half_h = float(shape["height"]) * scale_y / 2
    outer_w = half_w + stroke * (1 if uniform else scale_x) / 2
    outer_h = half_h + stroke * (1 if uniform else scale_y) / 2
    towards = {"left": 1.0, "top": 1.0, "center": 0.0, "right": -1.0, "bottom": -1.0}
    dx = towards[str(shape.get("originX", "left"))] * outer_w
    dy = towards[str(shape.get("originY", "top"))] * outer_h
    angle = math.radians(float(shape.get("angle", 0)))
    cos, sin = math.cos(angle), math.sin(angle)
    centre = (float(shape["left"]) + dx * cos - dy * sin, float(shape["top"]) + dx * sin + dy * cos)
    boxed = (half_w * abs(cos) + half_h * abs(sin), half_w * abs(sin) + half_h * abs(cos))
    return centre, boxed
