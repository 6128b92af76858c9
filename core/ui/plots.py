"""Plots, each with axes that say what they are; no numerics beyond drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.frames.process import Histogram
from core.scoring.completeness import CompletenessCurve
from core.scoring.truth import SnrBin
from core.ui.text import plain_in_plot

Floats = NDArray[np.floating]
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle-open", "square-open", "diamond-open", "triangle-up-open", "x-thin-open")
GUIDE = "#8894A8"
"""Lines that only guide the eye; legible on dark and on light."""


def empty_figure(x_title: str, y_title: str, *, height: int = 340) -> go.Figure:
    """A figure with its axes named and nothing in it yet; ``height`` is in screen pixels."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0},
        xaxis_title=plain_in_plot(x_title),
        yaxis_title=plain_in_plot(y_title),
    )
    return figure


def histogram_figure(shown: Mapping[str, Histogram], unit: str) -> go.Figure:
    """Pixel values of one or more frames, counts on a logarithmic axis."""
    figure = empty_figure(f"pixel value [{unit}]" if unit else "pixel value", "pixels in the bin")
    for number, (name, counted) in enumerate(shown.items()):
        middle = 0.5 * (counted.edges[:-1] + counted.edges[1:])
        figure.add_scatter(
            x=middle, y=counted.counts, name=name, mode="lines", line={"shape": "hvh", "dash": DASHES[number]}
        )
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def magnitude_figure(
    counted: Mapping[str, tuple[Floats, NDArray[np.intp]]], colours: Mapping[str, str], title: str
) -> go.Figure:
    """How many sources of each magnitude every method found: edges and counts, and colours, by method."""
    figure = empty_figure(title, "sources in the bin")
    for number, (name, (edges, counts)) in enumerate(counted.items()):
        line = {"shape": "hvh", "dash": DASHES[number % len(DASHES)], "color": colours[name]}
        figure.add_scatter(x=0.5 * (edges[:-1] + edges[1:]), y=counts, name=name, mode="lines", line=line)
    return figure


def map_figure(values: Floats, extent: tuple[float, float], title: str, *, bottom_first: bool) -> go.Figure:
    """A coarse map over the frame, ``(rows, columns)``, with its colour scale.

    Args:
        values: The map; NaN stays empty.
        extent: Width and height of the frame in pixels.
        title: What is mapped, with its unit.
        bottom_first: Row 0 is drawn at the bottom, as the frame is.
    """
    rows, columns = values.shape
    x = (np.arange(columns) + 0.5) * extent[0] / columns - 0.5
    y = (np.arange(rows) + 0.5) * extent[1] / rows - 0.5
    figure = empty_figure("x [px]", "y [px]", height=420)
    figure.add_heatmap(
        x=x, y=y, z=values, colorscale="Viridis", colorbar={"title": {"text": title, "side": "right"}}
    )
    figure.update_yaxes(scaleanchor="x", autorange=None if bottom_first else "reversed", constrain="domain")
    figure.update_xaxes(constrain="domain")
    return figure


def profile_figure(
    radius_px: Floats, values: Floats, fit_radius_px: Floats, fit: Floats | None, said: str, unit: str
) -> go.Figure:
    """Pixel values against distance from a star's centre, with the fitted profile."""
    figure = empty_figure(
        "distance from the centre [px]", f"above the background [{unit}]" if unit else "above the background"
    )
    figure.add_scatter(
        x=radius_px, y=values, name="pixels", mode="markers", marker={"symbol": "circle-open", "size": 5}
    )
    if fit is not None:
        figure.add_scatter(x=fit_radius_px, y=fit, name=said, mode="lines", line={"width": 2})
    return figure


def residual_figure(dx_arcsec: Floats, dy_arcsec: Floats) -> go.Figure:
    """Where matched stars lie with respect to the catalogue, in arcseconds."""
    figure = empty_figure("Δα cos δ [″]", "Δδ [″]", height=380)
    figure.add_hline(y=0, line_width=1, line_color=GUIDE)
    figure.add_vline(x=0, line_width=1, line_color=GUIDE)
    figure.add_scatter(x=dx_arcsec, y=dy_arcsec, mode="markers", marker={"symbol": SYMBOLS[0], "size": 7})
    figure.update_yaxes(scaleanchor="x", constrain="domain")
    return figure


def zero_point_figure(
    catalogue_mag: Floats, offset_mag: Floats, used: NDArray[np.bool_], zero_point: float
) -> go.Figure:
    """Catalogue minus instrumental magnitude against catalogue magnitude, with the zero point drawn."""
    figure = empty_figure("Gaia G [mag]", "G − instrumental [mag]", height=380)
    for name, rows, symbol in (("used", used, SYMBOLS[0]), ("left out", ~used, SYMBOLS[-1])):
        if rows.any():
            marker = {"symbol": symbol, "size": 7}
            figure.add_scatter(
                x=catalogue_mag[rows], y=offset_mag[rows], name=name, mode="markers", marker=marker
            )
    if np.isfinite(zero_point):
        figure.add_hline(y=zero_point, line_width=2, line_color=GUIDE)
    return figure


def snr_figure(found: Mapping[str, Sequence[SnrBin]], colours: Mapping[str, str]) -> go.Figure:
    """Fraction of the true objects found in ranges of signal-to-noise ratio, with 95 % intervals."""
    figure = empty_figure("signal-to-noise ratio of the truth", "fraction found")
    for number, (name, bins) in enumerate(found.items()):
        filled = [each for each in bins if each.n_truth]
        recall = [each.recall for each in filled]
        figure.add_scatter(
            x=[_range(each) for each in filled],
            y=recall,
            error_y=_interval(recall, [each.recall_interval for each in filled]),
            name=name,
            **_line(number, colours[name]),
        )
    figure.update_xaxes(type="category")
    figure.update_yaxes(range=[-0.03, 1.05])
    return figure


def f1_figure(found: Mapping[str, Sequence[SnrBin]], colours: Mapping[str, str]) -> go.Figure:
    """F1 in ranges of signal-to-noise ratio: false detections count where their own SNR lies."""
    figure = empty_figure("signal-to-noise ratio", "F1")
    for number, (name, bins) in enumerate(found.items()):
        filled = [(_range(each), each.f1) for each in bins if each.f1 is not None and np.isfinite(each.f1)]
        figure.add_scatter(
            x=[where for where, _ in filled],
            y=[value for _, value in filled],
            name=name,
            **_line(number, colours[name]),
        )
    figure.update_xaxes(type="category")
    figure.update_yaxes(range=[-0.03, 1.05])
    return figure


def _range(each: SnrBin) -> str:
    return f"{each.low:g}–{each.high:g}" if np.isfinite(each.high) else f"≥ {each.low:g}"


def _line(number: int, colour: str) -> dict[str, Any]:
    """How the line of one of several methods is drawn: told apart without colour."""
    return {
        "mode": "lines+markers",
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8, "color": colour},
        "line": {"dash": DASHES[number % len(DASHES)], "color": colour},
    }


def completeness_figure(curves: Mapping[str, CompletenessCurve], colours: Mapping[str, str]) -> go.Figure:
    """Fraction of the true objects found against magnitude, with 95 % Wilson intervals."""
    figure = empty_figure("G [mag]", "fraction found")
    for number, (name, curve) in enumerate(curves.items()):
        filled = curve.n_truth > 0
        value = curve.completeness[filled]
        figure.add_scatter(
            x=curve.magnitude[filled],
            y=value,
            error_y=_interval(value, list(zip(curve.low[filled], curve.high[filled], strict=True))),
            name=name,
            **_line(number, colours[name]),
        )
    figure.update_yaxes(range=[-0.03, 1.05])
    return figure


def _interval(values: Sequence[float] | Floats, bounds: Sequence[tuple[float, float]]) -> dict[str, object]:
    """Error bars from values and their lower and upper bounds."""
    up = [high - value for value, (_, high) in zip(values, bounds, strict=True)]
    down = [value - low for value, (low, _) in zip(values, bounds, strict=True)]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1}
