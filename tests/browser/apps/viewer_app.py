"""A page with a viewer on a known frame: what test_viewer.py looks at.

The address chooses: ``?mode=blink``, ``?other=small`` (a second frame of another size), ``?heat=yes``,
``?ground=yes`` (a ridge drawn as a line, and classes of places over the picture).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.frames import Frame
from core.frames.display import DisplaySettings
from core.results import Detections
from core.ui.viewer import AreaClass, Areas, Layer, Pane, frame_viewer

WIDTH, HEIGHT = 3000, 2000
SCALE_DEG = 10 / WIDTH
OBJECTS = 400
HOSTILE = "<img src=x onerror=document.title='broken'>"


def known_frame() -> Frame:
    """3000 × 2000 px over 10°, rotated by 30°, every pixel of another value than its neighbours."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [83.8, -5.4]
    wcs.wcs.crpix = [WIDTH / 2, HEIGHT / 2]
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    wcs.wcs.cd = SCALE_DEG * np.array([[-cos, sin], [sin, cos]])
    noise = np.random.default_rng(5).normal(1000, 30, (HEIGHT, WIDTH)).astype(np.float32)
    return Frame.from_array(noise, "known.fits", row0="bottom", wcs=wcs, unit="adu")


def known_objects() -> Detections:
    """Objects on a grid of 20 × 20; the score grows with the row."""
    x, y = np.meshgrid(np.linspace(100, WIDTH - 100, 20), np.linspace(100, HEIGHT - 100, 20))
    table = pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "score": np.linspace(0, 1, OBJECTS)})
    table["label"] = np.where(table.index % 4 == 0, "galaxy", "star")
    table["name"] = [f"object {row}" for row in table.index]
    table["snr"] = 5.0 + table.index
    return Detections(table)


def known_ground() -> Areas:
    """Four quarters of the frame; the class of the fourth is not sure."""
    classes = (AreaClass("unsure", "#9AA4B2", "faint"), AreaClass("plain", "#56B4E9"))
    classes += (AreaClass("ridge", "#CC79A7", "stripes"), AreaClass("valley", "#009E73", "grid"))
    mask = np.array([[1, 2], [3, 0]], np.uint16)
    plain = np.array([[0.95, 0.02], [0.03, 0.5]], np.float32)
    ridge = np.array([[0.05, 0.98], [0.0, 0.4]], np.float32)
    return Areas("Landforms", classes, mask, {"plain": plain, "ridge": ridge})


def known_line() -> Detections:
    """A ridge that runs across the lower left quarter and turns once."""
    table = pd.DataFrame({"label": ["ridge"], "score": [0.9], "x": [900.0], "y": [400.0]})
    table["path"] = ["300,100 900,400 1200,900"]
    return Detections(table.assign(x_min=300.0, y_min=100.0, x_max=1200.0, y_max=900.0))


def _smooth(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return (pixels + np.roll(pixels, 1, 0) + np.roll(pixels, 1, 1)) / np.float32(3)


@st.cache_resource
def _frames() -> tuple[Frame, Frame, Frame]:
    frame = known_frame()
    small = Frame.from_array(frame.pixels[:500, :700], "small.fits", row0="bottom")
    return frame, frame.with_pixels(_smooth(frame.pixels), '["smooth"]'), small


def _page() -> None:
    st.set_page_config(layout="wide")
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    frame, smoothed, small = _frames()
    second = small if st.query_params.get("other") == "small" else smoothed
    settings = DisplaySettings.for_frame(frame)
    objects = known_objects()
    layers = [
        Layer("All", objects, "#56B4E9", "circle", note="snr"),
        Layer(HOSTILE, objects.above(0.9), "#E69F00", "square"),
    ]
    ground = "ground" in st.query_params
    if ground:
        layers = [Layer("Ridges", known_line(), "#CC79A7", "line", path="path", dash=(9.0, 5.0))]
    if st.button("Choose the last"):
        st.session_state["wanted"] = (0, OBJECTS - 1)
    event = frame_viewer(
        [
            Pane(
                "Known",
                frame,
                settings,
                areas=known_ground() if ground else None,
                km_per_px=0.1 if ground else None,
            ),
            Pane("Other", second, settings),
        ],
        layers,
        key="viewer",
        mode=st.query_params.get("mode", "single"),
        selected=st.session_state.get("wanted"),
        heat=np.eye(64, dtype=np.float32) if "heat" in st.query_params else None,
    )
    st.text(f"runs={st.session_state['runs']}")
    st.text(f"selected={event.selected} threshold={event.threshold or 0.0:.2f} clicked={event.clicked}")


if __name__ == "__main__":
    _page()
