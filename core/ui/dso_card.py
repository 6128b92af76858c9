"""The card of a deep-sky object that was picked: what it is, and why a network sees it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.dso.names import find_card
from core.dso.report import WITHOUT_CLASS
from core.errors import AlmagestError
from core.frames import Frame
from core.methods import methods
from core.ui.confidence import Candidates
from core.ui.dso_names import NAMES, NO_PLACE, catalogue_rows
from core.ui.runs import Analysis
from core.ui.selection import Selected
from core.ui.shell import show_error
from core.ui.text import plain
from core.words import percent

if TYPE_CHECKING:
    from core.dso.xrai import Why

Box = tuple[float, float, float, float]
EXPLAINER = "dso.xrai"


def object_card(chosen: Selected | None, found: Sequence[Candidates], frame: Frame) -> None:
    """Draw what there is to say of the object that is selected, if one is."""
    if chosen is None:
        return
    source, row = chosen
    if source == NAMES:
        table = catalogue_rows(frame).table
        if row < len(table):
            with st.container(border=True):
                _catalogue_facts(str(table.iloc[row]["name"]))
        return
    each = next((each for each in found if each.analysis.method.name == source), None)
    if each is None or row >= len(each.everything):
        return
    entry = each.everything.table.iloc[row]
    with st.container(border=True):
        if entry["name"] is None or not _catalogue_facts(str(entry["name"])):
            label = str(entry["label"])
            st.markdown(f"##### {'An object' if label == WITHOUT_CLASS else f'A {label}'} without a name")
            st.caption(
                "The catalogue has nothing of this size here." if frame.wcs is not None else plain(NO_PLACE)
            )
        label = "something" if entry["label"] == WITHOUT_CLASS else f"a {entry['label']}"
        width, height = entry["x_max"] - entry["x_min"], entry["y_max"] - entry["y_min"]
        st.markdown(
            plain(
                f"{each.title} sees {label} here, {width:.0f} × {height:.0f} px"
                f"{_on_the_sky(max(width, height), frame)}, with a confidence of {entry['score']:.2f}."
            )
        )
        _why(each.analysis, entry, frame)


def _catalogue_facts(name: str) -> bool:
    """Draw the card of a catalogued object; whether there is one."""
    card = find_card(name)
    if card is None:
        return False
    st.markdown(f"##### {plain(card.title)}")
    st.write(plain(card.about))
    st.markdown("  \n".join(f"**{plain(title)}:** {plain(value)}" for title, value in card.facts))
    return True


def _on_the_sky(size_px: float, frame: Frame) -> str:
    scale = frame.pixel_scale_arcsec
    return "" if scale is None else f" or {size_px * scale / 60.0:.3g}′ on the sky"


def _why(analysis: Analysis, entry: Any, frame: Frame) -> None:
    """Draw the button that explains a box, or the explanation once it is there."""
    explainer = methods("dso").get(EXPLAINER)
    if explainer is None or not explainer.is_ready:
        return
    key = why_key(frame, entry)
    known = _explanations()
    if key in known:
        st.markdown(f"**Why?** {plain(known[key].sentence)}")
        _probabilities(known[key].probabilities)
        if st.button("Take the map away", key="dso.why.off", icon=":material/layers_clear:", width="stretch"):
            known.pop(key)
            st.rerun()
        return
    if st.button("Why?", key="dso.why.on", icon=":material/psychology:", width="stretch"):
        bar = st.progress(0.0, text="Asking the network what it looked at")
        try:
            from core.dso.xrai import why

            known[key] = why(frame, key[1], functools.partial(_move, bar))
        except AlmagestError as error:
            show_error(error)
            return
        finally:
            bar.empty()
        while len(known) > 8:
            known.pop(next(iter(known)))
        st.rerun()


def _move(bar: DeltaGenerator, done: float, doing: str) -> None:
    bar.progress(min(max(done, 0.0), 1.0), text=plain(doing))


def _probabilities(given: Mapping[str, float]) -> None:
    words = {"any": "anything at all"}
    said = ", ".join(f"{words.get(label, label)} {percent(value)}" for label, value in given.items())
    st.caption(plain(f"The classifier, of this part of the frame: {said}."))


def why_key(frame: Frame, entry: Any) -> tuple[str, Box]:
    """What an explanation is known by: the frame and the box."""
    x_min, y_min, x_max, y_max = (float(entry[name]) for name in ("x_min", "y_min", "x_max", "y_max"))
    return frame.key, (x_min, y_min, x_max, y_max)


def _explanations() -> dict[tuple[str, Box], Why]:
    known: dict[tuple[str, Box], Why] = st.session_state.setdefault("dso.whys", {})
    return known


def why_map(chosen: Selected | None, found: Sequence[Candidates], frame: Frame) -> NDArray[np.float32] | None:
    """The map that explains the selected box, once a person has asked for it."""
    each = next((each for each in found if chosen and each.analysis.method.name == chosen[0]), None)
    if each is None or chosen is None or chosen[1] >= len(each.everything):
        return None
    known = _explanations().get(why_key(frame, each.everything.table.iloc[chosen[1]]))
    return None if known is None else known.relevance
