"""The number of a visitor who gives no name: the browser keeps it, or the page where the browser may not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from tests.browser.conftest import Browser

REFUSED = 'Object.defineProperty(window, "localStorage", { get() { throw new DOMException("refused"); } });'
"""As in a page embedded in another, in a browser that keeps no cookies of third parties."""


def number(browser: Browser) -> str:
    """The number that the page shows, once it has one."""
    shown = 'return document.querySelector(\'[data-testid="stText"]\')?.innerText ?? ""'
    found = browser.wait_until(
        lambda: re.fullmatch("visitor ([0-9a-f]{8})", browser.execute_script(shown)), "there is a number"
    )
    return str(found[1])


@pytest.mark.parametrize("stored", [True, False])
def test_a_visitor_keeps_one_number(browser: Browser, app: Callable[[str], str], stored: bool) -> None:
    if not stored:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": REFUSED})
    browser.visit(app("visitor_app.py"))
    first = number(browser)
    for _ in range(2):
        browser.wait_for("button[kind=secondary]").click()
        time.sleep(0.5)
        browser.wait_until_idle()
        assert number(browser) == first
    if stored:
        browser.refresh()
        assert number(browser) == first
