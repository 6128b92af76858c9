"""Files that must be refused with one clear sentence: quickly, in little memory and without a crash."""

from __future__ import annotations

import gzip
import io
import re
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from core.errors import FrameRejected
from core.frames import image_hdus, limits, read_frame
from tests.frames.files import (
    fits_compressed,
    fits_file,
    fits_header,
    fits_image,
    noise,
    picture,
    png_claiming,
    primary,
    tiff,
    tiff_looping,
    tiff_with,
)

WIDTH, LENGTH, BITS, SAMPLES, COMPRESSION, STRIP_OFFSETS = 256, 257, 258, 277, 259, 273

IMAGE = fits_image()
TILES = fits_compressed(compression_type="RICE_1")


def zip_file() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m31.fits", IMAGE)
    return buffer.getvalue()


def table_only() -> bytes:
    return fits_file(fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("ra", "D", array=[1.0])]))


def replaced(data: bytes, card: bytes, by: bytes) -> bytes:
    """The file with the first card of that keyword replaced, padded to 80 characters."""
    at = next(at for at in range(0, len(data), 80) if data[at : at + 8].rstrip() == card)
    return data[:at] + by.ljust(80) + data[at + 80 :]


def tile_pointing_outside() -> bytes:
    """The first tile's descriptor (count, offset) made to point far behind the file."""
    with fits.open(io.BytesIO(TILES), disable_image_compression=True) as hdus:
        at = hdus[1].fileinfo()["datLoc"]
    return TILES[:at] + struct.pack(">II", 50, 2**30) + TILES[at + 8 :]


def tile_bomb() -> bytes:
    """A gzip tile of 60 bytes' worth of pixels that inflates to 50 MB."""
    column = fits.Column("COMPRESSED_DATA", "1PB()", array=np.array([None] * 16, dtype=object))
    bomb = np.frombuffer(gzip.compress(bytes(50_000_000)), np.uint8)
    column.array = np.array([bomb] * 16, dtype=object)
    table = fits.BinTableHDU.from_columns([column])
    cards = {"ZIMAGE": True, "ZCMPTYPE": "GZIP_1", "ZBITPIX": 16, "ZNAXIS": 2, "ZNAXIS1": 30, "ZNAXIS2": 16}
    table.header.update({**cards, "ZTILE1": 30, "ZTILE2": 1})
    return fits_file(fits.PrimaryHDU(), table)


def hcompress_claiming(rows: int, columns: int) -> bytes:
    """A tile of 24 × 32 pixels that says in its own head that it has another size."""
    data = fits_compressed(compression_type="HCOMPRESS_1", tile_shape=(24, 32))
    at = data.index(b"\xdd\x99")
    return data[:at] + struct.pack(">HII", 0xDD99, rows, columns) + data[at + 10 :]


def cards_without_end() -> bytes:
    card = b"COMMENT one card more".ljust(80)
    return primary(BITPIX="8", NAXIS="0")[:240].ljust(240) + card * (limits.MAX_HEADER_CARDS + 100)


def jpeg_of_many_passes() -> bytes:
    data = picture("JPEG", progressive=True)
    return data[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 200 + data[-2:]


def damaged_middle(data: bytes) -> bytes:
    half = len(data) // 2
    return data[:half] + bytes(byte ^ 0x5A for byte in data[half : half + 40]) + data[half + 40 :]


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    # not images
    "empty": (lambda: b"", "is empty"),
    "one byte": (lambda: b"S", "text file"),
    "text": (lambda: b"NGC 224, a galaxy\n" * 20, "text file"),
    "csv": (lambda: b"ra,dec,mag\n10.68,41.27,3.4\n", "text file"),
    "html": (lambda: b"<!DOCTYPE html>\n<html><body>404 not found</body></html>", "web page"),
    "svg": (lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "zeros": (lambda: bytes(5000), "no format"),
    "random bytes": (lambda: np.random.default_rng(3).bytes(5000), "no format"),
    "zip": (zip_file, "ZIP"),
    "windows program": (lambda: b"MZ\x90\x00" + bytes(500), "Windows program"),
    "linux program": (lambda: b"\x7fELF\x02\x01\x01" + bytes(500), "program"),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3" + bytes(200), "PDF"),
    # images of formats that are not read
    "gif": (lambda: picture("GIF"), "GIF"),
    "bmp": (lambda: picture("BMP"), "BMP"),
    "webp": (lambda: picture("WEBP"), "WebP"),
    "heif": (lambda: b"\x00\x00\x00\x18ftypheic" + bytes(100), "HEIF"),
    "xisf": (lambda: b"XISF0100" + bytes(100), "PixInsight"),
    "ser video": (lambda: b"LUCAM-RECORDER" + bytes(100), "SER"),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    "canon raw": (lambda: b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(100), "raw picture"),
    "dng raw": (lambda: tiff(extratags=[(50706, 1, 4, b"\x01\x04\x00\x00", True)]), "raw picture"),
    # FITS headers
    "fits: header cut short": (lambda: IMAGE[:1000], "middle of a FITS header"),
    "fits: no END": (lambda: IMAGE[:2880].replace(b"END     ", b"        ") + IMAGE[2880:], "FITS header"),
    "fits: endless header": (cards_without_end, "cards"),
    "fits: no BITPIX": (lambda: primary(NAXIS="2", NAXIS1="32", NAXIS2="24") + bytes(2880), "BITPIX"),
    "fits: BITPIX of 12": (lambda: replaced(IMAGE, b"BITPIX", b"BITPIX  =                   12"), "BITPIX"),
    "fits: BITPIX of text": (lambda: replaced(IMAGE, b"BITPIX", b"BITPIX  = 'many'"), "BITPIX"),
    "fits: no NAXIS": (lambda: primary(BITPIX="8") + bytes(2880), "NAXIS"),
    "fits: 1000 axes": (lambda: primary(BITPIX="8", NAXIS="1000") + bytes(2880), "NAXIS"),
    "fits: negative axis": (
        lambda: primary(BITPIX="8", NAXIS="2", NAXIS1="-32", NAXIS2="24") + bytes(2880),
        "NAXIS1",
    ),
    "fits: fractional axis": (
        lambda: primary(BITPIX="8", NAXIS="2", NAXIS1="32.5", NAXIS2="24") + bytes(2880),
        "NAXIS1",
    ),
    "fits: unreadable axis": (
        lambda: primary(BITPIX="8", NAXIS="2", NAXIS1="3\xb32", NAXIS2="24") + bytes(2880),
        "NAXIS1",
    ),
    "fits: claims 320 GB": (
        lambda: primary(BITPIX="-64", NAXIS="2", NAXIS1="200000", NAXIS2="200000") + bytes(2880),
        "200,000 × 200,000",
    ),
    "fits: claims more than 2**64 bytes": (
        lambda: primary(BITPIX="64", NAXIS="2", NAXIS1="9" * 18, NAXIS2="9" * 18) + bytes(2880),
        "megapixels",
    ),
    "fits: lying BITPIX": (
        lambda: replaced(IMAGE, b"BITPIX", b"BITPIX  =                  -64"),
        "cut short",
    ),
    "fits: no pixels at all": (lambda: fits_file(fits.PrimaryHDU()), "without an image"),
    "fits: only a table": (table_only, "without an image"),
    "fits: an axis of zero": (
        lambda: primary(BITPIX="8", NAXIS="2", NAXIS1="0", NAXIS2="24"),
        "without an image",
    ),
    "fits: one axis only": (lambda: fits_image(np.arange(100.0)), "without an image"),
    "fits: one pixel wide": (lambda: fits_image(np.zeros((500, 1))), "at least 8"),
    "fits: second HDU damaged": (
        lambda: fits_file(fits.PrimaryHDU()) + fits_header(XTENSION="'IMAGE   '", BITPIX="-32", NAXIS="oops"),
        "NAXIS",
    ),
    # FITS data
    "fits: no data": (lambda: IMAGE[:2880], "cut short"),
    "fits: data cut short": (lambda: fits_image(noise((200, 200)))[:100_000], "cut short"),
    "fits: all blank": (lambda: fits_image(np.full((24, 32), np.nan)), "no pixel with a value"),
    "fits: all infinite": (lambda: fits_image(np.full((24, 32), np.inf)), "no pixel with a value"),
    "fits: BSCALE that is no number": (
        lambda: fits_image(np.ones((24, 32), np.int16), {"BSCALE": "two"}),
        "damaged",
    ),
    # gzip
    "gz: cut short": (lambda: gzip.compress(fits_image(noise((200, 200))))[:5000], "cut short"),
    "gz: damaged": (lambda: damaged_middle(gzip.compress(fits_image(noise((200, 200))))), "damaged"),
    "gz: of text": (lambda: gzip.compress(b"just text\n" * 100), "text file"),
    "gz: of a PNG": (lambda: gzip.compress(picture("PNG")), "only FITS"),
    "gz: in gz": (lambda: gzip.compress(gzip.compress(IMAGE)), "only FITS"),
    "gz: of nothing": (lambda: gzip.compress(b""), "FITS"),
    "gz: header only": (lambda: gzip.compress(IMAGE)[:8], "cut short"),
    # tile-compressed FITS
    "fz: claims 320 GB": (lambda: replaced(TILES, b"ZNAXIS1", b"ZNAXIS1 =           8000000000"), "pixels"),
    "fz: lying height": (lambda: replaced(TILES, b"ZNAXIS2", b"ZNAXIS2 =                 5000"), "tiles"),
    "fz: huge tiles": (lambda: replaced(TILES, b"ZTILE2", b"ZTILE2  =           9000000000"), "tiles"),
    "fz: unknown compression": (lambda: replaced(TILES, b"ZCMPTYPE", b"ZCMPTYPE= 'MAGIC_1'"), "compressed"),
    "fz: tile outside": (tile_pointing_outside, "outside"),
    "fz: tile is a bomb": (tile_bomb, "more than a tile"),
    "fz: shorter than its tiles": (
        lambda: replaced(TILES, b"PCOUNT", b"PCOUNT  =                    8"),
        "lies outside the file",
    ),
    "fz: a million columns": (
        lambda: replaced(TILES, b"TFIELDS", b"TFIELDS =              1000000"),
        "TFIELDS should be",
    ),
    "fz: tile a thousand times too large": (lambda: hcompress_claiming(24_000, 32_000), "not of the size"),
    "fz: tile of no width": (lambda: hcompress_claiming(24, 0), "not of the size"),
    "fz: blocks of no pixels": (
        lambda: replaced(TILES, b"ZVAL1", b"ZVAL1   =                    0"),
        "BLOCKSIZE",
    ),
    "fz: cut short": (lambda: TILES[:-2880], "cut short"),
    # PNG and JPEG
    "png: bomb": (lambda: png_claiming(60_000, 60_000), "60,000 × 60,000"),
    "png: claims 2**62 pixels": (lambda: png_claiming(2**31 - 1, 2**31 - 1), "megapixels"),
    "png: size of zero": (lambda: png_claiming(0, 10), "at least 8"),
    "png: less data than claimed": (lambda: png_claiming(4000, 4000), "damaged PNG"),
    "png: signature only": (lambda: picture("PNG")[:8], "damaged PNG"),
    "png: cut short": (lambda: picture("PNG")[:400], "damaged PNG"),
    "png: bad checksum": (lambda: damaged_middle(picture("PNG")), "damaged PNG"),
    "png: bad header checksum": (
        lambda: picture("PNG")[:29] + b"\x00\x00\x00\x00" + picture("PNG")[33:],
        "damaged PNG",
    ),
    "jpeg: start only": (lambda: picture("JPEG")[:20], "damaged JPEG"),
    "jpeg: cut short": (
        lambda: picture("JPEG", noise((200, 200, 3)).astype(np.uint8))[:3000],
        "damaged JPEG",
    ),
    "jpeg: hundreds of passes": (jpeg_of_many_passes, "passes"),
    "jpeg: tiny": (lambda: picture("JPEG", np.zeros((2, 2, 3), np.uint8)), "at least 8"),
    # TIFF
    "tiff: header only": (lambda: tiff()[:8], "TIFF"),
    "tiff: cut short": (lambda: tiff(noise((200, 200)).astype(np.uint16))[:20_000], "cut short"),
    "tiff: compressed and cut short": (
        lambda: tiff(noise((200, 200)).astype(np.uint16), compression="deflate")[:20_000],
        "cut short",
    ),
    "tiff: claims 10**12 pixels": (
        lambda: tiff_with(tiff_with(tiff(), WIDTH, 10**6), LENGTH, 10**6),
        "megapixels",
    ),
    "tiff: claims 64 megapixels": (
        lambda: tiff_with(tiff_with(tiff(), WIDTH, 8000), LENGTH, 8000),
        "cut short",
    ),
    "tiff: width of zero": (lambda: tiff_with(tiff(), WIDTH, 0), "'bad.fits'"),
    "tiff: 13 bits": (lambda: tiff_with(tiff(), BITS, 13), "'bad.fits'"),
    "tiff: 200 channels": (lambda: tiff_with(tiff(), SAMPLES, 200), "'bad.fits'"),
    "tiff: unknown compression": (lambda: tiff_with(tiff(), COMPRESSION, 34925), "compressed in a way"),
    "tiff: data outside": (lambda: tiff_with(tiff(), STRIP_OFFSETS, 2**31), "outside the file"),
    "tiff: complex": (lambda: tiff(noise().astype(np.complex64)), "kind of pixel"),
    "tiff: all blank": (lambda: tiff(np.full((24, 32), np.nan, np.float32)), "no pixel with a value"),
    "tiff: first page nowhere": (lambda: tiff()[:4] + struct.pack("<I", 2**30) + tiff()[8:], "TIFF"),
}

PROGRAMMERS_WORDS = re.compile(
    r"Traceback|Error|Exception|None|NaN|dtype|numpy|astropy|tifffile|PIL|0x|\\x|<|>|\n|object at"
)


def check_sentence(message: str) -> None:
    assert message.endswith(".")
    assert len(message) < 250
    assert not PROGRAMMERS_WORDS.search(message), message


def test_corpus_is_large() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_refused_with_a_sentence(case: str) -> None:
    make, expected = BAD[case]
    data = make()
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(FrameRejected) as refusal:
        read_frame(data, name="bad.fits")
    seconds = time.perf_counter() - start
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert expected in refusal.value.message
    assert "'bad.fits'" in refusal.value.message
    check_sentence(refusal.value.message)
    assert seconds < 5.0
    assert peak_bytes < 64 * 2**20


@pytest.mark.parametrize("case", BAD)
def test_choosing_an_hdu_of_a_bad_file_never_crashes(case: str) -> None:
    try:
        choices = image_hdus(BAD[case][0](), name="bad.fits")
    except FrameRejected as refusal:
        check_sentence(refusal.message)
    else:
        assert all(choice.width > 0 and choice.height > 0 for choice in choices)


def test_gzip_bomb_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.frames import inflate

    monkeypatch.setattr(inflate, "MAX_INFLATED_BYTES", 4 * 2**20)
    bomb = gzip.compress(IMAGE + bytes(200 * 2**20), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(FrameRejected, match="inflates to more than 4 MiB"):
        read_frame(bomb, name="bomb.fits.gz")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 32 * 2**20


def test_file_larger_than_the_limit_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.fits"
    with path.open("wb") as file:
        file.write(IMAGE)
        file.truncate(limits.MAX_FILE_BYTES + 1)  # sparse: takes no room on the disk
    tracemalloc.start()
    with pytest.raises(FrameRejected, match="at most 800 MiB"):
        read_frame(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2**20


def test_more_hdus_than_are_looked_at() -> None:
    blank = fits_header(XTENSION="'IMAGE   '", BITPIX="8", NAXIS="0", PCOUNT="0", GCOUNT="1")
    data = primary(BITPIX="8", NAXIS="0") + blank * 2000
    start = time.perf_counter()
    with pytest.raises(FrameRejected, match="without an image"):
        read_frame(data, name="many.fits")
    assert time.perf_counter() - start < 5.0


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("", "is not a file"),
        ("no/such/file.fits", "There is no file 'file.fits'"),
        ("a\0b", "cannot be opened"),
    ],
)
def test_path_that_is_no_file(source: str, match: str) -> None:
    with pytest.raises(FrameRejected, match=match):
        read_frame(source)


@pytest.mark.parametrize(("hdu", "plane"), [(7, None), (-1, None), (None, 3), (None, -1), (0, 99)])
def test_hdu_or_plane_out_of_range(hdu: int | None, plane: int | None) -> None:
    with pytest.raises(FrameRejected) as refusal:
        read_frame(IMAGE, name="bad.fits", hdu=hdu, plane=plane)
    check_sentence(refusal.value.message)


@pytest.mark.parametrize("data", [picture("PNG"), picture("JPEG"), tiff()])
def test_pictures_have_no_hdus_and_few_planes(data: bytes) -> None:
    with pytest.raises(FrameRejected, match="no HDUs"):
        read_frame(data, name="a", hdu=1)
    with pytest.raises(FrameRejected, match=r"plane|page"):
        read_frame(data, name="a", plane=1)
    assert image_hdus(data) == ()


def test_looping_tiff_is_read_once() -> None:
    data = tiff()
    frame = read_frame(tiff_looping(data), name="loop.tif")
    np.testing.assert_array_equal(frame.pixels, read_frame(data).pixels)


@pytest.mark.parametrize("extension", ["fits", "png", "txt", "exe", "fits.gz"])
@pytest.mark.parametrize(
    "data", [IMAGE, TILES, gzip.compress(IMAGE), picture("PNG"), picture("JPEG"), tiff()]
)
def test_content_decides_and_not_the_extension(tmp_path: Path, extension: str, data: bytes) -> None:
    path = tmp_path / f"frame.{extension}"
    path.write_bytes(data)
    assert read_frame(path).pixels.shape[:2] == (24, 32)
