"""Surfaces that were searched, compared by their area."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from core.frames import Frame
from core.frames.ground import Ground, simple_cylindrical
from core.results import Detections
from core.surfaces.measure import Measure, measured
from core.surfaces.survey import Survey, complete_from_px
from tests.surfaces import surveys

A_FRAME = Measure(200, 100, 20_000.0, row0="top")
IN_KM = dataclasses.replace(A_FRAME, area_km2=80_000.0, km_per_px=2.0)


def a_survey(**changes):
    tables = [
        surveys.craters([5.0, 12.0, 30.0]),
        surveys.line("ridge", (0, 100), (60, 100)),
        surveys.line("valley", (10, 0), (10, 80)),
    ]
    measure = changes.pop("measure", A_FRAME)
    table = changes.pop("table", pd.concat(tables, ignore_index=True))
    return Survey("Ground", measured(Detections(table), measure).table, measure, **changes)


def test_area_and_sizes_follow_the_scale():
    survey = a_survey(measure=IN_KM)
    assert survey.area(in_km=False) == 20_000
    assert survey.area(in_km=True) == 80_000
    assert survey.diameters(in_km=True).tolist() == [10.0, 24.0, 60.0]
    assert survey.complete_from(in_km=True) == 20.0
    assert survey.lengths(in_km=True).tolist() == [120.0, 160.0]
    assert survey.lengths(["ridge"], in_km=False).tolist() == [60.0]


def test_density_counts_what_is_large_enough_and_has_its_interval():
    density, low, high = a_survey().crater_density(10.0, in_km=False)
    assert density == pytest.approx(2 * 1e6 / 20_000)
    assert low == pytest.approx(0.708 * 50, rel=0.01)  # Gehrels 1986
    assert high == pytest.approx(4.638 * 50, rel=0.01)
    assert a_survey().crater_density(1000.0, in_km=False)[:2] == (0.0, 0.0)


def test_directions_count_from_up_whichever_way_the_rows_run():
    for row0 in ("top", "bottom"):
        rose = a_survey(measure=dataclasses.replace(A_FRAME, row0=row0)).rose(["valley"])
        assert rose.edges_deg[np.argmax(rose.parts)] == 0.0
    across = a_survey().rose(["ridge"])
    assert across.edges_deg[np.argmax(across.parts)] == 90.0


def test_directions_count_from_north_where_there_is_a_map():
    # A map that was turned: its columns run north.
    ground = Ground("Moon", 1737.4, (0.0, 0.1, 0.0, 0.1, 0.0, 0.0))
    survey = a_survey(measure=dataclasses.replace(A_FRAME, ground=ground))
    along = survey.rose(["ridge"])
    assert along.edges_deg[np.argmax(along.parts)] == 0.0
    assert survey.zero_direction == "north"


def test_there_are_no_directions_where_nobody_knows_which_side_is_up():
    assert a_survey(measure=Measure.of_whole(200, 100)).rose() is None


def test_craters_are_complete_from_no_less_than_the_method_looks_for():
    assert complete_from_px({"min_diameter_px": 25.0}) == 25.0
    assert complete_from_px({"min_diameter_px": 5.0}) == complete_from_px({}) == 10.0
    assert a_survey(measure=IN_KM, complete_px=25.0).complete_from(in_km=True) == 50.0


def test_a_bin_that_begins_below_the_limit_is_not_complete():
    # 13 px lie in the bin from 11.3 to 16, whose middle is above the limit and whose beginning is not.
    survey = a_survey(table=surveys.craters([13.0, 40.0]), complete_px=12.0)
    _, differential, _ = survey.size_curves(in_km=False)
    assert differential[1].complete.tolist() == [False, True]


def test_without_a_scale_there_are_no_kilometres():
    with pytest.raises(ValueError, match="no scale is known of 'Ground'"):
        a_survey().area(in_km=True)


def test_an_empty_surface_has_no_curves_and_no_roses():
    empty = a_survey(table=surveys.craters([]))
    assert empty.size_curves(in_km=False) == []
    assert empty.rose().n == 0
    assert empty.crater_density(10.0, in_km=False)[0] == 0.0


def test_a_curve_ends_with_all_craters_over_the_area():
    for _, points, _ in a_survey().size_curves(in_km=False):
        assert len(points.diameter) == len(points.value) == len(points.low) == len(points.high)
        assert (points.low <= points.value).all()
        assert (points.high >= points.value).all()


def test_curves_recover_a_power_law():
    # Craters with N(≥ D) = 4000 (D/10)^-2 an area: the differential slope is -3, and R is flat.
    rng = np.random.default_rng(5)
    sizes = 10.0 * rng.uniform(size=4000) ** (-1 / 2)
    table = surveys.craters([20.0]).iloc[np.zeros(4000, int)].assign(diameter_px=sizes)
    survey = a_survey(table=table, measure=Measure.of_whole(1000, 1000))
    cumulative, differential, relative = (curve for _, curve, _ in survey.size_curves(in_km=False))
    assert cumulative.value[0] == pytest.approx(4000 / 1e6)
    near = (differential.diameter > 12) & (differential.diameter < 60)
    slope = np.polyfit(np.log(differential.diameter[near]), np.log(differential.value[near]), 1)[0]
    assert slope == pytest.approx(-3.0, abs=0.15)
    # In bins of √2 about D: N = 4000 · 100 · (2^½ - 2^-½) / D², over ΔD = D (2^¼ - 2^-¼).
    expected = 4000 * 100 * (2**0.5 - 2**-0.5) / (2**0.25 - 2**-0.25) / 1e6
    inside = (relative.low[near] <= expected) & (relative.high[near] >= expected)
    assert inside.mean() >= 0.4
    np.testing.assert_allclose(relative.value[near], expected, rtol=0.2)


def test_the_largest_crater_is_cut_where_the_largest_on_the_ground_is():
    # Near the pole the crater of more pixels is the smaller one; the other reaches beyond the frame.
    ground = simple_cylindrical("Moon", west_deg=0.0, north_deg=90.0, px_per_deg=2.0)
    measure = Measure.of(Frame.from_array(np.ones((180, 200)), ground=ground))
    table = surveys.craters([40.0, 30.0]).assign(x=[100.0, 100.0], y=[24.0, 170.0])
    surface = Survey("it", measured(Detections(table), measure).table, measure)
    assert surface.largest_is_cut
    assert not dataclasses.replace(surface, table=table).largest_is_cut


def test_craters_are_complete_from_where_they_are_on_coarse_ground_too():
    ground = simple_cylindrical("Moon", west_deg=-180.0, north_deg=90.0, px_per_deg=1.0)
    measure = Measure.of(Frame.from_array(np.ones((180, 360)), ground=ground))
    at_equator = surveys.craters([10.5]).assign(x=100.0, y=89.5)
    surface = Survey("it", measured(Detections(at_equator), measure).table, measure)
    limit = surface.complete_from(in_km=True)
    assert limit == pytest.approx(10.0 * ground.km_per_px(100.0, 89.5), rel=0.01)
    assert surface.counted(in_km=True).density()[0] > 0.0
