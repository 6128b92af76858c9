"""The network of ``dso.starless``: a U-Net that says how much of a picture is starlight.

The shape is that of Ronneberger et al. 2015 (arXiv:1505.04597), the task that of StarNet (Misiura 2018,
github.com/nekitmm/starnet), which published no training and no small network; this one is our own. Blocks
are residual and have no normalisation (as EDSR, Lim et al. 2017, arXiv:1707.02921), so a picture is treated
alike whatever else is in the batch or the tile. It answers with light to take away, and what it would add is
ignored: nothing that was not in the picture can appear in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.models import LockedNetwork, cached_network, inference_dtype, load_state

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

TILE_PX, OVERLAP_PX, TRIM_PX = 1024, 128, 48
"""Side of a tile, what it shares with the next, and how much at its rim is not believed."""


@dataclass(frozen=True)
class Sizes:
    """Of the network.

    Attributes:
        channels: At strides 2, 4, 8, ... of the picture.
        down, up: Residual blocks at each stride on the way down, and up again (one less).
    """

    channels: tuple[int, ...] = (32, 64, 96, 128)
    down: tuple[int, ...] = (1, 2, 2, 2)
    up: tuple[int, ...] = (1, 1, 1)

    @property
    def stride_px(self) -> int:
        """Sides of what the network is given are multiples of this."""
        return int(2 ** len(self.channels))


class Block(nn.Module):
    """Two 3 × 3 convolutions beside a short cut; it begins as doing nearly nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        nn.init.kaiming_normal_(self.conv1.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(self.conv2.weight, nonlinearity="relu")
        for conv in (self.conv1, self.conv2):
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.conv2.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same."""
        out: Tensor = x + self.conv2(F.relu(self.conv1(F.relu(x))))
        return out


def _blocks(channels: int, n: int) -> nn.Sequential:
    return nn.Sequential(*(Block(channels) for _ in range(n)))


class StarlessNetwork(nn.Module):
    """Pictures to the light of their stars."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        super().__init__()
        self.sizes = sizes = sizes or Sizes()
        c = sizes.channels
        steps = list(pairwise(c))
        self.stem = nn.Conv2d(24, c[0], 3, 1, 1)
        self.down = nn.ModuleList(_blocks(w, n) for w, n in zip(c, sizes.down, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in steps)
        self.widen = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in steps)
        self.up = nn.ModuleList(_blocks(w, n) for w, n in zip(c[:-1], sizes.up, strict=True))
        self.head = nn.Conv2d(c[0], 12, 3, 1, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor) -> Tensor:
        """Light to take away, which may be less than none.

        Args:
            picture: ``(B, 3, H, W)`` in [0, 1], sides multiples of the stride.
        """
        views = torch.cat([picture, picture.clamp(min=0.0).sqrt()], dim=1) - 0.25  # (B, 6, H, W)
        x = self.stem(F.pixel_unshuffle(views, 2))  # (B, 24, H/2, W/2) -> (B, C0, H/2, W/2)
        passed: list[Tensor] = []
        for i, stage in enumerate(self.down):
            x = stage(x)  # (B, Ci, H/2^(i+1), W/2^(i+1))
            if i < len(self.shrink):
                passed.append(x)
                x = self.shrink[i](x)
        for i in reversed(range(len(self.up))):
            coarse = F.interpolate(self.widen[i](x), scale_factor=2.0, mode="nearest")
            x = self.up[i](passed[i] + coarse)  # (B, Ci, H/2^(i+1), W/2^(i+1))
        light: Tensor = F.pixel_shuffle(self.head(F.relu(x)), 2)  # (B, 12, H/2, W/2) -> (B, 3, H, W)
        return light


def starless_network(name: str) -> LockedNetwork[StarlessNetwork]:
    """The network of a card, loaded once its file's hash is known to be right.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """
    dtype = inference_dtype()
    return cached_network(name, lambda: ready_network(load_state(name), dtype), variant=str(dtype))


def ready_network(state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> StarlessNetwork:
    """The network with trained weights, its sizes read off them, computing in ``dtype``."""
    network = StarlessNetwork(_sizes_of(state)).eval()
    network.load_state_dict(dict(state))
    network.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.requires_grad_(False)


def remove_stars(
    network: LockedNetwork[StarlessNetwork],
    picture: UInt8,
    progress: Callable[[float], None] = lambda fraction: None,
    tile_px: int = TILE_PX,
    overlap_px: int = OVERLAP_PX,
    trim_px: int = TRIM_PX,
) -> UInt8:
    """``(H, W, 3)`` the picture without its stars, nowhere brighter than it was.

    Large pictures are worked on in tiles, row by row of tiles, whose answers are blended where they overlap:
    besides the picture and the answer, a row of tiles is all that is held.

    Args:
        network: As :func:`starless_network` gives it.
        picture: ``(H, W, 3)`` of any size.
        progress: Told the fraction done.
        tile_px: Side of a tile, a multiple of the network's stride.
        overlap_px: What a tile shares with the next, likewise.
        trim_px: Rim of a tile that is not believed where another tile shows it; less than half the overlap.
    """
    height, width = picture.shape[:2]
    out = np.empty_like(picture)
    rows, columns = (spans(side, tile_px, overlap_px) for side in (height, width))
    by_row, by_column = shares(rows, height, trim_px), shares(columns, width, trim_px)
    band: Float32 = np.zeros((rows[0][1] - rows[0][0], width, 3), np.float32)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            progress((i * len(columns) + j) / (len(rows) * len(columns)))
            light = star_light(network, picture[top:bottom, left:right])
            band[: bottom - top, left:right] += light * by_row[i][:, None, None] * by_column[j][:, None]
        done = rows[i + 1][0] if i + 1 < len(rows) else height
        left_over = picture[top:done] - 255.0 * np.maximum(band[: done - top], 0.0)
        out[top:done] = np.clip(np.rint(left_over), 0.0, 255.0)
        rest = band[done - top :].copy()
        band[:] = 0.0
        band[: len(rest)] = rest
    return out


def star_light(network: LockedNetwork[StarlessNetwork], picture: UInt8) -> Float32:
    """``(H, W, 3)`` light of the stars in parts of white, in one go; where it is negative there is none."""
    height, width = picture.shape[:2]
    with network.use() as run, torch.inference_mode():
        stride = run.sizes.stride_px
        given = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float().div_(255.0)
        given = F.pad(given, (0, -width % stride, 0, -height % stride), mode="replicate")
        given = given.to(run.head.weight.dtype).contiguous(memory_format=torch.channels_last)
        light = run(given)[0, :, :height, :width]
    found: Float32 = light.permute(1, 2, 0).float().numpy()
    return found


def spans(side: int, tile_px: int, overlap_px: int) -> list[tuple[int, int]]:
    """First and last pixel (exclusive) of tiles that cover a side; the last one may be shorter.

    Where both lengths are multiples of the network's stride, a tile sees the same grid as the whole picture.
    """
    step = tile_px - overlap_px
    n = 1 if side <= tile_px else 1 + -(-(side - tile_px) // step)
    return [(i * step, min(i * step + tile_px, side)) for i in range(n)]


def shares(tiles: Sequence[tuple[int, int]], side: int, trim_px: int) -> list[Float32]:
    """How much each tile has to say at each of its pixels along a side; together 1 everywhere."""
    found = []
    for i, (start, end) in enumerate(tiles):
        share = np.ones(end - start)
        at = np.arange(start, end, dtype=np.float64) + 0.5
        if i > 0:
            share = np.minimum(share, _ramp(at, start + trim_px, tiles[i - 1][1] - trim_px))
        if i + 1 < len(tiles):
            share = np.minimum(share, 1.0 - _ramp(at, tiles[i + 1][0] + trim_px, end - trim_px))
        found.append(share)
    total = np.zeros(side)
    for (start, end), share in zip(tiles, found, strict=True):
        total[start:end] += share
    return [
        (share / total[start:end]).astype(np.float32)
        for (start, end), share in zip(tiles, found, strict=True)
    ]


def _ramp(at: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """0 below ``low``, 1 above ``high``."""
    return np.clip((at - low) / max(high - low, 1e-9), 0.0, 1.0)


def _sizes_of(state: Mapping[str, Tensor]) -> Sizes:
    def blocks(way: str, stage: int) -> int:
        return len({key.split(".")[2] for key in state if key.startswith(f"{way}.{stage}.")})

    n = 1 + len({key.split(".")[1] for key in state if key.startswith("shrink.")})
    channels = tuple(
        int(state["stem.weight" if i == 0 else f"shrink.{i - 1}.weight"].shape[0]) for i in range(n)
    )
    return Sizes(
        channels, tuple(blocks("down", i) for i in range(n)), tuple(blocks("up", i) for i in range(n - 1))
    )
