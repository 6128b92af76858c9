"""What every format has in common, and large frames in bounded memory."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from core.frames import read_frame
from tests.frames.files import fits_image, picture, primary, tiff

GOOD = {"FITS": fits_image(), "PNG": picture("PNG"), "JPEG": picture("JPEG"), "TIFF": tiff()}


@pytest.mark.parametrize("kind", GOOD)
def test_path_text_and_bytes_give_the_same_frame(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "frame.dat"
    path.write_bytes(GOOD[kind])
    frames = [read_frame(path), read_frame(str(path)), read_frame(GOOD[kind], name="frame.dat")]
    for frame in frames:
        assert frame.name == "frame.dat"
        assert frame.sha256 == hashlib.sha256(GOOD[kind]).hexdigest()
        assert frame.pixels.dtype == np.float32
        assert frame.pixels.flags.c_contiguous
        np.testing.assert_array_equal(frame.pixels, frames[0].pixels)
    assert len({frame.key for frame in frames}) == 1


def test_fits_of_64_megapixels_needs_little_more_than_its_pixels() -> None:
    data = primary(BITPIX="16", NAXIS="2", NAXIS1="8192", NAXIS2="8192", BZERO="32768").ljust(
        2880 + 2**27 + 2880
    )
    tracemalloc.start()
    frame = read_frame(data)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert frame.pixels.shape == (8192, 8192)
    assert peak_bytes < 1.5 * frame.pixels.nbytes  # 256 MiB of float32 and what one strip takes
