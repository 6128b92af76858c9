"""Plots of planetary surfaces: their mix, how many landforms of which size, and where lines run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.surfaces.kinds import CRATER
from core.surfaces.looks import COLOURS, MARKED, PARTS, PATTERNS, PLURAL
from core.surfaces.size_frequency import Points
from core.ui.plots import DASHES, GUIDE, SYMBOLS, empty_figure
from core.ui.text import plain_in_plot
from core.words import percent

Floats = NDArray[np.float64]
FILLS = {"solid": "", "dots": ".", "grid": "+", "stripes": "/", "backstripes": "\\", "faint": "x"}
"""Plotly's names of the viewer's patterns."""
SURFACES = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2")
"""Of several surfaces side by side, in turn."""
BAR_PX = 34


def surface_colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each of several surfaces."""
    return {name: SURFACES[number % len(SURFACES)] for number, name in enumerate(names)}


def _fill(label: str) -> dict[str, Any]:
    shape, colour = FILLS[PATTERNS[label]], COLOURS[label]
    if not shape:
        return {"color": colour}
    pattern = {"shape": shape, "solidity": 0.25, "size": 7, "bgcolor": colour, "fgcolor": "rgba(0,0,0,0.35)"}
    return {"color": colour, "pattern": pattern}


def mix_figure(mixes: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """One horizontal bar a surface, as long for all, cut into the parts that each landform covers."""
    figure = empty_figure("part of the ground", "", height=86 + BAR_PX * len(mixes))
    names = [plain_in_plot(name) for name in mixes]
    for label in PARTS:
        parts = [mix.get(label, 0.0) for mix in mixes.values()]
        if not any(parts):
            continue
        figure.add_bar(
            x=parts,
            y=names,
            name=label,
            orientation="h",
            marker=_fill(label),
            text=[f"{label} {percent(part)}" if part >= 0.09 else "" for part in parts],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": "#0A0E17", "size": 13},
            customdata=[percent(part, 1) for part in parts],
            hovertemplate=f"%{{y}}: %{{customdata}} {label}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.25, margin={"l": 0, "r": 24, "t": 6, "b": 0})
    figure.update_layout(legend={"y": -0.4 if len(names) > 1 else -0.75, "traceorder": "normal"})
    figure.update_xaxes(range=[0, 1], showgrid=False, title=None)
    quarters = np.linspace(0.0, 1.0, 5)
    figure.update_xaxes(tickvals=quarters, ticktext=[percent(part) for part in quarters])
    # Named to be categories: names that are days or numbers would make an axis of time or of numbers.
    figure.update_yaxes(autorange="reversed", type="category", showticklabels=len(names) > 1)
    return figure


def counts_figure(table: pd.DataFrame, upright: bool) -> go.Figure:
    """Objects of each landform by group: bars side by side; over time upright, else lying.

    Args:
        table: One row a group, with the plural of each landform as a column.
        upright: The groups are days.
    """
    groups = [plain_in_plot(str(name)) for name in table.index]
    height = 320 if upright else 110 + 3 * BAR_PX // 2 * len(groups)
    figure = empty_figure(*(("day (UTC)", "objects") if upright else ("objects", "")), height=height)
    for label in MARKED:
        values = table[PLURAL[label]]
        along = {"x": groups, "y": values} if upright else {"x": values, "y": groups, "orientation": "h"}
        figure.add_bar(name=PLURAL[label], marker=_fill(label), **along)
    if upright:
        figure.update_xaxes(type="category")
    else:
        figure.update_yaxes(autorange="reversed", type="category")
        # Below, it would lie on the title of the axis where there are few bars.
        figure.update_layout(legend={"traceorder": "normal", "y": 1.0, "yanchor": "bottom"})
    return figure


def rose_figure(roses: Mapping[str, tuple[Floats, Floats]], colours: Mapping[str, str]) -> go.Figure:
    """Length of lines by direction: each bin is drawn on both sides, since a line has no beginning.

    Args:
        roses: For each kind or surface the edges of the bins in degrees (N + 1, over [0, 180]) from the top
            clockwise, and the part of the length in each (N).
        colours: Of each.
    """
    figure = go.Figure()
    for name, (edges, parts) in roses.items():
        middle, width = (edges[:-1] + edges[1:]) / 2.0, np.diff(edges)
        figure.add_barpolar(
            theta=np.concatenate([middle, middle + 180.0]),
            r=100.0 * np.concatenate([parts, parts]),
            width=np.concatenate([width, width]),
            name=plain_in_plot(name),
            marker={"color": colours[name], "opacity": 0.6, "line": {"width": 1.2, "color": colours[name]}},
            hovertemplate="%{fullData.name}<br>%{theta:.0f}°: %{r:.1f} % of the length<extra></extra>",
        )
    figure.update_layout(
        height=380,
        margin={"l": 30, "r": 30, "t": 30, "b": 10},
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
        polar={
            "angularaxis": {"direction": "clockwise", "rotation": 90, "ticksuffix": "°", "dtick": 30},
            "radialaxis": {"ticksuffix": " %", "angle": 90, "tickangle": 90, "nticks": 4},
            "bargap": 0.0,
        },
    )
    return figure


def size_figure(
    curves: Mapping[str, Points],
    colours: Mapping[str, str],
    *,
    x_title: str,
    y_title: str,
    limits: Mapping[str, float],
) -> go.Figure:
    """How many craters of which size, on logarithmic axes, with intervals and where counts are complete.

    Args:
        curves: Of each surface; those that are not complete are faint.
        colours: Of each surface.
        x_title, y_title: With units.
        limits: For each surface the diameter from which its count is complete.
    """
    figure = empty_figure(x_title, y_title, height=430)
    for number, (name, curve) in enumerate(curves.items()):
        title, value, low, high = plain_in_plot(name), curve.value, curve.low, curve.high
        seen = value > 0.0
        for complete in (True, False):
            rows = seen & (curve.complete == complete)
            if not rows.any():
                continue
            symbol = SYMBOLS[number % len(SYMBOLS)]
            figure.add_scatter(
                x=curve.diameter[rows],
                y=value[rows],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": (high - value)[rows],
                    # A bar that reaches 0 has no end on a logarithmic axis.
                    "arrayminus": np.minimum(value - low, 0.999 * value)[rows],
                    "thickness": 1,
                    "width": 2,
                },
                mode="markers",
                name=title if complete else f"{title}, incomplete",
                legendgroup=title,
                opacity=1.0 if complete else 0.45,
                marker={"symbol": symbol, "size": 8, "color": colours[name]},
            )
    for place, limit in enumerate(sorted(set(limits.values()))):
        figure.add_vline(
            x=limit,
            line={"color": GUIDE, "dash": "dash", "width": 1.5},
        )
        if not place:
            # On a logarithmic axis a line stands at its value, a text at the logarithm of it.
            figure.add_annotation(
                x=float(np.log10(limit)),
                y=1.0,
                yref="paper",
                text="complete from here",
                font={"color": GUIDE},
                showarrow=False,
                xanchor="left",
                yanchor="bottom",
            )
    figure.update_xaxes(type="log", exponentformat="none", minor={"ticks": "outside"})
    figure.update_yaxes(type="log", exponentformat="power", minor={"ticks": "outside"})
    return figure


def length_figure(lengths: Mapping[str, Floats], colours: Mapping[str, str], x_title: str) -> go.Figure:
    """How many lines are at least so long, by kind."""
    figure = empty_figure(x_title, "lines of this length and more", height=300)
    for number, (name, values) in enumerate(lengths.items()):
        ordered = np.sort(values)[::-1]
        figure.add_scatter(
            x=ordered,
            y=np.arange(1, len(ordered) + 1),
            name=name,
            mode="lines+markers",
            line={"shape": "hv", "color": colours[name], "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
        )
    figure.update_yaxes(rangemode="tozero")
    return figure


def density_figure(rows: Mapping[str, tuple[float, float, float]], unit: str) -> go.Figure:
    """Objects an area of each surface: value, low and high of its interval."""
    names = [plain_in_plot(name) for name in rows]
    values = np.array(list(rows.values()))
    figure = empty_figure(f"craters a {unit}", "", height=90 + BAR_PX * len(names))
    figure.add_scatter(
        x=values[:, 0],
        y=names,
        mode="markers",
        marker={"symbol": "diamond", "size": 10, "color": COLOURS[CRATER]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": values[:, 2] - values[:, 0],
            "arrayminus": values[:, 0] - values[:, 1],
        },
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(rangemode="tozero")
    return figure
