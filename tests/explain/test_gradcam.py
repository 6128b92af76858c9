import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ParameterInvalid
from core.explain.gradcam import grad_cam_plus_plus
from tests.explain.networks import picture, small_network


class TwoChannels(nn.Module):
    """Sees where its picture is positive and where negative; class 0 is the sum of squares of the first."""

    def __init__(self):
        super().__init__()
        self.see = nn.Conv2d(1, 2, 1, bias=False)
        self.see.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)

    def forward(self, x):
        seen = torch.relu_(self.see(x))  # in place, on what is explained
        return torch.stack([(seen[:, 0] ** 2).sum((1, 2)), -seen.sum((1, 2, 3))], dim=1)


def by_hand(activation, gradient):
    """Equations 7, 10 and 19 of the paper, pixel by pixel."""
    relevance = np.zeros(activation.shape[1:])
    for a, g in zip(activation, gradient, strict=True):
        weight = 0.0
        for value in g.ravel():
            below = 2 * value**2 + a.sum() * value**3
            weight += (value**2 / below if below else 0.0) * max(value, 0.0)
        relevance += weight * a
    return np.maximum(relevance, 0)


def test_the_map_is_that_of_the_paper_at_the_size_of_the_layer():
    shown = np.array([[[1.0, -2.0], [3.0, 0.0]]], np.float32)
    got = grad_cam_plus_plus(TwoChannels(), "see", shown, 0)

    activation = np.concatenate([shown, -shown])
    gradient = np.concatenate([2 * np.maximum(shown, 0), np.zeros_like(shown)])
    expected = by_hand(activation, gradient)
    np.testing.assert_allclose(got, expected / expected.max(), rtol=1e-5)
    np.testing.assert_allclose(got, [[1 / 3, 0], [1, 0]], rtol=1e-5)


def test_a_real_layer_gives_the_paper_s_map_once_shrunk():
    network, shown = small_network(), picture(64)
    activation = network[:8](torch.from_numpy(shown[None])).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(network[8:](activation)[0, 1], activation)
    expected = by_hand(activation[0].detach().double().numpy(), gradient[0].double().numpy())
    got = grad_cam_plus_plus(network, "7", shown, 1)

    full = nn.functional.interpolate(torch.from_numpy(expected)[None, None], size=(64, 64), mode="bilinear")
    np.testing.assert_allclose(got, (full / full.max())[0, 0].numpy(), atol=1e-4)
    assert got.max() == pytest.approx(1)


def test_what_nothing_supports_has_an_empty_map():
    assert not grad_cam_plus_plus(TwoChannels(), "see", np.ones((1, 4, 4)), 1).any()


def test_the_network_is_left_without_hooks():
    network = TwoChannels()
    grad_cam_plus_plus(network, "see", np.ones((1, 4, 4)), 0)

    assert not network.see._forward_hooks


@pytest.mark.parametrize("layer", ["", "layer4", "9"])
def test_a_layer_without_a_map_is_refused(layer):
    with pytest.raises(ParameterInvalid, match="layer"):
        grad_cam_plus_plus(small_network(), layer, picture(64), 0)


def test_a_picture_of_another_shape_is_refused():
    with pytest.raises(ParameterInvalid, match="picture"):
        grad_cam_plus_plus(TwoChannels(), "see", np.ones((4, 4)), 0)
