import numpy as np
import pytest

from core.frames import Frame
from core.surfaces.seen import seen_on, seen_parts


def test_the_part_of_a_disc_that_is_not_missing_is_counted_on_the_frame():
    seen = np.ones((100, 120), bool)
    seen[:, :40] = False
    craters = np.array([[20.0, 50, 10], [39.5, 50, 10], [80, 50, 30], [119, 50, 10], [300, 50, 5]])
    assert seen_parts(craters, seen) == pytest.approx([0.0, 0.5, 1.0, 1.0, 0.0], abs=0.05)
    assert (seen_parts(craters, np.ones((100, 120), bool)) == 1.0).all()
    assert seen_parts(np.empty((0, 3)), seen).shape == (0,)


def test_cells_without_a_pixel_in_their_middle_are_not_seen():
    pixels = np.ones((64, 128))
    pixels[:, :32] = np.nan
    assert seen_on(Frame.from_array(pixels), (2, 4)).tolist() == [[False, True, True, True]] * 2
