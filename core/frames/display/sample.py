"""A small, even sample of a frame's pixels, enough to measure how it is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames.frame import Frame

_SAMPLE_PIXELS = 250_000
"""Pixels of the frame that are sampled: percentiles are then good to about 0.1 %."""


def sample(frame: Frame) -> NDArray[np.float32]:
    """Values of a regular grid of pixels over the whole frame, without the missing ones, unsorted."""
    step = max(1, int(np.sqrt(frame.width * frame.height / _SAMPLE_PIXELS)))
    values = frame.pixels[step // 2 :: step, step // 2 :: step].ravel()
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        finite = frame.pixels[np.isfinite(frame.pixels)]
    return finite if len(finite) else np.zeros(1, np.float32)
