import numpy as np
import pytest

from core.corrections.pieces import cut, merged
from core.shapes import Box, Ellipse, Line, Point, Polygon

SQUARE = Polygon(((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)))


def knife(*ends):
    return Line(tuple((float(x), float(y)) for x, y in ends))


def test_one_shape_stays_what_it_is_and_none_is_a_mistake():
    assert merged([SQUARE]) is SQUARE
    with pytest.raises(ValueError, match="one shape or more"):
        merged([])


def test_points_and_boxes_become_what_is_around_them():
    assert merged([Point(1.0, 1.0), Point(3.0, 5.0)]) == Point(2.0, 3.0)
    assert merged([Box(0, 0, 2, 2), Box(5, 1, 9, 4)]) == Box(0, 0, 9, 4)
    assert merged([Box(0, 0, 2, 2), Point(5.0, 5.0)]) == Box(0, 0, 5, 5)


def test_two_outlines_of_one_crater_become_that_crater():
    crater = Ellipse(50.0, 40.0, 30.0, 0.8, 25.0)
    both = merged([crater, Ellipse(50.0, 40.0, 20.0, 0.8, 25.0)])
    assert crater.distance(both) < 0.05


def test_areas_become_the_hull_of_all():
    both = merged([SQUARE, Box(20.0, 0.0, 30.0, 10.0)])
    assert both.kind == "polygon"
    assert both.area_px == pytest.approx(300.0)
    assert both.box == pytest.approx((0.0, 0.0, 30.0, 10.0))
    mixed = merged([Line(((0.0, 0.0), (4.0, 0.0))), Point(2.0, 0.0)])
    assert mixed.box == pytest.approx((0.0, 0.0, 4.0, 0.0))


@pytest.mark.parametrize("turned", [False, True])
def test_the_parts_of_a_valley_become_one_valley_end_to_end(turned):
    parts = [((0, 0), (10, 0)), ((32, 0), (40, 0)), ((30, 0), (12, 0))]
    lines = [knife(*(part[::-1] if turned else part)) for part in parts]
    whole = merged(lines)
    xs = np.array(whole.points)[:, 0]
    assert sorted(xs) == list(xs) or sorted(xs) == list(xs[::-1])
    assert whole.length_px == pytest.approx(40.0)


def test_a_polygon_is_cut_in_two_along_the_line():
    first, second = cut(SQUARE, knife((3, -5), (3, 15)))
    assert sorted(piece.area_px for piece in (first, second)) == pytest.approx([30.0, 70.0])
    assert {first.kind, second.kind} == {"polygon"}


@pytest.mark.parametrize("angle", [0, 33, 90, 145])
def test_pieces_of_any_cut_are_the_whole(angle):
    turn = np.radians(angle)
    way = 20 * np.array([np.cos(turn), np.sin(turn)])
    pieces = cut(SQUARE, knife(*((np.array([4, 6]) + side * way) for side in (-1, 1))))
    assert sum(piece.area_px for piece in pieces) == pytest.approx(100.0)


def test_boxes_and_ellipses_are_cut_into_their_own_kind():
    left, right = sorted(cut(Box(0, 0, 10, 4), knife((6, -1), (6, 5))), key=lambda piece: piece.x_min)
    assert (left.box, right.box) == (pytest.approx((0, 0, 6, 4)), pytest.approx((6, 0, 10, 4)))
    first, second = cut(Ellipse(0, 0, 20.0, 0.5), knife((0, -20), (0, 20)))
    assert {first.kind, second.kind} == {"ellipse"}
    assert first.area_px == pytest.approx(second.area_px)
    assert abs(first.x) == pytest.approx(4 / (3 * np.pi) * 20 / np.sqrt(2), rel=0.01)
    assert first.x * second.x < 0


def test_a_line_is_cut_where_it_is_crossed():
    first, second = cut(Line(((0, 0), (10, 0), (10, 10))), knife((8, 4), (12, 4)))
    assert (first.length_px, second.length_px) == pytest.approx((14.0, 6.0))
    assert first.points[-1] == second.points[0] == pytest.approx((10.0, 4.0))


@pytest.mark.parametrize(
    ("shape", "ends"),
    [
        (SQUARE, ((20, 0), (20, 9))),
        (SQUARE, ((5, -5), (5, 5))),  # it ends inside
        (SQUARE, ((0.01, -5), (0.01, 15))),  # a sliver
        (Point(0.0, 0.0), ((-1, 0), (1, 0))),
        (Line(((0, 0), (10, 0))), ((5, 1), (5, 4))),
        (Line(((0, 0), (10, 0))), ((-5, 0), (15, 0))),  # along it
        (Line(((0, 0), (10, 0))), ((0.01, -4), (0.01, 4))),
        (SQUARE, ((5, 5), (5, 5))),
    ],
)
def test_a_cut_that_misses_is_none(shape, ends):
    assert cut(shape, knife(*ends)) is None
