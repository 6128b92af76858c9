"""Time the frame viewer against Plotly in real Chromium.

    python -m benchmarks.viewer

Each case is a fresh page on a frame that no cache knows. Prints a table and writes
``benchmarks/results/viewer.json``. Needs Chromium and chromedriver; drawing is in software, so frame
times are those of a machine without a GPU.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.conftest import CHROMIUM_FLAGS

HERE = Path(__file__).parent
CASES = (
    ("component", 4096, 5_000),
    ("plotly-picture", 4096, 5_000),
    ("plotly-values", 4096, 5_000),
    ("component", 4096, 50_000),
    ("component", 8192, 5_000),
)
VISITS = 3
DRAG_STEPS = 60
FLAGS = (*CHROMIUM_FLAGS, "--enable-unsafe-swiftshader", "--window-size=1440,900")
# Watches from before the page's own scripts: notes when the picture was first on the screen.
WATCH = """
window.bench = { drawn: 0, frames: [] };
const find = () => {
  for (const host of document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')) {
    if (host.hasAttribute('data-drawn')) return host.shadowRoot.querySelector('canvas');
  }
  const plot = document.querySelector('.js-plotly-plot');
  return plot?.querySelector('.imagelayer image, .heatmaplayer image') && plot.querySelector('.nsewdrag');
};
let last = 0;
const look = (now) => {
  window.bench.target = find();
  if (!window.bench.drawn && window.bench.target) window.bench.drawn = Date.now();
  if (last) window.bench.frames.push(now - last);
  last = now;
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


@contextmanager
def server() -> Iterator[str]:
    """The page's address, while it is served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(HERE / "viewer_app.py"),
        "--server.headless=true",
    ]
    command += [f"--server.port={port}", "--server.fileWatcherType=none"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    process = subprocess.Popen(command, cwd=HERE.parent, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()  # noqa: S310
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A fresh browser that logs its network traffic."""
    profile = tempfile.mkdtemp()
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def traffic(driver: webdriver.Chrome) -> tuple[int, int]:
    """Bytes that came since the last call: over the websocket, and over HTTP (the page's own files)."""
    socket_bytes = http_bytes = 0
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.webSocketFrameReceived":
            socket_bytes += len(message["params"]["response"]["payloadData"]) * 3 // 4
        elif message["method"] == "Network.loadingFinished":
            http_bytes += int(message["params"]["encodedDataLength"])
    return socket_bytes, http_bytes


def wait(driver: webdriver.Chrome, script: str, seconds: float = 60) -> Any:
    """What ``script`` returns, once that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = driver.execute_script(script)
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(script)


def drag(driver: webdriver.Chrome, target: WebElement) -> list[float]:
    """Milliseconds between the frames on the screen while the picture is dragged about."""
    box = driver.execute_script(
        "const b = arguments[0].getBoundingClientRect(); return [b.x, b.y, b.width, b.height]", target
    )
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    mouse = {"button": "left", "buttons": 1, "clickCount": 1}
    for turn in (-240,) * 2:
        wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": turn}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    time.sleep(1.5)
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mousePressed", "x": x, "y": y, **mouse})
    driver.execute_script("window.bench.frames = []")
    for step in range(DRAG_STEPS):
        at = {"x": x + 3 * step, "y": y + step}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **at, **mouse})
    frames: list[float] = driver.execute_script("return window.bench.frames")
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseReleased", **at, **mouse})
    return frames


def change_threshold(driver: webdriver.Chrome, viewer: str) -> float:
    """Milliseconds from moving the slider by one step to the markers drawn anew."""
    if viewer == "component":
        script = """
            const done = arguments[0];
            const slider = window.bench.target.getRootNode().querySelector('[data-part="threshold"]');
            const began = performance.now();
            slider.value = 0.5;
            slider.dispatchEvent(new Event('input'));
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));"""
        return float(driver.execute_async_script(script))
    points = "document.querySelector('.js-plotly-plot')?.data?.at(-1).x"
    driver.execute_script(
        f"""let before = 0;
        const size = () => {{ const x = {points}; return x ? x.length ?? x.bdata.length : before; }};
        before = size();
        window.bench.changed = 0;
        document.addEventListener('keydown', () => {{
          const began = performance.now();
          const done = () => {{ window.bench.changed = performance.now() - began; }};
          const look = () => {{
            if (size() === before) requestAnimationFrame(look);
            else requestAnimationFrame(() => setTimeout(done));
          }};
          look();
        }}, {{ once: true, capture: true }});"""
    )
    driver.find_element(By.CSS_SELECTOR, '[data-testid="stSlider"] input').send_keys(Keys.ARROW_RIGHT)
    return float(wait(driver, "return window.bench.changed"))


def open_page(driver: webdriver.Chrome, url: str, viewer: str, side: int, markers: int, number: int) -> int:
    """Open the page and give when its picture was drawn, in ms of the clock."""
    driver.get(
        f"{url}/?viewer={viewer}&side={side}&markers={markers}&visit={viewer}-{side}-{markers}-{number}"
    )
    return int(wait(driver, "return window.bench.drawn"))


def visit(url: str, viewer: str, side: int, markers: int, number: int) -> dict[str, float]:
    """One fresh browser on one fresh frame."""
    with chromium() as driver:
        drawn = open_page(driver, url, viewer, side, markers, number)
        began = int(wait(driver, "return document.querySelector('[data-began]')?.dataset.began"))
        time.sleep(1.5)
        socket_bytes, http_bytes = traffic(driver)
        changed = change_threshold(driver, viewer)
        time.sleep(1)
        moved = drag(driver, driver.execute_script("return window.bench.target"))
    return {
        "drawn_s": (drawn - began) / 1000,
        "websocket_mb": socket_bytes / 1e6,
        "http_mb": http_bytes / 1e6,
        "frame_ms": statistics.median(moved),
        "slowest_frames_ms": sorted(moved)[int(0.95 * (len(moved) - 1))],
        "threshold_ms": changed,
    }


def main() -> None:
    """Time every case, print the table, write the figures."""
    rows = []
    with server() as url:
        for viewer, side, markers in CASES:
            with chromium() as driver:  # so that libraries are imported and the field is simulated
                open_page(driver, url, viewer, side, markers, -1)
            visits = [visit(url, viewer, side, markers, number) for number in range(VISITS)]
            medians = {name: round(statistics.median(one[name] for one in visits), 3) for name in visits[0]}
            rows.append({"viewer": viewer, "side_px": side, "markers": markers, **medians})
    print("| viewer | frame | markers | drawn s | websocket MB | files MB | frame ms (95 %) | threshold ms |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['viewer']} | {row['side_px']}² | {row['markers']:,} | {row['drawn_s']:.2f} "
            f"| {row['websocket_mb']:.2f} | {row['http_mb']:.2f} | {row['frame_ms']:.0f} "
            f"({row['slowest_frames_ms']:.0f}) | {row['threshold_ms']:.0f} |"
        )
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "viewer.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
