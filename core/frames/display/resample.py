"""Making a picture smaller by averaging, each pixel weighted by the area it covers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.frames.frame import Float32

_STRIP_PIXELS = 2**22
"""Pixels averaged at a time, so that the marks of missing ones need little memory."""

_MOST_MISSING = 0.5
"""A pixel of the smaller picture is missing when more than this fraction of its area is."""


def area_mean(pixels: Float32, width: int, height: int) -> Float32:
    """The mean of ``pixels`` over a grid of ``height`` by ``width`` equal rectangles; NaN are left out.

    Whole blocks of pixels are averaged first, which is fast, then parts of blocks by their area, so the grid
    covers the picture exactly whatever the ratio of the sizes.

    Args:
        pixels: ``(H, W)``.
        width, height: Of the result; not larger than ``pixels``.
    """
    rows, columns = pixels.shape
    if (height, width) == (rows, columns):
        return pixels
    block = max(1, min(rows // height, columns // width))
    mean, weight = _block_mean(pixels, block)
    extent = (rows / block, columns / block)
    if weight is None:
        return _weighted_mean(mean, width, height, extent)
    filled = np.where(weight > 0.0, mean, 0.0).astype(np.float32)
    total = _weighted_mean(filled * weight, width, height, extent)
    covered = _weighted_mean(weight, width, height, extent)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(covered > _MOST_MISSING, total / covered, np.nan).astype(np.float32)


def _block_mean(pixels: Float32, block: int) -> tuple[Float32, Float32 | None]:
    """Means over blocks of ``block`` by ``block`` (fewer at the far edges), and the fraction that had values.

    The second is None when every pixel has a value.
    """
    rows, columns = pixels.shape
    shape = (-(-rows // block), -(-columns // block))
    mean = np.empty(shape, np.float32)
    weight = np.ones(shape, np.float32)
    step = max(1, _STRIP_PIXELS // (columns * block))
    any_missing = False
    for start in range(0, shape[0], step):
        strip = pixels[start * block : (start + step) * block]
        present = np.isfinite(strip)
        into = slice(start, start + step)
        if present.all():
            mean[into] = _block_sum(strip, block) / _block_counts(strip.shape, block)
            continue
        any_missing = True
        held = _block_sum(present.astype(np.float32), block)
        weight[into] = held / _block_counts(strip.shape, block)
        mean[into] = _block_sum(np.where(present, strip, np.float32(0.0)), block) / np.maximum(held, 1.0)
    return mean, weight if any_missing else None


def _block_sum(strip: Float32, block: int) -> Float32:
    for axis in (0, 1):
        side = strip.shape[axis]
        whole = side // block * block
        main = np.moveaxis(strip, axis, 0)[:whole]
        total = main.reshape(-1, block, main.shape[1]).sum(axis=1, dtype=np.float32)
        if whole < side:
            rest = np.moveaxis(strip, axis, 0)[whole:].sum(axis=0, dtype=np.float32, keepdims=True)
            total = np.concatenate([total, rest])
        strip = np.moveaxis(total, 0, axis)
    return strip


def _block_counts(shape: tuple[int, ...], block: int) -> NDArray[np.float32]:
    down, across = (
        np.minimum(block, side - np.arange(0, side, block)).astype(np.float32) for side in shape[:2]
    )
    return down[:, None] * across[None, :]


def _weighted_mean(blocks: Float32, width: int, height: int, extent: tuple[float, float]) -> Float32:
    """Means over ``height`` by ``width`` equal rectangles, parts of blocks counted by their area.

    ``extent`` is the height and width of the picture in blocks; the last block may stand for less than one.
    """
    down = _mean_down(blocks, height, extent[0])
    across = _mean_down(np.ascontiguousarray(down.T), width, extent[1])
    return np.ascontiguousarray(across.T)


def _mean_down(blocks: Float32, size: int, extent: float) -> Float32:
    if size == extent:
        return blocks
    edges = np.linspace(0.0, extent, size + 1)
    first = np.floor(edges[:-1]).astype(int)
    total = np.zeros((size, blocks.shape[1]), np.float32)
    for further in range(math.ceil(extent / size) + 1):
        index = first + further
        share = np.minimum(edges[1:], index + 1) - np.maximum(edges[:-1], index)
        share = np.clip(share, 0.0, None).astype(np.float32) * np.float32(size / extent)
        total += share[:, None] * blocks[np.minimum(index, len(blocks) - 1)]
    return total
