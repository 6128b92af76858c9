"""What the cluster page says of what was found, and how its views are linked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.clusters.kde import DensityMap, density_map
from core.clusters.space import space
from core.clusters.table import StarTable
from core.methods import methods
from core.ui import clusters_plots as plots
from core.ui.clusters_field import (
    PICTURE,
    PICTURES,
    PLACES,
    SKY,
    Field,
    want_example,
    want_picture,
    want_place,
)
from core.ui.clusters_found import Found, Search
from core.ui.frames import about_frame, all_samples
from core.ui.methods import choose_methods
from core.ui.selection import Selected, offer
from core.ui.tables import sources_table
from core.ui.text import plain

FIRST_COLUMNS = ("n_members", "significance_sigma", "contrast", "r50_arcmin", "r50_px", "ra_deg", "dec_deg")
LABELS = ("open cluster", "globular cluster", "not a cluster")
"""What a person can call what a method boxed."""
LIGHT_YEARS = 3.2616
"""In a parsec."""
CHART = {"scrollZoom": True, "displaylogo": False}


def choose(field: Field) -> list[Any]:
    """Draw the choice of methods that can look at this field."""
    if field.origin != PICTURE:
        return choose_methods("clusters", first="clusters.hdbscan", inputs=("table",))
    first = next((name for name, one in methods("clusters").items() if one.input == "frame"), "")
    return choose_methods("clusters", first=first or "clusters.hdbscan", inputs=("frame", "table"))


def sentence(field: Field, found: Sequence[Found], looking: Search) -> str:
    """The one sentence on top of the page."""
    if looking.waiting and not found:
        return f"{field.title}: looking for clusters."
    if field.stars is None and not found:
        return f"{field.title}: no stars to look at."
    first = next((each for each in found if each.analysis is not None), None)
    if first is None or first.analysis is None:
        return f"{field.title}: no method could look at this."
    return f"{field.title}: {_lower(first.analysis.result.summary)}"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def facts(field: Field) -> str:
    """One line of what is known of the stars."""
    if field.stars is None:
        return plain(field.credit)
    stars = field.stars
    known = [f"{len(stars):,} stars", field.credit]
    named = (("motions", stars.pm), ("parallaxes", stars.parallax), ("colours", stars.colour))
    there = [name for name, column in named if column is not None]
    known.append(f"with {' and '.join(there)}" if there else "places and brightness only")
    return plain(" · ".join(part for part in known if part))


def explain(field: Field, found: Sequence[Found], chosen: tuple[Found, int] | None) -> None:
    """Tell a visitor what they are looking at, in plain words."""
    if field.choice is not None:
        with about_frame(field.choice):
            _words(field, found, chosen)
        return
    with st.container(border=True):
        st.markdown("##### What am I looking at?")
        if field.origin == SKY:
            st.write(
                "Every dot is a star that ESA's satellite Gaia measured: larger where it is brighter, bluer "
                "where it is hotter."
            )
        else:
            st.write("Every dot is a star of the table: larger where it is brighter.")
        _words(field, found, chosen)


def _words(field: Field, found: Sequence[Found], chosen: tuple[Found, int] | None) -> None:
    if chosen is None:
        if any(each.analysis is not None for each in found):
            st.write("No stars stand together here beyond chance.")
        return
    each, number = chosen
    members = each.members(number)
    st.write(
        plain(
            f"The {len(members):,} ringed stars stand closer together than chance allows: they were born "
            "together. Half of them are inside the circle. Click one of them, and every view shows them."
        )
    )
    entry = each.detections.table.iloc[number]
    lines = []
    if "significance_sigma" in entry and np.isfinite(entry["significance_sigma"]):
        lines.append(f"**Sure by** {entry['significance_sigma']:.1f} σ")
    near = None if field.stars is None else space(field.stars, members)
    if near is not None:
        years = near.distance_pc * LIGHT_YEARS
        lines.append(f"**Distance** about {_rounded(years)} light-years")
    if field.target is not None and field.target.common_name:
        lines.append(f"**Around** {plain(field.target.title)}")
    if lines:
        st.markdown("  \n".join(lines))


def _rounded(value: float) -> str:
    digits = 10 ** max(int(np.floor(np.log10(max(value, 1.0)))) - 1, 0)
    return f"{round(value / digits) * digits:,.0f}"


def sky_view(
    field: Field, found: Sequence[Found], chosen: tuple[Found, int] | None, *, density: bool
) -> None:
    """Draw the stars where they stand; a click on a member selects its cluster."""
    if field.stars is None:
        return
    each, number = chosen or (None, None)
    around = _density(field.key, field.stars) if density else None
    chart = plots.sky_figure(field.stars, each, number, density=around, downwards=field.origin == PICTURE)
    _linked(chart, "sky", each, alt="The stars where they stand on the sky, members of clusters ringed")
    said = plots.thinned(field.stars, each)
    if said:
        st.caption(plain(said))


@st.cache_resource(show_spinner=False, max_entries=8, ttl=3600)
def _density(key: str, _stars: StarTable) -> DensityMap:
    return density_map(_stars.xy)


def _linked(chart: Any, name: str, found: Found | None, *, alt: str) -> None:
    """Draw a view; a click on a member of a cluster selects that cluster everywhere."""
    event = st.plotly_chart(
        chart, key=f"clusters.view.{name}", on_select="rerun", selection_mode="points", config=CHART, alt=alt
    )
    points = event["selection"]["points"]
    picked = next((point["customdata"] for point in points if point.get("customdata") is not None), None)
    if found is None or picked is None:
        return
    number = picked[0] if isinstance(picked, list) else picked
    if isinstance(number, int | float) and 0 <= number < len(found):
        offer("clusters", f"view.{name}.{found.name}", (found.name, int(number)))


def linked_views(field: Field, chosen: tuple[Found, int] | None, *, sky: bool, full: bool) -> None:
    """Draw the views beside the sky: motions, colours or magnitudes; and places, when a picture is above."""
    stars = field.stars
    if stars is None:
        return
    each, number = chosen or (None, None)
    drawn: list[tuple[str, str, Any]] = []
    if sky:
        drawn.append(("sky", "Where they stand", None))
    if stars.pm is not None:
        drawn.append(("motion", "How they move", plots.motion_figure(stars, each, number)))
    if stars.colour is not None and stars.mag is not None:
        drawn.append(("colour", "How hot and how bright they are", plots.colour_figure(stars, each, number)))
    elif stars.mag is not None:
        drawn.append(("magnitude", "How bright they are", plots.magnitude_figure(stars, each, number)))
    near = space(stars, each.members(number)) if each is not None and number is not None else None
    if near is not None and each is not None and number is not None:
        drawn.append(("space", "Where they are in space", None))
    columns = st.columns(2 if len(drawn) > 1 else 1, gap="large")
    for place, (name, title, chart) in enumerate(drawn):
        with columns[place % len(columns)]:
            st.markdown(f"**{title}**")
            if name == "sky":
                _linked(
                    plots.sky_figure(stars, each, number, downwards=field.origin == PICTURE, height=400),
                    "sky",
                    each,
                    alt=title,
                )
            elif name == "space" and near is not None and each is not None and number is not None:
                st.plotly_chart(
                    plots.space_figure(near.place_pc, near.row, each, number, height=400),
                    key="clusters.view.space",
                    alt=title,
                )
                st.caption(
                    plain(
                        "Stars whose parallax is more than 8 times its error. Along the line of sight errors "
                        f"blur each by about {near.blur_pc:.0f} pc."
                    )
                )
            else:
                _linked(chart, name, each, alt=title)
    if stars.pm is None and full:
        st.caption("No proper motions and no parallaxes are known of these stars: only their places tell.")


def clusters_panel(found: Sequence[Found], mark: Selected | None) -> None:
    """Draw the table of clusters of one method, linked to the views."""
    names = {each.name: each for each in found}
    if not names:
        st.info("Here stands what the methods found, once the first of them has looked.")
        return
    if st.session_state.get("clusters.shown") not in names:
        st.session_state["clusters.shown"] = mark[0] if mark and mark[0] in names else next(iter(names))
    name = st.segmented_control(
        "Method",
        list(names),
        key="clusters.shown",
        required=True,
        format_func=lambda name: names[name].title,
        label_visibility="visible" if len(names) > 1 else "collapsed",
    )
    each = names[str(name)]
    if not len(each):
        st.info(plain(f"{each.title} found no significant cluster here."))
        _turned_down(each)
        return
    row = mark[1] if mark is not None and mark[0] == each.name and mark[1] < len(each) else None
    picked = sources_table(each.table(), f"clusters.table.{each.name}", row, first=FIRST_COLUMNS, height=320)
    if picked is not None:
        offer("clusters", f"table.{each.name}.{row}", (each.name, picked))
    _turned_down(each)


def _turned_down(found: Found) -> None:
    """Draw the candidates that were looked at and turned down, with the reasons."""
    rejected = found.analysis.result.rejected if found.analysis is not None else None
    if rejected is None or not len(rejected):
        return
    with st.expander(f"Turned down: {len(rejected)}", icon=":material/block:"):
        sources_table(
            rejected, f"clusters.rejected.{found.name}", None, first=("reason", *FIRST_COLUMNS), height=280
        )


def comparison_panel(found: Sequence[Found]) -> None:
    """Draw how the methods agree: which cluster is which, and how many of its members both name."""
    if len(found) < 2:
        st.info("Choose two methods, or make a cluster of your own, and they are compared here.")
        return
    rows = [
        {
            "method": each.title,
            "clusters": len(each),
            "stars in clusters": int(np.count_nonzero(each.cluster >= 0)),
            "time [s]": None if each.analysis is None else each.analysis.result.timings.get("total"),
        }
        for each in found
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={"time [s]": st.column_config.NumberColumn(format="%.2f")},
        alt="How much each method found",
    )
    pairs = []
    for position, one in enumerate(found):
        for other in found[position + 1 :]:
            for number in range(len(one)):
                pairs += _matches(one, number, other)
    st.markdown("**Which cluster is which**")
    if not pairs:
        st.info("No cluster of one method shares a star with a cluster of another.")
        return
    st.dataframe(
        pd.DataFrame(pairs),
        hide_index=True,
        column_config={
            "F1": st.column_config.ProgressColumn(
                "F1 of members", min_value=0.0, max_value=1.0, format="%.2f"
            )
        },
        alt="Clusters of different methods that share members",
    )
    st.caption("Neither method is the truth. F1: how alike two lists of members are; 1 is the same list.")


def _matches(one: Found, number: int, other: Found) -> list[dict[str, Any]]:
    own = one.members(number)
    theirs, shared = np.unique(other.cluster[own], return_counts=True)
    sizes = other.sizes
    return [
        {
            "cluster": f"{one.title} {number + 1} ({len(own):,})",
            "and": f"{other.title} {match + 1} ({sizes[match]:,})",
            "members of both": int(count),
            "F1": 2.0 * int(count) / (len(own) + int(sizes[match])),
        }
        for match, count in zip(theirs.tolist(), shared.tolist(), strict=True)
        if match >= 0
    ]


def gallery() -> None:
    """Draw fields to try: famous clusters, pictures, and a field that was made up."""
    st.caption("Famous clusters, by the stars that Gaia measured")
    shelf = st.container(horizontal=True, gap="small")
    for title, (place, radius) in PLACES.items():
        shelf.button(
            title,
            key=f"clusters.try.{place}",
            icon=":material/public:",
            on_click=want_place,
            args=(place, radius),
        )
    st.caption("Photographs, and a made-up field in which two clusters can be told by their motion")
    shelf = st.container(horizontal=True, gap="small")
    samples = all_samples()
    for name in PICTURES:
        title = samples[name].title.partition(",")[0]
        shelf.button(
            title, key=f"clusters.try.{name}", icon=":material/image:", on_click=want_picture, args=(name,)
        )
    shelf.button(
        "A made-up field", key="clusters.try.example", icon=":material/casino:", on_click=want_example
    )
