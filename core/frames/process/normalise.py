"""Bringing frames to a common scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.frames.frame import Float32
from core.frames.process.channels import median_and_sigma, sample
from core.frames.process.step import ProcessingStep
from core.parameters import parameter


@dataclass(frozen=True)
class Normalisation(ProcessingStep):
    """Puts pixel values on a common scale, so that frames of different exposures can be compared."""

    name = "normalise"
    title = "Normalisation"
    keeps_unit = False

    method: str = parameter(
        "zero to one",
        label="Scale",
        choices=("zero to one", "noise units", "colour balance"),
        help="zero to one: between two percentiles; noise units: sky at 0, its noise at 1; colour balance: "
        "the sky of the three colours made neutral and equally noisy.",
        why="Most networks and filters expect numbers from 0 to 1.",
    )
    percentile_low: float = parameter(
        0.5, label="Zero at", unit="%", low=0.0, high=49.0, step=0.1, help="Percentile that becomes 0."
    )
    percentile_high: float = parameter(
        99.5,
        label="One at",
        unit="%",
        low=51.0,
        high=100.0,
        step=0.1,
        help="Percentile that becomes 1; brighter pixels are above 1 and are not cut.",
    )

    def apply(self, pixels: Float32) -> Float32:
        """The rescaled pixels; see :meth:`ProcessingStep.apply`."""
        if self.method == "colour balance":
            return _balanced(pixels) if pixels.ndim == 3 else pixels.copy()
        values = sample(pixels)  # of all colours together, so that the colours stay what they are
        if self.method == "zero to one":
            zero, high = (
                float(cut) for cut in np.percentile(values, (self.percentile_low, self.percentile_high))
            )
            one = high - zero
        else:
            zero, one = median_and_sigma(values)
        scaled: Float32 = (pixels - np.float32(zero)) / np.float32(one if one > 0.0 else 1.0)
        return scaled


def _balanced(pixels: Float32) -> Float32:
    """Every colour moved and scaled to the mean sky and mean noise of the three."""
    skies = np.array([median_and_sigma(sample(pixels[:, :, colour])) for colour in range(3)], np.float32)
    sky, sigma = skies.mean(axis=0)
    own_sky = skies[:, 0]
    scale = np.where(skies[:, 1] > 0.0, sigma / np.where(skies[:, 1] > 0.0, skies[:, 1], 1.0), 1.0)
    balanced: Float32 = ((pixels - own_sky) * scale.astype(np.float32) + sky).astype(np.float32)
    return balanced
