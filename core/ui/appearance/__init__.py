"""Dark, light, and red for the dark-adapted eye: a switch that lives in the browser.

Streamlit has no call that changes the theme of one visitor, and a choice kept on the server would be
one for everybody. So the switch is a small component: it keeps the choice in the browser, presses
Streamlit's own theme menu for dark and light, and for night lays a filter over the whole page that
leaves nothing but red light. Rod cells hardly see light beyond 620 nm, so the eye stays dark-adapted.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "almagest_appearance",
    html=(_HERE / "appearance.html").read_text(encoding="utf-8"),
    css=(_HERE / "appearance.css").read_text(encoding="utf-8"),
    js=(_HERE / "appearance.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def appearance_switch() -> None:
    """Draw the switch; the browser does the rest."""
    _component(key="appearance")
