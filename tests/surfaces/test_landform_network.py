import numpy as np
import pytest
import torch

from core.models import LockedNetwork
from core.models.unet import Sizes
from core.surfaces.kinds import SEGMENTS
from core.surfaces.landform_network import (
    ANSWER_PX,
    Answer,
    LandformNetwork,
    local_contrast,
    look,
    middles,
    ready_network,
)

SMALL = Sizes((16, 16, 32, 32), (1, 1, 1, 1))


def an_answer(h=32, w=40):
    """Nothing anywhere."""
    return Answer(
        torch.zeros(1, len(SEGMENTS), h, w),
        torch.full((1, h, w), -9.0),
        torch.zeros(1, 2, h, w),
        torch.zeros(1, h, w),
        torch.zeros(1, 2, h, w),
    )


def test_it_answers_at_half_the_resolution_and_begins_with_plains():
    network = LandformNetwork().eval()
    assert sum(p.numel() for p in network.parameters()) < 4_000_000
    said = LandformNetwork(SMALL).eval()(torch.rand(2, 1, 64, 96))
    assert said.classes.shape == (2, len(SEGMENTS), 32, 48)
    assert said.middle.shape == said.size.shape == (2, 32, 48)
    assert said.offset.shape == said.shape.shape == (2, 2, 32, 48)
    assert (said.classes.argmax(dim=1) == SEGMENTS.index("plain")).all()
    assert said.middle.max() < -3.0


@pytest.mark.parametrize("shape", [(64, 64), (50, 77), (9, 130), (1, 33)])
def test_pictures_of_any_size_are_looked_at(shape):
    network = LockedNetwork(ready_network(LandformNetwork(SMALL).state_dict()))
    said = look(network, np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))
    assert said.logits.shape == (len(SEGMENTS), -(-shape[0] // ANSWER_PX), -(-shape[1] // ANSWER_PX))
    assert np.isfinite(said.logits).all()
    assert said.craters.shape[1] == 6


def test_a_middle_is_read_with_its_place_size_and_shape():
    said = an_answer()
    said.middle[0, 10, 20] = 3.0
    said.middle[0, 10, 21] = 2.0  # a neighbour is no crater of its own
    said.offset[0, :, 10, 20] = torch.tensor([0.25, -0.5])
    said.size[0, 10, 20] = np.log(2.0)  # radius 16 px: offsets are in units of 1.6 places
    said.shape[0, :, 10, 20] = torch.tensor([0.0, 0.2])
    (found,) = middles(said)
    assert found.shape == (1, 6)
    assert found[0].tolist() == pytest.approx([3.0, 2 * 20.9 - 0.5, 2 * 9.7 - 0.5, 16.0, 0.0, 0.2])


def test_contrast_does_not_change_with_level_and_gain():
    picture = torch.rand(1, 1, 64, 64)
    smooth = torch.nn.functional.interpolate(picture[..., ::8, ::8], size=(64, 64), mode="bilinear")
    one, other = local_contrast(smooth), local_contrast(0.3 + 0.5 * smooth)
    assert torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1] > 0.98
    assert local_contrast(torch.full((1, 1, 32, 32), 0.4)).abs().max() < 0.01
