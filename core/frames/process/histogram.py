"""How the pixel values of a frame are distributed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.frames.frame import Float32
from core.frames.process.channels import median_and_sigma, sample

_SPAN_PERCENTILES = (0.05, 99.95)
"""What the bins span: one hot pixel would else put the whole sky into one bin."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of pixel values, and robust statistics of them.

    Attributes:
        edges: ``(bins + 1,)`` edges of the bins, from the 0.05th to the 99.95th percentile. Whole numbers get
            bins that each hold as many of them, so that no bin is empty by its place.
        counts: ``(bins,)`` pixels in each; values beyond the edges are counted in the outer bins.
        median, sigma: Median and robust standard deviation (1.4826 × median absolute deviation), measured on
            an even sample of a million pixels.
        minimum, maximum: Extremes; NaN when every pixel is missing.
        missing_fraction: Fraction of the values that are missing, in [0, 1].
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    median: float
    sigma: float
    minimum: float
    maximum: float
    missing_fraction: float


def histogram(pixels: Float32, bins: int = 256) -> Histogram:
    """The histogram of all values of ``(H, W)`` or ``(H, W, 3)`` pixels, colours taken together."""
    values = pixels[np.isfinite(pixels)]
    if len(values) == 0:
        return Histogram(
            np.linspace(0.0, 1.0, bins + 1), np.zeros(bins, np.int64), np.nan, np.nan, np.nan, np.nan, 1.0
        )
    few = sample(pixels)
    # Rounded to the pixels' own type, so that what is cut off at an edge falls into the bin beside it.
    low, high = (float(np.float32(cut)) for cut in np.percentile(few, _SPAN_PERCENTILES))
    if low >= high:
        half = max(0.5, 1e-3 * abs(low))
        low, high = float(np.float32(low - half)), float(np.float32(low + half))
    median, sigma = median_and_sigma(few)
    edges = np.linspace(low, high, bins + 1)
    if high - low >= 1.0 and (few == np.rint(few)).all():
        step = np.ceil((high - low + 1.0) / bins)
        edges = np.arange(np.floor(low) - 0.5, high + step, step)
    counts, _ = np.histogram(np.clip(values, np.float32(low), np.float32(high)), edges)
    return Histogram(
        edges=edges,
        counts=counts.astype(np.int64),
        median=median,
        sigma=sigma,
        minimum=float(values.min()),
        maximum=float(values.max()),
        missing_fraction=1.0 - len(values) / pixels.size,
    )
