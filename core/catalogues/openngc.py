"""OpenNGC, offline: NGC and IC objects with their sizes and names, as the ``pyongc`` package carries them.

Mattia Verga, OpenNGC (github.com/mattiaverga/OpenNGC), CC BY-SA 4.0.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_NAME = re.compile(r"([A-Za-z]+)[\s.\-]*0*(\d.*)")
_SAME = ("ngc", "ic", "messier")
"""Columns that say what a duplicate is the same as."""
_NO_OBJECTS = ("Dup", "NonEx")


@dataclasses.dataclass(frozen=True)
class Entry:
    """An entry of OpenNGC that has a place.

    Attributes:
        key: OpenNGC's own name, ``"NGC5194"``.
        name: ``"M 51"`` where there is a Messier number, else the designation.
        designation: ``"NGC 5194"``.
        common_names: What people call it, the usual one first, as OpenNGC spells them.
        identifiers: Its names in other catalogues.
        same_as: Key of the object this entry is another number of, or an empty string.
        type, kind: OpenNGC's short type, and the type in words.
        constellation: Three letters.
        ra_deg, dec_deg: ICRS degrees.
        size_arcmin, minor_arcmin: Axes in arcminutes, or None.
        angle_deg: Position angle of the major axis, from north through east, or None.
        magnitude: In V, else in B, or None.
        hubble: Type of a galaxy, or an empty string.
    """

    key: str
    name: str
    designation: str
    common_names: tuple[str, ...]
    identifiers: tuple[str, ...]
    same_as: str
    type: str
    kind: str
    constellation: str
    ra_deg: float
    dec_deg: float
    size_arcmin: float | None
    minor_arcmin: float | None
    angle_deg: float | None
    magnitude: float | None
    hubble: str

    @property
    def common_name(self) -> str:
        """The usual one of the common names without its article, or an empty string."""
        return self.common_names[0].removeprefix("the ") if self.common_names else ""


@functools.lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Every entry that has a place, duplicates and errors of the old catalogues too; read once, in 0.2 s."""
    from contextlib import closing

    from pyongc import DBPATH

    query = (
        "SELECT name, type, typedesc, ra, dec, const, majax, minax, pa, vmag, bmag, messier, ngc, ic, "
        "identifiers, commonnames, hubble FROM objects JOIN objTypes USING (type) "
        "WHERE ra IS NOT NULL AND dec IS NOT NULL ORDER BY id"
    )
    with closing(sqlite3.connect(f"file:{DBPATH}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return tuple(_entry(row) for row in database.execute(query))


@functools.lru_cache(maxsize=1)
def openngc() -> pd.DataFrame:
    """Every object that has a place and exists, one row each. Do not change it.

    Columns: the attributes of :class:`Entry` but ``key``, ``common_names``, ``identifiers`` and ``same_as``,
    and ``common_name``; NaN where a number is not known.
    """
    import pandas as pd

    known = [entry for entry in entries() if entry.type not in _NO_OBJECTS]
    columns = [
        "name",
        "designation",
        "common_name",
        "type",
        "kind",
        "constellation",
        "ra_deg",
        "dec_deg",
        "size_arcmin",
        "minor_arcmin",
        "angle_deg",
        "magnitude",
        "hubble",
    ]
    table = pd.DataFrame({column: [getattr(entry, column) for entry in known] for column in columns})
    numbers = ["size_arcmin", "minor_arcmin", "angle_deg", "magnitude"]
    return table.astype(dict.fromkeys(numbers, float))


def _entry(row: sqlite3.Row) -> Entry:
    designation = spaced(row["name"])
    is_duplicate = row["type"] == "Dup"
    return Entry(
        key=row["name"],
        name=f"M {int(row['messier'])}" if row["messier"] and not is_duplicate else designation,
        designation=designation,
        common_names=_listed(row["commonnames"]),
        identifiers=_listed(row["identifiers"]),
        same_as=next((f"{of}{row[of]}" for of in _SAME if row[of]), "") if is_duplicate else "",
        type=row["type"],
        kind=row["typedesc"],
        constellation={"Se1": "Ser", "Se2": "Ser"}.get(row["const"], row["const"] or ""),
        ra_deg=math.degrees(row["ra"]),
        dec_deg=math.degrees(row["dec"]),
        size_arcmin=row["majax"],
        minor_arcmin=row["minax"],
        angle_deg=row["pa"],
        magnitude=row["bmag"] if row["vmag"] is None else row["vmag"],
        hubble=row["hubble"] or "",
    )


def spaced(name: str) -> str:
    """``"NGC 5194"`` of ``"NGC5194"``: letters, a space and the number without leading zeros."""
    parts = _NAME.fullmatch(name)
    return name if parts is None else f"{parts.group(1)} {parts.group(2)}"


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())
