"""The browser's own question before a tab is closed or loaded anew while something is not saved."""

from __future__ import annotations

import streamlit as st

_JS = """
const ask = (event) => event.preventDefault();
const forget = () => removeEventListener("beforeunload", ask);

export default function ({ data }) {
  if (data.unsaved) addEventListener("beforeunload", ask);
  else forget();
  return forget;
}
"""
_component = st.components.v2.component("almagest_unsaved", js=_JS)


def ask_before_closing(unsaved: bool, key: str) -> None:
    """Have the browser ask before its tab is closed, while this is drawn and something is ``unsaved``."""
    _component(key=key, data={"unsaved": unsaved})
