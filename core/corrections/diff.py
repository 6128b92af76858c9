"""What a person did on the canvas, told from the objects before and after; merging and splitting them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.corrections.log import Edit, group_id, on_frame
from core.corrections.pieces import merged
from core.errors import ParameterInvalid
from core.shapes import Shape

TOLERANCE_PX = 0.5
"""Changes up to this are the rounding of a canvas, not a person's doing."""


@dataclass(frozen=True)
class EditableObject:
    """An object as a canvas shows it.

    Attributes:
        object_id: Its id in the corrected catalogue; None for one that was drawn just now.
        label: Its class.
        shape: Its shape, in pixels of the frame.
        at: Its position in the catalogue, where that is not the centre of its shape.

    Raises:
        ParameterInvalid: A coordinate is not finite.
    """

    object_id: str | None
    label: str
    shape: Shape
    at: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not np.isfinite([*self.shape.outline.ravel(), *(self.at or ())]).all():
            raise ParameterInvalid(
                f"An object on the canvas needs finite coordinates, got {self.shape}.",
                parameter="shape",
                given=self.shape,
                limit="finite numbers of pixels",
            )

    @property
    def xy(self) -> tuple[float, float]:
        """Its position in the catalogue."""
        return self.shape.centre if self.at is None else self.at

    @property
    def place(self) -> dict[str, float | str]:
        """Its position and shape as a log keeps them."""
        x, y = self.xy
        return {**self.shape.entry, "x": x, "y": y}


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
        tolerance_px: Changes up to this, of a coordinate or from edge to edge, are no edit.

    Returns:
        For each object of ``before`` in turn: a reject when it is gone; a reshape when its shape changed,
        or else a move when it changed its place; and a relabel when its class changed. Then an add for each
        new object.

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
    edits += [_add(each) for each in new]
    return edits


def kept_on_frame(edits: Sequence[Edit], width: int, height: int) -> list[Edit]:
    """The edits with every object on the frame: one that was dragged off it is rejected, or never drawn.

    Args:
        edits: Of one canvas.
        width, height: Of the frame in pixels.
    """
    kept = []
    for edit in edits:
        if edit.xy is None or on_frame(edit.xy, width, height):
            kept.append(edit)
        elif edit.action != "add":
            kept.append(Edit("reject", edit.target, before=edit.before))
    return kept


def merge_objects(objects: Sequence[EditableObject]) -> list[Edit]:
    """The edits that make several objects one, as one group.

    The one has the shape of :func:`core.corrections.pieces.merged`, and the class most of them have.

    Raises:
        ParameterInvalid: There are fewer than two, or one has no id.
    """
    if len(objects) < 2:
        raise ParameterInvalid(
            f"Merging takes two objects or more, got {len(objects)}.",
            parameter="objects",
            given=len(objects),
            limit="two or more",
        )
    label = Counter(each.label for each in objects).most_common(1)[0][0]
    one = EditableObject(None, label, merged([each.shape for each in objects]))
    return _replace("merge", objects, [one])


def split_object(thing: EditableObject, shapes: Sequence[Shape]) -> list[Edit]:
    """The edits that put several objects of its class in the place of one, as one group.

    Args:
        thing: The object.
        shapes: What it is instead, such as the pieces of :func:`core.corrections.pieces.cut`.

    Raises:
        ParameterInvalid: There are fewer than two shapes, or it has no id.
    """
    if len(shapes) < 2:
        raise ParameterInvalid(
            f"Splitting takes two shapes or more, got {len(shapes)}.",
            parameter="shapes",
            given=len(shapes),
            limit="two or more",
        )
    return _replace("split", [thing], [EditableObject(None, thing.label, shape) for shape in shapes])


def _replace(action: str, old: Sequence[EditableObject], new: Sequence[EditableObject]) -> list[Edit]:
    group = group_id()
    gone = [Edit(action, _id(each), before={"label": each.label, **each.place}, group=group) for each in old]
    return [*gone, *(_add(each, group) for each in new)]


def _add(each: EditableObject, group: str = "") -> Edit:
    return Edit("add", after={"label": each.label, **each.place}, group=group)


def _id(each: EditableObject) -> str:
    if each.object_id is None:
        raise ParameterInvalid(
            "An object given to the canvas needs an id.", parameter="object_id", given=None, limit="an id"
        )
    return each.object_id


def _changes(was: EditableObject, now: EditableObject | None, tolerance_px: float) -> list[Edit]:
    target = _id(was)
    if now is None:
        return [Edit("reject", target, before={"label": was.label, **was.place})]
    edits = []
    if was.shape.distance(now.shape) > tolerance_px:
        dx, dy = np.subtract(now.shape.centre, was.shape.centre).tolist()
        # The edges of a shape that grows on one side are half as far from those of the one that moved.
        if was.shape.moved(dx, dy).distance(now.shape) > tolerance_px / 2:
            edits.append(Edit("reshape", target, before=was.place, after=now.shape.entry))
        else:
            x, y = was.xy
            after = {**now.shape.entry, "x": x + dx, "y": y + dy}
            edits.append(Edit("move", target, before=was.place, after=after))
    if now.label != was.label:
        edits.append(Edit("relabel", target, before={"label": was.label}, after={"label": now.label}))
    return edits
