"""Says who is correcting: what test_visitor.py looks at."""

from __future__ import annotations

import streamlit as st

from core.ui.visitor import person

st.text(person())
st.button("Again")
