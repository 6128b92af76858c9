import numpy as np
import pytest

from core.clusters.outlines import Outline, as_detections, instance_map, outline_of, unique
from core.frames import Frame
from core.models.windows import Grid, Window
from tests.clusters.networks import disc


def whole(width, height, scale=1.0):
    return Window(0, 0, width, height, scale, 0, (False,) * 4)


def round_one(x, y, radius, score=0.9, *, globular=0.0, shape=(200, 300), window=None):
    window = window or whole(shape[1], shape[0])
    inside = disc((window.height, window.width), x - window.x, y - window.y, radius) < 1.0
    return outline_of(Grid(shape[1], shape[0]), window, inside, score=score, globular=globular)


def test_a_grid_covers_large_frames_with_fewer_cells():
    assert Grid(300, 200).shape == (200, 300)
    assert Grid(4096, 2048).shape == (512, 1024)
    assert Grid(4096, 2048).span(Window(2048, 0, 2048, 1024, 1.0, 0, (True,) * 4)) == (
        slice(0, 256),
        slice(512, 1024),
    )


def test_a_mask_lands_where_it_was_seen_whatever_the_scales():
    one = round_one(120, 80, 30)
    assert (one.column + one.inside.shape[1] / 2, one.row + one.inside.shape[0] / 2) == pytest.approx(
        (120, 80), abs=1
    )
    assert one.area == pytest.approx(np.pi * 30**2, rel=0.02)
    # The same cluster of a frame four times as large, seen at half its scale and answered at a quarter.
    window = Window(400, 200, 800, 600, 0.5, 1, (True,) * 4)
    inside = disc((75, 100), 30, 25, 15) < 1.0
    large = outline_of(Grid(2048, 1024), window, inside, score=0.5, globular=1.0)
    middle = np.array([large.column + large.inside.shape[1] / 2, large.row + large.inside.shape[0] / 2]) * 2
    assert middle == pytest.approx([400 + 30 * 8, 200 + 25 * 8], abs=10)
    assert np.sqrt(large.area / np.pi) * 2 == pytest.approx(15 * 8, rel=0.05)
    assert not large.cut


def test_only_edges_within_the_frame_cut():
    left = Window(0, 0, 150, 200, 1.0, 0, (False, False, True, False))
    assert not round_one(10, 100, 30, window=left).cut
    assert round_one(140, 100, 30, window=left).cut
    assert not round_one(100, 10, 30, window=left).cut


def test_nothing_inside_is_no_outline():
    grid = Grid(100, 100)
    assert outline_of(grid, whole(100, 100), np.zeros((100, 100), bool), score=1.0, globular=0.0) is None


def test_one_of_each_stays_and_neighbours_stay_apart():
    left = Window(0, 0, 150, 200, 1.0, 0, (False, False, True, False))
    found = [
        round_one(100, 100, 40, 0.6),
        round_one(103, 99, 42, 0.9),  # the same
        round_one(140, 100, 40, 0.99, window=left),  # cut by the window, though surer
        round_one(190, 100, 40, 0.5),  # a neighbour
        round_one(103, 99, 8, 0.3),  # far smaller: a cluster of its own
    ]
    kept = unique(found)
    assert [one.score for one in kept] == sorted((one.score for one in kept), reverse=True)
    assert found[1] in kept
    assert found[0] not in kept
    assert found[3] in kept
    assert found[4] in kept


def test_the_table_gives_places_sizes_and_kinds():
    frame = Frame.from_array(np.zeros((200, 300)), pixel_scale_arcsec=6.0)
    grid = Grid(300, 200)
    found = as_detections(frame, [round_one(120, 80, 30, globular=0.9), round_one(10, 190, 30)], grid)
    table = found.table
    assert list(table["label"]) == ["globular cluster", "open cluster"]
    assert table.loc[0, ["x", "y"]].tolist() == pytest.approx([120, 80], abs=0.6)
    assert table.loc[0, "radius_px"] == pytest.approx(30, rel=0.02)
    assert table.loc[0, "radius_arcmin"] == pytest.approx(3.0, rel=0.02)
    assert table.loc[0, "ellipticity"] == pytest.approx(0.0, abs=0.02)
    assert found.boxes[0] == pytest.approx([90.5, 50.5, 149.5, 109.5], abs=1.1)
    assert table.loc[1, "x_min"] == -0.5
    assert len(as_detections(frame, [], grid)) == 0


def test_the_map_numbers_the_rows_and_the_surer_one_lies_on_top():
    first, second = round_one(100, 100, 40), round_one(130, 100, 40)
    numbers = instance_map([first, second], Grid(300, 200))
    assert numbers[100, 100] == numbers[100, 115] == 1
    assert numbers[100, 160] == 2
    assert numbers.dtype == np.uint16
    assert (numbers == 1).sum() == first.area
    assert first.shared(Outline(0, 0, np.ones((3, 3), bool), 1.0, 0.0)) == 0


def test_clumps_in_the_outskirts_of_a_globular_cluster_are_its_own_stars():
    shape = (300, 500)
    great = round_one(150, 150, 100, 0.9, globular=0.9, shape=shape)
    clump = round_one(270, 150, 8, 0.6, globular=0.9, shape=shape)
    beyond = round_one(420, 150, 8, 0.6, globular=0.9, shape=shape)
    surer = round_one(150, 270, 8, 0.95, shape=shape)
    neighbour = round_one(290, 150, 35, 0.6, shape=shape)
    assert unique([great, clump, beyond]) == [great, beyond]
    assert unique([great, surer]) == [surer, great]
    assert unique([great, neighbour]) == [great, neighbour]
    loose = round_one(150, 150, 100, 0.9, globular=0.1, shape=shape)
    assert unique([loose, clump]) == [loose, clump]
