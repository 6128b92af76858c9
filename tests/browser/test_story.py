"""The whole way in a real browser: a field opens, a person draws on the canvas, and takes it home."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from core.store import Store
from core.ui.shell import PAGES
from core.ui.tools import KNIFE, TOOLS
from tests.browser.conftest import ROOT, Browser, serve
from tests.skies import star_field

CANVAS = """
const search = (root) => {
  for (const element of root.querySelectorAll("*")) {
    if (!element.shadowRoot) continue;
    const canvas = element.shadowRoot.querySelector("canvas.upper-canvas");
    if (canvas) return canvas;
    const deeper = search(element.shadowRoot);
    if (deeper) return deeper;
  }
  return null;
};
return search(document);
"""
PICTURE = """
const hosts = document.querySelectorAll('[data-testid="stBidiComponentIsolated"][data-drawn]');
return [...hosts].map((host) => host.shadowRoot.querySelector(".stage canvas")).find(Boolean) ?? null;
"""
SIDE = 128
HINTS = {tool.title: tool.hint for tools in (*TOOLS.values(), (KNIFE,)) for tool in tools}
EDIT_BUTTON = CANVAS.replace("canvas.upper-canvas", "button[title=Edit]")


def press(browser: Browser, label: str) -> None:
    """Press the button or the segment that says ``label``."""
    path = f"//button[normalize-space(.)='{label}' or .//p[normalize-space(.)='{label}']]"
    button = browser.wait_until(
        lambda: next((b for b in browser.find_elements(By.XPATH, path) if b.is_displayed()), None),
        f"there is a button {label!r}",
    )
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    browser.wait_until_idle()


def canvas(browser: Browser) -> WebElement:
    """The drawing canvas, in the middle of the screen and with its picture on it."""
    element: WebElement = browser.wait_until(lambda: browser.execute_script(CANVAS), "there is a canvas")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    time.sleep(0.5)  # Fabric reads the canvas's place on the screen after it has scrolled
    return element


def offset(area: WebElement, xy: tuple[float, float]) -> tuple[int, int]:
    """Screen pixels from the middle of the canvas to a place on the 128 px frame, row 0 at the bottom."""
    zoom = area.size["width"] / SIDE
    middle = (SIDE - 1) / 2
    return round((xy[0] - middle) * zoom), round((middle - xy[1]) * zoom)


def drag(browser: Browser, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag the mouse between two places of the frame on the canvas."""
    area = canvas(browser)
    mouse = ActionChains(browser, duration=60)
    mouse.move_to_element_with_offset(area, *offset(area, start)).click_and_hold()
    for share in (0.3, 0.7, 1.0):
        way = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        mouse.move_to_element_with_offset(area, *offset(area, way))
    mouse.release().perform()
    browser.wait_until_idle()


def click(browser: Browser, xy: tuple[float, float]) -> None:
    """Click a place of the frame on the canvas."""
    area = canvas(browser)
    ActionChains(browser).move_to_element_with_offset(area, *offset(area, xy)).click().perform()
    browser.wait_until_idle()


def page_says(browser: Browser, words: str) -> bool:
    return words in browser.find_element(By.CSS_SELECTOR, "[data-testid=stMain]").text


def expect(browser: Browser, words: str) -> None:
    """Wait until the page says this, and has ended."""
    browser.wait_until(lambda: page_says(browser, words), f"the page says {words!r}")
    browser.wait_until_idle()


def take_tool(browser: Browser, title: str) -> None:
    """Choose what to draw with; the canvas draws with it once the page says how it is used."""
    press(browser, title)
    expect(browser, HINTS[title])


def upload(browser: Browser, path: Path) -> None:
    press(browser, "Open your own file")
    browser.wait_for("[data-testid=stFileUploaderDropzoneInput]").send_keys(str(path))
    browser.wait_until_idle()
    browser.wait_until(lambda: page_says(browser, path.name), "the file is on the page")
    browser.wait_until_idle()


@pytest.fixture(scope="module")
def field_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 128 × 128 FITS frame with three bright stars at known places."""
    field = star_field(
        seed=3, shape=(SIDE, SIDE), xy=[(30.0, 90.0), (64.0, 64.0), (100.0, 40.0)], fluxes=[3e4, 3e4, 3e4]
    )
    path = tmp_path_factory.mktemp("field") / "three stars.fits"
    fits.PrimaryHDU(field.pixels).writeto(path)
    return path


def test_a_person_corrects_a_field_on_the_canvas_and_takes_the_catalogue_home(
    browser: Browser, field_file: Path, tmp_path: Path
) -> None:
    store_path = tmp_path / "story.duckdb"
    with serve(ROOT / "Home.py", tmp_path, ALMAGEST_STORE=str(store_path)) as url:
        browser.visit(f"{url}/stars")
        upload(browser, field_file)
        expect(browser, "3 stars.")
        press(browser, "Put it right")

        click(browser, (79.5, 97.5))
        take_tool(browser, "Box")
        drag(browser, (15.5, 31.5), (39.5, 11.5))
        browser.execute_script(EDIT_BUTTON).click()
        drag(browser, (64.0, 64.0), (70.0, 68.0))
        browser.wait_until(lambda: page_says(browser, "3 changes not saved yet"), "three changes")
        browser.wait_until(lambda: page_says(browser, "Save your changes"), "the window stays where it is")
        press(browser, "Save")
        browser.wait_until(lambda: page_says(browser, "3 of 5 objects touched"), "the changes are saved")

        # A reload is a new session: what was saved comes from the store, for the same browser.
        browser.visit(f"{url}/stars")
        upload(browser, field_file)
        press(browser, "Put it right")
        browser.wait_until(lambda: page_says(browser, "3 of 5 objects touched"), "the corrections are back")
        press(browser, "Save, and this window is complete")
        browser.wait_until(lambda: page_says(browser, "1 window marked complete"), "the review is saved")

        click(browser, (110.5, 17.5))
        browser.wait_until(lambda: page_says(browser, "1 change not saved yet"), "one more change")
        press(browser, "Take it home")  # without Save: it is kept all the same
        browser.wait_until(lambda: page_says(browser, "As you put it right"), "the corrected catalogue")
        press(browser, "ECSV")
        press(browser, "Download ECSV")
        (exported,) = browser.wait_until(
            lambda: [p for p in browser.downloads.glob("*.ecsv") if p.stat().st_size], "the download"
        )
        # A link to a page makes Streamlit look for its own addresses below that page first.
        assert [line for line in browser.console_errors() if "_stcore" not in line] == []

    catalogue = Table.read(exported, format="ascii.ecsv")
    places = np.column_stack([catalogue["x"], catalogue["y"]])
    expected = [(30.0, 90.0), (70.0, 68.0), (100.0, 40.0), (79.5, 97.5), (27.5, 21.5), (110.5, 17.5)]
    for place in expected:
        assert np.hypot(*(places - place).T).min() < 0.5, (place, places)
    assert len(catalogue) == 6

    with Store(store_path) as store:
        (run,) = [run for run in store.runs(method="stars.hybrid") if run.frame_name == field_file.name]
        log = store.corrections(run.run_id)
    assert sorted(entry.action for entry in log) == ["add", "add", "add", "move", "review"]
    (box,) = [entry for entry in log if entry.action == "add" and entry.box is not None]
    assert box.box == pytest.approx((15.5, 11.5, 39.5, 31.5), abs=0.6)
    (moved,) = [entry for entry in log if entry.action == "move"]
    assert moved.xy == pytest.approx((70.0, 68.0), abs=0.5)


def test_a_name_takes_over_what_is_unsaved_and_no_name_loses_what_it_drew(
    browser: Browser, field_file: Path, tmp_path: Path
) -> None:
    def give_name(name: str) -> None:
        field = browser.wait_for("[data-testid=stSidebar] input[type=text]")
        field.send_keys(Keys.CONTROL + "a" + Keys.NULL + name + Keys.ENTER)
        expect(browser, f"objects touched by {name}")

    store_path = tmp_path / "names.duckdb"
    with serve(ROOT / "Home.py", tmp_path, ALMAGEST_STORE=str(store_path)) as url:
        browser.visit(f"{url}/stars")
        upload(browser, field_file)
        press(browser, "Put it right")
        click(browser, (79.5, 97.5))
        expect(browser, "1 change not saved yet")
        give_name("Ada")
        expect(browser, "1 change not saved yet")
        press(browser, "Save")
        expect(browser, "1 of 4 objects touched by Ada")
        click(browser, (110.5, 17.5))
        expect(browser, "1 change not saved yet")
        give_name("Grace")  # who has put nothing right yet
        expect(browser, "No unsaved changes")
        give_name("Ada")
        expect(browser, "2 of 5 objects touched by Ada")

    with Store(store_path) as store:
        (run,) = [run for run in store.runs(method="stars.hybrid") if run.frame_name == field_file.name]
        log = store.corrections(run.run_id)
    assert [(entry.person, entry.action) for entry in log] == [("Ada", "add"), ("Ada", "add")]


def test_a_table_row_and_a_mark_in_the_picture_are_one_selection(browser: Browser, dashboard: str) -> None:
    browser.visit(f"{dashboard}/stars?face=Research&frame=m44")
    table = browser.wait_for("[data-testid=stDataFrame] canvas")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", table)
    time.sleep(0.5)
    # The box that selects the third row.
    ActionChains(browser).move_to_element_with_offset(
        table, -table.size["width"] // 2 + 20, -table.size["height"] // 2 + 36 * 3
    ).click().perform()
    browser.wait_until_idle()
    browser.wait_until(lambda: not page_says(browser, "Pick a star"), "the profile of the row is drawn")


def test_a_click_on_a_mark_in_the_picture_picks_its_row(
    browser: Browser, dashboard: str, field_file: Path
) -> None:
    browser.resize(1440, 1200)  # the whole picture is in view: a click goes to the middle of what is
    browser.visit(f"{dashboard}/stars?face=Research")
    upload(browser, field_file)
    picture = browser.wait_until(lambda: browser.execute_script(PICTURE), "the picture is drawn")
    ActionChains(browser, 0).move_to_element(picture).click().perform()  # a star is in the middle
    browser.wait_until(lambda: not page_says(browser, "Pick a star"), "its profile is drawn")


def test_the_red_night_shows_nothing_but_red(browser: Browser, dashboard: str, tmp_path: Path) -> None:
    browser.visit(dashboard)
    browser.wait_for("[data-look=night]").click()
    time.sleep(1.0)
    shot = tmp_path / "night.png"
    browser.save_screenshot(str(shot))
    pixels = np.asarray(Image.open(shot).convert("RGB")).reshape(-1, 3)
    assert pixels[:, 0].max() > 150
    assert pixels[:, 1:].max() == 0


def test_dark_is_the_default_and_light_stays_after_a_reload(browser: Browser, dashboard: str) -> None:
    def darkness() -> float:
        colour = browser.execute_script(
            "return getComputedStyle(document.querySelector('.stApp')).backgroundColor"
        )
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    browser.visit(dashboard)
    browser.wait_until(lambda: darkness() < 100, "the page is dark")
    browser.wait_for("[data-look=light]").click()
    browser.wait_until(lambda: darkness() > 700, "the page is light")
    browser.visit(f"{dashboard}/frames")
    browser.wait_until(lambda: darkness() > 700, "the page is light after a reload")


def test_a_button_leads_to_another_page_in_the_face_that_is_on(browser: Browser, dashboard: str) -> None:
    browser.visit(f"{dashboard}/?face=Research")
    press(browser, "Simulate a field")
    browser.wait_until(lambda: page_says(browser, "Take ten exposures"), "the playground is there")
    assert browser.current_url.endswith("/playground?face=Research")


@pytest.mark.parametrize("page", [link.url for link in PAGES])
def test_a_phone_never_scrolls_sideways(browser: Browser, dashboard: str, page: str) -> None:
    browser.resize(390, 844)
    browser.visit(f"{dashboard}/{page}")
    width = browser.execute_script(
        "return Math.max(document.documentElement.scrollWidth,"
        " document.querySelector('[data-testid=stMain]').scrollWidth)"
    )
    assert width <= 390


def test_a_stored_run_is_read_again_and_taken_home(browser: Browser, dashboard: str) -> None:
    browser.visit(f"{dashboard}/stars?frame=m22")
    browser.visit(f"{dashboard}/results")
    table = browser.wait_for("[data-testid=stDataFrame] canvas")
    box = (-table.size["width"] // 2 + 20, -table.size["height"] // 2 + 55)
    ActionChains(browser).move_to_element_with_offset(table, *box).click().perform()
    browser.wait_until(lambda: page_says(browser, " on m22.jpg"), "the run is shown")
    press(browser, "Download CSV")
    (exported,) = browser.wait_until(
        lambda: [p for p in browser.downloads.glob("m22.*.csv") if p.stat().st_size], "the download"
    )
    assert page_says(browser, f"{len(Table.read(exported, format='ascii.csv', comment='#')):,} stars")


def test_a_simulated_field_is_sent_to_star_detection_and_scored(browser: Browser, dashboard: str) -> None:
    browser.visit(f"{dashboard}/playground")
    press(browser, "Send to Star detection")
    browser.wait_until(lambda: page_says(browser, "What am I looking at?"), "the star page")
    press(browser, "Truth")
    browser.wait_until(lambda: page_says(browser, "by signal-to-noise ratio"), "the scores")
    assert browser.console_errors() == []
