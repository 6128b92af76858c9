import pytest
import torch

from core.models.unet import ResidualUNet, Sizes, ready

SMALL = Sizes((16, 16, 32), (1, 2, 1))


@pytest.mark.parametrize("answer_px", [8, 4, 2])
def test_it_answers_as_finely_as_is_wanted_and_begins_with_what_is_said(answer_px):
    network = ResidualUNet(3, (-2.0, 1.0), SMALL, base_px=8, answer_px=answer_px).eval()
    assert network.stride_px == 32
    said = network.answers(torch.rand(2, 3, 16, 24))
    assert said.shape == (2, 2, 128 // answer_px, 192 // answer_px)
    assert said.mean(dim=(0, 2, 3)).tolist() == pytest.approx([-2.0, 1.0], abs=0.3)


def test_its_features_are_a_pyramid():
    network = ResidualUNet(1, (0.0,), SMALL, base_px=4, answer_px=4)
    shapes = [tuple(part.shape) for part in network.pyramid(torch.rand(1, 1, 32, 48))]
    assert shapes == [(1, 16, 32, 48), (1, 16, 16, 24), (1, 32, 8, 12)]
    assert (
        str(network) == "16, 16, 32 channels at strides 4, 8, 16; 1, 2, 1 residual blocks down, one each up"
    )


def test_sizes_are_read_off_weights_and_off_text():
    network = ResidualUNet(1, (0.0,), SMALL)
    assert Sizes.of_state(network.state_dict()) == SMALL == Sizes.of_text("16,16,32/1,2,1")
    assert Sizes.of_text(None) is None


def test_made_ready_it_says_the_same():
    torch.manual_seed(0)
    network = ResidualUNet(1, (0.0, 0.0), SMALL, base_px=4)
    network.train()
    for _ in range(3):  # norms that are not those of the beginning
        network.answers(torch.randn(2, 1, 32, 32))
    network.eval()
    views = torch.randn(1, 1, 32, 64)
    state = {key: part.clone() for key, part in network.state_dict().items()}
    expected = network.answers(views).detach()
    fast = ready(ResidualUNet(1, (0.0, 0.0), SMALL, base_px=4), state)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in fast.modules())
    torch.testing.assert_close(fast.answers(views), expected, atol=1e-4, rtol=1e-3)
    assert not any(p.requires_grad for p in fast.parameters())
