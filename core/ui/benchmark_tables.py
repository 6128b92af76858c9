"""How good the methods of a task are: the measured scores that come with the project, as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.ui.text import plain

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
FORMAT = 1
"""Version of the results that is understood here."""


def read_results(path: Path) -> Mapping[str, Any] | None:
    """The results of the benchmark; None when they are absent, broken or of another format.

    They are ``{"format": 1, "sets": {name: {"about": sentence, "frames": number, "rows": [row]}}}``, and a
    row is a method with its figures by name: ``{"method": "YOLO26", "F1, IoU ≥ 0.5": 0.41}``.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        return None
    sets = results.get("sets")
    complete = isinstance(sets, dict) and all(
        isinstance(one, dict) and isinstance(one.get("rows"), list) for one in sets.values()
    )
    return results if complete and sets else None


def benchmark_tables(task: str, folder: Path = RESULTS) -> None:
    """Draw what was measured of a task's methods, for a set of frames that a person chooses."""
    command = f"python -m benchmarks.{task}"
    st.subheader("How good are these methods?", anchor=False)
    results = read_results(folder / f"{task}.json")
    if results is None:
        st.info(f"The measured scores are not here, or of another kind. `{command}` measures them.")
        return
    names = list(results["sets"])
    chosen = st.segmented_control(
        "Frames",
        names,
        default=names[0],
        key=f"{task}.benchmark.set",
        format_func=str.capitalize,
        required=True,
        wrap=True,
    )
    one = results["sets"][str(chosen)]
    frames = f" {one['frames']:,} frames;" if isinstance(one.get("frames"), int) else ""
    st.caption(plain(f"{one.get('about', '')}{frames} measured by {command}."))
    st.dataframe(pd.DataFrame(one["rows"]), hide_index=True, alt="Scores of each method")
