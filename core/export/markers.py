"""The markers of an annotated picture: shapes that can be told apart without colour."""

from __future__ import annotations

from typing import Literal

from PIL import ImageDraw

Marker = Literal["circle", "square", "diamond", "cross", "triangle", "box"]
MARKERS: tuple[Marker, ...] = ("circle", "diamond", "square", "cross", "triangle")
"""Given to layers in this order. ``"box"`` is for layers of boxes, and a square where there is none."""

Point = tuple[float, float]
Ink = str | tuple[int, int, int, int]


def draw_marker(
    draw: ImageDraw.ImageDraw, marker: Marker, centre: Point, radius: float, ink: Ink, width: float
) -> None:
    """Draw an outlined marker about ``centre``, ``radius`` from the centre to its edge, in pixels."""
    u, v = centre
    if marker == "circle":
        reach = radius + width / 2
        draw.ellipse((u - reach, v - reach, u + reach, v + reach), outline=ink, width=round(width))
    elif marker in ("box", "square"):
        draw_box(draw, (u - radius, v - radius, u + radius, v + radius), ink, width)
    elif marker == "diamond":
        reach = radius * 1.25
        corners = [(u, v - reach), (u + reach, v), (u, v + reach), (u - reach, v)]
        draw_line(draw, [*corners, corners[0], corners[1]], ink, width)
    elif marker == "triangle":
        reach = radius * 1.4
        corners = [(u, v - reach), (u + reach * 0.866, v + reach / 2), (u - reach * 0.866, v + reach / 2)]
        draw_line(draw, [*corners, corners[0], corners[1]], ink, width)
    else:
        # The arms stop short of the centre: the object itself stays in view.
        gap, reach = radius * 0.45, radius * 1.2
        for du, dv in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            draw_line(draw, [(u + du * gap, v + dv * gap), (u + du * reach, v + dv * reach)], ink, width)


def draw_box(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], ink: Ink, width: float
) -> None:
    """Draw the outline of a box ``left, top, right, bottom`` in pixels."""
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    draw_line(draw, [*corners, corners[0], corners[1]], ink, width)


def draw_line(draw: ImageDraw.ImageDraw, points: list[Point], ink: Ink, width: float) -> None:
    """Draw a line through ``points``."""
    draw.line(points, fill=ink, width=round(width), joint="curve")
