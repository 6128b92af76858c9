"""The network's parts: shapes, invariances, and that folding its normalisations changes nothing."""

import pytest
import torch

from core.stars.hybrid_network import Dense, HybridNetwork, candidates, network_input, ready_network

WIDTH = torch.tensor([3.0])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = HybridNetwork()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return made.eval()


@pytest.fixture(scope="module")
def dense(network):
    with torch.inference_mode():
        image = torch.randn(2, 64, 96, generator=torch.Generator().manual_seed(1))
        return network.dense(image, torch.tensor([3.0, 3.0]))


def test_every_pixel_gets_a_probability_and_an_offset(network, dense):
    assert dense.logit.shape == (2, 64, 96)
    assert dense.offset.shape == (2, 2, 64, 96)
    assert dense.features.shape == (2, network.widths.dense, 32, 48)


def test_the_encoder_has_the_layout_of_resnet_34(network):
    convolutions = [
        module
        for stage in network.encoder.stages
        for module in stage.modules()
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size == (3, 3)
    ]

    assert [len(stage) for stage in network.encoder.stages] == [3, 4, 6, 3]
    assert len(convolutions) == 32  # with the stem and the head: 34


def test_what_lies_in_the_dark_does_not_depend_on_a_saturated_neighbours_value():
    image = torch.zeros(1, 16, 16)
    image[0, 3, 3] = 1e9

    seen = network_input(image, torch.tensor([3.0]))

    assert torch.isfinite(seen).all()
    assert seen.max() < 4.0


def test_filtered_noise_keeps_its_variance_whatever_the_width():
    noise = torch.randn(2, 256, 256, generator=torch.Generator().manual_seed(3))

    views = network_input(noise, torch.tensor([1.5, 7.0]))

    assert views.shape == (2, 7, 256, 256)
    for view in (2, 3, 4, 5):
        spread = views[:, view, 32:-32, 32:-32].std(dim=(1, 2)) * 5.0
        torch.testing.assert_close(spread, torch.ones(2), rtol=0.12, atol=0)


def test_the_width_of_the_stars_is_each_frames_own():
    image = torch.zeros(2, 64, 64)
    image[:, 32, 32] = 10.0

    views = network_input(image, torch.tensor([1.5, 7.0]))

    assert views[0, 5, 32, 32] > 2 * views[1, 5, 32, 32]
    torch.testing.assert_close(views[:, 6, 0, 0], torch.log(torch.tensor([0.5, 7.0 / 3.0])))


def _points(network, dense, rows, columns, valid=None):
    row, column = torch.tensor([rows] * 2), torch.tensor([columns] * 2)
    valid = torch.ones_like(row, dtype=torch.bool) if valid is None else torch.tensor([valid] * 2)
    with torch.inference_mode():
        return network.points(dense, row, column, valid)


def test_the_order_of_candidates_does_not_matter(network, dense):
    forth = _points(network, dense, [3, 10, 30, 60], [5, 90, 40, 7])
    back = _points(network, dense, [60, 30, 10, 3], [7, 40, 90, 5])

    for one, other in zip(forth, back, strict=True):
        torch.testing.assert_close(one, other.flip(1), rtol=1e-4, atol=1e-5)


def test_places_that_fill_up_the_table_change_nothing(network, dense):
    alone = _points(network, dense, [3, 10], [5, 90])
    filled = _points(network, dense, [3, 10, 4, 0], [5, 90, 6, 0], [True, True, False, False])

    for one, other in zip(alone, filled, strict=True):
        torch.testing.assert_close(one, other[:, :2], rtol=1e-4, atol=1e-5)


def test_a_candidate_sees_its_neighbours(network, dense):
    alone = _points(network, dense, [10], [50])
    beside = _points(network, dense, [10, 12], [50, 51])

    assert (alone.logit - beside.logit[:, :1]).abs().max() > 1e-4


def test_candidates_are_the_highest_of_their_surroundings():
    logit = torch.full((2, 16, 16), -9.0)
    logit[0, 4, 5], logit[0, 4, 6], logit[0, 12, 3] = 2.0, 1.0, 3.0
    logit[1, 0, 0] = -1.0

    row, column, valid = candidates(logit, -4.0, 10)

    assert row[0].tolist() == [12, 4]
    assert column[0].tolist() == [3, 5]
    assert valid.tolist() == [[True, True], [True, False]]
    assert (row[1, 0], column[1, 0]) == (0, 0)


def test_at_most_so_many_candidates_and_none_in_an_empty_frame():
    logit = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))

    assert candidates(logit, -9.0, 7)[0].shape == (1, 7)
    assert not candidates(torch.full((1, 16, 16), -9.0), -4.0, 10)[2].any()


def test_folded_normalisations_give_the_same_answers(network):
    image = torch.randn(1, 48, 48, generator=torch.Generator().manual_seed(2))
    folded = ready_network(network.state_dict())

    with torch.inference_mode():
        slow, fast = network.dense(image, WIDTH), folded.dense(image, WIDTH)

    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(slow.logit, fast.logit, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(slow.offset, fast.offset, rtol=1e-3, atol=1e-4)


def test_half_precision_is_close(network):
    image = torch.randn(1, 48, 48, generator=torch.Generator().manual_seed(2))
    half = ready_network(network.state_dict(), torch.bfloat16)

    with torch.inference_mode():
        exact, rough = network.dense(image, WIDTH), half.dense(image, WIDTH)

    assert isinstance(rough, Dense)
    assert rough.logit.dtype == torch.float32
    assert (exact.logit - rough.logit).abs().mean() < 0.05 * exact.logit.std() + 0.02
