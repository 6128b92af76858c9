"""How a frame is shown, as parameters a person can change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from core.errors import ParameterInvalid
from core.frames.display.colour_maps import STOPS
from core.frames.display.sample import sample
from core.frames.frame import Frame
from core.parameters import Parameters, parameter

STRETCHES = ("linear", "asinh", "log", "sqrt", "histogram")
LIMITS = ("zscale", "percentile", "manual", "minmax")

_LINEAR_DATA_MEDIAN = 0.05
"""A 16-bit picture with a median below this fraction of full scale is unstretched camera data."""


@dataclass(frozen=True)
class DisplaySettings(Parameters):
    """How pixel values become brightness and colour. Colour frames ignore the colour map."""

    stretch: str = parameter(
        "asinh",
        label="Stretch",
        choices=STRETCHES,
        help="How brightness follows the pixel value: linear; asinh, log and sqrt lift what is faint; "
        "histogram gives every brightness the same number of pixels.",
        why="asinh shows faint and bright parts together and is linear near the background "
        "(Lupton et al. 2004).",
    )
    limits: str = parameter(
        "percentile",
        label="Limits",
        choices=LIMITS,
        help="Which pixel values are black and white: IRAF's zscale, percentiles, your own, or the extremes.",
        why="Percentiles keep the sky dark; zscale, made for checking frames, shows it a bright grey.",
    )
    percentile_low: float = parameter(
        1.0,
        label="Black percentile",
        unit="%",
        low=0.0,
        high=49.0,
        step=0.1,
        help="Used by percentile limits.",
    )
    percentile_high: float = parameter(
        99.8,
        label="White percentile",
        unit="%",
        low=51.0,
        high=100.0,
        step=0.1,
        help="Used by percentile limits.",
    )
    low: float | None = parameter(
        None, label="Black value", help="Used by manual limits; auto is the frame's lowest value."
    )
    high: float | None = parameter(
        None, label="White value", help="Used by manual limits; auto is the frame's highest value."
    )
    colour_map: str = parameter(
        "grey",
        label="Colour map",
        choices=tuple(STOPS),
        help="Colours of a grey frame from dark to bright.",
        why="Grey suggests no edges that are not there; the others are as even, colour-blind eyes included.",
    )
    invert: bool = parameter(
        False, label="Invert", help="Dark stars on a bright sky, as on a photographic plate."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ParameterInvalid(
                f"The black value must be below the white value, got {self.low:g} and {self.high:g}.",
                parameter="low",
                given=self.low,
                limit=self.high,
            )

    @classmethod
    def for_frame(cls, frame: Frame) -> Self:
        """What suits a frame at first sight.

        FITS and unstretched 16-bit pictures: asinh between percentiles. Pictures that were made to be looked
        at (8-bit, or 16-bit with an ordinary median) look as they are, black at 0 and white at full scale;
        once processed, they are shown linearly between percentiles.
        """
        if frame.row0 == "bottom" or frame.hdu is not None:  # some FITS files have row 0 on top
            return cls()
        if frame.processing:
            return cls(stretch="linear")
        white = frame.saturation
        if white is None or (white > 255.0 and np.median(sample(frame)) < _LINEAR_DATA_MEDIAN * white):
            return cls()
        return cls(stretch="linear", limits="manual", low=0.0, high=white)
