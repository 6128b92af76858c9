"""What the networks that find clusters are shown beside the pixels: where the stars are, and how dense.

A cluster is a matter of how many stars stand where, which a network would have to learn from the pixels
first. It is cheaper told: stars are local peaks above the sky, as DAOFIND has them (Stetson 1987, PASP 99,
191), in units of the noise; they are counted around every place at several sizes, the faint ones with the
bright and the bright ones alone, and compared with the whole picture. B pictures, H × W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK_PX = 16
"""Side of the blocks in which stars are counted, and of which the sky is the mean."""
PEAKS_SIGMA = (2.0, 8.0, 32.0)
"""How far the peaks of stars, means of 3 × 3 pixels, stand above the sky, in units of a pixel's noise."""
AROUND = (1, 3, 7)
"""Sides of the squares in which stars are counted, in blocks."""
FEW = 0.5
"""Stars added to both counts, so that none compared with few says little."""
LEAST_NOISE = 0.5 / 255.0
LEAST_SEEN = 0.3
"""Blocks of which less is not black say nothing of the sky."""
N_VIEWS = 4 * 7 + len(PEAKS_SIGMA) * len(AROUND)


def views_of(picture: Tensor) -> Tensor:
    """``(B, 37, H/2, W/2)`` what is shown of ``(B, 3, H, W)`` pictures in [0, 1], H and W multiples of 16.

    The levels and their square roots, and the height above the sky in units of the noise, each of 2 × 2
    pixels; then the counts of stars around.
    """
    picture = picture.float()
    grey = picture.mean(dim=1, keepdim=True)
    height = _above_sky(grey)
    fine = torch.cat([picture * 2.0, picture.clamp(min=0.0).sqrt() * 2.0, torch.asinh(height) / 3.0], dim=1)
    counts = _counts(height)
    half = (picture.shape[-2] // 2, picture.shape[-1] // 2)
    coarse = F.interpolate(counts, size=half, mode="bilinear")
    return torch.cat([F.pixel_unshuffle(fine, 2) - 0.5, coarse], dim=1)


def _above_sky(grey: Tensor) -> Tensor:
    """``(B, 1, H, W)`` 3 × 3 means above the sky around, in standard deviations of the noise of a pixel."""
    differences = (grey[..., 2:] - grey[..., :-2]).flatten(1)
    noise = 1.4826 / 2.0**0.5 * differences.abs().median(dim=1).values.clamp(min=LEAST_NOISE)
    smooth = F.avg_pool2d(grey, 3, 1, 1, count_include_pad=False)
    part = F.avg_pool2d((grey > 0.0).float(), BLOCK_PX)
    blocks = torch.where(part > LEAST_SEEN, F.avg_pool2d(grey, BLOCK_PX) / part.clamp(min=LEAST_SEEN), 1.0)
    # Bright stars raise the mean of their block: the lowest of those around lies nearer to the sky. Where
    # nothing is seen the picture is black, and nothing is above a sky of 1.
    sky = F.avg_pool2d(-F.max_pool2d(-blocks, 3, 1, 1), 3, 1, 1, count_include_pad=False)
    sky = F.interpolate(sky, size=grey.shape[-2:], mode="bilinear")
    return (smooth - sky) / noise[:, None, None, None]


def _counts(height: Tensor) -> Tensor:
    """``(B, 9, H/16, W/16)`` logarithm of the stars around each block over those of the whole picture."""
    peak = (height == F.max_pool2d(height, 5, 1, 2)).float()
    stars = torch.cat([peak * (height > limit) for limit in PEAKS_SIGMA], dim=1)
    blocks = F.avg_pool2d(stars, BLOCK_PX) * BLOCK_PX**2
    usual = blocks.mean(dim=(2, 3), keepdim=True)
    found = []
    for side in AROUND:
        around = F.avg_pool2d(blocks, side, 1, side // 2, count_include_pad=False) * side**2
        found.append(torch.log((around + FEW) / (usual * side**2 + FEW)))
    return torch.cat(found, dim=1)
