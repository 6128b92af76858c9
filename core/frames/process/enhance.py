"""Bringing out what the eye would miss. For looking, not for measuring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.frames.frame import Float32
from core.frames.process.channels import each_channel, sample
from core.frames.process.step import ProcessingStep
from core.parameters import parameter

_SPAN_PERCENTILES = (0.1, 99.9)
"""What counts as black and white for the methods that need to know."""


@dataclass(frozen=True)
class Enhancement(ProcessingStep):
    """Brings out faint or small structure for the eye; fluxes no longer mean anything afterwards."""

    name = "enhance"
    title = "Enhancement"
    keeps_unit = False

    method: str = parameter(
        "local contrast",
        label="Method",
        choices=("local contrast", "sharpen", "gamma"),
        help="local contrast: adaptive histogram equalisation (CLAHE); sharpen: unsharp mask; gamma: a power "
        "of the brightness.",
        why="Local contrast shows dust lanes and crater walls in bright and in faint parts alike.",
    )
    amount: float = parameter(
        1.0,
        label="Amount",
        low=0.1,
        high=5.0,
        step=0.1,
        help="How strongly local contrast and sharpening act.",
        why="1 is skimage's clip limit of 0.01, and an unsharp mask of 100 %.",
    )
    radius_px: float = parameter(
        2.0,
        label="Radius",
        unit="px",
        low=0.5,
        high=50.0,
        step=0.5,
        help="Size of what is sharpened.",
        why="2 px is about the radius of a star image.",
    )
    gamma: float = parameter(
        0.5,
        label="Gamma",
        low=0.1,
        high=5.0,
        step=0.1,
        help="Below 1 lifts the faint parts, above 1 darkens them.",
        why="0.5 is the square root, which evens out photon noise.",
    )

    def apply(self, pixels: Float32) -> Float32:
        """The enhanced pixels; see :meth:`ProcessingStep.apply`."""
        if self.method == "sharpen":
            return each_channel(pixels, self._sharpen)
        low, high = (float(cut) for cut in np.percentile(sample(pixels), _SPAN_PERCENTILES))
        if low >= high:
            return pixels.copy()
        if self.method == "gamma":
            unit = np.clip((pixels - np.float32(low)) / np.float32(high - low), 0.0, None)
            return np.asarray(np.float32(low) + np.float32(high - low) * unit ** np.float32(self.gamma))
        brightness = pixels if pixels.ndim == 2 else pixels.mean(axis=2, dtype=np.float32)
        lift = each_channel(brightness, lambda grey: self._local_contrast(grey, low, high)) - brightness
        # The colours are moved together, which keeps their differences and cannot divide by a dark sky.
        return pixels + (lift if pixels.ndim == 2 else np.nan_to_num(lift)[:, :, None])

    def _sharpen(self, pixels: Float32) -> Float32:
        from scipy.ndimage import gaussian_filter

        return pixels + np.float32(self.amount) * (pixels - gaussian_filter(pixels, self.radius_px))

    def _local_contrast(self, pixels: Float32, low: float, high: float) -> Float32:
        """CLAHE (Zuiderveld 1994, Graphics Gems IV, 474) between black and white, brought back to them."""
        from skimage.exposure import equalize_adapthist

        unit = np.clip((pixels - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
        equalised = equalize_adapthist(unit, clip_limit=0.01 * self.amount)
        return np.asarray(equalised, np.float32) * np.float32(high - low) + np.float32(low)
