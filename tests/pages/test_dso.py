"""The deep-sky page as a visitor and a researcher use it, without a browser."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from streamlit.testing.v1 import AppTest
from torch import nn

from core.models import LockedNetwork
from core.store import Store
from tests.dso.networks import untrained_yolo

PAGE = "pages/dso.py"
SECTIONS = ["Objects", "Agreement", "Truth", "Methods", "Scores", "Put it right", "Take it home"]


class BoxesLargeBlobs(nn.Module):
    """A detector that boxes, as nebulae, what is bright over more than a few pixels; stars are not."""

    def forward(self, given: torch.Tensor) -> tuple[torch.Tensor, dict[str, object]]:
        grey = ndimage.uniform_filter(given[0].mean(0).numpy(), 9)
        columns = [[5.0, 5.0, 4.0, 4.0, 0.0, 0.001, 0.0]]
        for rows, cols in ndimage.find_objects(ndimage.label(grey > 0.45)[0]):
            width, height = cols.stop - cols.start, rows.stop - rows.start
            if min(width, height) >= 16:
                middle = [(cols.start + cols.stop) / 2, (rows.start + rows.stop) / 2]
                columns.append([*middle, width, height, 0.1, 0.9, 0.2])
        return torch.tensor(columns).T[None], {}


@pytest.fixture
def blobs(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``dso.yolo`` with a network that boxes what is bright; no other method has its weights."""
    untrained_yolo(weights_folder, confidence=0.5)
    monkeypatch.setattr("core.dso.yolo_network.yolo_network", lambda name: LockedNetwork(BoxesLargeBlobs()))


@pytest.fixture
def page(blobs: None, app: AppTest) -> AppTest:
    app.query_params["frame"] = "m66"  # a small sample
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


def test_it_opens_on_andromeda_analysed_and_stored(blobs: None, app: AppTest, store_path: Path) -> None:
    page = app.switch_page(PAGE).run()
    assert "found" in sentence(page)
    assert not page.error
    assert any("YOLO26" in caption.value and "s" in caption.value for caption in page.caption)
    with Store(store_path) as store:
        assert {run.method for run in store.runs()} == {"dso.yolo"}


def test_what_failed_is_tried_again_by_anyone_and_what_was_refused_is_not(
    blobs: None, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tries(page: AppTest) -> list:
        return [button for button in page.button if button.label == "Try again"]

    def out_of_memory(name: str) -> None:
        raise MemoryError

    with monkeypatch.context() as failing:
        failing.setattr("core.dso.yolo_network.yolo_network", out_of_memory)
        app.query_params["frame"] = "m66"
        page = app.switch_page(PAGE).run()
        assert any("written to the server" in warning.value for warning in page.warning)
        (again,) = tries(page)
    again.click().run()
    assert "found" in sentence(page)
    assert tries(page) == []
    upload(page, "white.png", png(np.full((64, 64, 3), 255, np.uint8)))
    assert tries(page) == []


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


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("blank", np.zeros((200, 300), np.uint8)),
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


def test_one_pixel_is_refused_and_the_page_goes_on(page: AppTest) -> None:
    before = sentence(page)
    upload(page, "one pixel.png", png(np.zeros((1, 1), np.uint8)))
    assert not page.exception
    assert "at least" in page.error[0].value
    assert sentence(page) == before


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
