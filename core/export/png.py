"""An annotated picture: the frame as shown, what was found on it, and where it came from."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from core.export.markers import Marker, Point, draw_box, draw_line, draw_marker
from core.export.skymarks import Compass, ScaleBar, ToView, scale_bar
from core.export.text import one_line
from core.results import Detections

MAX_SIDE_PX = 3000
"""A larger picture is made smaller: the annotations are drawn at twice its size, which costs memory."""
MIN_WIDTH_PX = 960
"""A smaller picture is magnified by a whole number, so that the text beside it can be read."""
MAX_NAMES = 60
"""With more names than this the text would cover the picture, and none is written."""

_FINE = 2  # the annotations are drawn this much larger and reduced, which smooths their edges
_PAPER, _INK, _FAINT, _RULE = "#0d1117", "#f2f4f8", "#9aa4b2", "#2a3240"
_SPELT = str.maketrans(
    {"σ": "sigma", "µ": "u", "μ": "u", "×": "x", "–": "-", "—": "-", "−": "-", "’": "'", "′": "'", "″": '"'}
    | {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "⁻": "-", "²": "2", "“": '"', "”": '"'}
)
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class PngLayer:
    """Detections of one method or class as they are drawn.

    Attributes:
        name: What the legend calls it.
        detections: The objects. Where there is a box it is drawn; else the marker is, about x, y.
        colour: ``"#rrggbb"``.
        marker: ``"circle"``, ``"box"``, ``"diamond"`` or ``"cross"``: told apart without colour.
        radius_px: ``(N,)`` radius of each marker in pixels of the frame; NaN or None for the smallest.
    """

    name: str
    detections: Detections
    colour: str = "#4cc9f0"
    marker: Marker = "circle"
    radius_px: NDArray[np.float64] | None = None


def annotated_png(
    rgb: NDArray[np.uint8],
    to_view: ToView,
    layers: Sequence[PngLayer],
    *,
    title: str = "",
    caption: Sequence[str] = (),
    footer: str = "",
    arcsec_per_px: float | None = None,
    compass: Compass | None = None,
    facts: Mapping[str, str] | None = None,
) -> bytes:
    """Draw layers of detections on a picture.

    Args:
        rgb: ``(h, w, 3)`` uint8, the frame as it is shown.
        to_view: Gives the picture's pixels ``u, v`` for the frame's ``x, y``, both 0-based at the centre
            of the first pixel; called with arrays.
        layers: What to draw; the legend has them in this order.
        title: Above the picture, large.
        caption: Lines under the title.
        footer: Where the picture comes from, in small print; wrapped.
        arcsec_per_px: Pixel scale of the frame; without one the scale bar measures pixels of the frame.
        compass: Where north and east lie, or None for no arrows.
        facts: Provenance for the file's text chunks, each under ``Almagest:<name>``.

    Returns:
        A PNG file. Its text chunk ``Almagest:picture_box`` says where the picture lies on it, as
        ``left,top,right,bottom`` in pixels.
    """
    picture, zoom = _fitted(Image.fromarray(np.ascontiguousarray(rgb, dtype=np.uint8), "RGB"))
    unit = max(1.0, picture.width / 1200)  # every size below is for a picture of 1200 px

    def on_picture(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        u, v = to_view(x, y)
        return (np.column_stack([u, v]).astype(float) + 0.5) * zoom

    origin, one = on_picture(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    px = float(np.hypot(*(one - origin)))  # picture pixels for one of the frame
    bar = scale_bar(picture.width * 0.22, px, arcsec_per_px)
    fine = Image.new("RGBA", (picture.width * _FINE, picture.height * _FINE))
    draw = ImageDraw.Draw(fine)
    for layer in layers:
        centres = on_picture(*layer.detections.xy.T) if len(layer.detections) else np.empty((0, 2))
        boxes = layer.detections.boxes
        corners = [
            on_picture(boxes[:, i], boxes[:, j]) if len(boxes) else centres for i, j in ((0, 1), (2, 3))
        ]
        _draw_layer(draw, layer, centres, np.stack(corners, axis=1), px, unit)
    _draw_skymarks(draw, fine.size, bar, compass, unit * _FINE)
    picture.paste(_reduced(fine), mask=_reduced(fine).getchannel("A"))
    return _page(picture, layers, title, caption, footer, unit, facts or {})


def _fitted(picture: Image.Image) -> tuple[Image.Image, float]:
    """The picture at a size that can be annotated, and by how much it was magnified."""
    longest = max(picture.size)
    if longest > MAX_SIDE_PX:
        zoom = MAX_SIDE_PX / longest
        size = (max(1, round(picture.width * zoom)), max(1, round(picture.height * zoom)))
        return picture.resize(size, Image.Resampling.LANCZOS), zoom
    times = min(-(-MIN_WIDTH_PX // picture.width), max(1, MAX_SIDE_PX // longest))
    size = (picture.width * times, picture.height * times)
    return picture.resize(size, Image.Resampling.NEAREST), float(times)


def _reduced(fine: Image.Image) -> Image.Image:
    return fine.resize((fine.width // _FINE, fine.height // _FINE), Image.Resampling.BOX)


def _draw_layer(
    draw: ImageDraw.ImageDraw,
    layer: PngLayer,
    centres: NDArray[np.float64],
    corners: NDArray[np.float64],
    px: float,
    unit: float,
) -> None:
    """Draw a layer at ``_FINE`` times the picture's size; ``corners`` is ``(N, 2, 2)`` picture pixels."""
    smallest = 6.0 * unit
    radii = np.full(len(centres), np.nan) if layer.radius_px is None else layer.radius_px * px
    radii = np.fmax(radii, smallest)
    width = 1.6 * unit * _FINE
    for centre, corner, radius in zip(centres, corners, radii, strict=True):
        at = (centre[0] * _FINE, centre[1] * _FINE)
        if np.isfinite(corner).all():
            low, high = corner.min(axis=0) * _FINE, corner.max(axis=0) * _FINE
            draw_box(draw, (*low, *high), layer.colour, width)
            if layer.marker != "box":
                draw_marker(draw, layer.marker, at, smallest * _FINE, layer.colour, width)
        else:
            draw_marker(draw, layer.marker, at, radius * _FINE, layer.colour, width)
    _draw_names(draw, layer, centres, corners, radii, unit)


def _draw_names(
    draw: ImageDraw.ImageDraw,
    layer: PngLayer,
    centres: NDArray[np.float64],
    corners: NDArray[np.float64],
    radii: NDArray[np.float64],
    unit: float,
) -> None:
    """Write the name beside each object, or the label where there is a box and no name."""
    table = layer.detections.table
    boxed = [bool(np.isfinite(corner).all()) for corner in corners]
    names = [
        name or (label if box else "")
        for name, label, box in zip(table["name"], table["label"], boxed, strict=True)
    ]
    if sum(map(bool, names)) > MAX_NAMES:
        return
    font = _font(15 * unit * _FINE)
    for name, centre, corner, radius, box in zip(names, centres, corners, radii, boxed, strict=True):
        if name:
            beside = (centre[0] + radius + 3 * unit, centre[1])
            above = (corner[:, 0].min() + 2 * unit, corner[:, 1].min() - 10 * unit)
            at = above if box else beside
            _text(draw, (at[0] * _FINE, at[1] * _FINE), name, font, layer.colour, "lm", halo=True)


def _draw_skymarks(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], bar: ScaleBar, compass: Compass | None, unit: float
) -> None:
    """Draw the scale bar at the bottom left and the compass at the bottom right."""
    wide, high = size
    margin, font = 26 * unit, _font(17 * unit)
    length, floor = bar.length_px * _FINE, high - margin
    tick = 6 * unit
    for points in (
        [(margin, floor), (margin + length, floor)],
        [(margin, floor - tick), (margin, floor + tick)],
        [(margin + length, floor - tick), (margin + length, floor + tick)],
    ):
        draw_line(draw, points, _INK, 2.2 * unit)
    _text(draw, (margin + length / 2, floor - 9 * unit), bar.text, font, _INK, "mb", halo=True)
    if compass is None:
        return
    reach = 46 * unit
    vectors = np.array([compass.north, compass.east]) * reach
    # The arrows and their letters stay inside the corner wherever they point.
    span = np.vstack([vectors * 1.4, [0.0, 0.0]])
    origin = np.array([wide - margin, high - margin]) - span.max(axis=0)
    for letter, vector in zip("NE", vectors, strict=True):
        tip = origin + vector
        _draw_arrow(draw, tuple(origin), tuple(tip), unit)
        _text(draw, tuple(origin + vector * 1.32), letter, font, _INK, "mm", halo=True)


def _draw_arrow(draw: ImageDraw.ImageDraw, tail: Point, tip: Point, unit: float) -> None:
    draw_line(draw, [tail, tip], _INK, 2.2 * unit)
    along = np.subtract(tip, tail) / np.hypot(*np.subtract(tip, tail))
    across = np.array([-along[1], along[0]])
    base = np.asarray(tip) - along * 8 * unit
    head = [tip, tuple(base + across * 4.5 * unit), tuple(base - across * 4.5 * unit)]
    draw.polygon(head, fill=_INK)


def _page(
    picture: Image.Image,
    layers: Sequence[PngLayer],
    title: str,
    caption: Sequence[str],
    footer: str,
    unit: float,
    facts: Mapping[str, str],
) -> bytes:
    """Lay the picture on a page between its title and its legend and footer, and write the file."""
    margin, room = round(28 * unit), picture.width
    big, middle, small = _font(30 * unit), _font(18 * unit), _font(13 * unit)
    head = [(line, big, _INK, 38) for line in _wrapped(title, big, room)]
    head += [(line, middle, _FAINT, 26) for text in caption for line in _wrapped(text, middle, room)]
    foot = [(line, small, _FAINT, 19) for line in _wrapped(footer, small, room)]
    legend = _legend_rows(layers, middle, room, unit)
    heights = [sum(round(line[3] * unit) for line in lines) for lines in (head, foot)]
    top = margin + heights[0] + (round(10 * unit) if head else 0)
    bottom = top + picture.height
    legend_height = round(34 * unit) * len(legend) + round(10 * unit)
    page = Image.new("RGB", (room + 2 * margin, bottom + legend_height + heights[1] + margin), _PAPER)
    page.paste(picture, (margin, top))
    draw = ImageDraw.Draw(page)
    draw.rectangle((margin - 1, top - 1, margin + room, bottom), outline=_RULE)
    _write_lines(draw, head, margin, margin, unit)
    _draw_legend(page, legend, margin, bottom + round(8 * unit), middle, unit)
    _write_lines(draw, foot, margin, bottom + legend_height + round(4 * unit), unit)
    info = PngInfo()
    info.add_text("Software", "Almagest")
    for name, value in {**facts, "picture_box": f"{margin},{top},{margin + room},{bottom}"}.items():
        info.add_itxt(f"Almagest:{name}".encode("latin-1", "replace")[:79].decode("latin-1"), one_line(value))
    out = io.BytesIO()
    page.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _write_lines(
    draw: ImageDraw.ImageDraw, lines: Sequence[tuple[str, _Font, str, int]], left: int, top: int, unit: float
) -> None:
    for text, font, ink, height in lines:
        _text(draw, (left, top), text, font, ink, "la")
        top += round(height * unit)


def _legend_rows(
    layers: Sequence[PngLayer], font: _Font, room: int, unit: float
) -> list[list[tuple[PngLayer, str, float]]]:
    """The layers with their texts and widths, in as many rows as they need."""
    rows: list[list[tuple[PngLayer, str, float]]] = []
    used = float(room)
    for layer in layers:
        text = _plain(f"{layer.name} · {len(layer.detections):,}")
        wide = font.getbbox(text)[2] + 56 * unit
        if used + wide > room:
            rows.append([])
            used = 0.0
        rows[-1].append((layer, text, wide))
        used += wide
    return rows


def _draw_legend(
    page: Image.Image,
    rows: Sequence[Sequence[tuple[PngLayer, str, float]]],
    left: int,
    top: int,
    font: _Font,
    unit: float,
) -> None:
    high = round(34 * unit)
    for row in rows:
        at = float(left)
        for layer, text, wide in row:
            fine = Image.new("RGBA", (high * _FINE, high * _FINE))
            middle = high * _FINE / 2
            draw_marker(
                ImageDraw.Draw(fine),
                layer.marker,
                (middle, middle),
                8 * unit * _FINE,
                layer.colour,
                2 * unit * _FINE,
            )
            glyph = _reduced(fine)
            page.paste(glyph, (round(at - 6 * unit), top), mask=glyph.getchannel("A"))
            _text(ImageDraw.Draw(page), (at + 30 * unit, top + high / 2), text, font, _INK, "lm")
            at += wide
        top += high


def _font(size: float) -> _Font:
    return ImageFont.load_default(size)


def _plain(text: str) -> str:
    """``text`` in the letters of Pillow's font: Greek spelt out, accents dropped, else a question mark."""
    spelt = unicodedata.normalize("NFKD", one_line(text).translate(_SPELT))
    kept = (letter for letter in spelt if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() or letter in "°·…" else "?" for letter in kept)


def _text(
    draw: ImageDraw.ImageDraw,
    at: Point,
    text: str,
    font: _Font,
    ink: str,
    anchor: str,
    *,
    halo: bool = False,
) -> None:
    size = getattr(font, "size", 12)
    stroke = max(1, round(size / 9)) if halo else 0
    draw.text(
        at, _plain(text), font=font, fill=ink, anchor=anchor, stroke_width=stroke, stroke_fill="#000000"
    )


def _wrapped(text: str, font: _Font, room: int) -> list[str]:
    """``text`` in lines that fit; a word that is too long for one is cut."""
    lines: list[str] = []
    line = ""
    for word in _plain(text).split():
        longer = f"{line} {word}".strip()
        if font.getbbox(longer)[2] <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while font.getbbox(word)[2] > room and len(word) > 1:
            word = word[: max(1, int(len(word) * room / font.getbbox(word)[2]) - 1)] + "…"
        line = word
    return [*lines, line] if line else lines
