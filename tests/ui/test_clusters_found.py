from dataclasses import dataclass

from core.ui.clusters_found import leading


@dataclass(frozen=True)
class Found:
    """What :func:`leading` asks of the clusters of a method."""

    name: str
    count: int

    def __len__(self) -> int:
        return self.count


def test_what_a_network_found_is_told_before_what_star_counts_found():
    unet, counts = Found("clusters.unet", 0), Found("clusters.density", 1)
    rival = Found("clusters.maskrcnn", 1)
    assert leading([unet, counts, rival]) is rival
    assert leading([Found("clusters.unet", 2), counts, rival]).name == "clusters.unet"
    assert leading([unet, counts]) is counts
    assert leading([unet]) is unet
    assert leading([]) is None
