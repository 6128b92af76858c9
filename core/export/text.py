"""Text from labels, names and headers made harmless before it is written into a file."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from core.parameters import canonical_json

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

# Control characters end lines and records, surrogates cannot be encoded, and neither is allowed in XML.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


def one_line(value: Any) -> str:
    """``value`` as text without control characters or line breaks (each run becomes one space)."""
    return "" if value is None else _UNWRITABLE.sub(" ", str(value))


def ascii_only(text: str) -> str:
    """``text`` with what is not printable ASCII escaped as Python does (``"\\u2605"``), as FITS demands."""
    return one_line(text).encode("ascii", "backslashreplace").decode("ascii")


def fact_text(value: Any) -> str:
    """A fact of provenance as one line of text; ``None`` is ``"none"``, mappings and lists are JSON."""
    if value is None:
        return "none"
    if isinstance(value, (dict, list, tuple)):
        return one_line(canonical_json(value))
    return one_line(value)


def is_picture(frame_name: str) -> bool:
    """Whether a frame is a picture by its name, and no FITS file or map."""
    return PurePosixPath(frame_name).suffix.lower() in PICTURES


def picture_stem(frame_name: str) -> str:
    """A frame's name as a file name without its extensions, safe to put into an archive.

    ``"isaac.fits.fz"`` gives ``"isaac"``, ``"../m 31.jpg"`` gives ``"m_31"``.
    """
    base = one_line(frame_name).replace("\\", "/").rsplit("/", 1)[-1]
    stem = re.sub(r"(\.(fits?|fts))?\.[A-Za-z0-9]{1,5}$", "", base, flags=re.IGNORECASE)
    return re.sub(r"[^\w.+-]+", "_", stem).strip("._") or "frame"
