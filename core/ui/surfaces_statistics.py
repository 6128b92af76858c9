"""What all stored runs on planetary surfaces found, by body, method, person and time."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.errors import ParameterInvalid
from core.frames import Frame
from core.surfaces.looks import MARKED, PLURAL
from core.surfaces.measure import Measure
from core.surfaces.mix import mix_of
from core.ui import surfaces_plots as plots
from core.ui.runs import Analysis, store
from core.ui.shell import show_error
from core.ui.surfaces import rank
from core.ui.surfaces_scale import Ground
from core.ui.visitor import person_name

BODY, SCALE, MEASURE = "body", "km_per_px", "measure"
"""Names of the tags that say which body a frame shows, how large its pixels are, and how it is measured."""
UNKNOWN, NOBODY = "not told", "no name given"
GROUPS = {"Body": "body", "Method": "method", "Person": "person", "Time": "day", "Frame": "frame_name"}


def statistics_panel() -> None:
    """Draw the statistics over all stored runs, grouped as a person asks."""
    db = store()
    if db is None:
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    title = left.segmented_control(
        "By", list(GROUPS), default="Body", key="surfaces.statistics.by", required=True
    )
    newest = not right.toggle(
        "Count every run",
        key="surfaces.statistics.every",
        help="Else only the newest run of each method on each frame, and where several found landforms of a "
        "kind only the one that is shown first, so that nothing counts twice.",
    )
    counts = _grouped(db.label_counts("surfaces", BODY, newest=newest))
    counts["pixels"] = _counted_pixels(counts, db.label_counts("surfaces", MEASURE, newest=newest))
    if counts.empty:
        st.info("No run on a planetary surface is stored yet.")
        return
    people = st.multiselect("Only by", sorted(counts["person"].unique()), key="surfaces.statistics.person")
    group = GROUPS[str(title)]
    shares = _grouped(db.fact_values("surfaces", BODY, "share_", newest=newest))
    if people:
        counts = counts[counts["person"].isin(people)]
        shares = shares[shares["person"].isin(people)]
    table = totals(counts, group, once=newest)
    drawn, listed = st.columns([3, 2], gap="large")
    with drawn:
        st.markdown("**How many of each landform**")
        st.plotly_chart(
            plots.counts_figure(table, group == "day"),
            key="surfaces.statistics.counts",
            config={"displayModeBar": False},
            alt="Objects of each landform, by what was chosen",
        )
        mixes = mean_mixes(shares, group)
        if mixes:
            st.markdown("**What the ground is a mix of**")
            _draw(plots.mix_figure(mixes), "surfaces.statistics.mix", "The mix of landforms of each")
    with listed:
        st.markdown("**In numbers**")
        shown = table.reset_index(names=str(title).lower())
        st.dataframe(
            shown,
            hide_index=True,
            column_config={"per Mpx": st.column_config.NumberColumn("objects a Mpx", format="%.1f")},
            alt="Runs, frames and objects of each group",
        )
        st.caption(
            "Objects a megapixel make frames of different sizes comparable; missing pixels are not counted. "
            "The body of a frame comes from its map position, from the sample, or from whoever looked at it."
        )


def _draw(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def _grouped(table: pd.DataFrame) -> pd.DataFrame:
    """With the columns that runs are grouped by, as words."""
    return table.assign(
        body=table["tag"].astype(object).where(table["tag"].notna(), UNKNOWN),
        person=table["person"].astype(object).where(table["person"].notna(), NOBODY),
        day=pd.to_datetime(table["saved_at"]).dt.strftime("%Y-%m-%d"),
    )


def _counted_pixels(counts: pd.DataFrame, measures: pd.DataFrame) -> pd.Series:
    """Pixels that are there of each run's frame; all of them where nobody counted."""
    known = {
        frame: Measure.of_text(text)
        for frame, text in zip(measures["frame_key"], measures["tag"], strict=True)
        if isinstance(text, str)
    }
    areas = {frame: measure.area_px for frame, measure in known.items() if measure is not None}
    return counts["frame_key"].map(areas).fillna(counts["pixels"])


def totals(counts: pd.DataFrame, group: str, *, once: bool) -> pd.DataFrame:
    """One row a group: ``runs, frames``, objects of each landform, ``per Mpx``.

    Args:
        counts: As :meth:`core.store.Store.label_counts` gives them, with the column ``group``.
        group: Name of the column.
        once: Several methods may have found the same objects on a frame: those of the method that is shown
            first count, and the frame once. Else every run counts for itself.
    """
    runs = counts.drop_duplicates("run_id").groupby(group)
    table = pd.DataFrame({"runs": runs.size(), "frames": runs["frame_key"].nunique()})
    found, searched = counts[counts["label"].notna()], counts.drop_duplicates("run_id")
    if once:
        first = found.assign(rank=found["method"].map(rank)).sort_values("rank", kind="stable")
        found = first.drop_duplicates([group, "frame_key", "label"])
        searched = counts.drop_duplicates([group, "frame_key"])
    found = found.pivot_table(index=group, columns="label", values="n", aggfunc="sum", fill_value=0)
    for label in MARKED:
        column = found.get(label, 0)
        table[PLURAL[label]] = pd.Series(column, index=found.index).reindex(table.index).fillna(0).astype(int)
    objects = table[list(PLURAL.values())].sum(axis=1)
    table["per Mpx"] = objects / (searched.groupby(group)["pixels"].sum() / 1e6)
    return table


def mean_mixes(shares: pd.DataFrame, group: str) -> dict[str, dict[str, float]]:
    """What the ground of each group is a mix of: the mean over its runs, each with the same weight."""
    told: dict[str, list[dict[str, float]]] = {}
    for (name, _), facts in shares.groupby([group, "run_id"]):
        mix = mix_of(dict(zip(facts["fact"], facts["value"], strict=True)))
        if mix:
            told.setdefault(str(name), []).append(mix)
    return {
        name: {label: sum(mix[label] for mix in each) / len(each) for label in each[0]}
        for name, each in told.items()
    }


def remember_ground(frame: Frame, ground: Ground, measure: Measure, analyses: Sequence[Analysis]) -> None:
    """Keep with the stored runs which body their frame shows and what it is measured by."""
    told = {
        BODY: ground.body,
        SCALE: None if ground.km_per_px is None else f"{ground.km_per_px:.9g}",
        MEASURE: measure.text,
    }
    sources = {BODY: ground.body_source, SCALE: ground.source, MEASURE: ground.source}
    kept = st.session_state.setdefault("surfaces.told", {})
    if not any(analysis.run_id for analysis in analyses) or kept.get(frame.key) == told:
        return
    db = store()
    if db is None:
        return
    try:
        for name, value in told.items():
            if value is not None:
                db.tag_frame(frame.key, name, value, source=sources[name], person=person_name())
    except ParameterInvalid as error:
        show_error(error)
    kept[frame.key] = told
