"""A report to take home: one document of sections, written as one HTML file or as a PDF.

Everything a report says is shown as text, whatever it holds: names of files and people are not trusted.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import mul
from typing import TYPE_CHECKING

import core
from core.export.text import one_line

if TYPE_CHECKING:
    from fpdf import FPDF

_NUMBER = re.compile(r"[-−+]?[\d.,]+(?:e[-+]?\d+)?")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #111827; max-width: 1080px; }
body { margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 1.4rem 0 .4rem; }
h3 { font-size: 1rem; margin: 0 0 .2rem; }
.lead { font-size: 1.1rem; margin: 0 0 1rem; } .small { color: #4B5563; font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; vertical-align: top; }
td { border-bottom: 1px solid #E5E7EB; overflow-wrap: anywhere; }
td:first-child { overflow-wrap: break-word; } td.number { overflow-wrap: normal; }
td:nth-child(2) { min-width: 8em; }
pre { background: #F3F4F6; padding: .6rem .8rem; border-radius: 6px; white-space: pre-wrap; }
pre { overflow-wrap: anywhere; font-size: .85rem; }
.plots { display: grid; gap: .6rem 1.2rem; }
.several { grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
figure { margin: 0 0 .6rem; break-inside: avoid; } figcaption { color: #4B5563; font-size: .8rem; }
figure img { max-width: 100%; height: auto; display: block; }
@media screen and (max-width: 640px) { table:has(th:nth-child(4)) { min-width: 640px; } }
@media print { body { margin: 0; max-width: none; } }
"""
_INK, _FAINT, _RULE = (17, 24, 39), (75, 85, 99), (229, 231, 235)
_PAGE_MM, _MARGIN_MM = (210.0, 297.0), 18.0
_WIDER_IF_BOLD, _CELL_ROOM_MM = 1.12, 2.0


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text; a ``small`` one stands back."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under their headings, with a note below."""

    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG picture with what it shows; two that are not ``wide`` stand side by side."""

    title: str
    png: bytes
    about: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Chart:
    """A live chart, as HTML of our own making; a PDF leaves it out."""

    title: str
    body: str
    about: str = ""


@dataclass(frozen=True)
class Code:
    """Lines to be copied, such as a command."""

    text: str


Block = Paragraph | Table | Picture | Chart | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """A document.

    Attributes:
        title: What it is of.
        lead: The one sentence that says what was found.
        sections: In order.
        files: Files that travel inside, by name; a reader can take them out again.
    """

    title: str
    lead: str
    sections: Sequence[Section]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def imprint(self) -> str:
        """What made it, and when."""
        return f"Made with Almagest {core.__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."


def write_html(report: Report) -> bytes:
    """The report as one HTML file that needs no other and no network."""
    title = html.escape(one_line(report.title))
    body = "".join(_section_html(section) for section in report.sections)
    links = "".join(
        f'<a download="{html.escape(name)}" href="data:application/octet-stream;base64,'
        f'{base64.b64encode(data).decode()}">{html.escape(name)}</a> '
        for name, data in report.files.items()
    )
    inside = f'<p class="small">Files inside: {links}</p>' if links else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="lead">{html.escape(one_line(report.lead))}</p>{body}{inside}'
        f'<p class="small">{html.escape(report.imprint)}</p></body></html>'
    ).encode()


def _section_html(section: Section) -> str:
    parts = []
    for aside, blocks in groupby(section.blocks, _stands_aside):
        each = [_block_html(block) for block in blocks]
        inner = "".join(each)
        # A chart draws itself before the next is there: its column must not be the whole page until then.
        several = " several" if len(each) > 1 else ""
        parts.append(f'<div class="plots{several}">{inner}</div>' if aside else inner)
    heading = f"<h2>{html.escape(one_line(section.title))}</h2>" if section.title else ""
    return heading + "".join(parts)


def _stands_aside(block: Block) -> bool:
    """Whether it stands beside its like."""
    return isinstance(block, Chart) or (isinstance(block, Picture) and not block.wide)


def _block_html(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f'<p class="{"small" if block.small else "said"}">{html.escape(one_line(block.text))}</p>'
    if isinstance(block, Code):
        return f"<pre>{html.escape(block.text)}</pre>"
    if isinstance(block, Table):
        head = "".join(f"<th>{html.escape(one_line(cell))}</th>" for cell in block.head)
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in block.rows)
        note = f'<p class="small">{html.escape(one_line(block.note))}</p>' if block.note else ""
        return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>{note}'
    title = html.escape(one_line(block.title))
    heading = f"<h3>{title}</h3>" if title else ""
    shown = (
        block.body
        if isinstance(block, Chart)
        else f'<img alt="{title}" src="data:image/png;base64,{base64.b64encode(block.png).decode()}">'
    )
    about = f"<figcaption>{html.escape(one_line(block.about))}</figcaption>" if block.about else ""
    return f"<figure>{heading}{shown}{about}</figure>"


def write_pdf(report: Report) -> bytes:
    """The report as a PDF on A4; live charts are left out."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_margin(_MARGIN_MM)
    pdf.set_auto_page_break(True, _MARGIN_MM)
    pdf.set_title(one_line(report.title))
    pdf.set_creator(f"Almagest {core.__version__}")
    _add_fonts(pdf)
    pdf.add_page()
    _write(pdf, one_line(report.title), 18, style="B")
    _write(pdf, one_line(report.lead), 11.5)
    for section in report.sections:
        if section.title:
            if pdf.will_page_break(30):
                pdf.add_page()
            pdf.ln(3)
            _write(pdf, section.title, 12.5, style="B")
        for aside, blocks in groupby(section.blocks, _stands_aside):
            if aside:
                _write_pictures(pdf, [block for block in blocks if isinstance(block, Picture)])
                continue
            for block in blocks:
                _write_block(pdf, block)
    pdf.ln(2)
    _write(pdf, report.imprint, 8, ink=_FAINT)
    for name, data in report.files.items():
        pdf.embed_file(basename=name, bytes=data, desc="")
    return bytes(pdf.output())


def _add_fonts(pdf: FPDF) -> None:
    """DejaVu, which knows the letters of most of the world, from the copy that matplotlib brings along."""
    from pathlib import Path

    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    for family, style, file in (
        ("text", "", "DejaVuSans.ttf"),
        ("text", "B", "DejaVuSans-Bold.ttf"),
        ("code", "", "DejaVuSansMono.ttf"),
    ):
        pdf.add_font(family, style, folder / file)


def _write(
    pdf: FPDF, text: str, size: float, *, style: str = "", family: str = "text", ink: tuple[int, ...] = _INK
) -> None:
    pdf.set_font(family, style, size)
    pdf.set_text_color(*ink)
    pdf.multi_cell(0, None, text, new_x="LMARGIN", new_y="NEXT", align="L")
    pdf.ln(1.2)


def _write_block(pdf: FPDF, block: Block) -> None:
    if isinstance(block, Paragraph):
        _write(pdf, one_line(block.text), 8 if block.small else 10, ink=_FAINT if block.small else _INK)
    elif isinstance(block, Code):
        pdf.set_fill_color(243, 244, 246)
        pdf.set_font("code", "", 8)
        pdf.set_text_color(*_INK)
        pdf.multi_cell(0, None, block.text, fill=True, padding=2, new_x="LMARGIN", new_y="NEXT", align="L")
        pdf.ln(1.5)
    elif isinstance(block, Table):
        _write_table(pdf, block)
    elif isinstance(block, Picture):
        _write_pictures(pdf, [block])


def _write_table(pdf: FPDF, table: Table) -> None:
    from fpdf.fonts import FontFace

    pdf.set_font("text", "", 7.5)
    pdf.set_text_color(*_INK)
    pdf.set_draw_color(*_RULE)
    widths = _column_widths(pdf, table)
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        col_widths=widths,
        headings_style=FontFace(emphasis="BOLD", color=_INK),
        line_height=4.2,
        text_align="LEFT",
        padding=(0.4, 1.2, 0.4, 0),
    ) as drawn:
        for cells in [table.head, *table.rows]:
            row = drawn.row()
            for cell in cells:
                row.cell(one_line(cell))
    pdf.ln(1.5)
    if table.note:
        _write(pdf, one_line(table.note), 8, ink=_FAINT)


def _column_widths(pdf: FPDF, table: Table) -> tuple[float, ...]:
    """Room for the longest word of each column, and what is left by how much there is to read."""
    columns = list(zip(*([one_line(cell) for cell in row] for row in [table.head, *table.rows]), strict=True))
    words = [
        max(pdf.get_string_width(word) for cell in cells for word in cell.split() or [""])
        for cells in columns
    ]
    least = [min(_WIDER_IF_BOLD * word + _CELL_ROOM_MM, pdf.epw / len(columns)) for word in words]
    longest = [min(max(4, *map(len, cells)), 60) for cells in columns]
    left = max(pdf.epw - sum(least), 0.0)
    return tuple(low + left * much / sum(longest) for low, much in zip(least, longest, strict=True))


def _write_pictures(pdf: FPDF, pictures: Sequence[Picture]) -> None:
    """Pictures over the whole width, or two by two."""
    gap = 6.0
    for first in range(0, len(pictures), 2):
        row = pictures[first : first + 2]
        column = pdf.epw if row[0].wide else (pdf.epw - gap) / 2
        shapes = [tall / across for across, tall in map(_size, row)]
        widths = [min(column, (pdf.eph - 30) / shape) for shape in shapes]
        if pdf.will_page_break(max(map(mul, widths, shapes)) + 14):
            pdf.add_page()
        top, low = pdf.get_y(), 0.0
        for number, (picture, width) in enumerate(zip(row, widths, strict=True)):
            pdf.set_left_margin(_MARGIN_MM + number * (column + gap))
            pdf.set_right_margin(_PAGE_MM[0] - pdf.l_margin - column)
            pdf.set_xy(pdf.l_margin, top)
            if picture.title:
                _write(pdf, one_line(picture.title), 9.5, style="B")
            pdf.image(io.BytesIO(picture.png), w=width, alt_text=one_line(picture.title))
            pdf.set_xy(pdf.l_margin, pdf.get_y() + 1)
            if picture.about:
                _write(pdf, one_line(picture.about), 8, ink=_FAINT)
            low = max(low, pdf.get_y())
        pdf.set_margin(_MARGIN_MM)
        pdf.set_xy(_MARGIN_MM, low + 1)


def _cell(text: str) -> str:
    """A cell of a table; a number is not broken into two lines."""
    kind = ' class="number"' if _NUMBER.fullmatch(text) else ""
    return f"<td{kind}>{html.escape(one_line(text))}</td>"


def _size(picture: Picture) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(picture.png)) as image:
        return image.size
