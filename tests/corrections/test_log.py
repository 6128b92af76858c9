import numpy as np
import pytest

from core.corrections import Edit, active, added_id, check_log, last_redoable, last_undoable
from core.errors import ParameterInvalid
from core.shapes import Box, Ellipse, Line, Point

BOX = {"x_min": 1.0, "y_min": 1.0, "x_max": 2.0, "y_max": 4.0}


@pytest.mark.parametrize(
    ("action", "after", "sentence"),
    [
        ("delete", {}, "action must be one of accept, reject"),
        ("accept", {"x": 1.0, "y": 1.0}, "accept takes no values"),
        ("move", {"x": 1.0}, "move takes x, y"),
        ("move", {"x": 1.0, "y": float("nan")}, "y must be a finite number"),
        ("move", {"x": float("inf"), "y": 1.0}, "x must be a finite number"),
        ("move", {"x": "far", "y": 1.0}, "x must be a finite number"),
        ("move", {"x": None, "y": 1.0}, "x must be a finite number"),
        ("move", {"x": 1.0, "y": 1.0, "x_min": 1.0}, "a box needs all of"),
        ("move", {"x": 1.0, "y": 1.0, "label": "star"}, "move takes x, y"),
        ("reshape", {"x": 1.0, "y": 1.0}, "reshape takes x_min, y_min, x_max, y_max"),
        ("reshape", {**BOX, "x_min": 3.0}, "a box needs x_min <= x_max"),
        ("relabel", {"label": " "}, "label must be a text"),
        ("relabel", {"label": 7}, "label must be a text"),
        ("relabel", {}, "relabel takes label"),
        ("add", {"x": 1.0, "y": 1.0}, "add takes label, x, y"),
        ("review", {"x": 1.0, "y": 1.0}, "review takes x_min"),
        ("undo", {}, "undo takes correction"),
        ("move", {"x": 1.0, "y": 1.0, "z": 1.0}, "a correction knows only x, y"),
        ("add", {"label": "valley", "x": 1.0, "y": 1.0, "path": "1,1"}, "a path is 2 to 5000 points"),
        ("add", {"label": "valley", "x": 1.0, "y": 1.0, "path": 7}, "path must be a text"),
        ("reshape", {**BOX, "diameter_px": -3.0, "axis_ratio": 1.0}, "an ellipse needs a size"),
        ("reshape", {**BOX, "angle_deg": float("nan")}, "angle_deg must be a finite number"),
        ("relabel", {"label": "crater", "path": "1,1 2,2"}, "relabel takes label"),
        ("merge", {}, "a merge belongs to a group"),
        ("split", {}, "a split belongs to a group"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_with_a_sentence(action, after, sentence):
    with pytest.raises(ParameterInvalid, match=f"This correction is not possible: {sentence}"):
        Edit(action, "p0", after=after)


def test_numbers_of_any_kind_become_floats():
    edit = Edit("move", "p0", before={"x": 1, "y": 2}, after={"x": np.float32(1.5), "y": np.int64(2)})
    assert {type(value) for values in (edit.before, edit.after) for value in values.values()} == {float}


def test_position_and_box_of_an_edit():
    assert Edit("accept", "p0").xy is None
    assert Edit("move", "p0", after={"x": 3.0, "y": 4.0}).xy == (3.0, 4.0)
    reshape = Edit("reshape", "p0", after=BOX)
    assert (reshape.box, reshape.xy) == ((1.0, 1.0, 2.0, 4.0), (1.5, 2.5))


@pytest.mark.parametrize(
    ("action", "target", "after", "sentence"),
    [
        ("accept", "p3", {}, "no such object to accept"),
        ("accept", "p-1", {}, "no such object"),
        ("accept", "p01", {}, "no such object"),
        ("reject", "a1", {}, "no such object to reject"),
        ("reject", "", {}, "no such object to reject"),
        ("reject", "frame", {}, "no such object to reject"),
        ("review", "p0", BOX, "no such object to review"),
        ("add", "p0", {"label": "star", "x": 1.0, "y": 1.0}, "a new name that starts with 'a'"),
        ("add", "", {"label": "star", "x": 1.0, "y": 1.0}, "a new name that starts with 'a'"),
        ("undo", "", {"correction": "c9"}, "names an earlier correction"),
        ("undo", "", {"correction": "c1"}, "names an earlier correction"),  # itself
        ("move", "p0", {"x": 100.0, "y": 1.0}, "must lie on the frame of 100 × 80 px"),
        ("move", "p0", {"x": 1.0, "y": -1.0}, "must lie on the frame"),
        ("add", "a1", {"label": "star", "x": 1.0, "y": 79.6}, "must lie on the frame"),
        ("reshape", "p0", {**BOX, "y_min": -90.0}, "must lie on the frame"),
    ],
)
def test_an_entry_that_does_not_fit_the_run_is_refused(log, action, target, after, sentence):
    log.put(action, target, **after)
    with pytest.raises(ParameterInvalid, match=sentence):
        check_log(log, 3, width=100, height=80)


def test_what_fits_the_run_is_accepted(log):
    log.put("move", "p2", x=-0.5, y=79.5)
    log.put("reshape", "p0", x_min=-9.0, y_min=0.0, x_max=20.0, y_max=300.0, x=5.0, y=70.0)
    log.put("add", "a1", label="star", x=99.5, y=0.0)
    log.put("reject", "a1")
    log.put("review", "frame", **BOX)
    log.put("undo", "", correction="c1")
    check_log(log, 3, width=100, height=80)
    log.put("move", "p0", x=1e6, y=1.0)
    check_log(log, 3)  # where the frame's size is not known


def test_an_object_cannot_be_added_twice(log):
    log.put("add", "a1", label="star", x=1.0, y=1.0)
    log.put("add", "a1", label="star", x=2.0, y=1.0)
    with pytest.raises(ParameterInvalid, match="a new name"):
        check_log(log, 0)


def test_names_of_added_objects_are_all_different():
    assert len({added_id() for _ in range(100)}) == 100


def test_the_shape_of_an_edit():
    assert Edit("accept", "p0").shape is None
    assert Edit("move", "p0", after={"x": 3.0, "y": 4.0}).shape == Point(3.0, 4.0)
    assert Edit("reshape", "p0", after=BOX).shape == Box(1.0, 1.0, 2.0, 4.0)
    ellipse = Ellipse(5.0, 6.0, 8.0, 0.5, 20.0)
    assert Edit("add", after={"label": "crater", **ellipse.entry}).shape == ellipse
    line = Line(((1.0, 1.0), (2.0, 5.0)))
    assert Edit("reshape", "p0", after=line.entry).shape == line


def test_a_group_stands_together_and_is_one_persons(log):
    log.put("merge", "p0", group="g")
    log.put("merge", "p1", group="g")
    log.put("accept", "p2")
    check_log(log, 3)
    log.put("merge", "p2", group="g")
    with pytest.raises(ParameterInvalid, match="edits of one group stand together"):
        check_log(log, 3)
    log[-2:] = []
    log.put("merge", "p2", person="Bea", group="g")
    with pytest.raises(ParameterInvalid, match="edits of one group stand together"):
        check_log(log, 3)


def test_whatever_of_a_group_is_undone_all_of_it_is(log):
    log.put("accept", "p0")
    log.put("merge", "p0", group="g")
    log.put("merge", "p1", group="g")
    log.put("add", "a1", group="g", label="star", x=1.0, y=1.0)
    assert last_undoable(log, "Ada").correction_id == "c4"
    log.put("undo", "a1", correction="c4")
    assert names(active(log)) == ["c1"]
    assert last_undoable(log, "Ada").correction_id == "c1"
    log.put("undo", "a1", correction=last_redoable(log, "Ada").correction_id)
    assert names(active(log)) == ["c1", "c2", "c3", "c4"]
    log.put("undo", "p0", correction="c2")
    assert names(active(log)) == ["c1"]


def names(corrections):
    return [each.correction_id for each in corrections]


def test_an_undo_takes_back_and_an_undo_of_it_does_again(log):
    log.put("accept", "p0")
    log.put("reject", "p1")
    log.put("undo", "p1", correction="c2")
    assert names(active(log)) == ["c1"]
    log.put("undo", "p1", correction="c3")
    assert names(active(log)) == ["c1", "c2"]
    log.put("undo", "p1", correction="c4")
    assert names(active(log)) == ["c1"]


def test_undo_and_redo_walk_as_in_an_editor(log):
    def undo(what):
        found = what(log, "Ada")
        if found is not None:
            log.put("undo", found.target, correction=found.correction_id)
        return found and found.correction_id

    log.put("accept", "p0")
    log.put("reject", "p0")
    assert undo(last_redoable) is None
    assert [undo(last_undoable) for _ in range(3)] == ["c2", "c1", None]
    assert [undo(last_redoable) for _ in range(3)] == ["c4", "c3", None]
    assert names(active(log)) == ["c1", "c2"]
    assert undo(last_undoable) == "c2"
    log.put("unsure", "p1")  # something new: what was undone cannot be done again
    assert undo(last_redoable) is None
    assert undo(last_undoable) == "c8"
    assert undo(last_redoable) == "c9"
    assert names(active(log)) == ["c1", "c8"]


def test_each_person_undoes_their_own(log):
    log.put("accept", "p0", person="Ada")
    log.put("accept", "p1", person="Bea")
    assert last_undoable(log, "Ada").correction_id == "c1"
    assert last_undoable(log, "Cyd") is None
    log.put("undo", "p1", person="Bea", correction="c2")
    assert last_redoable(log, "Ada") is None
    assert last_redoable(log, "Bea").correction_id == "c3"
