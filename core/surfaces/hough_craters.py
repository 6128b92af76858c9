"""Craters by matched filters: every place and size of a picture is weighed, and the best of each place kept.

The picture is halved again and again, so that filters of five sizes serve every crater. What answers is cut
into sectors, as a tenth of a circle that shines is no crater, and the rim is followed to an ellipse.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.shapes import Ellipse
from core.surfaces.hough_template import (
    LEAST_CONTRAST,
    SECTOR_OFFSET,
    SECTOR_WEIGHTS,
    TEMPLATE,
    disc,
    sectors,
)
from core.surfaces.hough_tiles import Tiles
from core.surfaces.seen import LEAST_SEEN
from core.surfaces.sunlight import Sunlight

if TYPE_CHECKING:
    from scipy.sparse import csr_array

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
AROUND = np.arange(32) * 2.0 * np.pi / 32
SCALES = np.linspace(0.7, 1.3, 13)
AWAY = np.arange(0.3, 1.5, 0.08)
"""Directions and parts of the radius in which the rim is looked for, and distances that it is told by."""
BAND_PX = 2**22
"""Pixels of a level that are searched at a time: that takes some 60 bytes each."""
TOGETHER = 256
"""Most circles that are judged at a time: their rays are 25 kB each."""


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


def bands(level: Level) -> list[tuple[Level, int, slice]]:
    """A level in bands of rows, since the spectra of all of it are large: each with its first row, and which
    of its rows are its own; the others are there for the filters to see."""
    height, width = level.grey.shape
    margin = len(disc(max(level.radii)))
    rows = max(BAND_PX // width, 4 * margin)
    found = []
    for start in range(0, height, rows):
        first, stop = max(0, start - margin), min(height, start + rows)
        seen = slice(first, min(height, stop + margin))
        band = Level(level.grey[seen], level.seen[seen], level.shrink, level.radii)
        found.append((band, first, slice(start - first, stop - first)))
    return found


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
        radii = [one for one in level.radii if 2.0 * one * level.shrink >= 0.85 * diameters_px[0]]
        cut = bands(level) if radii else []
        for nth, (band, first, own_rows) in enumerate(cut):
            for step, (radius, votes) in enumerate(answers(band, radii, every)):
                progress((number + (nth + step / len(radii)) / len(cut)) / len(pyramid))
                for group, sides in zip(found, suns, strict=True):
                    own, votes = votes[: len(sides)], votes[len(sides) :]
                    peaks = _peaks(functools.reduce(np.maximum, own), radius, own_rows)
                    peaks[:, :3] = (peaks[:, :3] + (0.0, first, 0.0)) * level.shrink
                    peaks[:, :2] += (level.shrink - 1) / 2.0
                    group.append(peaks)
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


def answers(
    level: Level, radii: Sequence[float], azimuths_deg: Sequence[float]
) -> Iterator[tuple[float, list[Float32]]]:
    """Each radius with, for each sun, the ``(h, w)`` weight of the evidence for a crater of it at each place;
    −inf off the picture."""
    if not radii:
        return
    reach = len(disc(max(radii))) // 2
    grey = level.grey - np.float32(128.0)
    pictures = Tiles.of(grey, reach), Tiles.of(grey * grey, reach), Tiles.of(level.seen, reach)
    for radius in radii:
        window = disc(radius)
        mean, square, there = (one.filtered(window / window.sum()) for one in pictures)
        spread = np.sqrt(np.maximum(square - mean * mean, 0.0)) + np.float32(LEAST_CONTRAST)
        is_off = there < LEAST_SEEN
        votes = []
        for azimuth in azimuths_deg:
            weight = pictures[0].filtered(TEMPLATE.drawn(radius, azimuth)) / spread
            weight += np.float32(TEMPLATE.offset)
            weight[is_off] = -np.inf
            votes.append(weight)
        yield radius, votes


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


def _peaks(weight: Float32, radius: float, kept: slice) -> Float64:
    """``(N, 4)`` x, y, radius and weight in the rows that are kept, where no neighbour weighs more."""
    from cv2 import dilate

    side = 2 * round(radius / 2.0) + 1
    highest = dilate(weight, np.ones((side, side), np.uint8))
    y, x = np.nonzero((weight[kept] > LEAST_WEIGHT) & (weight[kept] == highest[kept]))
    y += kept.start
    return np.column_stack([x, y, np.full(len(x), radius), weight[y, x]]).astype(float)


def _judged(
    pyramid: list[Level], found: Float64, azimuths_deg: tuple[float, ...]
) -> Iterator[tuple[Ellipse, float]]:
    """The circles as ellipses, with the scores that their sectors give, those of one size together."""
    by_shrink = {level.shrink: level for level in pyramid}
    penalty = UNLIT_PENALTY if len(azimuths_deg) > 1 else 0.0
    for radius in np.unique(found[:, 2]):
        shrink = 1
        while radius / shrink > RADII[-1] * 1.01:
            shrink *= 2
        own, middle = float(radius) / shrink, (shrink - 1) / 2.0
        places = np.rint((found[found[:, 2] == radius, :2] - middle) / shrink).astype(int)
        for some in np.split(places, range(TOGETHER, len(places), TOGETHER)):
            patches = _patches(by_shrink[shrink].grey, some, own)
            odds = np.array([_odds(patches, own, azimuth) for azimuth in azimuths_deg])
            most = odds.max(axis=0) - penalty
            likely = most >= LEAST_ODDS
            scores = 1.0 / (1.0 + np.exp(-np.clip(most[likely], -30.0, 30.0)))
            rims = _rims(patches[:, likely], own, azimuths_deg, odds.argmax(axis=0)[likely])
            for (column, row), rim, score in zip(some[likely], rims, scores, strict=True):
                dx, dy, size, ratio, angle = rim.tolist()
                x, y = (float(column) + dx) * shrink + middle, (float(row) + dy) * shrink + middle
                yield Ellipse(x, y, 2.0 * size * shrink, ratio, angle), float(score)


def _patches(grey: Float32, places: NDArray[np.int_], radius: float) -> Float32:
    """``(n * n, N)`` pixels around each of ``(N, 2)`` columns and rows, edges going on outside."""
    reach = len(disc(radius)) // 2
    around = np.arange(-reach, reach + 1)[:, None]
    columns, rows = (np.clip(places[:, axis] + around, 0, grey.shape[1 - axis] - 1) for axis in (0, 1))
    patches: Float32 = grey[rows[:, None], columns].reshape(-1, len(places))
    return patches


def _odds(patches: Float32, radius: float, azimuth_deg: float) -> Float64:
    """``(N,)`` logarithm of the odds of a crater, from how its sectors answer, the weakest first."""
    window, weights = sectors(radius, azimuth_deg)
    values = patches[window]
    even = (values - values.mean(axis=0)) / (values.std(axis=0) + np.float32(LEAST_CONTRAST))
    odds: Float64 = np.array(SECTOR_WEIGHTS) @ np.sort(weights @ even, axis=0) + SECTOR_OFFSET
    return odds


def _rims(
    patches: Float32, radius: float, azimuths_deg: tuple[float, ...], suns: NDArray[np.intp]
) -> Float64:
    """``(N, 5)`` where rims lie: the shift of the middle in pixels, the mean radius, axis ratio and angle.

    In each direction the template's profile is stretched until it fits best; the radii that gives are an
    ellipse off the middle to first order: a sum of waves of 0, 1 and 2 periods.

    Args:
        patches: ``(n * n, N)``.
        radius: That the circles were found with.
        azimuths_deg: That the light may come from.
        suns: ``(N,)`` which of them each looks best under.
    """
    profiles = np.array([TEMPLATE.profile(AROUND - np.radians(one), AWAY) for one in azimuths_deg])
    fits = _fits(patches, radius, profiles[suns])
    best = SCALES[np.argmax(fits, axis=1)]  # (angles, N)
    weights = np.maximum(fits.max(axis=1), 0.0) + 1e-6
    turns = np.exp(1j * np.arange(3)[:, None] * AROUND)
    waves = np.array([turns[0].real, turns[1].real, turns[1].imag, turns[2].real, turns[2].imag])
    damping = 0.3 * weights.mean(axis=0)[:, None, None] * np.diag([0.0, 1.0, 1.0, 1.0, 1.0])
    left = np.einsum("wa,an,va->nwv", waves, weights, waves) + damping
    right = np.einsum("wa,an->nw", waves, weights * best)
    size, east, south, cosine, sine = np.linalg.solve(left, right[:, :, None])[:, :, 0].T
    squeezed = np.minimum(np.hypot(cosine, sine) / size, 0.4)
    angle = np.degrees(np.arctan2(sine, cosine)) / 2.0 % 180.0 % 180.0
    return np.column_stack(
        [radius * east, radius * south, radius * size, (1.0 - squeezed) / (1.0 + squeezed), angle]
    )


def _fits(patches: Float32, radius: float, profiles: Float64) -> Float32:
    """``(angles, scales, N)`` how well ``(N, angles, distances)`` profiles, stretched by each scale, fit."""
    from scipy.ndimage import uniform_filter1d

    even = (profiles - profiles.mean(axis=2, keepdims=True)).astype(np.float32)
    seen = (_rays(radius) @ patches).reshape(len(AROUND), len(SCALES), len(AWAY), -1)
    seen -= seen.mean(axis=2, keepdims=True)
    fits = np.einsum("asrn,nar->asn", seen, even) / (np.linalg.norm(seen, axis=2) + 1.0)
    smooth: Float32 = uniform_filter1d(fits, 3, axis=0, mode="wrap")
    return smooth


@functools.lru_cache(maxsize=16)
def _rays(radius: float) -> csr_array:
    """``(angles * scales * distances, n * n)`` weights of a patch's pixels, by linear interpolation; beyond
    the patch its edge goes on."""
    from scipy.sparse import csr_array

    side = len(disc(radius))
    steps = radius * np.multiply.outer(SCALES, AWAY).ravel()
    turns = np.sin(AROUND)[:, None], np.cos(AROUND)[:, None]
    y, x = (np.clip(side // 2 + turn * steps, 0, side - 1).ravel() for turn in turns)
    row, column = (np.minimum(at.astype(int), side - 2) for at in (y, x))
    down, right = y - row, x - column
    weights = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
    pixels = row * side + column + np.array([[0], [1], [side], [side + 1]])
    rays = np.broadcast_to(np.arange(len(y)), pixels.shape)
    return csr_array(
        (weights.ravel().astype(np.float32), (rays.ravel(), pixels.ravel())), shape=(len(y), side * side)
    )


def _halved(grey: Float32) -> Float32:
    height, width = (side // 2 for side in grey.shape)
    halved: Float32 = grey[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))
    return halved
