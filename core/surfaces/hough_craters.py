"""Craters by matched filters: every place and size of a picture is weighed, and the best of each place kept.

The picture is halved again and again, so that filters of five sizes serve every crater. What answers is cut
into sectors, as a tenth of a circle that shines is no crater, and the rim is followed to an ellipse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.shapes import Ellipse
from core.surfaces.hough_template import (
    LEAST_CONTRAST,
    REACH,
    SECTOR_OFFSET,
    SECTOR_WEIGHTS,
    TEMPLATE,
    disc,
    sectors,
)
from core.surfaces.sunlight import Sunlight

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]

SMALLEST_RADIUS = 4.5
_STEP = 2.0**0.2
RADII = tuple(6.0 * _STEP**step for step in range(5))
"""Radii of the filters, in pixels of the picture as it has been shrunk so far."""
EXTRA_RADII = (SMALLEST_RADIUS, 5.2)
"""Radii that only the whole picture is searched with."""
LEAST_SEEN = 0.8
"""Least part of a filter's disc that lies on the picture, not on missing pixels nor outside."""
LEAST_WEIGHT = 0.5
"""Weaker answers are not looked at: whatever their sectors say, the score stays below 0.05."""
MOST_CRATERS = 20_000
NEAR, ALIKE = 0.7, 1.7
"""Two circles are one crater when their middles are nearer than the first part of the larger radius, and
their radii differ by less than the second factor."""
UNLIT_PENALTY = 1.0
"""Taken from the weight where the side of the light is not known, for each place tries four."""
LEAST_ODDS = -3.0
"""Whose sectors give less is dropped: a score below 0.05."""
ANGLES = 32
SCALES = np.linspace(0.7, 1.3, 13)
"""Directions and parts of the radius in which the rim is looked for."""


@dataclass(frozen=True)
class Level:
    """A picture shrunk for craters of some size.

    Attributes:
        grey: ``(h, w)`` levels.
        seen: ``(h, w)`` part of each pixel that is there.
        shrink: Pixels of the frame along a side of one of its pixels.
        radii: Of the filters, in its pixels.
    """

    grey: Float32
    seen: Float32
    shrink: int
    radii: tuple[float, ...]


def levels(picture: UInt8, seen: Bools, largest_radius: float) -> Iterator[Level]:
    """The picture, and again and again half of it, as long as craters of some size are looked for."""
    grey, there, shrink = picture.astype(np.float32), seen.astype(np.float32), 1
    while True:
        radii = (*EXTRA_RADII, *RADII) if shrink == 1 else RADII
        own = tuple(radius for radius in radii if radius * shrink <= largest_radius)
        if not own or min(grey.shape) < 4.0 * min(own):
            return
        yield Level(grey, there, shrink, own)
        grey, there, shrink = _halved(grey), _halved(there), 2 * shrink


def find_craters(
    picture: UInt8,
    seen: Bools,
    light: Sunlight,
    diameters_px: tuple[float, float],
    progress: Callable[[float], None] = lambda done: None,
) -> tuple[list[tuple[Ellipse, float]], float | None]:
    """Craters with their scores, the surest first, and the sun's azimuth; None where it cannot be told.

    Args:
        picture: ``(H, W)`` levels.
        seen: ``(H, W)`` where there is a picture.
        light: The direction towards the sun, or away from it: the side that shows more craters is taken, as
            domes are fewer and less round. Where it is not known, four sides are tried at every place, and
            scores are lower.
        diameters_px: Least and greatest.
        progress: Told the part done.
    """
    suns = _suns(light)
    found: list[list[Float64]] = [[np.empty((0, 4))] for _ in suns]
    pyramid = list(levels(picture, seen, diameters_px[1] / 2.0))
    every = tuple(side for sides in suns for side in sides)
    for number, level in enumerate(pyramid):
        for step, radius in enumerate(level.radii):
            progress((number + step / len(level.radii)) / len(pyramid))
            if 2.0 * radius * level.shrink < 0.85 * diameters_px[0]:
                continue
            votes = answers(level, radius, every)
            for group, sides in zip(found, suns, strict=True):
                own, votes = votes[: len(sides)], votes[len(sides) :]
                group.append(_peaks(np.max(own, axis=0), level.shrink, radius))
    best: tuple[float, list[tuple[Ellipse, float]], float | None] = (-1.0, [], None)
    for group, sides in zip(found, suns, strict=True):
        kept = best_of_each(np.concatenate(group))[:MOST_CRATERS]
        judged = [
            (one, score)
            for one, score in _judged(pyramid, kept, sides)
            if diameters_px[0] <= one.diameter_px <= diameters_px[1]
        ]
        evidence = sum(score**2 for _, score in judged)
        if evidence > best[0]:
            best = evidence, judged, sides[0] if len(sides) == 1 else None
    return sorted(best[1], key=lambda pair: -pair[1]), best[2]


def answers(level: Level, radius: float, azimuths_deg: tuple[float, ...]) -> list[Float32]:
    """``(h, w)`` weight of the evidence for a crater of a radius at each place, for each sun; −inf off it."""
    from scipy.signal import oaconvolve

    window = disc(radius).astype(np.float32)
    area = np.float32(window.sum())
    grey = level.grey - np.float32(128.0)
    there = oaconvolve(level.seen, window, "same") / area
    mean = oaconvolve(grey, window, "same") / area
    spread = np.sqrt(np.maximum(oaconvolve(grey * grey, window, "same") / area - mean * mean, 0.0))
    spread += np.float32(LEAST_CONTRAST)
    found = []
    for azimuth in azimuths_deg:
        kernel = TEMPLATE.drawn(radius, azimuth)[::-1, ::-1]
        weight = oaconvolve(grey, kernel, "same") / spread + np.float32(TEMPLATE.offset)
        weight[there < LEAST_SEEN] = -np.inf
        found.append(weight.astype(np.float32))
    return found


def best_of_each(found: Float64) -> Float64:
    """The rows that no better one is too near to and too alike in size.

    Args:
        found: ``(N, 4)`` x, y, radius and weight.
    """
    from scipy.spatial import cKDTree

    found = found[np.argsort(-found[:, 3], kind="stable")]
    if not len(found):
        return found
    gone = np.zeros(len(found), bool)
    tree = cKDTree(found[:, :2])
    for one, (x, y, radius, _) in enumerate(found):
        if gone[one]:
            continue
        others = np.array(tree.query_ball_point((x, y), NEAR * ALIKE * radius))
        others = others[others > one]
        away = np.hypot(found[others, 0] - x, found[others, 1] - y)
        sizes = found[others, 2]
        same = away < NEAR * np.maximum(sizes, radius)
        same &= (sizes < ALIKE * radius) & (sizes > radius / ALIKE)
        gone[others[same]] = True
    return found[~gone]


def _suns(light: Sunlight) -> list[tuple[float, ...]]:
    """The sides to try: each of the groups by itself, in a group the best at every place."""
    if light.is_given:
        return [(light.azimuth_deg,)]
    if light.is_known:
        return [(light.azimuth_deg,), ((light.azimuth_deg + 180.0) % 360.0,)]
    return [tuple((light.azimuth_deg + turn) % 360.0 for turn in (0.0, 90.0, 180.0, 270.0))]


def _peaks(weight: Float32, shrink: int, radius: float) -> Float64:
    """``(N, 4)`` x, y, radius in pixels of the frame, and weight, where no neighbour weighs more."""
    from scipy.ndimage import maximum_filter

    highest = maximum_filter(weight, size=2 * round(radius / 2.0) + 1)
    y, x = np.nonzero((weight > LEAST_WEIGHT) & (weight == highest))
    middle = (shrink - 1) / 2.0
    return np.column_stack(
        [x * shrink + middle, y * shrink + middle, np.full(len(x), radius * shrink), weight[y, x]]
    ).astype(float)


def _judged(
    pyramid: list[Level], found: Float64, azimuths_deg: tuple[float, ...]
) -> Iterator[tuple[Ellipse, float]]:
    """The circles as ellipses, with the scores that their sectors give."""
    by_shrink = {level.shrink: level for level in pyramid}
    for x, y, radius, _ in found:
        shrink = 1
        while radius / shrink > RADII[-1] * 1.01:
            shrink *= 2
        level, own = by_shrink[shrink], radius / shrink
        middle = (shrink - 1) / 2.0
        column, row = round((x - middle) / shrink), round((y - middle) / shrink)
        patch = _patch(level.grey, column, row, own)
        odds = [_odds(patch, own, azimuth) for azimuth in azimuths_deg]
        most = max(odds) - (UNLIT_PENALTY if len(azimuths_deg) > 1 else 0.0)
        if most < LEAST_ODDS:
            continue
        dx, dy, size, turned = _rim(patch, own, azimuths_deg[int(np.argmax(odds))])
        ellipse = Ellipse(
            (column + dx) * shrink + middle, (row + dy) * shrink + middle, 2.0 * size * shrink, *turned
        )
        yield ellipse, float(1.0 / (1.0 + np.exp(-np.clip(most, -30.0, 30.0))))


def _patch(grey: Float32, column: int, row: int, radius: float) -> Float32:
    """``(n, n)`` around a place, the edge repeated beyond the picture."""
    reach = int(np.ceil(REACH * radius))
    rows = np.clip(np.arange(row - reach, row + reach + 1), 0, grey.shape[0] - 1)
    columns = np.clip(np.arange(column - reach, column + reach + 1), 0, grey.shape[1] - 1)
    return grey[np.ix_(rows, columns)]


def _odds(patch: Float32, radius: float, azimuth_deg: float) -> float:
    """Logarithm of the odds of a crater, from how its sectors answer, the weakest first."""
    window, which, kernel = sectors(radius, azimuth_deg)
    values = patch[window]
    even = (values - values.mean()) / (values.std() + LEAST_CONTRAST)
    parts = np.sort(which @ (kernel * even))
    return float(parts @ np.array(SECTOR_WEIGHTS) + SECTOR_OFFSET)


def _rim(
    patch: Float32, radius: float, azimuth_deg: float
) -> tuple[float, float, float, tuple[float, float]]:
    """Where the rim lies: the shift of the middle in pixels, the mean radius, and (axis ratio, angle).

    In each direction the template's profile is stretched until it fits best; the radii that gives are an
    ellipse off the middle to first order: a sum of waves of 0, 1 and 2 periods.
    """
    from scipy.ndimage import map_coordinates, uniform_filter1d

    around = np.arange(ANGLES) * 2.0 * np.pi / ANGLES
    away = np.arange(0.3, 1.5, 0.08)
    middle = (len(patch) - 1) / 2.0
    profile = TEMPLATE.profile(around - np.radians(azimuth_deg), away)
    profile = profile - profile.mean(axis=1, keepdims=True)
    reach = away * SCALES[:, None]
    seen = map_coordinates(
        patch,
        middle
        + radius
        * np.stack([np.multiply.outer(np.sin(around), reach), np.multiply.outer(np.cos(around), reach)]),
        order=1,
        mode="nearest",
    )  # (angles, scales, radii)
    seen = seen - seen.mean(axis=2, keepdims=True)
    fits = np.einsum("asr,ar->as", seen, profile) / (np.linalg.norm(seen, axis=2) + 1.0)
    fits = uniform_filter1d(fits, 3, axis=0, mode="wrap")
    best = SCALES[np.argmax(fits, axis=1)]
    weights = np.sqrt(np.maximum(fits.max(axis=1), 0.0) + 1e-6)
    waves = np.column_stack(
        [np.ones(ANGLES), np.cos(around), np.sin(around), np.cos(2 * around), np.sin(2 * around)]
    )
    damping = np.diag([0.0, 1.0, 1.0, 1.0, 1.0]) * 0.3 * float((weights**2).mean())
    left = (waves * (weights**2)[:, None]).T
    size, east, south, cosine, sine = np.linalg.solve(left @ waves + damping, left @ best)
    squeezed = min(float(np.hypot(cosine, sine)) / size, 0.4)
    angle = float(np.degrees(np.arctan2(sine, cosine)) / 2.0 % 180.0) % 180.0
    ratio = (1.0 - squeezed) / (1.0 + squeezed)
    return float(radius * east), float(radius * south), float(radius * size), (ratio, angle)


def _halved(grey: Float32) -> Float32:
    height, width = (side // 2 for side in grey.shape)
    halved: Float32 = grey[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))
    return halved
