"""A picture with the clusters on it: circles or boxes, their stars, and masks where a method draws them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.clusters.kde import density_map
from core.frames import Frame
from core.frames.display import DisplaySettings, render
from core.results import Detections
from core.ui.clusters_field import Field
from core.ui.clusters_found import Found, leading, style
from core.ui.methods import choose_map, method_style
from core.ui.selection import Selected, offer
from core.ui.viewer import Layer, Pane, ViewerEvent, frame_viewer
from core.ui.viewer.model import Marker

MARKERS: tuple[Marker, ...] = ("circle", "square", "diamond", "triangle", "cross")
"""Of the clusters' stars, in the order of :data:`core.ui.clusters_found.STYLES`."""
AS_SHOWN = DisplaySettings(stretch="linear", limits="manual", low=0.0, high=255.0)
MASK_SHARE = 0.25
"""How much of a mask's colour covers the picture."""
STARS = "density of the stars"
MOST_SHOWN = 600
"""Most members that are marked at first: more would hide the picture."""


def cluster_viewer(
    field: Field,
    found: Sequence[Found],
    mark: Selected | None,
    settings: DisplaySettings,
    *,
    full: bool,
    controls: st.delta_generator.DeltaGenerator,
) -> ViewerEvent:
    """Draw the picture with what was found; a click on a cluster or on one of its stars selects it."""
    assert field.choice is not None  # noqa: S101 (only pictures come here)
    frame = field.choice.frame
    layers: list[Layer] = []
    means: list[tuple[str, int | None]] = []
    for each in found:
        layers.append(_outlines(each, field, visible=full or each is leading(found)))
        means.append((each.name, None))
    if found and len(found[0]):
        for number in range(min(len(found[0]), len(MARKERS))):
            few = int(found[0].sizes[number]) <= MOST_SHOWN
            shown = full and few and mark == (found[0].name, number)
            layers.append(_stars_of(found[0], number, field, visible=shown))
            means.append((found[0].name, number))
    pane = Pane(frame.name, frame, settings)
    with controls:
        heat, title = _heat(found, field, full=full)
        masked = [each for each in found if each.analysis is not None and each.analysis.result.masks]
        if masked and st.toggle("Colour the clusters", value=full, key=f"clusters.masks.{full}"):
            pane = Pane(frame.name, _coloured(masked[0], frame, settings), AS_SHOWN)
    at = None
    if mark is not None and (mark[0], None) in means:
        at = (means.index((mark[0], None)), mark[1])
    event = frame_viewer(
        [pane], layers, key="clusters.viewer", selected=at, heat=heat, heat_title=title, height_px=640
    )
    meant = None
    if event.selected is not None:
        name, whose = means[event.selected[0]]
        meant = (name, event.selected[1] if whose is None else whose)
    offer("clusters", "picture", meant)
    return event


def _outlines(found: Found, field: Field, *, visible: bool) -> Layer:
    """Each cluster as its box, where the method gives boxes, else as the circle of half of its stars."""
    colour, _ = method_style(found.name) if found.analysis is not None else ("#FFFFFF", "")
    detections = found.detections
    if np.isfinite(detections.boxes).any():
        return Layer(found.title, detections, colour, "box", visible, lettered=True)
    return Layer(
        found.title,
        circles(found, field),
        colour,
        "circle",
        visible,
        note="members",
        size_px="radius_px",
        lettered=True,
    )


def circles(found: Found, field: Field) -> Detections:
    """The circle around half of the stars of each cluster, in pixels of the picture.

    Returns:
        Its middle, with the columns ``radius_px`` and ``members``; a radius of 0 where it is not known.
    """
    rows = []
    for number in range(len(found)):
        members = found.members(number)
        if field.pixels is None or not len(members):
            x, y, radius = np.nan, np.nan, 0.0
        else:
            places = field.pixels[members]
            x, y = np.median(places, axis=0)
            radius = float(np.median(np.hypot(*(places - (x, y)).T)))
        about = {"label": "cluster", "score": 1.0, "name": f"{number + 1}"}
        rows.append({**about, "x": x, "y": y, "radius_px": radius, "members": len(members)})
    columns = ("label", "score", "name", "x", "y", "radius_px", "members")
    table = pd.DataFrame(rows, columns=list(columns)).fillna({"x": 0.0, "y": 0.0})
    return Detections(table.astype({"radius_px": float, "members": float}))


def _stars_of(found: Found, number: int, field: Field, *, visible: bool) -> Layer:
    members = found.members(number)
    places = field.pixels[members] if field.pixels is not None else np.empty((0, 2))
    table = pd.DataFrame({"x": places[:, 0], "y": places[:, 1]}).assign(label="member", score=1.0)
    colour = style(number)[0]
    return Layer(f"stars of cluster {number + 1}", Detections(table), colour, MARKERS[number], visible)


def _heat(found: Sequence[Found], field: Field, *, full: bool) -> tuple[NDArray[np.float32] | None, str]:
    """A map of a method's, or how densely the stars stand, when a person asks for one."""
    analyses = [each.analysis for each in found if each.analysis is not None and each.analysis.result.maps]
    if full and analyses:
        heat, title = choose_map(analyses, "clusters.map")
        if heat is not None:
            return heat, title
    if field.pixels is None or not st.toggle("Density of the stars", key="clusters.density"):
        return None, ""
    return _star_density(field.key, field), STARS


@st.cache_resource(show_spinner=False, max_entries=4, ttl=3600)
def _star_density(key: str, _field: Field) -> NDArray[np.float32]:
    frame, pixels = _field.frame, _field.pixels
    assert frame is not None  # noqa: S101 (the caller has looked)
    assert pixels is not None  # noqa: S101
    around = density_map(pixels)
    # The map is square and reaches beyond the stars: cut to the frame, cell by cell.
    side = max(frame.width, frame.height) / 192.0
    x = np.arange(side / 2, frame.width, side) - 0.5
    y = np.arange(side / 2, frame.height, side) - 0.5
    columns, rows = _nearest(around.x, x), _nearest(around.y, y)
    return around.density[np.ix_(rows, columns)].astype(np.float32)


def _nearest(cells: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.int64]:
    """``(n,)`` which of the evenly spaced middles of cells is nearest to each place."""
    nearest = np.rint((at - cells[0]) / (cells[1] - cells[0]))
    return np.asarray(np.clip(nearest, 0, len(cells) - 1), np.int64)


def _coloured(found: Found, frame: Frame, settings: DisplaySettings) -> Frame:
    assert found.analysis is not None  # noqa: S101 (the caller has looked)
    mask = next(iter(found.analysis.result.masks.values()))
    return _painted(found.run, repr(settings), mask, frame, settings)


@st.cache_resource(show_spinner=False, max_entries=4, ttl=3600)
def _painted(
    run: str, shown: str, _mask: NDArray[np.uint16], _frame: Frame, _settings: DisplaySettings
) -> Frame:
    """The frame as it is shown, each instance of the mask tinted in its cluster's colour."""
    rgb = render(_frame, _settings).rgb.astype(np.float32)
    rows = np.arange(rgb.shape[0]) * _mask.shape[0] // rgb.shape[0]
    columns = np.arange(rgb.shape[1]) * _mask.shape[1] // rgb.shape[1]
    mask = _mask[::-1][np.ix_(rows, columns)] if _frame.row0 == "bottom" else _mask[np.ix_(rows, columns)]
    for number in range(1, int(mask.max(initial=0)) + 1):
        tint = np.array([int(style(number - 1)[0][k : k + 2], 16) for k in (1, 3, 5)], np.float32)
        inside = mask == number
        rgb[inside] = (1.0 - MASK_SHARE) * rgb[inside] + MASK_SHARE * tint
    upright = rgb[::-1] if _frame.row0 == "bottom" else rgb
    processing = f'[{{"step": "clusters in colour", "run": {run!r}, "shown": {shown!r}}}]'
    if upright.shape[:2] == (_frame.height, _frame.width):
        return dataclasses.replace(
            _frame, pixels=np.ascontiguousarray(upright), unit="", saturation=255.0, processing=processing
        )
    return Frame.from_array(
        upright, f"{_frame.name} in colour", row0=_frame.row0, saturation=255.0, processing=processing
    )
