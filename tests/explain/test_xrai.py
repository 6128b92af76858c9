import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from core.errors import ParameterInvalid
from core.explain.integrated_gradients import PathSettings
from core.explain.score import class_score, for_explaining
from core.explain.segments import Segments, segment
from core.explain.xrai import XraiSettings, explain, in_order
from tests.explain.networks import picture, small_network

QUICK = XraiSettings(path=PathSettings(4, precision="float32"))


def by_saliency(network, index, shown, **settings):
    """``saliency`` 0.2.1 as its manual shows it, on a network of torch."""
    import saliency.core as saliency

    def call(pictures, call_model_args=None, expected_keys=None):
        points = torch.tensor(np.moveaxis(pictures, -1, 1), dtype=torch.float32, requires_grad=True)
        (gradient,) = torch.autograd.grad(network(points)[:, index].sum(), points)
        return {saliency.INPUT_OUTPUT_GRADIENTS: np.moveaxis(gradient.numpy(), 1, -1)}

    parameters = saliency.XRAIParameters(return_xrai_segments=True, return_ig_attributions=True, **settings)
    return saliency.XRAI().GetMaskWithDetails(np.moveaxis(shown, 0, -1), call, extra_parameters=parameters)


@pytest.fixture(scope="module")
def published():
    network, shown = small_network(), picture(128)
    return network, shown, by_saliency(network, 3, shown)


def test_the_reference_settings_give_what_saliency_gives(published):
    network, shown, theirs = published
    ours = explain(class_score(network, 3), shown, XraiSettings.reference())

    base = np.mean(theirs.ig_attribution, axis=0).max(axis=-1)
    np.testing.assert_allclose(ours.attribution, base, atol=1e-4 * np.abs(base).max())
    assert spearmanr(ours.map.ravel(), theirs.attribution_mask.ravel()).statistic > 0.99
    assert np.mean(ours.order == theirs.segments) > 0.95


def test_the_fast_settings_rank_pixels_alike(published):
    network, shown, theirs = published
    ours = explain(class_score(for_explaining(network), 3), shown)

    assert spearmanr(ours.map.ravel(), theirs.attribution_mask.ravel()).statistic > 0.95


def test_pieces_are_those_of_saliency():
    from saliency.core import xrai

    shown = picture(160)
    theirs = xrai._get_segments_felzenszwalb(np.moveaxis(shown, 0, -1))
    ours = segment(shown)
    theirs = [mask for mask in theirs if mask.any()]

    assert len(ours) == len(theirs) > 20
    for index, mask in enumerate(theirs):
        np.testing.assert_array_equal(ours.mask(index), mask)


@pytest.mark.parametrize("area_share", [0.3, 1.0])
def test_the_order_is_that_of_saliency_whatever_the_pieces(area_share):
    from saliency.core import XRAI

    rng = np.random.default_rng(3)
    attribution = rng.normal(size=(60, 50)).astype(np.float32)
    y, x = np.mgrid[:60, :50]
    masks = [np.hypot(x - rng.uniform(0, 50), y - rng.uniform(0, 60)) < rng.uniform(5, 20) for _ in range(40)]
    map_, order = XRAI._xrai(attribution, masks, area_perc_th=area_share)
    ours, gains = in_order(attribution, Segments.from_masks(masks), area_share=area_share)

    np.testing.assert_array_equal(ours, order)
    np.testing.assert_allclose(gains[ours - 1], map_, atol=1e-6)


def test_the_brighter_piece_comes_first_and_leftovers_last():
    attribution = np.zeros((20, 20), np.float32)
    attribution[:, :8], attribution[:, 8:14] = 1.0, 3.0
    left, middle = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    left[:, :10], middle[:, 8:14] = True, True
    order, gains = in_order(attribution, Segments.from_masks([left, middle]))

    np.testing.assert_array_equal(gains, [3, 1, 0])  # the left piece without what the middle one took
    np.testing.assert_array_equal(order[0], [2] * 8 + [1] * 6 + [3] * 6)


def test_a_piece_that_adds_little_is_dropped():
    attribution = np.ones((20, 20), np.float32)
    whole, small = np.ones((20, 20), bool), np.zeros((20, 20), bool)
    small[:3, :3], attribution[:3, :3] = True, 9.0
    order, gains = in_order(attribution, Segments.from_masks([small, whole]), min_new_px=10)

    assert len(gains) == 1
    assert (order == 1).all()


def test_an_explanation_is_whole_and_its_parts_agree():
    shown = picture(96)
    got = explain(class_score(small_network(), 0), shown, QUICK)

    assert got.map.shape == got.order.shape == got.attribution.shape == (96, 96)
    assert got.map.dtype == np.float32
    assert set(np.unique(got.order)) == set(range(1, len(got.gains) + 1))
    for rank in (1, len(got.gains)):
        region = got.region(rank)
        assert got.map[region].mean() == pytest.approx(got.attribution[region].mean(), rel=1e-3, abs=1e-7)
    assert got.map.sum(dtype=float) == pytest.approx(got.attribution.sum(dtype=float), rel=1e-3)
    assert set(got.seconds) == {"gradients", "pieces", "order"}


def test_pieces_can_be_used_again_for_another_class():
    shown, network = picture(64), small_network()
    first = explain(class_score(network, 0), shown, QUICK)
    again = explain(class_score(network, 1), shown, QUICK, segments=first.segments)
    fresh = explain(class_score(network, 1), shown, QUICK)

    np.testing.assert_array_equal(again.map, fresh.map)
    assert not np.array_equal(again.map, first.map)


def test_a_frame_that_is_not_square_keeps_its_shape():
    shown = picture(96)[:, :60]
    got = explain(class_score(small_network(), 0), shown, QUICK)

    assert got.map.shape == (60, 96)
    assert np.isfinite(got.map).all()


def test_a_flat_frame_has_one_region_that_counts_for_nothing():
    got = explain(class_score(small_network(), 0), np.full((3, 64, 64), 0.3, np.float32), QUICK)

    assert len(got.gains) == 1
    assert not got.map.any()


def test_progress_grows_to_one_and_may_stop_the_work():
    told = []
    explain(
        class_score(small_network(), 0), picture(64), QUICK, progress=lambda done, doing: told.append(done)
    )
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(done, doing):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(class_score(small_network(), 0), picture(64), QUICK, progress=stop)


@pytest.mark.parametrize(
    "wrong", [{"area_share": 1.5}, {"baselines": ()}, {"baselines": ("grey",)}, {"scales": ()}]
)
def test_settings_out_of_bounds_are_refused(wrong):
    with pytest.raises(ParameterInvalid, match=next(iter(wrong))):
        XraiSettings(**wrong)


def test_pictures_and_pieces_that_do_not_fit_are_refused():
    score = class_score(small_network(), 0)
    with pytest.raises(ParameterInvalid, match="picture"):
        explain(score, np.zeros((8, 8)))
    with pytest.raises(ParameterInvalid, match="segments"):
        explain(score, picture(64), QUICK, segments=segment(picture(96)))
