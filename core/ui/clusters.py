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
from core.ui.arrivals import NO_RESULT
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
from core.ui.clusters_found import LEADERS, Found, Search, leading, members_table
from core.ui.clusters_structure import short_panel
from core.ui.frames import about_frame, all_samples
from core.ui.methods import choose_methods
from core.ui.selection import Selected, offer
from core.ui.tables import columns_of, sources_table
from core.ui.text import plain

FIRST_COLUMNS = ("n_members", "significance_sigma", "contrast", "r50_arcmin", "r50_px", "ra_deg", "dec_deg")
LIST_PX = 300
QUICK_PIXELS = 6 * 2**20
"""On a larger picture a person chooses which methods to wait for."""
PROBABILITY = st.column_config.ProgressColumn("probability", min_value=0.0, max_value=1.0, format="%.2f")
LIGHT_YEARS = 3.2616
"""In a parsec."""


def choose(field: Field) -> list[Any]:
    """Draw the choice of methods that can look at this field."""
    if field.origin != PICTURE:
        return choose_methods("clusters", first="clusters.hdbscan", inputs=("table",))
    ready = [name for name, one in methods("clusters").items() if one.input == "frame" and one.is_ready]
    first = next((name for name in (*LEADERS, *ready) if name in ready), "clusters.hdbscan")
    frame = field.frame
    quick = frame is None or frame.width * frame.height <= QUICK_PIXELS
    return choose_methods("clusters", first=first, all_at_first=quick, inputs=("frame", "table"))


def sentence(field: Field, found: Sequence[Found], looking: Search) -> str:
    """The one sentence on top of the page."""
    if looking.waiting and not found:
        return f"{field.title}: looking for clusters."
    if field.stars is None and not found:
        return f"{field.title}: no stars to look at."
    first = leading([each for each in found if each.analysis is not None])
    if first is None or first.analysis is None:
        return f"{field.title}: no method could look at this."
    return f"{field.title}: {_lower(first.analysis.result.summary)}"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def warnings(field: Field, looking: Search) -> list[str]:
    """What a researcher should know of the results; that a picture has no motions goes without saying."""
    plain_to_see = field.stars.notes if field.choice is not None and field.stars is not None else ()
    return [said for said in looking.warnings if said not in plain_to_see]


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
    entry = each.detections.table.iloc[number]
    crowd = f"The {len(members):,} stars with rings" if field.choice is None else f"{len(members):,} stars"
    said = f"{crowd} stand closer together than chance allows: most likely they were born together."
    if each.by_mark:
        about = entry.get("n_members", np.nan)
        belong = f", and about {about:,.0f} of them" if np.isfinite(about) else ", and some of them"
        said = f"{len(members):,} stars are in the mark{belong} are more than the field around it gives."
    if len(members):
        st.write(plain(f"{said} Click one of them, and every view shows them."))
    lines = []
    if "significance_sigma" in entry and np.isfinite(entry["significance_sigma"]):
        lines.append(f"**Sure by** {entry['significance_sigma']:.1f} σ")
    near = None if field.stars is None else space(field.stars, members)
    if near is not None:
        years = near.distance_pc * LIGHT_YEARS
        lines.append(f"**Distance** about {_rounded(years)} light-years")
    if lines:
        st.markdown("  \n".join(lines))


def _rounded(value: float) -> str:
    digits = 10 ** max(int(np.floor(np.log10(max(value, 1.0)))) - 1, 0)
    return f"{round(value / digits) * digits:,.0f}"


def sky_view(field: Field, chosen: tuple[Found, int] | None, *, density: bool, full: bool) -> None:
    """Draw the stars where they stand, and beside them how they move and how hot and bright they are.

    A click on a member of a cluster selects that cluster in every view.

    Args:
        field: The stars.
        chosen: The method and its cluster that stands out.
        density: Draw lines of equal density over the sky.
        full: The mouse moves the sky.
    """
    if field.stars is None:
        return
    sky, beside = st.columns([5, 3], gap="small")
    with sky:
        places_view(field, chosen, density=density, full=full)
    with beside:
        diagrams(field, chosen, height=250)
    said = plots.thinned(field.stars, None if chosen is None else chosen[0])
    if said:
        st.caption(plain(said))


def places_view(
    field: Field, chosen: tuple[Found, int] | None, *, density: bool, full: bool, height: int = 570
) -> None:
    """Draw the stars where they stand."""
    if field.stars is None:
        return
    each, number = chosen or (None, None)
    around = _density(field.key, field.stars) if density else None
    chart = plots.sky_figure(
        field.stars, each, number, density=around, downwards=field.downwards, movable=full, height=height
    )
    alt = "The stars where they stand on the sky, members of clusters ringed"
    _linked(
        chart, "sky", each, alt=alt, config={"scrollZoom": full, "displaylogo": False, "displayModeBar": full}
    )


@st.cache_resource(show_spinner=False, max_entries=8, ttl=3600)
def _density(key: str, _stars: StarTable) -> DensityMap:
    return density_map(_stars.xy)


def _linked(
    chart: Any, name: str, found: Found | None, *, alt: str, config: dict[str, Any] | None = None
) -> None:
    """Draw a view; a click on a member of a cluster selects that cluster everywhere."""
    event = st.plotly_chart(
        chart,
        key=f"clusters.view.{name}",
        on_select="rerun",
        selection_mode="points",
        config=config or {"displayModeBar": False},
        alt=alt,
    )
    points = event["selection"]["points"]
    picked = next((point["customdata"] for point in points if point.get("customdata") is not None), None)
    number = picked[0] if isinstance(picked, list) else picked
    meant = None
    if found is not None and isinstance(number, int | float) and 0 <= number < len(found):
        meant = (found.name, int(number))
    offer("clusters", f"view.{name}", meant, event=points or None)


def diagrams(field: Field, chosen: tuple[Found, int] | None, *, height: int) -> None:
    """Draw how the stars move, and their colours or at least their magnitudes, as far as they are known."""
    stars = field.stars
    if stars is None:
        return
    each, number = chosen or (None, None)
    coloured = stars.colour is not None and stars.mag is not None
    if stars.pm is None or stars.mag is None:
        height = 2 * height  # one has the place of two
    if stars.pm is not None:
        st.markdown("**How they move**")
        chart = plots.motion_figure(stars, each, number, height=height)
        _linked(chart, "motion", each, alt="Proper motions of the stars")
    if coloured:
        st.markdown("**How hot and how bright they are**")
        chart = plots.colour_figure(stars, each, number, height=height)
        _linked(chart, "colour", each, alt="Colour and magnitude of the stars")
    elif stars.mag is not None:
        st.markdown("**How bright they are**")
        chart = plots.magnitude_figure(stars, each, number, height=height)
        _linked(chart, "magnitude", each, alt="Number of stars of each magnitude")


def space_view(field: Field, chosen: tuple[Found, int] | None) -> None:
    """Draw the cluster in space, where parallaxes are good enough for that."""
    if chosen is None or field.stars is None:
        return
    each, number = chosen
    near = space(field.stars, each.members(number))
    if near is None:
        return
    st.markdown("**Where its stars are in space**")
    chart = plots.space_figure(near.place_pc, near.row, each, number)
    st.plotly_chart(chart, key="clusters.view.space", alt="Stars of the cluster and around it in space")
    st.caption(
        plain(
            "Drag to turn it. Stars whose parallax is more than 8 times its error; along the line of sight "
            f"these errors blur each place by about {near.blur_pc:.0f} pc."
        )
    )


def other_views(field: Field, chosen: tuple[Found, int] | None) -> None:
    """Draw the views that do not stand beside the picture: its stars as points, and the cluster in space."""
    if field.origin == PICTURE and field.stars is not None:
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.markdown("**Where its stars stand**")
            places_view(field, chosen, density=False, full=True, height=440)
        with right:
            diagrams(field, chosen, height=200)
        said = plots.thinned(field.stars, None if chosen is None else chosen[0])
        st.caption(plain(said))
    space_view(field, chosen)


def closer_panel(field: Field, chosen: tuple[Found, int] | None) -> None:
    """Draw for visitors what else there is to see of a cluster."""
    if chosen is None or field.stars is None:
        st.info("No cluster was found here that could be looked at.")
        return
    short_panel(field, *chosen)
    other_views(field, chosen)


def clusters_panel(field: Field, found: Sequence[Found], mark: Selected | None) -> None:
    """Draw the table of clusters of one method, linked to the views, and the members of the selected one."""
    names = {each.name: each for each in found}
    if not names:
        st.info(NO_RESULT)
        return
    if st.session_state.get("clusters.shown") not in names:
        st.session_state["clusters.shown"] = mark[0] if mark and mark[0] in names else next(iter(names))
    name = (
        st.session_state["clusters.shown"]
        if len(names) == 1
        else st.segmented_control(
            "Method",
            list(names),
            key="clusters.shown",
            required=True,
            format_func=lambda name: names[name].title,
        )
    )
    each = names[str(name)]
    if not len(each):
        st.info(plain(f"{each.title} found no significant cluster here."))
        _turned_down(each)
        return
    row = mark[1] if mark is not None and mark[0] == each.name and mark[1] < len(each) else None
    clusters, members = st.columns([3, 2], gap="large")
    with clusters:
        st.markdown(f"**Clusters of {plain(each.title)}**")
        key = f"clusters.table.{each.name}"
        picked = sources_table(each.table(), key, row, first=FIRST_COLUMNS, height=LIST_PX)
        offer("clusters", f"table.{each.name}.{row}", None if picked is None else (each.name, picked))
        _turned_down(each)
    with members:
        if field.stars is None:
            return
        number = 0 if row is None else row
        st.markdown(f"**Members of cluster {number + 1}**")
        listed = members_table(field, each, number)
        table = listed.table.dropna(axis="columns", how="all").drop(columns=["label", "x", "y"])
        st.dataframe(
            table,
            hide_index=True,
            height=LIST_PX,
            column_config={**columns_of(table, listed.units), "score": PROBABILITY},
            alt="Members of the cluster that is selected",
        )


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
