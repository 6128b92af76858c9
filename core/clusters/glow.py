"""Where a frame glows: crowds whose stars blend into one light, of which too few are found to be counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.clusters.scan import CELLS as COUNTED_CELLS
from core.clusters.scan import LARGEST_SHARE, LEAST_INSIDE, LEAST_RING, RING_STEPS, STEP, Excess, areas, discs
from core.clusters.significance import li_ma

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

CELLS = COUNTED_CELLS // 4
CLIP_SIGMA = 8.0
"""Light above this many times the noise of a pixel counts as this much: one bright star is no crowd."""
SMALLEST_FWHM = 4.0
"""Smallest radius of a glow over the width of a star."""
LEAST_SIGMA = 10.0
"""Least excess of a glow over the ring around it, in the scatter of such excesses over the frame: bright
stars and uneven skies make more large ones than a normal distribution has."""


HALO_STEPS = 4
"""The outskirts of a glow, where its stars are found one by one, reach to 2.4 times its radius."""
LEAST_HALO_SIGMA = 2.5
"""Least excess of stars there: galaxies and knots of nebulae have none."""


def glows(grey: Float32, xy: Float64, fwhm_px: float) -> list[Excess]:
    """Circles that are brighter than the ring around them, the clearest first.

    Args:
        grey: ``(H, W)`` brightness; NaN where there is none.
        xy: ``(N, 2)`` places of the stars that were found, to say how many there are.
        fwhm_px: Width of the stars.
    """
    from scipy.ndimage import maximum_filter
    from scipy.stats import norm

    light, covered, cell = clipped_light(grey)
    smallest = max(SMALLEST_FWHM * fwhm_px, 1.6 * cell)
    largest = LARGEST_SHARE * min(grey.shape)
    if largest <= smallest:
        return []
    sizes = 1 + int(np.log(largest / smallest) / np.log(STEP))
    radii = np.asarray(smallest * STEP ** np.arange(sizes + RING_STEPS[1]), float)
    shine, area = discs(light * covered, radii / cell), discs(covered, radii / cell)
    found = []
    for size in range(sizes):
        inner, near, outer = size + RING_STEPS[0], size + HALO_STEPS, size + RING_STEPS[1]
        whole = np.pi * (radii[size] / cell) ** 2
        ring = area[outer] - area[inner]
        usable = (ring >= LEAST_RING * whole) & (area[size] >= LEAST_INSIDE * whole)
        if np.count_nonzero(usable) < 20:
            continue
        excess = np.where(
            usable,
            shine[size] / np.maximum(area[size], 1e-9)
            - (shine[outer] - shine[inner]) / np.maximum(ring, 1e-9),
            -np.inf,
        )
        low, middle = np.quantile(excess[usable], [0.16, 0.5])
        sigma = (excess - middle) / max(float(middle - low), 1e-12)
        peaks = (sigma >= LEAST_SIGMA) & (
            sigma >= maximum_filter(sigma, 2 * int(0.5 * radii[size] / cell) + 1)
        )
        for row, column in zip(*np.nonzero(peaks), strict=True):
            x, y = (column + 0.5) * cell - 0.5, (row + 0.5) * cell - 0.5
            away = np.hypot(xy[:, 0] - x, xy[:, 1] - y)
            here = [float(each[row, column]) for each in (area[size], area[near], area[outer])]
            own_stars, halo, field = (
                int(np.count_nonzero((away > low) & (away <= high)))
                for low, high in ((0.0, radii[size]), (radii[size], radii[near]), (radii[near], radii[outer]))
            )
            part = (here[1] - here[0]) / max(here[2] - here[1], 1e-9)
            if float(li_ma(halo, field, part)) < LEAST_HALO_SIGMA:
                continue
            trials = float(covered.sum()) / whole * sizes
            own = float(sigma[row, column])
            found.append(
                Excess(
                    x=float(x),
                    y=float(y),
                    radius=float(radii[size]),
                    n_stars=len(xy),
                    n_on=own_stars,
                    n_expected=field * here[0] / max(here[2] - here[1], 1e-9),
                    sigma=own,
                    log_chance=float(norm.logsf(own) + np.log(max(trials, 1.0))),
                )
            )
    return sorted(found, key=lambda one: (-one.sigma, one.y, one.x))


def clipped_light(grey: Float32) -> tuple[Float64, Float64, float]:
    """Mean light of cells over the sky, in noise of a pixel and clipped; the covered part; side of a cell."""
    height, width = grey.shape
    cell = max(1.0, float(np.sqrt(height * width / CELLS)))
    covered = np.isfinite(grey)
    sky = float(np.median(grey[covered]))
    below = sky - grey[covered & (grey < sky)]
    step = np.abs(np.diff(grey, axis=1))
    fine = float(np.nanmedian(step)) / 0.954
    noise = max(1.4826 * float(np.median(below)) if len(below) else 0.0, fine, 1e-9)
    above = np.clip(np.nan_to_num((grey - sky) / noise), -CLIP_SIGMA, CLIP_SIGMA)
    open_to = areas(covered.astype(np.float32), cell)
    light = areas(np.where(covered, above, 0.0).astype(np.float32), cell) / np.maximum(open_to, 1e-6)
    return light, open_to, cell


def glowing_spots(grey: Float32) -> tuple[Float64, Float64]:
    """``(N, 2)`` places of cells and ``(N,)`` their light over the sky, as :func:`glows` counts it."""
    light, covered, cell = clipped_light(grey)
    rows, columns = np.nonzero(covered > 0)
    places = np.column_stack([columns + 0.5, rows + 0.5]) * cell - 0.5
    return places, (light * covered)[rows, columns]
