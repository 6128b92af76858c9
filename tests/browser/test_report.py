"""A report with live charts as a browser shows it."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from selenium.webdriver.common.by import By

from core.export.report import Chart, Report, Section, write_html
from tests.browser.conftest import Browser


def test_charts_keep_to_their_columns(browser: Browser, tmp_path: Path) -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1]), {"height": 300})
    # The first carries the library, and draws itself before the second is there.
    bodies = [figure.to_html(full_html=False, include_plotlyjs=place == 0) for place in range(2)]
    report = Report("Two charts", "Side by side.", [Section("", [Chart("One", each, "") for each in bodies])])
    path = tmp_path / "report.html"
    path.write_bytes(write_html(report))
    browser.get(path.as_uri())
    browser.wait_until(
        lambda: len(browser.find_elements(By.CSS_SELECTOR, ".plot-container")) == 2, "both are drawn"
    )
    left, right = browser.find_elements(By.CSS_SELECTOR, "figure")
    assert left.location["y"] == right.location["y"]
    for column in (left, right):
        drawn = column.find_element(By.CSS_SELECTOR, ".main-svg")
        assert drawn.size["width"] < column.size["width"] + 1.0
