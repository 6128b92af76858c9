import numpy as np
import pytest

from core.surfaces.ellipses import Ellipse, eccentricity, ellipse_of_box, ellipse_of_mask, ellipse_of_points

ELLIPSES = [Ellipse(40.0, 30.0, 36.0, 20.0, angle) for angle in (0.0, 25.0, 90.0, 160.0)]


def same(one, other, tolerance):
    assert one.x == pytest.approx(other.x, abs=tolerance)
    assert one.y == pytest.approx(other.y, abs=tolerance)
    assert one.major_px == pytest.approx(other.major_px, abs=2 * tolerance)
    assert one.minor_px == pytest.approx(other.minor_px, abs=2 * tolerance)
    assert (one.angle_deg - other.angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=4 * tolerance)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_an_ellipse_comes_back_from_its_rim(truth):
    same(ellipse_of_points(truth.rim()), truth, 1e-6)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_an_ellipse_comes_back_from_a_noisy_rim(truth):
    rim = truth.rim(200) + np.random.default_rng(0).normal(0, 0.5, (200, 2))
    same(ellipse_of_points(rim), truth, 0.3)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_an_ellipse_comes_back_from_its_mask(truth):
    y, x = np.mgrid[:60, :80]
    same(ellipse_of_mask(truth.away(x, y) <= 1), truth, 0.2)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_a_box_just_holds_an_ellipse(truth):
    rim = truth.rim(2000)
    assert truth.box == pytest.approx((*rim.min(axis=0), *rim.max(axis=0)), abs=1e-3)
    np.testing.assert_allclose(truth.away(*rim.T), 1.0)


@pytest.mark.parametrize("box", [(10, 20, 50, 40), (20, 10, 40, 50)])
def test_an_ellipse_of_a_box_has_that_box(box):
    found = ellipse_of_box(*box)
    assert found.box == pytest.approx(box)
    assert found.axis_ratio == 0.5
    assert found.diameter_px == pytest.approx(np.sqrt(800))


def test_eccentricity_of_circles_and_lines():
    assert eccentricity(1.0) == eccentricity(1.2) == 0.0
    assert eccentricity(0.0) == 1.0
    assert Ellipse(0, 0, 10, 6, 0).eccentricity == pytest.approx(0.8)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(0, 0)] * 8,
        [(0, 0), (1, 1), (2, 2)],
        [(i, 2 * i) for i in range(9)],
        [(np.nan, 1)] * 6,
        [1, 2, 3, 4, 5],
    ],
)
def test_points_without_an_ellipse_give_none(points):
    assert ellipse_of_points(points) is None


def test_a_mask_without_an_area_gives_none():
    assert ellipse_of_mask(np.zeros((5, 5), bool)) is None
