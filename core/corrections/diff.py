"""What a person did on the canvas, told from the objects before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.corrections.log import Edit
from core.errors import ParameterInvalid
from core.results import BOX_COLUMNS

TOLERANCE_PX = 0.5
"""Changes up to this are the rounding of a canvas, not a person's doing."""


@dataclass(frozen=True)
class EditableObject:
    """An object as a canvas shows it.

    Attributes:
        object_id: Its id in the corrected catalogue; None for one that was drawn just now.
        label: Its class.
        x, y: Position in pixels; the centre of the box where there is one.
        box: ``x_min, y_min, x_max, y_max`` in pixels, or None for a point.

    Raises:
        ParameterInvalid: A coordinate is not finite.
    """

    object_id: str | None
    label: str
    x: float
    y: float
    box: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, *(self.box or ())))):
            raise ParameterInvalid(
                f"An object on the canvas needs finite coordinates, got {(self.x, self.y, self.box)}.",
                parameter="x, y, box",
                given=(self.x, self.y, self.box),
                limit="finite numbers of pixels",
            )


def diff_objects(
    before: Sequence[EditableObject],
    after: Sequence[EditableObject],
    tolerance_px: float = TOLERANCE_PX,
) -> list[Edit]:
    """The edits that lead from one state of a canvas to another.

    Args:
        before: The objects the canvas was given, each with its id.
        after: The objects it gave back. One without an id is new, and so is the second of two with the
            same id: it is a copy.
        tolerance_px: Changes of a coordinate up to this are no edit.

    Returns:
        For each object of ``before`` in turn: a reject when it is gone; a reshape when its box changed
        its size, or else a move when it changed its place; and a relabel when its class changed. Then an
        add for each new object.

    Raises:
        ParameterInvalid: An id came back that was not given, or an object was given without one.
    """
    given = {_id(each): each for each in before}
    kept: dict[str, EditableObject] = {}
    new = []
    for each in after:
        if each.object_id is None or each.object_id in kept:
            new.append(each)
        elif each.object_id in given:
            kept[each.object_id] = each
        else:
            raise ParameterInvalid(
                f"The canvas gave back an object {each.object_id!r} that it was not given.",
                parameter="object_id",
                given=each.object_id,
                limit="the ids that were given",
            )
    edits: list[Edit] = []
    for object_id, was in given.items():
        edits += _changes(was, kept.get(object_id), tolerance_px)
    edits += [Edit("add", after={"label": each.label, **_place(each)}) for each in new]
    return edits


def _id(each: EditableObject) -> str:
    if each.object_id is None:
        raise ParameterInvalid(
            "An object given to the canvas needs an id.", parameter="object_id", given=None, limit="an id"
        )
    return each.object_id


def _changes(was: EditableObject, now: EditableObject | None, tolerance_px: float) -> list[Edit]:
    target = _id(was)
    if now is None:
        return [Edit("reject", target, before={"label": was.label, **_place(was)})]
    edits = []
    if _reshaped(was, now, tolerance_px):
        edits.append(Edit("reshape", target, before=_place(was), after=_place(now)))
    elif max(abs(now.x - was.x), abs(now.y - was.y)) > tolerance_px:
        edits.append(Edit("move", target, before=_place(was), after=_place(now)))
    if now.label != was.label:
        edits.append(Edit("relabel", target, before={"label": was.label}, after={"label": now.label}))
    return edits


def _reshaped(was: EditableObject, now: EditableObject, tolerance_px: float) -> bool:
    if now.box is None:
        return False
    if was.box is None:
        return True
    widths = (each[2] - each[0] for each in (was.box, now.box))
    heights = (each[3] - each[1] for each in (was.box, now.box))
    return any(abs(first - second) > tolerance_px for first, second in (widths, heights))


def _place(each: EditableObject) -> dict[str, float]:
    box = {} if each.box is None else dict(zip(BOX_COLUMNS, each.box, strict=True))
    return {"x": each.x, "y": each.y, **box}
