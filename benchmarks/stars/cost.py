"""What finding stars costs: milliseconds a frame and peak memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sep
from numpy.typing import NDArray

from benchmarks.stars import plain
from benchmarks.stars.rivals import Rival, View
from core.frames import Frame
from core.methods import get_method

TIMED_SIDES = {512: 2500, 1024: 10_000}
"""Side in pixels and number of stars of the frames that are timed; one in eight stands out of the noise."""
MEMORY_SIDE = 8192
MEMORY_LIMIT_GB = 3.0
TIME_RATIO_LIMIT = 3.0

_OF_A_RIVAL = """
import re, sys
import numpy as np
from benchmarks.stars.rivals import View, rivals
from core.frames import Frame
rival = rivals(only=sys.argv[1])[sys.argv[1]]
view = View(Frame.from_array(np.load(sys.argv[2])))
rival.find(view, float(sys.argv[3]))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
_OF_A_LARGE_FILE = """
import re, sys, time
from core.frames.read import read_frame
from core.methods import get_method
start = time.perf_counter()
frame = read_frame(sys.argv[1])
result = get_method("stars.sep").run(frame)
peak_kb = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(peak_kb, time.perf_counter() - start, len(result.detections))
"""


def timed_frame(side: int) -> NDArray[np.float32]:
    """``(side, side)`` pixels of a plain field that nothing else uses."""
    return plain.draw_plain(2**29 - 2 * side, side, TIMED_SIDES[side]).pixels


def milliseconds(rival: Rival, threshold: float, side: int, repeats: int) -> float:
    """Median time for one frame; the star image is measured on the frame where the rival wants one."""
    frame = Frame.from_array(timed_frame(side))
    rival.find(View(frame), threshold)  # imports and caches
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        rival.find(View(frame), threshold)
        seconds.append(time.perf_counter() - start)
    return 1000.0 * float(np.median(seconds))


def peak_mb(rival: Rival, threshold: float, side: int) -> float:
    """Peak memory of a fresh process that finds the stars of one frame, libraries included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.npy"
        np.save(path, timed_frame(side))
        done = _python(_OF_A_RIVAL, rival.name, str(path), repr(threshold))
    return int(done) / 1024.0


def costs(rival: Rival, threshold: float, repeats: int) -> dict[str, Any]:
    """Time at each size, and memory at the larger."""
    sides = list(TIMED_SIDES)
    return {
        "ms": {str(side): milliseconds(rival, threshold, side, repeats) for side in sides},
        "peak_mb": {str(sides[-1]): peak_mb(rival, threshold, sides[-1])},
    }


def direct(pixels: NDArray[np.float32], threshold: float) -> NDArray[np.float64]:
    """``(K, 2)`` places by ``sep`` as its manual shows it, with the true star image as its filter.

    Background, subtraction, extraction, and aperture photometry with errors: nothing else.
    """
    background = sep.Background(pixels)
    data = pixels - background.back()
    kernel = plain.moffat_kernel(plain.FWHM_PX, plain.BETA)
    objects = sep.extract(data, threshold, err=background.globalrms, filter_kernel=kernel)
    sep.sum_circle(data, objects["x"], objects["y"], plain.FWHM_PX, err=background.globalrms)
    return np.column_stack([objects["x"], objects["y"]])


def time_ratio(side: int, repeats: int) -> dict[str, float]:
    """Median seconds of ``stars.sep`` and of ``sep`` directly, in turns: they share the machine's mood."""
    pixels = timed_frame(side)
    method = get_method("stars.sep")
    seconds: dict[str, list[float]] = {"ours": [], "direct": []}
    runs: Mapping[str, Callable[[], Any]] = {
        "ours": lambda: method.run(Frame.from_array(pixels)),
        "direct": lambda: direct(pixels, 0.8),
    }
    for run in runs.values():
        run()  # imports and caches
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    return {
        "side": side,
        "n_stars": TIMED_SIDES[side],
        **medians,
        "ratio": medians["ours"] / medians["direct"],
    }


def large_memory(side: int) -> dict[str, float]:
    """Peak memory of a fresh process that reads a FITS frame and runs ``stars.sep`` on it."""
    from astropy.io import fits

    tile = timed_frame(1024)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.fits"
        times = -(-side // 1024)
        fits.PrimaryHDU(np.tile(tile, (times, times))[:side, :side]).writeto(path)
        peak_kb, seconds, n = _python(_OF_A_LARGE_FILE, str(path)).split()
    return {"side": side, "peak_gb": int(peak_kb) / 1024**2, "seconds": float(seconds), "n_stars": int(n)}


def _python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code, *arguments]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)  # noqa: S603
    return done.stdout
