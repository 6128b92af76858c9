"""Heat maps, masks and pictures as compressed bytes; large maps and pictures are averaged down first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.results import Result

if TYPE_CHECKING:
    import duckdb

MAP_LIMIT_PX = 1_048_576
"""Pixels of a stored map or picture: it covers the frame at whatever resolution, and 1024² fill a screen."""


def insert_layers(cursor: duckdb.DuckDBPyConnection, run_id: str, result: Result) -> None:
    """Write the maps and pictures (averaged down to :data:`MAP_LIMIT_PX`) and the masks (as they are)."""
    for name, values in result.maps.items():
        _insert(cursor, run_id, "map", name, shrink(np.asarray(values, np.float32)))
    for name, labels in result.masks.items():
        # A mean of class numbers is no class; masks compress to little anyway.
        _insert(cursor, run_id, "mask", name, np.asarray(labels, np.uint16))
    for name, picture in result.pictures.items():
        _insert_picture(cursor, run_id, name, shrink_picture(picture))


def select_layers(
    cursor: duckdb.DuckDBPyConnection, run_id: str
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.uint16]]]:
    """The maps and the masks of a run by name, in the order they were given."""
    import pyarrow as pa

    layers: dict[str, dict[str, Any]] = {"map": {}, "mask": {}}
    rows = cursor.execute(
        "SELECT kind, name, height, width, dtype, data FROM layers WHERE run_id = ? ORDER BY rowid", [run_id]
    ).fetchall()
    for kind, name, height, width, dtype, data in rows:
        size = height * width * np.dtype(dtype).itemsize
        raw = pa.decompress(data, decompressed_size=size, codec="zstd", asbytes=True)
        values = np.frombuffer(raw, dtype).astype(np.dtype(dtype).newbyteorder("="))
        layers[kind][name] = values.reshape(height, width)
    return layers["map"], layers["mask"]


def select_pictures(cursor: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, NDArray[np.uint8]]:
    """The pictures of a run by name, in the order they were given."""
    import pyarrow as pa

    rows = cursor.execute(
        "SELECT name, height, width, channels, data FROM pictures WHERE run_id = ? ORDER BY rowid", [run_id]
    ).fetchall()
    found: dict[str, NDArray[np.uint8]] = {}
    for name, height, width, channels, data in rows:
        raw = pa.decompress(data, decompressed_size=height * width * channels, codec="zstd", asbytes=True)
        shape = (height, width) if channels == 1 else (height, width, channels)
        found[name] = np.frombuffer(raw, np.uint8).reshape(shape)
    return found


def shrink_picture(picture: NDArray[np.uint8], limit_px: int = MAP_LIMIT_PX) -> NDArray[np.uint8]:
    """Average a picture down until it has at most ``limit_px`` pixels; a smaller one is given back as it is.

    Args:
        picture: ``(h, w)`` or ``(h, w, 3)``.
        limit_px: Largest number of pixels.
    """
    if picture.shape[0] * picture.shape[1] <= limit_px:
        return picture
    planes = picture[..., None] if picture.ndim == 2 else picture
    # Strips of a plane become floats as they are averaged, never the whole picture.
    small = np.stack([shrink(planes[..., c], limit_px) for c in range(planes.shape[2])], axis=2)
    levels = np.rint(small).astype(np.uint8)
    return levels[..., 0] if picture.ndim == 2 else levels


def shrink(values: NDArray[Any], limit_px: int = MAP_LIMIT_PX) -> NDArray[np.float32]:
    """Average a map down until it has at most ``limit_px`` pixels; a smaller one is given back as it is.

    Args:
        values: ``(h, w)``; NaN is left out of the averages.
        limit_px: Largest number of pixels.

    Returns:
        ``(h', w')`` that covers the same area, each pixel the mean of a block of nearly equal size; NaN
        where a block holds nothing else.
    """
    height, width = values.shape
    factor = np.sqrt(height * width / limit_px)
    if factor <= 1.0:
        return values
    # A map of a few rows or columns keeps at least one of them, and is cut the more along the other.
    n_rows = min(max(1, int(height / factor)), limit_px)
    n_columns = min(max(1, int(width / factor)), limit_px // n_rows)
    rows, columns = _starts(height, n_rows), _starts(width, n_columns)
    means = np.empty((len(rows), len(columns)), np.float32)
    # A strip at a time: a map of 64 Mpx is not copied whole.
    for index, (top, bottom) in enumerate(zip(rows, [*rows[1:], height], strict=True)):
        strip = values[top:bottom]
        known = ~np.isnan(strip)
        total = np.add.reduceat(np.where(known, strip, 0.0).sum(axis=0, dtype=np.float64), columns)
        count = np.add.reduceat(known.sum(axis=0), columns)
        means[index] = np.divide(total, count, out=np.full(len(columns), np.nan), where=count > 0)
    return means


def _starts(size: int, blocks: int) -> NDArray[np.intp]:
    """The first index of each of ``blocks`` blocks that share ``size`` pixels as evenly as they can."""
    return np.arange(blocks, dtype=np.intp) * size // blocks


def _insert(
    cursor: duckdb.DuckDBPyConnection, run_id: str, kind: str, name: str, values: NDArray[Any]
) -> None:
    import pyarrow as pa

    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    data = pa.compress(little.tobytes(), codec="zstd", asbytes=True)
    height, width = values.shape
    cursor.execute(
        "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)",
        [run_id, kind, name, height, width, little.dtype.str, data],
    )


def _insert_picture(
    cursor: duckdb.DuckDBPyConnection, run_id: str, name: str, picture: NDArray[np.uint8]
) -> None:
    import pyarrow as pa

    height, width = picture.shape[:2]
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    data = pa.compress(np.ascontiguousarray(picture).tobytes(), codec="zstd", asbytes=True)
    cursor.execute(
        "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?)", [run_id, name, height, width, channels, data]
    )
