import pytest
import torch
from torch import nn

from core.errors import ParameterInvalid
from core.explain.score import class_score, for_explaining
from tests.explain.networks import small_network


class Branching(nn.Module):
    """Its course depends on its input, which no trace can follow."""

    def __init__(self):
        super().__init__()
        self.inner = small_network()

    def forward(self, x):
        return self.inner(x) if x.sum() > 0 else -self.inner(x)


class Shared(nn.Module):
    """One convolution read by two normalisations: folding would change the other."""

    def __init__(self):
        super().__init__()
        self.conv, self.a, self.b = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        nn.init.constant_(self.b.running_mean, 0.5)

    def forward(self, x):
        x = self.conv(x)
        return (self.a(x) + self.b(x)).mean((2, 3))


@pytest.mark.parametrize("network", [small_network(), Branching().eval(), Shared().eval()])
def test_the_quick_copy_says_the_same_and_leaves_the_network_alone(network):
    pictures = torch.randn(2, 3, 32, 32)
    before = network(pictures)
    quick = for_explaining(network)

    torch.testing.assert_close(quick(pictures), before, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(pictures), before)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(parameter.requires_grad for parameter in quick.parameters())


def test_normalisations_after_convolutions_are_folded():
    norms = [
        module for module in for_explaining(small_network()).modules() if "BatchNorm" in repr(type(module))
    ]

    assert not norms


def test_logit_and_probability():
    network, pictures = small_network(), torch.randn(3, 3, 32, 32)
    logits = network(pictures)

    torch.testing.assert_close(class_score(network, 2)(pictures), logits[:, 2])
    torch.testing.assert_close(class_score(network, 2, softmax=True)(pictures), logits.softmax(1)[:, 2])


@pytest.mark.parametrize("index", [-1, 5])
def test_a_class_that_is_not_there_is_refused(index):
    with pytest.raises(ParameterInvalid, match="index"):
        class_score(small_network(classes=5), index)(torch.zeros(1, 3, 32, 32))
