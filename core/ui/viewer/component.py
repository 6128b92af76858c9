"""The two components: the viewer itself, and the parcels that bring it what is large."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STATIC = Path(__file__).parent / "static"


def _text(*names: str) -> str:
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


VIEWER_JS = _text("geometry.js", "overlay.js", "furniture.js", "reading.js", "areas.js", "viewer.js")
"""The viewer as one module."""
VIEWER_HTML = _text("viewer.html")
"""What it is drawn into."""

viewer = st.components.v2.component(
    "almagest_frame_viewer",
    html=VIEWER_HTML,
    css=_text("viewer.css"),
    js=VIEWER_JS,
    isolate_styles=True,
)
parcel = st.components.v2.component("almagest_parcel", js=_text("parcel.js"), isolate_styles=True)
