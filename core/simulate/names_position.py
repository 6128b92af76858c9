"""Reading a place on the sky as people write it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import ParameterInvalid

_WRITTEN = re.compile(r"[+-]?\d[\d\s.,;:+\-hmsdeg°'′\"″]*")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")


def read_position(text: str) -> tuple[float, float] | None:
    """Right ascension and declination in ICRS degrees; None when the text is not a position.

    Two numbers are degrees (``"204.25 -29.86"``); with minutes the right ascension is in hours
    (``"13:37:00 -29:51:57"``, ``"13h37m -29d52m"``, ``"13 37 00 -29 51 57"``).

    Raises:
        ParameterInvalid: It is a position, but not one on the sky.
    """
    written = text.strip().lower().replace("−", "-")
    if not _WRITTEN.fullmatch(written):
        return None
    numbers = _NUMBER.findall(written)
    # The declination starts at its sign; without one, both have as many parts.
    signed = [i for i, number in enumerate(numbers) if i and number[0] in "+-"]
    start = signed[0] if signed else len(numbers) // 2
    if len(signed) > 1 or not (1 <= start <= 3 and 1 <= len(numbers) - start <= 3):
        return None
    if not signed and len(numbers) % 2:
        return None
    in_hours = start > 1 or "h" in written
    ra_deg = _joined(numbers[:start], text) * (15.0 if in_hours else 1.0)
    dec_deg = _joined(numbers[start:], text)
    if not 0.0 <= ra_deg <= 360.0:
        raise _refusal("right ascension must be 0 to 360° (0 to 24 h)", text, "0 to 360")
    if not -90.0 <= dec_deg <= 90.0:
        raise _refusal("declination must be −90° to +90°", text, "-90 to 90")
    return ra_deg % 360.0, dec_deg


def _joined(parts: Sequence[str], text: str) -> float:
    """Degrees (or hours), minutes and seconds as one number; a sign stands before them all."""
    whole, *sixtieths = (abs(float(part)) for part in parts)
    if any(part >= 60 for part in sixtieths):
        raise _refusal("minutes and seconds must be less than 60", text, "0 to 60")
    size: float = whole + sum(part / 60 ** (i + 1) for i, part in enumerate(sixtieths))
    return -size if parts[0].startswith("-") else size


def _refusal(rule: str, text: str, limit: str) -> ParameterInvalid:
    return ParameterInvalid(f"The {rule}, got {text!r}.", parameter="object", given=text, limit=limit)
