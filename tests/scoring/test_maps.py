import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch import nn

from core.errors import ParameterInvalid
from core.scoring import maps


def spot(row=10, column=20, side=40):
    y, x = np.mgrid[:side, :side]
    return np.exp(-((x - column) ** 2 + (y - row) ** 2) / 18)


@pytest.mark.parametrize(
    ("boxes", "tolerance_px", "expected"),
    [
        ([[18, 8, 22, 12]], 0, True),
        ([[20, 10, 20, 10]], 0, True),
        ([[8, 18, 12, 22]], 0, False),  # x and y changed over
        ([[23, 10, 30, 12]], 0, False),
        ([[23, 10, 30, 12]], 3, True),
        ([[23, 14, 30, 20]], 4.9, False),  # 3 px right, 4 px down
        ([[23, 14, 30, 20]], 5, True),
        ([[0, 0, 2, 2], [18, 8, 22, 12]], 0, True),
        ([], 0, False),
    ],
)
def test_pointing(boxes, tolerance_px, expected):
    assert maps.pointing_game(spot(), boxes, tolerance_px) is expected


def test_pointing_into_a_flat_region_means_its_middle():
    relevance = np.zeros((20, 20))
    relevance[5:16, 2:13] = 1

    assert maps.pointing_game(relevance, [[7, 10, 7, 10]])
    assert not maps.pointing_game(relevance, [[2, 5, 3, 6]])


def test_mass_in_boxes_by_hand():
    relevance = np.array([[1.0, 2, 0], [3, -9, 4]])

    assert maps.relevance_mass(relevance, [[-0.5, -0.5, 0.5, 1.5]]) == pytest.approx(0.4)
    assert maps.relevance_mass(relevance, [[0, 0, 0, 1], [0, 1, 1, 1]]) == pytest.approx(0.4)  # counted once
    assert maps.relevance_mass(relevance, []) == 0
    assert np.isnan(maps.relevance_mass(-np.abs(relevance), [[0, 0, 1, 1]]))


def brightness(pictures):
    """A score that looks at the spot alone."""
    return (pictures * spot()).sum((1, 2, 3))


def test_inserting_what_matters_first_raises_the_score_soonest():
    shown = np.random.default_rng(1).normal(size=(1, 40, 40)).astype(np.float32) * 0.05 + spot().astype(
        np.float32
    )
    good, bad = (maps.insertion(brightness, shown, relevance, blur_px=10) for relevance in (spot(), -spot()))
    gone, kept = (maps.deletion(brightness, shown, relevance, blur_px=10) for relevance in (spot(), -spot()))

    assert good.area > bad.area * 1.3
    assert gone.area < kept.area * 0.8
    assert good.score[-1] == gone.score[0] == pytest.approx(brightness(shown[None])[0])
    assert good.score[0] == pytest.approx(gone.score[-1])
    assert len(good.share) == len(good.score) == 33


def test_the_area_under_the_curve_by_hand():
    shown = np.array([[[0.0, 0, 0, 4]]], np.float32)
    curve = maps.insertion(lambda p: p[:, 0, 0, 3] > 3.9, shown, [[0.0, 1, 2, 3]], steps=4, blur_px=50)

    np.testing.assert_array_equal(curve.score, [0, 1, 1, 1, 1])
    assert curve.area == pytest.approx(0.875)


def test_the_blur_is_a_twentieth_of_the_side():
    shown = np.random.default_rng(0).normal(size=(3, 40, 30)).astype(np.float32)

    np.testing.assert_array_equal(
        maps._blurred(shown, None), ndimage.gaussian_filter(shown, (0, 2, 2), mode="nearest")
    )


def test_psnr_by_hand():
    truth = np.array([[0.0, 10.0]])

    assert maps.psnr_db(truth, truth + 1) == pytest.approx(20)
    assert maps.psnr_db(truth, truth) == float("inf")
    assert maps.psnr_db(truth * 0, truth) == float("-inf")


def test_ssim_is_one_for_the_same_and_falls_with_noise():
    noisy = spot() + np.random.default_rng(0).normal(0, 0.1, (40, 40))

    assert maps.ssim(spot(), spot()) == pytest.approx(1)
    assert maps.ssim(spot(), noisy) < 0.6
    assert maps.ssim(3 * spot(), 3 * noisy) == pytest.approx(maps.ssim(spot(), noisy))


def test_correlations_agree_with_scipy():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(20, 25))
    b = np.round(a**3 + rng.normal(size=a.shape))  # with ties

    assert maps.spearman(a, b) == pytest.approx(stats.spearmanr(a.ravel(), b.ravel()).statistic)
    assert maps.pearson(a, b) == pytest.approx(stats.pearsonr(a.ravel(), b.ravel()).statistic)
    assert maps.spearman(a, np.exp(a)) == pytest.approx(1)
    assert np.isnan(maps.pearson(a, a * 0))
    assert np.isnan(maps.spearman(a * 0, a))


def test_top_iou_by_hand():
    a, b = np.arange(100.0).reshape(10, 10), np.arange(100.0).reshape(10, 10)
    assert maps.top_iou(a, b) == 1
    assert maps.top_iou(a, b[::-1]) == 0
    b[8] = -1  # ten of the top twenty give way to the next ten
    assert maps.top_iou(a, b) == pytest.approx(10 / 30)
    assert maps.top_iou(a * 0, b) == pytest.approx(0.2)  # a flat map has all pixels on top
    with pytest.raises(ParameterInvalid, match="share"):
        maps.top_iou(a, b, 0)


def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.Conv2d(6, 4, 5, padding=2), nn.Flatten(1)
    )


def gradient_map(model):
    shown = torch.from_numpy(spot()).float()[None, None].requires_grad_(True)
    return torch.autograd.grad((model(shown) ** 2).sum(), shown)[0][0, 0].numpy()


def test_a_map_of_the_network_follows_its_weights_and_one_of_the_picture_does_not():
    model = network()
    before = [parameter.clone() for parameter in model.parameters()]
    follows = maps.randomisation(model, gradient_map)
    stays = maps.randomisation(model, lambda _: spot())

    assert [step.layer for step in follows] == ["2", "0"]
    assert all(step.spearman < 0.95 for step in follows)
    assert all(step.spearman == pytest.approx(1) and step.ssim == pytest.approx(1) for step in stays)
    for old, new in zip(before, model.parameters(), strict=True):
        torch.testing.assert_close(old, new)


def test_layers_are_randomised_one_after_the_other_and_stay_so():
    model = network()
    seen = [
        (name, [not torch.equal(copy[i].weight, model[i].weight) for i in (0, 2)])
        for name, copy in maps.cascade(model)
    ]

    assert seen == [("2", [False, True]), ("0", [True, True])]


def test_the_same_seed_randomises_alike_and_leaves_other_random_numbers_alone():
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    first = [copy[0].weight.clone() for _, copy in maps.cascade(network(), ("0",), seed=4)]
    torch.manual_seed(9)
    second = [copy[0].weight.clone() for _, copy in maps.cascade(network(), ("0",), seed=4)]

    torch.testing.assert_close(first, second)
    torch.manual_seed(9)
    model = nn.Linear(2, 2)
    torch.manual_seed(9)
    list(maps.cascade(model))
    torch.testing.assert_close(torch.rand(3), expected)


def test_layers_without_weights_are_refused():
    with pytest.raises(ParameterInvalid, match="layers"):
        list(maps.cascade(network(), ("1",)))


@pytest.mark.parametrize("wrong", [np.zeros(5), np.zeros((0, 5)), np.full((3, 3), np.nan)])
def test_what_is_not_a_map_is_refused(wrong):
    with pytest.raises(ParameterInvalid):
        maps.pearson(wrong, wrong)
    with pytest.raises(ParameterInvalid):
        maps.pointing_game(wrong, [[0, 0, 1, 1]])


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(ParameterInvalid, match="second map"):
        maps.spearman(np.zeros((3, 3)), np.zeros((3, 4)))


def test_a_map_that_does_not_fit_its_picture_is_refused():
    with pytest.raises(ParameterInvalid, match="picture"):
        maps.insertion(brightness, np.zeros((1, 40, 40), np.float32), np.zeros((20, 20)))
