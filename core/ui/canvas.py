"""Objects on the drawing canvas and back: pixels of the frame to Fabric.js shapes, and the reverse.

Fabric keeps only the properties it knows, so an object's identity cannot travel under a name of its own. It
rides in the colour of its fill, which is fully transparent and never shows: the object's place in the list
that was sent, from 1. That property stays with a shape whatever a person does to it, also where a box whose
corner is dragged becomes a polygon. A shape drawn by a person has the fill of the tool that drew it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.corrections import EditableObject
from core.frames.display import Rendered
from core.shapes import KINDS, Affine, Box, Ellipse, Kind, Line, Point, Polygon, Shape, as_points

Floats = NDArray[np.float64]

POINT_RADIUS = 9
STROKE = 2.0
SMALLEST = 5.0
"""A shape drawn smaller than this, in canvas pixels, is a click with the wrong tool."""
SIMPLER = 1.0
"""A line drawn by hand leaves the hand's way by up to this many canvas pixels."""
DRAWN_FILL, POINT_FILL = "rgba(0,0,0,0)", "rgba(255,255,255,0)"
"""Fills of what a person draws; a point is told from a circle by its own."""
DRAWN_STROKE, KNIFE_STROKE = "#FFFFFF", "#D55E00"
"""Colours of what a person draws, and of a line that is no object but cuts one."""

STYLES: Mapping[str, Mapping[str, Any]] = {
    "unreviewed": {"stroke": "#F2B24C", "strokeDashArray": None},
    "accepted": {"stroke": "#56B4E9", "strokeDashArray": [12, 3, 2, 3]},
    "unsure": {"stroke": "#CC79A7", "strokeDashArray": [2, 3]},
    "edited": {"stroke": "#FFFFFF", "strokeDashArray": [7, 3]},
}
"""How a state is drawn; dashes tell states apart without colour."""

_TOWARDS = {"left": 1.0, "top": 1.0, "center": 0.0, "right": -1.0, "bottom": -1.0}
_CLEAR = re.compile(r"rgba\((\d{1,3}),\s*(\d{1,3}),\s*(\d{1,3}),\s*0\)")


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

    @cached_property
    def to_canvas(self) -> Affine:
        """Canvas positions of frame positions."""
        corners = [self.picture.to_view(x, y) for x, y in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))]
        origin, right, up = (np.array(corners, float) + 0.5) * self.zoom
        return Affine(np.column_stack([right - origin, up - origin]), origin)

    @cached_property
    def to_frame(self) -> Affine:
        """Frame positions of canvas positions."""
        return self.to_canvas.inverse


def to_fabric(objects: Sequence[EditableObject], states: Sequence[str], window: Window) -> dict[str, Any]:
    """The canvas's ``initial_drawing``: a Fabric shape for each object.

    Args:
        objects: What is to be edited.
        states: State of each object, a key of :data:`STYLES` (others look edited).
        window: Where the canvas lies on the frame.
    """
    shapes = []
    for place, (thing, state) in enumerate(zip(objects, states, strict=True)):
        number = place + 1
        common = {
            "originX": "center",  # without an origin Fabric takes the one of its defaults
            "originY": "center",
            "fill": f"rgba({number >> 16},{number >> 8 & 255},{number & 255},0)",
            "strokeWidth": STROKE,
            "strokeUniform": True,
            "strokeLineJoin": "round",
            **STYLES.get(state, STYLES["edited"]),
        }
        shapes.append({**_fabric(thing.shape.mapped(window.to_canvas)), **common})
    return {"objects": shapes}


def from_fabric(
    drawing: Mapping[str, Any] | None,
    sent: Sequence[EditableObject],
    label: str,
    window: Window,
    kinds: Sequence[Kind] = KINDS,
) -> list[EditableObject]:
    """The objects as they stand on the canvas.

    Args:
        drawing: The canvas's ``json_data``; None means nothing was touched.
        sent: The objects the canvas was given.
        label: Label of shapes a person has drawn.
        window: Where the canvas lies on the frame.
        kinds: The shapes an object may have. A box whose corner was dragged stays one where polygons are none
            of them.

    Returns:
        One object a shape: those sent keep their identity and label, drawn ones have ``object_id`` None.
        A shape without extent where more than a point was meant (a click with the box tool) is left out, and
        so is a knife.
    """
    if drawing is None:
        return list(sent)
    found: list[EditableObject] = []
    for drawn in drawing.get("objects", []):
        known = _known(drawn, sent)
        if known is None and _is_knife(drawn):
            continue
        shape = _shape(drawn, known)
        if shape is None or (known is None and _is_slip(shape)):
            continue
        if isinstance(shape, Polygon) and not _may_be_polygon(known, kinds):
            shape = Box(*shape.box)
        found.append(
            EditableObject(
                object_id=known.object_id if known else None,
                label=known.label if known else label,
                shape=shape.mapped(window.to_frame),
            )
        )
    return found


def knives(drawing: Mapping[str, Any] | None, window: Window) -> list[Line]:
    """The lines on the canvas that are no objects but cut them, in pixels of the frame."""
    lines = [_shape(drawn, None) for drawn in (drawing or {}).get("objects", []) if _is_knife(drawn)]
    return [line.mapped(window.to_frame) for line in lines if isinstance(line, Line) and not _is_slip(line)]


def _known(drawn: Mapping[str, Any], sent: Sequence[EditableObject]) -> EditableObject | None:
    """The object that was sent as this shape."""
    fill = _CLEAR.fullmatch(str(drawn.get("fill")))
    red, green, blue = map(int, fill.groups()) if fill else (0, 0, 0)
    place = (red << 16 | green << 8 | blue) - 1
    return sent[place] if 0 <= place < len(sent) else None


def _may_be_polygon(known: EditableObject | None, kinds: Sequence[Kind]) -> bool:
    return "polygon" in kinds or (known is not None and isinstance(known.shape, Polygon))


def _is_knife(drawn: Mapping[str, Any]) -> bool:
    return str(drawn.get("stroke", "")).upper() == KNIFE_STROKE


def _is_slip(shape: Shape) -> bool:
    """Whether a drawn shape is too small to be meant."""
    if isinstance(shape, Point):
        return False
    extent = np.ptp(shape.outline, axis=0)
    return bool((extent.max() if isinstance(shape, Line) else extent.min()) < SMALLEST)


def _fabric(shape: Shape) -> dict[str, Any]:
    """A shape in canvas pixels as Fabric writes it, about its centre."""
    if isinstance(shape, Point):
        side = 2 * POINT_RADIUS
        circle = {"radius": POINT_RADIUS, "width": side, "height": side, "startAngle": 0, "endAngle": 360}
        return {"type": "Circle", "left": shape.x, "top": shape.y, **circle}
    if isinstance(shape, Ellipse):
        major, minor = shape.semi_axes
        size = {"rx": major, "ry": minor, "width": 2 * major, "height": 2 * minor}
        return {"type": "Ellipse", "left": shape.x, "top": shape.y, "angle": shape.angle_deg, **size}
    low, high = shape.outline.min(axis=0), shape.outline.max(axis=0)
    (left, top), (width, height) = ((low + high) / 2).tolist(), (high - low).tolist()
    about = {"left": left, "top": top, "width": width, "height": height}
    if isinstance(shape, Box):
        return {"type": "Rect", **about}
    points = shape.outline[:-1] if isinstance(shape, Polygon) else shape.outline
    if len(points) == 2:  # a Fabric line lets its ends be dragged
        (x1, y1), (x2, y2) = (points - (left, top)).tolist()
        return {"type": "Line", "x1": x1, "y1": y1, "x2": x2, "y2": y2, **about}
    kind = "Polygon" if isinstance(shape, Polygon) else "Polyline"
    return {"type": kind, "points": [{"x": x, "y": y} for x, y in points.tolist()], **about}


def _shape(drawn: Mapping[str, Any], known: EditableObject | None) -> Shape | None:
    """The shape in canvas pixels of a shape of Fabric's; None of what is none of ours."""
    kind, onto = drawn.get("type"), _affine(drawn)
    if kind == "Rect":
        half = np.array([float(drawn["width"]), float(drawn["height"])]) / 2
        return Box(*map(float, (*-half, *half))).mapped(onto)
    if kind in ("Circle", "Ellipse"):
        is_point = drawn.get("fill") == POINT_FILL if known is None else isinstance(known.shape, Point)
        if is_point:
            return Point(*map(float, onto.shift))
        radii = [float(drawn[name]) for name in (("radius", "radius") if kind == "Circle" else ("rx", "ry"))]
        return Ellipse.about((0.0, 0.0), np.diag(radii)).mapped(onto)
    if kind == "Line":
        ends = [[float(drawn[f"{axis}{end}"]) for axis in "xy"] for end in (1, 2)]
        return Line(as_points(onto(ends)))
    if kind in ("Polyline", "Polygon", "Path"):
        points = _way(drawn["path"]) if kind == "Path" else _corners(drawn["points"])
        if len(points) < (3 if kind == "Polygon" else 2):
            return None
        placed = onto(points - (points.min(axis=0) + points.max(axis=0)) / 2)
        if kind == "Path":
            from skimage.measure import approximate_polygon

            placed = approximate_polygon(placed, SIMPLER)
        return Polygon(as_points(placed)) if kind == "Polygon" else Line(as_points(placed))
    return None


def _affine(drawn: Mapping[str, Any]) -> Affine:
    """From a Fabric shape's own coordinates, about its centre, to the canvas."""
    number = {name: float(drawn.get(name) or 0.0) for name in ("skewX", "skewY", "angle", "strokeWidth")}
    scale = [float(drawn.get(f"scale{axis}", 1.0)) for axis in "XY"]
    mirror = [-1.0 if drawn.get(f"flip{axis}") else 1.0 for axis in "XY"]
    skew_x = np.array([[1.0, np.tan(np.radians(number["skewX"]))], [0.0, 1.0]])
    skew_y = np.array([[1.0, 0.0], [np.tan(np.radians(number["skewY"])), 1.0]])
    stretch = np.diag(np.multiply(scale, mirror)) @ skew_x @ skew_y
    turn = np.radians(number["angle"])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # The origin is a corner of the box around all of it, the stroke included.
    stroke, uniform = number["strokeWidth"], bool(drawn.get("strokeUniform"))
    size = np.array([float(drawn["width"]), float(drawn["height"])]) + (0.0 if uniform else stroke)
    outer = np.abs(stretch) @ size + (stroke if uniform else 0.0)
    towards = [_TOWARDS[str(drawn.get("originX", "left"))], _TOWARDS[str(drawn.get("originY", "top"))]]
    corner = np.array([float(drawn["left"]), float(drawn["top"])])
    return Affine(rotation @ stretch, corner + rotation @ (outer * towards / 2))


def _corners(points: Sequence[Mapping[str, Any]]) -> Floats:
    return np.array([(float(point["x"]), float(point["y"])) for point in points]).reshape(-1, 2)


def _way(path: Sequence[Sequence[Any]]) -> Floats:
    """``(N, 2)`` points along a line drawn by hand: Fabric smooths it to quadratic curves."""
    points: list[Floats] = []
    share = np.linspace(0.0, 1.0, 9)[1:, None]
    for command, *numbers in path:
        ends = np.array(numbers, float).reshape(-1, 2)
        if command == "Q" and points:
            start, (bend, end) = points[-1][-1:], ends
            points.append((1 - share) ** 2 * start + 2 * share * (1 - share) * bend + share**2 * end)
        elif command in ("M", "L"):
            points.append(ends)
    return np.concatenate(points) if points else np.empty((0, 2))
