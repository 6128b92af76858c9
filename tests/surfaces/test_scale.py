import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame, samples
from core.surfaces.scale import Scale, scale_of

PIXELS = np.ones((20, 30))


def test_the_map_of_a_sample_gives_its_scale():
    sample = next(one for one in samples() if one.name == "moon_imbrium")
    scale = scale_of(sample.read())
    assert scale.source == "from the map"
    assert scale.km_per_px == pytest.approx(2.665 * np.sqrt(np.cos(np.radians(33.05))), rel=0.01)


@pytest.mark.parametrize(("card", "value", "km"), [("MAP_SCALE", 0.231, 0.231), ("MPERPIX", 6.0, 0.006)])
def test_header_cards_give_the_scale(card, value, km):
    scale = scale_of(Frame.from_array(PIXELS, header={card: value}))
    assert scale.km_per_px == pytest.approx(km)
    assert card in scale.source
    assert scale.km(100) == pytest.approx(100 * km)


@pytest.mark.parametrize("value", [0, -1.0, "0.2", True, float("nan"), float("inf")])
def test_cards_that_make_no_sense_are_not_believed(value):
    assert scale_of(Frame.from_array(PIXELS, header={"MAP_SCALE": value})) is None


def test_a_picture_says_nothing_of_its_scale():
    assert scale_of(Frame.from_array(PIXELS)) is None


@pytest.mark.parametrize("km", [0.0, -2.0, float("nan"), float("inf")])
def test_a_scale_by_hand_must_be_one(km):
    with pytest.raises(ParameterInvalid, match="km a pixel"):
        Scale(km)
