import numpy as np
import pytest
import torch

from core.dso.starless_network import (
    Sizes,
    StarlessNetwork,
    ready_network,
    remove_stars,
    shares,
    spans,
    star_light,
)
from core.models import LockedNetwork

TINY = Sizes((6, 8), (1, 1), (1,))


def a_network(seed=0, sizes=TINY, head=0.2):
    """Untrained, but with an answer."""
    torch.manual_seed(seed)
    network = StarlessNetwork(sizes)
    torch.nn.init.normal_(network.head.weight, std=head)
    return LockedNetwork(ready_network(network.state_dict()))


def a_picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_before_it_has_learned_it_takes_nothing_away():
    network = LockedNetwork(ready_network(StarlessNetwork(TINY).state_dict()))
    picture = a_picture(40, 50)
    np.testing.assert_array_equal(remove_stars(network, picture), picture)


@pytest.mark.parametrize("shape", [(40, 56), (37, 53), (1, 1), (3, 200)])
def test_no_pixel_becomes_brighter_whatever_the_size(shape):
    picture = a_picture(*shape)
    out = remove_stars(a_network(), picture)
    assert out.shape == picture.shape
    assert out.dtype == np.uint8
    assert (out <= picture).all()


@pytest.mark.parametrize("shape", [(301, 97), (150, 333), (257, 258)])
def test_tiles_are_joined_as_if_there_were_none(shape):
    picture = a_picture(*shape)
    network = a_network()
    whole = remove_stars(network, picture, tile_px=1024)
    told = []
    tiled = remove_stars(network, picture, told.append, tile_px=128, overlap_px=96, trim_px=40)
    assert len(told) > 1
    assert told == sorted(told)
    # Nothing is nearer to a tile's rim than the network sees; only sums of shares may be rounded.
    assert int(np.abs(whole.astype(int) - tiled.astype(int)).max()) <= 1
    assert float(np.mean(whole != tiled)) < 0.005
    assert (whole != picture).mean() > 0.2


@pytest.mark.parametrize("side", [10, 128, 129, 500, 1000])
def test_tiles_cover_a_side_and_share_it_wholly(side):
    tiles = spans(side, 128, 32)
    assert tiles[0][0] == 0
    assert tiles[-1][1] == side
    total = np.zeros(side)
    for (start, end), share in zip(tiles, shares(tiles, side, 8), strict=True):
        assert len(share) == end - start <= 128
        assert (share >= 0.0).all()
        total[start:end] += share
        if start:
            assert (share[:8] == 0.0).all()
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_sizes_are_read_off_the_weights():
    sizes = Sizes((4, 6, 8), (1, 2, 1), (2, 1))
    assert ready_network(StarlessNetwork(sizes).state_dict()).sizes == sizes


def test_bfloat16_says_nearly_the_same():
    torch.manual_seed(0)
    network = StarlessNetwork(TINY)
    torch.nn.init.normal_(network.head.weight, std=0.2)
    exact, quick = (
        star_light(LockedNetwork(ready_network(network.state_dict(), dtype)), a_picture(64, 64))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert np.abs(exact - quick).max() < 0.03 * np.abs(exact).max()
