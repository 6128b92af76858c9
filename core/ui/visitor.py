"""Who is correcting: the name a person gave, or a number their browser keeps.

On a shared server two people who give no name must not find each other's corrections under theirs, and
a reload must not lose one's own. So the browser draws a random number once and keeps it.
"""

from __future__ import annotations

import re

import streamlit as st

_JS = """
function drawn() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(4))];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default function ({ setStateValue, data }) {
  const KEY = "almagest-visitor";
  let number = null;
  try { number = localStorage.getItem(KEY); } catch { /* storage is refused in some embedded pages */ }
  if (!/^[0-9a-f]{8}$/.test(number ?? "")) {
    // What the server knows already is drawn no second time: each new number runs the page anew.
    number = data.known ?? drawn();
    try { localStorage.setItem(KEY, number); } catch { /* it lasts as long as the page */ }
  }
  if (data.known !== number) setStateValue("number", number);
}
"""
_component = st.components.v2.component("almagest_visitor", js=_JS)


def person_name() -> str | None:
    """The name given in the sidebar, or None."""
    return " ".join(str(st.session_state.get("person") or "").split())[:80] or None


def person() -> str:
    """The name corrections are kept under; asks the browser for its number when there is no name.

    The browser answers by running the page again; until then this is ``"visitor"``.
    """
    name = person_name()
    if name is not None:
        return name
    answer = _component(
        key="visitor", data={"known": st.session_state.get("visitor.number")}, on_number_change=lambda: None
    )
    number = answer.get("number")
    if isinstance(number, str) and re.fullmatch("[0-9a-f]{8}", number):
        st.session_state["visitor.number"] = number
    return nameless() or "visitor"


def nameless() -> str | None:
    """The name that corrections of this visit are kept under while no name is given; None where none was."""
    number = st.session_state.get("visitor.number")
    return f"visitor {number}" if number else None
