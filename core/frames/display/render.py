"""Drawing a frame: averaged down to size, stretched, coloured and the right way up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterInvalid
from core.frames.display import limits
from core.frames.display.colour_maps import colour_table
from core.frames.display.limits import Cuts
from core.frames.display.resample import area_mean
from core.frames.display.settings import DisplaySettings
from core.frames.display.stretch import brightness_table, stretch_steps
from core.frames.frame import Frame

Rgb = NDArray[np.uint8]
Region = tuple[int, int, int, int]

MISSING_RGB = (46, 56, 84)
"""The flat slate blue that missing pixels are shown in."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A picture of a region of a frame, the right way up, and how the two correspond.

    Attributes:
        rgb: ``(h, w, 3)`` uint8; row 0 is shown at the top.
        x0, y0: First column and row of the region, which covers columns ``[x0, x0 + region_width)``.
        region_width, region_height: Of the region in frame pixels.
        flipped: Whether row 0 of the frame is at the bottom of the picture.
    """

    rgb: Rgb
    x0: int
    y0: int
    region_width: int
    region_height: int
    flipped: bool

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Position in the picture (pixel centres at whole numbers) of a position in the frame."""
        height, width = self.rgb.shape[:2]
        u = (x - self.x0 + 0.5) * width / self.region_width - 0.5
        v = (y - self.y0 + 0.5) * height / self.region_height - 0.5
        return u, height - 1 - v if self.flipped else v

    def to_frame(self, u: float, v: float) -> tuple[float, float]:
        """Position in the frame of a position in the picture: the inverse of :meth:`to_view`."""
        height, width = self.rgb.shape[:2]
        from_first_row = height - 1 - v if self.flipped else v
        x = (u + 0.5) * self.region_width / width - 0.5 + self.x0
        y = (from_first_row + 0.5) * self.region_height / height - 0.5 + self.y0
        return x, y


def render(
    frame: Frame,
    settings: DisplaySettings,
    *,
    region: Region | None = None,
    max_side: int | None = None,
    cuts: Cuts | None = None,
) -> Rendered:
    """Draw a frame or a part of it.

    The pixels are averaged down to size before they are stretched, which is faster and keeps the fluxes of
    faint stars. Missing pixels get :data:`MISSING_RGB`.

    Args:
        frame: The frame.
        settings: Limits, stretch and colours.
        region: ``x_min, y_min, x_max, y_max`` in frame pixels, the last two exclusive; cut to the frame.
        max_side: Longest side of the picture in pixels; never enlarged. No limit when None.
        cuts: Limits measured before by :func:`cuts`, to save measuring them again.

    Raises:
        ParameterInvalid: The region lies outside the frame, or ``max_side`` is below 1.
    """
    x_min, y_min, x_max, y_max = _region(frame, region)
    pixels = frame.pixels[y_min:y_max, x_min:x_max]
    width, height = _picture_size(x_max - x_min, y_max - y_min, max_side)
    channels = [pixels] if pixels.ndim == 2 else [pixels[:, :, colour] for colour in range(3)]
    found = cuts if cuts is not None else limits.cuts(frame, settings)
    brightness = brightness_table(settings.stretch, found)
    if settings.invert:
        brightness = 255 - brightness
    levels, missing = [], np.zeros((height, width), bool)
    for channel in channels:
        small = area_mean(channel, width, height)
        steps, blank = stretch_steps(small, found)
        levels.append(brightness[steps])
        missing |= blank
    rgb = np.stack(levels, axis=2) if len(levels) > 1 else colour_table(settings.colour_map)[levels[0]]
    rgb[missing] = MISSING_RGB
    flipped = frame.row0 == "bottom"
    return Rendered(
        rgb=np.ascontiguousarray(rgb[::-1]) if flipped else rgb,
        x0=x_min,
        y0=y_min,
        region_width=x_max - x_min,
        region_height=y_max - y_min,
        flipped=flipped,
    )


def _region(frame: Frame, region: Region | None) -> Region:
    if region is None:
        return 0, 0, frame.width, frame.height
    x_min, y_min = max(0, int(region[0])), max(0, int(region[1]))
    x_max, y_max = min(frame.width, int(region[2])), min(frame.height, int(region[3]))
    if x_min >= x_max or y_min >= y_max:
        raise ParameterInvalid(
            "The region does not lie on the frame.",
            parameter="region",
            given=region,
            limit=(0, 0, frame.width, frame.height),
        )
    return x_min, y_min, x_max, y_max


def _picture_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    if max_side is None or max(width, height) <= max_side:
        return width, height
    if max_side < 1:
        raise ParameterInvalid(
            f"max_side must be 1 or more, got {max_side}.", parameter="max_side", given=max_side, limit=1
        )
    ratio = max_side / max(width, height)
    return max(1, round(width * ratio)), max(1, round(height * ratio))
