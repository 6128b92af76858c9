"""Simulation playground: a real field, a telescope, a sky, and the frame they give, with its truth."""

from __future__ import annotations

import streamlit as st

from core.frames.display import DisplaySettings
from core.ui import simulate
from core.ui.shell import enter_dashboard, face, lead, show_warnings
from core.ui.text import plain
from core.ui.viewer import Pane, frame_viewer

enter_dashboard()
st.title("Simulation playground")
research = face() == "Research"
picture, controls = st.columns([3, 1], gap="medium")

with controls:
    scene = simulate.scene_controls(full=research)
    online = st.toggle("Ask the Gaia archive (online)", key="sim.online", persist_state="session")
    whole = st.toggle(
        f"Whole frame, {scene.camera.width} × {scene.camera.height} px",
        key="sim.whole",
        persist_state="session",
        help=f"Off: the middle {simulate.PREVIEW_SIDE} px, which follow every slider at once.",
    )
    developed = False
    if scene.n_planes == 3:
        developed = st.toggle(
            "As the telescope's app shows it", True, key="sim.developed", persist_state="session"
        )

with picture:
    headline = st.container()
    shown = scene if whole else simulate.preview_scene(scene)
    with st.spinner("Exposing") if whole else st.container():
        simulation, stars = simulate.expose(shown, online=online)
    with headline:
        lead(stars.sentence)
        if online:
            show_warnings(stars.notes)
        st.caption(
            plain(
                f"{scene.pixel_scale_arcsec:.2f}″ a pixel · stars {scene.fwhm_px:.1f} px wide · "
                f"{scene.camera.n_stacked} × {scene.camera.exposure_s:g} s"
            )
        )
    frame = simulate.as_shown(simulation, developed=developed)
    settings = DisplaySettings.for_frame(simulation.frame)
    if developed:
        settings = DisplaySettings(stretch="linear", limits="manual", low=0.0, high=255.0)
    with_truth = st.toggle("Show what is truly there", key="sim.truth", persist_state="session")
    layers = simulate.truth_layers(simulation) if with_truth else []
    frame_viewer([Pane("simulated", frame, settings)], layers, key="sim.viewer")

send, single, many = st.columns(3, gap="medium")
with send:
    st.markdown("**Try a method on it**")
    simulate.send_buttons(simulation)
    st.caption("The truth goes along, and every method is scored against it.")
with single:
    st.markdown("**Take this frame home**")
    simulate.simulation_downloads(simulation, frame, settings)
with many:
    st.markdown("**Take ten exposures**")
    dither = st.slider("Dither (px)", 0.0, 50.0, 10.0, key="sim.dither", persist_state="session")
    taken = simulate.archivable(shown, 10)
    st.download_button(
        "Ten FITS files in one archive",
        data=lambda: simulate.exposures_zip(taken, 10, dither, online=online),
        file_name="exposures.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )
    if taken != shown:
        st.caption(
            f"Of the middle {taken.camera.width} × {taken.camera.height} px; ten of all would be too large."
        )
if research and stars.notes and not online:
    st.caption(plain(" ".join(stars.notes)))
