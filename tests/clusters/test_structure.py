import numpy as np
import pandas as pd
import pytest

from core.catalogues.tables import SourceTable
from core.clusters.centre import shape
from core.clusters.given import given_circle
from core.clusters.hdbscan import METHOD
from core.clusters.membership import membership
from core.clusters.significance import group_of
from core.clusters.structure import structure
from core.clusters.table import deproject, star_table
from core.errors import ParameterInvalid
from tests.clusters.skies import cluster, sky


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(1)
    source, truth = sky(rng, 6000, cluster(rng, 300, centre=(10, -15)))
    stars = star_table(source)
    fitted = membership(stars, group_of(stars, np.flatnonzero(truth[stars.row] == 0)[:60]))
    return stars, fitted.probability


def test_all_that_was_planted_comes_back(planted):
    found = structure(*planted)
    assert found.unit == "arcmin"
    assert found.n_members == pytest.approx(300, rel=0.06)
    assert found.king.ok
    assert found.king.core.value == pytest.approx(3.0, rel=0.2)
    assert found.king.tidal.value == pytest.approx(25, rel=0.3)
    assert found.distance.distance_pc == pytest.approx(1000 / 1.04, rel=0.03)  # no zero point was planted
    assert found.core_pc == pytest.approx(found.distance.size_pc(found.king.core.value))
    assert (found.pm[0].value, found.pm[1].value) == pytest.approx((-4, 2), abs=0.04)
    assert found.pm[0].spread == pytest.approx(0.15, rel=0.15)
    assert found.centre_deg[1] == pytest.approx(-30.25, abs=0.02)
    assert found.ripley.is_clustered
    assert found.contamination.total < 0.05
    assert not found.segregation.is_segregated
    assert len(found.colours.row) == found.n_members
    assert found.profile.density[0] > 50 * found.profile.density[-1]


def test_the_motion_is_that_of_the_catalogue_at_the_cluster_however_near_the_pole():
    rng = np.random.default_rng(6)
    place = np.concatenate([rng.uniform(-150, 150, (3000, 2)), rng.normal((80, 60), 5, (200, 2))])
    own = np.arange(3200) >= 3000
    pm = np.where(own[:, None], rng.normal((10, -5), 0.1, (3200, 2)), rng.normal(0, 6, (3200, 2)))
    table = pd.DataFrame(deproject(place, (20.0, 85.0)), columns=["ra", "dec"])
    source = SourceTable.from_frame(
        table.assign(pmra=pm[:, 0], pmdec=pm[:, 1], pmra_error=0.05, pmdec_error=0.05)
    )
    east, north = structure(star_table(source), own.astype(float)).pm
    assert (east.value, north.value) == pytest.approx((10, -5), abs=0.05)
    (found,) = METHOD.run(source).detections.table.to_dict("records")
    assert (found["pm_ra_mas_yr"], found["pm_dec_mas_yr"]) == pytest.approx((10, -5), abs=0.05)


def test_lengths_are_those_on_the_sky_however_far_from_the_middle_of_the_table():
    rng = np.random.default_rng(0)
    own = rng.normal(0, 60, (400, 2))
    field = deproject(60 * np.tan(np.radians(30)) * np.degrees(rng.uniform(-1, 1, (3000, 2))), (60.0, 20.0))
    at = tuple(deproject(np.array([60 * np.degrees(np.tan(np.radians(28))), 0.0]), (60.0, 20.0)))
    table = pd.DataFrame(np.concatenate([deproject(own, at), field]), columns=["ra", "dec"])
    found = structure(star_table(SourceTable.from_frame(table)), (np.arange(3400) < 400).astype(float))
    assert found.r50 == pytest.approx(np.median(np.hypot(*own.T)), rel=0.02)
    assert found.centre_deg == pytest.approx(at, abs=0.2)
    assert found.shape.ellipticity == pytest.approx(shape(own).ellipticity, abs=0.01)


def test_a_distance_takes_no_proper_motions():
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.normal((130.0, 20.0), 0.3, (100, 2)), columns=["ra", "dec"])
    source = SourceTable.from_frame(table.assign(parallax=rng.normal(5.36, 0.1, 100), parallax_error=0.1))
    found = structure(star_table(source), np.ones(100))
    assert found.distance.distance_pc == pytest.approx(1000 / 5.4, rel=0.01)


def test_the_same_input_gives_the_same_numbers(planted):
    one, two = structure(*planted), structure(*planted)
    assert one.shape.ellipticity_error == two.shape.ellipticity_error
    np.testing.assert_array_equal(one.density.error, two.density.error)
    np.testing.assert_array_equal(one.segregation.ratio, two.segregation.ratio)


def test_a_table_in_pixels_has_no_parsecs():
    rng = np.random.default_rng(2)
    xy = np.concatenate([rng.normal(500, 30, (200, 2)), rng.uniform(0, 1000, (400, 2))])
    stars = star_table(SourceTable.from_frame(pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1]})))
    found = structure(stars, (np.arange(600) < 200).astype(float))
    assert found.unit == "px"
    assert (found.distance, found.pm, found.colours, found.segregation) == (None, None, None, None)
    assert np.isnan([found.r50_pc, found.core_pc, *found.centre_deg]).all()
    assert found.shape.centre == pytest.approx([500, 500], abs=8)
    assert found.r50 == pytest.approx(30 * 1.1774, rel=0.15)


def test_stars_keep_together_in_a_cluster_and_not_in_an_even_cone():
    rng = np.random.default_rng(0)
    r, angle = 60 * np.sqrt(rng.random(1500)), rng.uniform(0, 2 * np.pi, 1500)
    xy = np.column_stack([r * np.cos(angle), r * np.sin(angle)])
    own = np.array([35.0, 0.0]) + rng.normal(0, 3, (150, 2))  # off the middle: the cone cuts the square
    for places, keep_together in ((xy, False), (np.concatenate([xy, own]), True)):
        source = SourceTable.from_frame(pd.DataFrame(deproject(places, (100.0, 10.0)), columns=["ra", "dec"]))
        ring = deproject(np.array([35.0, 0.0]), (100.0, 10.0))
        stars = star_table(source)
        found = structure(stars, given_circle(stars, tuple(ring), 15.0, fit=False).probability).ripley
        assert found.is_clustered == keep_together


@pytest.mark.parametrize("column", ["pmra", "parallax", "pmra_error", "parallax_error"])
@pytest.mark.parametrize("number", [5, 120])
def test_members_that_are_hardly_measured(column, number):
    """Motions, parallaxes or both are missing, or their errors are large."""
    rng = np.random.default_rng(3)
    source, truth = sky(rng, 1500, cluster(rng, 120, centre=(10, 10)))
    table = source.table.reset_index(drop=True)
    table.loc[truth == 0, column] = 200.0 if "error" in column else np.nan
    stars = star_table(SourceTable.from_frame(table))
    found = structure(stars, np.isin(stars.row, np.flatnonzero(truth == 0)[:number]).astype(float))
    assert found.n_members == number
    assert (found.pm is None) == (column == "pmra")
    assert (found.distance.distance_pc > 0) != column.startswith("parallax")


def test_too_few_members_or_all_at_one_place(planted):
    stars, _ = planted
    with pytest.raises(ParameterInvalid, match="5 members or more, got 0"):
        structure(stars, np.zeros(len(stars)))
    one_place = star_table(SourceTable.from_frame(pd.DataFrame({"x": [1.0] * 20, "y": [2.0] * 20})))
    with pytest.raises(ParameterInvalid, match="at one place"):
        structure(one_place, np.ones(20))
    few = structure(stars, (np.arange(len(stars)) < 5).astype(float))
    assert not few.king.ok or few.n_members == 5
