import numpy as np
import pytest

from core.models.windows import FINEST_SIDE_PX, scales, windows

SHAPES = [(640, 640), (608, 400), (1024, 1024), (1200, 700), (3584, 3584), (20_000, 300), (100, 9000)]


@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_every_scale_covers_the_frame(width, height):
    found = windows(width, height, 640, 0.25)
    for level, scale in enumerate(scales(width, height, 640)):
        columns, rows = np.zeros(width, bool), np.zeros(height, bool)
        for window in (window for window in found if window.level == level):
            columns[window.x : window.x + window.width] = True
            rows[window.y : window.y + window.height] = True
            assert window.scale == scale
            assert max(window.width, window.height) * scale <= 641
        assert columns.all()
        assert rows.all()


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_windows_overlap_as_asked(overlap):
    starts = sorted({window.x for window in windows(3000, 640, 640, overlap) if window.level == 0})
    assert starts[0] == 0
    assert starts[-1] == 3000 - 640
    assert (np.diff(starts) <= 640 * (1.0 - overlap) + 1).all()


def test_only_edges_within_the_frame_cut():
    by_corner = {(w.x, w.y): w for w in windows(1200, 1200, 640, 0.0) if w.level == 0}
    assert by_corner[0, 0].inner == (False, False, True, True)
    assert by_corner[560, 560].inner == (True, True, False, False)
    assert windows(300, 200, 640, 0.25)[0].inner == (False,) * 4


def test_small_frames_are_one_window_as_they_are():
    assert [(w.width, w.height, w.scale) for w in windows(608, 608, 640, 0.25)] == [(608, 608, 1.0)]


def test_a_frame_a_little_too_large_is_shrunk():
    (window,) = windows(800, 600, 640, 0.25)
    assert window.scale == 0.8


def test_the_last_copy_of_a_large_frame_shows_all_of_it():
    last = windows(3584, 3584, 640, 0.25)[-1]
    assert (last.x, last.y, last.width, last.height) == (0, 0, 3584, 3584)


def test_strips_are_not_shrunk_to_lines():
    assert min(scales(20_000, 300, 640)) * 300 >= 60


def test_huge_frames_stay_within_bounds():
    assert max(scales(8000, 8000, 640)) == FINEST_SIDE_PX / 8000
    assert len(windows(8000, 8000, 640, 0.25)) < 130


def test_windows_show_their_part_averaged():
    picture = np.zeros((1000, 1000, 3), np.uint8)
    picture[:, 500:] = 200
    *_, whole = windows(1000, 1000, 500, 0.25)
    shown = whole.show(picture)
    assert shown.shape == (500, 500, 3)
    assert shown[250, 100, 0] == 0
    assert shown[250, 400, 0] == 200
    first = windows(1000, 1000, 500, 0.25)[0]
    np.testing.assert_array_equal(first.show(picture), picture[:500, :500])


def test_copies_may_be_searched_in_windows_of_another_side():
    found = windows(1024, 1024, 1024, 0.25, scales(1024, 1024, 512))
    assert [(one.scale, one.level, one.width) for one in found] == [(1.0, 0, 1024), (0.5, 1, 1024)]
    assert not any(any(one.inner) for one in found)
    shown = found[1].show(np.zeros((1024, 1024, 3), np.uint8))
    assert shown.shape == (512, 512, 3)
