"""The files a batch leaves: two Parquet tables, each frame's maps, masks and pictures, a table's members."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.batch.work import Outcome
from core.catalogues.tables import TableResult
from core.parameters import canonical_json
from core.results import CORE_COLUMNS, CORE_UNITS, TEXT_COLUMNS, Detections

DETECTION_COLUMNS: dict[str, str] = {
    "frame": "string",
    "method": "string",
    **{column: "string" if column in TEXT_COLUMNS else "float64" for column in CORE_COLUMNS},
}
"""Columns of ``detections.parquet`` with their types; what does not apply is null."""

RUN_COLUMNS: dict[str, str] = {
    "frame": "string",
    "method": "string",
    "n_detections": "int64",
    "seconds": "float64",
    "width": "int64",
    "height": "int64",
    "warnings": "string",
    "error": "string",
    "params_json": "string",
    "weights_sha256": "string",
    "frame_sha256": "string",
}
"""Columns of ``runs.parquet`` with their types; what does not apply is null."""

MEMBER_COLUMNS: dict[str, str] = {"row": "int64", "cluster": "int64", "probability": "float64"}
"""Columns of ``members/….parquet`` with their types."""


def detection_table(outcome: Outcome) -> pd.DataFrame:
    """The detections of one frame, with :data:`DETECTION_COLUMNS`; places that are not in pixels are null."""
    found = Detections.empty() if outcome.result is None else outcome.result.detections
    table = found.table[list(CORE_COLUMNS)].copy()
    for column in ("x", "y"):
        if found.units[column] != CORE_UNITS[column]:
            table[column] = np.nan
    table.insert(0, "frame", _readable(outcome.frame))
    table.insert(1, "method", outcome.method)
    return _typed(table, DETECTION_COLUMNS)


def run_table(outcomes: list[Outcome]) -> pd.DataFrame:
    """One row a frame, with :data:`RUN_COLUMNS`."""
    return _typed(pd.DataFrame([_run_row(outcome) for outcome in outcomes]), RUN_COLUMNS)


def _run_row(outcome: Outcome) -> dict[str, object]:
    result = outcome.result
    sentences = outcome.notes + (result.warnings if result else ())
    source = result.provenance if result else None
    return {
        "frame": _readable(outcome.frame),
        "method": outcome.method,
        "n_detections": None if result is None else len(result.detections),
        "seconds": outcome.seconds,
        "width": outcome.width,
        "height": outcome.height,
        "warnings": " ".join(sentences) or None,
        "error": outcome.error and _readable(outcome.error),
        "params_json": canonical_json(dict(outcome.params)),
        "weights_sha256": source.weights_sha256 if source else None,
        "frame_sha256": outcome.frame_sha256,
    }


def _readable(text: str) -> str:
    """A text that can be written: bytes of a file's name that are not UTF-8 as ``\\udce9``."""
    return text.encode("utf-8", "backslashreplace").decode()


def _typed(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    # pandas spells an integer column that may be null with a capital.
    kinds = {name: "Int64" if kind == "int64" else kind for name, kind in columns.items()}
    return table.reindex(columns=list(columns)).astype(kinds)


def write_parquet(table: pd.DataFrame, columns: Mapping[str, str], path: Path) -> None:
    """Write a table with exactly these columns and types; NaN becomes null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    whole = pa.Table.from_pandas(table, schema=schema, preserve_index=False)
    write_whole(path, lambda file: pq.write_table(whole, file))


def rows_of_others(path: Path, columns: Mapping[str, str], method: str) -> pd.DataFrame:
    """The rows that other methods than this one left in a table; none where it is no such table."""
    import pyarrow.parquet as pq

    try:
        earlier = _typed(pq.read_table(path, columns=list(columns)).to_pandas(), columns)
    except (OSError, ValueError):
        return _typed(pd.DataFrame(), columns)
    return earlier[earlier["method"] != method]


def write_layers(outcome: Outcome, stem: str, folder: Path) -> list[Path]:
    """Write the maps, masks and pictures of one frame as large as the frame.

    The first map is ``maps/<stem>.<method>.npy``, any further ``maps/<stem>.<method>.<map>.npy``; masks
    likewise under ``masks``, and pictures as PNG under ``pictures``. Maps are float32 and interpolated, masks
    uint16 and repeated, pictures uint8 and interpolated.

    Returns:
        The files written.
    """
    if outcome.result is None or outcome.height is None or outcome.width is None:
        return []
    shape = (outcome.height, outcome.width)
    maps, masks = outcome.result.maps, outcome.result.masks
    map_paths = _layer_paths(folder / "maps", stem, outcome.method, maps)
    mask_paths = _layer_paths(folder / "masks", stem, outcome.method, masks)
    for path, heat in zip(map_paths, maps.values(), strict=True):
        _save(path, _interpolated(heat, shape))
    for path, classes in zip(mask_paths, masks.values(), strict=True):
        _save(path, _repeated(classes, shape))
    pictures = outcome.result.pictures
    picture_paths = _layer_paths(folder / "pictures", stem, outcome.method, pictures, ".png")
    for path, picture in zip(picture_paths, pictures.values(), strict=True):
        _save_picture(path, picture, shape)
    return map_paths + mask_paths + picture_paths


def write_members(outcome: Outcome, stem: str, folder: Path) -> Path | None:
    """Write ``members/<stem>.<method>.parquet``, which cluster each row of a table belongs to.

    Returns:
        The file written; None when the method groups no rows of a table.
    """
    if not isinstance(outcome.result, TableResult):
        return None
    path = folder / "members" / f"{stem}.{outcome.method}.parquet"
    path.parent.mkdir(exist_ok=True)
    write_parquet(outcome.result.members, MEMBER_COLUMNS, path)
    return path


def _save(path: Path, values: NDArray[Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    write_whole(path, partial(np.save, arr=values))


def _save_picture(path: Path, picture: NDArray[np.uint8], shape: tuple[int, int]) -> None:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture, dtype=np.uint8))
    if picture.shape[:2] != shape:
        image = image.resize(shape[::-1], Image.Resampling.BILINEAR)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, partial(image.save, format="PNG"))


def _layer_paths(
    folder: Path, stem: str, method: str, layers: Iterable[str], suffix: str = ".npy"
) -> list[Path]:
    # A layer's name is for people, and may have spaces.
    layers = [layer.replace(" ", "_") for layer in layers]
    endings = [method if index == 0 else f"{method}.{layer}" for index, layer in enumerate(layers)]
    return [folder / f"{stem}.{ending}{suffix}" for ending in endings]


def _interpolated(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    if values.shape == shape:
        return np.asarray(values, dtype=np.float32)
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize(shape[::-1], Image.Resampling.BILINEAR), dtype=np.float32)


def _repeated(values: NDArray[np.uint16], shape: tuple[int, int]) -> NDArray[np.uint16]:
    rows, columns = (
        ((np.arange(size) + 0.5) * own / size).astype(int)
        for size, own in zip(shape, values.shape, strict=True)
    )
    return np.asarray(values, dtype=np.uint16)[np.ix_(rows, columns)]


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place and move it there: nobody ever sees half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            write(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
