"""Pixel values for the readout under the pointer, small enough to travel.

Where the values of a whole frame would be too many, the browser gets means of n × n pixels at once and
the exact values of what it shows when a person zooms in.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ui.viewer.parcel import Packer

EXACT_BYTES = 2_500_000
"""Exact values travel up to this size, before compression."""
MEAN_NUMBERS = 1024 * 1024
"""A grid of means has at most this many numbers, colours counted."""
_LEVELS = 65_534


@dataclass(frozen=True)
class ValueGrid:
    """Values of a region, as codes that the browser decodes.

    Attributes:
        x0, y0: The region's first pixel.
        binning: Pixels a side that each value is the mean of.
        width, height, channels: Size of the grid.
        exact: Whether the values are those of single pixels, without loss.
        kind: ``"uint8"``, ``"uint16"`` or ``"float32"``.
        missing: Code of a pixel without data; None where it is NaN.
        offset, step: ``value = offset + step · code``, or, where ``width_asinh`` is not 0,
            ``value = centre + width_asinh · sinh(offset + step · code)``.
        codes: Compressed codes, row by row, colours together.
    """

    x0: int
    y0: int
    binning: int
    width: int
    height: int
    channels: int
    exact: bool
    kind: str
    missing: int | None
    offset: float
    step: float
    centre: float
    width_asinh: float
    codes: bytes

    def packed(self, packer: Packer) -> dict[str, Any]:
        """The header's entry, with the codes put into ``packer``."""
        facts = {name: value for name, value in vars(self).items() if name != "codes"}
        return {**facts, "blob": packer.add(self.codes)}


def exact_pixels(pixels: NDArray[np.float32]) -> int:
    """How many pixels of such a frame may travel exactly at once."""
    return EXACT_BYTES // (4 * _channels(pixels))


def binning_of(pixels: NDArray[np.float32]) -> int:
    """Pixels a side to average for the whole frame; 1 when its values can travel as they are."""
    if pixels.size <= EXACT_BYTES // 4 or (pixels.size <= EXACT_BYTES and _are_bytes(pixels)):
        return 1
    return math.ceil(math.sqrt(pixels.size / MEAN_NUMBERS))


def value_grid(pixels: NDArray[np.float32], x0: int, y0: int, binning: int) -> ValueGrid:
    """Encode a region.

    Args:
        pixels: ``(h, w)`` or ``(h, w, 3)`` values of the region.
        x0, y0: Its first pixel in the frame.
        binning: Pixels a side to average.
    """
    values = binned_mean(pixels, binning)
    if binning > 1 and _are_bytes(pixels):
        # The mean is approximate anyway, and whole numbers take an eighth of the room.
        values = np.rint(values)
    kind, missing, offset, step, centre, width, lossless, codes = _encode(values)
    return ValueGrid(
        x0=x0,
        y0=y0,
        binning=binning,
        width=values.shape[1],
        height=values.shape[0],
        channels=_channels(values),
        exact=binning == 1 and lossless,
        kind=kind,
        missing=missing,
        offset=offset,
        step=step,
        centre=centre,
        width_asinh=width,
        codes=zlib.compress(np.ascontiguousarray(codes).tobytes(), 1),
    )


def binned_mean(pixels: NDArray[np.float32], binning: int) -> NDArray[np.float32]:
    """Means of ``binning`` × ``binning`` pixels; those at the end may cover fewer. NaN is left out."""
    if binning == 1:
        return pixels
    rows = np.arange(0, pixels.shape[0], binning)
    columns = np.arange(0, pixels.shape[1], binning)

    def sums(array: NDArray[np.float32]) -> NDArray[np.float32]:
        by_row = np.add.reduceat(array, rows, axis=0)
        total: NDArray[np.float32] = np.add.reduceat(by_row, columns, axis=1)
        return total

    count = np.outer(
        np.diff(np.append(rows, pixels.shape[0])), np.diff(np.append(columns, pixels.shape[1]))
    ).astype(np.float32)
    means = sums(pixels) / (count if pixels.ndim == 2 else count[..., None])
    if not np.isfinite(means).all():
        good = np.isfinite(pixels)
        counted = sums(good.astype(np.float32))
        summed = sums(np.where(good, pixels, np.float32(0)))
        means = np.divide(summed, counted, out=np.full_like(summed, np.nan), where=counted > 0)
    return means


def _encode(
    values: NDArray[np.float32],
) -> tuple[str, int | None, float, float, float, float, bool, NDArray[Any]]:
    good = np.isfinite(values)
    known = values[good]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if high - low <= _LEVELS and bool((known == np.rint(known)).all()):
        complete = bool(good.all())
        small = low >= 0 and high <= (255 if complete else 254)
        kind, code, offset = ("uint8", 255, 0.0) if small else ("uint16", 65_535, low)
        codes = np.where(good, values - np.float32(offset), np.float32(code)).astype(kind)
        return kind, None if complete else code, offset, 1.0, 0.0, 0.0, True, codes
    if values.nbytes <= EXACT_BYTES:
        return "float32", None, 0.0, 1.0, 0.0, 0.0, True, values
    # Steps that grow with the distance from the sky keep both the noise and the stars to better than 0.1 %.
    sample = known[:: max(1, known.size // 100_000)]
    centre = float(np.median(sample))
    width = float(np.median(np.abs(sample - centre))) or max(high - low, 1.0) / _LEVELS
    start, end = (float(np.arcsinh((edge - centre) / width)) for edge in (low, high))
    step = max(end - start, 1e-12) / _LEVELS
    with np.errstate(invalid="ignore"):
        scaled = (np.arcsinh((values - np.float32(centre)) / np.float32(width)) - start) / step
    codes = np.where(good, np.clip(np.rint(scaled), 0, _LEVELS), 65_535).astype(np.uint16)
    return "uint16", 65_535, start, step, centre, width, False, codes


def _are_bytes(pixels: NDArray[np.float32]) -> bool:
    stride = max(1, math.isqrt(pixels.size // 50_000))
    sample = pixels[::stride, ::stride]
    return bool(((sample >= 0) & (sample <= 255) & (sample == np.rint(sample))).all())


def _channels(pixels: NDArray[np.float32]) -> int:
    return 1 if pixels.ndim == 2 else int(pixels.shape[2])
