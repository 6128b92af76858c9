import numpy as np
import pytest

from core.store.layers import shrink


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
