import numpy as np
import pytest

from core.clusters.distance import ZERO_POINT_MAS
from core.clusters.space import MIN_MEMBERS, space
from core.clusters.table import StarTable


def ball(count=60, far=200.0, size=3.0, error=0.02, seed=0):
    """Stars in a ball ``far`` parsecs away, five degrees east of the table's middle, and their places."""
    rng = np.random.default_rng(seed)
    place = rng.normal(0.0, size, (count, 3)) + far * np.array([np.tan(np.radians(5.0)), 0.0, 1.0])
    xy = np.degrees(place[:, :2] / place[:, 2:]) * 60.0
    parallax = 1e3 / np.linalg.norm(place, axis=1) + ZERO_POINT_MAS
    stars = StarTable(
        "ball",
        np.arange(count),
        count,
        xy,
        "arcmin",
        (80.0, 10.0),
        parallax=parallax,
        parallax_error=np.full(count, error),
    )
    return stars, place


def test_stars_stand_where_they_are():
    stars, place = ball()
    found = space(stars, np.arange(60))
    assert len(found.row) == 60
    shift = found.place_pc - place
    np.testing.assert_allclose(shift - shift.mean(axis=0), 0.0, atol=1e-6)
    assert found.distance_pc == pytest.approx(200.0 / np.cos(np.radians(5.0)), rel=0.02)
    assert found.blur_pc == pytest.approx(found.distance_pc**2 * 0.02 / 1e3)


@pytest.mark.parametrize("change", [{"parallax": None}, {"unit": "px"}, {"parallax_error": np.full(60, 1.0)}])
def test_without_good_parallaxes_there_is_no_view(change):
    import dataclasses

    stars, _ = ball()
    assert space(dataclasses.replace(stars, **change), np.arange(60)) is None


def test_few_members_negative_and_unknown_parallaxes_are_left_out():
    stars, _ = ball()
    parallax = stars.parallax
    parallax[:10], parallax[10:20] = -1.0, np.nan
    assert len(space(stars, np.arange(60)).row) == 40
    assert space(stars, np.arange(MIN_MEMBERS - 1)) is None
    assert space(stars, np.arange(0)) is None


def test_stars_far_in_front_and_behind_are_left_out():
    stars, _ = ball()
    stars.parallax[:5], stars.parallax[5:10] = 50.0, 0.5
    found = space(stars, np.arange(10, 60))
    assert set(found.row) == set(range(10, 60))
