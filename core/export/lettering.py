"""Lettering of an annotated picture, in the font that Pillow brings along."""

from __future__ import annotations

import unicodedata

from PIL import ImageDraw, ImageFont

from core.export.markers import Point
from core.export.text import one_line

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_SPELT = str.maketrans(
    {"σ": "sigma", "µ": "u", "μ": "u", "×": "x", "–": "-", "—": "-", "−": "-", "’": "'", "′": "'", "″": '"'}
    | {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "⁻": "-", "²": "2", "“": '"', "”": '"'}
)


def font(size: float) -> Font:
    """Pillow's own font, ``size`` pixels high."""
    return ImageFont.load_default(size)


def plain(text: str) -> str:
    """``text`` in the letters of Pillow's font: Greek spelt out, accents dropped, else a question mark."""
    spelt = unicodedata.normalize("NFKD", one_line(text).translate(_SPELT))
    kept = (letter for letter in spelt if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() or letter in "°·…" else "?" for letter in kept)


def write(
    draw: ImageDraw.ImageDraw, at: Point, text: str, face: Font, ink: str, anchor: str, *, halo: bool = False
) -> None:
    """Write one line; ``anchor`` is Pillow's, and a halo keeps it legible on any picture."""
    stroke = max(1, round(getattr(face, "size", 12) / 9)) if halo else 0
    draw.text(at, plain(text), font=face, fill=ink, anchor=anchor, stroke_width=stroke, stroke_fill="#000000")


def wrapped(text: str, face: Font, room: int) -> list[str]:
    """``text`` in lines that fit into ``room`` pixels; a word that is too long for one is cut."""
    lines: list[str] = []
    line = ""
    for word in plain(text).split():
        longer = f"{line} {word}".strip()
        if face.getbbox(longer)[2] <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while face.getbbox(word)[2] > room and len(word) > 1:
            word = word[: max(1, int(len(word) * room / face.getbbox(word)[2]) - 1)] + "…"
        line = word
    return [*lines, line] if line else lines
