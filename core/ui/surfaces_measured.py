"""What is measured on a planetary surface: the mix, the landforms, how many of which size, and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.surfaces.kinds import CRATER, LINES
from core.surfaces.looks import COLOURS, PLURAL
from core.surfaces.measure import Measure
from core.surfaces.size_frequency import Points
from core.surfaces.survey import CURVES, Survey
from core.ui import surfaces_plots as plots
from core.ui.confidence import Candidates
from core.ui.selection import Selected, offer
from core.ui.surfaces import mixes
from core.ui.surfaces_scale import Ground
from core.ui.tables import sources_table
from core.ui.text import plain, three_figures

FIRST_COLUMNS = (
    "name", "label", "score", "diameter_km", "diameter_px", "axis_ratio", "eccentricity", "length_km",
    "length_px", "width_km", "width_px", "azimuth_deg", "angle_deg", "lat_deg", "lon_deg",
)  # fmt: skip
NO_FRAME = {"displayModeBar": False}


def mix_bar(found: Sequence[Candidates], measure: Measure, *, full: bool) -> None:
    """Draw what the surface is a mix of: one bar, or one a method that says so."""
    told = mixes(found, measure)
    if not told:
        return
    shown = told if full else dict(list(told.items())[:1])
    st.plotly_chart(
        plots.mix_figure(shown),
        key=f"surfaces.mix.{full}",
        config=NO_FRAME,
        alt="What the surface is a mix of",
    )


def objects_panel(found: Sequence[Candidates], mark: Selected | None) -> None:
    """Draw the table of what one method found, linked to the picture."""
    sources = {each.analysis.method.name: each for each in found}
    if st.session_state.get("surfaces.objects") not in sources:
        some = next((name for name, each in sources.items() if len(each.shown)), next(iter(sources)))
        st.session_state["surfaces.objects"] = some
    name = str(
        st.segmented_control(
            "Method",
            list(sources),
            key="surfaces.objects",
            required=True,
            format_func=lambda name: sources[name].title,
            wrap=True,
        )
    )
    each = sources[name]
    rows = list(each.rows)
    if not rows:
        st.info(
            f"{each.title} marks no craters, valleys or ridges here. Where it gives a confidence, lower it "
            "under the picture, and more is shown."
        )
        return
    row = rows.index(mark[1]) if mark and mark[0] == name and mark[1] in rows else None
    picked = sources_table(each.shown, f"surfaces.table.{name}", row, first=FIRST_COLUMNS)
    meant = None if picked is None or picked >= len(rows) else (name, int(rows[picked]))
    offer("surfaces", f"table.{name}.{row}", meant)


def sizes_view(surveys: Sequence[Survey], colours: Mapping[str, str], key: str) -> None:
    """Draw how many craters of which size there are on one or more surfaces, as a person asks.

    Args:
        surveys: The surfaces.
        colours: Of each, by its title.
        key: Prefix of the widgets' keys.
    """
    in_km = all(survey.has_km for survey in surveys)
    unit = "km" if in_km else "px"
    curves: dict[str, dict[str, Points]] = {}
    titles: dict[str, str] = {}
    for survey in surveys:
        for name, curve, y_title in survey.size_curves(in_km=in_km):
            curves.setdefault(name, {})[survey.title] = curve
            titles[name] = y_title.format(unit=unit)
    if not curves:
        st.info("No craters were found whose size could be counted.")
        return
    kind = str(
        st.segmented_control(
            "Plot", list(CURVES), default=next(iter(CURVES)), key=f"{key}.kind", required=True
        )
    )
    figure = plots.size_figure(
        curves[kind],
        colours,
        x_title=f"crater diameter D [{unit}]",
        y_title=titles[kind],
        limits={survey.title: survey.complete_from(in_km=in_km) for survey in surveys},
    )
    st.plotly_chart(
        figure, key=f"{key}.plot", config=NO_FRAME, alt=f"{kind} size–frequency plot of the craters"
    )
    areas = "; ".join(
        f"{survey.title}: {area_words(survey)}, {survey.measure.area_note}" for survey in surveys
    )
    st.caption(
        plain(
            f"{CURVES[kind]} With 68 % Poisson intervals. Area counted: {areas}. Below the dashed line "
            "craters are missed too often to be counted; their points are faint."
        )
    )


def area_words(survey: Survey) -> str:
    """``"2.44 million km²"``, ``"342,183 px²"``."""
    if not survey.has_km:
        return f"{survey.area(in_km=False):,.0f} px²"
    area = survey.area(in_km=True)
    return f"{three_figures(area / 1e6)} million km²" if area >= 1e6 else f"{three_figures(area)} km²"


def sizes_panel(survey: Survey, ground: Ground) -> None:
    """Draw how many craters of which size there are, and how densely they lie."""
    plot, numbers = st.columns([5, 2], gap="large")
    with plot:
        sizes_view([survey], {survey.title: COLOURS[CRATER]}, "surfaces.sizes")
    with numbers:
        in_km = survey.has_km
        unit, square = ("km", "million km²") if in_km else ("px", "Mpx")
        limit = survey.complete_from(in_km=in_km)
        density, low, high = survey.crater_density(limit, in_km=in_km)
        sizes = survey.diameters(in_km=in_km)
        st.metric("Craters", f"{len(sizes):,}")
        st.metric(f"of {three_figures(limit)} {unit} and more", f"{int((sizes >= limit).sum()):,}")
        st.metric(f"of these a {square}", three_figures(density))
        st.caption(f"68 % interval: {three_figures(low)} to {three_figures(high)}.")
        if not in_km:
            st.info(ground.source)


def lines_panel(survey: Survey, ground: Ground) -> None:
    """Draw how long valleys and ridges are and where they run."""
    there = [label for label in LINES if survey.count(label)]
    if not there:
        st.info("No valleys or ridges were found here; methods that look for them are the landform networks.")
        return
    in_km = survey.has_km
    unit = "km" if in_km else "px"
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Where they run**")
        told = {PLURAL[label]: survey.rose([label]) for label in there}
        roses = {name: each for name, each in told.items() if each is not None}
        drawn = {name: (each.edges_deg, each.parts) for name, each in roses.items()}
        st.plotly_chart(
            plots.rose_figure(drawn, {PLURAL[label]: COLOURS[label] for label in there}),
            key="surfaces.lines.rose",
            config=NO_FRAME,
            alt="Rose diagram of the directions of valleys and ridges",
        )
        st.caption(f"Parts of the length by direction, from {survey.zero_direction} clockwise.")
    with right:
        st.markdown("**How long they are**")
        lengths = {PLURAL[label]: survey.lengths([label], in_km=in_km) for label in there}
        st.plotly_chart(
            plots.length_figure(
                lengths, {PLURAL[label]: COLOURS[label] for label in there}, f"length [{unit}]"
            ),
            key="surfaces.lines.lengths",
            config=NO_FRAME,
            alt="Lengths of valleys and ridges",
        )
        rows = [
            {
                "landform": name,
                "lines": len(values),
                f"together [{unit}]": float(values.sum()),
                f"longest [{unit}]": float(values.max()),
                "mean direction [°]": roses[name].mean_deg,
                "agreement": roses[name].agreement,
            }
            for name, values in lengths.items()
            if len(values)
        ]
        columns = {
            f"{what} [{unit}]": st.column_config.NumberColumn(format="%.4g")
            for what in ("together", "longest")
        }
        columns["mean direction [°]"] = st.column_config.NumberColumn(format="%.0f")
        columns["agreement"] = st.column_config.NumberColumn(
            format="%.2f", help="1: all run in one direction; 0: in every direction alike."
        )
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, column_config=columns, alt="Valleys and ridges in numbers"
        )
        if not in_km:
            st.info(ground.source)
