"""Widgets of parameters, as a person turns them."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def app() -> None:
    import streamlit as st

    from core.frames.display import DisplaySettings
    from core.ui.parameters import parameter_widgets

    settings = parameter_widgets(DisplaySettings(limits="manual", low=0.0, high=255.0), "display")
    st.text(f"{settings.low:g} to {settings.high:g}")


def test_values_that_contradict_each_other_are_a_sentence_and_the_last_ones_stay() -> None:
    page = AppTest.from_function(app).run()
    page.number_input(key="display.low").set_value(10.0).run()
    page.number_input(key="display.high").set_value(5.0).run()
    assert "must be below the white value" in page.error[0].value
    assert page.text[0].value == "10 to 255"
    page.number_input(key="display.low").set_value(1.0).run()
    assert not page.error
    assert page.text[0].value == "1 to 5"
