"""Layers for the browser: positions, scores and texts as compact columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.shapes import points_of
from core.ui.tables import column_title
from core.ui.viewer.model import Layer
from core.ui.viewer.parcel import Packer, Parcel


def layers_parcel(layers: Sequence[Layer], slot: str) -> Parcel:
    """Pack the layers under ``slot``.

    Raises:
        ValueError: A layer names a column that its table does not have.
    """
    packer = Packer()
    return packer.parcel(slot, {"layers": [_packed(layer, packer) for layer in layers]})


def _packed(layer: Layer, packer: Packer) -> dict[str, Any]:
    table = layer.detections.table
    codes, labels = pd.factorize(table["label"])
    boxes = layer.detections.boxes
    names = table["name"]
    return {
        "name": layer.name,
        "colour": layer.colour,
        "marker": layer.marker,
        "visible": layer.visible,
        "labels": [str(label) for label in labels],
        "names": [None if name is None else str(name) for name in names] if names.notna().any() else None,
        "x": packer.add(table["x"].to_numpy(np.float32)),
        "y": packer.add(table["y"].to_numpy(np.float32)),
        "score": packer.add(table["score"].to_numpy(np.float32)),
        "code": packer.add(codes.astype(np.uint16)),
        "radius": _radius(layer, packer),
        "ellipse": _ellipse(layer, packer),
        "paths": _paths(layer, packer),
        "dash": list(layer.dash),
        "limit": layer.limit,
        "lettered": layer.lettered,
        "boxes": packer.add(boxes.astype(np.float32)) if np.isfinite(boxes).any() else None,
        **_note(layer, packer),
    }


def _radius(layer: Layer, packer: Packer) -> int | None:
    table = layer.detections.table
    if layer.size_px is None:
        return None
    if isinstance(layer.size_px, str):
        return packer.add(_column(layer, layer.size_px).to_numpy(np.float32, na_value=0.0))
    return packer.add(np.full(len(table), layer.size_px, np.float32))


def _ellipse(layer: Layer, packer: Packer) -> int | None:
    if layer.ellipse is None:
        return None
    ratio, turn = (_column(layer, name).to_numpy(np.float32, na_value=0.0) for name in layer.ellipse)
    return packer.add(np.column_stack([ratio, np.radians(turn)]))


def _paths(layer: Layer, packer: Packer) -> dict[str, int] | None:
    """The points of all lines one after the other, and where each object's begin."""
    if layer.path is None:
        return None
    lines = [points_of(text) for text in _column(layer, layer.path)]
    begins = np.cumsum([0, *(len(line) for line in lines)])
    points = np.concatenate(lines) if lines else np.empty((0, 2))
    return {
        "points": packer.add(points.astype(np.float32)),
        "begins": packer.add(begins.astype(np.uint32)),
    }


def _note(layer: Layer, packer: Packer) -> dict[str, Any]:
    if layer.note is None:
        return {"note": None, "note_numbers": None}
    column = _column(layer, layer.note)
    title, unit = column_title(layer.note, layer.detections.units.get(layer.note, ""))
    facts = {
        "note": layer.note,
        "note_title": title,
        "note_unit": unit,
        "note_numbers": None,
        "note_texts": None,
    }
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return facts | {"note_numbers": packer.add(column.to_numpy(np.float32, na_value=np.nan))}
    return facts | {"note_texts": [None if pd.isna(value) else str(value) for value in column]}


def _column(layer: Layer, name: str) -> pd.Series:
    table = layer.detections.table
    if name not in table.columns:
        raise ValueError(f"layer {layer.name!r} has no column {name!r}; it has {list(table.columns)}")
    return table[name]
