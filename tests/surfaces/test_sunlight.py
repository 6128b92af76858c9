import numpy as np
import pytest

from core.surfaces.sunlight import light_on_craters, quarter_to_light
from tests.surfaces.grounds import CRATERS, three_craters


def counted(places, weight=1.0):
    return np.array([(*place, weight) for place in places])


@pytest.mark.parametrize("azimuth", [0.0, 75.0, 160.0, 290.0])
def test_craters_show_the_side_of_the_light(azimuth):
    light = light_on_craters(three_craters(azimuth), counted(CRATERS))
    assert light.is_known
    assert (light.azimuth_deg - azimuth + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=8.0)


def test_without_craters_or_with_noise_in_them_no_side_is_told():
    picture = np.random.default_rng(0).integers(60, 190, (200, 200)).astype(np.uint8)
    assert light_on_craters(picture, np.empty((0, 4))).concentration == 0.0
    many = counted([(x, y, 8.0) for x in range(10, 200, 12) for y in range(10, 200, 12)])
    assert light_on_craters(picture, many).concentration < 0.25
    flat = light_on_craters(np.full((50, 50), 90, np.uint8), counted([(20, 20, 9), (30, 30, 9)]))
    assert not flat.is_known


@pytest.mark.parametrize("azimuth", [0.0, 45.0, 90.0, 179.0, 180.0, 269.0, 270.0, 359.0])
def test_turned_to_the_light_the_sun_stands_between_left_and_top(azimuth):
    assert 180.0 <= (azimuth - 90.0 * quarter_to_light(azimuth)) % 360.0 < 270.0
