"""A residual U-Net with batch normalisation, of any size: what several of our networks are built on.

The shape is that of Ronneberger et al. 2015 (arXiv:1505.04597), with the residual blocks of He et al. 2016
(arXiv:1512.03385). It begins at a stride where the pixels of a place have become channels, goes down by twos
and up again, and its answers become pixels as in Shi et al. 2016 (arXiv:1609.05158).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.blocks import BasicBlock, fold_norms

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Sizes:
    """Of the network.

    Attributes:
        channels: At each stride, the finest first; multiples of 16. Of other numbers torch 2.13 writes beyond
            its memory when it learns on a processor (1 × 1 convolutions of stride 2, channels last).
        down: Residual blocks at each stride on the way down; on the way up there is one each.
    """

    channels: tuple[int, ...] = (32, 48, 64, 96, 128, 160)
    down: tuple[int, ...] = (1, 2, 2, 2, 2, 2)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> Sizes:
        """Read off trained weights."""
        n = len({key.split(".")[1] for key in state if key.startswith("down.")})
        channels = tuple(int(state[f"down.{i}.0.conv1.weight"].shape[0]) for i in range(n))
        blocks = tuple(
            len({key.split(".")[2] for key in state if key.startswith(f"down.{i}.")}) for i in range(n)
        )
        return cls(channels, blocks)

    @classmethod
    def of_text(cls, text: str | None) -> Sizes | None:
        """``"16,16,16/1,1,1"``: channels, then blocks down; None for none."""
        return cls(*(tuple(map(int, part.split(","))) for part in text.split("/"))) if text else None


class ResidualUNet(nn.Module):
    """Views of a picture to answers.

    Args:
        views: Channels of what it is given.
        first: Log odds, or values, that each answer begins with.
        sizes: Of the network.
        base_px: Stride of what it is given.
        answer_px: Side of a place that is answered for: the base, or it over a power of 2.
    """

    def __init__(
        self, views: int, first: Sequence[float], sizes: Sizes, *, base_px: int = 2, answer_px: int = 2
    ) -> None:
        super().__init__()
        self.sizes, self.base_px, self.finer = sizes, base_px, base_px // answer_px
        c = sizes.channels
        self.stem = nn.Sequential(
            nn.Conv2d(views, c[0], 3, 1, 1, bias=False), nn.BatchNorm2d(c[0]), nn.ReLU(inplace=True)
        )
        stages = []
        for i, (before, width, n) in enumerate(zip((c[0], *c), c, sizes.down, strict=False)):
            begin = BasicBlock(before, width, 2 if i else 1)
            stages.append(nn.Sequential(begin, *(BasicBlock(width, width, 1) for _ in range(n - 1))))
        self.down = nn.ModuleList(stages)
        self.widen = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(c))
        self.up = nn.ModuleList(BasicBlock(fine, fine, 1) for fine in c[:-1])
        last = nn.Conv2d(c[0], len(first) * self.finer**2, 1)
        nn.init.normal_(last.weight, std=1e-2)
        with torch.no_grad():
            assert last.bias is not None  # noqa: S101 (it has one)
            last.bias.copy_(torch.tensor(first).repeat_interleave(self.finer**2))
        self.head = nn.Sequential(nn.Conv2d(c[0], c[0], 3, 1, 1), nn.ReLU(inplace=True), last)

    @property
    def stride_px(self) -> int:
        """Sides of pictures are multiples of this."""
        return int(self.base_px * 2 ** (len(self.sizes.channels) - 1))

    def pyramid(self, views: Tensor) -> list[Tensor]:
        """Features of ``(B, V, h, w)`` views at each stride, the finest first: ``(B, Ci, h/2^i, w/2^i)``."""
        x = self.stem(views)
        levels: list[Tensor] = []
        for stage in self.down:
            x = stage(x)
            levels.append(x)
        for i in reversed(range(len(self.up))):
            coarse = F.interpolate(self.widen[i](levels[i + 1]), scale_factor=2.0, mode="nearest")
            levels[i] = self.up[i](levels[i] + coarse)
        return levels

    def answers(self, views: Tensor) -> Tensor:
        """``(B, V, H/base_px, W/base_px)`` views of pictures to ``(B, N, H/answer_px, W/answer_px)``."""
        said: Tensor = self.head(self.pyramid(views)[0]).float()
        return F.pixel_shuffle(said, self.finer)

    def __str__(self) -> str:
        c = self.sizes.channels
        widths, strides, blocks = (
            ", ".join(map(str, each))
            for each in (c, [self.base_px * 2**i for i in range(len(c))], self.sizes.down)
        )
        return f"{widths} channels at strides {strides}; {blocks} residual blocks down, one each up"


def ready(network: Network, state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> Network:
    """A network with trained weights, made fast: normalisations folded, channels last, not to be trained."""
    network.eval()
    network.load_state_dict(dict(state))
    fold_norms(network)
    network.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.requires_grad_(False)
    return network
