"""Where stars stand closer together than around: circles of every size, each against the ring around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clusters.significance import li_ma

Float64 = NDArray[np.float64]

CELLS = 65_536
"""About as many cells are looked at: 256 a side of a square frame."""
SMALLEST_PX, SMALLEST_CELLS = 4.0, 1.6
"""Smallest radius that is looked for: less holds no ten stars that could be told apart."""
LARGEST_SHARE = 0.36
"""Largest radius over the frame's shorter side: a larger cluster leaves no field beside it."""
STEP = 1.25
"""From one radius to the next."""
RING_STEPS = (2, 7)
"""The ring reaches from so many steps beyond the circle to so many: 1.6 to 4.8 times its radius."""
LEAST_RING = 0.7
"""Least area of the ring that is on the frame, over that of the circle."""
LEAST_INSIDE = 0.4
"""Least part of a circle that is on the frame."""
FIRST_SIGMA = 3.5
BRIGHTEST = (1.0, 0.3, 0.1, 0.03, 0.01)
"""Parts of the stars, the brightest, that are looked at."""
EVEN = 1.2
"""Unevenness of a field, over that of chance, up to which it is taken to be even."""
MOST_PER_SIZE = 200
TRIALS = 5.0
"""Independent places for each circle's area that fits into the frame: circles that overlap count in part. In
frames of 100 to 5,000 stars at random places, one in twenty then shows a circle of chance 0.05 or less."""


@dataclass(frozen=True)
class Excess:
    """A circle that holds more stars than the ring around it.

    Attributes:
        x, y: Its middle.
        radius: Its radius.
        n_stars: So many of the brightest stars were looked at.
        n_on: Of them inside.
        n_expected: Of them the ring's density gives there.
        sigma: Its significance by itself, in standard deviations of a normal distribution.
        log_chance: Natural logarithm of how many circles of a frame without clusters would be as unlikely.
    """

    x: float
    y: float
    radius: float
    n_stars: int
    n_on: int
    n_expected: float
    sigma: float
    log_chance: float


def scan(xy: Float64, covered: NDArray[np.bool_], *, most_chance: float, fewest: int) -> list[Excess]:
    """Circles that hold more stars than chance gives, the least likely first; many may show one cluster.

    Every place and every radius is tried, with all stars and with only the bright ones, among which a near
    cluster stands out of a deep frame. That so much is tried makes a large excess somewhere likely: the
    probability of each, by itself, is multiplied with the number of independent circles of its size in the
    frame, and with the numbers of sizes and of limits of brightness. Where the field is more uneven than
    chance makes it (clouds of dust, nebulae), excesses count in units of that unevenness.

    Args:
        xy: ``(N, 2)`` places in pixels, the brightest star first.
        covered: ``(H, W)`` where there is a measurement.
        most_chance: Most chance circles of a frame that are put up with.
        fewest: Fewest stars inside beyond those expected.

    References:
        Li & Ma 1983, ApJ 272, 317 (the ratio); Kulldorff 1997, CSTM 26, 1481 (the scan); Gross & Vitells
        2010, EPJC 70, 525 (trials).
    """
    height, width = covered.shape
    cell = max(1.0, float(np.sqrt(height * width / CELLS)))
    radii = _radii(min(height, width), cell)
    open_to = areas(covered.astype(np.float32), cell)
    area = discs(open_to, radii / cell)
    numbers = [n for share in BRIGHTEST if (n := int(share * len(xy))) >= max(fewest, 1)]
    sizes = len(radii) - RING_STEPS[0] - 1
    trials = TRIALS * len(numbers) * sizes * float(open_to.sum())
    found = []
    for number in numbers:
        stars = discs(_counts(xy[:number], open_to.shape, cell), radii / cell)
        for size in range(sizes):
            for row, column, about in _peaks(stars, area, radii / cell, size, fewest, trials):
                if about[3] <= np.log(most_chance):
                    x, y = (column + 0.5) * cell - 0.5, (row + 0.5) * cell - 0.5
                    on, expected, sigma, log_chance = about
                    found.append(Excess(x, y, float(radii[size]), number, on, expected, sigma, log_chance))
    return sorted(found, key=lambda one: (one.log_chance, one.y, one.x))


def _peaks(
    stars: list[Float64], area: list[Float64], radii: Float64, size: int, fewest: int, trials: float
) -> list[tuple[int, int, tuple[int, float, float, float]]]:
    """Row, column, and (stars inside, stars expected, significance, log of the chance) of circles of one size
    that stand out more than their neighbours; lengths are in cells."""
    from scipy.ndimage import maximum_filter
    from scipy.stats import norm

    inner, outer = size + RING_STEPS[0], min(size + RING_STEPS[1], len(radii) - 1)
    n_off, a_off = stars[outer] - stars[inner], area[outer] - area[inner]
    whole = np.pi * radii[size] ** 2
    usable = (a_off >= LEAST_RING * whole) & (area[size] >= LEAST_INSIDE * whole)
    if not usable.any():
        return []
    alpha = np.where(usable, area[size] / np.maximum(a_off, 1e-9), 1.0)
    sigma = np.where(usable, li_ma(np.maximum(stars[size], 0.0), np.maximum(n_off, 0.0), alpha), 0.0)
    low, middle = np.quantile(sigma[usable], [0.16, 0.5])
    unevenness = max(float(middle - low), 1.0)
    sigma[stars[size] - alpha * n_off < fewest] = 0.0
    reach = 2 * int(0.5 * radii[size]) + 1
    peaks = (sigma >= FIRST_SIGMA * unevenness) & (sigma >= maximum_filter(sigma, reach))
    rows, columns = np.nonzero(peaks)
    order = np.argsort(-sigma[rows, columns], kind="stable")[:MOST_PER_SIZE]
    log_trials = float(np.log(trials / whole))
    found = []
    for row, column in zip(rows[order], columns[order], strict=True):
        on, off, ratio = stars[size][row, column], n_off[row, column], alpha[row, column]
        tail = _log_tail(on, off, ratio)
        if unevenness > EVEN:
            tail = max(tail, float(norm.logsf(sigma[row, column] / unevenness)))
        about = (round(float(on)), float(ratio * off), float(sigma[row, column]), tail + log_trials)
        found.append((int(row), int(column), about))
    return found


def _radii(side: float, cell: float) -> Float64:
    """Radii of all circles and rings, smallest first; the last few are only edges of rings."""
    smallest = max(SMALLEST_PX, SMALLEST_CELLS * cell)
    count = 1 + max(int(np.log(LARGEST_SHARE * side / smallest) / np.log(STEP)), 0)
    return np.asarray(smallest * STEP ** np.arange(count + RING_STEPS[1]))


def _counts(xy: Float64, shape: tuple[int, int], cell: float) -> Float64:
    """Stars in each cell."""
    column, row = np.clip(((xy + 0.5) / cell).astype(int).T, 0, np.array(shape[::-1])[:, None] - 1)
    counts = np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(float)


def areas(values: NDArray[np.float32], cell: float) -> Float64:
    """Sums of ``(H, W)`` pixels over square cells, over a whole one's area; of ones, the part on the frame.

    Args:
        values: Of the pixels.
        cell: Side of a cell in pixels, 1 or more.
    """
    total = values
    for axis, side in enumerate(values.shape):
        cells = (np.arange(side) / cell).astype(int)
        total = np.add.reduceat(total, np.searchsorted(cells, np.arange(cells[-1] + 1)), axis=axis)
    return total.astype(float) / cell**2


def discs(values: Float64, radii: Float64) -> list[Float64]:
    """Sums of the cells within each radius, in cells, of each cell; nothing is beyond the edge."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    reach = int(np.ceil(radii[-1])) + 1
    shape = tuple(next_fast_len(side + min(reach, side), real=True) for side in values.shape)
    spectrum = rfft2(values.astype(np.float32), shape)
    down, across = (np.minimum(np.arange(n), n - np.arange(n)) for n in shape)
    distance = np.hypot(down[:, None], across[None, :]).astype(np.float32)
    sums = []
    for radius in radii:
        disc = np.clip(radius - distance + 0.5, 0.0, 1.0).astype(np.float32)
        disc *= np.pi * radius**2 / disc.sum() if radius < 0.45 * min(shape) else 1.0
        whole = irfft2(spectrum * rfft2(disc), shape)
        sums.append(whole[: values.shape[0], : values.shape[1]].astype(float))
    return sums


def _log_tail(on: float, off: float, ratio: float) -> float:
    """Log of the probability of so many on the circle, of all that are on it or in the ring."""
    from scipy.stats import binom

    n_on, n_off = max(round(float(on)), 0), max(round(float(off)), 0)
    return float(binom.logsf(n_on - 1, n_on + n_off, ratio / (1.0 + ratio)))
