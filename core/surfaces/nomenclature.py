"""The names that the IAU gave to craters, valleys, ridges and plains, and which of them lie on a frame.

``iau_names.csv.gz`` beside this file holds 15,814 features of 45 bodies: the Gazetteer of Planetary
Nomenclature of the International Astronomical Union (IAU) Working Group for Planetary System Nomenclature and
the USGS Astrogeology Science Center (planetarynames.wr.usgs.gov, public domain), as Stellarium carries it.
:mod:`training.iau_names` remakes it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.surfaces.kinds import CRATER, RIDGE, VALLEY

if TYPE_CHECKING:
    import pandas as pd

Float64 = NDArray[np.float64]

NAMES = Path(__file__).with_name("iau_names.csv.gz")
COLUMNS = ("body", "type", "name", "lat_deg", "lon_deg", "diameter_km")
CREDIT = "Names: IAU Gazetteer of Planetary Nomenclature (USGS Astrogeology Science Center)"

KINDS: dict[str, str] = {
    "AA": "crater",
    "AL": "albedo feature",
    "AR": "arcus",
    "AS": "astrum",
    "CA": "chain of craters (catena)",
    "CB": "hollow (cavus)",
    "CH": "chaos",
    "CM": "chasma",
    "CO": "colles",
    "CR": "corona",
    "DO": "ridge (dorsum)",
    "ER": "eruptive centre",
    "FA": "facula",
    "FE": "flexus",
    "FL": "fluctus",
    "FM": "flumen",
    "FO": "fossa",
    "FR": "farrum",
    "FT": "fretum",
    "IN": "insula",
    "LA": "labes",
    "LB": "labyrinthus",
    "LC": "lacus",
    "LE": "lenticula",
    "LF": "landing site",
    "LG": "large ringed feature",
    "LI": "linea",
    "LN": "lingula",
    "LU": "lacuna",
    "MA": "macula",
    "ME": "mare",
    "MN": "mensa",
    "MO": "mountain (mons)",
    "OC": "oceanus",
    "PA": "palus",
    "PE": "patera",
    "PL": "planitia",
    "PM": "planum",
    "PR": "promontorium",
    "PU": "plume",
    "RE": "regio",
    "RI": "rille (rima)",
    "RU": "scarp (rupes)",
    "SA": "saxum",
    "SC": "scopulus",
    "SE": "serpens",
    "SF": "crater (satellite feature)",
    "SI": "sinus",
    "SU": "sulcus",
    "TA": "terra",
    "TE": "tessera",
    "TH": "tholus",
    "UN": "unda",
    "VA": "valley (vallis)",
    "VI": "virga",
    "VS": "vastitas",
}
"""The gazetteer's types in words."""
LANDFORM: dict[str, str] = {
    **dict.fromkeys(("AA", "SF"), CRATER),
    **dict.fromkeys(("VA", "RI", "FO", "CM"), VALLEY),
    "DO": RIDGE,
}
"""The landform that a type is one of, where it is."""
NEAR, ALIKE = 0.5, 1.8
"""A crater has the name of a feature whose middle is nearer than the first part of the larger radius, and
whose diameter differs by less than the second factor."""


@functools.lru_cache(maxsize=1)
def names() -> pd.DataFrame:
    """Every named feature, with the columns of :data:`COLUMNS`; longitudes eastward in [-180, 180). Do not
    change it."""
    import pandas as pd

    return pd.read_csv(NAMES, keep_default_na=False)


def features_on(frame: Frame, *, least_px: float = 0.0) -> pd.DataFrame:
    """The named features whose middle lies on a frame, the largest first; none without a map position.

    Args:
        frame: With its :attr:`~core.frames.frame.Frame.ground`.
        least_px: Least diameter on the frame. Features without a diameter count as 0.

    Returns:
        The columns of :data:`COLUMNS`, ``kind`` in words, ``landform`` (or None), ``x, y`` and
        ``diameter_px``.
    """
    table = names()
    ground = frame.ground
    if ground is None:
        return _measured(table.iloc[:0], np.empty((2, 0)), np.empty(0))
    own = table[table["body"] == ground.body]
    x, y = ground.pixel(own["lat_deg"].to_numpy(float), own["lon_deg"].to_numpy(float))
    within = (x >= -0.5) & (x <= frame.width - 0.5) & (y >= -0.5) & (y <= frame.height - 0.5)
    own, places = own[within], np.stack([x[within], y[within]])
    km_per_px = np.sqrt(ground.pixel_areas_km2(*places))
    found = _measured(own, places, own["diameter_km"].to_numpy(float) / km_per_px)
    found = found[found["diameter_px"] >= least_px]
    return found.sort_values("diameter_km", ascending=False, kind="stable").reset_index(drop=True)


def names_of_craters(
    frame: Frame, x: Float64, y: Float64, diameter_px: Float64, score: Float64
) -> list[str | None]:
    """The name of each crater, or None. A name is given once, to the crater that fits it best and is sure.

    Args:
        frame: With its map position.
        x, y, diameter_px, score: ``(N,)``.
    """
    found: list[str | None] = [None] * len(x)
    known = features_on(frame, least_px=1.0)
    known = known[known["landform"] == CRATER]
    if known.empty or not len(x):
        return found
    apart = np.hypot(x[:, None] - known["x"].to_numpy(), y[:, None] - known["y"].to_numpy())
    sizes = known["diameter_px"].to_numpy(float)
    larger = np.maximum(diameter_px[:, None], sizes) / 2.0
    stretch = np.abs(np.log(diameter_px[:, None] / sizes))
    misfit = apart / larger / NEAR + stretch / np.log(ALIKE) - score[:, None]
    fits = (apart < NEAR * larger) & (stretch < np.log(ALIKE))
    pairs = np.argwhere(fits)
    taken: set[int] = set()
    for row, feature in pairs[np.argsort(misfit[fits], kind="stable")]:
        if found[row] is None and int(feature) not in taken:
            found[row] = str(known["name"].iloc[feature])
            taken.add(int(feature))
    return found


def _measured(table: pd.DataFrame, places: Float64, diameter_px: Float64) -> pd.DataFrame:
    return table.assign(
        kind=table["type"].map(KINDS).fillna("feature"),
        landform=table["type"].map(LANDFORM).astype(object).where(table["type"].isin(LANDFORM), None),
        x=places[0],
        y=places[1],
        diameter_px=diameter_px,
    )
