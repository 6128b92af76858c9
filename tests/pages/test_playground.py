"""The playground without a browser: a scene, a frame, and its truth on the star page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import CatalogueUnavailable


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return app.switch_page("pages/playground.py").run()


def sentence(page: AppTest) -> str:
    return next(html.body for html in page.main.get("html") if "almagest-lead" in html.body)


def test_it_says_which_stars_are_real(page: AppTest) -> None:
    assert "real stars" in sentence(page)
    assert "drawn at random" in sentence(page)


@pytest.mark.parametrize("place", ["Andromeda", "12h30m00s +12d20m00s", "m 57"])
def test_places_are_found_by_name_and_by_coordinates(page: AppTest, place: str) -> None:
    page.text_input(key="sim.where").set_value(place).run()
    assert not page.exception
    assert not page.error


def test_an_unknown_object_is_a_sentence_and_the_last_field_stays(page: AppTest) -> None:
    before = sentence(page)
    page.text_input(key="sim.where").set_value("andromida").run()
    (error,) = page.error
    assert "Andromeda" in error.value
    assert sentence(page) == before


@pytest.mark.parametrize("preset", ["sct8", "vlt"])
def test_other_telescopes_give_other_fields(page: AppTest, preset: str) -> None:
    before = sentence(page)
    page.selectbox(key="sim.preset").set_value(preset).run()
    assert not page.exception
    assert sentence(page) != before


def test_a_scene_that_cannot_be_is_a_sentence(page: AppTest) -> None:
    page.segmented_control(key="face").set_value("Research").run()
    before = sentence(page)
    page.number_input(key="sim.vespera.camera.bias_adu").set_value(60_000.0)
    page.number_input(key="sim.vespera.camera.bits").set_value(10).run()
    assert not page.exception
    assert "bias" in page.error[0].value
    assert sentence(page) == before


def test_an_archive_out_of_reach_is_said(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.catalogues import gaia

    def offline(*args: object, **facts: object) -> None:
        raise CatalogueUnavailable("The Gaia archive cannot be reached.")

    monkeypatch.setattr(gaia, "_ask_archive", offline)
    page.toggle(key="sim.online").set_value(True).run()
    assert not page.exception
    assert any("The Gaia archive cannot be reached" in warning.value for warning in page.warning)
    # The archive answers again: this scene is not left without it.
    monkeypatch.setattr(gaia, "_ask_archive", lambda ra, dec, radius, *_: gaia._offline(ra, dec, radius))
    page.run()
    assert not page.exception
    assert not any("cannot be reached" in warning.value for warning in page.warning)


def test_a_frame_sent_to_star_detection_is_scored_against_its_truth(page: AppTest) -> None:
    next(button for button in page.button if button.label == "Send to Star detection").click().run()
    page.switch_page("pages/stars.py").run()
    assert page.selectbox(key="frame").value == "simulated"
    page.segmented_control(key="stars.section").set_value("Truth").run()
    assert not page.exception
    scores = page.dataframe[0].value
    bright = scores[scores["SNR at least"] == 10.0]
    assert (bright["precision"] > 0.7).all()
    assert set(scores["method"]) == {"SEP · Source Extractor", "DAOFIND", "Hybrid network"}


def test_the_scene_is_as_it_was_left_on_coming_back(page: AppTest) -> None:
    page.text_input(key="sim.where").set_value("M 57")
    page.number_input(key="sim.seed").set_value(7)
    page.toggle(key="sim.truth").set_value(True).run()
    before = sentence(page)
    page.switch_page("pages/home.py").run()
    page.switch_page("pages/playground.py").run()
    assert sentence(page) == before
    assert page.number_input(key="sim.seed").value == 7
    assert page.toggle(key="sim.truth").value
