"""Many small filters on one picture: it is cut into tiles that are transformed once for all of them.

A filter then costs its own tile, a product and the way back (overlap-save: Oppenheim & Schafer 2010,
Discrete-Time Signal Processing, section 8.7.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Complex64 = NDArray[np.complex64]

SIDE_PX = 256
"""Of a tile: it stays in the processor's cache, and filters reach over little of it."""


@dataclass(frozen=True)
class Tiles:
    """A picture ready to be filtered.

    Attributes:
        spectra: ``(rows, columns, height, width // 2 + 1)`` of tiles that overlap by twice the reach.
        shape: Of the picture.
        size: Height and width of a tile.
        reach: Most pixels that a filter reaches from its middle.
    """

    spectra: Complex64
    shape: tuple[int, int]
    size: tuple[int, int]
    reach: int

    @classmethod
    def of(cls, picture: Float32, reach: int) -> Self:
        """The tiles of an ``(H, W)`` picture, beyond which there are zeros."""
        from scipy.fft import next_fast_len, rfft2

        height, width = (min(SIDE_PX, next_fast_len(side + 2 * reach, real=True)) for side in picture.shape)
        steps = height - 2 * reach, width - 2 * reach
        beyond = ((reach, reach + -side % step) for side, step in zip(picture.shape, steps, strict=True))
        wide = np.pad(picture, tuple(beyond))
        tiles = np.lib.stride_tricks.sliding_window_view(wide, (height, width))[:: steps[0], :: steps[1]]
        return cls(rfft2(tiles), picture.shape, (height, width), reach)

    def filtered(self, kernel: Float32) -> Float32:
        """``(H, W)`` sum of the pixels around each, weighed with an ``(n, n)`` kernel of odd n."""
        from scipy.fft import irfft2, rfft2

        spectrum = np.conj(rfft2(kernel.astype(np.float32), self.size))
        first = self.reach - len(kernel) // 2
        (rows, columns), (height, width) = self.spectra.shape[:2], self.size
        high, wide = height - 2 * self.reach, width - 2 * self.reach
        sums = np.empty((rows, high, columns, wide), np.float32)
        for row, spectra in zip(sums, self.spectra, strict=True):
            tiles = irfft2(spectra * spectrum, self.size)[:, first : first + high, first : first + wide]
            row[:] = tiles.swapaxes(0, 1)
        return sums.reshape(rows * high, columns * wide)[: self.shape[0], : self.shape[1]]
