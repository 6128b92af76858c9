"""The network of ``stars.hybrid``: an encoder that looks at pixels, attention that looks at neighbours.

B frames, H × W pixels (multiples of 16), N candidates a frame, C channels. The encoder is a ResNet-34
(He et al. 2016, arXiv:1512.03385) in its layout of 3, 4, 6 and 3 basic blocks, but narrow, and without the
pooling that would lose stars two pixels wide: each 2 × 2 pixels become channels instead. The candidates
attend to each other with vectors between them as position embedding (Point Transformer, Zhao et al. 2021,
arXiv:2012.09164): a blend is a question of neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.blocks import BasicBlock, fold_norms

STRIDE_PX = 16
"""Sides of a frame must be multiples of this."""
BLOCKS = (3, 4, 6, 3)
LEVELS_MAX = 60_000.0
FILTERS_PX = (0.8, 1.5, 2.8)
"""Widths of the Gaussian filters whose views the network is given besides the pixels."""
N_VIEWS = 4 + len(FILTERS_PX)
WIDTHS_PX = (1.0, 12.0)
"""Widths of stars beyond are taken for these."""
FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True)
class Widths:
    """Channels of the network.

    Attributes:
        encoder: Of the four stages, at strides 2, 4, 8 and 16.
        dense: Of the features at stride 2 that everything else is read from.
        point: Of a candidate.
        heads, neighbours, layers: Of the attention.
    """

    encoder: tuple[int, int, int, int] = (48, 64, 96, 128)
    dense: int = 48
    point: int = 96
    heads: int = 4
    neighbours: int = 12
    layers: int = 2


class Dense(NamedTuple):
    """What the encoder says of every pixel.

    Attributes:
        features: ``(B, C, H/2, W/2)``.
        logit: ``(B, H, W)`` log odds that a star's centre lies in the pixel.
        offset: ``(B, 2, H, W)`` x and y from the pixel's centre to the star's, in pixels.
    """

    features: Tensor
    logit: Tensor
    offset: Tensor


class Points(NamedTuple):
    """What is said of every candidate, ``(B, N)`` each.

    Attributes:
        x, y: Places in pixels.
        logit: Log odds that it is a star.
        log_flux: Natural logarithm of the flux in standard deviations of the noise of a pixel.
        log_snr: Natural logarithm of the signal-to-noise ratio.
    """

    x: Tensor
    y: Tensor
    logit: Tensor
    log_flux: Tensor
    log_snr: Tensor


def network_input(image: Tensor, fwhm_px: Tensor) -> Tensor:
    """``(B, 7, H, W)`` views of ``(B, H, W)`` standard deviations.

    The faint end, the bright end, what Gaussian filters see in units of their own noise (what a matched
    filter shows need not be learned), and the width of the stars itself.

    Args:
        image: Sky taken away, in standard deviations of the noise.
        fwhm_px: ``(B,)`` width of the stars, roughly; one of the filters has it.
    """
    b, height, width = image.shape
    image = image.float().clamp(-LEVELS_MAX, LEVELS_MAX)
    fwhm_px = fwhm_px.float().clamp(*WIDTHS_PX)
    sigmas = [*(torch.full_like(fwhm_px, one) for one in FILTERS_PX), fwhm_px / FWHM_PER_SIGMA]
    faint = [view.clamp(-5.0, 15.0) / 5.0 for view in (image, *(_filtered(image, s) for s in sigmas))]
    bright = torch.asinh(image) / 4.0
    size = torch.log(fwhm_px / 3.0)[:, None, None].expand(b, height, width)
    return torch.stack([faint[0], bright, *faint[1:], size], dim=1)


def _filtered(image: Tensor, sigma: Tensor) -> Tensor:
    """``(B, H, W)`` frames under Gaussians of ``(B,)`` widths that keep the variance of white noise."""
    reach = math.ceil(3.0 * float(sigma.max()))
    step = torch.arange(-reach, reach + 1, dtype=torch.float32, device=image.device)
    line = torch.exp(-0.5 * (step / sigma[:, None]) ** 2)
    line = (line / line.square().sum(dim=1, keepdim=True).sqrt())[:, None]  # (B, 1, K)
    with torch.autocast(image.device.type, enabled=False):  # the sums want all their digits
        rows = F.conv2d(image[None], line[..., None], padding=(reach, 0), groups=len(sigma))
        return F.conv2d(rows, line[:, :, None], padding=(0, reach), groups=len(sigma))[0]


class Encoder(nn.Module):
    """ResNet-34 with features at strides 2, 4, 8 and 16, joined from coarse to fine."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        first = widths.encoder[0]
        self.stem = nn.Sequential(
            nn.Conv2d(4 * N_VIEWS, first, 3, 1, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        stages, c_in = [], first
        for i, (n_blocks, c) in enumerate(zip(BLOCKS, widths.encoder, strict=True)):
            blocks = [BasicBlock(c_in if j == 0 else c, c, 2 if i and j == 0 else 1) for j in range(n_blocks)]
            stages.append(nn.Sequential(*blocks))
            c_in = c
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(nn.Conv2d(c, widths.dense, 1) for c in widths.encoder)
        self.smooth = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(widths.dense, widths.dense, 3, 1, 1, bias=False), nn.BatchNorm2d(widths.dense)
            )
            for _ in widths.encoder[:-1]
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 7, H, W)`` to ``(B, C, H/2, W/2)``."""
        x = self.stem(F.pixel_unshuffle(x, 2))  # (B, 28, H/2, W/2) -> (B, C0, H/2, W/2)
        levels = []
        for stage in self.stages:
            x = stage(x)  # (B, Ci, H/2^(i+1), W/2^(i+1))
            levels.append(x)
        joined: Tensor = self.lateral[3](levels[3])  # (B, C, H/16, W/16)
        for i in (2, 1, 0):
            coarse = F.interpolate(joined, scale_factor=2.0, mode="nearest")
            joined = F.relu(self.smooth[i](self.lateral[i](levels[i]) + coarse))  # (B, C, H/2^(i+1), ...)
        return joined


class PointAttention(nn.Module):
    """Each candidate looks at its nearest neighbours; the vectors to them are embedded with them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.place = nn.Sequential(nn.Linear(4, width), nn.GELU(), nn.Linear(width, width))
        self.out = nn.Linear(width, width)
        self.mix = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, points: Tensor, nearest: Tensor, vectors: Tensor, valid: Tensor) -> Tensor:
        """Attend.

        Args:
            points: ``(B, N, C)`` features.
            nearest: ``(B, N, K)`` numbers of the neighbours, the candidate itself among them.
            vectors: ``(B, N, K, 4)`` where they are.
            valid: ``(B, N, K)`` whether the neighbour is one.
        """
        b, n, k = nearest.shape
        c = points.shape[-1]
        normed = self.norm1(points)
        place = self.place(vectors)  # (B, N, K, C)
        q = self.query(normed).view(b, n, 1, self.heads, -1)  # (B, N, 1, heads, C/heads)
        batch = torch.arange(b, device=points.device)[:, None, None]
        keys = (self.key(normed)[batch, nearest] + place).view(b, n, k, self.heads, -1)
        values = (self.value(normed)[batch, nearest] + place).view(b, n, k, self.heads, -1)
        score = (q * keys).sum(-1) * (c // self.heads) ** -0.5  # (B, N, K, heads)
        score = score.masked_fill(~valid[..., None], -1e4)
        mixed = (score.softmax(dim=2)[..., None] * values).sum(2).reshape(b, n, c)
        points = points + self.out(mixed)
        result: Tensor = points + self.mix(self.norm2(points))
        return result


class HybridNetwork(nn.Module):
    """Encoder, attention between candidates, and the head that joins what both say."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        self.widths = widths = widths or Widths()
        self.encoder = Encoder(widths)
        last = nn.Conv2d(widths.dense, 12, 1)
        nn.init.normal_(last.weight, std=1e-2)
        nn.init.constant_(last.bias[:4], -4.0)  # type: ignore[index]  # stars are rare
        self.head = nn.Sequential(nn.Conv2d(widths.dense, widths.dense, 3, 1, 1), nn.ReLU(inplace=True), last)
        self.embed = nn.Linear(widths.dense + 1, widths.point)
        self.attention = nn.ModuleList(
            PointAttention(widths.point, widths.heads) for _ in range(widths.layers)
        )
        self.fusion = nn.Sequential(
            nn.LayerNorm(widths.point),
            nn.Linear(widths.point, widths.point),
            nn.GELU(),
            nn.Linear(widths.point, 5),
        )

    @property
    def pixel_dtype(self) -> torch.dtype:
        """What the convolutions are computed in, unless autocast says otherwise."""
        return self.encoder.lateral[0].weight.dtype  # type: ignore[return-value]

    def dense(self, image: Tensor, fwhm_px: Tensor) -> Dense:
        """Look at every pixel of ``(B, H, W)`` frames in standard deviations, with stars ``(B,)`` wide."""
        pixels = network_input(image, fwhm_px).to(self.pixel_dtype, memory_format=torch.channels_last)
        features = self.encoder(pixels)  # (B, 7, H, W) -> (B, C, H/2, W/2)
        full = F.pixel_shuffle(self.head(features), 2).float()  # (B, 12, H/2, W/2) -> (B, 3, H, W)
        return Dense(features, full[:, 0], full[:, 1:])

    def points(self, dense: Dense, row: Tensor, column: Tensor, valid: Tensor) -> Points:
        """Look at candidates in each other's company.

        Args:
            dense: What is known of the pixels.
            row, column: ``(B, N)`` the candidates' pixels.
            valid: ``(B, N)`` False for places that only fill up the table.
        """
        height, width = dense.logit.shape[1:]
        batch = torch.arange(len(row), device=row.device)[:, None]
        logit = dense.logit[batch, row, column]  # (B, N)
        shift = dense.offset[batch, :, row, column]  # (B, N, 2)
        x, y = column + shift[..., 0], row + shift[..., 1]
        # grid_sample wants -1 at the outer edge of the first pixel and 1 at that of the last.
        grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1).detach()
        sampled = F.grid_sample(
            dense.features.float(), grid[:, :, None], padding_mode="border", align_corners=False
        )  # (B, C, N, 1)
        known = torch.cat([sampled[..., 0].transpose(1, 2), logit.detach()[..., None]], dim=-1)
        features = self.embed(known)  # (B, N, C)
        nearest, vectors, near = self._neighbours(x.detach(), y.detach(), logit.detach(), valid)
        for layer in self.attention:
            features = layer(features, nearest, vectors, near)
        fused = self.fusion(features)  # (B, N, 5)
        return Points(
            x=x + fused[..., 0],
            y=y + fused[..., 1],
            logit=logit.detach() + fused[..., 2],
            log_flux=fused[..., 3],
            log_snr=fused[..., 4],
        )

    def _neighbours(
        self, x: Tensor, y: Tensor, logit: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """``(B, N, K)`` the nearest candidates, ``(B, N, K, 4)`` vectors to them, and which are real."""
        place = torch.stack([x, y], dim=-1)  # (B, N, 2)
        distance = torch.cdist(place, place).masked_fill(~valid[:, None, :], 1e6)  # (B, N, N)
        k = min(self.widths.neighbours, x.shape[1])
        near, nearest = distance.topk(k, dim=-1, largest=False)  # (B, N, K)
        batch = torch.arange(len(x), device=x.device)[:, None, None]
        step = place[batch, nearest] - place[:, :, None]  # (B, N, K, 2)
        length = step.norm(dim=-1, keepdim=True)
        direction = step / (length + 1.0)
        vectors = torch.cat([direction, 1.0 / (1.0 + length), torch.log1p(length)], dim=-1)
        return nearest, vectors, near < 1e5


def candidates(logit: Tensor, least_logit: float, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """The highest pixels of their 3 × 3 surroundings, best first.

    Args:
        logit: ``(B, H, W)``.
        least_logit: Lower pixels are none.
        most: At most so many a frame.

    Returns:
        ``(B, N)`` rows, columns, and whether the place holds one.
    """
    b, _, width = logit.shape
    peak = (logit == F.max_pool2d(logit[:, None], 3, 1, 1)[:, 0]) & (logit > least_logit)
    n = min(most, max(int(peak.sum(dim=(1, 2)).max()), 1))
    best, place = logit.masked_fill(~peak, -torch.inf).view(b, -1).topk(n, dim=1)
    return place // width, place % width, best > -torch.inf


def ready_network(state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> HybridNetwork:
    """The network with trained weights, made fast: normalisations are folded into the convolutions.

    Args:
        state: Weights as training left them.
        dtype: What convolutions are computed in; the attention stays in float32.
    """
    network = HybridNetwork().eval()
    network.load_state_dict(dict(state))
    fold_norms(network)
    for part in (network.encoder, network.head):
        part.to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.requires_grad_(False)
