"""What a surface is a mix of: the part of it that each landform covers, however a method says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.shapes import Ellipse, shapes_of
from core.surfaces.kinds import CRATER, LANDFORM_OF, LANDFORMS, LINES, SEGMENTS, UNSURE

WITHIN, OTHER = "within craters", "other ground"
"""What craters cover and what not, where a method looks for nothing else. The ground within a crater may be
anything: that of a basin is mostly a plain."""
_GRID = 512
"""Cells a side that the ground under craters is counted in."""


def mix_of(facts: Mapping[str, float]) -> dict[str, float]:
    """Part of what was looked at that each landform covers, the unsure last; they add up to 1.

    Args:
        facts: Of a result: ``share_<class>`` of classes of :data:`~core.surfaces.kinds.SEGMENTS` or of
            :data:`~core.surfaces.kinds.LANDFORMS`.

    Returns:
        Empty where the result says nothing of it.
    """
    mix = dict.fromkeys((*LANDFORMS, UNSURE), 0.0)
    for label in dict.fromkeys((*SEGMENTS, *LANDFORMS, UNSURE)):
        share = facts.get(f"share_{label.replace(' ', '_')}")
        if share is not None and np.isfinite(share):
            mix[LANDFORM_OF.get(label, label)] += share
    total = sum(mix.values())
    return {label: share / total for label, share in mix.items()} if total > 0.0 else {}


def crater_cover(craters: pd.DataFrame, width: int, height: int, area_px: float | None = None) -> float:
    """Part of a frame that lies within craters; where several overlap it counts once.

    Args:
        craters: Rows of detections with ``x, y, diameter_px, axis_ratio, angle_deg``.
        width, height: Of the frame, in pixels.
        area_px: Pixels of it that are there, on which nearly all of a crater lies; all of them when None.
    """
    columns, rows = (max(1, min(_GRID, side)) for side in (width, height))
    covered = np.zeros((rows, columns), bool)
    x = (np.arange(columns) + 0.5) * width / columns - 0.5
    y = (np.arange(rows) + 0.5) * height / rows - 0.5
    for shape in shapes_of(craters):
        if not isinstance(shape, Ellipse):
            continue
        left, low, right, top = shape.box
        c = slice(*np.searchsorted(x, (left, right)))
        r = slice(*np.searchsorted(y, (low, top)))
        dx, dy = np.meshgrid(x[c] - shape.x, y[r] - shape.y)
        along, across = np.linalg.inv(shape.axes) @ np.stack([dx.ravel(), dy.ravel()])
        covered[r, c] |= (along**2 + across**2 <= 1.0).reshape(dx.shape)
    part = 1.0 if area_px is None else area_px / (width * height)
    return min(1.0, float(covered.mean()) / part)


def mix_or_cover(
    facts: Mapping[str, float], objects: pd.DataFrame, width: int, height: int, area_px: float | None = None
) -> dict[str, float]:
    """The mix that a result tells; of a method that finds only craters, what those cover and what not.

    Args:
        facts: Of the result.
        objects: The rows of its detections that count, or what people made of them.
        width, height, area_px: As :func:`crater_cover` takes them.
    """
    told = mix_of(facts)
    craters = craters_of(objects)
    if told or craters.empty:
        return told
    cover = crater_cover(craters, width, height, area_px)
    return {WITHIN: cover, OTHER: 1.0 - cover}


def craters_of(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of detections that are craters whose size is known."""
    if "diameter_px" not in table:
        return table.iloc[:0].reindex(columns=[*table.columns, "diameter_px", "axis_ratio", "angle_deg"])
    shapes = table.assign(
        axis_ratio=table["axis_ratio"].fillna(1.0), angle_deg=table["angle_deg"].fillna(0.0)
    )
    return shapes[(shapes["label"] == CRATER) & (shapes["diameter_px"] > 0.0)]


def lines_of(table: pd.DataFrame, labels: Sequence[str] = LINES) -> pd.DataFrame:
    """The rows of detections that are valleys or ridges whose length is known."""
    if "length_px" not in table:
        return table.iloc[:0].reindex(columns=[*table.columns, "length_px", "angle_deg", "path"])
    return table[table["label"].isin(labels) & (table["length_px"] > 0.0)]
