"""The corrected catalogue: the predictions with everything in the log done to them, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.corrections.log import Correction, active, check_log, predicted_id
from core.frames import Frame
from core.results import CORE_COLUMNS, Detections
from core.shapes import BOX_COLUMNS, SHAPE_COLUMNS, SHAPE_UNITS, Shape, shape_of

STATE_AFTER: Mapping[str, str] = {
    "accept": "accepted",
    "reject": "rejected",
    "unsure": "unsure",
    "move": "moved",
    "reshape": "reshaped",
    "relabel": "relabelled",
    "add": "added",
    "merge": "merged",
    "split": "split",
}
"""The state an action leaves an object in: the person's last word on it."""

STATES: tuple[str, ...] = ("unreviewed", *STATE_AFTER.values())

SCORE_OF_ADDED = 1.0
"""A person saw it."""

REPLACED_STATES = ("merged", "split")
"""States of objects in whose place others have come."""
_LEFT_OUT = ("rejected", "unsure", *REPLACED_STATES)

ARTEFACT = "artefact"
"""The class of what is no object of the sky or the ground: calling it so rejects it, and says why."""

_NO_SHAPE = {**dict.fromkeys((*BOX_COLUMNS, *SHAPE_COLUMNS), np.nan), "path": None}
_PLACE = ("label", "x", "y", *BOX_COLUMNS, "ra_deg", "dec_deg")
_EDITABLE = (*_PLACE, "state", "edited_by", "edited_at")


@dataclass(frozen=True)
class Window:
    """A part of the frame that a person has looked through completely, in pixels, edges included."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def holds(self, xy: ArrayLike) -> NDArray[np.bool_]:
        """Whether each of the ``(N, 2)`` positions lies in it."""
        x, y = np.asarray(xy, float).reshape(-1, 2).T
        inside: NDArray[np.bool_] = (
            (x >= self.x_min) & (x <= self.x_max) & (y >= self.y_min) & (y <= self.y_max)
        )
        return inside

    def covers(self, other: Window) -> bool:
        """Whether all of another window lies in it."""
        return bool(self.holds([(other.x_min, other.y_min), (other.x_max, other.y_max)]).all())


@dataclass(frozen=True, eq=False)
class CorrectedCatalogue:
    """Predictions and additions in their state after a log of corrections.

    Attributes:
        table: One row an object, predictions first in their order: ``object_id``, ``state`` (one of
            :data:`STATES`), the columns of the predictions, ``edited_by``, ``edited_at`` (ISO 8601 in
            UTC; both None when nobody has touched it). The columns that tell a shape
            (:mod:`core.shapes`) follow what was done to it, and are there once an object needs them.
            ``flux`` and the method's other columns stay what the method measured where it saw the object,
            and are null for added ones. ``ra_deg`` and ``dec_deg`` are null once an object has moved.
        units: Unit of each column that has one.
        reviewed: The windows that were looked through completely, none of them within another.
    """

    table: pd.DataFrame
    units: Mapping[str, str]
    reviewed: tuple[Window, ...] = ()

    def catalogue(self, frame: Frame | None = None) -> Detections:
        """The corrected catalogue: every object that was not rejected, called an artefact, marked unsure,
        merged or split.

        Args:
            frame: Gives moved and added objects their sky position, if it has a WCS.
        """
        left_out = self.table["state"].isin(_LEFT_OUT) | (self.table["label"] == ARTEFACT)
        return self._detections(~left_out, frame)

    def unsure(self, frame: Frame | None = None) -> Detections:
        """The objects nobody could tell; scoring takes them for neither right nor wrong."""
        return self._detections(self.table["state"] == "unsure", frame)

    def _detections(self, keep: pd.Series, frame: Frame | None) -> Detections:
        table = self.table[keep].reset_index(drop=True)
        unplaced = table["ra_deg"].isna().to_numpy()
        if frame is not None and frame.wcs is not None and unplaced.any():
            sky = frame.sky(table.loc[unplaced, "x"], table.loc[unplaced, "y"])
            if sky is not None:
                table.loc[unplaced, "ra_deg"], table.loc[unplaced, "dec_deg"] = sky
        return Detections(table, self.units)


def fold(
    predictions: Detections,
    log: Sequence[Correction],
    *,
    width: int | None = None,
    height: int | None = None,
) -> CorrectedCatalogue:
    """Do to the predictions what the log says, in its order, less what was undone.

    The last word decides the state: an object that was rejected and then moved is there again, and one
    that was moved and then accepted stays where it was moved to. An added object stays ``added``
    whatever is done to it, unless it is rejected, marked unsure, merged or split.

    Args:
        predictions: The detections of the run, in the run's order.
        log: Corrections of that run in the order they were made; of one person, or of several.
        width, height: Of the frame in pixels, to hold positions against; None to leave that.

    Raises:
        ParameterInvalid: An entry is not possible; see :func:`core.corrections.log.check_log`.
    """
    check_log(log, len(predictions), width=width, height=height)
    rows = {predicted_id(row): row for row in range(len(predictions))}
    touched: dict[str, dict[str, Any]] = {}
    places = predictions.table[[*_PLACE, *(name for name in SHAPE_COLUMNS if name in predictions.table)]]
    reviewed: list[Window] = []
    for correction in active(log):
        target = correction.target
        if correction.action == "review" and correction.box is not None:
            window = Window(*correction.box)
            if not any(each.covers(window) for each in reviewed):
                reviewed = [*(each for each in reviewed if not window.covers(each)), window]
        elif correction.action == "add":
            touched[target] = _edited({"score": SCORE_OF_ADDED}, correction)
        elif target in touched:
            touched[target] = _edited(touched[target], correction)
        elif target in rows:
            touched[target] = _edited(dict(places.iloc[rows[target]]), correction)
        # What is left edits an object whose adding was taken back: there is nothing to edit.
    table = _table(predictions, rows, touched)
    units = {name: unit for name, unit in SHAPE_UNITS.items() if unit and name in table}
    return CorrectedCatalogue(table, {**units, **predictions.units}, tuple(reviewed))


def _edited(values: Mapping[str, Any], correction: Correction) -> dict[str, Any]:
    """The values of an object after one correction."""
    edited = dict(values)
    if correction.xy is not None and correction.shape is not None:
        x, y = correction.xy
        shape = _moved(edited, correction.shape, x, y) if correction.action == "move" else correction.shape
        edited.update({**_NO_SHAPE, **shape.columns, "x": x, "y": y, "ra_deg": np.nan, "dec_deg": np.nan})
    edited["label"] = correction.after.get("label", edited.get("label"))
    state = STATE_AFTER[correction.action]
    was_added = correction.target.startswith("a")
    edited["state"] = "added" if was_added and state not in _LEFT_OUT else state
    edited.update(edited_by=correction.person, edited_at=correction.at.isoformat())
    return edited


def _moved(values: Mapping[str, Any], given: Shape, x: float, y: float) -> Shape:
    """The shape after a move to ``x, y``: the one given, or else the old one, taken along."""
    was = shape_of(values)
    return given if given.kind == was.kind else was.moved(x - values["x"], y - values["y"])


def _table(
    predictions: Detections, rows: Mapping[str, int], touched: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    table = predictions.table.copy()
    table.insert(0, "object_id", pd.Series(list(rows), dtype=object))
    table.insert(1, "state", pd.Series(["unreviewed"] * len(rows), dtype=object))
    table["edited_by"] = pd.Series([None] * len(rows), dtype=object)
    table["edited_at"] = pd.Series([None] * len(rows), dtype=object)
    shaped = _with_shapes(table, touched.values())
    changed = {rows[target]: values for target, values in touched.items() if target in rows}
    if changed:
        for column in (*_EDITABLE, *shaped):
            new = [values.get(column, _NO_SHAPE.get(column)) for values in changed.values()]
            table.loc[list(changed), column] = new
    added = [{"object_id": target, **values} for target, values in touched.items() if target not in rows]
    if not added:
        return table
    # Numbers and truth values that an added object does not have must be able to be missing.
    nullable = {"i": "Int64", "u": "UInt64", "b": "boolean"}
    own = [column for column in predictions.table if column not in CORE_COLUMNS]
    table = table.astype({name: nullable.get(table[name].dtype.kind, table[name].dtype) for name in own})
    return pd.concat(
        [table, pd.DataFrame(added).reindex(columns=table.columns).astype(table.dtypes)], ignore_index=True
    )


def _with_shapes(table: pd.DataFrame, touched: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give a table the columns of shapes that what was touched needs, and name those it has then."""
    told = {name for values in touched for name, value in values.items() if pd.notna(value)}
    shaped = [name for name in SHAPE_COLUMNS if name in told or (name in table and told)]
    for name in shaped:
        values = table[name] if name in table else pd.Series(_NO_SHAPE[name], index=table.index)
        table[name] = values.astype(object if name == "path" else np.float64)
    return shaped
