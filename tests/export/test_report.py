"""Reports as HTML and PDF: whole, self-contained, and text shown as text."""

from __future__ import annotations

import io
import re
import zlib

import pytest
from PIL import Image

from core.export.report import (
    Chart,
    Code,
    Paragraph,
    Picture,
    Report,
    Section,
    Table,
    _column_widths,
    write_html,
    write_pdf,
)

ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
HOSTILE = "<script>alert(1)</script> **x** σ = 3 − ½ Ωé\x00\x07"


def png(width: int = 300, height: int = 200) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (40, 80, 120)).save(out, "PNG")
    return out.getvalue()


def a_report(rows: int = 3) -> Report:
    pictures = [
        Picture("Wide", png(), HOSTILE, wide=True),
        Picture("One", png()),
        Picture("Two", png(200, 900)),
    ]
    said = [Paragraph(HOSTILE), Code("python -m core analyse a b"), Chart("Live", "<div>live</div>")]
    table = Table(("name", "value"), [(HOSTILE, str(k)) for k in range(rows)], "A note.")
    sections = [Section("Numbers", [table]), Section("Figures", pictures), Section("How", said)]
    return Report(HOSTILE, "Craters: 3.", sections, {"again.sh": b"python -m core analyse a b\n"})


def text_of(pdf: bytes) -> str:
    """All that is written in a PDF of ours, letter for letter; spaces may be lost."""
    streams = []
    for begin in re.finditer(rb"stream\r?\n", pdf):
        try:
            streams.append(zlib.decompressobj().decompress(pdf[begin.end() :]))
        except zlib.error:
            continue
    maps = []
    for table in re.findall(rb"beginbfchar(.*?)endcmap", pdf, re.DOTALL):
        pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4,})>", table)
        maps.append(
            {int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be") for code, letter in pairs}
        )
    words = []
    for shown in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", b"\n".join(streams), re.DOTALL):
        raw = re.sub(rb"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), shown, flags=re.DOTALL)
        codes = [int.from_bytes(raw[k : k + 2], "big") for k in range(0, len(raw), 2)]
        # Each font numbers its letters for itself; the right one knows them all.
        words += ["".join(each.get(code, "\0") for code in codes) for each in maps]
    return "\n".join(words)


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def test_html_stands_by_itself_and_shows_text_as_text():
    page = write_html(a_report()).decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; **x** σ = 3 − ½ Ωé") >= 5
    assert "\x07" not in page
    assert "http" not in page
    assert "<div>live</div>" in page
    assert 'download="again.sh"' in page


def test_pdf_opens_with_its_text_and_its_file_inside():
    pdf = write_pdf(a_report())
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert 1 <= pages_of(pdf) <= 3
    said = text_of(pdf)
    assert "<script>alert(1)</script>" in said, "text is shown as text"
    assert "Ωé" in said
    assert "python -m core analyse a b" in said
    assert b"again.sh" in pdf


def test_columns_have_room_for_their_longest_words():
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_font("helvetica", "", 7.5)
    told = "a sentence of many words that says at length what there is to say of it " * 2
    table = Table(("parameter", "value", "remark"), [("reference", "0.5312", told), ("method", "auto", told)])
    widths = _column_widths(pdf, table)
    assert sum(widths) == pytest.approx(pdf.epw)
    for width, word in zip(widths, ("reference", "0.5312", "sentence"), strict=True):
        assert width > pdf.get_string_width(word)
    assert widths[2] > 3 * max(widths[:2])


def test_a_long_table_goes_on_over_pages():
    assert pages_of(write_pdf(a_report(rows=200))) > 3


@pytest.mark.parametrize("wide", [False, True])
def test_the_words_beside_a_very_narrow_picture_have_room(wide):
    pictures = [Picture("A strip of a map", png(4, 1600), "What it shows", wide)] * 2
    assert "A strip of a map" in text_of(write_pdf(Report("", "", [Section("", pictures)])))


@pytest.mark.parametrize("write", [write_html, write_pdf])
def test_an_empty_report_is_one_too(write):
    assert write(Report("", "", [Section("", []), Section("Empty", [Table(("a",), [])])]))


def test_a_number_in_a_table_is_not_broken_into_two_lines():
    table = Table(("name", "x"), [("Tycho 1", "-0.9971"), ("of 12", "1.2e-05")])
    page = write_html(Report("", "", [Section("Landforms", [table])])).decode()
    assert page.count('<td class="number">') == 2
    assert '<td class="number">-0.9971</td>' in page
