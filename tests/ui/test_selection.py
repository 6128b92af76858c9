from typing import Any

from streamlit.testing.v1 import AppTest


def app() -> None:
    import streamlit as st

    from core.ui.selection import offer, selected

    selected("page", st.session_state.get("shown"))
    for source, (value, event) in st.session_state.get("says", {}).items():
        offer("page", source, value, event=event)
    st.text(selected("page"))


def say(page: AppTest, **says: Any) -> str:
    page.session_state["says"] = says
    page.run()
    assert not page.exception
    return str(page.text[0].value)


def test_the_last_to_be_clicked_is_selected_whatever_was_clicked_there_before() -> None:
    page = AppTest.from_function(app)
    one, two = ("m", 0), ("m", 1)
    assert say(page, sky=(two, "star a")) == str(two)
    assert say(page, sky=(two, "star a"), motion=(one, "star b")) == str(one)  # the sky repeats its last word
    assert say(page, sky=(two, "star c"), motion=(one, "star b")) == str(two)
    del page.session_state["page.selected"]  # another field
    assert say(page, sky=(two, "star c")) == "None"
    assert say(page, sky=(two, "star d")) == str(two)


def test_a_source_that_says_nothing_is_heard_again() -> None:
    page = AppTest.from_function(app)
    assert say(page, table=(("m", 1), None)) == "('m', 1)"
    del page.session_state["page.selected"]
    assert say(page, table=(None, None)) == "None"
    assert say(page, table=(("m", 1), None)) == "('m', 1)"


def test_what_was_selected_on_another_frame_is_forgotten() -> None:
    page = AppTest.from_function(app)
    page.session_state["shown"] = "one frame"
    assert say(page, table=(("m", 1), None)) == "('m', 1)"
    page.session_state["shown"] = "another"
    assert say(page, table=(("m", 1), None)) == "None"
