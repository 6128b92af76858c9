"""What several steps need: colours one by one, gaps filled, and robust statistics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.frames.frame import Float32

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_STATISTICS_PIXELS = 1_000_000
"""Pixels that medians and percentiles are measured on: enough for a thousandth of the noise."""


def each_channel(pixels: Float32, change: Callable[[Float32], Float32]) -> Float32:
    """Apply ``change`` to ``(H, W)`` pixels, or to each colour of ``(H, W, 3)`` ones.

    ``change`` sees contiguous pixels without gaps: missing ones hold the median of the others, which in a
    picture of the sky is the sky. They are missing again afterwards. A channel without any value is kept.
    """
    if pixels.ndim == 3:
        return np.stack([each_channel(pixels[:, :, colour], change) for colour in range(3)], axis=2)
    missing = ~np.isfinite(pixels)
    if missing.all():
        return pixels.copy()
    filled = np.ascontiguousarray(pixels)
    if missing.any():
        filled = np.where(missing, np.float32(np.nanmedian(pixels)), pixels)
    changed = change(filled).astype(np.float32, copy=False)
    if missing.any():
        changed = np.where(missing, np.float32(np.nan), changed)
    return changed


def sample(pixels: Float32) -> Float32:
    """``(N,)`` present values of an even sample of the pixels; one 0 when there are none."""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / _STATISTICS_PIXELS)))
    values = pixels[::step, ::step].ravel()
    present = values[np.isfinite(values)]
    return present if len(present) else np.zeros(1, np.float32)


def median_and_sigma(values: Float32) -> tuple[float, float]:
    """Median and robust standard deviation (from the median absolute deviation) of present values."""
    middle = float(np.median(values))
    return middle, MAD_TO_SIGMA * float(np.median(np.abs(values - np.float32(middle))))
