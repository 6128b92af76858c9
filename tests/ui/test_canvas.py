"""Shapes on the canvas and back, without a browser; tests/browser draws for real."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from core.corrections import EditableObject, diff_objects
from core.frames import Frame
from core.frames.display import DisplaySettings, render
from core.shapes import Box, Ellipse, Line, Point, Polygon
from core.ui.canvas import (
    DRAWN_FILL,
    KNIFE_STROKE,
    POINT_FILL,
    STYLES,
    Window,
    from_fabric,
    knives,
    to_fabric,
)
from core.ui.corrections import MEANINGS

POINT = EditableObject("p3", "star", Point(20.25, 30.5))
BOX = EditableObject("p4", "galaxy", Box(40.0, 41.0, 44.0, 48.0))
CRATER = EditableObject("p5", "crater", Ellipse(30.0, 50.0, 9.0, 0.4, 25.0))
RIM = EditableObject("p6", "crater", Ellipse(60.0, 50.0, 8.0))
LINE = EditableObject("p7", "valley", Line(((12.0, 22.0), (20.0, 40.0))))
VALLEY = EditableObject("p8", "valley", Line(((12.0, 22.0), (20.0, 40.0), (33.0, 41.5))))
OUTLINE = EditableObject("p9", "cluster", Polygon(((50.0, 60.0), (58.0, 61.0), (60.0, 70.0), (51.0, 66.0))))
EVERY = (POINT, BOX, CRATER, RIM, LINE, VALLEY, OUTLINE)
names = [thing.object_id for thing in EVERY]


def window(row0: str = "bottom", zoom: float = 10.0) -> Window:
    frame = Frame.from_array(np.zeros((100, 80)), row0=row0)
    return Window(render(frame, DisplaySettings.for_frame(frame), region=(10, 20, 74, 84)), zoom)


def sent(*things: EditableObject, view: Window) -> dict:
    """What the canvas is given, as it arrives in the browser."""
    return json.loads(json.dumps(to_fabric(things, ["unreviewed"] * len(things), view)))


def turned(shape: dict, degrees: float, stretch=(1.0, 1.0), *, mirrored: bool = False) -> dict:
    """A shape as Fabric gives it back after it was stretched and then turned about its centre."""
    return {**shape, "angle": shape.get("angle", 0.0) + degrees, "scaleX": stretch[0], "scaleY": stretch[1],
            "flipX": mirrored}  # fmt: skip


@pytest.mark.parametrize("row0", ["bottom", "top"])
@pytest.mark.parametrize("zoom", [10.0, 0.7])
def test_what_is_not_touched_comes_back_the_same(row0: str, zoom: float) -> None:
    view = window(row0, zoom)
    back = from_fabric(sent(*EVERY, view=view), EVERY, "star", view)
    assert [thing.object_id for thing in back] == names
    assert [thing.label for thing in back] == [thing.label for thing in EVERY]
    assert [was.shape.distance(now.shape) for was, now in zip(EVERY, back, strict=True)] == pytest.approx(
        [0.0] * len(EVERY), abs=1e-9
    )
    assert diff_objects(EVERY, back, 1e-6) == []


def test_objects_of_a_large_frame_averaged_down_come_back_the_same() -> None:
    frame = Frame.from_array(np.zeros((900, 1300)), row0="bottom")
    view = Window(render(frame, DisplaySettings.for_frame(frame), max_side=576), 1.0)
    back = from_fabric(sent(*EVERY, view=view), EVERY, "star", view)
    assert diff_objects(EVERY, back, 1e-6) == []


def test_no_drawing_yet_means_nothing_was_touched() -> None:
    assert from_fabric(None, [POINT], "star", window()) == [POINT]
    assert knives(None, window()) == []


@pytest.mark.parametrize("thing", EVERY, ids=names)
@pytest.mark.parametrize(("row0", "direction"), [("bottom", -1), ("top", 1)])
def test_what_is_dragged_moves_as_it_is_shown_and_keeps_its_identity(thing, row0, direction) -> None:
    view = window(row0)
    drawing = sent(thing, view=view)
    drawing["objects"][0]["left"] += 25.0
    drawing["objects"][0]["top"] += 40.0
    (moved,) = from_fabric(drawing, [thing], "star", view)
    assert moved.object_id == thing.object_id
    assert thing.shape.moved(2.5, direction * 4.0).distance(moved.shape) < 1e-9
    (edit,) = diff_objects([thing], [moved])
    assert edit.action == "move"


def test_a_box_resized_by_its_scale_grows() -> None:
    view = window()
    drawing = sent(BOX, view=view)
    drawing["objects"][0]["scaleX"] = 2.0
    drawing["objects"][0]["left"] += 20.0  # its left edge stays
    (grown,) = from_fabric(drawing, [BOX], "star", view)
    assert grown.shape.box == pytest.approx((40.0, 41.0, 48.0, 48.0))


@pytest.mark.parametrize(("row0", "angle"), [("top", 65.0), ("bottom", 165.0)])
def test_an_ellipse_is_turned_as_it_is_shown(row0: str, angle: float) -> None:
    view = window(row0)
    drawing = sent(CRATER, view=view)
    drawing["objects"][0] = turned(drawing["objects"][0], 40.0)
    (crater,) = from_fabric(drawing, [CRATER], "star", view)
    assert (crater.shape.diameter_px, crater.shape.axis_ratio) == pytest.approx((9.0, 0.4))
    assert crater.shape.angle_deg == pytest.approx(angle)


def test_a_circle_is_stretched_to_an_ellipse() -> None:
    view = window("top")
    circle = sent(RIM, view=view)["objects"][0]
    (crater,) = from_fabric({"objects": [turned(circle, 30.0, (2.0, 0.5))]}, [RIM], "star", view)
    assert crater.shape.semi_axes == pytest.approx((8.0, 2.0))
    assert crater.shape.angle_deg == pytest.approx(30.0)
    assert crater.shape.centre == pytest.approx((60.0, 50.0))


@pytest.mark.parametrize("thing", [VALLEY, OUTLINE], ids=["line", "polygon"])
def test_lines_and_polygons_are_turned_stretched_and_mirrored_about_their_middle(thing) -> None:
    view = window("top")
    drawing = sent(thing, view=view)
    drawing["objects"][0] = turned(drawing["objects"][0], 90.0, (3.0, 1.0), mirrored=True)
    (new,) = from_fabric(drawing, [thing], "star", view)
    low, high = thing.shape.outline.min(axis=0), thing.shape.outline.max(axis=0)
    about = thing.shape.outline - (low + high) / 2
    wanted = np.column_stack([-about[:, 1], -3.0 * about[:, 0]]) + (low + high) / 2
    np.testing.assert_allclose(new.shape.outline, wanted, atol=1e-9)


def test_skew_of_a_group_that_was_turned_and_stretched_is_followed() -> None:
    view = window("top", zoom=1.0)
    square = EditableObject(
        "p0", "cluster", Polygon(((20.0, 30.0), (30.0, 30.0), (30.0, 40.0), (20.0, 40.0)))
    )
    shape = sent(square, view=view)["objects"][0] | {"skewX": 45.0}
    (skewed,) = from_fabric({"objects": [shape]}, [square], "star", view)
    np.testing.assert_allclose(skewed.shape.points, [(15, 30), (25, 30), (35, 40), (25, 40)], atol=1e-9)


def test_a_deleted_shape_is_missing_and_the_rest_keep_their_identity() -> None:
    view = window()
    drawing = sent(*EVERY, view=view)
    del drawing["objects"][2]
    assert [thing.object_id for thing in from_fabric(drawing, EVERY, "star", view)] == names[:2] + names[3:]


def test_identities_reach_far() -> None:
    view = window()
    many = [EditableObject(f"p{k}", "star", Point(20.0, 30.0)) for k in range(300)]
    assert [thing.object_id for thing in from_fabric(sent(*many, view=view), many, "star", view)] == [
        thing.object_id for thing in many
    ]


# What the canvas sends of shapes that were drawn: left and top are those of an edge, stroke included.
DRAWN = {"originX": "left", "originY": "top", "scaleX": 1, "scaleY": 1, "angle": 0, "strokeWidth": 2,
         "strokeUniform": False, "stroke": "#FFFFFF", "fill": DRAWN_FILL}  # fmt: skip
A_POINT = {**DRAWN, "type": "Circle", "left": 147, "top": 306, "radius": 8, "width": 16, "height": 16,
           "originY": "center", "fill": POINT_FILL}  # fmt: skip
A_BOX = {**DRAWN, "type": "Rect", "left": 99, "top": 199, "width": 80, "height": 40, "strokeUniform": True}
A_CIRCLE = {**DRAWN, "type": "Circle", "left": 100, "top": 200, "radius": 49, "width": 98, "height": 98,
            "originY": "center", "angle": 90}  # fmt: skip
A_LINE = {**DRAWN, "type": "Line", "left": 150, "top": 220, "width": 100, "height": 40, "originX": "center",
          "originY": "center", "x1": -50, "y1": 20, "x2": 50, "y2": -20, "fill": "#FFFFFF"}  # fmt: skip
A_POLYGON = {**DRAWN, "type": "Polygon", "left": 140, "top": 250, "width": 80, "height": 100,
             "originX": "center", "originY": "center",
             "points": [{"x": 100, "y": 200}, {"x": 180, "y": 200}, {"x": 180, "y": 300}]}  # fmt: skip


@pytest.mark.parametrize(
    ("drawn", "shape"),
    [
        (A_POINT, Point(156 / 8, 306 / 8)),
        (A_BOX, Box(100 / 8, 200 / 8, 180 / 8, 240 / 8)),
        (A_CIRCLE, Ellipse(100 / 8, 250 / 8, 98 / 8)),
        (A_LINE, Line(((100 / 8, 240 / 8), (200 / 8, 200 / 8)))),
        (A_POLYGON, Polygon(((100 / 8, 200 / 8), (180 / 8, 200 / 8), (180 / 8, 300 / 8)))),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_what_a_person_drew_has_no_identity(drawn, shape) -> None:
    view = window("top", zoom=8.0)
    (added,) = from_fabric({"objects": [drawn]}, EVERY, "comet", view)
    assert (added.object_id, added.label) == (None, "comet")
    assert shape.moved(10 - 0.5, 20 - 0.5).distance(added.shape) < 1e-9


def test_a_line_by_hand_becomes_few_points_along_it() -> None:
    view = window("top", zoom=8.0)
    along = np.linspace(0.0, np.pi / 2, 60)
    xy = np.column_stack([100 + 200 * np.sin(along), 400 - 200 * np.cos(along)])
    middle = (xy[1:] + xy[:-1]) / 2
    path = [
        ["M", *xy[0]],
        *(["Q", *a, *b] for a, b in zip(xy[1:-1], middle[1:], strict=True)),
        ["L", *xy[-1]],
    ]
    hand = {**DRAWN, "type": "Path", "fill": None, "path": path, "left": 100, "top": 200, "width": 200,
            "height": 200, "originX": "left", "strokeWidth": 0}  # fmt: skip
    (added,) = from_fabric({"objects": [hand]}, [], "valley", view)
    assert isinstance(added.shape, Line)
    assert 4 <= len(added.shape.points) <= 12
    from_centre = (added.shape.outline - (9.5, 19.5)) * 8 - (100, 400)
    assert np.hypot(*from_centre.T) == pytest.approx(200.0, abs=1.5)
    dragged = {**hand, "left": 180, "top": 200}
    (moved,) = from_fabric({"objects": [dragged]}, [], "valley", view)
    assert added.shape.moved(10.0, 0.0).distance(moved.shape) < 1e-9


def test_a_rotated_box_becomes_the_upright_box_around_it() -> None:
    view = window("top")
    drawing = sent(BOX, view=view)
    drawing["objects"][0] = turned(drawing["objects"][0], 90.0)
    (new,) = from_fabric(drawing, [BOX], "star", view)
    assert new.shape.box == pytest.approx((38.5, 42.5, 45.5, 46.5))


def test_a_box_whose_corner_was_dragged_is_a_polygon_where_there_are_polygons() -> None:
    view = window("top", zoom=1.0)
    corners = [{"x": -2, "y": -3.5}, {"x": 2, "y": -3.5}, {"x": 6, "y": 8.5}, {"x": -2, "y": 3.5}]
    shape = {**A_POLYGON, "fill": sent(BOX, view=view)["objects"][0]["fill"], "points": corners,
             "left": 34.5, "top": 27.5, "width": 8, "height": 12}  # fmt: skip
    (free,) = from_fabric({"objects": [shape]}, [BOX], "star", view)
    assert (free.object_id, free.shape.kind) == ("p4", "polygon")
    np.testing.assert_allclose(free.shape.points, [(40, 41), (44, 41), (48, 53), (40, 48)])
    (upright,) = from_fabric({"objects": [shape]}, [BOX], "star", view, ("point", "box"))
    assert (upright.object_id, upright.shape) == ("p4", Box(40.0, 41.0, 48.0, 53.0))


@pytest.mark.parametrize(
    "shape",
    [
        {**A_BOX, "type": "IText"},
        {**A_BOX, "width": 4, "height": 4},
        {**A_CIRCLE, "radius": 2, "width": 4, "height": 4},
        {**A_LINE, "x1": 0, "x2": 0, "y1": 1, "y2": -1},
        {**A_POLYGON, "points": A_POLYGON["points"][:2]},
        {**A_LINE, "type": "Path", "path": [["M", 5, 5], ["L", 5.001, 5]]},
        {**A_LINE, "type": "Path", "path": []},
    ],
    ids=[
        "text",
        "a click with the box tool",
        "with the circle",
        "with the line",
        "two corners",
        "a dot",
        "no way",
    ],
)
def test_what_has_no_extent_is_left_out(shape: dict[str, object]) -> None:
    assert from_fabric({"objects": [shape]}, [], "star", window()) == []


def test_what_was_sent_is_never_left_out_however_small_it_is_shown() -> None:
    view = window(zoom=0.05)
    assert len(from_fabric(sent(*EVERY, view=view), EVERY, "star", view)) == len(EVERY)


def test_a_knife_is_no_object() -> None:
    view = window("top", zoom=8.0)
    drawing = {"objects": [{**copy.deepcopy(A_LINE), "stroke": KNIFE_STROKE}, A_LINE]}
    assert len(from_fabric(drawing, [], "valley", view)) == 1
    (knife,) = knives(drawing, view)
    np.testing.assert_allclose(knife.points, [(22.0, 49.5), (34.5, 44.5)])


def test_states_are_told_apart_without_colour():
    dashes = {str(style["strokeDashArray"]) for style in STYLES.values()}
    assert len(dashes) == len(STYLES)
    assert set(MEANINGS) == set(STYLES)
