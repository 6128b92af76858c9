"""The far wings of bright stars, where the image is so smooth that one map serves every star."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.simulate.psf import StarImage
from core.simulate.stamps import ring_maxima

Float64 = NDArray[np.float64]

SLOPE = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12.0
BEND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12.0
"""First and second derivative by five points."""


@dataclass(frozen=True, eq=False)
class Wing:
    """A star of flux 1 out to ``half`` pixels, right only beyond the core.

    Attributes:
        maps: ``(6, side, side)``: the image and its derivatives ∂x, ∂y, ∂xx, ∂xy, ∂yy.
        core_half: Pixels to each side that are left to a :class:`~core.simulate.stamps.StampTable`.
        half: Pixels to each side.
    """

    maps: Float64
    core_half: int
    half: int

    @classmethod
    def of(cls, image: StarImage, core_half: int, half: int) -> Wing:
        """Sample an image at the pixels, blur it as defocus, drift and the pixels do, and derive it."""
        from scipy.ndimage import correlate1d
        from scipy.signal import fftconvolve

        side = 2 * half + 1
        sharp = image.core.drawImage(nx=side, ny=side, scale=1.0, method="no_pixel", dtype=np.float64).array
        blurred = fftconvolve(sharp, _blur(image), mode="same")
        right, up = correlate1d(blurred, SLOPE, axis=1), correlate1d(blurred, SLOPE, axis=0)
        bends = [correlate1d(blurred, BEND, axis=1), correlate1d(right, SLOPE, axis=0)]
        return cls(
            np.stack([blurred, right, up, *bends, correlate1d(blurred, BEND, axis=0)]), core_half, half
        )

    def ring_maxima(self) -> Float64:
        """``(half + 1,)`` brightest pixel on each square ring; not to be trusted within the core."""
        return ring_maxima(self.maps[0])

    def add(self, light_e: Float64, flux_e: Float64, x: float, y: float, reach: int) -> None:
        """Add the wing of one star in place, out to ``reach`` pixels and without the core.

        Args:
            light_e: ``(C, H, W)`` electrons.
            flux_e: ``(C,)`` electrons of the star.
            x, y: Its pixel.
            reach: At most :attr:`half`.
        """
        _, height, width = light_e.shape
        column, row = round(x), round(y)
        dx, dy = x - column, y - row
        y0, y1 = max(row - reach, 0), min(row + reach + 1, height)
        x0, x1 = max(column - reach, 0), min(column + reach + 1, width)
        if y0 >= y1 or x0 >= x1:
            return
        top, left = self.half - row, self.half - column
        seen = self.maps[:, y0 + top : y1 + top, x0 + left : x1 + left]
        terms = np.array([1.0, -dx, -dy, dx * dx / 2.0, dx * dy, dy * dy / 2.0])  # Taylor's
        wing = np.tensordot(terms, seen, axes=1)
        wing[
            max(row - self.core_half - y0, 0) : max(row + self.core_half + 1 - y0, 0),
            max(column - self.core_half - x0, 0) : max(column + self.core_half + 1 - x0, 0),
        ] = 0.0
        light_e[:, y0:y1, x0:x1] += flux_e[:, None, None] * wing


def _blur(image: StarImage) -> Float64:
    """What defocus, drift and the pixels' averaging do to a smooth image."""
    if image.blur is None:
        # Averaging over a pixel adds 1/24 of the Laplacian.
        laplace: Float64 = np.array([[0.0, 1.0, 0.0], [1.0, 20.0, 1.0], [0.0, 1.0, 0.0]]) / 24.0
        return laplace
    import galsim

    side = 2 * int(np.ceil(image.blur_px / 2.0)) + 5
    # A Gaussian of a pixel's own variance does what the pixel does, and has no sharp edges to transform.
    soft = galsim.Convolve([image.blur, galsim.Gaussian(sigma=12.0**-0.5)])
    drawn = soft.drawImage(nx=side, ny=side, scale=1.0, method="no_pixel", dtype=np.float64)
    kernel: Float64 = drawn.array.copy()
    kernel /= kernel.sum()
    return kernel
