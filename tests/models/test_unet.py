import pytest
import torch

from core.models.unet import ResidualUNet, Sizes, ready

SMALL = Sizes((16, 16, 32), (1, 2, 1))


@pytest.mark.parametrize("answer_px", [2, 4])
def test_it_answers_at_the_stride_that_is_wanted_and_begins_with_what_is_said(answer_px):
    network = ResidualUNet(3, answer_px, (-2.0, 1.0), SMALL).eval()
    said = network.answers(torch.rand(2, 3, 32, 48))
    assert said.shape == (2, 2, 64 // answer_px, 96 // answer_px)
    assert said.mean(dim=(0, 2, 3)).tolist() == pytest.approx([-2.0, 1.0], abs=0.3)


def test_sizes_are_read_off_weights_and_off_text():
    network = ResidualUNet(1, 2, (0.0,), SMALL)
    assert Sizes.of_state(network.state_dict()) == SMALL == Sizes.of_text("16,16,32/1,2,1")
    assert Sizes.of_text(None) is None
    assert str(SMALL) == "16, 16, 32 channels at strides 2, 4, 8, 1, 2, 1 blocks down and one each up"


def test_made_ready_it_says_the_same():
    torch.manual_seed(0)
    network = ResidualUNet(1, 4, (0.0, 0.0), SMALL)
    network.train()
    for _ in range(3):  # norms that are not those of the beginning
        network.answers(torch.randn(2, 1, 32, 32))
    network.eval()
    views = torch.randn(1, 1, 32, 64)
    state = {key: part.clone() for key, part in network.state_dict().items()}
    expected = network.answers(views).detach()
    fast = ready(ResidualUNet(1, 4, (0.0, 0.0), SMALL), state)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in fast.modules())
    torch.testing.assert_close(fast.answers(views), expected, atol=1e-4, rtol=1e-3)
    assert not any(p.requires_grad for p in fast.parameters())
