import numpy as np
import pytest

from core.frames import Frame
from core.ui.clusters_field import PICTURE, Field
from core.ui.clusters_picture import _star_density
from core.ui.frames import Choice


def test_the_density_of_the_stars_lies_where_the_stars_do():
    side, found = 1920, []
    frame = Frame.from_array(np.zeros((side, side), np.float32), "f")
    for seed in range(8):
        rng = np.random.default_rng(seed)
        middle = rng.uniform(600, 1300, 2)
        pixels = np.concatenate([rng.uniform(0, side, (800, 2)), middle + rng.normal(0, 20, (500, 2))])
        density = _star_density(str(seed), Field("f", PICTURE, choice=Choice(frame), pixels=pixels))
        peak = np.where(density > 0.5 * density.max(), density, 0.0)
        y, x = (np.average(np.arange(192), weights=peak.sum(axis=axis)) for axis in (1, 0))
        found.append(np.array([x, y]) * 10.0 + 4.5 - middle)
    assert np.mean(found, axis=0) == pytest.approx([0, 0], abs=2.5)
