"""Pictures small enough to send."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from core.frames import Frame
from core.frames.display import DisplaySettings, encode, render


def test_small_picture_loses_nothing() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (100, 120, 3)).astype(np.uint8)
    data, mime = encode(rgb)
    assert mime == "image/png"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), rgb)


def test_noisy_star_field_of_1400_px_stays_below_700_kB() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.normal(1000.0, 20.0, (1400, 1400)).astype(np.float32)
    pixels[rng.integers(0, 1400, 3000), rng.integers(0, 1400, 3000)] += 5000.0
    frame = Frame.from_array(pixels, row0="bottom")
    for limits in ("percentile", "zscale"):
        data, mime = encode(render(frame, DisplaySettings(limits=limits)).rgb)
        assert mime == "image/jpeg"
        assert len(data) < 700_000
        assert Image.open(io.BytesIO(data)).size == (1400, 1400)


def test_colour_survives() -> None:
    rgb = np.zeros((700, 700, 3), np.uint8)
    rgb[:] = (200, 40, 90)
    data, mime = encode(rgb)
    assert mime == "image/jpeg"
    assert np.abs(np.asarray(Image.open(io.BytesIO(data))).astype(int) - rgb).max() <= 3
