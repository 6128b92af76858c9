"""The table of craters for people: sizes in pixels and kilometres, places, shapes, and names."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from core.frames import Frame
from core.results import Detections
from core.surfaces.ellipses import eccentricity
from core.surfaces.mix import craters_of
from core.surfaces.nomenclature import names_of_craters

UNITS = {
    "x": "pix",
    "y": "pix",
    "diameter_px": "pix",
    "diameter_km": "km",
    "lat_deg": "deg",
    "lon_deg": "deg",
}


def crater_table(frame: Frame, found: Detections, km_per_px: float | None = None) -> pd.DataFrame:
    """The craters among detections, the largest first.

    Args:
        frame: They were found on.
        found: Of any method.
        km_per_px: A scale; where the frame has a map, each crater has that of its own place.

    Returns:
        ``name`` (the IAU's, or None), ``diameter_px``, ``diameter_km`` (NaN where no scale is known),
        ``lat_deg`` and ``lon_deg`` (planetocentric and eastward; NaN without a map), ``eccentricity``,
        ``score``, ``x`` and ``y``; the index is the row in ``found``.
    """
    craters = craters_of(found.table)
    x, y, size = (craters[column].to_numpy(float) for column in ("x", "y", "diameter_px"))
    missing = np.full(len(craters), math.nan)
    latitude = longitude = missing
    km = missing if km_per_px is None else size * km_per_px
    names: list[str | None] = [None] * len(craters)
    if frame.ground is not None and len(craters):
        latitude, longitude = frame.ground.latlon(x, y)
        if km_per_px is None:
            km = size * np.sqrt(frame.ground.pixel_areas_km2(x, y))
        names = names_of_craters(frame, x, y, size)
    table = pd.DataFrame(
        {
            "name": pd.Series(names, index=craters.index, dtype=object),
            "diameter_px": size,
            "diameter_km": km,
            "lat_deg": latitude,
            "lon_deg": longitude,
            "eccentricity": [eccentricity(ratio) for ratio in craters["axis_ratio"]],
            "score": craters["score"].to_numpy(float),
            "x": x,
            "y": y,
        },
        index=craters.index,
    )
    return table.sort_values("diameter_px", ascending=False, kind="stable")
