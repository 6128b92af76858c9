import numpy as np
import pytest

from core.shapes import Ellipse
from core.surfaces.ellipses import eccentricity, ellipse_of_box, ellipse_of_mask, ellipse_of_points

ELLIPSES = [Ellipse(40.0, 30.0, 27.0, 0.55, angle) for angle in (0.0, 25.0, 90.0, 160.0)]


def same(one, other, tolerance):
    assert one.x == pytest.approx(other.x, abs=tolerance)
    assert one.y == pytest.approx(other.y, abs=tolerance)
    assert one.semi_axes == pytest.approx(other.semi_axes, abs=tolerance)
    assert (one.angle_deg - other.angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=4 * tolerance)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_an_ellipse_comes_back_from_its_rim(truth):
    same(ellipse_of_points(truth.outline[:-1]), truth, 1e-6)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_an_ellipse_comes_back_from_a_noisy_rim(truth):
    rim = truth.outline[:-1].repeat(4, axis=0)
    rim = rim + np.random.default_rng(0).normal(0, 0.5, rim.shape)
    same(ellipse_of_points(rim), truth, 0.3)


@pytest.mark.parametrize("truth", ELLIPSES)
def test_an_ellipse_comes_back_from_its_mask(truth):
    y, x = np.mgrid[:60, :80]
    inside = np.linalg.solve(truth.axes, [(x - truth.x).ravel(), (y - truth.y).ravel()])
    same(ellipse_of_mask((np.hypot(*inside) <= 1).reshape(x.shape)), truth, 0.2)


@pytest.mark.parametrize("box", [(10, 20, 50, 40), (20, 10, 40, 50)])
def test_an_ellipse_of_a_box_has_that_box(box):
    found = ellipse_of_box(*box)
    assert found.box == pytest.approx(box)
    assert found.axis_ratio == 0.5
    assert found.diameter_px == pytest.approx(np.sqrt(800))


def test_eccentricity_of_circles_and_lines():
    assert eccentricity(1.0) == eccentricity(1.2) == 0.0
    assert eccentricity(0.0) == 1.0
    assert eccentricity(0.6) == pytest.approx(0.8)


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
