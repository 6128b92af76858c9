"""Time the star page in real Chromium, from a file dropped on it to its stars drawn.

    python -m benchmarks.page

Every visit uploads a frame no cache and no store has seen: 1024 × 1024 px with 1,500 simulated stars,
as a FITS file of 32-bit numbers. Every method runs. Also measures how long the first page of a new server
takes, and its resident memory after every page and every method. Prints a table and writes
``benchmarks/results/page.json``. Needs Chromium and chromedriver.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from astropy.io import fits

from core.methods import methods
from core.ui.shell import PAGES
from tests.browser.conftest import ROOT, Browser, serve, start_browser
from tests.skies import star_field

VISITS = 5
WATCH = """
const find = () => {
  for (const host of document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')) {
    if (host.hasAttribute("data-drawn")) return host;
  }
  return null;
};
const before = find()?.getAttribute("data-drawn");
window.drawnAt = null;
const timer = setInterval(() => {
  const host = find();
  const lead = document.querySelector(".almagest-lead")?.textContent ?? "";
  const count = lead.match(/^[\\d,]+/)?.[0];
  if (!host || host.getAttribute("data-drawn") === before || !count) return;
  if (!host.shadowRoot.textContent.includes(count)) return;
  const runs = document.querySelector('[data-testid="stMain"]').textContent.match(/run just now/g) ?? [];
  if (runs.length < arguments[0]) return;
  window.drawnAt = Date.now();
  clearInterval(timer);
}, 10);
"""
"""Notes when another picture is drawn, its legend counts the stars the page speaks of, and so many ran."""


def upload_seconds(browser: Browser, url: str, path: Path) -> float:
    """Seconds from giving the file to the page until picture and stars are on the screen."""
    browser.visit(f"{url}/stars")
    browser.wait_until(
        lambda: "stars" in browser.find_element("css selector", ".almagest-lead").text, "stars"
    )
    browser.find_element("xpath", "//button[.//p[normalize-space(.)='Open your own file']]").click()
    field = browser.wait_for("[data-testid=stFileUploaderDropzoneInput]")
    browser.wait_until_idle()
    browser.execute_script(WATCH, len(methods("stars")))
    start = time.time()
    field.send_keys(str(path))
    drawn = browser.wait_until(lambda: browser.execute_script("return window.drawnAt"), "stars are drawn")
    return float(drawn) / 1000 - start


def resident_mb() -> float:
    """Memory of the one Streamlit server below this process, in MB."""
    servers = [child for child in psutil.Process().children() if "streamlit" in " ".join(child.cmdline())]
    return sum(server.memory_info().rss for server in servers) / 1e6


def main() -> None:
    """Measure, print and write."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        raise SystemExit("This benchmark needs chromium and chromedriver on the PATH.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (
            serve(ROOT / "Home.py", home, ALMAGEST_STORE=str(home / "store.duckdb")) as url,
            start_browser((binary, driver), home) as browser,
        ):
            start = time.perf_counter()
            browser.visit(url)
            first_page = time.perf_counter() - start
            start = time.perf_counter()
            browser.visit(url)
            front_page_again = time.perf_counter() - start
            seconds = []
            for visit in range(VISITS):
                pixels = star_field(seed=100 + visit, shape=(1024, 1024), n_stars=1500).pixels
                path = home / f"field {visit}.fits"
                fits.PrimaryHDU(pixels).writeto(path)
                seconds.append(upload_seconds(browser, url, path))
            for page in PAGES:
                browser.visit(f"{url}/{page.url}?face=Research")
            memory = resident_mb()
    rows = {
        "upload of a 1024² FITS file to its stars drawn, median": f"{statistics.median(seconds):.2f} s",
        "the same, slowest": f"{max(seconds):.2f} s",
        "front page, first visit to a server just started": f"{first_page:.1f} s",
        "front page, second visit": f"{front_page_again:.2f} s",
        "server's memory after every page and every method": f"{memory:.0f} MB",
    }
    print("| what | measured |\n|---|---|")
    for what, measured in rows.items():
        print(f"| {what} | {measured} |")
    results = {
        "upload_s": seconds,
        "first_page_s": first_page,
        "front_page_again_s": front_page_again,
        "resident_mb": memory,
    }
    target = Path(__file__).parent / "results" / "page.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
