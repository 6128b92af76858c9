"""Drawing every shape on the canvas in a real browser: kept, and there again after a reload."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains

from core.corrections import fold
from core.shapes import Shape, shapes_of
from core.store import Store
from tests.browser.apps.corrections_app import THERE
from tests.browser.conftest import APPS, Browser, serve
from tests.browser.test_dso import choose_class
from tests.browser.test_story import (
    CANVAS,
    EDIT_BUTTON,
    HINTS,
    canvas,
    click,
    drag,
    expect,
    offset,
    press,
    take_tool,
)

PX = 1.0
"""How far a mouse and a smoothed line may leave what was meant, in pixels of the frame."""


def follow(browser: Browser, *places: tuple[float, float]) -> None:
    """Draw along a way by hand."""
    area = canvas(browser)
    mouse = ActionChains(browser, duration=40)
    mouse.move_to_element_with_offset(area, *offset(area, places[0])).click_and_hold()
    for place in places[1:]:
        mouse.move_to_element_with_offset(area, *offset(area, place))
    mouse.release().perform()
    browser.wait_until_idle()


def asks_before_closing(browser: Browser) -> bool:
    """Whether the browser would ask before it closes the tab."""
    leaves = 'return dispatchEvent(new Event("beforeunload", { cancelable: true }))'
    return not browser.execute_script(leaves)


def test_an_ellipse_a_line_and_a_polygon_are_drawn_kept_and_found_again(
    browser: Browser, tmp_path: Path
) -> None:
    store_path = tmp_path / "story.duckdb"
    browser.resize(1440, 1100)
    with serve(APPS / "corrections_app.py", tmp_path, ALMAGEST_STORE=str(store_path)) as url:
        browser.visit(url)
        browser.wait_until(lambda: browser.execute_script(CANVAS), "there is a canvas")
        expect(browser, "0 of 4 objects touched")
        drag(browser, (50.0, 60.0), (66.0, 60.0))
        choose_class(browser, "valley")  # and with it the tool for lines
        expect(browser, HINTS["Line"])
        drag(browser, (10.0, 50.0), (40.0, 44.0))
        take_tool(browser, "By hand")
        follow(browser, (10.0, 62.0), (22.0, 72.0), (34.0, 72.0), (46.0, 62.0))
        choose_class(browser, "plain")
        expect(browser, HINTS["Outline"])
        for corner in ((50.0, 10.0), (64.0, 10.0), (64.0, 30.0), (50.0, 10.0)):
            click(browser, corner)
        expect(browser, "4 changes not saved yet")
        take_tool(browser, "Cut")
        drag(browser, (82.0, 10.0), (82.0, 60.0))
        expect(browser, "5 changes not saved yet")
        browser.execute_script(EDIT_BUTTON).click()
        drag(browser, (30.0, 100.0), (36.0, 104.0))
        expect(browser, "6 changes not saved yet")
        assert asks_before_closing(browser)
        press(browser, "Save")
        expect(browser, "8 of 10 objects touched")
        assert not asks_before_closing(browser)

        browser.visit(url)
        expect(browser, "8 of 10 objects touched")
        browser.wait_until(lambda: browser.execute_script(CANVAS), "the canvas is back")
        expect(browser, "No unsaved changes")  # what was drawn comes back as it was kept
        press(browser, "Undo the last saved change")
        expect(browser, "5 of 8 objects touched")
        assert browser.console_errors() == []

    with Store(store_path) as store:
        (run,) = store.runs()
        log = store.corrections(run.run_id)
        predictions = store.load_result(run.run_id).detections
    split = [entry.action for entry in log if entry.group]
    assert split == ["split", "add", "add"]
    table = fold(predictions, log).catalogue().table
    shapes: dict[str, list[Shape]] = {}
    for label, shape in zip(table["label"], shapes_of(table), strict=True):
        shapes.setdefault(label, []).append(shape)
    crater, drawn = shapes["crater"]
    assert THERE["crater"].moved(6.0, 4.0).distance(crater) < PX
    assert drawn.kind == "ellipse"
    assert (*drawn.centre, drawn.box[2] - drawn.box[0]) == pytest.approx((58.0, 60.0, 16.0), abs=PX)
    _, straight, curved = shapes["valley"]
    np.testing.assert_allclose(straight.outline, [(10.0, 50.0), (40.0, 44.0)], atol=PX)
    np.testing.assert_allclose(curved.outline[[0, -1]], [(10.0, 62.0), (46.0, 62.0)], atol=PX)
    assert 3 <= len(curved.outline) < 20
    whole, outline = shapes["plain"]
    assert whole == THERE["plain"]  # its split was undone
    assert outline.kind == "polygon"
    np.testing.assert_allclose(outline.points, [(50.0, 10.0), (64.0, 10.0), (64.0, 30.0)], atol=PX)
