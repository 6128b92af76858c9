"""The page an annotated picture is laid on: title above, legend and small print below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from core.export.lettering import Font, font, plain, wrapped, write
from core.export.markers import draw_marker
from core.export.overlay import PngLayer

PAPER, INK, FAINT, RULE = "#0d1117", "#f2f4f8", "#9aa4b2", "#2a3240"

MIN_ROOM_PX = 640
"""Room for the text: a narrower picture stands on a page wider than itself."""

_FINE = 4  # the legend's markers are drawn this much larger and reduced, which smooths their edges
_Entry = tuple[PngLayer, str, float]


@dataclass(frozen=True)
class _Line:
    text: str
    face: Font
    ink: str
    height: int


def lay_out(
    picture: Image.Image,
    layers: Sequence[PngLayer],
    title: str,
    caption: Sequence[str],
    footer: str,
    unit: float,
) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """Lay a picture on a page; lengths are in units of ``unit`` pixels.

    Returns:
        The page, and where the picture lies on it: left, top, right, bottom.
    """
    margin, room = round(28 * unit), max(picture.width, MIN_ROOM_PX)
    head = _lines([title], font(30 * unit), INK, round(38 * unit), room)
    head += _lines(caption, font(18 * unit), FAINT, round(26 * unit), room)
    foot = _lines([footer], font(13 * unit), FAINT, round(19 * unit), room)
    face, row_height = font(18 * unit), round(34 * unit)
    legend = _legend_rows(layers, face, room, unit)
    top = margin + sum(line.height for line in head) + (round(10 * unit) if head else 0)
    bottom = top + picture.height
    foot_top = bottom + row_height * len(legend) + round(14 * unit)
    height = foot_top + sum(line.height for line in foot) + margin
    page = Image.new("RGB", (room + 2 * margin, height), PAPER)
    draw = ImageDraw.Draw(page)
    draw.rectangle((margin - 1, top - 1, margin + picture.width, bottom), outline=RULE)
    page.paste(picture, (margin, top))
    _write_lines(draw, head, margin, margin)
    for index, row in enumerate(legend):
        _draw_legend_row(page, row, margin, bottom + round(8 * unit) + index * row_height, face, unit)
    _write_lines(draw, foot, margin, foot_top)
    return page, (margin, top, margin + picture.width, bottom)


def _lines(texts: Sequence[str], face: Font, ink: str, height: int, room: int) -> list[_Line]:
    return [_Line(line, face, ink, height) for text in texts for line in wrapped(text, face, room)]


def _write_lines(draw: ImageDraw.ImageDraw, lines: Sequence[_Line], left: int, top: int) -> None:
    for line in lines:
        write(draw, (left, top), line.text, line.face, line.ink, "la")
        top += line.height


def _legend_rows(layers: Sequence[PngLayer], face: Font, room: int, unit: float) -> list[list[_Entry]]:
    """The layers with their texts and widths, in as many rows as they need."""
    rows: list[list[_Entry]] = []
    used = float(room)
    for layer in layers:
        text = plain(f"{layer.name} · {len(layer.detections):,}")
        wide = face.getbbox(text)[2] + 56 * unit
        if used + wide > room:
            rows.append([])
            used = 0.0
        rows[-1].append((layer, text, wide))
        used += wide
    return rows


def _draw_legend_row(
    page: Image.Image, row: Sequence[_Entry], left: float, top: int, face: Font, unit: float
) -> None:
    draw, side = ImageDraw.Draw(page), round(34 * unit)
    for layer, text, wide in row:
        fine = Image.new("RGBA", (side * _FINE, side * _FINE))
        middle = side * _FINE / 2
        draw_marker(
            ImageDraw.Draw(fine),
            layer.marker,
            (middle, middle),
            8 * unit * _FINE,
            layer.colour,
            2 * unit * _FINE,
        )
        glyph = fine.resize((side, side), Image.Resampling.BOX)
        page.paste(glyph, (round(left - 6 * unit), top), mask=glyph.getchannel("A"))
        write(draw, (left + 30 * unit, top + side / 2), text, face, INK, "lm")
        left += wide
