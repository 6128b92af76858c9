"""The linked views of a field of stars: the sky, the motions, the colours, and space; drawing only.

Many stars are drawn as a density, and what is drawn of few of many is said by :func:`thinned`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.clusters.kde import DensityMap
from core.clusters.table import StarTable
from core.ui.clusters_found import Found, style
from core.ui.plots import GUIDE, empty_figure

Floats = NDArray[np.floating]
Rows = NDArray[np.int64]

MOST_POINTS = 10_000
"""Most stars of the field drawn one by one; of more, their density is drawn."""
MOST_MEMBERS = 2500
"""Most members of a cluster drawn one by one; of more, a random part."""
MOST_CLUSTERS = 12
"""Most clusters drawn with their members, the chosen one always among them."""
NIGHT = "#05080F"
"""The sky behind the stars, on light pages too: pictures of it are dark."""
STAR_COLOURS = [[0.0, "#9DB8FF"], [0.25, "#DCE6FF"], [0.45, "#FFF6E8"], [0.7, "#FFD9A0"], [1.0, "#FF9A5C"]]
"""Hot to cool, as stars look to the eye in a telescope."""
FIELD_SCALE = [[0.0, "rgba(136,148,168,0)"], [0.02, "rgba(136,148,168,0.18)"], [1.0, "rgba(136,148,168,0.9)"]]
MOST_DOTS = 2500
"""Most stars drawn one by one in a diagram, where they crowd more than on the sky."""
MOST_RINGS = 600
"""Most members of a cluster that are ringed; more would hide what is inside the rings."""
BINS = 120
DEGREES_FROM_ARCMIN = 150.0
"""Fields wider than this have their axes in degrees."""


def sky_figure(
    stars: StarTable,
    found: Found | None,
    chosen: int | None,
    *,
    density: DensityMap | None = None,
    downwards: bool = False,
    movable: bool = False,
    height: int = 640,
) -> go.Figure:
    """The stars where they stand, members ringed, with the circle that holds half of each cluster.

    Args:
        stars: All of them.
        found: The clusters, or None.
        chosen: The one that stands out.
        density: A map to draw as lines over it.
        movable: A finger or the mouse moves it; else the page under it.
        downwards: y grows downwards, as the rows of a photograph do.
        height: In screen pixels.
    """
    scale, unit = _scale(stars)
    x_title, y_title = (
        (f"east [{unit}]", f"north [{unit}]") if stars.unit == "arcmin" else ("x [px]", "y [px]")
    )
    chart = empty_figure(x_title, y_title, height=height)
    xy = stars.xy * scale
    chart.add_trace(_background(xy, stars))
    if density is not None:
        chart.add_trace(_contours(density, scale))
    for number in _drawn(found, chosen):
        _members(chart, xy, found, number, number == chosen, ring=True)
        _circle(chart, xy, found, number, number == chosen)
    low, high = xy.min(axis=0), xy.max(axis=0)
    pad = 0.04 * max(float((high - low).max()), 1e-6)
    ranges = [[low[0] - pad, high[0] + pad], [low[1] - pad, high[1] + pad]]
    if stars.unit == "arcmin":
        ranges[0].reverse()  # east is left, as on every chart of the sky
    if downwards and stars.unit == "px":
        ranges[1].reverse()
    # More sky rather than empty page beside it, whatever the shape of the screen.
    common = {"showgrid": False, "zeroline": False, "constrain": "range"}
    chart.update_xaxes(range=ranges[0], **common)
    chart.update_yaxes(range=ranges[1], scaleanchor="x", **common)
    chart.update_layout(plot_bgcolor=NIGHT, dragmode="pan" if movable else False)
    inside = {"x": 0.01, "y": 0.99, "yanchor": "top", "orientation": "v", "bgcolor": "rgba(5,8,15,0.6)"}
    chart.update_layout(legend={**inside, "font": {"color": "#E9EDF5"}})
    return chart


def motion_figure(
    stars: StarTable, found: Found | None, chosen: int | None, *, height: int = 400
) -> go.Figure:
    """Proper motions: the vector-point diagram."""
    assert stars.pm is not None  # noqa: S101 (the caller has looked)
    chart = empty_figure("proper motion east [mas/yr]", "proper motion north [mas/yr]", height=height)
    _diagram(chart, stars.pm, _window(stars.pm, found, chosen, tails=(12.0, 1.0)), found, chosen)
    chart.update_yaxes(scaleanchor="x", constrain="range")
    chart.update_xaxes(constrain="range")
    return chart


def colour_figure(
    stars: StarTable, found: Found | None, chosen: int | None, *, height: int = 400
) -> go.Figure:
    """The colour–magnitude diagram, bright stars on top."""
    assert stars.colour is not None  # noqa: S101 (the caller has looked)
    assert stars.mag is not None  # noqa: S101
    chart = empty_figure("colour [mag]", magnitude(stars), height=height)
    values = np.column_stack([stars.colour, stars.mag])
    _diagram(chart, values, _window(values, found, chosen), found, chosen)
    low, high = _window(values, found, chosen)[1]
    chart.update_yaxes(range=[high, low])
    return chart


def magnitude_figure(
    stars: StarTable, found: Found | None, chosen: int | None, *, height: int = 400
) -> go.Figure:
    """How many stars of each magnitude there are, in the field and in the chosen cluster."""
    assert stars.mag is not None  # noqa: S101 (the caller has looked)
    chart = empty_figure(magnitude(stars), "stars in the bin", height=height)
    edges = np.histogram_bin_edges(stars.mag[np.isfinite(stars.mag)], 30)
    middle = 0.5 * (edges[1:] + edges[:-1])
    line: dict[str, Any] = {"shape": "hvh"}
    counts = np.histogram(stars.mag[np.isfinite(stars.mag)], edges)[0]
    chart.add_scatter(x=middle, y=counts, name="all stars", mode="lines", line={**line, "color": GUIDE})
    if found is not None and chosen is not None:
        mag = stars.mag[found.members(chosen)]
        counts = np.histogram(mag[np.isfinite(mag)], edges)[0]
        own = {**line, "color": style(chosen)[0], "dash": "dash"}
        chart.add_scatter(x=middle, y=counts, name=f"cluster {chosen + 1}", mode="lines", line=own)
    chart.update_yaxes(type="log")
    return chart


def space_figure(places_pc: Floats, rows: Rows, found: Found, chosen: int, *, height: int = 460) -> go.Figure:
    """Members and the field in space: east and north at the cluster's distance, and along the line of sight.

    Args:
        places_pc: ``(n, 3)`` parsecs east, north and away, from the cluster's middle.
        rows: ``(n,)`` which stars these are.
        found: The clusters.
        chosen: The one in the middle.
        height: In screen pixels.
    """
    chart = go.Figure()
    belongs = found.cluster[rows] == chosen
    for name, keep, colour, size in (
        ("field", ~belongs, GUIDE, 1.6),
        (f"cluster {chosen + 1}", belongs, style(chosen)[0], 3.2),
    ):
        x, y, z = places_pc[keep].T
        chart.add_scatter3d(
            x=z,
            y=x,
            z=y,
            mode="markers",
            name=name,
            marker={"size": size, "color": colour, "opacity": 0.45 if name == "field" else 0.95},
            hovertemplate="%{x:.0f} pc away from the middle<extra></extra>",
        )
    axes = ("along the line of sight [pc]", "east [pc]", "north [pc]")
    chart.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        legend={"orientation": "h", "y": 0.02, "x": 0.02},
        scene={
            **{
                f"{axis}axis": {
                    "title": title,
                    "gridcolor": "rgba(136,148,168,0.25)",
                    "backgroundcolor": NIGHT,
                }
                for axis, title in zip("xyz", axes, strict=True)
            },
            "aspectmode": "data",
            "camera": {"eye": {"x": 0.7, "y": 1.9, "z": 0.7}},
        },
    )
    return chart


def magnitude(stars: StarTable) -> str:
    """The title of an axis of magnitudes."""
    return "instrumental magnitude [mag]" if stars.instrumental else "magnitude [mag]"


def thinned(stars: StarTable, found: Found | None) -> str:
    """What is not drawn star by star, as a sentence; empty when all is."""
    said = []
    if len(stars) > MOST_POINTS:
        said.append(f"The {len(stars):,} stars are drawn as a density, members as points.")
    if found is not None and len(found) and int(found.sizes.max()) > MOST_MEMBERS:
        said.append(f"Of each cluster at most {MOST_MEMBERS:,} members are drawn, taken at random.")
    if found is not None and len(found) > MOST_CLUSTERS:
        said.append(f"The members of {MOST_CLUSTERS} of {len(found)} clusters are drawn.")
    return " ".join(said)


def _scale(stars: StarTable) -> tuple[float, str]:
    """What the plane's places are multiplied by to be drawn, and the unit they then have."""
    if stars.unit == "px":
        return 1.0, "px"
    wide = float(np.ptp(stars.xy, axis=0).max()) > DEGREES_FROM_ARCMIN
    return (1.0 / 60.0, "°") if wide else (1.0, "′")


def _background(xy: Floats, stars: StarTable) -> Any:
    """All stars, as points as large as they are bright and as red as they are cool, or as a density."""
    if len(xy) > MOST_POINTS:
        counts, x_edges, y_edges = np.histogram2d(xy[:, 0], xy[:, 1], 2 * BINS)
        return go.Heatmap(
            x=0.5 * (x_edges[1:] + x_edges[:-1]),
            y=0.5 * (y_edges[1:] + y_edges[:-1]),
            z=np.sqrt(counts.T),
            colorscale=[[0.0, NIGHT], [0.5, "#55627C"], [1.0, "#F4F7FF"]],
            showscale=False,
            hoverinfo="skip",
            name="stars",
        )
    marker: dict[str, Any] = {"size": 2.4, "color": "#DCE6FF", "opacity": 0.9, "line": {"width": 0}}
    text: NDArray[np.str_] | None = None
    if stars.mag is not None:
        known = np.isfinite(stars.mag)
        mag = np.where(known, stars.mag, float(np.nanmax(stars.mag)))
        low, high = np.percentile(mag, [0.5, 99.0])
        bright = np.clip((high - mag) / max(float(high - low), 1e-6), 0.0, 1.0)
        # The more stars there are, the smaller the largest, or they would hide each other.
        largest = 9.0 * np.clip((800.0 / len(xy)) ** 0.4, 0.3, 1.0)
        marker["size"] = np.round(1.6 + largest * bright**2.2, 2)
        words = "%.1f mag, instrumental" if stars.instrumental else "%.1f mag"
        text = np.where(known, np.char.mod(words, mag), "magnitude not known")
    if stars.colour is not None:
        colour = np.nan_to_num(stars.colour, nan=float(np.nanmedian(stars.colour)))
        low, high = np.nanpercentile(stars.colour, [2, 98])
        marker |= {"color": colour, "colorscale": STAR_COLOURS, "cmin": low, "cmax": max(high, low + 0.1)}
    return go.Scattergl(
        x=xy[:, 0],
        y=xy[:, 1],
        mode="markers",
        marker=marker,
        text=text,
        hovertemplate=None if text is None else "%{text}<extra></extra>",
        hoverinfo="skip" if text is None else None,
        name="stars",
        showlegend=False,
    )


def _contours(density: DensityMap, scale: float) -> Any:
    top = float(density.density.max())
    return go.Contour(
        x=density.x * scale,
        y=density.y * scale,
        z=density.density,
        contours={"start": 0.15 * top, "end": 0.95 * top, "size": 0.16 * top, "coloring": "lines"},
        colorscale="Viridis",
        line={"width": 1.2},
        showscale=False,
        hoverinfo="skip",
        name="density",
    )


def _drawn(found: Found | None, chosen: int | None) -> list[int]:
    """The clusters that are drawn, the chosen one last so that it lies on top."""
    if found is None:
        return []
    drawn = list(range(min(len(found), MOST_CLUSTERS)))
    if chosen is not None:
        drawn = [*(number for number in drawn if number != chosen), chosen]
    return drawn


def _members(
    chart: go.Figure, values: Floats, found: Found | None, number: int, on: bool, *, ring: bool = False
) -> None:
    """Draw the members of a cluster; a click on one chooses the cluster."""
    assert found is not None  # noqa: S101 (there is a number only where there are clusters)
    rows = found.members(number)
    if len(rows) > MOST_MEMBERS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_MEMBERS, replace=False))
    colour, symbol = style(number)
    ring = ring and len(rows) <= MOST_RINGS
    size = (9.0 if on else 7.0) if ring else (6.0 if on else 4.5)
    if len(rows) > 150:
        size *= 0.7
    marker = {
        "symbol": f"{symbol}-open" if ring else symbol,
        "size": size,
        "color": colour,
        "opacity": 1.0 if on else 0.55,
        "line": {"width": (1.6 if on else 1.0) if ring else 0.0, "color": colour},
    }
    chart.add_scatter(
        x=values[rows, 0],
        y=values[rows, 1],
        mode="markers",
        name=_name(found, number),
        legendrank=number + 1,
        marker=marker,
        # A click chooses; it does not fade the others.
        selected={"marker": {"opacity": marker["opacity"]}},
        unselected={"marker": {"opacity": marker["opacity"]}},
        customdata=np.full(len(rows), number),
        hovertemplate=f"{_name(found, number)}<extra></extra>",
    )


def _name(found: Found, number: int) -> str:
    return found.title if len(found) == 1 and found.analysis is None else f"cluster {number + 1}"


def _circle(chart: go.Figure, xy: Floats, found: Found | None, number: int, on: bool) -> None:
    """Draw the circle that holds half of the members, with the cluster's number."""
    assert found is not None  # noqa: S101 (there is a number only where there are clusters)
    members = xy[found.members(number)]
    if not len(members):
        return
    x, y = np.median(members, axis=0)
    radius = float(np.median(np.hypot(*(members - (x, y)).T)))
    colour = style(number)[0]
    chart.add_shape(
        type="circle",
        x0=x - radius,
        x1=x + radius,
        y0=y - radius,
        y1=y + radius,
        line={"color": colour, "width": 2.0 if on else 1.2, "dash": "solid" if on else "dot"},
    )
    chart.add_annotation(
        x=x,
        y=float(np.percentile(members[:, 1], 96)),
        text=f"<b>{number + 1}</b>",
        showarrow=False,
        yshift=16,
        font={"color": colour, "size": 15 if on else 12},
        bgcolor="rgba(5,8,15,0.6)",
    )


def _window(
    values: Floats, found: Found | None, chosen: int | None, *, tails: tuple[float, float] = (2.0, 0.0)
) -> tuple[tuple[float, float], ...]:
    """What of a diagram is shown: field and clusters but for their tails, in per cent."""
    known = values[np.isfinite(values).all(axis=1)]
    if not len(known):
        return ((0.0, 1.0), (0.0, 1.0))
    low, high = np.percentile(known, [tails[0], 100.0 - tails[0]], axis=0)
    rows = np.concatenate([found.members(n) for n in _drawn(found, chosen)]) if found and len(found) else None
    if rows is not None and len(rows):
        own = values[rows]
        ends = np.nanpercentile(own, [tails[1], 100.0 - tails[1]], axis=0)
        low, high = np.fmin(low, ends[0]), np.fmax(high, ends[1])
    pad = 0.06 * np.maximum(high - low, 1e-6)
    return tuple((float(a), float(b)) for a, b in zip(low - pad, high + pad, strict=True))


def _diagram(
    chart: go.Figure,
    values: Floats,
    window: Sequence[tuple[float, float]],
    found: Found | None,
    chosen: int | None,
) -> None:
    """Draw the field as its density or its points, and the members of the clusters over it."""
    (x_low, x_high), (y_low, y_high) = window
    known = np.isfinite(values).all(axis=1)
    inside = known & (values[:, 0] >= x_low) & (values[:, 0] <= x_high)
    inside &= (values[:, 1] >= y_low) & (values[:, 1] <= y_high)
    shown = values[inside]
    if len(shown) > MOST_DOTS:
        edges = [np.linspace(x_low, x_high, BINS + 1), np.linspace(y_low, y_high, BINS + 1)]
        counts = np.histogram2d(shown[:, 1], shown[:, 0], edges[::-1])[0]
        chart.add_heatmap(
            x=0.5 * (edges[0][1:] + edges[0][:-1]),
            y=0.5 * (edges[1][1:] + edges[1][:-1]),
            z=np.log1p(counts),
            colorscale=FIELD_SCALE,
            showscale=False,
            hoverinfo="skip",
            name="all stars",
        )
    else:
        chart.add_scattergl(
            x=shown[:, 0],
            y=shown[:, 1],
            mode="markers",
            name="all stars",
            marker={"size": 3, "color": GUIDE, "opacity": 0.6},
            hoverinfo="skip",
        )
    for number in _drawn(found, chosen):
        _members(chart, values, found, number, number == chosen)
    chart.update_xaxes(range=[x_low, x_high], zeroline=False)
    chart.update_yaxes(range=[y_low, y_high], zeroline=False)
    chart.update_layout(showlegend=False)
