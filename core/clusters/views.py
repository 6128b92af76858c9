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

VIEW_PX, FINE_PX = 8, 4
"""Stride of the views, and side of the places that pixels are summed up in."""
BLOCK_PX = 16
"""Side of the blocks in which stars are counted, and of which the sky is the mean."""
PEAKS_SIGMA = (2.0, 5.0, 12.0, 32.0, 100.0)
"""How far the peaks of stars, means of 3 × 3 pixels, stand above the sky, in units of a pixel's noise."""
COUNTED = (0, 2, 3)
"""Those of them whose stars are counted around."""
AROUND = (1, 3, 7)
"""Sides of the squares in which stars are counted, in blocks."""
FEW = 0.5
"""Stars added to both counts, so that none compared with few says little."""
LEAST_NOISE = 0.5 / 255.0
LEAST_SEEN = 0.3
"""Blocks of which less is not black say nothing of the sky."""
N_FINE = 8 + len(PEAKS_SIGMA)
N_VIEWS = N_FINE * (VIEW_PX // FINE_PX) ** 2 + len(COUNTED) * len(AROUND)


def views_of(picture: Tensor) -> Tensor:
    """``(B, 61, H/8, W/8)`` what is shown of ``(B, 3, H, W)`` pictures in [0, 1], H and W multiples of 16.

    Of each 4 × 4 pixels the mean levels and their square roots, the highest and the mean height above the sky
    in units of the noise, and the stars of each brightness; then the counts of stars around.
    """
    picture = picture.float()
    grey = picture.mean(dim=1, keepdim=True)
    height = _above_sky(grey)
    peak = height == F.max_pool2d(height, 5, 1, 2)
    stars = torch.cat([(peak & (height > limit)).float() for limit in PEAKS_SIGMA], dim=1)
    stars = F.avg_pool2d(stars, FINE_PX) * FINE_PX**2
    levels = F.avg_pool2d(picture, FINE_PX)
    tall = torch.cat([F.max_pool2d(height, FINE_PX), F.avg_pool2d(height, FINE_PX)], dim=1).asinh() / 3.0
    fine = torch.cat([levels * 2.0 - 0.5, levels.clamp(min=0.0).sqrt() * 2.0 - 0.5, tall, stars], dim=1)
    coarse = F.interpolate(_counts(stars), scale_factor=BLOCK_PX / VIEW_PX, mode="bilinear")
    return torch.cat([F.pixel_unshuffle(fine, VIEW_PX // FINE_PX), coarse], dim=1)


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
    height: Tensor = (smooth - sky) / noise[:, None, None, None]
    return height


def _counts(stars: Tensor) -> Tensor:
    """``(B, 9, H/16, W/16)`` logarithm of the stars around each block over those of the whole picture.

    Args:
        stars: ``(B, 5, H/4, W/4)`` how many there are of each brightness and above.
    """
    step = BLOCK_PX // FINE_PX
    blocks = F.avg_pool2d(stars[:, COUNTED], step) * step**2
    usual = blocks.mean(dim=(2, 3), keepdim=True)
    found = []
    for side in AROUND:
        around = F.avg_pool2d(blocks, side, 1, side // 2, count_include_pad=False) * side**2
        found.append(torch.log((around + FEW) / (usual * side**2 + FEW)))
    return torch.cat(found, dim=1)
