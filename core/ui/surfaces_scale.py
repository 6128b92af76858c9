"""How large things on the ground are, and which ground it is: by map, by header or by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.frames import Frame
from core.surfaces.measure import Measure
from core.surfaces.scale import scale_of
from core.ui.frames import Choice
from core.ui.text import plain

BODIES = ("Moon", "Mars", "Mercury", "Venus", "Earth", "Ceres", "Vesta", "Europa", "Ganymede", "Callisto")
NO_SCALE = (
    "Nothing says how large a pixel is, so sizes are in px. Give the scale by hand, or open a GeoTIFF or a "
    "map cube that carries it."
)
MOST_BODY = 200
"""Letters of the name of a body."""


@dataclass(frozen=True)
class Ground:
    """What is known of the ground that a frame shows.

    Attributes:
        km_per_px: Kilometres a pixel; None when nobody knows.
        source: How the scale is known, or why it is not.
        by_map: Whether the scale is that of the middle, and every place has its own by the map.
        body: ``"Moon"``; None when nobody told.
        body_source: How the body is known.
    """

    km_per_px: float | None = None
    source: str = NO_SCALE
    by_map: bool = False
    body: str | None = None
    body_source: str = ""

    @property
    def said(self) -> str:
        """One line for a person."""
        middle = " in the middle" if self.by_map else ""
        scale = (
            "sizes in px"
            if self.km_per_px is None
            else f"{self.km_per_px:.3g} km a pixel{middle} ({self.source})"
        )
        return f"{self.body}, {scale}" if self.body else scale


def measure_of(frame: Frame, ground: Ground) -> Measure:
    """What a frame is measured by, kept while it is looked at."""
    # The same pixels may come with a map and without one.
    return _measure(f"{frame.key} {frame.ground!r}", None if ground.by_map else ground.km_per_px, frame)


@st.cache_resource(show_spinner=False, max_entries=32, ttl=3600)
def _measure(key: str, km_per_px: float | None, _frame: Frame) -> Measure:
    return Measure.of(_frame, km_per_px)


def ground_of(choice: Choice) -> Ground:
    """What is known of the ground of a frame: what a person said of it in this visit, else what it says."""
    kept: dict[str, Ground] = st.session_state.setdefault("surfaces.grounds", {})
    return kept.get(choice.frame.key) or told_by(choice)


def told_by(choice: Choice) -> Ground:
    """What a frame and its sample say of the ground."""
    frame, sample = choice.frame, choice.sample
    scale = scale_of(frame)
    known = Ground() if scale is None else Ground(scale.km_per_px, scale.source, scale.by_map)
    if frame.ground is not None and frame.ground.body:
        return replace(known, body=frame.ground.body, body_source="the map")
    body = None if sample is None else next((name for name in BODIES if name in sample.title), None)
    return known if body is None else replace(known, body=body, body_source="the sample")


def choose_ground(choice: Choice) -> Ground:
    """Draw what is known of scale and body, with the means to say it by hand, and give it."""
    told, key = told_by(choice), f"surfaces.{choice.frame.key[:12]}"
    with st.expander("Scale and body", icon=":material/straighten:"):
        by_hand = st.number_input(
            "Scale by hand (km a pixel)",
            min_value=1e-6,
            max_value=1e4,
            value=None,
            format="%g",
            key=f"{key}.km",
            placeholder="unknown" if told.km_per_px is None else f"{told.km_per_px:.4g}",
            persist_state="session",
        )
        body = st.selectbox(
            "Body",
            list(dict.fromkeys([*([told.body] if told.body else []), *BODIES])),
            index=0 if told.body else None,
            key=f"{key}.body",
            accept_new_options=True,
            placeholder="not told",
            persist_state="session",
        )
        ground = replace(
            told,
            km_per_px=by_hand or told.km_per_px,
            source="by hand" if by_hand else told.source,
            by_map=told.by_map and not by_hand,
            body=body and body[:MOST_BODY],
            body_source=told.body_source if body == told.body else "a person",
        )
        st.caption(plain(ground.said if ground.km_per_px else ground.source))
    st.session_state.setdefault("surfaces.grounds", {})[choice.frame.key] = ground
    return ground
