"""The network of ``dso.pix2pix``: it paints where an XRAI explanation would be hot, without a classifier.

A U-Net that halves a square picture seven times and doubles it back, with a short cut at each size: the
generator of Isola et al. 2017 (arXiv:1611.07004), narrower, with two changes. Users of the original found
that it paints differently in training and in evaluation: it draws noise from dropout and normalises over the
batch. Here nothing is drawn, and groups of channels of one picture are normalised (Wu & He 2018,
arXiv:1803.08494), so that a picture always gives the same map, alone or in a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from core.models import LockedNetwork, cached_network, inference_dtype, load_state, read_card

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SIDE_PX = 256
"""Side of the square picture and of the map."""
WIDTH, DEPTH = 32, 7
GROUP = 16
"""Channels that are normalised together."""
DARK = -2.0
"""Log odds an untrained network paints everywhere: most of a map is dark."""


class Generator(nn.Module):
    """Paints maps.

    Args:
        width: Channels after the first halving; they double until eight times as many.
        depth: How often the picture is halved; sides must be multiples of ``2**depth``.
    """

    def __init__(self, width: int = WIDTH, depth: int = DEPTH) -> None:
        super().__init__()
        self.width, self.depth = width, depth
        channels = [width * min(2**level, 8) for level in range(depth)]
        self.first = nn.Conv2d(3, channels[0], 4, 2, 1)
        self.down = nn.ModuleList(_halving(channels[level - 1], channels[level]) for level in range(1, depth))
        self.up = nn.ModuleList(
            _doubling(channels[level] * (1 if level == depth - 1 else 2), channels[level - 1])
            for level in range(depth - 1, 0, -1)
        )
        self.last = nn.ConvTranspose2d(2 * channels[0], 1, 4, 2, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(module.weight, 0.0, 0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.constant_(self.last.bias, DARK)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> Tensor:
        """``(B, 3, H, W)`` of :func:`as_input` to ``(B, 1, H, W)`` log odds of the map."""
        sizes = [self.first(pictures)]  # (B, width, H/2, W/2), then halved each time
        for halve in self.down:
            sizes.append(halve(sizes[-1]))
        x = sizes.pop()
        for double in self.up:
            x = torch.cat([double(x), sizes.pop()], dim=1)
        out: Tensor = self.last(F.relu(x))
        return out


def _halving(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LeakyReLU(0.2), nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False), nn.GroupNorm(_groups(c_out), c_out)
    )


def _doubling(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False),
        nn.GroupNorm(_groups(c_out), c_out),
    )


def _groups(channels: int) -> int:
    return max(1, channels // GROUP)


def as_input(pictures: UInt8) -> Tensor:
    """``(B, H, W, 3)`` pictures as ``(B, 3, H, W)`` in [-1, 1], channels last.

    By their square root: nebulae differ from the sky by a few of 255 levels.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    tensor: Tensor = (pixels.float() / 255.0).sqrt().mul(2.0).sub(1.0)
    return tensor.contiguous(memory_format=torch.channels_last)


def squared(picture: UInt8, side_px: int = SIDE_PX) -> tuple[UInt8, tuple[slice, slice]]:
    """A whole picture on a square, what it does not fill being of the colour of its sky.

    Args:
        picture: ``(H, W, 3)``.
        side_px: Of the square.

    Returns:
        ``(side_px, side_px, 3)``, and the rows and columns of it that show the picture.
    """
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(picture)
    if (w, h) != (width, height):
        way = Image.Resampling.BOX if scale <= 0.5 else Image.Resampling.BILINEAR
        image = image.resize((w, h), way)
    sky = np.median(picture.reshape(-1, 3)[:: max(1, picture.size // 300_000)], axis=0)
    square = np.empty((side_px, side_px, 3), np.uint8)
    square[:] = np.rint(sky).astype(np.uint8)
    top, left = (side_px - h) // 2, (side_px - w) // 2
    window = (slice(top, top + h), slice(left, left + w))
    square[window] = np.asarray(image)
    return square, window


def paint(network: LockedNetwork[Any], picture: UInt8) -> Float32:
    """``(h, w)`` map in [0, 1] of a whole ``(H, W, 3)`` picture, its longer side :data:`SIDE_PX`."""
    square, window = squared(picture)
    given = as_input(square[None])
    dtype = inference_dtype()
    with (
        network.use() as run,
        torch.inference_mode(),
        torch.autocast("cpu", dtype, enabled=dtype is not torch.float32),
    ):
        answer = run(given)
    painted: Float32 = torch.sigmoid(answer[0, 0].float()).numpy()
    return np.ascontiguousarray(painted[window])


def pix2pix_network(name: str) -> LockedNetwork[Generator]:
    """The generator of a card, loaded once its file's hash is known to be right.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """

    def build() -> Generator:
        extra = read_card(name).extra
        network = Generator(int(extra.get("width", WIDTH)), int(extra.get("depth", DEPTH)))
        network.load_state_dict(load_state(name))
        ready: Generator = network.eval().requires_grad_(False)
        return ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    return cached_network(name, build)
