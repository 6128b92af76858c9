import numpy as np
import pytest

from core.clusters.numbers import Quantity, quantities
from core.clusters.structure import structure
from core.clusters.table import StarTable, star_table
from tests.clusters import skies


def field(seed=0, members=200):
    rng = np.random.default_rng(seed)
    table, truth = skies.sky(rng, 1500, skies.cluster(rng, members, core=3.0, tidal=25.0, parallax=2.0))
    return star_table(table), (truth == 0).astype(float)


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text", "short"),
    [
        (12.34, 11.95, 12.73, "′", "12.34 ± 0.39′", "12.34′"),
        (12.34, 12.0, 15.0, "px", "12.34 (12.00 to 15.00) px", "12.34 px"),
        (605.41, 601.7, 609.1, "pc", "605.4 ± 3.7 pc", "605.4 pc"),
        (3126.0, np.nan, np.nan, "", "3,126", "3,126"),
        (12_345.0, np.nan, np.nan, "", "12,345", "12,345"),
        (0.12345, np.nan, np.nan, "", "0.1235", "0.1235"),
        (np.nan, np.nan, np.nan, "pc", "not measured", "not measured"),
        (0.0, 0.0, 0.0, "", "0.000 ± 0.000", "0.000"),
    ],
)
def test_a_number_is_written_as_exactly_as_it_is_known(value, low, high, unit, text, short):
    quantity = Quantity("a", value, low, high, unit, "measured")
    assert quantity.text == text
    assert quantity.short == short


def test_every_number_has_a_source_and_the_truth_within_its_uncertainty():
    stars, probability = field()
    found = quantities(structure(stars, probability))
    assert all(each.source for each in found)
    by_name = {(each.name, each.unit): each for each in found}
    truths = {
        ("Core radius (King)", "′"): 3.0,
        ("Tidal radius (King)", "′"): 25.0,
        ("Proper motion east", "mas/yr"): -4.0,
        ("Proper motion north", "mas/yr"): 2.0,
        ("Right ascension", "°"): 120.0,
        ("Declination", "°"): -30.0,
    }
    for name, truth in truths.items():
        each = by_name[name]
        assert abs(each.value - truth) < 4.0 * (each.high - each.low), name
    assert by_name["Members", ""].value == 200
    parsecs = by_name["Distance", "pc"].value * np.pi / 10_800
    ratio = by_name["Half-number radius", "pc"].value / by_name["Half-number radius", "′"].value
    assert ratio == pytest.approx(parsecs)


def test_in_pixels_and_without_a_fit_there_are_reasons_instead_of_numbers():
    rng = np.random.default_rng(1)
    xy = rng.normal(100.0, 5.0, (12, 2))
    stars = StarTable("a", np.arange(12), 12, xy, "px")
    found = {each.name: each for each in quantities(structure(stars, np.ones(12)))}
    assert found["Centre x"].unit == "px"
    assert found["Core radius (King)"].text == "not measured"
    assert "too few" in found["Core radius (King)"].remark
    assert "Distance" not in found
