"""A page of names as people and files have them: what test_text.py looks at."""

from __future__ import annotations

import streamlit as st

from core.ui.text import plain

NAMES = (
    "www.example.org.fits",
    "WWW.example.org",
    "https://example.org/x?a=b",
    "ada@example.org",
    "a -- b -> c <- d >= e ~= f <-> --g",
    ":red[x] :smile: $y$ <b>z</b> [l](javascript:1) ![i](j) `c` ~~s~~ *d* _e_ #1",
    "1. list",
)

for name in NAMES:
    st.markdown(plain(name))
