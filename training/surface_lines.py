"""Valleys and ridges found in relief: what stands lower, or higher, than the ground on both of its sides.

Widths and lengths are pixels: what counts as a line on a picture is looked for at the scale of the picture.

**Method.** Craters are taken out of the relief first: rims, walls and what they threw out are filled smoothly
from around them. Heights are then averaged along short lines of every direction and several widths, and such
a mean is compared with those of the lines beside it, left and right: the smaller of both differences, over
the distance, is how steeply a valley or ridge stands out. What stands out across a direction as much as along
it is a pit or a hill and no line, so that is taken off. The criterion of both sides is that of geomorphons
(Jasiewicz & Stepinski 2013, Geomorphology 182, 147), with Lindeberg's (1998, IJCV 30, 117) choice among
widths, and lines in place of points because wrinkle ridges are faint and long.

A line is kept where it stands out by :data:`LEAST_SLOPE` and :data:`OVER_ROUGH` times what is usual around
it, from there on as far as it stands out half as much, only near its crest or bed, and when it is long enough
for its width. On rough highlands nearly everything is the slope of something: what is usual there is steep,
and lines must be longer, so little is kept. What nearly passes is neither a line nor plain ground and is
marked as such. Scarps have one side only; a part of it counts for ridges, which shows the crests of large
ones.

``python -m training.surface_relief check --data DIR`` counts how many of the IAU's rilles and ridges have a
mask near. Of 26 rilles and valleys 22 had one (chance: 10.1), of 7 ridges 6 (chance: 4.1), and masks covered
3.2 and 2.7 times as much of the surroundings of a name as elsewhere. Names are the middles of features up to
300 km long, some narrower than a pixel, so more is not to be had from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.surface_truth import IGNORE, IS_PLAIN, IS_RIDGE, IS_VALLEY, TrueCrater, window_around

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

WIDTHS_PX = (1.0, 1.5, 2.2, 3.3, 5.0)
"""Sigmas across of the lines along which heights are averaged."""
LENGTHS, LEAST_LENGTH_PX, APART = 3.5, 7.0, 2.2
"""Sigma along, and the distance of the lines beside, in sigmas across."""
DIRECTIONS = 16
ONE_SIDE = 0.15
"""Part of the larger difference that counts for ridges."""
LEAST_SLOPE, OVER_ROUGH, ONWARD = 0.012, 3.2, 0.55
NEAR_CREST, NEAR_PX = 0.5, 13
"""Kept is what stands out this part of the most within a square of so many pixels."""
LEAST_LONG_PX, LONGER_IF_ROUGH_PX, LEAST_SLENDER = 22.0, 6000.0, 8.0
"""A line is so long, and longer where the usual slope is steeper, and the square of its extent so many times
its area."""
ROUGH_PX = (28.0, 80.0)
"""Sigmas of the areas of which the usual is taken; the rougher counts."""
DOUBTFUL_SHARE = 0.75
"""Of what is asked: what stands out as much is no plain ground."""
SMALLEST_PX, SMALL_PX, LARGE_PX = 2.0, 16.0, 70.0
"""Radii: smaller craters are taken for ones of the first; they are taken out whole up to the second, and the
floors of those above the third may hold lines."""
THROWN, WALL = ((6.0, 1.35), (60.0, 1.6), (np.inf, 1.4)), 0.64
"""What a crater threw out goes so far, by its radius, and its wall so deep, in its radii."""
HIDDEN_BEYOND, HIDDEN_FLOOR = 1.25, 0.5
"""No line is looked for so much further out, nor on the floor from there on: filling shows."""
EDGE_PX = 6


def find_lines(height: Float32, px_m: float, craters: Sequence[TrueCrater]) -> UInt8:
    """``(H, W)`` classes: plain, valley, ridge, or :data:`training.surface_truth.IGNORE`.

    Args:
        height: ``(H, W)`` metres.
        px_m: Metres a pixel.
        craters: And what may be one; basins that fill the ground are no craters here.
    """
    taken_out, hidden = _crater_masks(height.shape, craters)
    ridges, valleys = stand_out(filled(height, taken_out), px_m)
    classes = np.full(height.shape, IS_PLAIN, np.uint8)
    doubtful = np.zeros(height.shape, bool)
    for number, slope in ((IS_RIDGE, ridges), (IS_VALLEY, valleys)):
        kept, perhaps = _lines(slope, hidden)
        classes[kept & (classes == IS_PLAIN)] = number
        doubtful |= perhaps
    classes[doubtful & (classes == IS_PLAIN)] = IGNORE
    for edge in (np.s_[:EDGE_PX], np.s_[-EDGE_PX:], np.s_[:, :EDGE_PX], np.s_[:, -EDGE_PX:]):
        classes[edge] = IGNORE
    return classes


def stand_out(height: Float32, px_m: float) -> tuple[Float32, Float32]:
    """How steeply each place stands above, and below, both of its sides: two ``(H, W)`` of slopes.

    Args:
        height: ``(H, W)`` metres.
        px_m: Metres a pixel.
    """
    import cv2

    rows, columns = height.shape
    above, below = np.zeros_like(height), np.zeros_like(height)
    for width in WIDTHS_PX:
        length, apart = max(LENGTHS * width, LEAST_LENGTH_PX), APART * width
        half = int(np.ceil(2.5 * length))
        y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
        ridges, valleys = [], []
        for turn in np.pi * np.arange(DIRECTIONS) / DIRECTIONS:
            cos, sin = np.cos(turn), np.sin(turn)
            kernel = np.exp(-0.5 * (((x * cos + y * sin) / length) ** 2 + ((y * cos - x * sin) / width) ** 2))
            mean = cv2.filter2D(height, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
            sides = []
            for side in (apart, -apart):
                shift = np.array([[1, 0, -sin * side], [0, 1, cos * side]], np.float32)
                beside = cv2.warpAffine(mean, shift, (columns, rows), borderMode=cv2.BORDER_REFLECT)
                sides.append(mean - beside)
            low, high = np.minimum(*sides), np.maximum(*sides)
            ridges.append(low + ONE_SIDE * np.maximum(high, 0.0))
            valleys.append(-high)
        for best, lines in ((above, ridges), (below, valleys)):
            for number, line in enumerate(lines):
                across = lines[(number + DIRECTIONS // 2) % DIRECTIONS]
                np.maximum(best, (line - np.maximum(across, 0.0)) / np.float32(apart * px_m), out=best)
    return above, below


def filled(height: Float32, holes: Bool) -> Float32:
    """Heights with the holes filled smoothly from around them: pulled up a pyramid and pushed down again."""
    import cv2

    known = (~holes).astype(np.float32)
    levels = [(height * known, known)]
    while min(levels[-1][1].shape) > 4:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    total, weight = levels[-1]
    value = total / np.maximum(weight, 1e-6)
    for total, weight in levels[-2::-1]:
        coarse = cv2.pyrUp(value, dstsize=(weight.shape[1], weight.shape[0]))
        own = np.where(weight > 1e-6, total / np.maximum(weight, 1e-6), 0.0)
        value = (own * weight + coarse * (1.0 - weight)).astype(np.float32)
    for _ in range(40):
        value = np.where(holes, cv2.blur(value, (3, 3)), height)
    return np.asarray(value, np.float32)


def _crater_masks(shape: tuple[int, ...], craters: Sequence[TrueCrater]) -> tuple[Bool, Bool]:
    """Where relief is replaced, and where no line is looked for."""
    taken_out, hidden = np.zeros(shape, bool), np.zeros(shape, bool)
    for known in craters:
        one = dataclasses.replace(
            known, major_px=max(known.major_px, SMALLEST_PX), minor_px=max(known.minor_px, SMALLEST_PX)
        )
        thrown = next(reach for radius, reach in THROWN if one.major_px <= radius)
        window = window_around(one, HIDDEN_BEYOND * thrown, shape)
        if window is None:
            continue
        rows, columns = np.ogrid[window]
        away = one.away(columns, rows)
        taken_out[window] |= (away <= thrown) & ((away >= WALL) | (one.major_px < SMALL_PX))
        hidden[window] |= (away <= HIDDEN_BEYOND * thrown) & (
            (away >= HIDDEN_FLOOR) | (one.major_px < LARGE_PX)
        )
    return taken_out, hidden


def _lines(slope: Float32, hidden: Bool) -> tuple[Bool, Bool]:
    """Which places are on a line, and which may be."""
    import cv2
    from skimage.filters import apply_hysteresis_threshold
    from skimage.measure import label, regionprops

    usual = _usual(slope, hidden)
    asked = np.maximum(LEAST_SLOPE, OVER_ROUGH * usual)
    crest = slope >= NEAR_CREST * cv2.dilate(slope, np.ones((NEAR_PX, NEAR_PX), np.uint8))
    strength = np.where(crest, slope / asked, 0.0)
    found = apply_hysteresis_threshold(strength, ONWARD, 1.0) & ~hidden
    kept = np.zeros(slope.shape, bool)
    for part in regionprops(label(found, connectivity=2), intensity_image=usual):
        long = part.axis_major_length
        asked_long = LEAST_LONG_PX + LONGER_IF_ROUGH_PX * part.intensity_mean
        if long >= asked_long and long**2 >= LEAST_SLENDER * part.area:
            kept[part.slice] |= part.image
    perhaps = cv2.dilate(
        ((slope > DOUBTFUL_SHARE * asked) | (found & ~kept)).astype(np.uint8), np.ones((3, 3), np.uint8)
    )
    return kept, perhaps.astype(bool) & ~kept


def _usual(slope: Float32, hidden: Bool) -> Float32:
    """What is usual around a place, without craters; the square root keeps a single steep line from it."""
    import cv2

    small = (slope.shape[1] // 4, slope.shape[0] // 4)
    seen = np.where(hidden, 0.0, 1.0).astype(np.float32)
    total = cv2.resize(np.sqrt(slope) * seen, small, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(seen, small, interpolation=cv2.INTER_AREA)
    means = [
        cv2.GaussianBlur(total, (0, 0), step / 4.0)
        / np.maximum(cv2.GaussianBlur(weight, (0, 0), step / 4.0), 1e-3)
        for step in ROUGH_PX
    ]
    return np.asarray(cv2.resize(np.maximum(*means) ** 2, slope.shape[::-1]), np.float32)
