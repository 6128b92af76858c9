"""Reading good TIFF files."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile

from core.frames import HduChoice, image_hdus, read_frame
from tests.frames.files import noise, tiff

KINDS = ("u1", "u2", "u4", "i2", "i4", "f2", "f4", "f8")
STORED = [(kind, how) for kind in KINDS for how in (None, "lzw", "deflate", "zstd")] + [("u1", "packbits")]


@pytest.mark.parametrize(("kind", "compression"), STORED)
def test_grey_keeps_its_values(kind: str, compression: str | None) -> None:
    pixels = np.random.default_rng(1).integers(0, 100, (24, 32)).astype(kind)
    frame = read_frame(tiff(pixels, compression=compression))
    np.testing.assert_array_equal(frame.pixels, pixels.astype(np.float32))
    assert (frame.row0, frame.hdu, frame.plane) == ("top", None, None)
    assert frame.saturation == {"u1": 255.0, "u2": 65535.0}.get(kind)


@pytest.mark.parametrize(
    "options", [{}, {"byteorder": ">"}, {"tile": (16, 16)}, {"rowsperstrip": 5}, {"bigtiff": True}]
)
def test_ways_of_storing(options: dict[str, object]) -> None:
    pixels = noise((40, 50)).astype(np.uint16)
    np.testing.assert_array_equal(read_frame(tiff(pixels, **options)).pixels, pixels)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour(planar: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 60_000, (24, 32, 3)).astype(np.uint16)
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    frame = read_frame(tiff(np.ascontiguousarray(stored), photometric="rgb", planarconfig=planar))
    np.testing.assert_array_equal(frame.pixels, pixels)


def test_transparent_pixels_are_missing() -> None:
    pixels = np.random.default_rng(1).integers(1, 255, (24, 32, 4)).astype(np.uint8)
    pixels[:12, :, 3] = 0
    frame = read_frame(tiff(pixels, photometric="rgb", extrasamples=["unassalpha"]))
    assert np.isnan(frame.pixels[:12]).all()
    np.testing.assert_array_equal(frame.pixels[12:], pixels[12:, :, :3])
    assert frame.notes == ("50 % of the pixels are missing.",)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("f4", "-3.4028226550889045e+38"), ("f8", "-1.7976931348623157e+308"), ("i2", "-32768"), ("u1", "0")],
)
@pytest.mark.parametrize("options", [{}, {"photometric": "miniswhite"}], ids=str)
def test_pixels_that_gdal_marks_as_empty_are_missing(kind: str, said: str, options: dict[str, str]) -> None:
    pixels = np.random.default_rng(1).integers(1, 100, (24, 32)).astype(kind)
    pixels[:6] = np.array(float(said)).astype(kind)
    frame = read_frame(tiff(pixels, extratags=[(42113, "s", 0, said, True)], **options))
    assert np.isnan(frame.pixels[:6]).all()
    assert np.isfinite(frame.pixels[6:]).all()
    assert frame.notes == ("25 % of the pixels are missing.",)


@pytest.mark.parametrize(("kind", "missing"), [("u1", 1), ("f4", 2)])
def test_a_colour_picture_may_have_the_empty_value_in_one_colour(kind: str, missing: int) -> None:
    pixels = np.random.default_rng(1).integers(1, 100, (24, 32, 3)).astype(kind)
    pixels[0, 0] = pixels[0, 1, 0] = 0
    frame = read_frame(tiff(pixels, photometric="rgb", extratags=[(42113, "s", 0, "0", True)]))
    assert np.isnan(frame.pixels).all(axis=2).sum() == missing


def test_palette_gives_its_colours() -> None:
    palette = np.zeros((3, 256), np.uint16)
    palette[0, 7], palette[2, 9] = 65535, 257 * 100
    pixels = np.tile(np.array([7, 9], np.uint8), (24, 16))
    frame = read_frame(tiff(pixels, photometric="palette", colormap=palette))
    assert frame.pixels[0, 0].tolist() == [255.0, 0.0, 0.0]
    assert frame.pixels[0, 1].tolist() == [0.0, 0.0, 100.0]


def test_white_is_zero_is_turned_round() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (24, 32)).astype(np.uint8)
    np.testing.assert_array_equal(read_frame(tiff(pixels, photometric="miniswhite")).pixels, 255 - pixels)


def test_cmyk_becomes_colour() -> None:
    ink = np.zeros((24, 32, 4), np.uint8)
    ink[..., 0] = 255  # full cyan takes all red
    assert read_frame(tiff(ink, photometric="separated")).pixels[0, 0].tolist() == [0.0, 255.0, 255.0]


def test_pages() -> None:
    pages = noise((4, 24, 32)).astype(np.uint16)
    first = read_frame(tiff(pages, photometric="minisblack"))
    assert (first.plane, first.notes) == (0, ("The file has 4 pages; this is the first.",))
    last = read_frame(tiff(pages, photometric="minisblack"), plane=3)
    assert (last.plane, last.notes) == (3, ())
    np.testing.assert_array_equal(last.pixels, pages[3])
    assert image_hdus(tiff(pages, photometric="minisblack")) == (HduChoice(0, "", 32, 24, 4, 16),)


def test_thumbnails_are_no_pages() -> None:
    buffer = io.BytesIO()
    full = noise().astype(np.uint16)
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(np.zeros((10, 10), np.uint8), subfiletype=1)
        writer.write(full)
    frame = read_frame(buffer.getvalue())
    np.testing.assert_array_equal(frame.pixels, full)
    assert frame.notes == ()


def test_orientation_is_applied() -> None:
    pixels = noise().astype(np.uint16)
    frame = read_frame(tiff(pixels, extratags=[(274, 3, 1, 3, True)]))
    np.testing.assert_array_equal(frame.pixels, pixels[::-1, ::-1])
