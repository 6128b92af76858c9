"""The sharper crop that is sent when a person zooms in beyond the base picture.

It lives in a fragment of its own: the browser says where it looks, only this fragment runs, and neither
the page nor the method does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.ui.viewer import component
from core.ui.viewer.cached import crop_picture, crop_values
from core.ui.viewer.model import Region
from core.ui.viewer.parcel import Packer, Parcel
from core.ui.viewer.pictures import Picture
from core.ui.viewer.reported import is_number, numbers

MOST_PIXELS = 3_000_000
"""A crop has at most this many pixels; a larger region is sent smaller."""


@dataclass(frozen=True)
class View:
    """What the browser asked for: a region of the first frame, and frame pixels for one of the crop."""

    region: Region
    step: int


def read_view(reported: Any, scene: str, width: int, height: int) -> View | None:
    """What the browser reported, or None when it is of another scene or makes no sense.

    Args:
        reported: Whatever came from the browser.
        scene: Name of what is shown now.
        width, height: Of the first frame, in pixels.
    """
    if not isinstance(reported, dict) or reported.get("scene") != scene:
        return None
    corners = numbers(reported.get("region"), 4)
    asked_step: Any = reported.get("step")
    if corners is None or not is_number(asked_step):
        return None
    x_min, y_min, x_max, y_max = (int(value) for value in corners)
    step = int(asked_step)
    x_min, x_max = max(0, x_min), min(width, x_max)
    y_min, y_max = max(0, y_min), min(height, y_max)
    if x_min >= x_max or y_min >= y_max or step < 1:
        return None
    while (x_max - x_min) * (y_max - y_min) > MOST_PIXELS * step**2:
        step *= 2
    return View((x_min, y_min, x_max, y_max), step)


@st.fragment
def detail(key: str, slot: str, scene: str, pictures: Sequence[Picture]) -> None:
    """Bring the crops of ``pictures`` that the viewer asked for, under ``slot``."""
    mounted = f"{key}.detail"
    first = pictures[0].frame
    reported = st.session_state.get(mounted)
    view = read_view((reported or {}).get("view"), scene, first.width, first.height)
    content = _parcel(slot, pictures, view)
    component.parcel(key=mounted, data=content.data, on_view_change=_nothing)


def _parcel(slot: str, pictures: Sequence[Picture], view: View | None) -> Parcel:
    packer = Packer()
    if view is None:
        return packer.parcel(slot, {"pieces": [], "step": 1})
    first = pictures[0].frame
    pieces = []
    for picture in pictures:
        region = _scaled(view.region, picture.frame.width / first.width, picture.frame.height / first.height)
        longest = max(region[2] - region[0], region[3] - region[1])
        encoded, mime, shown = crop_picture(picture, region, math.ceil(longest / view.step))
        values = crop_values(picture, region)
        pieces.append(
            {
                "key": picture.key,
                "region": {
                    "x0": shown[0],
                    "y0": shown[1],
                    "width": shown[2] - shown[0],
                    "height": shown[3] - shown[1],
                },
                "picture": {"mime": mime, "blob": packer.add(encoded)},
                "values": None if values is None else values.packed(packer),
            }
        )
    return packer.parcel(slot, {"pieces": pieces, "step": view.step})


def _scaled(region: Region, by_x: float, by_y: float) -> Region:
    x_min, y_min, x_max, y_max = region
    return int(x_min * by_x), int(y_min * by_y), math.ceil(x_max * by_x), math.ceil(y_max * by_y)


def _nothing() -> None:
    """The fragment reads the view itself; Streamlit needs a callback to keep it."""
