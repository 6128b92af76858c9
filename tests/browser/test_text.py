"""Text from people and files in a real browser: as they wrote it."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.apps.text_app import NAMES
from tests.browser.conftest import Browser


def test_names_are_shown_letter_for_letter(browser: Browser, app: Callable[[str], str]) -> None:
    browser.visit(app("text_app.py"))
    browser.wait_for('[data-testid="stMarkdownContainer"]')
    script = """return [...document.querySelectorAll('[data-testid="stMarkdownContainer"] p')].map(
        (shown) => [shown.textContent, shown.childElementCount]);"""
    shown = [(text.replace("\N{WORD JOINER}", ""), inside) for text, inside in browser.execute_script(script)]
    assert shown == [(name, 0) for name in NAMES]
