"""The sky under the stars: its level and its noise over a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

MAP_SIDE = 256
"""Longest side, in cells, of the background and noise maps that are kept."""
SENTINEL = 1e12
"""A value this many times the frame's bright pixels is a mark for a missing pixel, not light."""
SAFE_VALUES = (1e-3, 1e12)
"""Largest pixel values whose squares float32 holds; other frames are scaled by a power of two."""
CUT_SHARE = 0.02
"""Share of a cell's pixels at the frame's lowest value from which its sky counts as cut off there."""
SAMPLE_SIZE = 200_000
"""Pixels looked at to learn what values a frame holds."""
BORDER_SHARE, BORDER_SIGMA = (0.005, 0.9), 5.0
"""Least and greatest share of a frame that a border of one value takes, and how far below the rest it is."""


@dataclass(frozen=True, eq=False)
class Sky:
    """A frame with its background taken away.

    Attributes:
        data: ``(H, W)`` float32, frame minus background; 0 where a pixel is missing.
        noise: ``(H, W)`` float32, standard deviation of the sky, nowhere 0.
        missing: ``(H, W)``, True where there is no measurement; None when every pixel is there.
        scale: ``data`` and ``noise`` times this are in the frame's units.
        level_map, noise_map: The background and its noise in the frame's units over the whole frame, at most
            :data:`MAP_SIDE` cells a side.
    """

    data: Float32
    noise: Float32
    missing: Mask | None
    scale: float
    level_map: Float32
    noise_map: Float32

    @property
    def missing_fraction(self) -> float:
        """Share of the pixels that are missing, in [0, 1]."""
        return 0.0 if self.missing is None else float(self.missing.mean())

    def level_at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(N,)`` background in the frame's units at pixel positions."""
        (height, width), (rows, columns) = self.data.shape, self.level_map.shape
        row = np.clip((y + 0.5) * rows / height, 0, rows - 1).astype(np.intp)
        column = np.clip((x + 0.5) * columns / width, 0, columns - 1).astype(np.intp)
        level: NDArray[np.float64] = self.level_map[row, column].astype(np.float64)
        return level


def subtract_background(frame: Frame, mesh_px: int = 64, saturation: float | None = None) -> Sky:
    """Measure the sky over a mesh and take it away.

    Each cell's level and noise are the clipped mean or mode and the clipped standard deviation, smoothed by
    a 3 × 3 median and joined by splines (Bertin & Arnouts 1996, A&AS 117, 393; the ``sep`` library).

    Where a sky is smoother than the steps its values are stored in (the black skies of 8-bit pictures), the
    noise measured would be 0 and everything would be a star: below half a step it is taken to be a step,
    about what compression leaves in such skies. Where a sky was made black by cutting off the lower part of
    its noise, what is left of it above its median counts.

    Args:
        frame: The frame; colours are averaged.
        mesh_px: Side of a cell in pixels; at most the frame itself.
        saturation: Pixels at or above this do not count as sky; None when unknown.
    """
    import sep

    grey = frame.grey
    missing, scale = _usable(grey)
    data = np.multiply(grey, np.float32(1 / scale), dtype=np.float32, order="C")
    if missing is not None:
        data[missing] = 0.0
        if missing.all():
            nothing = np.zeros((1, 1), np.float32)
            return Sky(data, np.ones_like(data), missing, scale, nothing, nothing)
    ignored = missing
    if saturation is not None:
        bright = grey >= saturation
        if bright.mean() < 0.5:
            ignored = bright if missing is None else bright | missing
    height, width = data.shape
    level_map = np.zeros((1, 1), np.float32)
    # Twice: a gradient within a cell is not noise, so the noise is measured where the sky is already flat,
    # in cells half as wide.
    for side in (mesh_px, max(mesh_px // 2, 8)):
        bw, bh = min(side, width), min(side, height)
        mesh = sep.Background(data, mask=ignored, bw=bw, bh=bh)
        level = mesh.back()
        data -= level
        if missing is not None:
            data[missing] = 0.0
        level_map = level_map + _thin(level)
        del level
    cells = _at_cell_centres(mesh.rms(), bw, bh)
    step = _step(frame.pixels) / scale
    cells = np.maximum(cells, _noise_of_cut_skies(grey, missing, bw, bh) / np.float32(scale))
    clipped = cells < 0.5 * step
    if clipped.any():
        cells[clipped] = max(step, _noise_of_the_rest(data))
    noise_cells = np.maximum(cells, _least_noise(data, level_map))
    noise = _between_cells(noise_cells, data.shape, bw, bh)
    return Sky(data, noise, missing, scale, level_map * np.float32(scale), _thin(noise) * np.float32(scale))


def _usable(grey: Float32) -> tuple[Mask | None, float]:
    """The missing pixels, None when there are none, and a power of two to divide the values by."""
    usable = np.isfinite(grey)
    sample = grey.reshape(-1)[:: max(1, grey.size // SAMPLE_SIZE)]
    magnitude = np.abs(sample[np.isfinite(sample)])
    typical = float(np.percentile(magnitude, 99)) if len(magnitude) else 0.0
    if typical > 0:
        usable &= np.abs(grey) <= min(SENTINEL * typical, float(np.finfo(np.float32).max))
    border = _border(sample[np.isfinite(sample)])
    if border is not None:
        usable &= grey != border
    largest = float(np.max(np.abs(grey), where=usable, initial=0.0))
    scale = 1.0
    if largest > 0 and not SAFE_VALUES[0] <= largest <= SAFE_VALUES[1]:
        scale = float(2.0 ** max(np.floor(np.log2(largest / 2.0**20)), -120.0))
    return None if usable.all() else ~usable, scale


def _border(values: Float32) -> np.float32 | None:
    """The value that fills what a frame does not cover, as in a stack of turned exposures; None without one.

    It is the lowest, many pixels have it, and all others lie far above it for their spread, which whole
    numbers cannot show below one of them.
    """
    lowest = values.min(initial=np.inf)
    above = values[values > lowest]
    if not BORDER_SHARE[0] <= 1.0 - len(above) / max(len(values), 1) <= BORDER_SHARE[1]:
        return None
    low, lower, median = np.percentile(above, (0.5, 15.87, 50.0))
    return lowest if low - lowest > BORDER_SIGMA * max(median - lower, _step(above)) else None


def _step(pixels: Float32) -> float:
    """The least difference between two values of the frame, 0 when all are equal: 1 for 8-bit pictures."""
    values = pixels.reshape(-1)[:: max(1, pixels.size // SAMPLE_SIZE)]
    differences = np.diff(np.unique(values[np.isfinite(values)].astype(np.float64)))
    return float(differences.min()) if len(differences) else 0.0


def _noise_of_cut_skies(grey: Float32, missing: Mask | None, bw: int, bh: int) -> Float32:
    """Noise of cells whose sky is cut off at the frame's lowest value, 0 elsewhere.

    The clipped standard deviation of half a distribution is far too small (on a picture of a globular
    cluster with a black sky, a quarter of what it should be, and noise became 20,000 stars). The upper half
    is untouched: its 84th percentile lies one standard deviation above the median.
    """
    height, width = grey.shape
    noise = np.zeros((-(-height // bh), -(-width // bw)), np.float32)
    floor = np.min(grey, where=True if missing is None else ~missing, initial=np.inf)
    if np.count_nonzero(grey == floor) < CUT_SHARE * grey.size:
        return noise
    for row, column in np.ndindex(noise.shape):
        part = np.s_[row * bh : (row + 1) * bh, column * bw : (column + 1) * bw]
        values = grey[part].ravel() if missing is None else grey[part][~missing[part]]
        above = values[values > floor]
        if not len(above) or len(values) - len(above) < CUT_SHARE * len(values):
            continue
        median, upper = np.percentile(values, (50.0, 84.13))
        # A border of zeros around a frame lies far below its noise and cuts nothing off.
        if np.percentile(above, 1.0) - floor < 0.5 * (upper - median):
            noise[row, column] = upper - median
    return noise


def _noise_of_the_rest(data: Float32) -> float:
    """Noise where most of the sky is cut to one value: that of the pixels that are not.

    A quarter of the absolute values of a Gaussian lie below 0.3186 standard deviations; stars are in the
    other three.
    """
    values = np.abs(data.reshape(-1)[:: max(1, data.size // SAMPLE_SIZE)])
    rest = values[values > 1e-3 * values.max()]
    return float(np.percentile(rest, 25) / 0.3186) if len(rest) else 0.0


def _least_noise(data: Float32, level: Float32) -> np.float32:
    """What rounding to float32 leaves, so that the noise of a frame without any is not 0."""
    largest = max(float(np.abs(level).max()), 1e-6 * float(np.abs(data).max()))
    return np.float32(max(4 * float(np.finfo(np.float32).eps) * largest, 1e-30))


def _at_cell_centres(values: Float32, bw: int, bh: int) -> Float32:
    """One value a cell, from ``sep``'s spline through the cells' centres."""
    height, width = values.shape
    rows = np.minimum(np.arange(0, height, bh) + bh // 2, height - 1)
    columns = np.minimum(np.arange(0, width, bw) + bw // 2, width - 1)
    return np.maximum(values[np.ix_(rows, columns)], np.float32(0))


def _between_cells(cells: Float32, shape: tuple[int, ...], bw: int, bh: int) -> Float32:
    """Straight lines between the cells: a spline dips below 0 where the noise rises steeply.

    Args:
        cells: ``(m, n)`` values at the centres of the cells.
        shape: ``(H, W)`` of the map that is returned.
        bw, bh: Width and height of a cell, pixels.
    """
    height, width = shape
    centres = np.arange(cells.shape[1]) * bw + bw // 2
    lines = np.stack([np.interp(np.arange(width), centres, line) for line in cells]).astype(np.float32)
    position = np.clip((np.arange(height) - bh // 2) / bh, 0, len(cells) - 1)
    above = position.astype(np.intp)
    below = np.minimum(above + 1, len(cells) - 1)
    noise = np.empty((height, width), np.float32)
    for row, (i, j, t) in enumerate(zip(above, below, position - above, strict=True)):
        noise[row] = lines[i] + np.float32(t) * (lines[j] - lines[i])
    return noise


def _thin(values: Float32) -> Float32:
    """The values at the centres of at most ``MAP_SIDE`` × ``MAP_SIDE`` equal cells."""
    rows, columns = (
        ((np.arange(n := min(side, MAP_SIDE)) + 0.5) * side / n).astype(int) for side in values.shape
    )
    return np.ascontiguousarray(values[np.ix_(rows, columns)])
