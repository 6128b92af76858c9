"""Real Chromium on a real server: what every browser test starts from.

Each test gets a browser with its own profile. The server of a script runs once for the whole session,
since a page load is a session of its own to Streamlit; the dashboard runs once a module, with an empty store.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
START_SECONDS = 60
PAGE_SECONDS = 60
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
)
IDLE = """
const app = document.querySelector('[data-testid="stApp"]');
return Boolean(app) && app.dataset.testConnectionState === "CONNECTED"
  && app.dataset.testScriptState === "notRunning"
  && ["stStatusWidget", "stAppSkeleton", "stProgress"].every(
    (name) => !document.querySelector(`[data-testid="${name}"]`)
  );
"""
"""Whether the page is connected, its script has ended, and nothing runs or is still to come."""


class Browser(webdriver.Chrome):
    """Chromium with the few things that tests of a Streamlit page ask of it."""

    downloads: Path

    def visit(self, url: str) -> None:
        """Open a page and wait until its script has ended."""
        self.get(url)
        self.wait_until_idle()

    def wait_until(self, condition: Callable[[], Any], what: str, seconds: float = PAGE_SECONDS) -> Any:
        """Wait until ``condition()`` is true and give what it returned."""
        return WebDriverWait(self, seconds, poll_frequency=0.05).until(
            lambda _: condition(), f"waited {seconds:g} s until {what}"
        )

    def wait_until_idle(self, seconds: float = PAGE_SECONDS) -> None:
        """Wait until the script has not run for a fifth of a second."""
        quiet_since: list[float] = []

        def quiet() -> bool:
            if not self.execute_script(IDLE):
                quiet_since.clear()
                return False
            quiet_since.append(time.monotonic())
            return quiet_since[-1] - quiet_since[0] > 0.2

        self.wait_until(quiet, "the app is idle", seconds)

    def wait_for(self, css: str, seconds: float = PAGE_SECONDS) -> WebElement:
        """Wait for an element of the page (outside shadow roots) and give it."""
        found: WebElement = self.wait_until(
            lambda: next(iter(self.find_elements(By.CSS_SELECTOR, css)), None), f"there is {css}", seconds
        )
        return found

    def resize(self, width: int, height: int) -> None:
        """Make the page's viewport exactly this large, also below the smallest window (phones)."""
        self.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def console_errors(self) -> list[str]:
        """What the page wrote to the console as errors since the last call."""
        # Opened below the root (/stars), Streamlit first looks for its server there and does not find it.
        probes = ("/_stcore/health - Failed to load", "/_stcore/host-config - Failed to load")
        return [
            entry["message"]
            for entry in self.get_log("browser")
            if entry["level"] == "SEVERE" and not any(probe in entry["message"] for probe in probes)
        ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, and keep them on one worker: two Chromiums would fight over two cores."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """On failure, keep a picture of the page, and say where it is, and what the page said."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    driver = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and driver is not None:
        path = item.funcargs["tmp_path"] / "failed.png"  # type: ignore[attr-defined]
        with contextlib.suppress(WebDriverException):
            driver.save_screenshot(str(path))
            report.sections.append(("screenshot", str(path)))
            words = f"{driver.current_url}\n{driver.find_element(By.TAG_NAME, 'body').text}"
            report.sections.append(("page", words))


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Paths of Chromium and its driver; without them tests are skipped, or fail where they are required."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    browser = next((path for name in names if name and (path := shutil.which(name))), None)
    driver = shutil.which(os.environ.get("CHROMEDRIVER", "chromedriver"))
    if browser is not None and driver is not None:
        return browser, driver
    reason = "Chromium and chromedriver are needed on the PATH (or named by CHROMIUM and CHROMEDRIVER)"
    if os.environ.get("CI") or os.environ.get("ALMAGEST_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def start_browser(chromium: tuple[str, str], folder: Path) -> Iterator[Browser]:
    binary, driver_path = chromium
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    options.add_argument("--window-size=1440,900")
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    downloads = folder / "downloads"
    downloads.mkdir()
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A named driver keeps Selenium from asking the network for one.
    driver = Browser(options=options, service=webdriver.ChromeService(driver_path))
    driver.downloads = downloads
    driver.resize(1440, 900)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(folder / "profile", ignore_errors=True)


@pytest.fixture
def browser(chromium: tuple[str, str], tmp_path: Path) -> Iterator[Browser]:
    """Chromium at 1440 × 900 with an empty profile; downloads go to ``browser.downloads``."""
    with start_browser(chromium, tmp_path) as driver:
        yield driver


@pytest.fixture(scope="session")
def new_browser(
    chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], contextlib.AbstractContextManager[Browser]]:
    """Starts another browser, for a fixture that outlives one test or a story of two visitors."""
    return lambda: start_browser(chromium, tmp_path_factory.mktemp("browser"))


@contextlib.contextmanager
def serve(script: Path, folder: Path, **environment: str) -> Iterator[str]:
    """Run a Streamlit script on a free port and give its address; its output goes to ``folder``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    log = folder / f"{script.stem}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_health(server, url, log)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for_health(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"the server of {url} ended by itself:\n{log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310 - own server
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the server of {url} did not start in {START_SECONDS} s:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="module")
def dashboard(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the dashboard, run with an empty store of its own."""
    folder = tmp_path_factory.mktemp("dashboard")
    with serve(ROOT / "Home.py", folder, ALMAGEST_STORE=str(folder / "store.duckdb")) as url:
        yield url


@pytest.fixture(scope="session")
def app(
    chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str | Path], str]]:
    """Serve a small script, by path or by its name in ``apps``: ``app("viewer_app.py")`` is its address."""
    with contextlib.ExitStack() as servers:

        @functools.cache
        def start(script: Path) -> str:
            folder = tmp_path_factory.mktemp(script.stem)
            store = str(folder / "store.duckdb")
            return servers.enter_context(serve(script, folder, ALMAGEST_STORE=store))

        yield lambda script: start((APPS / script).resolve())
