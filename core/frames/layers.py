"""From the channels a picture is stored in to the pixels of a frame: grey or red, green and blue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames.frame import Float32

_EXIF_TRANSPOSED = (5, 6, 7, 8)
_EXIF_FLIPPED_ROWS = (3, 4, 7, 8)
_EXIF_FLIPPED_COLUMNS = (2, 3, 6, 7)


def frame_pixels(stored: NDArray[np.generic]) -> Float32:
    """The pixels of a frame from the channels of a picture, with the values they are stored with.

    - Alpha (a second or fourth channel) is dropped; where it is 0 the pixel is missing and becomes NaN,
      which is how stacking programs mark the ragged border of a mosaic.
    - Three equal channels are one grey image that a program saved as colour, and become ``(H, W)``.

    Args:
        stored: ``(H, W)`` or ``(H, W, C)`` with C from 1 to 4, integers or floats.
    """
    if stored.ndim == 2:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(stored, dtype=np.float32)
    channels = stored.shape[2]
    colours = stored[:, :, :3] if channels >= 3 else stored[:, :, 0]
    if channels >= 3 and _are_equal(colours):
        colours = colours[:, :, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = np.ascontiguousarray(colours, dtype=np.float32)
    if channels in (2, 4):
        pixels[stored[:, :, -1] == 0] = np.nan
    return pixels


def upright(pixels: Float32, orientation: int) -> Float32:
    """Turn and mirror pixels as an EXIF or TIFF orientation of 1 to 8 asks; any other leaves them."""
    if orientation in _EXIF_TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in _EXIF_FLIPPED_ROWS:
        pixels = pixels[::-1]
    if orientation in _EXIF_FLIPPED_COLUMNS:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _are_equal(colours: NDArray[np.generic]) -> bool:
    red, green, blue = colours[:, :, 0], colours[:, :, 1], colours[:, :, 2]
    few = (slice(None, None, 37), slice(None, None, 37))  # most colour pictures differ here already
    if not (np.array_equal(red[few], green[few]) and np.array_equal(red[few], blue[few])):
        return False
    return np.array_equal(red, green) and np.array_equal(red, blue)
