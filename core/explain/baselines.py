"""Baselines: pictures that show nothing, from which a path leads to the picture that is explained."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Baseline = Literal["minimum", "maximum", "sky"]
Pixels = NDArray[np.float32]

SKY_SIDE = 56
"""The sky is measured on a copy this many pixels wide: it has no finer detail."""


def constant_baselines(picture: Pixels) -> Pixels:
    """``(2, C, H, W)``: the picture's lowest value everywhere, and its highest (black and white).

    What is as dark as the first, or as bright as the second, gets nothing from that path, so both are
    needed (Kapishnikov et al. 2019, arXiv:1906.02825, section 3).
    """
    return np.stack([np.full_like(picture, picture.min()), np.full_like(picture, picture.max())])


def sky_baseline(picture: Pixels, window: float = 0.5) -> Pixels:
    """The same frame without its objects: a running median of each channel, then blurred.

    An astronomical picture without its object is not black: it has sky glow, gradients and a colour, and a
    path from black credits the object with all of them.

    Args:
        picture: ``(C, H, W)``.
        window: Side of the median's window as a share of the picture's. An object that covers less than
            half of the window vanishes.

    Returns:
        ``(C, H, W)``.
    """
    _, height, width = picture.shape
    step = max(1, int(np.ceil(max(height, width) / SKY_SIDE)))
    rows, columns = np.arange(0, height, step), np.arange(0, width, step)
    # The blur keeps single stars from standing for a whole cell of the small copy.
    small = ndimage.uniform_filter(picture, (0, step, step), mode="nearest")[:, rows[:, None], columns]
    sides = [max(3, round(window * side)) | 1 for side in small.shape[1:]]
    calm = ndimage.median_filter(small, (1, *sides), mode="reflect")
    calm = ndimage.gaussian_filter(calm, (0, sides[0] / 6, sides[1] / 6), mode="nearest")
    y, x = np.meshgrid(np.arange(height) / step, np.arange(width) / step, indexing="ij")
    full = [ndimage.map_coordinates(channel, (y, x), order=1, mode="nearest") for channel in calm]
    return np.stack(full).astype(np.float32)


def baselines(picture: Pixels, names: tuple[Baseline, ...]) -> Pixels:
    """``(K, C, H, W)`` baselines by name, in order."""
    minimum, maximum = constant_baselines(picture)
    known = {"minimum": minimum, "maximum": maximum}
    return np.stack([sky_baseline(picture) if name == "sky" else known[name] for name in names])
