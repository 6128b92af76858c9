"""Look at a frame: stretch it, process it, compare before and after, read its values and its header."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.frames.display import DisplaySettings
from core.ui.frames import choose_frame, frame_facts
from core.ui.plots import histogram_figure
from core.ui.processing import display_controls, frame_histogram, processing_chain
from core.ui.shell import choose_one, enter_dashboard, face, lead, show_warnings
from core.ui.viewer import Pane, frame_viewer

MODES = {"After": "single", "Side by side": "side by side", "Blink": "blink", "Difference": "difference"}

enter_dashboard()
st.title("Look at a frame")
picture, controls = st.columns([3, 1], gap="medium")
with controls:
    choice = choose_frame("m31")
    frame = choice.frame
    st.markdown("**Processing**")
    processed = processing_chain(frame, "chain")
    mode = "After"
    if processed is not frame:
        mode = choose_one("Compare with the frame as it came", MODES, "frames.mode", default="Side by side")
    with st.expander("Display", icon=":material/contrast:", expanded=True):
        settings = display_controls(processed, "display", full=face() == "Research")

with picture:
    lead(choice.sample.about if choice.sample else f"{frame.name}: {frame.width} × {frame.height} pixels.")
    st.caption(frame_facts(frame))
    show_warnings(processed.notes)
    panes = [Pane("after processing" if processed is not frame else frame.name, processed, settings)]
    if mode != "After":
        before = settings if mode == "Difference" else DisplaySettings.for_frame(frame)
        panes.insert(0, Pane("as it came", frame, before))
    frame_viewer(panes, key="frames.viewer", mode=MODES[mode])
    counts, header = st.columns(2, gap="large")

with counts:
    st.markdown("**Histogram**")
    shown = {"as it came": frame_histogram(frame)}
    if processed is not frame:
        shown["after processing"] = frame_histogram(processed)
    st.plotly_chart(histogram_figure(shown, frame.unit), alt="Histogram of the pixel values")
with header:
    st.markdown("**What the file says**")
    if frame.header:
        cards = pd.DataFrame(frame.header.items(), columns=["card", "value"]).astype(str)
        st.dataframe(cards, hide_index=True, alt="Header cards of the file")
    else:
        st.info("The file carries no header: pictures rarely say where the telescope pointed.")
    if choice.sample:
        st.caption(f"Picture: {choice.sample.credit}. Licence: {choice.sample.licence}.")
