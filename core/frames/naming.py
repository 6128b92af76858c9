"""File names fit to be shown: a name comes from a stranger and may hold anything."""

from __future__ import annotations

import re
import unicodedata

from core.frames.limits import MAX_NAME

_MARKUP = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "`": "'", "&": "+"})


def display_name(name: str) -> str:
    """The last part of a path as one short line without control characters or markup.

    Angle and square brackets, backticks and ampersands become look-alikes, so that neither HTML nor
    Markdown can be made of the name wherever it is shown. A long name keeps its two ends.
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    printable = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in last)
    short = " ".join(printable.translate(_MARKUP).split())
    if len(short) > MAX_NAME:
        short = f"{short[: MAX_NAME - 21]}…{short[-20:]}"
    return short or "the file"
