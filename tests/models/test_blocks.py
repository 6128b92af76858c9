import torch
from torch import nn

from core.models.blocks import BasicBlock, fold_norms


def test_folded_norms_give_the_same_answers():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False),
        nn.BatchNorm2d(16),
        BasicBlock(16, 32, 2),
        BasicBlock(32, 32, 1),
    )
    with torch.no_grad():
        for _ in range(4):  # so that the normalisations have seen something
            network(torch.rand(4, 3, 24, 24))
    network.eval()
    given = torch.rand(2, 3, 24, 24)
    with torch.inference_mode():
        before = network(given)
        fold_norms(network)
        torch.testing.assert_close(network(given), before, atol=1e-5, rtol=1e-5)
    assert before.shape == (2, 32, 12, 12)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
