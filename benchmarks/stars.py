"""Star detection against calling ``sep`` directly: F1, time and memory.

``python -m benchmarks.stars`` prints a table and writes ``benchmarks/results/stars.json``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import galsim
import numpy as np
import sep
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import get_method
from core.scoring.matching import match_points

RESULTS = Path(__file__).parent / "results" / "stars.json"
FWHM_PX, BETA, SKY_E, READ_NOISE_E = 3.0, 3.5, 200.0, 5.0
FAINTEST_E, BRIGHTEST_E = 60.0, 60_000.0
SNR_CUTS = (3, 5, 10)
MATCH_PX = 2.0
OURS_THRESHOLDS = (3.0, 3.5, 4.0, 4.5, 5.0, 5.5)
"""In standard deviations of the filtered frame."""
DIRECT_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
"""In standard deviations of the unfiltered frame, as ``sep`` counts; 0.8 is 4.3 of the filtered one."""
MEMORY_SIDE = 8192
MEMORY_LIMIT_GB = 3.0

_MEASURE_MEMORY = """
import resource, sys, time
from core.frames.read import read_frame
from core.methods import get_method
start = time.perf_counter()
frame = read_frame(sys.argv[1])
result = get_method("stars.sep").run(frame)
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak_kb, time.perf_counter() - start, len(result.detections))
"""


@dataclass(frozen=True, eq=False)
class Field:
    """A simulated frame: ``(N, N)`` float32 electrons, ``(M, 2)`` true places and ``(M,)`` their SNR."""

    pixels: NDArray[np.float32]
    xy: NDArray[np.float64]
    snr: NDArray[np.float64]


def simulate(seed: int, side: int, n_stars: int) -> Field:
    """Draw stars with GalSim: Moffat images by FFT, one Poisson pass over image and sky, read noise.

    Fluxes are uniform in magnitude between 60 and 60,000 electrons. The SNR of a star is what weighting
    by its true image would give in its noise (sky, read-out and its own light).
    """
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-0.5, side - 0.5, (n_stars, 2))
    flux = np.exp(rng.uniform(np.log(FAINTEST_E), np.log(BRIGHTEST_E), n_stars))
    psf = galsim.Moffat(beta=BETA, fwhm=FWHM_PX)
    image = galsim.ImageF(side, side, xmin=0, ymin=0, scale=1.0)
    snr = np.empty(n_stars)
    for i, ((x, y), light) in enumerate(zip(xy, flux, strict=True)):
        size = int(np.clip(8 * FWHM_PX * (light / 300) ** 0.25, 24, 160))  # so that no square edge shows
        stamp = psf.withFlux(light).drawImage(center=(x, y), nx=size, ny=size, scale=1.0)
        snr[i] = np.sqrt(np.sum(stamp.array**2 / (SKY_E + READ_NOISE_E**2 + np.maximum(stamp.array, 0))))
        bounds = stamp.bounds & image.bounds
        if bounds.isDefined():
            image[bounds] += stamp[bounds]
    noise = galsim.CCDNoise(galsim.BaseDeviate(seed + 1), sky_level=SKY_E, gain=1.0, read_noise=READ_NOISE_E)
    image.addNoise(noise)
    return Field(image.array + np.float32(SKY_E), xy, snr)


def direct(pixels: NDArray[np.float32], threshold: float) -> NDArray[np.float64]:
    """``(K, 2)`` places by ``sep`` as its manual shows it, with the true star image as its filter.

    Background, subtraction, extraction, and aperture photometry with errors: nothing else.
    """
    background = sep.Background(pixels)
    data = pixels - background.back()
    objects = sep.extract(data, threshold, err=background.globalrms, filter_kernel=true_kernel())
    sep.sum_circle(data, objects["x"], objects["y"], FWHM_PX, err=background.globalrms)
    return np.column_stack([objects["x"], objects["y"]])


def ours(pixels: NDArray[np.float32], threshold: float) -> NDArray[np.float64]:
    """``(K, 2)`` places by ``stars.sep``, which measures the width of the stars itself."""
    method = get_method("stars.sep")
    frame = Frame.from_array(pixels)
    return method.run(frame, method.params(threshold_sigma=threshold)).detections.xy


def true_kernel() -> NDArray[np.float32]:
    """The Moffat image itself, 11 × 11 pixels."""
    return galsim.Moffat(beta=BETA, fwhm=FWHM_PX).drawImage(nx=11, ny=11, scale=1.0).array


def f1(field: Field, found: NDArray[np.float64], snr_cut: float) -> float:
    """F1 of a one-to-one match within 2 px; true stars under the cut are neither hits nor misses."""
    matches = match_points(field.xy, found, MATCH_PX)
    wanted = field.snr >= snr_cut
    hits = int(wanted[matches.truth_index].sum())
    return 2 * hits / (int(wanted.sum()) + hits + len(matches.only_found))


def best_f1(
    fields: Sequence[Field],
    find: Callable[[NDArray[np.float32], float], NDArray[np.float64]],
    thresholds: Sequence[float],
) -> dict[str, dict[str, float]]:
    """For each SNR cut the best mean F1 over the thresholds, its threshold, and its error over fields."""
    scores = np.empty((len(thresholds), len(fields), len(SNR_CUTS)))
    for i, threshold in enumerate(thresholds):
        for j, field in enumerate(fields):
            found = find(field.pixels, threshold)
            scores[i, j] = [f1(field, found, cut) for cut in SNR_CUTS]
    best = scores.mean(axis=1).argmax(axis=0)
    return {
        str(cut): {
            "f1": float(scores[best[i], :, i].mean()),
            "error": float(scores[best[i], :, i].std(ddof=1) / np.sqrt(len(fields))),
            "threshold": float(thresholds[best[i]]),
        }
        for i, cut in enumerate(SNR_CUTS)
    }


def time_ratio(side: int, n_stars: int, repeats: int) -> dict[str, float]:
    """Median seconds of each, taken in turns on one frame so that the machine's mood is shared."""
    pixels = simulate(99, side, n_stars).pixels
    seconds: dict[str, list[float]] = {"ours": [], "direct": []}
    runs: dict[str, Callable[[], Any]] = {
        "ours": lambda: ours(pixels, 4.5),
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
    return {"side": side, "n_stars": n_stars, **medians, "ratio": medians["ours"] / medians["direct"]}


def memory(side: int) -> dict[str, float]:
    """Peak memory of a fresh process that reads a FITS frame and runs ``stars.sep`` on it."""
    from astropy.io import fits

    tile = simulate(7, 1024, 2000).pixels
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.fits"
        times = -(-side // 1024)
        fits.PrimaryHDU(np.tile(tile, (times, times))[:side, :side]).writeto(path)
        command = [sys.executable, "-c", _MEASURE_MEMORY, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    peak_kb, seconds, n = done.stdout.split()
    return {"side": side, "peak_gb": int(peak_kb) / 1024**2, "seconds": float(seconds), "n_stars": int(n)}


def measure(n_fields: int, repeats: int, memory_side: int) -> dict[str, Any]:
    """Everything, as plain values."""
    accuracy = {}
    for name, n_stars in (("sparse, 150 stars", 150), ("crowded, 1,500 stars", 1500)):
        fields = [simulate(seed, 512, n_stars) for seed in range(n_fields)]
        accuracy[name] = {
            "ours": best_f1(fields, ours, OURS_THRESHOLDS),
            "direct": best_f1(fields, direct, DIRECT_THRESHOLDS),
        }
    return {
        "fields": n_fields,
        "f1": accuracy,
        "time": time_ratio(1024, 2000, repeats),
        "memory": memory(memory_side),
    }


def as_markdown(results: dict[str, Any]) -> str:
    """The results as tables."""
    lines = ["| field | SNR ≥ | `sep` directly | `stars.sep` | difference |", "|---|---|---|---|---|"]
    for name, scores in results["f1"].items():
        for cut in map(str, SNR_CUTS):
            a, b = scores["direct"][cut], scores["ours"][cut]
            lines.append(
                f"| {name} | {cut} | {a['f1']:.3f} ± {a['error']:.3f} | {b['f1']:.3f} ± {b['error']:.3f} "
                f"| {b['f1'] - a['f1']:+.3f} |"
            )
    t, m = results["time"], results["memory"]
    lines += [
        "",
        "| measured | value | bar |",
        "|---|---|---|",
        f"| time at {t['side']}², ratio to `sep` directly | {t['ratio']:.2f} | ≤ 3 |",
        f"| peak memory at {m['side']}² ({m['n_stars']:,} stars), reading included | {m['peak_gb']:.2f} GB "
        f"| ≤ {MEMORY_LIMIT_GB:g} GB |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=8, help="simulated frames of each kind")
    parser.add_argument("--repeats", type=int, default=9, help="timed runs of each")
    options = parser.parse_args()
    results = measure(options.fields, options.repeats, MEMORY_SIDE)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(results))


if __name__ == "__main__":
    main()
