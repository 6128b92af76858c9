"""The deep-sky page in a real browser: what a person draws, with its class, counts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core.store import Store
from tests.browser.conftest import ROOT, Browser, serve
from tests.browser.test_story import canvas, page_says, press, upload
from tests.dso.networks import untrained_yolo

SIDE = 192


def draw_box(browser: Browser, box: tuple[int, int, int, int]) -> None:
    """Drag a box over the frame on the canvas, row 0 on top."""
    area = canvas(browser)
    zoom = area.size["width"] / SIDE
    middle = (SIDE - 1) / 2
    mouse = ActionChains(browser, duration=60)
    corners = [(box[0], box[1]), ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), (box[2], box[3])]
    steps = [(round((x - middle) * zoom), round((y - middle) * zoom)) for x, y in corners]
    mouse.move_to_element_with_offset(area, *steps[0]).click_and_hold()
    for step in steps[1:]:
        mouse.move_to_element_with_offset(area, *step)
    mouse.release().perform()
    browser.wait_until_idle()


def choose_class(browser: Browser, label: str) -> None:
    field = browser.find_element(By.CSS_SELECTOR, "[data-testid=stSelectbox] input[aria-label*='What it is']")
    field.click()
    field.send_keys(label, Keys.ENTER)
    browser.wait_until_idle()


def test_boxes_drawn_with_their_classes_are_counted(browser: Browser, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    os.environ["ALMAGEST_WEIGHTS"], before = str(weights), os.environ.get("ALMAGEST_WEIGHTS")
    try:
        untrained_yolo(weights, confidence=0.9)
    finally:
        os.environ.pop("ALMAGEST_WEIGHTS")
        if before is not None:
            os.environ["ALMAGEST_WEIGHTS"] = before
    pixels = np.random.default_rng(1).normal(13, 3, (SIDE, SIDE, 3)).clip(0)
    pixels[40:90, 40:110] += 90
    frame = tmp_path / "a glow.png"
    Image.fromarray(pixels.astype(np.uint8)).save(frame)
    store_path = tmp_path / "story.duckdb"
    with serve(
        ROOT / "Home.py", tmp_path, ALMAGEST_STORE=str(store_path), ALMAGEST_WEIGHTS=str(weights)
    ) as url:
        browser.get(f"{url}/dso?frame=m66")
        # The first run loads the network's libraries; a machine under load takes its time for that.
        browser.wait_for("[data-testid=stMain]")
        browser.wait_until(lambda: page_says(browser, "objects were found"), "the network is loaded", 120)
        browser.visit(f"{url}/dso?frame=m66")
        upload(browser, frame)
        browser.wait_until(lambda: page_says(browser, "No deep-sky objects were found"), "it was searched")
        press(browser, "Put it right")
        choose_class(browser, "nebula")
        draw_box(browser, (40, 40, 110, 90))
        choose_class(browser, "cluster")
        draw_box(browser, (130, 120, 170, 160))
        browser.wait_until(lambda: page_says(browser, "2 changes not saved yet"), "two boxes")
        press(browser, "Save, and this window is complete")
        browser.wait_until(lambda: page_says(browser, "1 window marked complete"), "the review is saved")
        browser.wait_until(lambda: page_says(browser, "Centre inside"), "the scores follow at once")
        assert browser.console_errors() == []

    with Store(store_path) as store:
        (run,) = [run for run in store.runs(method="dso.yolo") if run.frame_name == frame.name]
        added = [entry for entry in store.corrections(run.run_id) if entry.action == "add"]
    assert [entry.after["label"] for entry in added] == ["nebula", "cluster"]
    assert added[0].box is not None
    np.testing.assert_allclose(added[0].box, (40, 40, 110, 90), atol=1.0)
