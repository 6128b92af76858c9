"""The one source that is selected, whichever of picture and table it was picked in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

Selected = tuple[str, int]
"""Name of the method, and the row of its detections."""


def selected(key: str, shown: object = None) -> Selected | None:
    """What is selected on a page.

    Args:
        key: Names the page.
        shown: What is on it, where it says, and by which parameters it was found: what was selected on
            something else is forgotten, and so is a row that may now be another object's.
    """
    if shown is not None and st.session_state.get(f"{key}.selected.on") != shown:
        st.session_state[f"{key}.selected.on"] = shown
        st.session_state.pop(f"{key}.selected", None)
    value: Selected | None = st.session_state.get(f"{key}.selected")
    return value


def offer(
    key: str,
    source: str,
    value: Selected | None,
    states: Mapping[str, Any] | None = None,
    *,
    event: Any = None,
) -> None:
    """Tell that ``source`` (picture or table) now says ``value``, and run the page anew if that is news.

    Every source repeats its last word on each run of the page, so only a change counts. A source that says
    nothing has to tell that too: what it says next is news then, even if it is what it said before.

    Args:
        key: Names the page.
        source: Who says it.
        value: What is selected now; None where the source says nothing.
        states: States to set with it, by key, of widgets that come later on the page.
        event: What a person did, of a source whose own mark does not follow what is selected elsewhere:
            there another event is news, whatever it selects, and the same is none.
    """
    seen, said = f"{key}.said.{source}", value if event is None else event
    if said == st.session_state.get(seen):
        return
    st.session_state[seen] = said
    if value is not None and value != selected(key):
        st.session_state[f"{key}.selected"] = value
        for widget, state in (states or {}).items():
            st.session_state[widget] = state
        st.rerun()
