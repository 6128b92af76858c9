"""Which pixel values are shown black and white.

Limits are always those of the whole frame, so that a crop, a smaller picture and a tile of the same
frame have the same brightness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.frames.display.sample import sample
from core.frames.display.settings import DisplaySettings
from core.frames.frame import Frame

_QUANTILES = 1024
"""Steps of the histogram equalisation; the picture has 256 brightnesses."""


@dataclass(frozen=True, eq=False)
class Cuts:
    """The pixel values shown black and white, measured on the whole frame.

    Attributes:
        low, high: Black and white, ``low < high``.
        quantiles: Sorted values from low to high at equal steps of their number, for histogram equalisation.
    """

    low: float
    high: float
    quantiles: NDArray[np.float64]


def cuts(frame: Frame, settings: DisplaySettings) -> Cuts:
    """Measure the limits on a sample of the whole frame; the colours of a colour frame share them."""
    values = sample(frame)
    low, high = _limits(values, frame, settings)
    if not low < high:  # a constant frame
        high = low + max(abs(low) * 1e-3, 1e-6)
    inside = values[(values >= low) & (values <= high)]
    steps = np.linspace(0.0, 1.0, _QUANTILES)
    quantiles = np.quantile(inside.astype(float), steps) if len(inside) else low + steps * (high - low)
    quantiles[[0, -1]] = low, high
    return Cuts(low, high, quantiles)


def _limits(values: NDArray[np.float32], frame: Frame, settings: DisplaySettings) -> tuple[float, float]:
    from astropy.visualization import ZScaleInterval

    if settings.limits == "zscale":
        low, high = ZScaleInterval(n_samples=10_000).get_limits(values)
        return float(low), float(high)
    if settings.limits == "percentile":
        low, high = np.percentile(values, (settings.percentile_low, settings.percentile_high))
        return float(low), float(high)
    is_manual = settings.limits == "manual"
    low = settings.low if is_manual and settings.low is not None else _extreme(np.fmin, frame)
    high = settings.high if is_manual and settings.high is not None else _extreme(np.fmax, frame)
    return low, high


def _extreme(of: np.ufunc, frame: Frame) -> float:
    value = float(of.reduce(frame.pixels, axis=None))
    return value if np.isfinite(value) else 0.0
