"""What a file is, told from its first bytes; its extension is never believed."""

from __future__ import annotations

from typing import Literal

Format = Literal["FITS", "gzip", "TIFF", "PNG", "JPEG", "ISIS3", "PDS3", "VICAR"]

HEAD_BYTES = 512
"""How many of a file's first bytes tell what it is."""

READ: tuple[tuple[bytes, Format], ...] = (
    (b"SIMPLE  =", "FITS"),
    (b"\x1f\x8b", "gzip"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"Object = IsisCube", "ISIS3"),
    (b"PDS_VERSION_ID", "PDS3"),
    (b"LBLSIZE=", "VICAR"),
)
"""The formats that are read, by their first bytes."""

KNOWN: tuple[tuple[bytes, str], ...] = (
    (b"XTENSION", "a FITS extension without the file it belongs to"),
    (b"XISF0100", "a PixInsight XISF image"),
    (b"LUCAM-RECORDER", "a SER video"),
    (b"#ASDF", "an ASDF file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"8BPS", "a Photoshop picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"FUJIFILM", "a camera's raw picture"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"PAR1", "a Parquet table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"RIFF", "a WebP picture or a RIFF recording"),
)
"""Formats that are not read, with what to call them."""


def format_of(head: bytes) -> Format | None:
    """The format that is read, from a file's first bytes; None for every other."""
    for magic, name in READ:
        if head.startswith(magic):
            return name
    return None


def describe(head: bytes) -> str:
    """What a file that is not read seems to be, in words that follow "is"."""
    for magic, words in KNOWN:
        if head.startswith(magic):
            return words
    if head[4:8] == b"ftyp":
        return "a HEIF picture or an MP4 video"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if _is_text(head):
        return "a text file"
    return "in no format that is known here"


def _is_text(head: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
