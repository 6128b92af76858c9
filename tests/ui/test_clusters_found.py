from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clusters.table import StarTable
from core.frames import Frame
from core.results import Detections, Result
from core.ui.clusters_field import PICTURE, Field
from core.ui.clusters_found import _inside, leading
from core.ui.frames import Choice


@dataclass(frozen=True)
class Found:
    """What :func:`leading` asks of the clusters of a method."""

    name: str
    count: int

    def __len__(self) -> int:
        return self.count


def test_what_a_network_found_is_told_before_what_star_counts_found():
    unet, counts = Found("clusters.unet", 0), Found("clusters.density", 1)
    rival = Found("clusters.maskrcnn", 1)
    assert leading([unet, counts, rival]) is rival
    assert leading([Found("clusters.unet", 2), counts, rival]).name == "clusters.unet"
    assert leading([unet, counts]) is counts
    assert leading([unet]) is unet
    assert leading([]) is None


def test_a_star_is_in_the_mask_that_its_pixel_is_in():
    mask = np.zeros((20, 30), np.uint16)
    mask[8, 10] = 1
    table = pd.DataFrame({"label": ["cluster"], "score": 1.0, "x": 10.0, "y": 8.0})
    result = Result(Detections(table), masks={"clusters": mask})
    pixels = np.array([[9.6, 7.6], [10.4, 8.4], [9.4, 8.0], [10.0, 8.6], [29.4, 19.4], [-0.5, -0.5]])
    stars = StarTable("t", np.arange(6), 6, pixels, "px")
    for size in (1, 3):
        frame = Frame.from_array(np.zeros((20 * size, 30 * size), np.float32), "f")
        field = Field("f", PICTURE, None, stars, Choice(frame), (pixels + 0.5) * size - 0.5)
        assert _inside(result, field).tolist() == [0, 0, -1, -1, -1, -1]
