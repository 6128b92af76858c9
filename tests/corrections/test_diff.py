import dataclasses

import pytest

from core.corrections import EditableObject, diff_objects, fold
from core.errors import ParameterInvalid

STAR = EditableObject("p0", "star", 10.0, 10.0)
GALAXY = EditableObject("p1", "galaxy", 20.0, 20.0, (15.0, 15.0, 25.0, 25.0))
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
            changed(STAR, x=13.0),
            [("move", "p0", {"x": 10.0, "y": 10.0}, {"x": 13.0, "y": 10.0})],
        ),
        (
            STAR,
            changed(STAR, label="galaxy"),
            [("relabel", "p0", {"label": "star"}, {"label": "galaxy"})],
        ),
        (
            STAR,
            changed(STAR, label="galaxy", y=5.0),
            [
                ("move", "p0", {"x": 10.0, "y": 10.0}, {"x": 10.0, "y": 5.0}),
                ("relabel", "p0", {"label": "star"}, {"label": "galaxy"}),
            ],
        ),
        (
            GALAXY,
            changed(GALAXY, x=22.0, box=(17.0, 15.0, 27.0, 25.0)),
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
            changed(GALAXY, y=22.0, box=(15.0, 15.0, 25.0, 29.0)),
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
            changed(STAR, box=(9.0, 9.0, 11.0, 11.0)),
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
    other = EditableObject("p9", "star", 90.0, 90.0)
    edits = diff_objects(
        [each for each in (before, other) if each], [each for each in (other, after) if each]
    )
    assert told(edits) == expected


@pytest.mark.parametrize(
    ("shift", "tolerance", "n"), [(0.5, 0.5, 0), (0.51, 0.5, 1), (2.0, 3.0, 0), (3.1, 3.0, 1)]
)
def test_what_the_canvas_rounds_is_no_edit(shift, tolerance, n):
    left, top, right, bottom = GALAXY.box
    moved = changed(GALAXY, x=20.0 + shift, box=(left + shift, top, right + shift, bottom))
    grown = changed(GALAXY, x=20.0 + shift / 2, box=(left, top, right + shift, bottom))
    for after in (changed(STAR, object_id="p1", label="galaxy", x=20.0 + shift, y=20.0), moved, grown):
        before = GALAXY if after.box else changed(after, x=20.0)
        assert len(diff_objects([before], [after], tolerance)) == n


def test_a_copy_with_the_same_id_is_a_new_object():
    copy = changed(STAR, x=40.0)
    assert told(diff_objects([STAR], [STAR, copy])) == [
        ("add", "", {}, {"label": "star", "x": 40.0, "y": 10.0})
    ]


def test_edits_come_in_the_order_of_the_objects_and_new_ones_last():
    new = EditableObject(None, "star", 1.0, 1.0)
    edits = diff_objects([STAR, GALAXY], [new, changed(STAR, x=50.0)])
    assert [(edit.action, edit.target) for edit in edits] == [("move", "p0"), ("reject", "p1"), ("add", "")]


def test_an_id_that_was_not_given_is_refused():
    with pytest.raises(ParameterInvalid, match="'p7' that it was not given"):
        diff_objects([STAR], [changed(STAR, object_id="p7")])


def test_an_object_without_an_id_cannot_be_given():
    with pytest.raises(ParameterInvalid, match="needs an id"):
        diff_objects([changed(STAR, object_id=None)], [])


@pytest.mark.parametrize("bad", [{"x": float("nan")}, {"y": float("inf")}, {"box": (0, 0, float("nan"), 1)}])
def test_an_object_without_a_place_is_refused(bad):
    with pytest.raises(ParameterInvalid, match="needs finite coordinates"):
        changed(GALAXY, **bad)


def test_doing_the_edits_to_what_was_gives_what_is(galaxies, log):
    def shown(catalogue):
        table = fold(galaxies, catalogue).table
        table = table[table["state"] != "rejected"]
        return [
            EditableObject(
                each.object_id, each.label, each.x, each.y, (each.x_min, each.y_min, each.x_max, each.y_max)
            )
            for each in table.itertuples()
        ]

    before = shown([])
    after = [
        changed(before[0], label="nebula", x=25.0, box=(20.0, 15.0, 30.0, 25.0)),
        EditableObject(None, "galaxy", 80.0, 80.0, (70.0, 70.0, 90.0, 90.0)),
    ]
    for edit in diff_objects(before, after):
        log.put(edit.action, edit.target or "a1", **edit.after)
    assert shown(log) == [after[0], changed(after[1], object_id="a1")]
