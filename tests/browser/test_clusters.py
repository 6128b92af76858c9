"""The cluster page in a real browser: a click on a star selects its cluster in every view."""

from __future__ import annotations

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.conftest import Browser
from tests.browser.test_story import page_says, press

POINTS = ".st-key-clusters-view-{view} .scatterlayer .trace"


def points_of(browser: Browser, view: str, cluster: int) -> list[WebElement]:
    """The points of a cluster in a view: drawn in the order of the clusters, the chosen one last."""
    traces = browser.find_elements(By.CSS_SELECTOR, POINTS.format(view=view))
    return [] if len(traces) < cluster else traces[cluster - 1].find_elements(By.CSS_SELECTOR, ".points path")


def test_a_click_on_a_star_selects_its_cluster_everywhere(browser: Browser, dashboard: str) -> None:
    browser.get(f"{dashboard}/clusters")
    browser.wait_for("[data-testid=stMain]")
    browser.wait_until(lambda: page_says(browser, "1 cluster among"), "the first field is searched", 120)
    press(browser, "Research")
    press(browser, "Table")
    browser.wait_until(lambda: page_says(browser, "2 clusters among"), "the made-up field is searched")
    browser.wait_until_idle()
    assert page_says(browser, "Members of cluster 1")
    # Cluster 1 is chosen and lies on top, so the first trace is cluster 2.
    points = browser.wait_until(lambda: points_of(browser, "colour", 1), "the colours are drawn")
    ActionChains(browser).move_to_element(points[len(points) // 2]).click().perform()
    browser.wait_until(lambda: page_says(browser, "Members of cluster 2"), "the other cluster is chosen")
    browser.wait_until_idle()
    assert browser.console_errors() == []
