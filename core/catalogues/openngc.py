"""OpenNGC, offline: the NGC and IC objects with their sizes, as the ``pyongc`` package carries them.

Mattia Verga, OpenNGC (github.com/mattiaverga/OpenNGC), CC BY-SA 4.0.
"""

from __future__ import annotations

import functools
import re
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_NAME = re.compile(r"([A-Za-z]+)[\s.\-]*0*(\d.*)")


@functools.lru_cache(maxsize=1)
def openngc() -> pd.DataFrame:
    """Every object that has a place and exists, one row each; read once, in 0.2 s. Do not change it.

    Columns: ``name`` (``"M 51"``, ``"NGC 5195"``), ``designation`` (OpenNGC's own, spaced), ``common_name``,
    ``type`` (OpenNGC's short one), ``kind`` (in words), ``constellation`` (three letters), ``ra_deg``,
    ``dec_deg`` (ICRS), ``size_arcmin``, ``minor_arcmin``, ``angle_deg`` (from north through east),
    ``magnitude`` (V, else B), ``hubble`` (of galaxies).
    """
    from contextlib import closing

    import numpy as np
    import pandas as pd
    from pyongc import DBPATH

    query = (
        "SELECT name, type, typedesc AS kind, ra, dec, const, majax, minax, pa, vmag, bmag, messier, "
        "commonnames, hubble FROM objects JOIN objTypes USING (type) "
        "WHERE ra IS NOT NULL AND dec IS NOT NULL AND type NOT IN ('Dup', 'NonEx') ORDER BY id"
    )
    with closing(sqlite3.connect(f"file:{DBPATH}?mode=ro", uri=True)) as database:
        cursor = database.execute(query)
        raw = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
    spaced = raw["name"].map(_spaced)
    messier = raw["messier"].fillna("").map(lambda number: f"M {int(number)}" if number else "")
    return pd.DataFrame(
        {
            "name": messier.where(messier != "", spaced),
            "designation": spaced,
            "common_name": raw["commonnames"].fillna("").map(_first),
            "type": raw["type"],
            "kind": raw["kind"],
            "constellation": raw["const"].fillna("").replace({"Se1": "Ser", "Se2": "Ser"}),
            "ra_deg": np.degrees(raw["ra"].to_numpy(float)),
            "dec_deg": np.degrees(raw["dec"].to_numpy(float)),
            "size_arcmin": raw["majax"].to_numpy(float),
            "minor_arcmin": raw["minax"].to_numpy(float),
            "angle_deg": raw["pa"].to_numpy(float),
            "magnitude": raw["vmag"].astype(float).fillna(raw["bmag"].astype(float)),
            "hubble": raw["hubble"].fillna(""),
        }
    )


def _first(names: str) -> str:
    return names.split(",")[0].strip().removeprefix("the ")


def _spaced(name: str) -> str:
    parts = _NAME.fullmatch(name)
    return name if parts is None else f"{parts.group(1)} {parts.group(2)}"
