import numpy as np
import pytest

from core.shapes import points_of
from core.surfaces.kinds import RIDGE
from core.surfaces.lines import (
    as_detections,
    azimuth_deg,
    lines_of,
    mean_direction,
    rose,
    steps_of,
)
from tests.surfaces.grounds import groove


def a_mask(*paths, shape=(200, 240), width=5.0):
    away = np.zeros(shape)
    for path in paths:
        away = np.minimum(away, groove(np.zeros(shape), path, width, 1.0))
    return away < -np.exp(-1.0)


@pytest.mark.parametrize("angle_deg", [0, 12, 30, 45, 63, 90, 117, 150, 171])
def test_length_width_and_direction_of_a_straight_line_come_back(angle_deg):
    turn = np.radians(angle_deg)
    middle, half = np.array([120, 100]), 70 * np.array([np.cos(turn), np.sin(turn)])
    (line,) = lines_of(a_mask([middle - half, middle + half]), RIDGE)
    assert line.line.length_px == pytest.approx(140, rel=0.05)
    assert line.width_px == pytest.approx(5.0, abs=1.0)
    assert (line.line.angle_deg - angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=2.0)
    assert line.line.centre == pytest.approx((120, 100), abs=3.0)
    assert line.box[0] < line.line.box[0]


def test_length_follows_the_bends():
    around = np.linspace(0, np.pi, 40)
    path = np.column_stack([120 + 70 * np.cos(around), 40 + 70 * np.sin(around)])
    (line,) = lines_of(a_mask(path), RIDGE)
    assert line.line.length_px == pytest.approx(70 * np.pi, rel=0.05)


def test_short_branches_are_pruned_and_long_ones_are_lines():
    river, stub, branch = [(20, 100), (220, 100)], [(60, 100), (60, 90)], [(140, 100), (140, 40)]
    lines = lines_of(a_mask(river, stub, branch), RIDGE, least_length_px=30)
    assert [line.line.length_px for line in lines] == pytest.approx([200, 58], rel=0.06)


def test_a_ring_is_one_line_about_as_long_as_half_of_it_or_more():
    around = np.linspace(0, 2 * np.pi, 60)
    ring = np.column_stack([120 + 60 * np.cos(around), 100 + 60 * np.sin(around)])
    assert sum(line.line.length_px for line in lines_of(a_mask(ring), RIDGE)) > 60 * np.pi


@pytest.mark.parametrize("mask", [np.zeros((20, 20), bool), np.eye(3, dtype=bool), np.ones((40, 40), bool)])
def test_what_is_not_long_is_no_line(mask):
    assert lines_of(mask, RIDGE) == []


def test_one_pixel_is_no_line():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert lines_of(mask, RIDGE, least_length_px=0.5) == []


def test_coarse_masks_give_pixels_of_the_frame():
    mask = a_mask([(50, 100), (190, 100)])
    strength = np.full(mask.shape, 0.7, np.float32)
    (fine,), (coarse,) = lines_of(mask, RIDGE), lines_of(mask, RIDGE, 4.0, 80.0, strength)
    assert coarse.line.length_px == pytest.approx(4 * fine.line.length_px)
    assert coarse.line.centre == pytest.approx(tuple(4 * place + 1.5 for place in fine.line.centre))
    assert coarse.width_px == pytest.approx(4 * fine.width_px)
    assert (fine.score, coarse.score) == pytest.approx((1.0, 0.7))


def test_lines_become_a_table_and_come_back_from_it():
    lines = lines_of(a_mask([(20, 40), (220, 60)], [(20, 150), (120, 150)]), RIDGE)
    table = as_detections(lines).table
    assert list(table["label"]) == [RIDGE, RIDGE]
    assert (table["x_min"] < table["x"]).all()
    for row, one in zip(table.itertuples(), lines, strict=True):
        np.testing.assert_allclose(points_of(row.path), one.line.outline, atol=0.01)
        assert (row.x, row.y) == pytest.approx(one.line.centre)
        assert row.length_px == pytest.approx(one.line.length_px)
        assert row.width_px == one.width_px
    assert len(as_detections([])) == 0


@pytest.mark.parametrize("text", ["", None, "1,2 3", "a,b", "1,nan", "1,inf", "<svg>", "1e999,2"])
def test_text_that_is_no_path_has_no_points(text):
    assert points_of(text).shape == (0, 2)


def test_directions_just_left_and_right_of_zero_have_their_mean_there():
    mean, agreement = mean_direction([178.0, 2.0], [1.0, 1.0])
    assert min(mean, 180 - mean) == pytest.approx(0, abs=1e-9)
    assert agreement == pytest.approx(np.cos(np.radians(4)))
    assert mean_direction([0.0, 90.0], [1.0, 1.0])[1] == pytest.approx(0, abs=1e-12)
    assert mean_direction([], []) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("angle", "row0", "azimuth"), [(0, "top", 90), (90, "top", 0), (45, "top", 135), (45, "bottom", 45)]
)
def test_azimuths_are_counted_from_up_through_right(angle, row0, azimuth):
    assert azimuth_deg([angle], row0)[0] == pytest.approx(azimuth)


def test_a_rose_shows_the_direction_that_was_put_in():
    rng = np.random.default_rng(1)
    paths = []
    for angle in np.radians(rng.normal(37.0, 8.0, 300)):
        # As a map says it: from north through east, with rows growing downward.
        step = rng.exponential(40) * np.array([np.sin(angle), -np.cos(angle)])
        paths.append(np.array([[0.0, 0.0], step, 2 * step]))
    found = rose(steps_of(0.5 * path, "top") for path in paths)
    assert found.mean_deg == pytest.approx(37.0, abs=2.0)
    assert found.agreement == pytest.approx(np.exp(-2 * np.radians(8.0) ** 2), abs=0.03)
    assert found.edges_deg[np.argmax(found.lengths)] == 30
    assert found.lengths.sum() == pytest.approx(0.5 * sum(np.hypot(*(path[-1] - path[0])) for path in paths))
    assert found.parts.sum() == pytest.approx(1.0)
    assert found.n == 300


def test_a_rose_of_even_directions_has_no_preference():
    turns = np.radians(np.arange(0, 180, 1.0))
    found = rose(steps_of(np.array([[0, 0], [np.cos(turn), np.sin(turn)]]), "top") for turn in turns)
    assert found.agreement < 0.01
    np.testing.assert_allclose(found.parts, 1 / 18, rtol=0.11)


def test_a_rose_of_nothing_is_empty():
    found = rose([])
    assert found.n == 0
    assert found.parts.sum() == 0
