import numpy as np
import pytest
from astropy.modeling.models import KingProjectedAnalytic1D

from core.clusters.footprint import Footprint
from core.clusters.profile import fit_king, king_number, king_surface
from tests.clusters.skies import king_radii

CORE, TIDAL = 3.0, 25.0


def scattered(rng, radii):
    angle = rng.uniform(0, 2 * np.pi, len(radii))
    return radii[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


def a_cluster(seed, members, field=300, size=60.0):
    rng = np.random.default_rng(seed)
    own = scattered(rng, king_radii(rng, members, CORE, TIDAL))
    return np.concatenate([own, scattered(rng, size * np.sqrt(rng.random(field)))])


def fit(xy):
    return fit_king(xy, np.zeros(2), Footprint.of(xy))


def test_the_profile_is_kings():
    radius = np.linspace(0, 30, 50)
    astropys = KingProjectedAnalytic1D(amplitude=1, r_core=CORE, r_tide=TIDAL)(radius)
    ours = king_surface(radius, CORE, TIDAL)
    np.testing.assert_allclose(ours / ours[0], astropys / astropys[0], atol=1e-12)
    # Its integral, against a sum.
    fine = np.linspace(0, 20, 200_001)
    summed = np.trapezoid(2 * np.pi * fine * king_surface(fine, CORE, TIDAL), fine)
    assert king_number(20.0, CORE, TIDAL) == pytest.approx(summed, rel=1e-6)


def test_planted_radii_come_back_without_bias_and_intervals_cover():
    fits = [fit(a_cluster(seed, 200)) for seed in range(60)]
    assert all(one.ok for one in fits)
    cores = np.array([one.core.value for one in fits])
    assert np.median(cores) == pytest.approx(CORE, rel=0.1)
    assert np.mean(cores) == pytest.approx(CORE, rel=0.15)
    assert np.median([one.tidal.value for one in fits]) == pytest.approx(TIDAL, rel=0.15)
    covered = np.mean([one.core.low <= CORE <= one.core.high for one in fits])
    assert 0.5 < covered < 0.86  # 68 % within three standard errors of 60 tries
    assert np.median([one.n_cluster for one in fits]) == pytest.approx(200, rel=0.07)
    concentration = np.median([one.concentration.value for one in fits])
    assert concentration == pytest.approx(np.log10(TIDAL / CORE), abs=0.1)


def test_the_curve_of_the_radii_that_are_told_holds_as_many_stars_as_are_told():
    """Also of few stars in much field, whose likeliest radii are far from their medians."""
    for seed in range(5):
        found = fit(a_cluster(seed, 100, field=3000))
        core, tidal = found.core.value, found.tidal.value
        held = found.central * king_number(60.0, core, tidal) / king_surface(0.0, core, tidal)
        assert held == pytest.approx(found.n_cluster, rel=0.02)


def test_more_stars_give_narrower_intervals():
    few, many = fit(a_cluster(1, 200)), fit(a_cluster(1, 3000))
    assert many.core.high - many.core.low < 0.5 * (few.core.high - few.core.low)
    assert many.core.value == pytest.approx(CORE, rel=0.06)
    assert many.background == pytest.approx(300 / (np.pi * 60**2), rel=0.2)


def test_a_table_that_cuts_the_cluster_off_does_not_bias():
    cores = []
    for seed in range(10):
        xy = a_cluster(seed, 600, field=900)
        cores.append(fit(xy[xy[:, 0] > -4.0]).core.value)
    assert np.median(cores) == pytest.approx(CORE, rel=0.12)


@pytest.mark.parametrize(
    ("xy", "reason"),
    [
        (np.empty((0, 2)), "too few"),
        (np.zeros((50, 2)), "too few"),
        (a_cluster(0, 10, field=10), "too few"),
        (
            scattered(np.random.default_rng(0), 60 * np.sqrt(np.random.default_rng(1).random(500))),
            "no denser",
        ),
        (scattered(np.random.default_rng(0), np.random.default_rng(1).normal(30, 0.5, 500)), "."),
    ],
    ids=["none", "one place", "few", "even", "a ring"],
)
def test_what_does_not_fit_says_so(xy, reason):
    failed = fit(xy)
    assert not failed.ok
    assert reason in failed.reason
    assert failed.reason.endswith(".")
