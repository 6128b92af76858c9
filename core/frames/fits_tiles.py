"""Checks on tile-compressed FITS that the decompressors behind astropy do not make themselves.

A tile is a small compressed file of its own: it may point outside the table, inflate to far more than
the tile it stands for, or carry dimensions that differ from the header's.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FrameRejected
from core.frames.fits_layout import Hdu, card, whole_number
from core.frames.limits import MAX_PIXELS

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU

_ALGORITHMS = ("RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1", "NOCOMPRESS")
_SETTINGS = {"BLOCKSIZE": (16, 32), "BYTEPIX": (1, 2, 4, 8)}
"""What RICE can be told (FITS standard 4.0, table 37); a block of 0 pixels would never end."""

_MAX_FIELDS = 999
"""Most columns of a table (FITS standard 4.0, section 7.3.1)."""
_HCOMPRESS_HEAD = struct.Struct(">HII")
_HCOMPRESS_MAGIC = 0xDD99


def check_header(hdu: Hdu, name: str) -> None:
    """Refuse a compressed image whose tiles cannot be what the header says.

    Raises:
        FrameRejected: The algorithm or its settings are unknown, a tile is larger than the image, or the
            number of tiles differs from the number of rows.
    """
    whole_number(hdu.header, "TFIELDS", name, high=_MAX_FIELDS)  # astropy makes room for so many
    algorithm = card(hdu.header, "ZCMPTYPE")
    if not isinstance(algorithm, str) or algorithm.strip() not in _ALGORITHMS:
        raise FrameRejected(f"'{name}' is compressed in a way that FITS does not know.", given=algorithm)
    for number in (1, 2, 3):
        setting = card(hdu.header, f"ZNAME{number}")
        value = card(hdu.header, f"ZVAL{number}")
        if setting in _SETTINGS and value not in _SETTINGS[setting]:
            raise FrameRejected(
                f"'{name}' is compressed with a {setting} that FITS does not know.", given=value
            )
    tile = tile_shape(hdu, name)
    tiles = math.prod(-(-side // part) for side, part in zip(hdu.shape, tile, strict=True))
    if tiles != whole_number(hdu.header, "NAXIS2", name):
        raise FrameRejected(f"'{name}' contradicts itself: its compressed image does not have all its tiles.")


def tile_shape(hdu: Hdu, name: str) -> tuple[int, ...]:
    """Shape of a full tile in numpy's order; by default a tile is a row of the image."""
    shape = []
    for axis, side in enumerate(reversed(hdu.shape)):
        part = whole_number(hdu.header, f"ZTILE{axis + 1}", name, default=side if axis == 0 else 1)
        if part == 0 or part > max(side, MAX_PIXELS):
            raise FrameRejected(f"'{name}' contradicts itself: its tiles are larger than its image.")
        shape.append(min(part, side))
    return tuple(reversed(shape))


def check_tiles(table: BinTableHDU, hdu: Hdu, name: str) -> None:
    """Look at every tile's compressed bytes before they are given to a decompressor.

    Args:
        table: The compressed image opened as the table it is.
        hdu: What its header claims.
        name: The file's name, already fit to be shown.

    Raises:
        FrameRejected: A tile lies outside the file's data, or does not inflate to the size of its tile.
    """
    tile = tile_shape(hdu, name)
    most_bytes = 8 * math.prod(tile)
    algorithm = str(hdu.header["ZCMPTYPE"]).strip()
    for column in ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA"):
        if column not in table.columns.names:
            continue
        heap, starts, lengths = _descriptors(table, column)
        if (starts < 0).any() or (lengths < 0).any() or (starts + lengths > len(heap)).any():
            raise FrameRejected(f"'{name}' is damaged: part of its compressed image lies outside the file.")
        is_gzip = column == "GZIP_COMPRESSED_DATA" or algorithm.startswith("GZIP")
        is_hcompress = column == "COMPRESSED_DATA" and algorithm == "HCOMPRESS_1"
        pieces = zip(starts.tolist(), lengths.tolist(), _tile_shapes(hdu, tile), strict=True)
        for start, length, shape in pieces:
            piece = heap[start : start + length]
            if length and is_gzip and column != "UNCOMPRESSED_DATA":
                _check_gzip(piece, most_bytes, name)
            elif length and is_hcompress:
                _check_hcompress(piece, shape, name)


def _tile_shapes(hdu: Hdu, tile: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shape of each tile in the order of the table's rows; those at the far edges are smaller."""
    grid = tuple(-(-side // part) for side, part in zip(hdu.shape, tile, strict=True))
    for place in np.ndindex(grid):
        yield tuple(
            min(part, side - index * part) for side, part, index in zip(hdu.shape, tile, place, strict=True)
        )


def _descriptors(table: BinTableHDU, column: str) -> tuple[memoryview, np.ndarray, np.ndarray]:
    """The table's heap, and where in it each row of a variable-length column starts and how long it is.

    The heap is as long as astropy takes it to be: given a piece of a tile, a decompressor writes where it
    must not.
    """
    size = min(table._data_size - table._theap, int(table._header["PCOUNT"]))
    raw = table._get_raw_data(size, np.uint8, table._data_offset + table._theap)
    field = np.asarray(table.data.view(np.ndarray)[column]).astype(np.int64).reshape(-1, 2)
    code = table.columns[column].format.lstrip("01PQ")[:1]
    return memoryview(raw.tobytes()), field[:, 1], field[:, 0] * {"B": 1, "I": 2, "J": 4}.get(code, 8)


def _check_gzip(piece: memoryview, most_bytes: int, name: str) -> None:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        too_large = len(inflater.decompress(piece, most_bytes + 1)) > most_bytes
    except zlib.error as error:
        raise FrameRejected(f"'{name}' is damaged: part of its image cannot be inflated.") from error
    if too_large:
        raise FrameRejected(f"'{name}' contradicts itself: a compressed tile holds more than a tile.")


def _check_hcompress(piece: memoryview, shape: tuple[int, ...], name: str) -> None:
    """The decompressor writes as many pixels as the stream says, so it must say as many as there are."""
    if len(piece) < _HCOMPRESS_HEAD.size:
        raise FrameRejected(f"'{name}' is damaged: part of its compressed image is missing.")
    magic, rows, columns = _HCOMPRESS_HEAD.unpack_from(piece)
    if magic != _HCOMPRESS_MAGIC or (rows, columns) != tuple(side for side in shape if side != 1):
        raise FrameRejected(f"'{name}' is damaged: a compressed tile is not of the size it should have.")
