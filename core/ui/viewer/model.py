"""What a viewer is given and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.results import Detections

if TYPE_CHECKING:
    from core.frames.display import DisplaySettings

Mode = Literal["single", "side by side", "blink", "difference"]
Marker = Literal["circle", "square", "diamond", "cross", "triangle", "box"]
Region = tuple[int, int, int, int]
"""Whole pixels ``(x_min, y_min, x_max, y_max)`` of a frame; the last two lie just beyond the region."""


@dataclass(frozen=True)
class Layer:
    """What one method found, drawn over the pictures.

    Attributes:
        name: What the legend calls it.
        detections: The objects. A marker is drawn at ``x, y``; the marker ``"box"`` draws their boxes.
        colour: CSS colour (``"#56B4E9"``).
        marker: Shape of the marker; give each method its own, so that colour is never alone.
        visible: Whether it is switched on at first.
        note: Column of the table that the tooltip shows (``"snr"``, ``"reason"``), or None.
        size_px: Radius of the markers in pixels of the frame, a number or the name of a column
            (``"radius_px"``); None for a legible size on the screen.
        ellipse: Columns of the axis ratio and of the angle from +x towards +y in degrees, which make ellipses
            of circles; their radius is then that of the longer axis.
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
    limit: float | None = None
    lettered: bool = False


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
    """

    title: str
    frame: Frame
    settings: DisplaySettings
    layers: tuple[int, ...] | None = None
    heat: NDArray[np.float32] | None = None


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
