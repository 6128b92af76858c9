"""The pictures a viewer shows: a frame, or the difference of two, whole or a crop of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.parameters import canonical_json
from core.ui.viewer.model import Region
from core.ui.viewer.values import binned_mean

if TYPE_CHECKING:
    from core.frames.display import DisplaySettings

DIVERGING = (
    (5, 48, 97),
    (33, 102, 172),
    (67, 147, 195),
    (146, 197, 222),
    (209, 229, 240),
    (247, 247, 247),
    (253, 219, 199),
    (244, 165, 130),
    (214, 96, 77),
    (178, 24, 43),
    (103, 0, 31),
)
"""Blue, white, red (ColorBrewer RdBu): told apart with every common colour vision."""
NO_DATA = (90, 90, 90)
DIFFERENCE_PERCENTILE = 99.5
"""The colours of a difference end where this percentage of the pixels lies within."""


class Picture(Protocol):
    """What the viewer asks of a picture."""

    @property
    def frame(self) -> Frame:
        """The frame, for its size, sky and units."""

    @property
    def key(self) -> str:
        """Names these pixels shown this way."""

    def crop(self, region: Region | None, max_side: int) -> tuple[NDArray[np.uint8], Region]:
        """``(h, w, 3)`` colours of a region, the right way up and at most ``max_side`` px a side.

        The region actually shown comes with it; ``None`` asks for the whole frame.
        """

    def values(self, region: Region | None) -> NDArray[np.float32]:
        """``(h, w)`` or ``(h, w, 3)`` pixel values of a region, in the frame's own row order."""

    def colours(self) -> dict[str, Any] | None:
        """The colour scale to show beside the picture, or None when the frame's own settings say it."""


@dataclass(frozen=True)
class FramePicture:
    """A frame as its display settings show it."""

    frame: Frame
    settings: DisplaySettings

    @property
    def key(self) -> str:
        """Names these pixels shown this way."""
        return canonical_json([self.frame.key, self.settings.to_json()])

    def crop(self, region: Region | None, max_side: int) -> tuple[NDArray[np.uint8], Region]:
        """Colours of a region, in the limits of the whole frame."""
        from core.frames.display import render
        from core.ui.viewer.cached import display_cuts

        limits = display_cuts(self)
        shown = render(self.frame, self.settings, region=region, max_side=max_side, cuts=limits)
        region_shown = (shown.x0, shown.y0, shown.x0 + shown.region_width, shown.y0 + shown.region_height)
        return shown.rgb, region_shown

    def values(self, region: Region | None) -> NDArray[np.float32]:
        """The frame's pixels."""
        return _cut(self.frame.pixels, region)

    def colours(self) -> dict[str, Any] | None:
        """The settings' widgets say it."""
        return None


@dataclass(frozen=True)
class DifferencePicture:
    """The first frame minus the second, on colours symmetric about zero.

    Frames of three colours are compared in brightness.
    """

    frame: Frame
    other: Frame
    title: str

    @property
    def key(self) -> str:
        """Names the two frames."""
        return canonical_json(["difference", self.frame.key, self.other.key])

    def values(self, region: Region | None) -> NDArray[np.float32]:
        """``(h, w)`` first minus second."""
        if self.frame.is_colour == self.other.is_colour:
            difference = _cut(self.frame.pixels, region) - _cut(self.other.pixels, region)
            return difference if difference.ndim == 2 else difference.mean(axis=2, dtype=np.float32)
        return _cut(self.frame.grey, region) - _cut(self.other.grey, region)

    def crop(self, region: Region | None, max_side: int) -> tuple[NDArray[np.uint8], Region]:
        """Colours of a region: red where the first frame is brighter, blue where the second is."""
        from core.ui.viewer.cached import difference_limit

        x_min, y_min, x_max, y_max = region or (0, 0, self.frame.width, self.frame.height)
        step = -(-max(x_max - x_min, y_max - y_min) // max_side)
        values = binned_mean(self.values(region), step)
        stops = np.array(DIVERGING, np.float32)
        limit = difference_limit(self)
        position = (np.clip(np.nan_to_num(values) / limit, -1, 1) + 1) * (len(stops) - 1) / 2
        rgb = np.stack(
            [np.interp(position, np.arange(len(stops)), stops[:, colour]) for colour in range(3)], axis=2
        )
        rgb[~np.isfinite(values)] = NO_DATA
        upright = rgb[::-1] if self.frame.row0 == "bottom" else rgb
        return np.ascontiguousarray(np.rint(upright)).astype(np.uint8), (x_min, y_min, x_max, y_max)

    def limit(self) -> float:
        """Largest difference on the colour scale; never 0."""
        size = np.abs(
            binned_mean(self.values(None), max(1, max(self.frame.width, self.frame.height) // 1024))
        )
        known = size[np.isfinite(size)]
        if not known.size:
            return 1.0
        return float(np.percentile(known, DIFFERENCE_PERCENTILE)) or float(known.max()) or 1.0

    def colours(self) -> dict[str, Any] | None:
        """The scale: its ends, unit, title and colours."""
        from core.ui.viewer.cached import difference_limit

        limit = difference_limit(self)
        stops = [f"rgb({red}, {green}, {blue})" for red, green, blue in DIVERGING]
        return {"low": -limit, "high": limit, "unit": self.frame.unit, "title": self.title, "stops": stops}


def why_no_difference(first: Frame, second: Frame) -> str | None:
    """The sentence for a person when two frames cannot be subtracted pixel by pixel; None when they can."""
    if (first.width, first.height) != (second.width, second.height):
        return (
            f"A difference needs frames of one size: {first.name} is {first.width} × {first.height} px, "
            f"{second.name} is {second.width} × {second.height} px."
        )
    if first.row0 != second.row0:
        return "A difference needs frames of one kind: row 0 of one is at the bottom, of the other on top."
    return None


def _cut(pixels: NDArray[np.float32], region: Region | None) -> NDArray[np.float32]:
    if region is None:
        return pixels
    x_min, y_min, x_max, y_max = region
    return pixels[y_min:y_max, x_min:x_max]
