"""Stored runs as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from core.export import FORMATS
from core.store import Store, StoredRun
from core.ui.exports import TABLE_FORMATS, export_panel
from core.ui.shell import show_warnings
from core.ui.tables import sources_table
from core.ui.text import plain


def runs_table(runs: Sequence[StoredRun], *, key: str | None = None) -> StoredRun | None:
    """Draw a table of runs, newest first; with a ``key`` a row can be picked, and the run is given back.

    A run stays picked when others are stored meanwhile, as long as the table holds it.
    """
    if not runs:
        st.info("Nothing stands here yet. Open an analysis, and its runs are listed here.")
        return None
    table = pd.DataFrame(
        {
            "when (UTC)": [pd.Timestamp(run.started_at) for run in runs],
            "frame": [run.frame_name for run in runs],
            "method": [run.method for run in runs],
            "found": [run.n_detections for run in runs],
            "what it says": [run.summary for run in runs],
            "time [s]": [run.seconds for run in runs],
            "by": [run.person or "" for run in runs],
        }
    )
    columns = {
        "when (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "what it says": st.column_config.TextColumn(width="large"),
        "time [s]": st.column_config.NumberColumn(format="%.2f"),
    }
    alt = "Stored runs, newest first"
    if key is None:
        st.dataframe(table, hide_index=True, column_config=columns, alt=alt)
        return None
    ids = [run.run_id for run in runs]
    picked = f"{key}.picked"
    row = ids.index(st.session_state[picked]) if st.session_state.get(picked) in ids else None
    # A table marks rows by their place: with other runs in it, it must be another table.
    table_key = f"{key}.{hash(tuple(ids))}"
    st.dataframe(
        table,
        column_config=columns,
        key=table_key,
        on_select=partial(_remember, picked, table_key, ids),
        selection_mode="single-row",
        selection_default=None if row is None else {"selection": {"rows": [row]}},
        alt=alt,
    )
    return None if row is None else runs[row]


def _remember(picked: str, table_key: str, ids: Sequence[str]) -> None:
    rows = st.session_state[table_key]["selection"]["rows"]
    st.session_state[picked] = ids[rows[0]] if rows else None


def run_details(db: Store, run: StoredRun) -> None:
    """Draw a stored run: what it says, how it was made, what people corrected, and its downloads."""
    result = db.load_result(run.run_id)
    st.subheader(plain(f"{run.method} on {run.frame_name}"), anchor=False)
    st.write(plain(run.summary))
    show_warnings(result.warnings)
    found, made = st.columns([3, 2], gap="large")
    with found:
        sources_table(result.detections, f"stored.{run.run_id}", None)
        formats = tuple(FORMATS) if run.width else TABLE_FORMATS
        export_panel(result, None, f"stored.{run.run_id}", formats=formats)
    with made:
        rows = {
            "Frame": f"{run.width} × {run.height} px" if run.width else "a table of stars",
            "Version": run.version,
            "Weights": run.weights_sha256 or "none needed",
            **run.params,
            **{f"measured {name}": f"{value:.4g}" for name, value in result.facts.items()},
        }
        table = pd.DataFrame(rows.items(), columns=["", "value"]).astype(str)
        st.dataframe(table, hide_index=True, alt="How the run was made")
        log = db.corrections(run.run_id)
        people = len({entry.person for entry in log})
        st.caption(plain(f"Corrections: {len(log)}, by people: {people}. Frame {run.frame_key[:16]}…"))
