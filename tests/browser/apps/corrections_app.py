"""The correction panel on a small frame with one object of each shape: what test_corrections.py draws on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.frames import Frame
from core.frames.display import DisplaySettings
from core.methods import Method, Progress
from core.parameters import Parameters
from core.results import Detections, Result
from core.shapes import Box, Ellipse, Line, Polygon, Shape
from core.ui.corrections import correction_panel
from core.ui.runs import Analysis, find_analysis, keep_analysis

SIDE = 128
THERE: dict[str, Shape] = {
    "crater": Ellipse(30.0, 100.0, 24.0, 0.5, 30.0),
    "valley": Line(((70.0, 90.0), (95.0, 100.0), (120.0, 90.0))),
    "plain": Polygon(((70.0, 20.0), (110.0, 20.0), (110.0, 50.0), (90.0, 40.0), (70.0, 50.0))),
    "block": Box(10.0, 10.0, 40.0, 30.0),
}


def find(frame: Frame, params: Parameters, progress: Progress) -> Result:
    """One object of each shape, wherever one looks."""
    rows = [
        {"label": label, "score": 0.9, "x": shape.centre[0], "y": shape.centre[1], **shape.columns}
        for label, shape in THERE.items()
    ]
    return Result(Detections(pd.DataFrame(rows), {"diameter_px": "pix", "angle_deg": "deg"}))


METHOD = Method(
    name="surfaces.toy",
    title="Toy",
    summary="Finds the same everywhere.",
    description="It looks at nothing.",
    reference="None",
    params=Parameters,
    analyse=find,
    labels=tuple(THERE),
    geometry=("ellipse", "line", "polygon", "box"),
)


def analysed(frame: Frame) -> Analysis:
    """The toy's result from the store, or else a new one."""
    params = METHOD.params()
    found = find_analysis(METHOD, frame, params)
    return found or keep_analysis(METHOD, frame, params, METHOD.run(frame, params))


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    ground = np.random.default_rng(2).normal(1000, 30, (SIDE, SIDE)).astype(np.float32)
    frame = Frame.from_array(ground, "ground.fits", row0="bottom", unit="adu")
    correction_panel(
        analysed(frame),
        frame,
        DisplaySettings.for_frame(frame),
        "Ada",
        "toy",
        drawn_as={"valley": "line", "plain": "polygon", "block": "box"},
    )
