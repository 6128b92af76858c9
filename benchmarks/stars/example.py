"""One frame of a set, with the truth that goes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.results import Detections

Floats = NDArray[np.float64]
REFERENCE_NOISE_E = 15.0
ZERO_POINT_MAG = 25.0


@dataclass(frozen=True, eq=False)
class Example:
    """A simulated frame and its stars.

    Attributes:
        pixels: ``(H, W)`` float32.
        xy: ``(N, 2)`` true places in pixels.
        snr: ``(N,)`` signal-to-noise ratio that weighting by the star's own true image would give.
        mag: ``(N,)`` magnitudes; see :func:`magnitudes`.
        saturation: Pixel value at which a pixel is full; NaN when none is.
        moffat: FWHM in pixels and β of the star image where it is one and the same Moffat image on every
            frame of the set, for rivals to be told; None where it has to be measured.
    """

    pixels: NDArray[np.float32]
    xy: Floats
    snr: Floats
    mag: Floats
    saturation: float = field(default=float("nan"))
    moffat: tuple[float, float] | None = None

    @cached_property
    def frame(self) -> Frame:
        """What methods are given."""
        saturation = self.saturation if np.isfinite(self.saturation) else None
        return Frame.from_array(self.pixels, saturation=saturation)

    @cached_property
    def truth(self) -> Detections:
        """What is scored against."""
        columns = {"label": "star", "score": 1.0, "x": self.xy[:, 0], "y": self.xy[:, 1]}
        return Detections(pd.DataFrame({**columns, "snr": self.snr, "mag": self.mag}))

    @property
    def megapixels(self) -> float:
        """Area in millions of pixels."""
        return self.pixels.size / 1e6


def magnitudes(flux_e: Floats, noise_e: float) -> Floats:
    """``25 − 2.5 log10`` of the electrons a star would have if a pixel of sky had a noise of 15 e⁻.

    Frames of different exposure then share one scale, on which a magnitude is as easy on one as on another
    save for the width of the stars.
    """
    return np.asarray(ZERO_POINT_MAG - 2.5 * np.log10(flux_e * REFERENCE_NOISE_E / noise_e))
