"""Valleys and ridges, the classical way: heights from shading, and what is long and hollow or raised in them.

Shading is, to first order, the slope of the ground towards the sun. Undone in Fourier space it gives relative
heights (linear shape from shading: Pentland 1990, Int. J. Comp. Vision 4, 153), in which a valley is a dark
and a ridge a bright line, whatever the sun. Multi-scale Hessian filters (Sato et al. 1998, Med. Image
Analysis 2, 143) answer to such lines. Where the side of the light is not known, brightness stands for height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.shapes import Ellipse
from core.surfaces.lines import Traced, lines_of

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIGMAS_PX = (1.5, 2.5, 4.0)
SIDE_PX = 1200
"""Longer sides are shrunk to this: lines that matter are long."""
FLATTER_PX = 24.0
"""Slopes wider than this are no line's."""
ALONG_SUN = 0.35
"""What runs along the light has no shading; its noise is damped where the slope towards the sun is below this
part of the whole."""
RIM_REACH = 1.35
"""Craters are left out to this many radii: a rim is no ridge and a bowl no valley."""
KEPT_PART = 0.55
"""A line goes on from its strong parts to where the answer falls to this part of the limit."""
LEAST_SLENDERNESS = 5.0
FLANK_PX, FLANK_PART = 19, 0.85
"""Within the first, an answer is another line's flank when it is below this part of that one's."""


@dataclass(frozen=True)
class LineMap:
    """Where valleys or ridges may be.

    Attributes:
        strength: ``(h, w)`` answer of the filters over what the ground usually gives (its upper 1 / 6).
        shrink: Pixels of the frame along a side of one of its pixels.
    """

    strength: Float32
    shrink: float


def line_maps(
    picture: NDArray[np.uint8], seen: Bools, craters: list[Ellipse], azimuth_deg: float | None
) -> tuple[LineMap, LineMap]:
    """The strengths of valleys and of ridges.

    Args:
        picture: ``(H, W)`` levels.
        seen: ``(H, W)`` where there is a picture.
        craters: Left out.
        azimuth_deg: Direction towards the sun from +x towards +y; None when it is not known.
    """
    from cv2 import dilate
    from scipy.ndimage import binary_erosion
    from skimage.transform import resize

    height, width = picture.shape
    shrink = max(1.0, max(height, width) / SIDE_PX)
    shape = max(8, round(height / shrink)), max(8, round(width / shrink))
    grey = resize(picture.astype(np.float32), shape, anti_aliasing=shrink > 1.0, preserve_range=True)
    there = resize(seen.astype(np.float32), shape, order=1) > 0.99
    even = grey - _blurred(grey, FLATTER_PX)
    contrast = np.sqrt(np.maximum(_blurred(even * even, 2.0 * FLATTER_PX), 0.0))
    even = even / (contrast + 0.25 * float(contrast.mean()) + 1e-3)
    heights = even if azimuth_deg is None else heights_of_shading(even, azimuth_deg)
    free = binary_erosion(there, iterations=4) & ~_craters_on(shape, craters, shrink)
    maps = []
    for strength in hollows_and_crests(heights):
        usual = float(np.percentile(strength[free], 100 * 5 / 6)) if free.any() else 0.0
        strength /= np.float32(max(usual, 1e-6))
        strength[~free] = 0.0
        maps.append(strength)
    # Filters answer on both flanks of a line with the opposite sign: the weaker is left out.
    highest = [dilate(strength, np.ones((FLANK_PX, FLANK_PX), np.uint8)) for strength in maps]
    for strength, opposite in zip(maps, reversed(highest), strict=True):
        strength[strength < FLANK_PART * opposite] = 0.0
    return LineMap(maps[0], shrink), LineMap(maps[1], shrink)


def heights_of_shading(shading: Float32, azimuth_deg: float) -> Float32:
    """``(H, W)`` relative heights of a ground from its shading, by linear shape from shading."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    # Mirrored, so that the two sides of the picture do not meet.
    pad = round(2 * FLATTER_PX)
    pad = min(pad, min(shading.shape) - 1)
    wide = np.pad(shading, pad, mode="reflect")
    shape = tuple(next_fast_len(side, real=True) for side in wide.shape)
    y = np.fft.fftfreq(shape[0])[:, None].astype(np.float32)
    x = np.fft.rfftfreq(shape[1])[None, :].astype(np.float32)
    sun = np.radians(azimuth_deg)
    towards, size = x * np.float32(np.cos(sun)) + y * np.float32(np.sin(sun)), np.hypot(x, y)
    floor = ALONG_SUN * size + 0.5 / (2 * np.pi * FLATTER_PX)
    undo = 1j * towards / (towards**2 + floor**2)
    heights = irfft2(rfft2(wide, shape) * undo, shape)
    cut = heights[pad : pad + shading.shape[0], pad : pad + shading.shape[1]]
    return np.ascontiguousarray(cut / max(float(cut.std()), 1e-9), dtype=np.float32)


def hollows_and_crests(heights: Float32) -> tuple[Float32, Float32]:
    """``(H, W)`` answers of Sato's filters to dark and to bright lines, the greatest of every width.

    :func:`skimage.filters.sato` gives either, with the same curvatures worked out for each.
    """
    hollows, crests = np.zeros_like(heights), np.zeros_like(heights)
    for sigma in SIGMAS_PX:
        xx, yy, xy = _curvatures(heights, sigma)
        mean, turn = (xx + yy) / 2.0, np.hypot((xx - yy) / 2.0, xy)
        hollows = np.maximum(hollows, sigma**2 * (turn + mean))
        crests = np.maximum(crests, sigma**2 * (turn - mean))
    return hollows, crests


def _curvatures(heights: Float32, sigma_px: float) -> tuple[Float32, Float32, Float32]:
    """``(H, W)`` second derivatives of heights smoothed by a Gaussian: in x, in y and in both."""
    from cv2 import BORDER_REFLECT, sepFilter2D

    # Each step has half of the variance, as a derivative of a narrow Gaussian's derivative is a coarse one.
    own = sigma_px / np.sqrt(2.0)
    smooth = _gaussian(own, round(8.0 * own))
    slope = smooth * (np.arange(len(smooth)) - len(smooth) // 2) / own**2

    def in_x(picture: Float32) -> Float32:
        sloping: Float32 = sepFilter2D(picture, -1, slope, smooth, borderType=BORDER_REFLECT)  # type: ignore[assignment]
        return sloping

    def in_y(picture: Float32) -> Float32:
        sloping: Float32 = sepFilter2D(picture, -1, smooth, slope, borderType=BORDER_REFLECT)  # type: ignore[assignment]
        return sloping

    once = in_y(heights)
    return in_x(in_x(heights)), in_y(once), in_x(once)


def _blurred(picture: Float32, sigma_px: float) -> Float32:
    """``(H, W)`` mean weighed by a Gaussian out to 4 σ, the picture mirrored beyond its edges.

    A mirrored picture is a sum of cosines, which are only damped; it costs as little for any width.
    """
    from scipy.fft import dctn, idctn

    kernel = _gaussian(sigma_px, round(4.0 * sigma_px))
    steps = np.arange(len(kernel)) - len(kernel) // 2
    down, across = (np.cos(np.outer(np.arange(n) * np.pi / n, steps)) @ kernel for n in picture.shape)
    kept = np.outer(down, across).astype(np.float32)
    blurred: Float32 = idctn(dctn(picture) * kept)
    return blurred


def _gaussian(sigma_px: float, reach: int) -> Float64:
    """``(2 * reach + 1,)`` weights with a total of 1."""
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    weights /= weights.sum()
    return weights


def lines_in(found: LineMap, label: str, limit: float, least_length_px: float) -> list[Traced]:
    """The lines of a map; the score is 0.5 where the strength along one just reaches the limit."""
    from skimage.filters import apply_hysteresis_threshold
    from skimage.morphology import remove_small_objects

    mask = apply_hysteresis_threshold(found.strength, KEPT_PART * limit, limit)
    mask = remove_small_objects(mask, max_size=round(least_length_px / found.shrink))
    score = np.clip(1.0 - 0.5 * limit / np.maximum(found.strength, 0.5 * limit), 0.0, 0.99)
    return [
        line
        for line in lines_of(mask, label, found.shrink, least_length_px, score.astype(np.float32))
        if line.line.length_px >= LEAST_SLENDERNESS * line.width_px
    ]


def _craters_on(shape: tuple[int, int], craters: list[Ellipse], shrink: float) -> Bools:
    from skimage.draw import ellipse

    covered = np.zeros(shape, bool)
    for one in craters:
        rows, columns = ellipse(
            one.y / shrink,
            one.x / shrink,
            RIM_REACH * one.semi_axes[1] / shrink + 1.0,
            RIM_REACH * one.semi_axes[0] / shrink + 1.0,
            shape=shape,
            rotation=-np.radians(one.angle_deg),
        )
        covered[rows, columns] = True
    return covered
