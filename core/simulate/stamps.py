"""Star images at any place within a pixel, from one look at their Fourier transform.

How a stamp depends on where in its pixel the star stands is smooth: a polynomial in that place, of the
degree its spatial frequencies ask for, gives it to a part in a million. Chebyshev nodes keep the
interpolation stable. The stamps at the nodes come from the transform that GalSim gives, by sums that are
separable in x and y and so are two products of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

PERIOD, PERIOD_OF_LARGE, LARGE_HALF = 6, 3, 64
"""The sums repeat after so many half sizes; what folds back comes from five, or two, half sizes away. Large
stamps are those of blurred stars, of which little reaches that far."""
MAX_DEGREE = 15


@dataclass(frozen=True, eq=False)
class StampTable:
    """Stamps of a star of flux 1 that reach ``half`` pixels to each side.

    Attributes:
        coefficients: ``(K, side, side)`` of the terms of a polynomial in the star's place in its pixel,
            ``side = 2 half + 1``.
        powers: ``(K, 2)`` degrees in y and x of the Chebyshev polynomials of each term.
        half: Pixels.
    """

    coefficients: Float64
    powers: NDArray[np.intp]
    half: int

    @classmethod
    def of(cls, image: Any, half: int) -> StampTable:
        """Make the table of a ``galsim.GSObject`` in pixels, averaged over each pixel.

        The image is the same when turned by half a turn, as all of :mod:`core.simulate.psf` are, so that
        its Fourier transform is real.
        """
        import galsim
        from numpy.polynomial.chebyshev import chebpts1, chebvander

        # Measured on Moffat, Kolmogorov, Airy and Gaussian images: they err by 1e-6 of the flux at most.
        degree = min(int(np.ceil(0.7 * image.maxk)) + 3, MAX_DEGREE)
        nodes = chebpts1(degree + 1) / 2.0
        to_terms = np.linalg.inv(chebvander(2.0 * nodes, degree))

        period = (PERIOD_OF_LARGE if half >= LARGE_HALF else PERIOD) * half
        step = 2.0 * np.pi / period
        n_waves = int(np.ceil(image.maxk / step))
        side = 2 * n_waves + 1
        whole = galsim.Convolve([image, galsim.Pixel(1.0)])
        transform = whole.drawKImage(nx=side, ny=side, scale=step).array.real[:, n_waves:].copy()
        transform[:, 1:] *= 2.0  # the half left out is the same
        wave_y, wave_x = step * np.arange(-n_waves, n_waves + 1), step * np.arange(n_waves + 1)

        place = np.arange(-half, half + 1) - nodes[:, None]  # (nodes, side) of pixels, as seen from the star
        n_terms, pixels = place.shape
        summed = np.zeros((n_terms * pixels, n_terms * pixels))
        for wave, sign in ((np.cos, 1.0), (np.sin, -1.0)):  # cos(a + b) = cos a cos b − sin a sin b
            along_y = np.tensordot(to_terms, wave(place[:, :, None] * wave_y), axes=1).reshape(-1, side)
            along_x = np.tensordot(to_terms, wave(place[:, :, None] * wave_x), axes=1)
            summed += sign * (along_y @ transform) @ along_x.reshape(-1, n_waves + 1).T
        terms = summed.reshape(n_terms, pixels, n_terms, pixels).transpose(0, 2, 1, 3)
        # Terms of a high degree in both x and y are as small as those of the sum of the degrees in one.
        powers = np.argwhere(np.add.outer(np.arange(n_terms), np.arange(n_terms)) <= degree + 1)
        scale = (step / (2.0 * np.pi)) ** 2
        return cls(terms[powers[:, 0], powers[:, 1]] * scale, powers, half)

    def cropped(self, half: int) -> StampTable:
        """The inner part of the stamps."""
        cut = slice(self.half - half, self.half + half + 1)
        return StampTable(np.ascontiguousarray(self.coefficients[:, cut, cut]), self.powers, half)

    def at(self, dx: Float64, dy: Float64) -> Float64:
        """``(n, side²)`` stamps of stars ``dx, dy`` in [−½, ½] from the middle of their pixel."""
        from numpy.polynomial.chebyshev import chebvander

        degree = int(self.powers.max())
        along_x, along_y = chebvander(2.0 * dx, degree), chebvander(2.0 * dy, degree)
        terms = along_y[:, self.powers[:, 0]] * along_x[:, self.powers[:, 1]]
        stamps: Float64 = terms @ self.coefficients.reshape(len(self.coefficients), -1)
        return stamps


def ring_maxima(stamp: Float64) -> Float64:
    """``(half + 1,)`` brightest pixel on each square ring around the middle of a stamp of odd side."""
    half = stamp.shape[0] // 2
    away = np.abs(np.arange(-half, half + 1))
    ring = np.maximum(away[:, None], away[None, :])
    brightest = np.zeros(half + 1)
    np.maximum.at(brightest, ring.ravel(), stamp.ravel())
    return brightest
