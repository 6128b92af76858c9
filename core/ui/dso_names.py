"""The objects that catalogues know on a frame, on the deep-sky page."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.dso.known import Known, known_objects
from core.frames import Frame
from core.results import Detections
from core.ui.viewer import Layer

NAMES = "OpenNGC"
"""What the layer of known objects is called, in the legend and in a selection."""
NAMES_COLOUR = "#DDE3EC"
MOST_NAMES = 60
NO_PLACE = (
    "Names need to know where on the sky the frame is. A FITS file with a WCS says so; plate solvers such as "
    "astrometry.net write one."
)


@st.cache_resource(show_spinner=False, max_entries=16, ttl=3600)
def _known(frame_key: str, _frame: Frame) -> Known:
    return known_objects(_frame)


def known_on(frame: Frame) -> Known:
    """The objects of OpenNGC on a frame; none of them without a WCS."""
    return _known(frame.key, frame)


def names_toggle(frame: Frame) -> bool:
    """Draw the switch of the known objects; it is off and says why where the frame has no place."""
    placed = frame.wcs is not None
    on = st.toggle(
        "Names from the catalogue",
        value=True,
        key="dso.names" if placed else "dso.names.none",
        persist_state="session",
        disabled=not placed,
        help="Galaxies, nebulae and clusters of OpenNGC that lie on this frame." if placed else NO_PLACE,
    )
    return placed and on


def names_layer(frame: Frame) -> Layer:
    """The known objects with their names, the largest first."""
    return Layer(
        NAMES,
        catalogue_rows(frame),
        NAMES_COLOUR,
        "circle",
        note="magnitude",
        size_px="radius_px",
        ellipse=("axis_ratio", "turn_deg"),
        lettered=True,
    )


def catalogue_rows(frame: Frame) -> Detections:
    """The known objects that :func:`names_layer` shows, in its order."""
    known = known_on(frame)
    shown = known.objects if len(known.objects) else known.others
    return shown.where(np.arange(len(shown)) < MOST_NAMES)
