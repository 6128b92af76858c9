import dataclasses

import pytest

from core.corrections import EditableObject, diff_objects, fold, kept_on_frame, merge_objects, split_object
from core.errors import ParameterInvalid
from core.shapes import Box, Ellipse, Line, Point, Polygon, shapes_of

STAR = EditableObject("p0", "star", Point(10.0, 10.0))
GALAXY = EditableObject("p1", "galaxy", Box(15.0, 15.0, 25.0, 25.0))
GALAXY_BOX = {"x_min": 15.0, "y_min": 15.0, "x_max": 25.0, "y_max": 25.0}


def changed(what, **values):
    return dataclasses.replace(what, **values)


def told(edits):
    return [(edit.action, edit.target, edit.before, edit.after) for edit in edits]


def test_nothing_done_is_no_edit():
    assert diff_objects([], []) == []
    assert diff_objects([STAR, GALAXY], [GALAXY, STAR]) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            STAR,
            changed(STAR, shape=Point(13.0, 10.0)),
            [("move", "p0", {"x": 10.0, "y": 10.0}, {"x": 13.0, "y": 10.0})],
        ),
        (
            STAR,
            changed(STAR, label="galaxy"),
            [("relabel", "p0", {"label": "star"}, {"label": "galaxy"})],
        ),
        (
            STAR,
            changed(STAR, label="galaxy", shape=Point(10.0, 5.0)),
            [
                ("move", "p0", {"x": 10.0, "y": 10.0}, {"x": 10.0, "y": 5.0}),
                ("relabel", "p0", {"label": "star"}, {"label": "galaxy"}),
            ],
        ),
        (
            GALAXY,
            changed(GALAXY, shape=Box(17.0, 15.0, 27.0, 25.0)),
            [
                (
                    "move",
                    "p1",
                    {"x": 20.0, "y": 20.0, **GALAXY_BOX},
                    {"x": 22.0, "y": 20.0, **GALAXY_BOX, "x_min": 17.0, "x_max": 27.0},
                )
            ],
        ),
        (
            GALAXY,
            changed(GALAXY, shape=Box(15.0, 15.0, 25.0, 29.0)),
            [
                (
                    "reshape",
                    "p1",
                    {"x": 20.0, "y": 20.0, **GALAXY_BOX},
                    {"x": 20.0, "y": 22.0, **GALAXY_BOX, "y_max": 29.0},
                )
            ],
        ),
        (
            STAR,
            changed(STAR, shape=Box(9.0, 9.0, 11.0, 11.0)),
            [
                (
                    "reshape",
                    "p0",
                    {"x": 10.0, "y": 10.0},
                    {"x": 10.0, "y": 10.0, "x_min": 9.0, "y_min": 9.0, "x_max": 11.0, "y_max": 11.0},
                )
            ],
        ),
        (GALAXY, None, [("reject", "p1", {"label": "galaxy", "x": 20.0, "y": 20.0, **GALAXY_BOX}, {})]),
        (
            None,
            changed(STAR, object_id=None),
            [("add", "", {}, {"label": "star", "x": 10.0, "y": 10.0})],
        ),
        (
            None,
            changed(GALAXY, object_id=None),
            [("add", "", {}, {"label": "galaxy", "x": 20.0, "y": 20.0, **GALAXY_BOX})],
        ),
    ],
    ids=["move", "relabel", "both", "move-box", "reshape", "point-to-box", "delete", "add", "add-box"],
)
def test_what_was_done_is_told_from_before_and_after(before, after, expected):
    # Another object that nobody touched stays out of it.
    other = EditableObject("p9", "star", Point(90.0, 90.0))
    edits = diff_objects(
        [each for each in (before, other) if each], [each for each in (other, after) if each]
    )
    assert told(edits) == expected


@pytest.mark.parametrize(
    ("shift", "tolerance", "n"), [(0.5, 0.5, 0), (0.51, 0.5, 1), (2.0, 3.0, 0), (3.1, 3.0, 1)]
)
def test_what_the_canvas_rounds_is_no_edit(shift, tolerance, n):
    grown = Box(15.0, 15.0, 25.0 + shift, 25.0)
    for before, after in [
        (Point(20.0, 20.0), Point(20.0 + shift, 20.0)),
        (GALAXY.shape, GALAXY.shape.moved(shift, 0.0)),
        (GALAXY.shape, grown),
        (Line(((0.0, 0.0), (9.0, 0.0))), Line(((0.0, 0.0), (9.0, shift)))),
        (Ellipse(9.0, 9.0, 8.0), Ellipse(9.0, 9.0, 8.0 + 2 * shift)),
    ]:
        edits = diff_objects([changed(GALAXY, shape=before)], [changed(GALAXY, shape=after)], tolerance)
        assert len(edits) == n


def test_a_copy_with_the_same_id_is_a_new_object():
    copy = changed(STAR, shape=Point(40.0, 10.0))
    assert told(diff_objects([STAR], [STAR, copy])) == [
        ("add", "", {}, {"label": "star", "x": 40.0, "y": 10.0})
    ]


def test_edits_come_in_the_order_of_the_objects_and_new_ones_last():
    new = EditableObject(None, "star", Point(1.0, 1.0))
    edits = diff_objects([STAR, GALAXY], [new, changed(STAR, shape=Point(50.0, 10.0))])
    assert [(edit.action, edit.target) for edit in edits] == [("move", "p0"), ("reject", "p1"), ("add", "")]


def test_an_id_that_was_not_given_is_refused():
    with pytest.raises(ParameterInvalid, match="'p7' that it was not given"):
        diff_objects([STAR], [changed(STAR, object_id="p7")])


def test_an_object_without_an_id_cannot_be_given():
    with pytest.raises(ParameterInvalid, match="needs an id"):
        diff_objects([changed(STAR, object_id=None)], [])


@pytest.mark.parametrize(
    "bad",
    [
        {"shape": Point(float("nan"), 1.0)},
        {"shape": Box(0, 0, float("inf"), 1)},
        {"shape": Ellipse(0.0, 0.0, float("nan"))},
        {"at": (float("nan"), 1.0)},
    ],
)
def test_an_object_without_a_place_is_refused(bad):
    with pytest.raises(ParameterInvalid, match="needs finite coordinates"):
        changed(GALAXY, **bad)


def test_what_is_moved_takes_its_position_along_though_it_is_not_the_middle():
    cluster = changed(GALAXY, at=(18.0, 21.0))
    assert diff_objects([cluster], [changed(GALAXY)]) == []
    (move,) = diff_objects([cluster], [changed(GALAXY, shape=GALAXY.shape.moved(3.0, 0.0))])
    assert (move.action, move.xy, move.shape) == ("move", (21.0, 21.0), Box(18.0, 15.0, 28.0, 25.0))


CRATER = Ellipse(40.0, 40.0, 20.0, 0.5, 30.0)
VALLEY = Line(((60.0, 60.0), (70.0, 60.0), (70.0, 80.0)))
OUTLINE = Polygon(((10.0, 10.0), (30.0, 10.0), (20.0, 30.0)))


@pytest.mark.parametrize(
    ("was", "now", "action"),
    [
        (CRATER, CRATER.moved(2.0, 0.0), "move"),
        (CRATER, dataclasses.replace(CRATER, angle_deg=60.0), "reshape"),
        (CRATER, dataclasses.replace(CRATER, axis_ratio=0.8), "reshape"),
        (VALLEY, VALLEY.moved(0.0, -3.0), "move"),
        (VALLEY, Line((*VALLEY.points[:-1], (75.0, 80.0))), "reshape"),
        (VALLEY, Line(VALLEY.points[:-1]), "reshape"),
        (OUTLINE, OUTLINE.moved(1.0, 1.0), "move"),
        (OUTLINE, Polygon((*OUTLINE.points, (10.0, 30.0))), "reshape"),
        (Box(*OUTLINE.box), OUTLINE, "reshape"),
    ],
)
def test_every_shape_moves_and_is_reshaped(was, now, action):
    (edit,) = diff_objects([changed(GALAXY, shape=was)], [changed(GALAXY, shape=now)])
    assert edit.action == action
    assert edit.shape.distance(now) < 0.01
    assert edit.xy == pytest.approx(now.centre, abs=0.01)


def test_what_is_dragged_off_the_frame_is_rejected_and_the_rest_is_kept():
    off = changed(GALAXY, shape=GALAXY.shape.moved(0.0, 300.0))
    beyond, here = (
        EditableObject(None, "star", Point(-3.0, 9.0)),
        EditableObject(None, "star", Point(3.0, 9.0)),
    )
    edits = kept_on_frame(diff_objects([GALAXY], [off, beyond, here]), 200, 200)
    assert [(edit.action, edit.target) for edit in edits] == [("reject", GALAXY.object_id), ("add", "")]
    assert edits[1].xy == (3.0, 9.0)


def test_merging_is_a_group_that_ends_in_what_comes_of_it():
    parts = [changed(GALAXY, object_id=f"p{k}", shape=Box(9.0 * k, 0, 9.0 * k + 9, 5)) for k in range(3)]
    *gone, one = merge_objects([*parts, changed(STAR, label="star")])
    assert [(edit.action, edit.target) for edit in gone] == [
        ("merge", "p0"), ("merge", "p1"), ("merge", "p2"), ("merge", "p0"),
    ]  # fmt: skip
    assert (one.action, one.after["label"], one.shape) == ("add", "galaxy", Box(0.0, 0.0, 27.0, 10.0))
    assert len({edit.group for edit in [*gone, one]} - {""}) == 1
    assert merge_objects(parts)[0].group != one.group


def test_splitting_is_a_group_that_begins_with_what_was():
    gone, *pieces = split_object(GALAXY, [OUTLINE, CRATER])
    assert (gone.action, gone.target) == ("split", "p1")
    assert [piece.after["label"] for piece in pieces] == ["galaxy", "galaxy"]
    assert {edit.group for edit in pieces} == {gone.group}


def test_what_cannot_be_merged_or_split_is_refused():
    with pytest.raises(ParameterInvalid, match="takes two objects or more, got 1"):
        merge_objects([GALAXY])
    with pytest.raises(ParameterInvalid, match="takes two shapes or more, got 1"):
        split_object(GALAXY, [CRATER])
    with pytest.raises(ParameterInvalid, match="needs an id"):
        split_object(changed(GALAXY, object_id=None), [CRATER, CRATER])


def test_doing_the_edits_to_what_was_gives_what_is(galaxies, log):
    def shown(catalogue):
        table = fold(galaxies, catalogue).table
        table = table[table["state"] != "rejected"]
        rows = zip(table["object_id"], table["label"], shapes_of(table), strict=True)
        return [EditableObject(*row) for row in rows]

    before = shown([])
    after = [
        changed(before[0], label="nebula", shape=Box(20.0, 15.0, 30.0, 25.0)),
        EditableObject(None, "galaxy", Box(70.0, 70.0, 90.0, 90.0)),
    ]
    for edit in diff_objects(before, after):
        log.put(edit.action, edit.target or "a1", **edit.after)
    assert shown(log) == [after[0], changed(after[1], object_id="a1")]
