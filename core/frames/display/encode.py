"""Making a picture small enough to send to a browser."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

_LOSSLESS_PIXELS = 300_000
"""Up to this many pixels a picture is sent as PNG: small, and every pixel counts when zoomed in."""

_LOWEST_QUALITY = 45
"""Below this JPEG quality the blocks are mistaken for stars."""


def encode(rgb: NDArray[np.uint8], quality: int = 85, max_bytes: int = 700_000) -> tuple[bytes, str]:
    """A picture as a small file for the browser, and its MIME type.

    A picture of up to 300,000 pixels is PNG and loses nothing, unless noise makes that too large; a larger
    one is JPEG of the given quality, lowered in steps of 10 down to 45 until it fits ``max_bytes``.

    Args:
        rgb: ``(h, w, 3)`` uint8.
        quality: JPEG quality to begin with, 1 to 95.
        max_bytes: Size that is aimed at.
    """
    from PIL import Image

    image = Image.fromarray(rgb)
    if rgb.shape[0] * rgb.shape[1] <= _LOSSLESS_PIXELS:
        lossless = io.BytesIO()
        image.save(lossless, "PNG", compress_level=4)
        if lossless.tell() <= max_bytes:
            return lossless.getvalue(), "image/png"
    if np.array_equal(rgb[:, :, 0], rgb[:, :, 1]) and np.array_equal(rgb[:, :, 0], rgb[:, :, 2]):
        image = image.convert("L")
    for lower in range(quality, min(quality, _LOWEST_QUALITY) - 1, -10):
        lossy = io.BytesIO()
        image.save(lossy, "JPEG", quality=lower)
        if lossy.tell() <= max_bytes:
            break
    return lossy.getvalue(), "image/jpeg"
