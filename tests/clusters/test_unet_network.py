import numpy as np
import pytest
import torch
from scipy import ndimage

from core.clusters.unet_network import (
    RADIUS_PX,
    ClusterNetwork,
    answer_of,
    ellipse_of,
    instances,
    outlines,
    ready_network,
)
from core.models import LockedNetwork
from core.models.unet import Sizes
from core.models.windows import Grid, Window
from core.shapes import Ellipse
from tests.clusters.networks import disc, perfect_answer

SIZES = Sizes((16, 16, 32), (1, 2, 1))
WHOLE = Window(0, 0, 512, 512, 1.0, 0, (False,) * 4)


def test_it_has_at_most_three_million_numbers_and_answers_at_a_quarter():
    network = ClusterNetwork()
    assert sum(p.numel() for p in network.parameters()) <= 3_000_000
    small = ClusterNetwork(SIZES)
    said = small(torch.rand(2, 3, 64, 96))
    assert all(part.shape == (2, 16, 24) for part in said)
    assert len(said) == 9
    assert 0.0 < float(said.distance.detach().min()) < 1.0


@pytest.mark.parametrize("shape", [(64, 64), (50, 77), (9, 130)])
def test_pictures_of_any_size_are_answered_for_every_place(shape):
    network = LockedNetwork(ready_network(ClusterNetwork(SIZES).state_dict()))
    picture = np.random.default_rng(0).integers(0, 90, (*shape, 3)).astype(np.uint8)
    answer = answer_of(network, picture)
    assert answer.shape == (9, -(-shape[0] // 4), -(-shape[1] // 4))
    assert answer[:4].min() >= 0.0
    assert answer[:4].max() <= 1.0


def test_the_ready_network_is_the_trained_one():
    torch.manual_seed(1)
    network = ClusterNetwork(SIZES)
    with torch.no_grad():
        for _ in range(3):  # so that the normalisations have seen something
            network(torch.rand(4, 3, 64, 64))
    network.eval()
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        for ours, theirs in zip(ready_network(network.state_dict())(picture), network(picture), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_planted_clusters_come_back_from_perfect_answers():
    rng = np.random.default_rng(3)
    for _ in range(10):
        planted = [
            (float(x), float(y), float(rng.uniform(5, 14)), bool(rng.integers(2)))
            for x, y in ([25, 30], [90, 40], [60, 100])
        ]
        answer = perfect_answer((128, 128), planted)
        found = outlines(answer, WHOLE, Grid(512, 512), (0.0, 0.5, 0.25, 0.5, 0.0))
        assert len(found) == 3
        for x, y, radius, globular in planted:
            truth = disc((512, 512), 4 * x + 1.5, 4 * y + 1.5, 4 * radius) < 1.0
            best = max(2 * truth[_window(one)][one.inside].sum() / (truth.sum() + one.area) for one in found)
            assert best > 0.9
            mine = min(found, key=lambda one: _distance(one, 4 * x, 4 * y))
            assert (mine.globular > 0.5) == globular
            assert mine.score > 0.9


def test_clusters_that_meet_are_parted():
    answer = perfect_answer((128, 128), [(50, 64, 16, False), (76, 64, 14, True)])
    numbers = instances(answer)
    assert numbers.max() == 2
    assert numbers[64, 45] != numbers[64, 82]
    areas = np.bincount(numbers.ravel())[1:]
    assert areas.min() > 500


def test_an_outline_is_the_ellipse_that_its_middle_tells_of():
    planted = Ellipse(70.0, 60.0, 60.0, 0.5, 30.0)
    answer = perfect_answer((64, 64), [(17.125, 14.625, 6.0, False)])  # only the middle is sure to lie in it
    answer[4] = (planted.x - (np.arange(64)[None, :] + 0.5) * 4 + 0.5) / 30.0
    answer[5] = (planted.y - (np.arange(64)[:, None] + 0.5) * 4 + 0.5) / 30.0
    answer[6] = np.log(30.0 / RADIUS_PX)
    answer[7], answer[8] = np.cos(np.radians(60.0)) / 3.0, np.sin(np.radians(60.0)) / 3.0
    numbers = instances(answer)
    place = ndimage.find_objects(numbers)[0]
    found = ellipse_of(answer, place, numbers[place] == 1)
    assert (found.x, found.y, found.diameter_px, found.axis_ratio, found.angle_deg) == pytest.approx(
        (70.0, 60.0, 60.0, 0.5, 30.0), abs=1e-3
    )
    (one,) = outlines(answer, Window(0, 0, 256, 256, 1.0, 0, (False,) * 4), Grid(256, 256), (0.0,) * 5)
    assert one.area == pytest.approx(planted.area_px, rel=0.02)
    row, column = one.middle
    assert (column, row) == pytest.approx((70.0, 60.0), abs=0.5)


def test_a_mask_without_a_clear_middle_is_one_cluster():
    answer = perfect_answer((64, 64), [(30, 30, 12, False)])
    answer[1] = 0.0
    numbers = instances(answer)
    assert numbers.max() == 1
    assert (numbers > 0).sum() == (answer[0] > 0.5).sum()


def test_an_empty_sky_has_none():
    answer = np.zeros((9, 32, 32), np.float32)
    assert instances(answer).max() == 0
    assert outlines(answer, WHOLE, Grid(512, 512), (0.0, 1.0, 1.0, 1.0, 1.0)) == []


def _window(one):
    height, width = one.inside.shape
    return slice(one.row, one.row + height), slice(one.column, one.column + width)


def _distance(one, x, y):
    height, width = one.inside.shape
    return np.hypot(one.column + width / 2 - x, one.row + height / 2 - y)
