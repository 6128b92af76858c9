"""What the networks that find clusters are shown beside the pixels: where the stars are, and how dense.

A cluster is a matter of how many stars stand where, which a network would have to learn from the pixels
first. It is cheaper told: stars are local peaks above the sky, as DAOFIND has them (Stetson 1987, PASP 99,
191), in units of the noise; they are counted around every place at several sizes, the faint ones with the
bright and the bright ones alone, and compared with the whole picture. Which stars are bright is a matter of
the picture: the brightest of each are counted too. B pictures, H × W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

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
BRIGHTEST = (1200, 4800, 19_200)
"""Pixels to each of the brightest stars of a picture: as many as there are so many pixels."""
WIDE_PX, APART_PX = 9, 11
"""Side of the squares that the brightest stars, however wide, are summed up in, and that hold one of them."""
LEAST_WIDE = 0.7
"""Least height of their squares above the sky, in units of the noise of a pixel."""
AROUND, BRIGHTEST_AROUND = (1, 3, 7), (3, 7, 13)
"""Sides of the squares in which stars and the brightest are counted, in blocks."""
FEW = 0.5
"""Stars added to both counts, so that none compared with few says little."""
LEAST_NOISE = 0.5 / 255.0
LEAST_SEEN, GAP = 0.3, 9
"""Blocks of which less belongs to the picture say nothing of the sky; and how wide black sky may be."""
N_FINE = 8 + len(PEAKS_SIGMA) + len(BRIGHTEST)
N_VIEWS = N_FINE * (VIEW_PX // FINE_PX) ** 2 + len(COUNTED) * len(AROUND)
N_VIEWS += len(BRIGHTEST) * len(BRIGHTEST_AROUND)


def views_of(picture: Tensor) -> Tensor:
    """``(B, 82, H/8, W/8)`` what is shown of ``(B, 3, H, W)`` pictures in [0, 1], H and W multiples of 16.

    Of each 4 × 4 pixels the mean levels and their square roots, the highest and the mean height above the sky
    in units of the noise, the stars of each brightness, and the brightest; then the counts of stars around.
    """
    picture = picture.float()
    grey = picture.mean(dim=1, keepdim=True)
    seen = _seen(grey)
    height = _above_sky(grey, seen)
    peak = height == F.max_pool2d(height, 5, 1, 2)
    by_height = [(peak & (height > limit)).float() for limit in PEAKS_SIGMA]
    brightest = _brightest(height, seen)
    stars = F.avg_pool2d(torch.cat([*by_height, brightest], dim=1), FINE_PX) * FINE_PX**2
    levels = F.avg_pool2d(picture, FINE_PX)
    tall = torch.cat([F.max_pool2d(height, FINE_PX), F.avg_pool2d(height, FINE_PX)], dim=1).asinh() / 3.0
    fine = torch.cat([levels * 2.0 - 0.5, levels.clamp(min=0.0).sqrt() * 2.0 - 0.5, tall, stars], dim=1)
    counts = [_counts(stars[:, COUNTED], AROUND), _counts(stars[:, len(PEAKS_SIGMA) :], BRIGHTEST_AROUND)]
    coarse = F.interpolate(torch.cat(counts, dim=1), scale_factor=BLOCK_PX / VIEW_PX, mode="bilinear")
    return torch.cat([F.pixel_unshuffle(fine, VIEW_PX // FINE_PX), coarse], dim=1)


def _seen(grey: Tensor) -> Tensor:
    """``(B, 1, H/16, W/16)`` part of each block that belongs to the picture.

    Photographs lie on black, and the sky of many is black too: black pixels with others on all sides, within
    :data:`GAP` places, are sky.
    """
    lit = (grey > 0.0).float()
    near = _highest(F.max_pool2d(lit, FINE_PX), GAP)
    inner = 1.0 - _highest(1.0 - near, GAP + 2)
    sky = F.interpolate(inner, scale_factor=float(FINE_PX), mode="nearest")
    return F.avg_pool2d(torch.maximum(lit, sky), BLOCK_PX)


def _highest(values: Tensor, side: int) -> Tensor:
    """The highest of the squares of an odd side around each place."""
    across = F.max_pool2d(values, (1, side), 1, (0, side // 2))
    return F.max_pool2d(across, (side, 1), 1, (side // 2, 0))


def _above_sky(grey: Tensor, seen: Tensor) -> Tensor:
    """``(B, 1, H, W)`` 3 × 3 means above the sky around, in standard deviations of the noise of a pixel."""
    differences = (grey[..., 2:] - grey[..., :-2]).flatten(1)
    noise = 1.4826 / 2.0**0.5 * differences.abs().median(dim=1).values.clamp(min=LEAST_NOISE)
    smooth = F.avg_pool2d(grey, 3, 1, 1, count_include_pad=False)
    blocks = F.avg_pool2d(grey, BLOCK_PX) / seen.clamp(min=LEAST_SEEN)
    blocks = torch.where(seen > LEAST_SEEN, blocks, 1.0)
    # Bright stars raise the mean of their block: the lowest of those around lies nearer to the sky. Where
    # nothing is seen the picture is black, and nothing is above a sky of 1.
    sky = F.avg_pool2d(-F.max_pool2d(-blocks, 3, 1, 1), 3, 1, 1, count_include_pad=False)
    sky = F.interpolate(sky, size=grey.shape[-2:], mode="bilinear")
    height: Tensor = (smooth - sky) / noise[:, None, None, None]
    return height


def _brightest(height: Tensor, seen: Tensor) -> Tensor:
    """``(B, 3, H, W)`` the brightest stars of each picture, 1 each.

    Args:
        height: ``(B, 1, H, W)`` above the sky, in units of the noise.
        seen: ``(B, 1, H/16, W/16)`` part of each block that belongs to the picture.
    """
    wide = F.avg_pool2d(height, WIDE_PX, 1, WIDE_PX // 2, count_include_pad=False)
    peak = (wide == _highest(wide, APART_PX)) & (wide > LEAST_WIDE)
    heights = torch.where(peak, wide, 0.0).flatten(1)
    most = max(heights.shape[1] // BRIGHTEST[0], 1)
    ranked = heights.topk(most + 1, dim=1).values
    area = seen.flatten(1).sum(dim=1, keepdim=True) * BLOCK_PX**2
    ranks = torch.cat([area // pixels for pixels in BRIGHTEST], dim=1).long().clamp(max=most)
    limits = ranked.gather(1, ranks)[..., None, None]  # of the first that is no longer one of them
    found: Tensor = (peak & (wide > limits)).float()
    return found


def _counts(stars: Tensor, around: Sequence[int]) -> Tensor:
    """``(B, S·K, H/16, W/16)`` logarithm of the stars around each block over those of the whole picture.

    Args:
        stars: ``(B, K, H/4, W/4)`` how many there are of each kind.
        around: Sides of the S squares in which they are counted, in blocks.
    """
    step = BLOCK_PX // FINE_PX
    blocks = F.avg_pool2d(stars, step) * step**2
    usual = blocks.mean(dim=(2, 3), keepdim=True)
    found = []
    for side in around:
        near = F.avg_pool2d(blocks, side, 1, side // 2, count_include_pad=False) * side**2
        found.append(torch.log((near + FEW) / (usual * side**2 + FEW)))
    return torch.cat(found, dim=1)
