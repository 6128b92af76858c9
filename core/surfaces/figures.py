"""Figures for reports: the picture with what was found on it, and plots, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.shapes import outlines_of
from core.surfaces.kinds import UNSURE
from core.surfaces.looks import COLOURS, DASHES, MARKED, PARTS, PATTERNS, PLURAL
from core.surfaces.size_frequency import Points
from core.words import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
DPI = 150
HATCHES = {"solid": None, "dots": "..", "grid": "++", "stripes": "//", "backstripes": "\\\\", "faint": "xx"}
"""Matplotlib's names of the patterns of :data:`core.surfaces.looks.PATTERNS`."""
LEAST_LABEL = 0.08
"""Smaller parts of a bar have no room for words."""
_INK, _GUIDE = "#111827", "#4B5563"
_PICTURE_IN = 7.6


def picture_figure(
    rgb: NDArray[np.uint8],
    table: pd.DataFrame,
    size: tuple[int, int],
    *,
    row0_bottom: bool,
    mask: NDArray[np.uint16] | None = None,
    classes: Sequence[str] = (),
    km_per_px: float | None = None,
) -> bytes:
    """The picture with outlines of craters, lines of valleys and ridges, a legend and a scale bar.

    Args:
        rgb: ``(h, w, 3)`` of the whole frame, the right way up, at any resolution.
        table: Detections.
        size: Width and height of the frame in pixels.
        row0_bottom: Row 0 of the frame is drawn at the bottom.
        mask: ``(h, w)`` classes of places, 0 where unsure; drawn as hatched outlines.
        classes: What its numbers from 1 mean.
        km_per_px: From left to right, for the scale bar; without it pixels are given.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    width, height = size
    figure, axes = _figure(_PICTURE_IN, np.clip(_PICTURE_IN * height / width, 1.2, 9.5))
    extent = (
        (-0.5, width - 0.5, -0.5, height - 0.5) if row0_bottom else (-0.5, width - 0.5, height - 0.5, -0.5)
    )
    axes.imshow(rgb, extent=extent, aspect="equal", interpolation="bilinear")
    known: list[Any] = []
    if mask is not None:
        known += _cover(axes, mask, classes, size)
    outlines = outlines_of(table)
    for label in MARKED:
        rows = np.flatnonzero(table["label"] == label)
        drawn = [line for line in (outlines[row] for row in rows) if line is not None]
        if not drawn:
            continue
        style = {"colors": COLOURS[label], "linestyles": "dashed" if label in DASHES else "solid"}
        axes.add_collection(LineCollection(drawn, linewidths=2.4, colors="black", alpha=0.45))
        axes.add_collection(LineCollection(drawn, linewidths=1.2, **style))  # type: ignore[arg-type]
        known.append(
            Line2D(
                [],
                [],
                color=COLOURS[label],
                linestyle="--" if label in DASHES else "-",
                label=f"{PLURAL[label]} {len(drawn):,}",
            )
        )
    _scale_bar(axes, width, height, row0_bottom, km_per_px)
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    axes.set_axis_off()
    if known:
        axes.legend(
            handles=known, loc="upper left", bbox_to_anchor=(0, -0.01), ncols=4, frameon=False, fontsize=9,
            borderaxespad=0.0,
        )  # fmt: skip
    return _png(figure)


def _cover(axes: Axes, mask: NDArray[np.uint16], classes: Sequence[str], size: tuple[int, int]) -> list[Any]:
    """Cover the places of each class with its colour and its pattern; the legend's entries."""
    from matplotlib.patches import Patch

    step = max(1, max(mask.shape) // 400)
    small = mask[::step, ::step]
    x = (np.arange(small.shape[1]) + 0.5) * size[0] / small.shape[1] - 0.5
    y = (np.arange(small.shape[0]) + 0.5) * size[1] / small.shape[0] - 0.5
    known = []
    for number, name in enumerate((UNSURE, *classes)):
        inside = small == number
        if not inside.any() or min(small.shape) < 2:
            continue
        share = float(np.mean(mask == number))
        if name == UNSURE:  # what nobody knows stays bare
            known.append(Patch(facecolor="none", edgecolor=_GUIDE, label=f"{name} {percent(share)}"))
            continue
        hatch = HATCHES[PATTERNS.get(name, "solid")]
        axes.contourf(
            x, y, inside.astype(float), levels=[0.5, 1.5], colors=[COLOURS.get(name, "#FFFFFF")], alpha=0.28,
            hatches=[hatch],
        )  # fmt: skip
        known.append(
            Patch(
                facecolor=COLOURS.get(name, "#FFFFFF"),
                alpha=0.6,
                hatch=hatch,
                label=f"{name} {percent(share)}",
            )
        )
    return known


def _scale_bar(axes: Axes, width: int, height: int, row0_bottom: bool, km_per_px: float | None) -> None:
    scale, unit = (km_per_px, "km") if km_per_px else (1.0, "px")
    room = 0.22 * width * scale
    power = 10.0 ** np.floor(np.log10(room))
    length = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= room)
    y = 0.05 * height if row0_bottom else 0.95 * height
    x = 0.03 * width
    for colour, wide in (("black", 4.0), ("white", 1.8)):
        axes.plot([x, x + length / scale], [y, y], color=colour, linewidth=wide, solid_capstyle="butt")
    text = axes.text(
        x + length / scale / 2, y + (0.02 if row0_bottom else -0.02) * height, f"{length:g} {unit}",
        color="white", ha="center", va="bottom", fontsize=9,
    )  # fmt: skip
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2.0, foreground="black")])


def mix_figure(mixes: Mapping[str, Mapping[str, float]]) -> bytes:
    """What surfaces are a mix of: a horizontal bar each, cut into labelled parts."""
    figure, axes = _figure(_PICTURE_IN, 0.75 + 0.5 * len(mixes))
    names = list(mixes)
    for row, name in enumerate(names):
        left = 0.0
        for label in PARTS:
            part = mixes[name].get(label, 0.0)
            if part <= 0.0:
                continue
            hatch = HATCHES[PATTERNS[label]]
            axes.barh(
                row, part, left=left, height=0.7, color=COLOURS[label], hatch=hatch, edgecolor="white",
                label=label if label not in axes.get_legend_handles_labels()[1] else None,
            )  # fmt: skip
            if part >= LEAST_LABEL:
                box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "boxstyle": "round,pad=0.2"}
                axes.text(
                    left + part / 2,
                    row,
                    f"{label} {percent(part)}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    bbox=box,
                )
            left += part
    axes.set_yticks(range(len(names)), [_words(name) if len(names) > 1 else "" for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: percent(value))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(ncols=5, loc="upper left", bbox_to_anchor=(0, -0.35), frameon=False, fontsize=8)
    return _png(figure)


def size_figure(curves: Mapping[str, Points], limit: float | None, x_title: str, y_title: str) -> bytes:
    """How many craters of which size, on logarithmic axes, with intervals and where the count is complete.

    Args:
        curves: Of each surface; those that are not complete are faint.
        limit: Diameter from which the count is complete.
        x_title, y_title: With units.
    """
    figure, axes = _figure(4.6, 3.8)
    for marker, (name, curve) in zip("osD^v", curves.items(), strict=False):
        for rows, alpha in ((curve.complete, 1.0), (~curve.complete, 0.35)):
            value = curve.value[rows]
            down, up = value - curve.low[rows], curve.high[rows] - value
            axes.errorbar(
                curve.diameter[rows], value, yerr=[np.minimum(down, 0.999 * value), up], fmt=marker,
                markersize=4, mfc="none", linewidth=0.8, color=_INK, alpha=alpha,
                label=_words(name) if alpha == 1.0 else None,
            )  # fmt: skip
    if limit:
        axes.axvline(limit, color=_GUIDE, linestyle="--", linewidth=1.0)
        axes.annotate(
            "complete from here", (limit, 1), (3, -3), xycoords=("data", "axes fraction"),
            textcoords="offset points", va="top", fontsize=8, color=_GUIDE,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    # Diameters span a decade or two: 1, 2 and 5 times each power of ten are told, in full.
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.set_xlabel(x_title)
    axes.set_ylabel(y_title)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=8)
    return _png(figure)


def rose_figure(roses: Mapping[str, tuple[Floats, Floats]]) -> bytes:
    """Length of lines by direction, by label: edges in degrees over [0, 180], and parts of the length."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(4.6, 3.8), layout="constrained")
    axes: Any = figure.add_subplot(projection="polar")
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    for label, (edges, parts) in roses.items():
        middle, wide = np.radians((edges[:-1] + edges[1:]) / 2.0), np.radians(np.diff(edges))
        for turn in (0.0, np.pi):
            axes.bar(
                middle + turn, parts, width=wide, color=COLOURS.get(label, _GUIDE), alpha=0.55,
                hatch=HATCHES[PATTERNS.get(label, "solid")], edgecolor="white",
                label=PLURAL.get(label, label) if not turn else None,
            )  # fmt: skip
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(labelsize=8)
    figure.legend(loc="lower left", frameon=False, fontsize=8)
    return _png(figure)


def _words(text: str) -> str:
    """Text of others, which a dollar must not turn into a formula."""
    return text.replace("$", r"\$")


def _figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    # No pyplot: its list of open figures is one for all visitors.
    figure = Figure(figsize=(width_in, float(height_in)), layout="constrained")
    return figure, figure.add_subplot()


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, facecolor="white", bbox_inches="tight", pad_inches=0.05)
    return out.getvalue()
