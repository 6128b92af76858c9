"""What a viewer is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.results import Detections

if TYPE_CHECKING:
    from core.frames.display import DisplaySettings

Mode = Literal["single", "side by side", "blink", "difference"]
Marker = Literal["circle", "square", "diamond", "cross", "triangle", "box", "line"]
Pattern = Literal["solid", "stripes", "backstripes", "grid", "dots", "faint"]
Region = tuple[int, int, int, int]
"""Whole pixels ``(x_min, y_min, x_max, y_max)`` of a frame; the last two lie just beyond the region."""


@dataclass(frozen=True)
class Layer:
    """What one method found, drawn over the pictures.

    Attributes:
        name: What the legend calls it.
        detections: The objects. A marker is drawn at ``x, y``; the marker ``"box"`` draws their boxes.
        colour: CSS colour (``"#56B4E9"``).
        marker: Shape of the marker; give each method its own, so that colour is never alone. ``"line"``
            stands for what :attr:`path` draws.
        visible: Whether it is switched on at first.
        note: Column of the table that the tooltip shows (``"snr"``, ``"reason"``), or None.
        size_px: Radius of the markers in pixels of the frame, a number or the name of a column
            (``"radius_px"``); None for a legible size on the screen.
        ellipse: Columns of the axis ratio and of the angle from +x towards +y in degrees, which make ellipses
            of circles; their radius is then that of the longer axis.
        path: Column of the lines that objects are drawn as, ``"x,y x,y …"`` in pixels of the frame as in
            SVG's ``points``; an object without one has the marker.
        dash: Lengths in px of the screen of the dashes and gaps that outlines and lines are drawn with; none
            for solid ones.
        limit: Lowest score shown until a person moves the confidence slider: the method's own limit. None
            for everything.
        lettered: Whether each object's name, else its label, is written beside it where there is room.
    """

    name: str
    detections: Detections
    colour: str
    marker: Marker = "circle"
    visible: bool = True
    note: str | None = None
    size_px: float | str | None = None
    ellipse: tuple[str, str] | None = None
    path: str | None = None
    dash: tuple[float, ...] = ()
    limit: float | None = None
    lettered: bool = False


@dataclass(frozen=True)
class AreaClass:
    """How the places of one class are covered: in a colour and a pattern, so that colour is never alone."""

    name: str
    colour: str
    pattern: Pattern = "solid"


@dataclass(frozen=True, eq=False)
class Areas:
    """What each place of a frame was taken for, laid over its picture half transparent.

    Attributes:
        title: What the slider of its transparency is called.
        classes: The classes, the one of number 0 first.
        mask: ``(h, w)`` numbers of classes; covers the frame at any resolution.
        probabilities: ``(h, w)`` float32 in [0, 1] by class, each at its own resolution: what is read under
            the pointer. May be empty.
        hidden: Names of the classes that are switched off at first.
    """

    title: str
    classes: tuple[AreaClass, ...]
    mask: NDArray[np.uint16]
    probabilities: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pane:
    """One picture: a frame, how it is shown, and which layers lie on it.

    Attributes:
        title: What stands over the picture.
        frame: The frame.
        settings: Stretch, limits and colours.
        layers: Indices of the layers drawn on it; None for all.
        heat: ``(h, w)`` float32 that covers the frame at any resolution, laid over this picture half
            transparent; None for the viewer's own heat map, where there is one.
        areas: What each place was taken for, laid over this picture.
        km_per_px: Kilometres a pixel from left to right, where the frame shows ground; the scale bar then has
            kilometres.
    """

    title: str
    frame: Frame
    settings: DisplaySettings
    layers: tuple[int, ...] | None = None
    heat: NDArray[np.float32] | None = None
    areas: Areas | None = None
    km_per_px: float | None = None


@dataclass(frozen=True)
class ViewerEvent:
    """What a person did in the viewer, as last reported.

    Attributes:
        selected: The object chosen, as (index of the layer, row of its table), or None.
        threshold: Lowest score shown; None while each layer shows what is above its own limit.
        view: The part of the first frame in view when something was last chosen, as ``(x_min, y_min, x_max,
            y_max)`` in pixels, or None when nothing was yet.
        clicked: Where the first frame was last clicked, ``(x, y)`` in pixels, or None.
    """

    selected: tuple[int, int] | None = None
    threshold: float | None = None
    view: tuple[float, float, float, float] | None = None
    clicked: tuple[float, float] | None = None
