"""The frame viewer in real Chromium."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from core.frames import Frame
from core.ui.viewer.component import VIEWER_HTML, VIEWER_JS
from core.ui.viewer.parcel import Packer
from core.ui.viewer.sky import sky_grid
from tests.browser.apps.viewer_app import (
    HEIGHT,
    HOSTILE,
    OBJECTS,
    SCALE_DEG,
    WIDTH,
    known_frame,
    known_objects,
)

APP = "viewer_app.py"


class Viewer:
    """The viewer on a page, as a person sees and handles it."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        browser.visit(url)
        browser.wait_until(lambda: self.host.get_attribute("data-drawn"), "the viewer has drawn")
        browser.wait_until_idle()

    @property
    def host(self) -> WebElement:
        script = """return [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
            .find((host) => host.shadowRoot?.querySelector('.viewer')) ?? document.body"""
        return self.browser.execute_script(script)

    def all(self, css: str) -> list[WebElement]:
        return self.host.shadow_root.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        return self.all(css)[0]

    def text(self, part: str) -> str:
        return self.one(f'[data-part="{part}"]').text

    @property
    def canvas(self) -> WebElement:
        return self.one(".stage canvas")

    def said(self, name: str) -> str:
        """What the page's Python prints after ``name=``."""
        found = re.search(rf"{name}=(\([^)]*\)|\S+)", self.browser.find_element(By.TAG_NAME, "body").text)
        assert found, f"the page says nothing of {name}"
        return found[1]

    def offset(self, x: float, y: float) -> tuple[int, int]:
        """Where a frame position lies from the middle of the canvas, while the whole frame is shown."""
        box = self.canvas.rect
        zoom = min(box["width"] / WIDTH, box["height"] / HEIGHT)
        return round((x + 0.5 - WIDTH / 2) * zoom), round((HEIGHT - 0.5 - y - HEIGHT / 2) * zoom)

    def point(self, x: float, y: float) -> ActionChains:
        return ActionChains(self.browser, 0).move_to_element_with_offset(self.canvas, *self.offset(x, y))

    def wheel(self, dx: int, dy: int, turns: int) -> None:
        at = ScrollOrigin.from_element(self.canvas, dx, dy)
        for _ in range(turns):
            ActionChains(self.browser, 0).scroll_from_origin(at, 0, -400).perform()

    def pixels(self) -> Any:
        """Standard deviation of the brightness over the middle of the canvas: 0 when nothing is drawn."""
        script = """const c = arguments[0]; const [w, h] = [c.width >> 1, c.height >> 1];
            const d = c.getContext('2d').getImageData(w - 100, h - 100, 200, 200).data;
            let s = 0, q = 0; for (let k = 0; k < d.length; k += 4) { s += d[k]; q += d[k] * d[k]; }
            const n = d.length / 4; return Math.sqrt(Math.max(0, q / n - (s / n) ** 2));"""
        return self.browser.execute_script(script, self.canvas)

    def crops(self) -> list[dict[str, Any]]:
        script = "return globalThis.almagestParcels.held.get('viewer/detail')?.header.pieces ?? []"
        return self.browser.execute_script(script)

    def zoom_in(self) -> dict[str, Any]:
        """Zoom in at the middle with the wheel until the exact pixels came, and give their region."""
        self.wheel(0, 0, 4)
        self.browser.wait_until(lambda: self.crops() and self.crops()[0]["values"], "the crop has come")
        self.browser.wait_until_idle()
        return self.crops()[0]["region"]

    def readout(self) -> tuple[float, float, str, float, float]:
        x, y = (float(number) for number in re.findall(r"[xy] (\S+)", self.text("position")))
        ra, dec = re.findall(r"([+−]?[\d.]+)°(?:,|\))", self.text("sky"))
        return x, y, self.text("value"), float(ra), float(dec.replace("−", "-"))


@pytest.fixture(scope="module")
def numbers_page(new_browser: Any) -> Any:
    """One browser for all the functions that need no page."""
    with new_browser() as browser:
        yield browser


@pytest.fixture
def viewer(browser: Any, app: Callable[[str], str]) -> Callable[[str], Viewer]:
    return lambda query="": Viewer(browser, f"{app(APP)}/?{query}")


@pytest.mark.parametrize("mode", ["single", "side by side", "blink", "difference"])
def test_every_mode_draws_its_pictures_without_console_errors(viewer, browser, mode):
    page = viewer(f"mode={mode}&heat=yes")
    assert page.pixels() > 3
    assert len(page.all(".stage canvas")) == (2 if mode == "side by side" else 1)
    assert page.canvas.get_attribute("role") == "application"
    assert page.canvas.get_attribute("aria-roledescription") == "picture"
    assert "3000 by 2000 pixels" in page.canvas.get_attribute("aria-label")
    assert browser.console_errors() == []


def test_readout_gives_the_mean_then_the_very_pixel_and_its_sky_position(viewer):
    page = viewer()
    frame = known_frame()
    page.point(1234, 567).perform()
    x, y, value, *_ = page.readout()
    assert abs(x - 1234) < 2
    assert abs(y - 567) < 2
    assert value.startswith("≈ ")
    assert "adu (mean of 3 × 3 px)" in value

    page.zoom_in()
    ActionChains(page.browser, 0).move_to_element_with_offset(page.canvas, 83, -41).perform()
    x, y, value, ra, dec = page.readout()
    pixel = float(frame.pixels[round(y), round(x)])
    assert value == f"{float(f'{pixel:.6g}'):g} adu".replace("e+", "e") or value == f"{pixel:.6g} adu"
    true_ra, true_dec = (float(angle[0]) for angle in frame.sky([x], [y]))
    away = np.hypot((ra - true_ra) * np.cos(np.radians(dec)), dec - true_dec) / SCALE_DEG
    assert away < 0.15  # the position itself is read to 0.1 px


def call(browser: Any, expression: str, *arguments: Any) -> Any:
    """Value of an expression of the viewer's own functions: ``viewer.skyAt(given[0], 1, 2)``."""
    browser.get("about:blank")
    script = """
        const [source, expression, given, done] = arguments;
        import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))).then(
          (viewer) => done(new Function("viewer", "given", `return ${expression}`)(viewer, given)),
          (error) => done(String(error)),
        );"""
    return browser.execute_async_script(script, VIEWER_JS, expression, arguments)


def test_a_viewer_that_begins_anew_leaves_no_picture_of_the_one_before(browser):
    pane = {"slot": "picture", "id": "1", "layers": []}
    data = {"key": "k", "mode": "one", "panes": [pane], "layers": {"slot": "marks"}, "layer_count": 0}
    counted = """(() => {
      const room = document.createElement("div");
      room.innerHTML = given[0];
      const begin = () => viewer.default({ data: given[1], parentElement: room, setStateValue() {} });
      begin()();
      begin();
      return room.querySelectorAll(".stage").length;
    })()"""
    assert call(browser, counted, VIEWER_HTML, data) == 1


def packed_sky(frame: Frame) -> dict[str, Any]:
    packer = Packer()
    grid = sky_grid(frame, packer)
    assert grid is not None
    return {**grid, "vectors": np.frombuffer(packer.blobs[grid["blob"]]).tolist()}


def test_sky_interpolation_in_the_browser_agrees_with_astropy_on_a_wide_field(browser):
    frame = known_frame()
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-0.5, WIDTH - 0.5, 3000), rng.uniform(-0.5, HEIGHT - 0.5, 3000)
    places = np.stack([x, y], axis=1).tolist()
    expression = "given[1].map(([x, y]) => Object.values(viewer.skyAt(given[0], x, y)))"
    found = np.array(call(browser, expression, packed_sky(frame), places))
    ra, dec = frame.sky(x, y)
    away = np.hypot((found[:, 0] - ra) * np.cos(np.radians(dec)), found[:, 1] - dec) / SCALE_DEG
    assert away.max() < 0.1


def test_compass_points_where_astropy_does(browser):
    frame = known_frame()
    x, y = 700.0, 1500.0
    pane = {"width": WIDTH, "height": HEIGHT, "flipped": True, "sky": packed_sky(frame)}
    arrows = call(browser, "viewer.compass(given[0], given[1], given[2])", pane, x, y)
    (ra,), (dec,) = frame.sky([x], [y])
    for name, there in (("north", (ra, dec + 0.01)), ("east", (ra + 0.01, dec))):
        (to_x,), (to_y,) = frame.pixel(*there)
        direction = np.array([to_x - x, y - to_y]) / np.hypot(to_x - x, to_y - y)  # row 0 is at the bottom
        assert np.dot(direction, arrows[name]) > np.cos(np.radians(0.2))


def test_names_keep_clear_of_the_scale_bar_and_of_each_other(browser):
    pane = {"width": 600, "height": 400, "flipped": False, "sky": None, "pixel_scale_arcsec": 2.0}
    place = {"width": 600, "height": 400, "left": 0, "top": 0, "scale": 1.0}
    kept = call(browser, "viewer.furnitureOf(given[0], given[1]).kept", pane, place)
    assert len(kept) == 1  # a scale bar, and no compass without a sky
    expression = "viewer.freeHeight(given[0], given[1], given[2], given[3]) ?? null"
    low, high = 372, 330
    assert call(browser, expression, kept, 60, 30, [low, high]) == high
    assert call(browser, expression, kept, 400, 30, [low, high]) == low
    assert (
        call(browser, expression, [*kept, {"x": 90, "y": 330, "half": 20, "reach": 17}], 60, 30, [low, high])
        is None
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("viewer.sexagesimal({ ra: 0, dec: 0 })", {"ra": "00h 00m 00.00s", "dec": "+00° 00′ 00.0″"}),
        ("viewer.sexagesimal({ ra: 359.9999999, dec: -0.5 }).ra", "00h 00m 00.00s"),
        ("viewer.sexagesimal({ ra: 83.8221, dec: -5.3911 }).ra", "05h 35m 17.30s"),
        ("viewer.sexagesimal({ ra: 83.8221, dec: -5.3911 }).dec", "−05° 23′ 28.0″"),
        ("viewer.written(-1234.5678)", "−1234.57"),
        ("viewer.written(65535)", "65535"),
        ("viewer.written(0.1 + 0.2)", "0.3"),
        ("viewer.written(NaN)", "no data"),
        ("viewer.scaleBar(0.5, 1, 160).text", "1′"),
        ("viewer.scaleBar(12, 0.2, 160).text", "2°"),
        ("viewer.scaleBar(null, 2, 160)", {"length": 100, "text": "50 px"}),
        ("viewer.toFrame({ height: 10, flipped: true }, 0.5, 0.5)", [0, 9]),
        ("viewer.toDisplay({ height: 10, flipped: false }, 0, 9)", [0.5, 9.5]),
    ],
)
def test_numbers_are_written_as_astronomers_write_them(numbers_page, expression, expected):
    assert call(numbers_page, expression) == expected


def test_wheel_zooms_and_brings_a_sharper_crop_without_running_the_page(viewer):
    page = viewer()
    assert page.crops() == []
    runs = page.said("runs")
    region = page.zoom_in()
    assert region["width"] < WIDTH / 4
    assert abs(region["x0"] + region["width"] / 2 - WIDTH / 2) < 100
    assert abs(region["y0"] + region["height"] / 2 - HEIGHT / 2) < 100
    assert page.said("runs") == runs


def test_confidence_slider_hides_at_once_and_runs_the_page_only_when_let_go(viewer, browser):
    page = viewer()
    runs = int(page.said("runs"))
    move = "arguments[0].value = 0.75; arguments[0].dispatchEvent(new Event(arguments[1]))"
    slider = page.one('[data-part="threshold"]')
    browser.execute_script(move, slider, "input")
    kept = int((known_objects().table["score"] >= 0.75).sum())
    assert page.one(".legend button b").text == str(kept)
    browser.wait_until_idle()
    time.sleep(0.3)
    assert int(page.said("runs")) == runs
    browser.execute_script(move, slider, "change")
    browser.wait_until(lambda: page.said("threshold") == "0.75", "Python knows the threshold")
    assert int(page.said("runs")) == runs + 1


def test_click_chooses_the_marker_and_sky_frees_it(viewer, browser):
    page = viewer()
    row = 210
    x, y = known_objects().xy[row]
    page.point(x, y).click().perform()
    browser.wait_until(lambda: page.said("selected") == f"(0, {row})", "Python knows the object")
    assert np.allclose(eval(page.said("clicked")), (x, y), atol=3)  # noqa: S307 - our own page's tuple
    assert f"object {row}" in page.one('[role="status"]').get_property("textContent")
    page.point(x + 70, y + 50).click().perform()
    browser.wait_until(lambda: page.said("selected") == "None", "Python knows that nothing is chosen")


def test_only_what_was_pressed_on_the_picture_is_a_click(viewer, browser):
    page = viewer()
    page.point(*known_objects().xy[210]).context_click().perform()
    ActionChains(browser, 0).send_keys(Keys.ESCAPE).perform()
    page.point(5, 5).click().perform()
    time.sleep(1.0)  # longer than a click waits for a second one
    browser.wait_until_idle()
    ActionChains(browser, 0).move_to_element(page.one(".readout")).click_and_hold().perform()
    page.point(*known_objects().xy[210]).release().perform()
    time.sleep(1.0)
    browser.wait_until_idle()
    assert page.said("selected") == "None"


def test_marks_are_white_in_the_red_of_night(viewer, browser):
    page = viewer()
    script = """const c = arguments[0]; const [w, h] = [c.width, c.height];
        const d = c.getContext("2d").getImageData(0, 0, w, h).data;
        let n = 0; for (let k = 0; k < d.length; k += 4) n += Math.abs(d[k] - d[k + 2]) > 100;
        return n;"""

    def coloured() -> int:
        return browser.execute_script(script, page.canvas)

    toggle = "document.documentElement.classList.toggle('almagest-night')"
    assert coloured() > 1000
    browser.execute_script(toggle)
    browser.wait_until(lambda: coloured() == 0, "marks have the night's ink")
    browser.execute_script(toggle)
    browser.wait_until(lambda: coloured() > 1000, "marks have their own colours again")


def test_tooltip_says_name_label_score_and_note(viewer):
    page = viewer()
    x, y = known_objects().xy[41]
    page.point(x, y).perform()
    assert page.one(".tip").text.splitlines() == ["object 41", "All · star · score 0.10", "snr: 46"]


def test_what_a_finger_taps_can_be_read_until_the_picture_moves(viewer, browser):
    page = viewer()
    finger = ActionBuilder(browser, mouse=PointerInput(interaction.POINTER_TOUCH, "finger"), duration=0)
    finger.pointer_action.move_to(page.canvas, *page.offset(*known_objects().xy[41]))
    finger.pointer_action.pointer_down().pointer_up()
    finger.perform()
    browser.wait_until(lambda: page.one(".tip").text.startswith("object 41"), "it says what was tapped")
    browser.wait_until(lambda: page.said("selected") != "None", "and it is chosen")
    assert page.one(".tip").is_displayed()
    page.canvas.send_keys("+")
    browser.wait_until(lambda: not page.one(".tip").is_displayed(), "it does not stand beside something else")


def test_a_line_is_picked_along_its_length_and_the_ground_is_read(viewer, browser):
    page = viewer("ground=yes")
    page.point(600, 250).perform()  # on the line, far from its middle
    assert page.one(".tip").text.splitlines()[0] == "ridge"
    page.point(600, 250).click().perform()
    browser.wait_until(lambda: page.said("selected") == "(0, 0)", "the ridge is chosen")
    # Row 0 of the frame is at the bottom, and so is row 0 of the mask.
    for x, y, said in (
        (200, 500, "plain (plain 0.95, ridge 0.05)"),
        (2800, 500, "ridge (ridge 0.98)"),
        (2800, 1700, "unsure (plain 0.50, ridge 0.40)"),
    ):
        page.point(x, y).perform()
        assert page.text("place") == said
    classes = {button.text.partition("\n")[0]: button for button in page.all(".legend .area")}
    assert list(classes) == ["unsure", "plain", "ridge", "valley"]
    assert "25 %" in classes["plain"].text
    before = page.pixels()
    for button in classes.values():
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
    browser.wait_until(lambda: page.pixels() != before, "the ground is bare")
    assert browser.console_errors() == []


def test_selection_by_python_is_brought_into_view(viewer, browser):
    page = viewer()
    page.zoom_in()
    browser.find_element(By.XPATH, "//button[contains(., 'Choose the last')]").click()
    browser.wait_until(lambda: page.said("selected") == f"(0, {OBJECTS - 1})", "it is chosen")
    ActionChains(browser, 0).move_to_element(page.canvas).perform()
    browser.wait_until(lambda: page.text("position").startswith("x 2900"), "it is in the middle")


def test_legend_switches_layers_and_labels(viewer):
    page = viewer()
    buttons = page.all(".legend button")
    assert [button.text.replace("\n", " ") for button in buttons][:3] == ["All 400", "galaxy 100", "star 300"]
    before = page.browser.execute_script("return arguments[0].toDataURL()", page.canvas)
    buttons[0].click()
    assert buttons[0].get_attribute("aria-pressed") == "false"
    page.browser.wait_until(
        lambda: page.browser.execute_script("return arguments[0].toDataURL()", page.canvas) != before,
        "the markers are gone",
    )
    assert [button.is_displayed() for button in buttons[:3]] == [True, False, False], "its labels go with it"
    buttons[0].click()
    buttons[2].click()
    assert [button.get_attribute("aria-pressed") for button in buttons[:3]] == ["true", "true", "false"]
    assert page.all(".legend button b")[0].text == "100"


def test_text_of_layers_is_never_markup(viewer, browser):
    page = viewer()
    assert HOSTILE in [button.find_element(By.TAG_NAME, "span").text for button in page.all(".legend .layer")]
    assert page.all(".legend img, .tip img") == []
    assert browser.title != "broken"


def test_blink_alternates_and_can_be_stopped(viewer, browser):
    page = viewer("mode=blink")
    seen = set()
    browser.wait_until(lambda: seen.add(page.one("figcaption").text) or len(seen) == 2, "both were shown")
    assert seen == {"Known", "Other"}
    page.one('[data-part="play"]').click()
    stopped = page.one("figcaption").text
    time.sleep(1.3)
    assert page.one("figcaption").text == stopped
    page.all(".choices button")[["Other", "Known"].index(stopped)].click()
    assert page.one("figcaption").text != stopped


def test_blink_starts_stopped_for_those_who_asked_for_less_motion(viewer, browser):
    feature = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    page = viewer("mode=blink")
    assert page.one('[data-part="play"]').get_attribute("aria-label") == "Go on blinking"


def test_difference_has_a_scale_about_zero(viewer):
    page = viewer("mode=difference")
    assert page.one("figcaption").text == "Known − Other"
    low, high = page.text("scale-low"), page.text("scale-high")
    assert high == f"{low.removeprefix('−')} adu"
    region = page.zoom_in()
    ActionChains(page.browser, 0).move_to_element_with_offset(page.canvas, 20, 20).perform()
    x, y, value, *_ = page.readout()
    pixels = known_frame().pixels
    column, row = round(x), round(y)
    assert region["x0"] <= column < region["x0"] + region["width"]
    smooth = (pixels[row, column] + pixels[row - 1, column] + pixels[row, column - 1]) / 3
    assert float(value.split()[0].replace("−", "-")) == pytest.approx(pixels[row, column] - smooth, abs=1e-3)


def test_difference_of_other_sizes_says_why_not(viewer, browser):
    viewer("mode=difference&other=small")
    assert "A difference needs frames of one size" in browser.find_element(By.TAG_NAME, "body").text


def test_keyboard_zooms_pans_and_fits(viewer):
    page = viewer()
    where = []
    for key in ["+", Keys.ARROW_RIGHT, "0"]:
        page.canvas.send_keys(key)
        x = float(re.search(r"x (\S+)", page.text("position"))[1])
        where.append(x)
    assert where[1] > where[0] + 50
    assert where[2] == pytest.approx(WIDTH / 2, abs=1)


def test_view_outlives_a_run_of_the_page(viewer, browser):
    page = viewer()
    page.zoom_in()
    ActionChains(browser, 0).move_to_element_with_offset(page.canvas, 300, 100).perform()
    before = page.readout()
    page.browser.execute_script(
        "arguments[0].dispatchEvent(new Event('change'))", page.one('[data-part="threshold"]')
    )
    browser.wait_until(lambda: page.said("runs") == "2", "the page ran")
    ActionChains(browser, 0).move_to_element_with_offset(page.canvas, 301, 100).perform()
    ActionChains(browser, 0).move_to_element_with_offset(page.canvas, 300, 100).perform()
    assert page.readout() == before


def test_full_screen_keeps_the_filter_of_the_night_mode(viewer, browser):
    page = viewer()
    browser.execute_script(
        """document.body.insertAdjacentHTML("beforeend", `<svg width="0" height="0">
          <filter id="night">
            <feColorMatrix values="1 0 0 0 0  0 0 0 0 0  0 0 0 0 0  0 0 0 1 0"/>
          </filter></svg>`);
        document.documentElement.style.filter = "url(#night)";"""
    )
    page.one('[data-do="fullscreen"]').click()
    browser.wait_until(lambda: page.one(".viewer").rect["width"] > 1400, "it fills the screen")
    time.sleep(0.3)
    colours = np.asarray(Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB"))
    assert colours[..., 0].max() > 100
    assert colours[..., 1:].max() == 0


def test_save_gives_a_png_of_the_view(viewer, browser):
    page = viewer()
    page.one('[data-do="save"]').click()
    path = browser.downloads / "Known.png"
    browser.wait_until(path.exists, "the picture is saved")
    with Image.open(path) as picture:
        assert picture.size[0] == 2 * page.canvas.rect["width"]
        assert np.asarray(picture.convert("L")).std() > 3


@pytest.mark.parametrize("mode", ["single", "side by side", "blink", "difference"])
def test_phone_has_no_horizontal_overflow_and_large_targets(viewer, browser, mode):
    browser.resize(390, 844)
    page = viewer(f"mode={mode}&heat=yes")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert page.one(".viewer").rect["width"] <= 390
    for control in page.all("button, input"):
        if control.is_displayed():
            assert control.rect["height"] >= 40
            assert control.rect["x"] + control.rect["width"] <= 390
