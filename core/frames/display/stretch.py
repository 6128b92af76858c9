"""How brightness follows the pixel value, as a table that is looked up for each pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames.display.limits import Cuts
from core.frames.frame import Float32

_STEPS = 2**18
"""Steps from black to white in the table: even the log stretch, steep at black, then skips no brightness."""


def brightness_table(stretch: str, cuts: Cuts) -> NDArray[np.uint8]:
    """The brightness, 0 to 255, of equal steps from the black to the white value.

    Args:
        stretch: One of :data:`core.frames.display.settings.STRETCHES`, as :mod:`astropy.visualization`
            defines them.
        cuts: The limits; histogram equalisation uses their quantiles.
    """
    from astropy.visualization import AsinhStretch, HistEqStretch, LinearStretch, LogStretch, SqrtStretch

    if stretch == "histogram":
        curve = HistEqStretch(cuts.quantiles)
    else:
        curve = {"linear": LinearStretch, "asinh": AsinhStretch, "log": LogStretch, "sqrt": SqrtStretch}[
            stretch
        ]()
    bright = curve(np.linspace(0.0, 1.0, _STEPS), clip=False)
    table: NDArray[np.uint8] = np.rint(np.clip(bright, 0.0, 1.0) * 255.0).astype(np.uint8)
    return table


def stretch_steps(values: Float32, cuts: Cuts) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The step of :func:`brightness_table` each value falls on, and which values are missing (step 0)."""
    scale = (_STEPS - 1) / (np.float64(cuts.high) - np.float64(cuts.low))
    steps = values - np.float32(cuts.low)
    steps *= np.float32(scale)
    np.clip(steps, 0, _STEPS - 1, out=steps)
    missing = np.isnan(steps)
    steps[missing] = 0.0
    return steps.astype(np.int32), missing
