import math

import numpy as np
import pandas as pd
import pytest

from core.errors import ParameterInvalid
from core.results import Detections
from core.scoring.agreement import agree


def stars(*xy):
    x, y = np.array(xy, float).reshape(-1, 2).T
    return Detections(pd.DataFrame({"label": "star", "score": 1.0, "x": x, "y": y}))


def test_two_methods_by_hand():
    a = stars((0, 0), (10, 10), (20, 20), (50, 50))
    b = stars((20.3, 20), (0.1, 0), (90, 90), (10.2, 10.4))
    agreement = agree(a, b, radius_px=1.0)
    assert agreement.matches.truth_index.tolist() == [0, 1, 2]
    assert agreement.matches.found_index.tolist() == [1, 3, 0]
    assert agreement.only_a.tolist() == [3]
    assert agreement.only_b.tolist() == [2]
    assert (agreement.median_dx_px, agreement.median_dy_px) == pytest.approx((0.2, 0.0))
    assert agreement.rms_px == pytest.approx(math.sqrt((0.01 + 0.04 + 0.16 + 0.09) / 3))


def test_the_other_way_round_is_the_mirror_image():
    a, b = stars((0, 0), (10, 10)), stars((0.5, 0.25))
    there, back = agree(a, b, radius_px=1.0), agree(b, a, radius_px=1.0)
    assert (there.median_dx_px, there.median_dy_px) == (0.5, 0.25)
    assert (back.median_dx_px, back.median_dy_px) == (-0.5, -0.25)
    assert there.rms_px == back.rms_px
    assert there.only_a.tolist() == back.only_b.tolist() == [1]


@pytest.mark.parametrize(
    ("a", "b"), [(stars(), stars()), (stars((1, 1)), stars()), (stars((1, 1)), stars((9, 9)))]
)
def test_methods_with_nothing_in_common(a, b):
    agreement = agree(a, b, radius_px=1.0)
    assert len(agreement.matches) == 0
    assert (len(agreement.only_a), len(agreement.only_b)) == (len(a), len(b))
    assert math.isnan(agreement.rms_px)


def test_boxes_agree_by_their_overlap():
    edges = {"x_min": [0.0], "y_min": [0.0], "x_max": [10.0], "y_max": [10.0]}
    a = Detections(pd.DataFrame({"label": "galaxy", "score": 1.0, "x": [5.0], "y": [5.0], **edges}))
    b = Detections(a.table.assign(x_max=8.0, x=4.0))
    assert agree(a, b, iou=0.8).median_dx_px == -1.0
    assert len(agree(a, b, iou=0.81).matches) == 0


def test_it_must_be_said_how_to_match():
    with pytest.raises(ParameterInvalid, match="either by radius_px or by iou"):
        agree(stars(), stars())
