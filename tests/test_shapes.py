import itertools

import numpy as np
import pandas as pd
import pytest

from core.shapes import (
    BOX_COLUMNS,
    KINDS,
    MOST_POINTS,
    Affine,
    Box,
    Ellipse,
    Line,
    Point,
    Polygon,
    Shape,
    check_shapes,
    is_path,
    outlines_of,
    path_points,
    shape_of,
    shapes_of,
)

SHAPES: list[Shape] = [
    Point(3.25, 4.5),
    Box(1.0, 2.0, 5.0, 9.0),
    Ellipse(20.0, 30.0, 12.0, 0.5, 30.0),
    Line(((1.0, 1.0), (4.0, 5.0), (4.0, 10.0))),
    Polygon(((0.0, 0.0), (6.0, 0.0), (6.0, 3.0))),
]
TOO_LONG = "0,0" + " 1,1" * MOST_POINTS
KIND = [shape.kind for shape in SHAPES]


def affine(turn_deg=0.0, scale=(1.0, 1.0), shift=(0.0, 0.0)):
    turn = np.radians(turn_deg)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * scale
    return Affine(matrix, np.array(shift, float))


def test_there_is_a_shape_of_every_kind():
    assert tuple(KIND) == KINDS


@pytest.mark.parametrize("shape", SHAPES, ids=KIND)
def test_a_shape_comes_back_from_its_values_and_from_its_columns(shape):
    assert shape_of(shape.entry) == shape
    x, y = shape.centre
    everything = {"label": "thing", "score": 1.0, "x": x, "y": y, **shape.columns}
    (back,) = shapes_of(pd.DataFrame([everything]))
    assert back == shape


@pytest.mark.parametrize("shape", SHAPES[1:], ids=KIND[1:])
def test_the_box_holds_the_outline_and_touches_it(shape):
    edges = [*shape.outline.min(axis=0), *shape.outline.max(axis=0)]
    assert shape.box == pytest.approx(edges, abs=0.05)
    assert [shape.entry[column] for column in BOX_COLUMNS] == pytest.approx(list(shape.box))


def test_a_point_has_no_box():
    assert SHAPES[0].box is None
    assert SHAPES[0].entry == {"x": 3.25, "y": 4.5}


@pytest.mark.parametrize("shape", SHAPES, ids=KIND)
def test_a_moved_shape_is_the_same_elsewhere(shape):
    moved = shape.moved(3.0, -2.0)
    assert moved.centre == pytest.approx((shape.centre[0] + 3.0, shape.centre[1] - 2.0))
    assert shape.distance(moved) == pytest.approx(3.0)
    assert moved.area_px == pytest.approx(shape.area_px)


@pytest.mark.parametrize("shape", SHAPES, ids=KIND)
@pytest.mark.parametrize("way", [affine(0, (7.0, -7.0), (3.0, 900.0)), affine(0, (0.3, 0.3))])
def test_there_and_back_again_is_where_one_was(shape, way):
    back = shape.mapped(way).mapped(way.inverse)
    assert shape.distance(back) < 1e-9
    assert back.entry.get("path") == shape.entry.get("path")
    assert back.entry.get("angle_deg") == pytest.approx(shape.entry.get("angle_deg"))


def test_a_turned_box_is_the_upright_box_around_it():
    assert Box(-1.0, -1.0, 1.0, 1.0).mapped(affine(45.0)).box == pytest.approx(
        (-np.sqrt(2), -np.sqrt(2), np.sqrt(2), np.sqrt(2))
    )


def test_kinds_are_infinitely_far_apart():
    assert all(np.isinf(one.distance(other)) for one, other in itertools.permutations(SHAPES, 2))
    assert np.isinf(SHAPES[3].distance(Line(((1.0, 1.0), (4.0, 5.0)))))


@pytest.mark.parametrize(("turn", "angle"), [(0, 20.0), (50, 70.0), (165, 5.0), (-30, 170.0)])
def test_an_ellipse_turns(turn, angle):
    turned = Ellipse(10.0, 0.0, 8.0, 0.25, 20.0).mapped(affine(turn))
    assert (turned.diameter_px, turned.axis_ratio, turned.angle_deg) == pytest.approx((8.0, 0.25, angle))
    assert 0.0 <= turned.angle_deg < 180.0


def test_a_mirrored_ellipse_has_the_mirrored_angle():
    turned = Ellipse(0.0, 0.0, 8.0, 0.25, 20.0).mapped(affine(0, (1.0, -1.0)))
    assert turned.angle_deg == pytest.approx(160.0)


def test_a_circle_has_no_angle_to_differ_in():
    assert Ellipse(0, 0, 10.0, 1.0, 0.0).distance(Ellipse(0, 0, 10.0, 1.0, 77.0)) < 1e-9
    assert Ellipse(0, 0, 10.0, 0.8, 0.0).distance(Ellipse(0, 0, 10.0, 0.8, 90.0)) > 1.0
    assert Ellipse(0, 0, 10.0).distance(Ellipse(0, 0, 12.0)) == pytest.approx(1.0)


def test_sizes_of_an_ellipse():
    ellipse = Ellipse(5.0, 6.0, 12.0, 0.25, 90.0)
    assert ellipse.semi_axes == pytest.approx((12.0, 3.0))
    assert ellipse.box == pytest.approx((2.0, -6.0, 8.0, 18.0))
    assert ellipse.area_px == pytest.approx(np.pi * 36.0)
    again = Ellipse.like(ellipse.outline)
    assert again.diameter_px == pytest.approx(12.0, rel=2e-3)
    assert (again.axis_ratio, again.angle_deg) == pytest.approx((0.25, 90.0), rel=1e-3)


def test_a_line_has_length_direction_and_a_middle_along_it():
    line = Line(((0.0, 0.0), (10.0, 0.0), (10.0, 4.0)))
    assert line.length_px == 14.0
    assert line.centre == (7.0, 0.0)
    assert Line(((0.0, 0.0), (3.0, 3.0))).angle_deg == pytest.approx(45.0)
    assert Line(((3.0, 3.0), (0.0, 0.0))).angle_deg == pytest.approx(45.0)
    # Two legs 10° and 170° along: their mean is 0°, not 90°.
    two = [(0.0, 0.0), (np.cos(np.radians(10)), np.sin(np.radians(10)))]
    two.append((two[1][0] + np.cos(np.radians(170)), two[1][1] + np.sin(np.radians(170))))
    assert Line(tuple(two)).angle_deg % 180.0 == pytest.approx(0.0, abs=1e-6)
    assert line.columns["length_px"] == 14.0
    assert "length_px" not in line.entry


def test_a_ribbon_is_a_line_with_a_width():
    line = Line(((0.0, 0.0), (10.0, 0.0), (20.0, 0.0)))
    assert line.ribbon(3.0).area_px == pytest.approx(60.0)
    assert line.ribbon(3.0).box == pytest.approx((0.0, -1.5, 20.0, 1.5))


def test_a_polygon_has_its_middle_and_area():
    l_shape = Polygon(((0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)))
    assert l_shape.area_px == pytest.approx(7.0)
    assert l_shape.centre == pytest.approx((9.5 / 7, 9.5 / 7))
    flat = Polygon(((0.0, 0.0), (4.0, 0.0), (2.0, 0.0)))
    assert (flat.area_px, flat.centre) == (0.0, (2.0, 0.0))


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"x": 1.0, "y": 2.0, "x_min": np.nan, "path": None}, Point(1.0, 2.0)),
        (dict(zip(BOX_COLUMNS, (0.0, 0.0, 4.0, 2.0), strict=True)), Box(0.0, 0.0, 4.0, 2.0)),
        ({"x": 1.0, "y": 2.0, "diameter_px": 4.0, "axis_ratio": np.nan}, Point(1.0, 2.0)),
        ({"x": 1, "y": 2, "diameter_px": 4, "axis_ratio": 1, "angle_deg": None}, Ellipse(1.0, 2.0, 4.0)),
        ({"x": 1.0, "y": 2.0, "path": np.nan, "diameter_px": pd.NA}, Point(1.0, 2.0)),
        ({"x": 0.0, "y": 0.0, "path": "0,0 4,0", "angle_deg": 0.0}, Line(((0.0, 0.0), (4.0, 0.0)))),
        ({"x": 0.0, "y": 0.0, "path": "0,0 4,0 4,4 0,0"}, Polygon(((0, 0), (4, 0), (4, 4)))),
    ],
)
def test_the_columns_that_are_filled_in_tell_the_shape(row, shape):
    assert shape_of(row) == shape


@pytest.mark.parametrize(
    "path",
    ["", "1,2", "1,2 ", "1;2 3;4", "1,2 3,nan", "1,2 3,1e9", "1,2  3,4", "1,2 x,y", "1,2\n3,4", 7, TOO_LONG],
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="a path is 2 to"):
        path_points(path)


@pytest.mark.parametrize("ellipse", [(0.0, 1.0), (-3.0, 0.5), (3.0, 0.0), (3.0, 1.5)])
def test_an_ellipse_without_a_size_is_refused(ellipse):
    with pytest.raises(ValueError, match="needs a size and an axis ratio"):
        shape_of({"x": 1.0, "y": 1.0, "diameter_px": ellipse[0], "axis_ratio": ellipse[1]})
    rows = pd.DataFrame({"diameter_px": [np.nan, ellipse[0]], "axis_ratio": [0.5, ellipse[1]]})
    with pytest.raises(ValueError, match="needs a size and an axis ratio"):
        check_shapes(rows)


def test_shapes_that_can_be_are_left_in_peace():
    check_shapes(pd.DataFrame({"path": [None, "0,0 1,1", np.nan], "axis_ratio": [7.0, 8.0, 9.0]}))
    check_shapes(pd.DataFrame({"diameter_px": [4.0, np.nan], "axis_ratio": [1.0, np.nan]}))
    with pytest.raises(ValueError, match="a path is"):
        check_shapes(pd.DataFrame({"path": [None, "0,0"]}))


def test_a_path_is_no_formula():
    assert is_path("-0.50,3.00 4.00,5.00")
    assert not is_path("-2+3,1 2,2")


def test_outlines_are_of_what_is_neither_point_nor_box():
    table = pd.DataFrame([{"x": s.centre[0], "y": s.centre[1], **s.columns} for s in SHAPES])
    outlines = outlines_of(table)
    assert [each is None for each in outlines] == [True, True, False, False, False]
    np.testing.assert_allclose(outlines[4], [[0, 0], [6, 0], [6, 3], [0, 0]])
    assert outlines_of(table[["x", "y", *BOX_COLUMNS]]) == [None] * 5
    assert outlines_of(table.iloc[:0]) == []


def test_a_squeezed_circle_has_its_axes_and_angle():
    turn = 2.0 * np.radians(30.0)
    one = Ellipse.squeezed(4.0, 5.0, 20.0, 0.2 * np.cos(turn), 0.2 * np.sin(turn))
    assert (one.x, one.y, one.diameter_px) == (4.0, 5.0, 20.0)
    assert (one.axis_ratio, one.angle_deg) == pytest.approx((2.0 / 3.0, 30.0))
    assert Ellipse.squeezed(0.0, 0.0, 1.0, 3.0, 0.0, 0.6).axis_ratio == pytest.approx(0.25)
