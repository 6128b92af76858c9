import numpy as np
import pytest
import torch

from core.errors import ParameterInvalid
from core.explain.baselines import constant_baselines
from core.explain.integrated_gradients import (
    PathSettings,
    completeness_gap,
    integrated_gradients,
    quadrature,
)
from core.explain.score import class_score
from tests.explain.networks import picture, small_network

EXACT = {"precision": "float32"}


@pytest.mark.parametrize("rule", ["ends", "left", "midpoint", "trapezoid", "gauss"])
@pytest.mark.parametrize("steps", [2, 7])
def test_weights_sum_to_one_and_places_lie_on_the_path(rule, steps):
    places, weights = quadrature(rule, steps)

    assert len(places) == len(weights) == steps
    assert weights.sum() == pytest.approx(1)
    assert places.min() >= 0
    assert places.max() <= 1


def test_gauss_integrates_a_polynomial_that_the_others_only_approach():
    errors = {
        rule: abs(quadrature(rule, 4)[1] @ quadrature(rule, 4)[0] ** 7 - 1 / 8)
        for rule in ("left", "trapezoid", "midpoint", "gauss")
    }

    assert errors["gauss"] < 1e-12
    assert errors["gauss"] < errors["midpoint"] < errors["trapezoid"] < errors["left"]


def test_a_product_is_shared_as_by_hand():
    def product(pictures):
        return pictures[:, 0, 0, 0] * pictures[:, 0, 0, 1] ** 2

    got = integrated_gradients(
        product, [[[2.0, 3.0]]], [[[[0.0, 0.0]]], [[[2.0, 0.0]]]], PathSettings(3, "gauss", **EXACT)
    )

    # x y²: along (2t, 3t) the integrals are 2 ∫ 9t² = 6 and 3 ∫ 12t² = 12; along (2, 3t) only y moves.
    np.testing.assert_allclose(got[0], [[[6, 12]]], rtol=1e-6)
    np.testing.assert_allclose(got[1], [[[0, 18]]], rtol=1e-6)


def test_a_linear_score_is_its_weights_times_the_difference():
    weights = torch.arange(12.0).reshape(3, 2, 2)
    shown = np.ones((3, 2, 2), np.float32)
    got = integrated_gradients(
        lambda x: (x * weights).sum((1, 2, 3)), shown, [-shown], PathSettings(1, **EXACT)
    )

    np.testing.assert_allclose(got[0], 2 * weights.numpy())


def test_attributions_sum_to_the_difference_of_the_scores():
    score, shown = class_score(small_network(), 2), picture(64)
    starts = constant_baselines(shown)
    got = integrated_gradients(score, shown, starts, PathSettings(64, "gauss", 32, "float32"))

    scores = score(torch.from_numpy(np.concatenate([shown[None], starts]))).detach().numpy()
    np.testing.assert_allclose(got.sum((1, 2, 3)), scores[0] - scores[1:], atol=0.03 * np.ptp(scores))
    assert np.abs(completeness_gap(score, shown, starts, got)).max() < 0.03 * np.ptp(scores)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_batch_changes_nothing(batch):
    score, shown = class_score(small_network(), 1), picture(32)
    starts = constant_baselines(shown)
    one = integrated_gradients(score, shown, starts, PathSettings(5, "gauss", 10, "float32"))
    got = integrated_gradients(score, shown, starts, PathSettings(5, "gauss", batch, "float32"))

    np.testing.assert_allclose(got, one, atol=1e-6 * np.abs(one).max() * 10)


def test_low_precision_is_close():
    score, shown = class_score(small_network(), 1), picture(64)
    starts = constant_baselines(shown)
    fine, low = (
        integrated_gradients(score, shown, starts, PathSettings(16, "gauss", 16, precision))
        for precision in ("float32", "bfloat16")
    )

    assert 0.95 < np.corrcoef(fine.ravel(), low.ravel())[0, 1] < 1


def test_progress_is_told_and_may_stop_the_work():
    told = []

    def stop(done, doing):
        told.append(done)
        if done >= 0.5:
            raise KeyboardInterrupt

    shown = picture(32)
    with pytest.raises(KeyboardInterrupt):
        integrated_gradients(
            class_score(small_network(), 0), shown, shown[None] * 0, PathSettings(8, batch=2), progress=stop
        )
    assert told == [0.25, 0.5]


@pytest.mark.parametrize(
    ("shown", "start", "match"),
    [
        (np.zeros((4, 4)), np.zeros((1, 4, 4)), "picture"),
        (np.zeros((3, 4, 4)), np.zeros((3, 4, 4)), "baselines"),
        (np.zeros((3, 4, 4)), np.zeros((0, 3, 4, 4)), "baselines"),
        (np.zeros((3, 4, 4)), np.zeros((1, 3, 4, 5)), "baselines"),
        (np.full((3, 4, 4), np.nan), np.zeros((1, 3, 4, 4)), "finite"),
    ],
)
def test_what_does_not_fit_is_refused(shown, start, match):
    with pytest.raises(ParameterInvalid, match=match):
        integrated_gradients(lambda x: x.sum((1, 2, 3)), shown, start)


def test_a_score_that_is_not_one_number_a_picture_is_refused():
    with pytest.raises(ParameterInvalid, match="score"):
        integrated_gradients(lambda x: x.sum(), np.zeros((3, 4, 4)), np.zeros((1, 3, 4, 4)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"rule": "trapezoid", "steps": 1},
        {"batch": 0},
        {"rule": "simpson"},
        {"precision": "half"},
    ],
)
def test_settings_out_of_bounds_are_refused(wrong):
    with pytest.raises(ParameterInvalid):
        PathSettings(**wrong)
