"""Numbers as people write them."""

from __future__ import annotations


def percent(part: float, digits: int = 0) -> str:
    """A part of a whole: ``"62 %"`` of 0.62, with digits behind the point where they are asked for."""
    return f"{100.0 * part:.{digits}f} %"
