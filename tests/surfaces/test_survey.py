"""Surfaces that were searched, compared by their area."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.surfaces.survey import Survey
from tests.surfaces import surveys


def a_survey(**changes):
    tables = [
        surveys.craters([5.0, 12.0, 30.0]),
        surveys.line("ridge", (0, 100), (60, 100)),
        surveys.line("valley", (10, 0), (10, 80)),
    ]
    given = {"title": "Ground", "table": pd.concat(tables, ignore_index=True), "width": 200, "height": 100}
    return Survey(**{**given, **changes})


def test_area_and_sizes_follow_the_scale():
    survey = a_survey(km_per_px=2.0)
    assert survey.area(in_km=False) == 20_000
    assert survey.area(in_km=True) == 80_000
    assert survey.diameters(in_km=True).tolist() == [10.0, 24.0, 60.0]
    assert survey.complete_from(in_km=True) == 20.0
    assert survey.line_length(in_km=True) == pytest.approx(280.0)
    assert survey.line_length(["ridge"], in_km=False) == 60.0


def test_density_counts_what_is_large_enough_and_has_its_interval():
    density, low, high = a_survey().crater_density(10.0, in_km=False)
    assert density == pytest.approx(2 * 1e6 / 20_000)
    assert low == pytest.approx(0.708 * 50, rel=0.01)  # Gehrels 1986
    assert high == pytest.approx(4.638 * 50, rel=0.01)
    assert a_survey().crater_density(1000.0, in_km=False)[:2] == (0.0, 0.0)


def test_directions_count_from_up_whichever_way_the_rows_run():
    for row0 in ("top", "bottom"):
        rose = a_survey(row0=row0).rose(["valley"])
        assert rose.edges_deg[np.argmax(rose.parts)] == 0.0
    across = a_survey().rose(["ridge"])
    assert across.edges_deg[np.argmax(across.parts)] == 90.0


def test_without_a_scale_there_are_no_kilometres():
    with pytest.raises(ValueError, match="no scale is known of 'Ground'"):
        a_survey().area(in_km=True)


def test_an_empty_surface_has_no_curves_and_no_roses():
    empty = a_survey(table=surveys.craters([]))
    assert empty.size_curves(in_km=False) == []
    assert empty.rose().n == 0
    assert empty.crater_density(10.0, in_km=False)[0] == 0.0


def test_a_curve_ends_with_all_craters_over_the_area():
    for _, curve, _ in a_survey().size_curves(in_km=False):
        assert len(curve["diameter"]) == len(curve["value"]) == len(curve["low"]) == len(curve["high"])
        seen = curve["value"] > 0
        assert (curve["low"][seen] <= curve["value"][seen]).all()
        assert (curve["high"][seen] >= curve["value"][seen]).all()


def test_curves_recover_a_power_law():
    # Craters with N(≥ D) = 4000 (D/10)^-2 an area: the differential slope is -3, and R is flat.
    rng = np.random.default_rng(5)
    sizes = 10.0 * rng.uniform(size=4000) ** (-1 / 2)
    table = surveys.craters([20.0]).iloc[np.zeros(4000, int)].assign(diameter_px=sizes)
    survey = a_survey(table=table, width=1000, height=1000)
    cumulative, differential, relative = (curve for _, curve, _ in survey.size_curves(in_km=False))
    assert cumulative["value"][0] == pytest.approx(4000 / 1e6)
    near = (differential["diameter"] > 12) & (differential["diameter"] < 60)
    slope = np.polyfit(np.log(differential["diameter"][near]), np.log(differential["value"][near]), 1)[0]
    assert slope == pytest.approx(-3.0, abs=0.15)
    # In bins of √2 about D: N = 4000 · 100 · (2^½ - 2^-½) / D², over ΔD = D (2^¼ - 2^-¼).
    expected = 4000 * 100 * (2**0.5 - 2**-0.5) / (2**0.25 - 2**-0.25) / 1e6
    inside = (relative["low"][near] <= expected) & (relative["high"][near] >= expected)
    assert inside.mean() >= 0.4
    np.testing.assert_allclose(relative["value"][near], expected, rtol=0.2)
