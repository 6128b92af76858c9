"""The features on a surface that the International Astronomical Union has named."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.frames import Frame
from core.results import Detections
from core.ui.viewer import Layer

NAMES = "Named features"
COLOUR = "#DDE3EC"
MOST_NAMES = 24
LEAST_PX = 14.0
"""Smaller features cannot be seen under their own name."""
NO_PLACE = (
    "Names need to know where on the body the frame lies. A GeoTIFF or a map cube says so; pictures do not."
)


def names_toggle(frame: Frame) -> bool:
    """Draw the switch of the named features; it is off and says why where the frame has no place."""
    placed = frame.ground is not None
    on = st.toggle(
        "Names of the IAU",
        value=True,
        key="surfaces.names" if placed else "surfaces.names.none",
        disabled=not placed,
        help="Craters, seas, valleys and mountains with a name that lie here." if placed else NO_PLACE,
    )
    return placed and on


def names_layer(frame: Frame) -> Layer:
    """The largest named features of a frame, ringed and lettered."""
    return Layer(
        NAMES, _named(frame.key, frame), COLOUR, "diamond", note="diameter_km", size_px=5.0, lettered=True
    )


@st.cache_resource(show_spinner=False, max_entries=16, ttl=3600)
def _named(key: str, _frame: Frame) -> Detections:
    from core.surfaces.nomenclature import features_on

    found = features_on(_frame, least_px=LEAST_PX).head(MOST_NAMES)
    table = found[["x", "y", "name", "diameter_km", "lat_deg", "lon_deg"]].assign(label="named feature")
    # The largest are lettered first, whatever a method thinks of them.
    table["score"] = np.linspace(1.0, 0.999, len(table))
    return Detections(table, {"diameter_km": "km", "lat_deg": "deg", "lon_deg": "deg"})
