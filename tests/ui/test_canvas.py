"""Shapes on the canvas and back, without a browser; tests/browser draws for real."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from core.corrections import EditableObject
from core.frames import Frame
from core.frames.display import DisplaySettings, render
from core.ui.canvas import IDENTITY, Window, from_fabric, to_fabric

POINT = EditableObject("p3", "star", 20.25, 30.5, None)
BOX = EditableObject("p4", "galaxy", 42.0, 44.5, (40.0, 41.0, 44.0, 48.0))


def window(row0: str = "bottom", zoom: float = 10.0) -> Window:
    frame = Frame.from_array(np.zeros((100, 80)), row0=row0)
    return Window(render(frame, DisplaySettings.for_frame(frame), region=(10, 20, 74, 84)), zoom)


@pytest.mark.parametrize("row0", ["bottom", "top"])
def test_what_is_not_touched_comes_back_the_same(row0: str) -> None:
    view = window(row0)
    sent = [POINT, BOX]
    back = from_fabric(to_fabric(sent, ["unreviewed", "accepted"], view), sent, "star", view)
    assert [thing.object_id for thing in back] == ["p3", "p4"]
    for was, now in zip(sent, back, strict=True):
        assert now.label == was.label
        assert (now.x, now.y) == pytest.approx((was.x, was.y), abs=1e-9)
    assert back[0].box is None
    assert back[1].box == pytest.approx(BOX.box, abs=1e-9)


def test_no_drawing_yet_means_nothing_was_touched() -> None:
    assert from_fabric(None, [POINT], "star", window()) == [POINT]


def test_a_circle_dragged_right_moves_right_and_keeps_its_identity() -> None:
    view = window()
    drawing = to_fabric([POINT], ["unreviewed"], view)
    drawing["objects"][0]["left"] += 25.0
    (moved,) = from_fabric(drawing, [POINT], "star", view)
    assert moved.object_id == "p3"
    assert (moved.x, moved.y) == pytest.approx((POINT.x + 2.5, POINT.y))


@pytest.mark.parametrize(("row0", "direction"), [("bottom", -1), ("top", 1)])
def test_down_on_the_screen_is_down_on_the_frame_as_it_is_shown(row0: str, direction: int) -> None:
    view = window(row0)
    drawing = to_fabric([POINT], ["unreviewed"], view)
    drawing["objects"][0]["top"] += 25.0
    (moved,) = from_fabric(drawing, [POINT], "star", view)
    assert moved.y == pytest.approx(POINT.y + direction * 2.5)


def test_a_box_resized_by_its_scale_grows() -> None:
    view = window()
    drawing = to_fabric([BOX], ["unreviewed"], view)
    drawing["objects"][0]["scaleX"] = 2.0
    (grown,) = from_fabric(drawing, [BOX], "star", view)
    assert grown.box == pytest.approx((40.0, 41.0, 48.0, 48.0))


def test_a_deleted_shape_is_missing_and_the_rest_keep_their_identity() -> None:
    view = window()
    drawing = to_fabric([POINT, BOX], ["unreviewed"] * 2, view)
    del drawing["objects"][0]
    assert [thing.object_id for thing in from_fabric(drawing, [POINT, BOX], "star", view)] == ["p4"]


def test_a_drawn_point_as_the_canvas_sends_it_has_no_identity() -> None:
    # left and top of a point as the canvas component sends it: left edge, vertical centre
    drawn = {
        "type": "Circle", "left": 147, "top": 306, "radius": 8, "width": 16, "height": 16,
        "originX": "left", "originY": "center", "scaleX": 1, "scaleY": 1, "angle": 0,
        "strokeWidth": 2, "strokeUniform": False, "strokeMiterLimit": 4,
    }  # fmt: skip
    view = window("top", zoom=8.0)
    (added,) = from_fabric({"objects": [drawn]}, [], "comet", view)
    assert added.object_id is None
    assert added.label == "comet"
    assert (added.x, added.y) == pytest.approx((10 + 156 / 8 - 0.5, 20 + 306 / 8 - 0.5))


def test_a_rotated_box_becomes_the_upright_box_around_it() -> None:
    view = window("top")
    drawing = to_fabric([BOX], ["unreviewed"], view)
    shape = copy.deepcopy(drawing["objects"][0])
    shape.update(angle=90.0, left=shape["left"] + shape["height"] + 2.0)
    (turned,) = from_fabric({"objects": [shape]}, [BOX], "star", view)
    assert turned.box == pytest.approx((40.0, 41.0, 47.0, 45.0))


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "Path", "left": 0, "top": 0, "width": 9, "height": 9},
        {"type": "Rect", "left": 50, "top": 50, "width": 0, "height": 0, "strokeWidth": 2},
    ],
    ids=["a free line", "a click with the box tool"],
)
def test_what_is_neither_point_nor_box_is_left_out(shape: dict[str, object]) -> None:
    assert from_fabric({"objects": [shape]}, [], "star", window()) == []


def test_identities_are_out_of_reach_of_a_shape_that_was_drawn() -> None:
    assert IDENTITY > 4.0 + 100
