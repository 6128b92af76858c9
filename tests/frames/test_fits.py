"""Reading good FITS files: every kind of pixel, extension, plane and compression."""

from __future__ import annotations

import gzip
import io
import warnings

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from core.errors import FrameRejected
from core.frames import HduChoice, image_hdus, read_frame
from tests.frames.files import fits_compressed, fits_file, fits_image, noise

COMPRESSIONS = ("RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1")


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8", "f4", "f8", "u2", "u4", "i1"])
def test_every_type_gives_its_values_as_native_float32(kind: str) -> None:
    low, high = (0, 100) if kind in ("u1", "i1") else (0, 30_000)
    pixels = np.random.default_rng(1).integers(low, high, (24, 32)).astype(kind)
    frame = read_frame(fits_image(pixels))
    assert frame.pixels.dtype == np.float32
    assert frame.pixels.dtype.isnative
    assert frame.pixels.flags.c_contiguous
    np.testing.assert_array_equal(frame.pixels, pixels.astype(np.float32))
    assert frame.row0 == "bottom"
    assert (frame.hdu, frame.plane, frame.notes) == (0, None, ())


def test_unsigned_32_bit_keeps_what_float32_can_hold() -> None:
    pixels = np.full((24, 32), 2**31 + 2**20, np.uint32)
    assert read_frame(fits_image(pixels)).pixels[0, 0] == 2**31 + 2**20


def scaled(raw: NDArray[np.integer], **cards: float) -> bytes:
    """Integers stored as they are, with scaling cards that astropy is kept from applying."""
    header = fits_image(raw)[:2880]
    end = header.index(b"END     ")
    text = header[:end] + b"".join(
        f"{key:<8}= {value:>20}".encode().ljust(80) for key, value in cards.items()
    )
    return (text + b"END").ljust(2880) + raw.astype(raw.dtype.newbyteorder(">")).tobytes().ljust(2880)


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({}, [0.0, 1.0, 2.0]),
        ({"BSCALE": 0.5, "BZERO": 10.0}, [10.0, 10.5, 11.0]),
        ({"BZERO": 32768}, [32768.0, 32769.0, 32770.0]),
        ({"BLANK": 1}, [0.0, np.nan, 2.0]),
        ({"BLANK": 0}, [np.nan, 1.0, 2.0]),
        ({"BLANK": 0, "BSCALE": 0.5, "BZERO": 10.0}, [np.nan, 10.5, 11.0]),
        ({"BLANK": 2, "BZERO": 32768}, [32768.0, 32769.0, np.nan]),
    ],
)
def test_scaling_and_blank(cards: dict[str, float], expected: list[float]) -> None:
    raw = np.tile(np.array([0, 1, 2], np.int16), (8, 4))
    np.testing.assert_array_equal(read_frame(scaled(raw, **cards)).pixels[0, :3], np.float32(expected))


def test_missing_pixels_are_nan_and_a_note_says_how_many() -> None:
    pixels = noise().astype(np.float32)
    pixels[:6], pixels[6, 0], pixels[6, 1] = np.nan, np.inf, -np.inf
    frame = read_frame(fits_image(pixels))
    assert np.isnan(frame.pixels).sum() == 6 * 32 + 2
    assert frame.notes == ("25 % of the pixels are missing.",)


def test_values_beyond_float32_are_missing() -> None:
    pixels = noise()
    pixels[3, 4] = 1e300
    assert np.isnan(read_frame(fits_image(pixels)).pixels[3, 4])


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_integers_are_exact(compression: str) -> None:
    pixels = noise((40, 50)).astype(np.int16)
    frame = read_frame(fits_compressed(pixels, compression_type=compression, tile_shape=(8, 50)))
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert frame.hdu == 1


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_floats_are_within_their_quantum(compression: str) -> None:
    pixels = noise((64, 64)).astype(np.float32)
    frame = read_frame(fits_compressed(pixels, compression_type=compression, tile_shape=(16, 64)))
    assert np.abs(frame.pixels - pixels).max() < 20.0 / 4  # quantize_level 16 of the noise, dithered


def test_compressed_agrees_with_astropy_on_unsigned_and_blank() -> None:
    unsigned = np.random.default_rng(2).integers(0, 65535, (40, 50)).astype(np.uint16)
    np.testing.assert_array_equal(read_frame(fits_compressed(unsigned)).pixels, unsigned)
    floats = noise((40, 50)).astype(np.float32)
    floats[5:9, 7] = np.nan
    np.testing.assert_array_equal(np.isnan(read_frame(fits_compressed(floats)).pixels), np.isnan(floats))


def test_compressed_cube_by_plane() -> None:
    cube = noise((4, 24, 32)).astype(np.int16)
    data = fits_compressed(cube)
    np.testing.assert_array_equal(read_frame(data, plane=2).pixels, cube[2])


def test_gzip_holds_the_same_frame_and_hashes_as_its_own_file() -> None:
    plain = fits_image()
    packed = gzip.compress(plain[:3000]) + gzip.compress(plain[3000:])  # two members
    first, second = read_frame(plain), read_frame(packed)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.sha256 != second.sha256
    assert read_frame(gzip.compress(plain) + bytes(512)).height == 24  # padded, as tapes and downloads are


@pytest.fixture
def mosaic() -> bytes:
    table = fits.BinTableHDU.from_columns([fits.Column("flux", "E", array=[1.0])], name="CAT")
    return fits_file(
        fits.PrimaryHDU(),
        fits.ImageHDU(np.full((24, 32), 1, np.int16), name="SCI"),
        table,
        fits.ImageHDU(np.full((3, 5, 24, 40), 3.0, np.float32), name="CUBE"),
    )


def test_hdus_to_choose_from(mosaic: bytes) -> None:
    choices = image_hdus(mosaic)
    assert choices == (HduChoice(1, "SCI", 32, 24, 1, 16), HduChoice(3, "CUBE", 40, 24, 15, -32))
    assert choices[0].title == "1 · SCI · 32 × 24 px · 16 bit"
    assert choices[1].title == "3 · CUBE · 40 × 24 px · 15 planes · 32 bit float"


def test_first_image_is_the_default_and_any_can_be_chosen(mosaic: bytes) -> None:
    assert read_frame(mosaic).hdu == 1
    frame = read_frame(mosaic, hdu=3, plane=14)
    assert (frame.hdu, frame.plane, frame.width) == (3, 14, 40)
    with pytest.raises(FrameRejected, match="the HDUs with an image are: 1, 3"):
        read_frame(mosaic, hdu=2)


def test_damage_behind_the_image_does_not_matter(mosaic: bytes) -> None:
    assert read_frame(mosaic[:-5000]).hdu == 1
    with pytest.raises(FrameRejected, match="cut short"):
        read_frame(mosaic[:-5000], hdu=3)


def test_frames_of_one_file_have_different_keys(mosaic: bytes) -> None:
    keys = {read_frame(mosaic, hdu=hdu, plane=plane).key for hdu, plane in [(1, None), (3, 0), (3, 1)]}
    assert len(keys) == 3


def test_cube_gives_its_first_plane_and_says_so() -> None:
    cube = np.stack([np.full((24, 32), value, np.float32) for value in range(5)])
    frame = read_frame(fits_image(cube))
    assert (frame.plane, frame.pixels[0, 0]) == (0, 0.0)
    assert frame.notes == ("The file has 5 planes; this is the first.",)
    chosen = read_frame(fits_image(cube), plane=4)
    assert (chosen.plane, chosen.pixels[0, 0], chosen.notes) == (4, 4.0, ())


@pytest.mark.parametrize(
    ("third_axis", "is_colour"), [(None, True), ("RGB", True), ("FREQ", False), ("STOKES", False)]
)
def test_cube_of_three_planes_is_colour_unless_its_axis_is_physical(
    third_axis: str | None, is_colour: bool
) -> None:
    cube = np.stack([np.full((24, 32), value, np.float32) for value in (1, 2, 3)])
    data = fits_image(cube, {"CTYPE3": third_axis} if third_axis else {})
    frame = read_frame(data)
    assert frame.is_colour is is_colour
    if is_colour:
        assert frame.pixels[0, 0].tolist() == [1.0, 2.0, 3.0]
        assert frame.notes == ("The three planes of the file are taken as red, green and blue.",)
    grey = read_frame(data, plane=1)
    assert not grey.is_colour
    assert grey.pixels[0, 0] == 2.0


@pytest.mark.parametrize("compressed", [False, True])
def test_colours_beside_each_other_are_read_as_colour(compressed: bool) -> None:
    colour = noise((24, 32, 3)).astype(np.int16)
    data = fits_compressed(colour) if compressed else fits_image(colour)
    frame = read_frame(data)
    np.testing.assert_array_equal(frame.pixels, colour)
    assert frame.notes == ("The three planes of the file are taken as red, green and blue.",)
    np.testing.assert_array_equal(read_frame(data, plane=1).pixels, colour[..., 1])
    (choice,) = image_hdus(data)
    assert (choice.width, choice.height, choice.planes) == (32, 24, 3)


def test_degenerate_axes_are_no_planes() -> None:
    frame = read_frame(fits_image(noise((1, 1, 24, 32)).astype(np.float32)))
    assert (frame.pixels.shape, frame.plane, frame.notes) == ((24, 32), None, ())


def test_non_ascii_header_is_forgiven_where_it_does_no_harm() -> None:
    data = fits_image(cards={"OBSERVER": "Kepler"}).replace(b"Kepler", b"K\xe9pler")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_frame(data).pixels.shape == (24, 32)


@pytest.mark.parametrize("scale", [1.0, 65535.0])
def test_a_frame_rescaled_to_one_has_lost_its_unit_and_gain(scale: float) -> None:
    pixels = (noise() / scale).astype(np.float32)
    frame = read_frame(fits_image(pixels, {"BUNIT": "ADU", "EGAIN": 0.8}))
    assert (frame.unit, frame.gain_e_per_adu) == (("adu", 0.8) if scale == 1.0 else ("", None))
    assert read_frame(fits_image(pixels, {"BUNIT": "Jy"})).unit == "Jy"


def test_image_larger_than_a_strip_is_whole() -> None:
    pixels = np.arange(2100 * 1100, dtype=np.int32).reshape(2100, 1100)
    data = fits_image(pixels, {"BZERO": 5.0})
    with fits.open(io.BytesIO(data)) as hdus:
        expected = hdus[0].data.astype(np.float32)
    np.testing.assert_array_equal(read_frame(data).pixels, expected)
