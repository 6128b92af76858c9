"""The star page as a visitor and a researcher use it, without a browser."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from core.store import Store
from tests.skies import star_field

PAGE = "pages/stars.py"


def fits_bytes(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    fits.PrimaryHDU(pixels).writeto(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def field() -> bytes:
    """A small simulated star field as a FITS file."""
    return fits_bytes(star_field(seed=5, shape=(200, 240), n_stars=40).pixels)


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return app.switch_page(PAGE).run()


def research(page: AppTest) -> AppTest:
    return page.segmented_control(key="face").set_value("Research").run()


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    return page.file_uploader(key="frame.file").set_value((name, data, "application/octet-stream")).run()


def sentence(page: AppTest) -> str:
    return next(html.body for html in page.main.get("html") if "almagest-lead" in html.body)


def test_it_opens_on_a_real_field_with_every_method_run_and_stored(page: AppTest, store_path: Path) -> None:
    assert "stars" in sentence(page)
    with Store(store_path) as store:
        assert {run.method for run in store.runs()} == {"stars.sep", "stars.daofind", "stars.hybrid"}


def test_the_second_visitor_gets_the_stored_run(app: AppTest, store_path: Path) -> None:
    app.switch_page(PAGE).run()
    second = AppTest.from_file(str(Path(PAGE).resolve().parents[1] / "Home.py"), default_timeout=60).run()
    second.switch_page(PAGE).run()
    assert any("from the store" in caption.value for caption in second.caption)
    with Store(store_path) as store:
        assert len(store.runs()) == 3


def test_a_file_of_ones_own_is_analysed(page: AppTest, field: bytes, store_path: Path) -> None:
    upload(page, "my field.fits", field)
    assert not page.exception
    assert not page.error
    with Store(store_path) as store:
        assert "my field.fits" in {run.frame_name for run in store.runs()}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.fits", b"this is no image at all, only a few words in a file"),
        ("empty.png", b""),
        ("<img src=x onerror=alert(1)>.fits", b"SIMPLE  =                    T"),
    ],
)
def test_a_bad_file_gets_one_sentence_and_the_page_goes_on(page: AppTest, name: str, data: bytes) -> None:
    before = sentence(page)
    upload(page, name, data)
    assert not page.exception
    (error,) = page.error
    assert error.value.rstrip("\\.").strip()
    assert "<img" not in error.value.replace("\\<", "")
    assert sentence(page) == before


@pytest.mark.parametrize("pixels", [np.zeros((64, 64)), np.full((64, 64), np.nan), np.ones((9, 70))])
def test_nothing_found_is_a_result(page: AppTest, pixels: np.ndarray) -> None:
    upload(page, "nothing.fits", fits_bytes(pixels.astype(np.float32)))
    assert not page.exception
    assert page.error or "no star" in sentence(page).lower()


@pytest.mark.parametrize(
    "section",
    ["Sources", "Rejected", "Compare", "Plots", "Sky", "Scores", "Put it right", "Take it home"],
)
def test_every_section_of_the_research_face_opens(page: AppTest, section: str) -> None:
    research(page).segmented_control(key="stars.section").set_value(section).run()
    assert not page.exception
    assert not page.error


def test_parameters_count_once_run_is_pressed(page: AppTest, store_path: Path) -> None:
    research(page).slider(key="stars.hybrid.set.threshold").set_value(0.9)
    next(button for button in page.button if button.label == "Run").click().run()
    assert not page.exception
    with Store(store_path) as store:
        thresholds = {run.params["threshold"] for run in store.runs(method="stars.hybrid")}
    assert 0.9 in thresholds
    assert len(thresholds) == 2


def test_the_page_works_without_a_store(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, app: AppTest
) -> None:
    monkeypatch.setenv("ALMAGEST_STORE", str(store_path.parent / "not a store.duckdb"))
    (store_path.parent / "not a store.duckdb").write_text("some notes", encoding="utf-8")
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "stars" in sentence(app)
    assert any("not kept" in warning.value for warning in app.warning)


def test_a_new_method_appears_by_itself(toy_method: object, page: AppTest) -> None:
    page.run()
    assert any("toy" in str(option).lower() for option in page.pills(key="stars.methods").options)


def test_a_section_of_the_research_face_gives_way_when_the_face_changes(page: AppTest) -> None:
    research(page).segmented_control(key="stars.section").set_value("Compare").run()
    page.segmented_control(key="face").set_value("Explore").run()
    assert not page.exception
    assert not page.error
    assert page.segmented_control(key="stars.section").value == "Try another"


@pytest.mark.parametrize("section", ["Sources", "Compare", "Rejected"])
@pytest.mark.parametrize("mode", ["Side by side", "Blink"])
def test_two_pictures_in_every_section(page: AppTest, section: str, mode: str) -> None:
    research(page).segmented_control(key="stars.mode").set_value(mode)
    page.segmented_control(key="stars.section").set_value(section).run()
    assert not page.exception
    assert not page.error


def test_one_picture_stands_alone_while_the_other_method_gives_no_result(
    toy_method: object, page: AppTest, field: bytes
) -> None:
    pixels = fits.getdata(io.BytesIO(field)).copy()
    pixels[0, 0] = 251  # the toy does not like it
    research(page).pills(key="stars.methods").set_value(["stars.sep", "stars.toy"]).run()
    page.segmented_control(key="stars.mode").set_value("Side by side").run()
    upload(page, "refused.fits", fits_bytes(pixels))
    assert any("does not like this frame" in warning.value for warning in page.warning)
    for section in ("Sources", "Compare", "Rejected"):
        page.segmented_control(key="stars.section").set_value(section).run()
        assert not page.error


def test_a_section_and_its_window_are_as_they_were_left(page: AppTest) -> None:
    def corner(page: AppTest) -> NumberInput:
        return next(widget for widget in page.number_input if widget.label == "From x (px)")

    page.segmented_control(key="stars.section").set_value("Put it right").run()
    corner(page).set_value(32).run()
    page.switch_page("pages/home.py").run()
    page.switch_page(PAGE).run()
    assert page.segmented_control(key="stars.section").value == "Put it right"
    assert corner(page).value == 32
    page.selectbox(key="frame").set_value("m13").run()
    assert corner(page).value != 32
