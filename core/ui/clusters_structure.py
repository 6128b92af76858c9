"""The structure of the chosen cluster: its numbers with their sources, and the plots they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.clusters.kde import DensityMap
from core.clusters.numbers import SOURCES, Quantity, quantities
from core.clusters.profile import king_surface
from core.clusters.structure import Structure, structure
from core.clusters.table import StarTable
from core.errors import ParameterInvalid
from core.ui.clusters_field import Field
from core.ui.clusters_found import Found, style
from core.ui.clusters_plots import magnitude
from core.ui.plots import GUIDE, empty_figure
from core.ui.text import plain

ORANGE, BLUE = "#E69F00", "#56B4E9"
PANEL_PX = 360
STRAYS = "Field stars among the members"
CROWDED = (
    "Stars of a picture that stand too close together are seen as one: the middle of a crowded cluster looks "
    "emptier than it is."
)


def measure(field: Field, found: Found, number: int) -> Structure | str:
    """The structure of a cluster, worked out once; or the sentence why it cannot be."""
    if field.stars is None:
        return "Too few stars were found to measure the cluster by."
    return _measure(found.run, number, field.stars, found.belonging(number))


@st.cache_resource(show_spinner="Measuring the cluster", max_entries=24, ttl=3600)
def _measure(run: str, number: int, _stars: StarTable, _probability: NDArray[np.float64]) -> Structure | str:
    try:
        return structure(_stars, _probability)
    except ParameterInvalid as error:
        return error.message


def structure_panel(field: Field, found: Found, number: int) -> None:
    """Draw all that is measured of a cluster."""
    measured = measure(field, found, number)
    if isinstance(measured, str):
        st.info(plain(measured))
        return
    numbers = numbers_of(found, measured)
    _headline(numbers)
    for each in caveats(field, found):
        st.caption(each)
    if not measured.king.ok:
        st.warning(
            plain(f"King's profile gives no radii here: {measured.king.reason}"), icon=":material/info:"
        )
    _draw(figures(field, found, measured, number))
    st.markdown("**The numbers**")
    numbers_table(numbers)


def caveats(field: Field, found: Found) -> list[str]:
    """What a reader of a cluster's numbers and plots must know, as sentences."""
    whole = ["All stars within the mark count as members, those of the field among them too."]
    return [*(whole if found.by_mark else []), *([CROWDED] if field.pixels is not None else [])]


def short_panel(field: Field, found: Found, number: int) -> None:
    """Draw the few things of a structure that a visitor asks for."""
    measured = measure(field, found, number)
    if isinstance(measured, str):
        return
    _headline(quantities(measured))
    if field.pixels is not None:
        st.caption(CROWDED)
    wanted = ("How dense its members stand", "How it thins out")
    drawn = figures(field, found, measured, number)
    _draw({title: (drawn[title][0], "") for title in wanted})


def _draw(drawn: dict[str, tuple[go.Figure, str]]) -> None:
    """Draw plots two a row, each with what it shows under it."""
    titles = list(drawn)
    for first in range(0, len(titles), 2):
        for title, column in zip(titles[first : first + 2], st.columns(2, gap="large"), strict=False):
            chart, about = drawn[title]
            with column:
                st.markdown(f"**{title}**")
                st.plotly_chart(chart, key=f"clusters.structure.{title}", alt=title)
                if about:
                    st.caption(plain(about))


def _headline(numbers: list[Quantity]) -> None:
    """The few numbers a person asks for first."""
    wanted = ("Members", "Half-number radius", "Core radius (King)", "Tidal radius (King)", "Distance")
    first = {each.name: each for each in reversed(numbers)}
    shelf = st.container(horizontal=True, gap="medium")
    for name in wanted:
        each = first.get(name)
        if each is not None and np.isfinite(each.value):
            with shelf.container(width=150, gap=None):
                st.metric(name, each.short, help=each.source)
                st.caption(plain(each.uncertainty) or "counted")


def numbers_of(found: Found, measured: Structure) -> list[Quantity]:
    """The numbers of a structure; the part of field stars only where each star was weighed by itself."""
    return [each for each in quantities(measured) if each.name != STRAYS or not found.by_mark]


def numbers_table(numbers: list[Quantity]) -> None:
    """Draw the numbers with their uncertainties and sources."""
    rows = [(each.name, each.text, each.remark, each.source) for each in numbers]
    st.dataframe(
        pd.DataFrame(rows, columns=["quantity", "value, 68 % uncertainty", "remark", "how it was measured"]),
        hide_index=True,
        height=min(36 * len(rows) + 40, 760),
        column_config={
            "remark": st.column_config.TextColumn(width="medium"),
            "how it was measured": st.column_config.TextColumn(width="large"),
        },
        alt="What was measured of the cluster",
    )


def figures(field: Field, found: Found, measured: Structure, number: int) -> dict[str, tuple[go.Figure, str]]:
    """The plots of a structure by title, each with what it shows and where that was published."""
    unit = "′" if measured.unit == "arcmin" else "px"
    colour = style(number)[0]
    around, stars = measured.density, field.stars
    assert stars is not None  # noqa: S101 (what is measured has stars)
    drawn = {
        "How it thins out": (_profile(measured, unit, colour), _about_king(measured)),
        "How far the counts are from King's profile": (_residuals(measured, unit), SOURCES["king"]),
        "How dense its members stand": (
            _map(field, around, around.density, unit, f"members per {unit}²"),
            f"{_sentence('density')}. Bandwidth {around.bandwidth:.3g}{'' if unit == '′' else ' '}{unit}.",
        ),
        "How sure that map is": (
            _map(field, around, around.error, unit, f"error per {unit}²"),
            "Standard error of that map, from stars drawn again 50 times.",
        ),
        "Whether its stars keep together": (_ripley(measured, unit, colour), f"{SOURCES['ripley']}."),
        STRAYS: (
            _strays(measured, unit),
            f"{_sentence('contamination')}.",
        ),
    }
    if not np.isnan(measured.profile.light).all():
        relative = " Its zero point is not known." if stars.instrumental else ""
        drawn["Its light"] = (_light(measured, unit, colour), f"{_sentence('light')}.{relative}")
    if measured.segregation is not None and len(measured.segregation.n_brightest):
        said = "The bright stars stand closer together than the others."
        said = (
            said if measured.segregation.is_segregated else "No sign that bright stars stand closer together."
        )
        about = f"{said} {SOURCES['segregation']}."
        drawn["Whether its bright stars sink inwards"] = (_segregation(measured, colour), about)
    if measured.colours is not None:
        alone = measured.colours.hess_field is None
        taken = "members only" if alone else "the field beside it taken off"
        about = f"Stars in each cell of colour and magnitude, {taken}. {SOURCES['hess']}."
        drawn["Hess diagram"] = (_hess(measured, magnitude(stars)), about)
    if found.by_mark:
        drawn.pop(STRAYS)
    return drawn


def _sentence(name: str) -> str:
    """A source with a capital first letter; the others stay, since they are names."""
    return SOURCES[name][:1].upper() + SOURCES[name][1:]


def _about_king(measured: Structure) -> str:
    king = measured.king
    if not king.ok:
        return f"{king.reason} Errors: {SOURCES['profile']}."
    return (
        f"Line: King's profile and an even field, {king.background:.3g} stars a square unit; residuals this "
        f"large have a probability of {king.p_value:.2g}. {SOURCES['king']}; {SOURCES['profile']}."
    )


def _profile(measured: Structure, unit: str, colour: str) -> go.Figure:
    profile, king = measured.profile, measured.king
    chart = empty_figure(f"distance from the middle [{unit}]", f"stars per {unit}²", height=PANEL_PX)
    chart.add_scatter(
        x=profile.radius,
        y=profile.density,
        error_y=_bars(profile.density, profile.density_low, profile.density_high),
        mode="markers",
        name="counted in rings",
        marker={"size": 7, "color": colour},
    )
    if king.ok:
        reach = np.geomspace(max(float(profile.edges[1]) * 0.2, 1e-6), float(profile.edges[-1]), 200)
        core, tidal = king.core.value, king.tidal.value
        shape = king_surface(reach, core, tidal) / float(king_surface(0.0, core, tidal))
        density = king.central * shape + king.background
        chart.add_scatter(x=reach, y=density, mode="lines", name="King's profile", line={"color": BLUE})
        chart.add_hline(y=king.background, line_dash="dot", line_color=GUIDE)
        chart.add_vline(x=core, line_dash="dash", line_color=GUIDE, annotation_text="core")
        if tidal <= profile.edges[-1]:
            chart.add_vline(x=tidal, line_dash="dash", line_color=GUIDE, annotation_text="tidal")
    chart.update_yaxes(type="log", exponentformat="power", dtick="D2")
    return chart


def _residuals(measured: Structure, unit: str) -> go.Figure:
    king = measured.king
    chart = empty_figure(f"distance from the middle [{unit}]", "counted − fitted [σ]", height=PANEL_PX)
    chart.add_hrect(y0=-1, y1=1, fillcolor=GUIDE, opacity=0.18, line_width=0)
    chart.add_hline(y=0, line_color=GUIDE, line_width=1)
    chart.add_scatter(x=king.radius, y=king.residual, mode="markers", marker={"size": 5, "color": BLUE})
    chart.update_xaxes(type="log", dtick=1)
    if not len(king.radius):
        chart.add_annotation(text="no fit", showarrow=False, font={"size": 16})
    return chart


def _light(measured: Structure, unit: str, colour: str) -> go.Figure:
    profile = measured.profile
    chart = empty_figure(
        f"distance from the middle [{unit}]", f"surface brightness [mag per {unit}²]", height=PANEL_PX
    )
    chart.add_scatter(
        x=profile.radius,
        y=profile.light,
        error_y={"array": profile.light_error, "thickness": 1},
        mode="markers",
        marker={"size": 7, "color": colour},
    )
    chart.update_yaxes(autorange="reversed")
    return chart


def _map(field: Field, around: DensityMap, values: NDArray[np.float64], unit: str, title: str) -> go.Figure:
    east = unit == "′"
    names = ("east of the middle [′]", "north of the middle [′]") if east else ("x [px]", "y [px]")
    chart = empty_figure(*names, height=PANEL_PX)
    bar = {"title": {"text": title, "side": "right"}, "exponentformat": "power", "thickness": 14}
    chart.add_heatmap(x=around.x, y=around.y, z=values, colorscale="Viridis", colorbar=bar)
    flipped = "reversed" if field.downwards and not east else True
    chart.update_yaxes(scaleanchor="x", constrain="domain", autorange=flipped)
    chart.update_xaxes(constrain="domain", autorange="reversed" if east else True)
    return chart


def _ripley(measured: Structure, unit: str, colour: str) -> go.Figure:
    ripley = measured.ripley
    chart = empty_figure(f"distance r [{unit}]", f"L(r) − r [{unit}]", height=PANEL_PX)
    chart.add_scatter(
        x=ripley.radius, y=ripley.high, mode="lines", line_width=0, showlegend=False, hoverinfo="skip"
    )
    chart.add_scatter(
        x=ripley.radius,
        y=ripley.low,
        mode="lines",
        line_width=0,
        fill="tonexty",
        fillcolor="rgba(136,148,168,0.3)",
        name="even fields, 95 %",
    )
    chart.add_scatter(
        x=ripley.radius, y=ripley.excess, mode="lines+markers", name="its stars", line={"color": colour}
    )
    return chart


def _segregation(measured: Structure, colour: str) -> go.Figure:
    segregation = measured.segregation
    assert segregation is not None  # noqa: S101 (the caller has looked)
    chart = empty_figure("brightest members", "Λ", height=PANEL_PX)
    chart.add_hline(y=1, line_color=GUIDE, line_width=1)
    chart.add_scatter(
        x=segregation.n_brightest,
        y=segregation.ratio,
        error_y={"array": segregation.error, "thickness": 1},
        mode="lines+markers",
        line={"color": colour},
    )
    chart.update_xaxes(type="log", tickvals=segregation.n_brightest)
    return chart


def _strays(measured: Structure, unit: str) -> go.Figure:
    strays = measured.contamination
    middle = 0.5 * (strays.edges[1:] + strays.edges[:-1])
    chart = empty_figure(f"distance from the middle [{unit}]", "stars in the ring", height=PANEL_PX)
    field = np.nan_to_num(strays.fraction) * strays.members
    chart.add_bar(x=middle, y=strays.members - field, name="members", marker={"color": BLUE})
    chart.add_bar(
        x=middle,
        y=field,
        name="of these expected from the field",
        marker={"color": ORANGE, "pattern": {"shape": "/"}},
    )
    chart.update_layout(barmode="stack", bargap=0.1)
    return chart


def _hess(measured: Structure, brightness: str) -> go.Figure:
    colours = measured.colours
    assert colours is not None  # noqa: S101 (the caller has looked)
    counts = colours.hess if colours.hess_field is None else colours.hess - colours.hess_field
    chart = empty_figure("colour [mag]", brightness, height=PANEL_PX)
    chart.add_heatmap(
        x=0.5 * (colours.colour_edges[1:] + colours.colour_edges[:-1]),
        y=0.5 * (colours.mag_edges[1:] + colours.mag_edges[:-1]),
        z=np.where((colours.hess > 0) | (counts != 0), counts, np.nan),
        colorscale="Viridis",
        colorbar={"title": {"text": "stars", "side": "right"}, "thickness": 14},
    )
    chart.update_yaxes(autorange="reversed")
    return chart


def _bars(values: Any, low: Any, high: Any) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": high - values,
        "arrayminus": values - low,
        "thickness": 1,
    }
