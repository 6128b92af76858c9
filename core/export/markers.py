"""The markers of an annotated picture: four shapes that can be told apart without colour."""

from __future__ import annotations

from typing import Literal

from PIL import ImageDraw

Marker = Literal["circle", "box", "diamond", "cross"]
MARKERS: tuple[Marker, ...] = ("circle", "box", "diamond", "cross")

HALO = (0, 0, 0, 150)
"""Drawn under every line, so that it shows on a bright nebula and on a dark sky alike."""

Point = tuple[float, float]


def draw_marker(
    draw: ImageDraw.ImageDraw, marker: Marker, centre: Point, radius: float, colour: str, width: float
) -> None:
    """Draw an outlined marker about ``centre``, ``radius`` from the centre to its edge, in pixels."""
    u, v = centre
    if marker == "circle":
        for size, ink in ((width * 2, HALO), (width, colour)):
            reach = radius + size / 2
            draw.ellipse((u - reach, v - reach, u + reach, v + reach), outline=ink, width=round(size))
    elif marker == "box":
        draw_box(draw, (u - radius, v - radius, u + radius, v + radius), colour, width)
    elif marker == "diamond":
        reach = radius * 1.25
        corners = [(u, v - reach), (u + reach, v), (u, v + reach), (u - reach, v)]
        draw_line(draw, [*corners, corners[0], corners[1]], colour, width)
    else:
        # The arms stop short of the centre: the object itself stays in view.
        gap = radius * 0.45
        for du, dv in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            reach = radius * 1.2
            arm = [(u + du * gap, v + dv * gap), (u + du * reach, v + dv * reach)]
            draw_line(draw, arm, colour, width)


def draw_box(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], colour: str, width: float
) -> None:
    """Draw the outline of a box ``left, top, right, bottom`` in pixels."""
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    draw_line(draw, [*corners, corners[0], corners[1]], colour, width)


def draw_line(draw: ImageDraw.ImageDraw, points: list[Point], colour: str, width: float) -> None:
    """Draw a line through ``points`` with its halo."""
    draw.line(points, fill=HALO, width=round(width * 2), joint="curve")
    draw.line(points, fill=colour, width=round(width), joint="curve")
