import numpy as np
import pytest

from core.catalogues.tables import SourceTable
from core.clusters import given
from core.clusters.given import given_circle, given_members
from core.clusters.membership import membership
from core.clusters.search import search
from core.clusters.significance import Group, group_of
from core.clusters.table import ERROR_PM, star_table
from core.errors import ParameterInvalid
from tests.clusters import skies
from tests.clusters.skies import cluster, field, sky


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(4)
    source, truth = sky(rng, 5000, cluster(rng, 200, centre=(10, -15)))
    stars = star_table(source)
    return stars, truth[stars.row] == 0


def f1(found, own):
    return 2 * np.sum(found & own) / (found.sum() + own.sum())


def test_members_from_a_part_of_the_cluster(planted):
    stars, own = planted
    part = np.flatnonzero(own)[:30]
    fitted = membership(stars, group_of(stars, part))
    assert fitted.converged
    assert f1(fitted.probability >= 0.5, own) > 0.95
    assert fitted.probability.sum() == pytest.approx(200, rel=0.05)


def test_probabilities_mean_what_they_say():
    """Even where the cluster moves as most of the field does."""
    said, true = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        source, truth = sky(rng, 12000, cluster(rng, 150, centre=(5, 5), pm=(-1.5, -1), parallax=0.5))
        stars = star_table(source)
        own = truth[stars.row] == 0
        probability = membership(stars, group_of(stars, np.flatnonzero(own))).probability
        said += probability.tolist()
        true += own.tolist()
    said, true = np.array(said), np.array(true)
    assert said.sum() == pytest.approx(true.sum(), rel=0.12)
    assert true[said > 0.9].mean() > 0.93
    assert true[said < 0.1].mean() < 0.001


def test_a_circle_and_a_list_of_ones_own(planted, monkeypatch):
    stars, own = planted
    sky_deg = stars.sky(stars.xy[own].mean(axis=0))
    fitted = given_circle(stars, tuple(sky_deg), 12.0)
    assert f1(fitted.probability >= 0.5, own) > 0.9
    monkeypatch.setattr(given, "MOST_TRIED", 40)  # of a large circle's stars not all are tried
    again = given_circle(stars, tuple(sky_deg), 12.0)
    assert f1(again.probability >= 0.5, own) > 0.9
    plain = given_circle(stars, tuple(sky_deg), 12.0, fit=False)
    inside = np.hypot(*(stars.xy - stars.xy[own].mean(axis=0)).T) <= 12.0
    assert ((plain.probability == 1) == inside).mean() > 0.999
    listed = given_members(stars, stars.row[own].tolist())
    assert (listed.probability == own).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda stars: given_members(stars, [1, 2]), "2 of the listed members"),
        (lambda stars: given_members(stars, [10**9] * 5), "0 of the listed members"),
        (lambda stars: given_circle(stars, (120, -30), 0.0), "radius must be above 0"),
        (lambda stars: given_circle(stars, (120, -30), np.nan), "radius must be above 0"),
        (lambda stars: given_circle(stars, (120, -20), 1.0), "holds 0 stars"),
    ],
)
def test_what_a_person_cannot_give(planted, call, sentence):
    with pytest.raises(ParameterInvalid, match=sentence):
        call(planted[0])


def test_members_by_the_motions_of_old_catalogues(monkeypatch):
    """Errors of 3 mas a year and more, as of Tycho-2 and UCAC."""
    monkeypatch.setattr(skies, "ERROR_PM", (3.0,) * len(ERROR_PM))
    rng = np.random.default_rng(0)
    source, truth = sky(rng, 3000, cluster(rng, 200, pm=(20.0, -40.0)))
    table = source.table.drop(columns=["parallax", "parallax_error"])
    stars, own = star_table(SourceTable.from_frame(table)), truth == 0
    found = search(
        stars, smallest=12, min_samples=10, least_sigma=5.0, progress=lambda done, doing: None
    ).found
    circle = given_circle(stars, tuple(stars.sky(stars.xy[own].mean(axis=0))), 15.0)
    assert len(found) == 1
    for one in (found[0].membership, circle):
        assert f1(one.probability >= 0.5, own) > 0.95


def test_a_field_has_no_members_to_speak_of():
    stars = star_table(SourceTable.from_frame(field(np.random.default_rng(0), 3000)))
    start = Group(np.zeros(2), 4.0, np.array([3.0, 3.0, 0.8]), np.array([0.2, 0.2, 0.05]))
    assert membership(stars, start).probability.sum() < 15
