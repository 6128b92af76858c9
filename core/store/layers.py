"""Heat maps and masks as compressed bytes; large maps are averaged down before they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.results import Result

if TYPE_CHECKING:
    import duckdb

MAP_LIMIT_PX = 1_048_576
"""Pixels of a stored map: it covers the frame at whatever resolution, and 1024² fill a screen."""


def insert_layers(cursor: duckdb.DuckDBPyConnection, run_id: str, result: Result) -> None:
    """Write the maps (averaged down to :data:`MAP_LIMIT_PX`) and the masks (as they are) of a run."""
    for name, values in result.maps.items():
        _insert(cursor, run_id, "map", name, shrink(np.asarray(values, np.float32)))
    for name, labels in result.masks.items():
        # A mean of class numbers is no class; masks compress to little anyway.
        _insert(cursor, run_id, "mask", name, np.asarray(labels, np.uint16))


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


def shrink(values: NDArray[np.float32], limit_px: int = MAP_LIMIT_PX) -> NDArray[np.float32]:
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
