"""Everything that was ever run, to be read again, compared and taken home."""

from __future__ import annotations

import streamlit as st

from core.methods import TASKS
from core.ui.results import run_details, runs_table
from core.ui.runs import store
from core.ui.shell import choose_one, enter_dashboard, lead

enter_dashboard()
st.title("Stored runs")
db = store()
if db is None:
    st.stop()

counts = db.counts()
lead(
    f"Runs: {counts['runs']:,}. Frames: {counts['frames']:,}. Corrections by hand: {counts['corrections']:,}."
)
task = choose_one("Analysis", ["All", *TASKS.values()], "results.task")
names = {title: name for name, title in TASKS.items()}
run = runs_table(db.runs(task=names.get(task), limit=None), key="results.table")
if run is None:
    st.caption("Pick a row to read what was found, see its parameters, and download it.")
else:
    run_details(db, run)
