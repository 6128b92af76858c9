"""Making noise smaller, by as little as the eye needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.frames.frame import Float32
from core.frames.process.channels import each_channel, median_and_sigma
from core.frames.process.step import ProcessingStep
from core.parameters import parameter

_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_LAPLACIAN_GAIN = 6.0
"""The mask multiplies white noise by the root of the sum of its squares."""


def noise_sigma(pixels: Float32) -> float:
    """Standard deviation of the white noise of a picture, whatever it shows.

    A mask that cancels anything linear is applied (Immerkær 1996, CVIU 64, 300); the median absolute
    deviation of what remains, where the original takes the mean, keeps stars and edges out of it.

    Args:
        pixels: ``(H, W)`` without missing values. Of a large picture the middle 1024 × 1024 are used.
    """
    from scipy.ndimage import convolve

    rows, columns = (max(0, (side - 1024) // 2) for side in pixels.shape)
    middle = pixels[rows : rows + 1024, columns : columns + 1024]
    return median_and_sigma(convolve(middle, _LAPLACIAN, mode="reflect").ravel())[1] / _LAPLACIAN_GAIN


@dataclass(frozen=True)
class NoiseReduction(ProcessingStep):
    """Smooths the noise, whose size is measured from the frame, and keeps what stands out of it."""

    name = "noise"
    title = "Noise reduction"
    keeps_unit = True

    method: str = parameter(
        "median",
        label="Filter",
        choices=("median", "gaussian", "bilateral", "total variation", "non-local means"),
        help="median removes hot pixels and cosmic rays; gaussian is best for the faintest stars; bilateral "
        "keeps edges; total variation flattens; non-local means averages patches that look alike (slow).",
        why="A small median harms no star wider than itself and needs no tuning.",
    )
    radius_px: float = parameter(
        1.0,
        label="Radius",
        unit="px",
        low=0.5,
        high=10.0,
        step=0.5,
        help="Half the window of the median, or the width (σ) of the gaussian and bilateral filters.",
        why="1 px is below the radius of a well-sampled star image.",
    )
    strength: float = parameter(
        1.0,
        label="Strength",
        unit="σ",
        low=0.1,
        high=10.0,
        step=0.1,
        help="How large a difference counts as noise, in units of the noise, for the last three filters.",
        why="At 1 σ the noise goes and a 3 σ structure stays.",
    )

    def apply(self, pixels: Float32) -> Float32:
        """The smoothed pixels; see :meth:`ProcessingStep.apply`."""
        return each_channel(pixels, self._smooth)

    def _smooth(self, pixels: Float32) -> Float32:
        from scipy.ndimage import gaussian_filter, median_filter

        if self.method == "median":
            return np.asarray(median_filter(pixels, size=2 * math.ceil(self.radius_px) + 1), np.float32)
        if self.method == "gaussian":
            return np.asarray(gaussian_filter(pixels, self.radius_px), np.float32)
        sigma = noise_sigma(pixels)
        if sigma == 0.0:
            return pixels.copy()
        low = pixels.min()
        smooth: Float32 = self._keeping_edges((pixels - low) / np.float32(sigma)) * np.float32(sigma) + low
        return smooth

    def _keeping_edges(self, in_sigmas: Float32) -> Float32:
        """Filters that need to know how large the noise is, on pixels in units of it."""
        from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle

        if self.method == "bilateral":  # Tomasi & Manduchi 1998, ICCV, 839; 3 σ of the radius either side
            window = 2 * math.ceil(3.0 * self.radius_px) + 1
            smooth = denoise_bilateral(
                in_sigmas, win_size=window, sigma_color=2.0 * self.strength, sigma_spatial=self.radius_px
            )
        elif self.method == "total variation":  # Chambolle 2004, J. Math. Imaging Vis. 20, 89
            smooth = denoise_tv_chambolle(in_sigmas, weight=self.strength, max_num_iter=50)
        else:  # Buades, Coll & Morel 2005, CVPR, 60; h = 0.8 σ is the skimage authors' advice for fast mode
            smooth = denoise_nl_means(
                in_sigmas, patch_size=5, patch_distance=6, h=0.8 * self.strength, sigma=1.0, fast_mode=True
            )
        return np.asarray(smooth, np.float32)
