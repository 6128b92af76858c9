"""The pictures and maps that deep-sky methods make of a frame, shown beside it or over it."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.frames import Frame
from core.frames.display import DisplaySettings
from core.parameters import canonical_json
from core.ui.confidence import run_name
from core.ui.methods import lasting_choice, remember_choice
from core.ui.runs import Analysis
from core.ui.viewer import Pane

AS_SHOWN = DisplaySettings(stretch="linear", limits="manual", low=0.0, high=255.0)


MOST_SHOWN = 2
"""Pictures that are kept as frames: of a large one, four bytes a value are much."""


@dataclass(frozen=True, eq=False)
class Remade:
    """A picture that a method made of the frame.

    Attributes:
        title: ``"starless"``.
        run: Names the method's run.
        pixels: ``(h, w)`` or ``(h, w, 3)`` uint8, row 0 of the frame first.
    """

    title: str
    run: str
    pixels: NDArray[np.uint8]


def remade_pictures(analyses: Sequence[Analysis]) -> dict[str, Remade]:
    """The pictures that methods made of the frame, by title."""
    return {
        title: Remade(title, run_name(analysis), pixels)
        for analysis in analyses
        for title, pixels in analysis.result.pictures.items()
    }


def choose_pictures(remade: Mapping[str, Remade]) -> list[Remade]:
    """Draw the choice of pictures to show beside the frame, where there are some, and give those chosen."""
    key = "dso.beside"
    if not remade:
        return []
    wanted = st.session_state.get(f"{key}.wanted", [])
    st.session_state[key] = [title for title in wanted if title in remade]
    picked = st.pills(
        "Show beside it",
        list(remade),
        selection_mode="multi",
        key=key,
        on_change=remember_choice,
        args=(key,),
    )
    return [remade[title] for title in picked]


@st.cache_resource(show_spinner=False, max_entries=MOST_SHOWN, ttl=3600)
def _as_frame(run: str, title: str, _pixels: NDArray[np.uint8], _frame: Frame) -> Frame:
    facts: dict[str, Any] = {
        "row0": _frame.row0,
        "saturation": 255.0,
        "processing": canonical_json([{"step": title, "run": run}]),
    }
    if _pixels.shape[:2] == (_frame.height, _frame.width):
        # Of the frame's own size: the view, the sky and the scale are the frame's.
        return dataclasses.replace(_frame, pixels=_pixels.astype(np.float32), unit="", **facts)
    return Frame.from_array(_pixels, f"{_frame.name} {title}", **facts)


def picture_panes(remade: Sequence[Remade], frame: Frame) -> list[Pane]:
    """A pane for each picture, to be shown as it is and without marks."""
    return [
        Pane(
            each.title.capitalize(), _as_frame(each.run, each.title, each.pixels, frame), AS_SHOWN, layers=()
        )
        for each in remade
    ]


def picture_downloads(remade: Sequence[Remade], frame: Frame) -> None:
    """Draw a button for each picture that takes it home as PNG, every pixel of it."""
    stem = frame.name.partition(".")[0] or "frame"
    with st.container(horizontal=True):
        for each in remade:
            st.download_button(
                f"{each.title.capitalize()} as PNG",
                data=functools.partial(_png, each.pixels[::-1] if frame.row0 == "bottom" else each.pixels),
                file_name=f"{stem}.{each.title.replace(' ', '_')}.png",
                mime="image/png",
                key=f"dso.download.{each.title}",
                icon=":material/download:",
                on_click="ignore",
            )


def _png(upright: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(upright)).save(out, "PNG")
    return out.getvalue()


def choose_heat(analyses: Sequence[Analysis], *, grid: bool) -> tuple[NDArray[np.float32] | None, str, bool]:
    """Draw the choice of a heat map, where a method made one.

    Returns:
        The map to lay over every picture or None, what it is of, and whether each pane has its method's own.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for analysis in analyses:
        for name, values in analysis.result.maps.items():
            found.setdefault(name, values)
    if not found:
        return None, "", False
    own = ["each method's own"] if grid else []
    key = "dso.map.grid" if grid else "dso.map"
    name = lasting_choice("Heat map over the picture", ["none", *own, *found], key)
    return found.get(name), "Heat map" if name in own else name, name in own


def own_heat(analysis: Analysis) -> NDArray[np.float32] | None:
    """The first heat map a method made, or None."""
    return next(iter(analysis.result.maps.values()), None)
