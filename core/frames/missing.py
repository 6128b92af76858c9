"""Pixels without a value: every kind of them becomes NaN, and a person is told how many there are."""

from __future__ import annotations

import numpy as np

from core.errors import FrameRejected
from core.frames.frame import Float32

_ROWS = 512
"""Rows looked at together: keeps the masks of a large frame small."""


def finite(pixels: Float32, name: str) -> tuple[Float32, str | None]:
    """The same array with infinities turned into NaN in place, and a sentence when pixels are missing.

    A colour pixel counts as missing when any of its colours is.

    Args:
        pixels: ``(H, W)`` or ``(H, W, 3)``, changed in place.
        name: The file's name, already fit to be shown.

    Raises:
        FrameRejected: Not one pixel has a value.
    """
    missing = 0
    for start in range(0, len(pixels), _ROWS):
        strip = pixels[start : start + _ROWS]
        bad = ~np.isfinite(strip)
        if bad.any():
            strip[bad] = np.nan
            missing += int(np.count_nonzero(bad.any(axis=2) if bad.ndim == 3 else bad))
    total = pixels.shape[0] * pixels.shape[1]
    if missing == total:
        raise FrameRejected(f"'{name}' has no pixel with a value: all of them are blank.")
    return pixels, _sentence(missing / total)


def _sentence(fraction: float) -> str | None:
    if fraction == 0.0:
        return None
    if fraction < 0.001:
        return "Fewer than 0.1 % of the pixels are missing."
    return (
        f"{100.0 * fraction:.2g} % of the pixels are missing."
        if fraction < 0.1
        else (f"{100.0 * fraction:.0f} % of the pixels are missing.")
    )
