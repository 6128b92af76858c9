"""What is worth keeping between runs: encoded pictures and values, shared by all visitors.

Keys are :attr:`Picture.key` (the frame's own key and the settings), never the pixels. Nothing here
depends on who is looking.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.ui.viewer.model import Region
from core.ui.viewer.pictures import DifferencePicture, FramePicture, Picture
from core.ui.viewer.values import EXACT_BYTES, ValueGrid, binning_of, value_grid

BASE_SIDE = 1400
"""Longest side, in px, of the picture of a whole frame."""
_KEPT_SECONDS = 3600


def base_picture(picture: Picture) -> tuple[bytes, str]:
    """The whole frame, encoded, and its MIME type."""
    encoded, mime, _ = _encoded(picture.key, None, BASE_SIDE, picture)
    return encoded, mime


def crop_picture(picture: Picture, region: Region, max_side: int) -> tuple[bytes, str, Region]:
    """A crop, encoded, its MIME type, and the region that it shows."""
    encoded, mime, shown = _encoded(picture.key, region, max_side, picture)
    return encoded, mime, shown


def base_values(picture: Picture) -> ValueGrid:
    """Values of the whole frame, or means of its pixels."""
    return _values(picture.key, None, picture)


def crop_values(picture: Picture, region: Region) -> ValueGrid | None:
    """Exact values of a region, or None where they would be too many."""
    x_min, y_min, x_max, y_max = region
    channels = 3 if picture.frame.is_colour else 1
    if 4 * channels * (x_max - x_min) * (y_max - y_min) > EXACT_BYTES:
        return None
    return _values(picture.key, region, picture)


def display_cuts(picture: FramePicture) -> Any:
    """The limits of the whole frame, so that a crop has its very colours."""
    return _cuts(picture.key, picture)


def difference_limit(picture: DifferencePicture) -> float:
    """:meth:`DifferencePicture.limit`, worked out once."""
    return _limit(picture.key, picture)


@st.cache_data(max_entries=32, ttl=_KEPT_SECONDS, show_spinner=False)
def _encoded(key: str, region: Region | None, max_side: int, _picture: Picture) -> tuple[bytes, str, Region]:
    from core.frames.display import encode

    rgb, shown = _picture.crop(region, max_side)
    encoded, mime = encode(rgb)
    return encoded, mime, shown


@st.cache_data(max_entries=32, ttl=_KEPT_SECONDS, show_spinner=False)
def _values(key: str, region: Region | None, _picture: Picture) -> ValueGrid:
    values = _picture.values(region)
    x0, y0 = (0, 0) if region is None else region[:2]
    return value_grid(values, x0, y0, binning_of(values) if region is None else 1)


@st.cache_data(max_entries=64, ttl=_KEPT_SECONDS, show_spinner=False)
def _cuts(key: str, _picture: FramePicture) -> Any:
    from core.frames.display import cuts

    return cuts(_picture.frame, _picture.settings)


@st.cache_data(max_entries=64, ttl=_KEPT_SECONDS, show_spinner=False)
def _limit(key: str, _picture: DifferencePicture) -> float:
    return _picture.limit()
