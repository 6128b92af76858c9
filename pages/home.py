"""The front page: what Almagest does, demos one click away, and the latest runs."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.ui.frames import all_samples, thumbnail, want_frame
from core.ui.results import runs_table
from core.ui.runs import store
from core.ui.shell import enter_dashboard, face, go_to, lead


@dataclass(frozen=True)
class Analysis:
    """One of the five analyses as the front page introduces it."""

    title: str
    sample: str
    about: str
    page: str
    action: str


FIND, CLUSTERS, DEEP = "pages/stars.py", "pages/clusters.py", "pages/dso.py"
GROUND, PLAY = "pages/surfaces.py", "pages/playground.py"
ANALYSES = (
    Analysis(
        "Star detection",
        "isaac_psr_j1740",
        "Every star in a frame, with its brightness and place on the sky, by a network and two classics.",
        FIND,
        "Find the stars",
    ),
    Analysis(
        "Star clusters",
        "m13",
        "Stars born together: find them by place and motion, see who belongs, and how far they reach.",
        CLUSTERS,
        "Find the clusters",
    ),
    Analysis(
        "Planetary surfaces",
        "moon_tycho",
        "Craters, valleys and ridges on the Moon and on planets: outlined, measured, counted and compared.",
        GROUND,
        "Map the ground",
    ),
    Analysis(
        "Deep-sky objects",
        "m31",
        "Galaxies, nebulae and clusters, boxed by four techniques and called by their names.",
        DEEP,
        "Find what glows",
    ),
    Analysis(
        "Simulation playground",
        "m44",
        "Point a telescope of your choice at a real field, under any sky, and see the frame it would take.",
        PLAY,
        "Simulate a field",
    ),
)
DEMOS = ("isaac_psr_j1740", "m44", "m3", "m51_kpno", "m22")

enter_dashboard()
st.title("Almagest")
lead("See what is in a picture of the sky, how sure the methods are, and put right what they got wrong.")

samples = all_samples()
for column, analysis in zip(st.columns(len(ANALYSES), gap="small"), ANALYSES, strict=True):
    with column.container(border=True, height="stretch"):
        st.image(thumbnail(analysis.sample), width="stretch", alt=samples[analysis.sample].title)
        st.markdown(f"**{analysis.title}**")
        with st.container(height="stretch"):
            st.write(analysis.about)
        if st.button(analysis.action, key=f"go.{analysis.title}", type="primary", width="stretch"):
            want_frame(analysis.sample)
            go_to(analysis.page)

st.subheader("Find stars with one click", anchor=False)
demos = st.container(horizontal=True, gap="small")
for name in DEMOS:
    title = samples[name].title.partition(",")[0]
    if demos.button(title, key=f"demo.{name}", icon=":material/play_arrow:", help=samples[name].title):
        want_frame(name)
        go_to(FIND)

st.subheader("Latest runs", anchor=False)
db = store()
if db is not None:
    runs_table(db.runs(limit=8 if face() == "Explore" else 25))
