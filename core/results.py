"""What a method gives back: a table of detections, maps, masks, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.shapes import BOX_COLUMNS, check_shapes

CORE_COLUMNS: tuple[str, ...] = (
    "label",
    "score",
    "x",
    "y",
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "flux",
    "ra_deg",
    "dec_deg",
    "name",
)
"""The columns every detection table has, in this order; those that do not apply are null."""

TEXT_COLUMNS = ("label", "name")
CORE_UNITS: Mapping[str, str] = {
    "x": "pix",
    "y": "pix",
    "x_min": "pix",
    "y_min": "pix",
    "x_max": "pix",
    "y_max": "pix",
    "ra_deg": "deg",
    "dec_deg": "deg",
}


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects found on a frame, one row each.

    Attributes:
        table: The columns of :data:`CORE_COLUMNS`, then the method's own. ``x, y`` is the centre (of the
            box, where there is one) in pixels; ``score`` is in [0, 1]; ``label`` is a class of the method.
            What is no point and no box tells its shape in :data:`core.shapes.SHAPE_COLUMNS`, and has the
            box around it too.
        units: Unit of each column that has one, spelt as astropy spells it.

    Raises:
        ValueError: The table breaks one of these rules; the message says expected and actual.
    """

    table: pd.DataFrame
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = {"label", "score", "x", "y"} - set(self.table.columns)
        if missing:
            raise ValueError(f"detections need the columns label, score, x, y; missing: {sorted(missing)}")
        own = [column for column in self.table.columns if column not in CORE_COLUMNS]
        table = self.table.reindex(columns=[*CORE_COLUMNS, *own]).reset_index(drop=True)
        for column in CORE_COLUMNS:
            kind = object if column in TEXT_COLUMNS else np.float64
            table[column] = table[column].astype(kind)
        for column in TEXT_COLUMNS:
            table[column] = table[column].where(table[column].notna(), None)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "units", {**CORE_UNITS, **self.units})
        self._check()

    def _check(self) -> None:
        table = self.table
        if not np.isfinite(table[["x", "y", "score"]].to_numpy(float)).all():
            raise ValueError("detections need finite x, y and score")
        if len(table) and not table["score"].between(0.0, 1.0).all():
            low, high = table["score"].min(), table["score"].max()
            raise ValueError(f"scores must be in [0, 1]; they span {low:g} to {high:g}")
        if not all(isinstance(label, str) and label for label in table["label"]):
            raise ValueError("every detection needs a label that is a non-empty string")
        boxes = table[list(BOX_COLUMNS)].to_numpy(float)
        given = np.isfinite(boxes)
        if (given.any(axis=1) != given.all(axis=1)).any():
            raise ValueError("a box needs all of x_min, y_min, x_max, y_max, or none")
        if (boxes[:, 0] > boxes[:, 2]).any() or (boxes[:, 1] > boxes[:, 3]).any():
            raise ValueError("a box needs x_min <= x_max and y_min <= y_max")
        check_shapes(table)
        unknown = set(self.units) - set(CORE_UNITS) - set(table.columns)
        if unknown:
            raise ValueError(f"units are given for columns that are not there: {sorted(unknown)}")

    @classmethod
    def empty(cls) -> Detections:
        """Nothing found."""
        return cls(pd.DataFrame({"label": [], "score": [], "x": [], "y": []}))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def xy(self) -> NDArray[np.float64]:
        """``(N, 2)`` centres in pixels, columns x then y."""
        return self.table[["x", "y"]].to_numpy(float)

    @property
    def boxes(self) -> NDArray[np.float64]:
        """``(N, 4)`` boxes in pixels, ``x_min, y_min, x_max, y_max``; NaN where there is none."""
        return self.table[list(BOX_COLUMNS)].to_numpy(float)

    def above(self, score: float) -> Detections:
        """Only the detections with at least this score."""
        return self.where(self.table["score"] >= score)

    def where(self, keep: Any) -> Detections:
        """Only the detections where the boolean ``keep`` of length N is true."""
        return Detections(self.table.loc[keep], self.units)


@dataclass(frozen=True)
class Provenance:
    """Everything needed to get the same result again.

    Attributes:
        method: Name of the method, ``"stars.sep"``.
        params: Its parameters by name.
        frame_name, frame_sha256, frame_key: The frame: file name, hash of the file, hash of the very pixels.
        width, height: Of the frame, in pixels.
        hdu, plane, processing: What was taken from the file and done to it.
        weights_sha256: Hash of the weights, or None when the method has none.
        version: Almagest's version.
        started_at: When the run started, ISO 8601 in UTC.
    """

    method: str
    params: Mapping[str, Any]
    frame_name: str
    frame_sha256: str
    frame_key: str
    width: int
    height: int
    version: str
    started_at: str
    hdu: int | None = None
    plane: int | None = None
    processing: str = ""
    weights_sha256: str | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What a method found on a frame.

    Attributes:
        detections: The objects found; no rows when nothing was.
        rejected: Candidates that were looked at and turned down; its column ``reason`` says why.
        summary: One sentence for a person.
        maps: Heat maps that cover the whole frame, ``(h, w)`` float32 each at its own resolution.
        masks: Instance or class maps that cover the whole frame, ``(h, w)`` uint16.
        pictures: Pictures of the whole frame that the method remade, ``(h, w)`` or ``(h, w, 3)`` uint8, row 0
            of the frame first, each at its own resolution; they are shown as they are.
        facts: Numbers measured on the way, each name ending in its unit (``"fwhm_px"``).
        timings: Seconds by step; ``"total"`` is the whole run.
        warnings: Sentences a person should see.
        provenance: Where it came from; None until :meth:`core.methods.Method.run` fills it in.
    """

    detections: Detections
    rejected: Detections = field(default_factory=Detections.empty)
    summary: str = ""
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    masks: Mapping[str, NDArray[np.uint16]] = field(default_factory=dict)
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    provenance: Provenance | None = None


def by_confidence(
    everything: Detections,
    confidence: float,
    *,
    facts: Mapping[str, float] | None = None,
    maps: Mapping[str, NDArray[np.float32]] | None = None,
    masks: Mapping[str, NDArray[np.uint16]] | None = None,
    pictures: Mapping[str, NDArray[np.uint8]] | None = None,
) -> Result:
    """What is sure enough, and what is not, with the reason.

    Args:
        everything: All candidates, with their scores. A column ``reason`` that holds a sentence
            turns a box down whatever its score.
        confidence: Least score of an object.
        facts: Numbers measured on the way; the limit of confidence is added.
        maps: Heat maps.
        masks: Instance or class maps.
        pictures: Pictures of the whole frame that the method remade.
    """
    table, units = everything.table, everything.units
    unsure = (table["score"] < confidence).to_numpy()
    reason = np.where(unsure, f"confidence below {confidence:.2f}", "").astype(object)
    if "reason" in table:
        given = table["reason"].fillna("").to_numpy(object)
        reason = np.where(given != "", given, reason)
    seen = reason == ""
    return Result(
        detections=Detections(table[seen].drop(columns="reason", errors="ignore"), units),
        rejected=Detections(table[~seen].assign(reason=reason[~seen]), units),
        maps=maps or {},
        masks=masks or {},
        pictures=pictures or {},
        facts={**(facts or {}), "confidence_limit": confidence},
    )
