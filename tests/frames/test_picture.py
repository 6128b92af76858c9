"""Reading good PNG and JPEG pictures."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageOps

from core.frames import read_frame
from tests.frames.files import picture

COLOUR = np.random.default_rng(1).integers(0, 255, (24, 32, 3)).astype(np.uint8)
DEEP = np.random.default_rng(2).integers(0, 65535, (24, 32, 3)).astype(np.uint16)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("RGB", COLOUR),
        ("L", np.asarray(Image.fromarray(COLOUR).convert("L"))),
        ("P", np.asarray(Image.fromarray(COLOUR).convert("P").convert("RGB"))),
        ("1", np.asarray(Image.fromarray(COLOUR).convert("1").convert("L"))),
    ],
)
def test_png_of_8_bits(mode: str, expected: np.ndarray) -> None:
    frame = read_frame(picture("PNG", COLOUR, mode))
    np.testing.assert_array_equal(frame.pixels, expected)
    assert (frame.row0, frame.saturation) == ("top", 255.0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_16_bits_keeps_all_of_them(channels: int) -> None:
    stored = np.random.default_rng(3).integers(1, 65535, (24, 32, channels)).astype(np.uint16)
    frame = read_frame(imagecodecs.png_encode(stored[..., 0] if channels == 1 else stored))
    colours = stored[..., :3] if channels >= 3 else stored[..., 0]
    np.testing.assert_array_equal(frame.pixels, colours)
    assert frame.saturation == 65535.0


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_missing_and_others_keep_their_values(mode: str) -> None:
    stored = np.array(Image.fromarray(COLOUR).convert(mode))
    stored[:, :, -1] = 128
    stored[:6, :, -1] = 0
    frame = read_frame(picture("PNG", stored))
    assert np.isnan(frame.pixels[:6]).all()
    colours = stored[..., :3] if mode == "RGBA" else stored[..., 0]
    np.testing.assert_array_equal(frame.pixels[6:], colours[6:])


def test_grey_saved_as_colour_is_grey() -> None:
    grey = np.repeat(COLOUR[:, :, :1], 3, axis=2)
    assert not read_frame(picture("PNG", grey)).is_colour
    grey[20, 30, 2] ^= 1
    assert read_frame(picture("PNG", grey)).is_colour


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_what_pillow_decodes(options: dict[str, object]) -> None:
    data = picture("JPEG", COLOUR, quality=90, **options)
    np.testing.assert_array_equal(read_frame(data).pixels, np.asarray(Image.open(io.BytesIO(data))))


def test_a_film_after_a_jpeg_is_no_passes() -> None:
    data = picture("JPEG", COLOUR)
    film = np.random.default_rng(0).bytes(10_000) + b"\xff\xda" * 200
    np.testing.assert_array_equal(read_frame(data + film).pixels, read_frame(data).pixels)


def test_cmyk_jpeg_is_colour() -> None:
    frame = read_frame(picture("JPEG", np.full((24, 32, 3), (250, 10, 10), np.uint8), "CMYK", quality=95))
    assert frame.is_colour
    assert frame.pixels[12, 16, 0] > 200.0 > 60.0 > frame.pixels[12, 16, 1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_does(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = picture(kind, COLOUR, quality=95, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_frame(data).pixels, expected)
