"""What suits a frame at first sight, and settings that contradict each other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame, samples
from core.frames.display import DisplaySettings, render


def test_picture_looks_as_it_is() -> None:
    frame = next(sample for sample in samples() if sample.name == "m13").read()
    shown = render(frame, DisplaySettings.for_frame(frame))
    np.testing.assert_array_equal(shown.rgb, frame.pixels.astype(np.uint8))


@pytest.mark.parametrize(
    ("row0", "hdu", "saturation", "level", "processing", "stretch", "limits"),
    [
        ("bottom", None, 65535.0, 1000.0, "", "asinh", "percentile"),
        ("top", 0, 65535.0, 5000.0, "", "asinh", "percentile"),
        ("top", 0, 65535.0, 5000.0, "[]", "asinh", "percentile"),
        ("top", None, 255.0, 3.0, "", "linear", "manual"),
        ("top", None, 65535.0, 900.0, "", "asinh", "percentile"),
        ("top", None, 65535.0, 30_000.0, "", "linear", "manual"),
        ("top", None, None, 0.5, "", "asinh", "percentile"),
        ("top", None, None, 0.5, "[]", "linear", "percentile"),
    ],
)
def test_first_sight(
    row0: str,
    hdu: int | None,
    saturation: float | None,
    level: float,
    processing: str,
    stretch: str,
    limits: str,
) -> None:
    frame = Frame.from_array(np.full((20, 20), level), row0=row0, hdu=hdu, saturation=saturation)
    settings = DisplaySettings.for_frame(dataclasses.replace(frame, processing=processing))
    assert (settings.stretch, settings.limits) == (stretch, limits)


def test_black_must_be_below_white() -> None:
    with pytest.raises(ParameterInvalid, match="black value must be below the white value"):
        DisplaySettings(low=5.0, high=5.0)
    assert DisplaySettings(low=5.0).high is None
