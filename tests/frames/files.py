"""Files made in memory for tests: good ones of every format, and the pieces bad ones are made of."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from PIL import Image

Cards = dict[str, Any]


TAN = {
    **{"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 83.8, "CRVAL2": -5.4, "CRPIX1": 16.5},
    **{"CRPIX2": 12.5, "CD1_1": -1e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-4},
}
"""Sky coordinates of :func:`noise`, its middle at (83.8°, −5.4°)."""


def noise(shape: tuple[int, ...] = (24, 32), seed: int = 0) -> NDArray[np.float64]:
    """Sky at 1000 with a noise of 20."""
    return np.random.default_rng(seed).normal(1000.0, 20.0, shape)


def fits_file(*hdus: Any) -> bytes:
    """A FITS file of the HDUs; the first must be a primary one."""
    buffer = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(buffer, output_verify="silentfix")
    return buffer.getvalue()


def fits_image(pixels: NDArray[Any] | None = None, cards: Cards | None = None) -> bytes:
    """A FITS file with one image in its primary HDU."""
    hdu = fits.PrimaryHDU(noise().astype(np.float32) if pixels is None else pixels)
    hdu.header.update(cards or {})
    return fits_file(hdu)


def fits_compressed(pixels: NDArray[Any] | None = None, **options: Any) -> bytes:
    """A tile-compressed FITS file with the image in HDU 1."""
    image = noise().astype(np.int16) if pixels is None else pixels
    return fits_file(fits.PrimaryHDU(), fits.CompImageHDU(image, **options))


def fits_header(**cards: str) -> bytes:
    """A FITS header of cards whose values are given as they are to be written, padded to blocks."""
    text = "".join(f"{key.replace('_', '-'):<8}= {value:>20}".ljust(80) for key, value in cards.items())
    return (text + "END".ljust(80)).encode("latin-1").ljust(-(-(len(text) + 80) // 2880) * 2880)


def primary(**cards: str) -> bytes:
    """A primary header: SIMPLE, then the cards."""
    return fits_header(SIMPLE="T", **cards)


def picture(kind: str, pixels: NDArray[Any] | None = None, mode: str | None = None, **options: Any) -> bytes:
    """A PNG, JPEG, GIF, … picture by Pillow."""
    made = noise((24, 32, 3)).astype(np.uint8) if pixels is None else pixels
    buffer = io.BytesIO()
    image = Image.fromarray(made)
    (image.convert(mode) if mode else image).save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size and whose data is a few compressed zeros."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(10_000))
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    )


def tiff(pixels: NDArray[Any] | None = None, **options: Any) -> bytes:
    """A TIFF file by tifffile."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, noise().astype(np.uint16) if pixels is None else pixels, **options)
    return buffer.getvalue()


def tiff_with(data: bytes, tag: int, value: int) -> bytes:
    """The little-endian TIFF with the value of a tag of its first page replaced."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    changed = bytearray(data)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            struct.pack_into("<HII", changed, entry + 2, 4, 1, value)
            return bytes(changed)
    raise ValueError(f"the file has no tag {tag}")


def tiff_looping(data: bytes) -> bytes:
    """The little-endian TIFF with its first page followed by itself, for ever."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    changed = bytearray(data)
    struct.pack_into("<I", changed, at + 2 + 12 * count, at)
    return bytes(changed)
