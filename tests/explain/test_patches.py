from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from core.errors import ParameterInvalid
from core.explain.patches import begins, stitched


def frame(height, width, seed=0):
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(3, height, width)), (0, 4, 4))
    return noise.astype(np.float32)


@pytest.mark.parametrize("shape", [(100, 100), (64, 131), (40, 200), (30, 20), (64, 64)])
@pytest.mark.parametrize("overlap_px", [0, 16, 63])
def test_what_is_said_of_each_pixel_alone_comes_back(shape, overlap_px):
    shown = frame(*shape)
    got = stitched(shown, 64, overlap_px, lambda patch: patch[1])

    assert got.dtype == np.float32
    np.testing.assert_allclose(got, shown[1], atol=1e-5)


def test_patches_that_disagree_leave_no_seam():
    levels = iter(np.tile([0.0, 1.0], 50))
    got = stitched(frame(64, 400), 64, 32, lambda patch: np.full((64, 64), next(levels), np.float32))

    assert np.ptp(got) > 0.9
    assert np.abs(np.diff(got, axis=1)).max() < 0.06  # a hard seam would step by 1
    assert np.abs(np.diff(got, axis=0)).max() < 1e-6


@pytest.mark.parametrize("side", [64, 65, 96, 127, 500])
def test_patches_cover_the_side_evenly_with_the_overlap(side):
    places = begins(side, 64, 16)

    assert places[0] == 0
    assert places[-1] == side - 64
    assert all(8 < after - before <= 48 or side == 65 for before, after in pairwise(places))


def test_progress_is_told():
    told = []
    stitched(frame(64, 100), 64, 0, lambda patch: patch[0], progress=lambda done, doing: told.append(done))

    assert told == [0.5, 1.0]


@pytest.mark.parametrize(
    ("shown", "overlap_px", "explain", "match"),
    [
        (np.zeros((64, 64)), 8, lambda patch: patch[0], "frame"),
        (np.zeros((3, 64, 64)), 32, lambda patch: patch[0], "overlap_px"),
        (np.zeros((3, 64, 64)), -1, lambda patch: patch[0], "overlap_px"),
        (np.zeros((3, 64, 64)), 8, lambda patch: patch, "explain"),
    ],
)
def test_what_does_not_fit_is_refused(shown, overlap_px, explain, match):
    with pytest.raises(ParameterInvalid, match=match):
        stitched(shown, 32, overlap_px, explain)
