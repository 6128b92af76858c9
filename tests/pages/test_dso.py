"""The deep-sky page as a visitor and a researcher use it, without a browser."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.models import LockedNetwork
from core.store import Store
from tests.dso.networks import BoxesBlobs, untrained_yolo

PAGE = "pages/dso.py"
SECTIONS = ["Objects", "Agreement", "Truth", "Methods", "Scores", "Put it right", "Take it home"]


@pytest.fixture
def blobs(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``dso.yolo`` with a network that boxes what is bright; no other method has its weights."""
    untrained_yolo(weights_folder, confidence=0.5)
    monkeypatch.setattr("core.dso.yolo_network.yolo_network", lambda name: LockedNetwork(BoxesBlobs()))


@pytest.fixture
def page(blobs: None, app: AppTest) -> AppTest:
    return app.switch_page(PAGE).run()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    return page.file_uploader(key="frame.file").set_value((name, data, "application/octet-stream")).run()


def research(page: AppTest) -> AppTest:
    return page.segmented_control(key="face").set_value("Research").run()


def sentence(page: AppTest) -> str:
    return next(html.body for html in page.main.get("html") if "almagest-lead" in html.body)


def sky(*boxes: tuple[int, int, int, int], side: int = 256) -> np.ndarray:
    pixels = np.random.default_rng(2).normal(13, 3, (side, side, 3)).clip(0, 255)
    for x0, y0, x1, y1 in boxes:
        pixels[y0:y1, x0:x1] = 220.0
    return pixels.astype(np.uint8)


def test_it_opens_on_andromeda_analysed_and_stored(page: AppTest, store_path: Path) -> None:
    assert "found" in sentence(page)
    assert not page.error
    assert any("YOLO26" in caption.value and "s" in caption.value for caption in page.caption)
    with Store(store_path) as store:
        assert {run.method for run in store.runs()} == {"dso.yolo"}


def test_without_any_weights_the_page_shows_the_picture_and_says_what_is_missing(
    weights_folder: Path, app: AppTest
) -> None:
    app.switch_page(PAGE).run()
    assert not app.exception
    assert not app.error
    assert "No method" in sentence(app)
    assert any("YOLO26" in warning.value for warning in app.warning)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_research_face_opens(page: AppTest, section: str) -> None:
    research(page).segmented_control(key="dso.section").set_value(section).run()
    assert not page.exception
    assert not page.error


@pytest.mark.parametrize("mode", ["Grid", "Blink"])
def test_other_views(page: AppTest, mode: str) -> None:
    page.segmented_control(key="dso.mode").set_value(mode).run()
    assert not page.exception
    assert not page.error


def test_a_person_without_names_still_gets_a_page(page: AppTest) -> None:
    page.toggle(key="dso.names").set_value(False).run()
    assert not page.exception


def test_a_picture_of_ones_own_is_searched_and_says_what_a_name_would_need(page: AppTest) -> None:
    upload(page, "two.png", png(sky((60, 70, 120, 110), (180, 20, 220, 50))))
    assert "2 nebulae" in sentence(page)
    assert any("WCS" in warning.value for warning in page.warning)
    assert page.toggle(key="dso.names.none").disabled


def test_the_confidence_asked_for_holds_in_every_number(page: AppTest) -> None:
    research(page)
    upload(page, "one.png", png(sky((60, 70, 120, 110))))
    before = len(page.dataframe[-1].value)
    page.session_state["dso.confidence"] = 0.95
    page.run()
    # The viewer, which nobody touches here, would say that its slider stands as before.
    assert not page.exception
    assert before == 1


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("blank", np.zeros((200, 300), np.uint8)),
        ("one pixel", np.zeros((1, 1), np.uint8)),
        ("noise", np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)),
        ("daylight", np.tile(np.linspace(120, 250, 256, dtype=np.uint8)[:, None, None], (1, 256, 3))),
        ("strip", np.zeros((300, 20_000), np.uint8)),
    ],
)
def test_what_is_no_sky_gets_one_sentence(page: AppTest, name: str, pixels: np.ndarray) -> None:
    upload(page, f"{name}.png", png(pixels))
    assert not page.exception
    assert not page.error
    assert "No deep-sky objects" in sentence(page)
    assert len(page.warning) == 1


@pytest.mark.parametrize(
    "pixels",
    [
        sky((60, 70, 120, 110))[..., 0],
        np.dstack([sky((60, 70, 120, 110)), np.full((256, 256), 255, np.uint8)]),
        sky((60, 70, 120, 110))[..., 0].astype(np.uint16) * 257,
    ],
    ids=["grey", "RGBA", "16 bit"],
)
def test_pictures_of_every_kind_are_searched(page: AppTest, pixels: np.ndarray) -> None:
    upload(page, "frame.png", png(pixels))
    assert not page.exception
    assert not page.error
    assert "1 nebula" in sentence(page)


def test_a_simulated_frame_comes_with_its_truth(blobs: None, app: AppTest) -> None:
    app.switch_page("pages/playground.py").run()
    next(button for button in app.button if button.label == "Send to Deep-sky objects").click().run()
    app.switch_page(PAGE).run()
    assert app.selectbox(key="frame").value == "simulated"
    app.segmented_control(key="dso.section").set_value("Truth").run()
    assert not app.exception
    assert any("put into the simulated frame" in caption.value for caption in app.caption)
    scores = app.dataframe[0].value
    assert set(scores["rule"]) == {"IoU ≥ 0.5", "IoU ≥ 0.3", "centre inside"}
    assert set(scores["class"]) == {"any", "must agree"}


def test_a_method_that_fails_is_a_sentence_and_the_page_goes_on(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("core.dso.yolo_network.detect", broken)
    upload(page, "one.png", png(sky((60, 70, 120, 110))))
    assert not page.exception
    assert not page.error
    assert any("not yours" in warning.value for warning in page.warning)
