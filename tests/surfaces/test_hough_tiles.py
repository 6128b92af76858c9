import numpy as np
import pytest
from scipy.ndimage import correlate

from core.surfaces.hough_tiles import SIDE_PX, Tiles


@pytest.mark.parametrize("shape", [(9, 40), (SIDE_PX, SIDE_PX), (2 * SIDE_PX - 16, SIDE_PX + 91)])
def test_every_filter_sees_the_whole_picture_and_zeros_beyond(shape):
    rng = np.random.default_rng(0)
    picture = rng.normal(size=shape).astype(np.float32)
    tiles = Tiles.of(picture, 8)
    for side in (1, 7, 17):
        kernel = rng.normal(size=(side, side)).astype(np.float32)
        sums = tiles.filtered(kernel)
        np.testing.assert_allclose(sums, correlate(picture, kernel, mode="constant"), atol=1e-4)
