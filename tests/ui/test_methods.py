"""Choices that pages offer of what methods made."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def app() -> None:
    import streamlit as st

    from core.ui.methods import lasting_choice

    there = st.toggle("It has run", True, key="there")
    st.text(lasting_choice("Map", ["none", *(["noise", "background"] if there else [])], "map"))


def test_a_map_that_is_wanted_is_shown_again_once_its_method_has_run_anew() -> None:
    page = AppTest.from_function(app).run()
    assert page.text[0].value == "none"
    page.selectbox(key="map").set_value("background").run()
    page.toggle(key="there").set_value(False).run()
    assert page.text[0].value == "none"
    page.toggle(key="there").set_value(True).run()
    assert page.text[0].value == "background"
    page.selectbox(key="map").set_value("none").run()
    assert page.text[0].value == "none"
