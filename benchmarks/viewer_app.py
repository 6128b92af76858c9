"""The page that ``benchmarks/viewer.py`` times: one frame and its markers, by one of three viewers.

The address chooses: ``?viewer=component|plotly-picture|plotly-values&side=4096&markers=5000&visit=1``.
Each visit is of a frame that no cache knows.
"""

from __future__ import annotations

import io
import time

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.frames import Frame
from core.frames.display import DisplaySettings, render
from core.results import Detections
from core.ui.viewer import Layer, Pane, frame_viewer
from core.ui.viewer.values import binned_mean

BASE_SIDE = 1400


@st.cache_resource(max_entries=1)
def star_field(side: int) -> NDArray[np.float32]:
    """``(side, side)`` noise with 5,000 stars."""
    rng = np.random.default_rng(1)
    pixels = rng.normal(1000, 15, (side, side)).astype(np.float32)
    yy, xx = np.mgrid[-4:5, -4:5]
    star = np.exp(-(xx**2 + yy**2) / 4).astype(np.float32)
    for x, y, peak in zip(
        *rng.integers(4, side - 4, (2, 5000)), 50 * rng.pareto(1.2, 5000) + 50, strict=True
    ):
        pixels[y - 4 : y + 5, x - 4 : x + 5] += star * np.float32(min(peak, 60_000))
    return pixels


def markers(side: int, count: int) -> Detections:
    """``count`` objects anywhere on the frame."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, side, (2, count))
    return Detections(pd.DataFrame({"label": "star", "score": rng.uniform(0, 1, count), "x": x, "y": y}))


def plotly(frame: Frame, objects: Detections, with_values: bool) -> None:
    """The same with Plotly: a picture, or the means that a hover can read, and WebGL markers."""
    import plotly.graph_objects as go
    from PIL import Image

    least = st.slider("Confidence", 0.0, 1.0, 0.0, 0.01)
    table = objects.above(least).table
    figure = go.Figure()
    side = frame.width
    if with_values:
        means = binned_mean(frame.pixels, side // 1024)
        step = side / means.shape[1]
        low, high = np.percentile(means, [1, 99.5])
        figure.add_heatmap(
            z=means, x0=step / 2, dx=step, y0=step / 2, dy=step, zmin=low, zmax=high, colorscale="gray"
        )
    else:
        rgb = render(frame, DisplaySettings.for_frame(frame), max_side=BASE_SIDE).rgb
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, "JPEG", quality=85)
        figure.add_layout_image(
            source=Image.open(buffer), x=0, y=side, sizex=side, sizey=side, xref="x", yref="y", layer="below"
        )
    figure.add_scattergl(
        x=table["x"], y=table["y"], mode="markers", marker={"symbol": "circle-open", "color": "#56B4E9"}
    )
    figure.update_layout(height=640, dragmode="pan", xaxis_range=[0, side], yaxis_range=[0, side])
    figure.update_yaxes(scaleanchor="x")
    st.plotly_chart(figure, key="plot", config={"scrollZoom": True})


def page() -> None:
    """Draw the frame, and say when that began."""
    st.set_page_config(layout="wide")
    asked = st.query_params
    side, count = int(asked.get("side", 4096)), int(asked.get("markers", 5000))
    frame = Frame("field.fits", star_field(side), sha256=asked.get("visit", "0"), row0="bottom")
    objects = markers(side, count)
    began = time.time()
    if asked.get("viewer", "component") == "component":
        settings = DisplaySettings.for_frame(frame)
        frame_viewer([Pane("Field", frame, settings)], [Layer("SEP", objects, "#56B4E9")], key="viewer")
    else:
        plotly(frame, objects, asked["viewer"] == "plotly-values")
    st.html(f'<i data-began="{began * 1000:.0f}"></i>')


page()
