"""A cluster of one's own: of those found, joined and mended star by star; of a list; or in a circle."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.clusters.columns import identifier_of
from core.clusters.given import given_circle, given_members
from core.clusters.membership import MIN_PROBABILITY
from core.clusters.table import StarTable, as_table
from core.errors import AlmagestError
from core.ui.clusters_field import Field
from core.ui.clusters_found import OWN, Found, own_found
from core.ui.selection import Selected
from core.ui.shell import show_error

WAYS = ("Join and mend", "Centre and radius", "List of members")
TITLE = "Your own"
LISTED = 400
"""Most stars offered to be taken in or out, the nearest to the middle first."""
MOST_LISTED = 1_000_000
_KEPT = "clusters.own"


def own_cluster(field: Field) -> Found | None:
    """The cluster a person made among these stars, or None."""
    kept: tuple[str, NDArray[np.float64]] | None = st.session_state.get(_KEPT)
    if kept is None or kept[0] != field.key or field.stars is None or len(kept[1]) != len(field.stars):
        return None
    return own_found(field, kept[1], TITLE)


def own_panel(field: Field, found: Sequence[Found], mark: Selected | None) -> None:
    """Draw the three ways to make a cluster by hand; it then stands beside those of the methods."""
    stars = field.stars
    if stars is None:
        return
    st.caption(
        "What you make here is shown, measured and taken home like a method's. It is kept while this browser "
        "tab is open; what the methods found stays as it is."
    )
    way = st.segmented_control("Made from", WAYS, default=WAYS[0], key="clusters.own.way", required=True)
    probability: NDArray[np.float64] | None = None
    try:
        if way == WAYS[1]:
            probability = _circle(field, stars, found, mark)
        elif way == WAYS[2]:
            probability = _listed(field)
        else:
            probability = _mended(field, stars, found, mark)
    except AlmagestError as error:
        show_error(error)
    if probability is not None:
        st.session_state[_KEPT] = (field.key, probability)
        st.session_state["clusters.selected"] = (OWN, 0)
        st.rerun()
    if own_cluster(field) is not None and st.button("Forget my cluster", icon=":material/delete:"):
        st.session_state.pop(_KEPT)
        st.rerun()


def _circle(
    field: Field, stars: StarTable, found: Sequence[Found], mark: Selected | None
) -> NDArray[np.float64] | None:
    """Draw the circle, at first around the cluster of a method's that is selected."""
    if mark is None or mark[0] != OWN:  # what the circle makes does not move it
        st.session_state["clusters.own.around"] = mark
    around: Selected | None = st.session_state.get("clusters.own.around")
    on_sky = stars.centre_deg is not None
    start = np.median(stars.xy, axis=0)
    for each in found:
        if around is not None and each.name == around[0] and around[1] < len(each):
            start = np.median(stars.xy[each.members(around[1])], axis=0)
    x, y = stars.sky(start) if on_sky else start
    own = f"{field.key[:16]}.{around}"  # another cluster, or other stars, have a circle of their own
    with st.form("clusters.own.circle", border=False):
        a, b, c = st.columns(3)
        names = (
            ("Right ascension (°)", "Declination (°)", "Radius (′)")
            if on_sky
            else ("x (px)", "y (px)", "Radius (px)")
        )
        first = a.number_input(
            names[0], value=float(x), format="%.5f" if on_sky else "%.1f", key=f"clusters.own.x.{own}"
        )
        second = b.number_input(
            names[1], value=float(y), format="%.5f" if on_sky else "%.1f", key=f"clusters.own.y.{own}"
        )
        spread = float(np.ptp(stars.xy, axis=0).max())
        radius = c.number_input(
            names[2], 0.0, value=max(round(0.1 * spread, 1), 0.1), key=f"clusters.own.radius.{own}"
        )
        fit = st.toggle(
            "Work out who belongs",
            value=True,
            key="clusters.own.fit",
            help="On: a mixture of cluster and field starts at the circle. Off: every star inside belongs.",
        )
        if st.form_submit_button("Take this circle", type="primary", icon=":material/check:"):
            made = given_circle(stars, (float(first), float(second)), float(radius), fit=fit)
            return made.probability
    return None


def _listed(field: Field) -> NDArray[np.float64] | None:
    stars, source = field.stars, field.source
    assert stars is not None  # noqa: S101 (the caller has looked)
    assert source is not None  # noqa: S101 (where the stars come from)
    with st.form("clusters.own.list", border=False):
        identifier = identifier_of(source.table.columns)
        known = f"rows (counted from 0) or {identifier}" if identifier else "rows, counted from 0"
        text = st.text_area(
            f"Members: {known}", key="clusters.own.rows", placeholder="12, 57, 803 …", height=120
        )
        if not st.form_submit_button("Take this list", type="primary", icon=":material/check:"):
            return None
    numbers = {int(word) for word in re.findall(r"-?\d{1,19}", text)[:MOST_LISTED]}
    meant = [sorted(number for number in numbers if 0 <= number < stars.n_rows)]
    if identifier is not None:
        meant = [*_rows_of_names(source.table[identifier], text), *meant]
    # A list may name stars that are not in this table: what knows more of them is meant.
    return given_members(stars, max(meant, key=len)).probability


def _rows_of_names(names: pd.Series, text: str) -> list[list[int]]:
    """Rows of the stars that a text names, whose names hold no blanks, and whose names may."""
    whole = pd.api.types.is_float_dtype(names)
    called = names.map("{:.0f}".format) if whole else names.astype(str).str.strip()
    splits = (re.split(between, text)[:MOST_LISTED] for between in (r"[\s,;]+", r"[\n,;]+"))
    listed = ({word.strip() for word in words} - {""} for words in splits)
    return [np.flatnonzero(names.notna() & called.isin(words)).tolist() for words in listed]


def _mended(
    field: Field, stars: StarTable, found: Sequence[Found], mark: Selected | None
) -> NDArray[np.float64] | None:
    offered = {
        (each.name, number): f"{each.title}, cluster {number + 1}"
        for each in found
        for number in range(len(each))
    }
    if not offered:
        st.info("Nothing was found to begin with: draw a circle or give a list.")
        return None
    first = mark if mark in offered else next(iter(offered))
    chosen = st.multiselect(
        "Begin with these, as one cluster",
        list(offered),
        default=[first],
        format_func=offered.__getitem__,
        key=f"clusters.own.begin.{field.key[:16]}",
    )
    if not chosen:
        return None
    probability = np.zeros(len(stars))
    for each in found:
        for name, number in chosen:
            if name == each.name:
                probability = np.maximum(probability, each.belonging(number))
    inside = probability >= MIN_PROBABILITY
    middle = np.median(stars.xy[inside], axis=0) if inside.any() else np.median(stars.xy, axis=0)
    near = np.argsort(np.hypot(*(stars.xy - middle).T))[:LISTED]
    listed = as_table(stars.take(near)).drop(columns=["x", "y"]).dropna(axis="columns", how="all")
    listed.insert(0, "member", inside[near])
    st.caption(f"The {len(near):,} stars nearest to the middle: take stars out, or in.")
    own = f"{field.key[:16]}.{hash(tuple(chosen))}"
    with st.form(f"clusters.own.mend.{own}", border=False):
        edited = st.data_editor(
            listed,
            hide_index=True,
            height=320,
            disabled=[str(column) for column in listed if column != "member"],
            key=f"clusters.own.stars.{own}",
            alt="Stars near the cluster, each in it or not",
        )
        if not st.form_submit_button("Take this cluster", type="primary", icon=":material/check:"):
            return None
    belongs = edited["member"].to_numpy(bool)
    rows = [*stars.row[np.setdiff1d(np.flatnonzero(inside), near)], *stars.row[near[belongs]]]
    return given_members(stars, [int(row) for row in rows]).probability
