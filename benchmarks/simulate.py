"""Drawing stars against a loop that lets GalSim draw each by an FFT: time, and the largest difference.

``python -m benchmarks.simulate`` prints tables and writes ``benchmarks/results/simulate.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import galsim
import numpy as np
from numpy.typing import NDArray

from core.simulate.catalogue_scene import scene_stars
from core.simulate.groups import Camera, Seeing, Telescope
from core.simulate.presets import PRESETS
from core.simulate.psf import FieldPsf
from core.simulate.render import render
from core.simulate.scene import ARCSEC_PER_RADIAN, Scene
from core.simulate.stamps import ring_maxima
from core.simulate.stars import Stars, add_stars

RESULTS = Path(__file__).parent / "results" / "simulate.json"
SIDE, N_STARS = 2048, 5000
NOISE_E = 15.0
FAINTEST_E, BRIGHTEST_E = 60.0, 1e6
COUNT_SLOPE = 0.75
"""Of the logarithm of the number of stars brighter than a flux against that of the flux."""
EDGE_SIGMA = 0.002
PREVIEW_SIDE = 512
RATIO_BAR, DIFFERENCE_BAR, PREVIEW_BAR_S = 3.0, 0.01, 0.5

STAR_IMAGES = {
    "Moffat, FWHM 3 px": Seeing(fwhm_arcsec=3.0),
    "Moffat, FWHM 1.5 px": Seeing(fwhm_arcsec=1.5),
    "Kolmogorov, FWHM 3 px": Seeing(kind="kolmogorov", fwhm_arcsec=3.0),
    "Moffat, trailed by 6 px": Seeing(fwhm_arcsec=3.0, trail_arcsec=6.0, trail_angle_deg=30.0),
    "Moffat, varying over the field": Seeing(fwhm_arcsec=3.0, field_growth=0.4, field_ellipticity=0.2),
}


def scene_of(seeing: Seeing) -> Scene:
    """A frame of one arcsecond a pixel."""
    return Scene(
        telescope=Telescope(focal_mm=4e-3 * ARCSEC_PER_RADIAN),
        camera=Camera(width=SIDE, height=SIDE, pixel_um=4.0),
        seeing=seeing,
    )


def star_list(seed: int) -> Stars:
    """Stars all over the frame, few of them bright, as on the sky."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-0.5, SIDE - 0.5, (2, N_STARS))
    rarest = (BRIGHTEST_E / FAINTEST_E) ** -COUNT_SLOPE
    flux = FAINTEST_E * rng.uniform(rarest, 1.0, N_STARS) ** (-1.0 / COUNT_SLOPE)
    return Stars(x, y, flux[:, None], np.full((N_STARS, 1), NOISE_E**2))


def loop(scene: Scene, stars: Stars, fine: bool) -> NDArray[np.float64]:
    """Every star by GalSim, on a stamp that ends where the star is below :data:`EDGE_SIGMA` of the noise.

    Args:
        scene: Decides the star image.
        stars: The stars.
        fine: Draw with the accuracy Almagest asks GalSim for, and an FFT twice the stamp; otherwise with
            GalSim's defaults, which is faster and leaves ripples around bright stars.
    """
    psf = FieldPsf(scene)
    images = [image.whole for image in psf.images]
    if not fine:
        images = [image.withGSParams(galsim.GSParams()) for image in images]
    profile = ring_maxima(
        images[0].drawImage(nx=1025, ny=1025, scale=1.0, method="no_pixel").array.astype(float)
    )
    profile = np.maximum.accumulate(profile[::-1])[::-1]
    level = EDGE_SIGMA * NOISE_E / stars.flux_e[:, 0]
    half = np.clip(np.searchsorted(-profile, -level), 8, 512)
    light = galsim.ImageD(SIDE, SIDE, xmin=0, ymin=0, scale=1.0, init_value=0.0)
    shares = psf.shares(stars.x, stars.y)
    for i in range(len(stars)):
        for node in np.flatnonzero(shares[i]):
            star = images[node] * float(stars.flux_e[i, 0] * shares[i, node])
            if fine:
                star = star.withGSParams(minimum_fft_size=4 * int(half[i]))
            side = 2 * int(half[i]) + 1
            stamp = star.drawImage(nx=side, ny=side, scale=1.0, center=(stars.x[i], stars.y[i]), dtype=float)
            seen = stamp.bounds & light.bounds
            light[seen] += stamp[seen]
    return np.asarray(light.array)


def ours(scene: Scene, stars: Stars) -> NDArray[np.float64]:
    """Every star by Almagest, signal-to-noise ratios included."""
    light = np.zeros((1, SIDE, SIDE))
    add_stars(light, stars, FieldPsf(scene), np.ones(1))
    return light[0]


def timed(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The median of some runs in seconds, and what the last one gave."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), result


def compare(seeing: Seeing) -> dict[str, float]:
    """Ratios of time and largest differences of one kind of star image."""
    scene, stars = scene_of(seeing), star_list(1)
    ours(scene, stars)  # so that neither pays for imports and GalSim's tables
    fast_s, fast = timed(lambda: ours(scene, stars), 5)
    plain_s, plain = timed(lambda: loop(scene, stars, fine=False), 1)
    fine_s, fine = timed(lambda: loop(scene, stars, fine=True), 1)
    return {
        "seconds": fast_s,
        "ratio_default": plain_s / fast_s,
        "ratio_fine": fine_s / fast_s,
        "difference_default_sigma": float(np.abs(fast - plain).max() / NOISE_E),
        "difference_fine_sigma": float(np.abs(fast - fine).max() / NOISE_E),
    }


def preview(name: str, repeats: int) -> dict[str, float]:
    """Seconds to render the middle 512² of a preset with the stars of the catalogue."""
    scene = PRESETS[name].cropped(PREVIEW_SIDE, PREVIEW_SIDE)
    stars = scene_stars(scene).table
    render(scene, stars)
    return {"n_stars": len(stars), "seconds": timed(lambda: render(scene, stars), repeats)[0]}


def measure(repeats: int) -> dict[str, Any]:
    """Everything, as plain values."""
    return {
        "side": SIDE,
        "n_stars": N_STARS,
        "noise_e": NOISE_E,
        "stars": {name: compare(seeing) for name, seeing in STAR_IMAGES.items()},
        "preview": {name: preview(name, repeats) for name in PRESETS},
    }


def as_markdown(results: dict[str, Any]) -> str:
    """The results as tables."""
    lines = [
        "| star image | time of the loop over ours | same, fine | largest difference from the fine loop |",
        "|---|---|---|---|",
    ]
    for name, row in results["stars"].items():
        lines.append(
            f"| {name} | {row['ratio_default']:.0f} | {row['ratio_fine']:.0f} "
            f"| {row['difference_fine_sigma']:.4f} σ |"
        )
    lines += ["", f"| preset, {PREVIEW_SIDE}² | stars | seconds |", "|---|---|---|"]
    lines += [
        f"| {name} | {row['n_stars']:,} | {row['seconds']:.2f} |" for name, row in results["preview"].items()
    ]
    lines += [
        "",
        f"Bars: ratio ≥ {RATIO_BAR:g}, difference < {DIFFERENCE_BAR:g} σ, preview ≤ {PREVIEW_BAR_S:g} s.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="timed previews of each preset")
    options = parser.parse_args()
    results = measure(options.repeats)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(results))


if __name__ == "__main__":
    main()
