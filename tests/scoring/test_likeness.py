import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.scoring.likeness import Likeness, copied_input, likeness, mean_likeness


def a_map(seed=0):
    return np.random.default_rng(seed).random((40, 50))


def test_equal_maps_are_alike_in_every_figure():
    one = likeness(a_map(), a_map())
    assert one == Likeness(60.0, pytest.approx(1.0), pytest.approx(1.0), 1.0)


def test_figures_are_those_worked_out_by_hand():
    truth, other = np.zeros((20, 20)), np.zeros((20, 20))
    truth[:4], other[2:6] = 1.0, 1.0
    one = likeness(truth, other)
    assert one.psnr_db == pytest.approx(10 * np.log10(400 / 80))
    assert one.top_20_iou == pytest.approx(40 / 120)
    assert one.correlation == pytest.approx((40 / 400 - 0.2**2) / (0.2 * 0.8))
    assert likeness(truth, truth + 0.1).psnr_db == pytest.approx(20.0)


def test_dark_maps_have_a_high_ratio_whatever_they_show():
    truth, other = np.zeros((200, 200)), np.zeros((200, 200))
    truth[:4, :4], other[50:54, 50:54] = 1.0, 1.0
    one = likeness(truth, other)
    assert one.psnr_db > 30.0
    assert one.correlation < 0.01


def test_what_is_unknown_stays_out_of_the_mean():
    flat = likeness(np.zeros((20, 20)), a_map()[:20, :20])
    assert np.isnan(flat.correlation)
    assert np.isnan(flat.top_20_iou)
    assert flat.named()["correlation"] is None
    both = mean_likeness([flat, likeness(a_map(), a_map())])
    assert both.correlation == pytest.approx(1.0)
    assert both.psnr_db == pytest.approx((flat.psnr_db + 60.0) / 2)
    assert np.isnan(mean_likeness([]).ssim)


def test_the_copied_input_is_grey():
    picture = np.zeros((12, 12, 3), np.uint8)
    picture[..., 0] = 255
    np.testing.assert_allclose(copied_input(picture), 1 / 3)


@pytest.mark.parametrize("wrong", [np.zeros((4, 40)), np.zeros((40, 50, 3)), np.full((40, 50), np.nan)])
def test_what_is_no_map_is_refused(wrong):
    with pytest.raises(ParameterInvalid, match="map"):
        likeness(a_map(), wrong)
