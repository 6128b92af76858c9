"""What holds for every page: it opens with something on it, in both faces, and says no error."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.ui.shell import PAGES


@pytest.mark.parametrize("face", ["Explore", "Research"])
@pytest.mark.parametrize("page", [link.path for link in PAGES])
def test_it_opens(app: AppTest, page: str, face: str) -> None:
    app.switch_page(page).run()
    app.segmented_control(key="face").set_value(face).run()
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert any("almagest-lead" in html.body for html in app.main.get("html")), "no sentence on top"


def test_the_face_stays_when_the_page_changes(app: AppTest) -> None:
    app.segmented_control(key="face").set_value("Research").run()
    app.switch_page("pages/frames.py").run()
    assert app.segmented_control(key="face").value == "Research"
