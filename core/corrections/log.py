"""The log of corrections: what an entry is, which entries are allowed, and which still stand."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NoReturn, get_args

from core.errors import ParameterInvalid
from core.shapes import BOX_COLUMNS, WRITTEN, Shape, shape_of

Action = Literal[
    "accept", "reject", "move", "reshape", "relabel", "add", "unsure", "merge", "split", "review", "undo"
]
ACTIONS: tuple[str, ...] = get_args(Action)
Values = Mapping[str, float | str]

REPLACED = ("merge", "split")
"""What is done to an object in whose place others come."""
FRAME = "frame"
"""Target of a review, which is of a part of the frame and of no object."""

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "move": ("x", "y"),
    "reshape": BOX_COLUMNS,
    "relabel": ("label",),
    "add": ("label", "x", "y"),
    "review": BOX_COLUMNS,
    "undo": ("correction",),
}
_MAY: Mapping[str, tuple[str, ...]] = {
    "move": (*BOX_COLUMNS, *WRITTEN),
    "reshape": ("x", "y", *WRITTEN),
    "add": (*BOX_COLUMNS, *WRITTEN),
}
_TEXT = ("label", "correction", "path")
_KNOWN = ("x", "y", *BOX_COLUMNS, "label", "correction", *WRITTEN)


@dataclass(frozen=True)
class Edit:
    """One thing a person did.

    Attributes:
        action: ``accept``, ``reject``, ``unsure`` (cannot tell), ``move``, ``reshape``, ``relabel``,
            ``add``, ``merge`` and ``split`` (is one with others, is several: the same group adds what it
            is now), ``review`` (has looked a window through, so that what is missing there is missing),
            or ``undo``.
        target: The object: ``"p<row>"`` for a prediction by its row in the run's detections,
            ``"a<hex>"`` for an object a person added, :data:`FRAME` for a review. Empty for an ``add``
            that has not been given its name yet, and for an undo, which is of a correction.
        before: What it was, as far as it changed: ``x, y``, ``x_min, y_min, x_max, y_max`` in pixels, the
            columns of an ellipse or the ``path`` of a line or polygon (:mod:`core.shapes`), ``label``.
        after: What it is now. A move gives ``x, y`` (and may give the box, which otherwise goes along),
            a reshape the box and what else tells the shape, a relabel the ``label``, an add ``label, x, y``
            and perhaps a shape, a review its window as a box, an undo the id of the ``correction`` it takes
            back.
        note: Why, in the person's words.
        group: Edits of one group were done at once, and are undone at once. Empty for one by itself.

    Raises:
        ParameterInvalid: The action is unknown, its values are missing, are no finite numbers or no shape,
            or a merge or split stands by itself.
    """

    action: str
    target: str = ""
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    note: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            _refuse("action", self.action, f"action must be one of {', '.join(ACTIONS)}")
        for name in ("before", "after"):
            object.__setattr__(
                self, name, {key: _value(key, given) for key, given in getattr(self, name).items()}
            )
        needed = _NEEDS.get(self.action, ())
        surplus = [name for name in self.after if name not in (*needed, *_MAY.get(self.action, ()))]
        if surplus or not all(name in self.after for name in needed):
            _refuse("after", dict(self.after), f"{self.action} takes {', '.join(needed) or 'no values'}")
        if self.box is None and any(column in self.after for column in BOX_COLUMNS):
            _refuse("after", dict(self.after), f"a box needs all of {', '.join(BOX_COLUMNS)}")
        if self.box is not None and not (self.box[0] <= self.box[2] and self.box[1] <= self.box[3]):
            _refuse("after", dict(self.after), "a box needs x_min <= x_max and y_min <= y_max")
        if self.action in REPLACED and not self.group:
            _refuse("group", self.group, f"a {self.action} belongs to a group that says what comes of it")
        if any(column in self.after for column in WRITTEN):
            try:
                shape_of(self.after)
            except ValueError as error:
                _refuse("after", dict(self.after), str(error).partition(", got")[0])

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """``x_min, y_min, x_max, y_max`` afterwards, in pixels; None when the edit gives none."""
        if not all(column in self.after for column in BOX_COLUMNS):
            return None
        x_min, y_min, x_max, y_max = (float(self.after[column]) for column in BOX_COLUMNS)
        return x_min, y_min, x_max, y_max

    @property
    def shape(self) -> Shape | None:
        """The shape afterwards, as far as the edit tells; None when it tells no place."""
        return None if self.xy is None else shape_of(self.after)

    @property
    def xy(self) -> tuple[float, float] | None:
        """Position afterwards in pixels (of the box's centre, where only a box is given), or None."""
        if "x" in self.after and "y" in self.after:
            return float(self.after["x"]), float(self.after["y"])
        if self.box is not None:
            x_min, y_min, x_max, y_max = self.box
            return (x_min + x_max) / 2, (y_min + y_max) / 2
        return None


@dataclass(frozen=True, kw_only=True)
class Correction(Edit):
    """An edit in the log: by whom, of which run, and when.

    Attributes:
        correction_id: Its name.
        seq: Its place in the run's log: 1, 2, 3 …
        run_id: The run whose detections were corrected.
        person: Who did it.
        at: When, in UTC.
    """

    correction_id: str
    seq: int
    run_id: str
    person: str
    at: datetime


def predicted_id(row: int) -> str:
    """The object id of a prediction by its row in the run's detections."""
    return f"p{row}"


def added_id() -> str:
    """A new object id for an object a person adds."""
    return f"a{uuid.uuid4().hex}"


def group_id() -> str:
    """A new name for edits that are done and undone at once."""
    return uuid.uuid4().hex


def active(log: Sequence[Correction]) -> list[Correction]:
    """The corrections that stand: no undos, and none that was taken back. In the log's order."""
    return [correction for correction in _standing(log) if correction.action != "undo"]


def last_undoable(log: Sequence[Correction], person: str) -> Correction | None:
    """The last correction of this person that stands, or None when there is nothing left to undo."""
    return next((each for each in reversed(active(log)) if each.person == person), None)


def last_redoable(log: Sequence[Correction], person: str) -> Correction | None:
    """The last undo of this person that can itself be undone, or None.

    As in any editor, there is nothing to redo once something new was done after the undo.
    """
    kind = {each.correction_id: each.action for each in log}
    for each in reversed([each for each in _standing(log) if each.person == person]):
        if each.action != "undo":
            return None
        if kind[str(each.after["correction"])] != "undo":
            return each
    return None


def on_frame(xy: tuple[float, float], width: int, height: int) -> bool:
    """Whether a position in pixels lies on a frame of this size, its edges included."""
    x, y = xy
    return -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5


def check_log(
    log: Sequence[Correction],
    n_predictions: int,
    *,
    width: int | None = None,
    height: int | None = None,
) -> None:
    """Hold every entry of a log against the run it corrects.

    Args:
        log: All corrections of a run, in order.
        n_predictions: How many detections the run has.
        width, height: Of the frame in pixels; positions are not held against it when they are None. A
            box may reach over the frame's edge, as galaxies do, but its centre may not.

    Raises:
        ParameterInvalid: An entry speaks of an object or a correction that is not there, puts an object
            outside the frame, or a group is torn apart.
    """
    objects = {FRAME, *(predicted_id(row) for row in range(n_predictions))}
    earlier: set[str] = set()
    groups: set[str] = set()
    before = ("", "")
    for each in log:
        if each.group in groups and (each.group, each.person) != before:
            _refuse("group", each.group, "edits of one group stand together and are one person's")
        before = (each.group, each.person)
        groups |= {each.group} - {""}
        if each.action == "undo":
            if each.after["correction"] not in earlier:
                _refuse(
                    "correction", each.after["correction"], "an undo names an earlier correction of this run"
                )
        elif each.action == "add":
            if each.target in objects or not each.target.startswith("a"):
                _refuse("target", each.target, "an added object has a new name that starts with 'a'")
            objects.add(each.target)
        elif each.target not in objects or (each.target == FRAME) != (each.action == "review"):
            _refuse("target", each.target, f"there is no such object to {each.action} in this run")
        earlier.add(each.correction_id)
        if width is None or height is None or each.xy is None or on_frame(each.xy, width, height):
            continue
        _refuse("x, y", each.xy, f"the position must lie on the frame of {width} × {height} px")


def _standing(log: Sequence[Correction]) -> list[Correction]:
    """The corrections and undos that no later undo takes back; what takes back one takes back its group."""
    group = {each.correction_id: each.group for each in log if each.group}
    taken_back: set[str] = set()
    standing = []
    # From the end, whatever is met has its fate decided: only what comes later can take it back.
    for correction in reversed(log):
        if correction.correction_id in taken_back or correction.group in taken_back:
            continue
        if correction.action == "undo":
            named = str(correction.after["correction"])
            taken_back.add(group.get(named, named))
        standing.append(correction)
    return standing[::-1]


def _value(name: str, given: object) -> float | str:
    if name not in _KNOWN:
        _refuse(name, given, f"a correction knows only {', '.join(_KNOWN)}")
    if name in _TEXT:
        if not isinstance(given, str) or not given.strip():
            _refuse(name, given, f"{name} must be a text that is not empty")
        return given
    try:
        number = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        _refuse(name, given, f"{name} must be a finite number of pixels")
    return number


def _refuse(parameter: str, given: object, limit: str) -> NoReturn:
    raise ParameterInvalid(
        f"This correction is not possible: {limit}, got {given!r}.",
        parameter=parameter,
        given=given,
        limit=limit,
    )
