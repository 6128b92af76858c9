"""How landforms are drawn and called everywhere: on the page, in plots and in reports."""

from __future__ import annotations

from collections.abc import Mapping

from core.surfaces.kinds import CRATER, FLOOR, LANDFORMS, PLAIN, RIDGE, RIM, UNSURE, VALLEY
from core.surfaces.mix import OTHER, WITHIN

MARKED = (CRATER, VALLEY, RIDGE)
"""The landforms that are objects: what a method marks one by one."""
PARTS = (*LANDFORMS, WITHIN, OTHER, UNSURE)
"""What a mix can have, in the order in which it is drawn."""
PLURAL = {CRATER: "craters", VALLEY: "valleys", RIDGE: "ridges"}
COLOURS = {
    CRATER: "#E69F00",
    WITHIN: "#E69F00",
    VALLEY: "#56B4E9",
    RIDGE: "#CC79A7",
    PLAIN: "#009E73",
    FLOOR: "#E69F00",
    RIM: "#D55E00",
    UNSURE: "#9AA4B2",
    OTHER: "#8894A8",
}
"""Of Okabe and Ito's palette, which every common colour vision tells apart."""
PATTERNS: Mapping[str, str] = {
    PLAIN: "solid",
    CRATER: "dots",
    WITHIN: "dots",
    FLOOR: "dots",
    RIM: "grid",
    VALLEY: "stripes",
    RIDGE: "backstripes",
    UNSURE: "faint",
    OTHER: "solid",
}
"""What fills a landform besides its colour."""
DASHES: Mapping[str, tuple[float, ...]] = {RIDGE: (9.0, 5.0)}
"""How the outline of a landform is broken, which tells ridges from valleys without colour."""


def counted(n: int, label: str) -> str:
    """``"1 crater"``, ``"1,204 craters"``."""
    return f"{n:,} {label if n == 1 else PLURAL.get(label, label)}"
