import numpy as np
import pytest

from core.store.layers import shrink, shrink_picture


def test_a_small_map_is_given_back_as_it_is():
    values = np.zeros((10, 10), np.float32)
    assert shrink(values, 100) is values


def test_blocks_are_averaged_by_hand():
    values = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert shrink(values, 4).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_missing_pixels_are_left_out_of_the_average():
    values = np.array([[1, np.nan, np.nan, np.nan], [3, np.nan, np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(shrink(values, 2), [[2.0, np.nan]])


@pytest.mark.parametrize("shape", [(1000, 1000), (999, 1001), (7, 20_000), (20_000, 7), (1, 9000), (1, 1)])
def test_a_map_keeps_within_its_limit_and_covers_the_whole(shape):
    rows, columns = np.indices(shape, dtype=np.float32)
    for ramp in ((rows + 0.5) / shape[0], (columns + 0.5) / shape[1]):
        small = shrink(ramp.astype(np.float32), 500)
        assert small.size <= 500
        assert small.dtype == np.float32
        # The mean of a ramp from edge to edge is a half only if no edge was lost.
        assert small.mean() == pytest.approx(0.5, abs=0.02)


def test_a_small_picture_is_given_back_as_it_is():
    picture = np.zeros((10, 10, 3), np.uint8)
    assert shrink_picture(picture, 100) is picture


@pytest.mark.parametrize("shape", [(300, 500), (300, 500, 3)])
def test_a_large_picture_is_averaged_down_colour_by_colour(shape):
    picture = np.full(shape, 200, np.uint8)
    picture[..., 250:, *([0] if len(shape) == 3 else [])] = 100
    small = shrink_picture(picture, 60)
    assert small.dtype == np.uint8
    assert small.ndim == len(shape)
    assert small.shape[0] * small.shape[1] <= 60
    first = small if small.ndim == 2 else small[..., 0]
    assert (first[:, 0] == 200).all()
    assert (first[:, -1] == 100).all()
    if small.ndim == 3:
        assert (small[..., 1:] == 200).all()
