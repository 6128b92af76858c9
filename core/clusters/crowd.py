"""A crowd of stars on a frame: its middle, extent, members and outline, and whether its light is grainy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.clusters.centre import middle
from core.clusters.footprint import Footprint
from core.clusters.scan import Excess

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

REACH_R50 = 2.2
"""Radius of the outline over that which holds half of the members: of King's profiles with tidal over core
radii of 4 to 20 it holds 80 to 95 % of the stars."""
FIELD_RADII = (2.2, 4.5)
"""The field is counted between these multiples of the circle's radius."""
ROUND_BELOW = 60
"""Fewer members show no shape."""
LEAST_RATIO = 0.35
CUT_POWER = 0.8
"""What turns the ratio of the moments within a circle into that of the axes: ½ without the cut."""
GLOWING = 0.6
"""Part of the light that lies between the stars, from which its grain is asked for."""


SMOOTH = "its light is smooth: a galaxy or a nebula"
"""Why a crowd of too little grain is turned down."""


@dataclass(frozen=True)
class Crowd:
    """A cluster on a frame; lengths in pixels.

    Attributes:
        excess: The circle that showed it.
        x, y: Its middle.
        r50: Radius that holds half of its members.
        ratio: Minor over major axis.
        angle_deg: Of the major axis, from x towards y.
        n_members: Stars beyond those of the field.
        contrast: Stars within ``r50`` over those the field gives there.
    """

    excess: Excess
    x: float
    y: float
    r50: float
    ratio: float
    angle_deg: float
    n_members: int
    contrast: float

    @property
    def radius(self) -> float:
        """Of the outline, along the major axis."""
        return float(REACH_R50 * self.r50 / np.sqrt(self.ratio))

    def score(self, half: float) -> float:
        """In [0, 1]: ½ where the significance, less the places tried, is ``half`` standard deviations."""
        from scipy.stats import norm

        left = max(float(norm.isf(np.exp(min(self.excess.log_chance, -0.7)))), 0.0)
        if not np.isfinite(left):  # of probabilities too small for a float
            left = float(np.sqrt(-2.0 * self.excess.log_chance))
        return left / (left + half)

    def shares_place(self, other: Excess) -> bool:
        """Whether a circle shows the same cluster."""
        apart = np.hypot(self.x - other.x, self.y - other.y)
        return bool(apart <= max(self.radius, self.excess.radius, 0.8 * other.radius))

    def holds(self, other: Self) -> bool:
        """Whether another's middle lies in this one's outline, or the other way round."""
        apart = np.hypot(self.x - other.x, self.y - other.y)
        return bool(apart <= max(self.radius, other.radius))

    def counted_among(self, xy: Float64, shape: tuple[int, int]) -> Self:
        """The same with the members among all stars within the outline, where those are more.

        Args:
            xy: ``(N, 2)`` places of all stars.
            shape: ``(H, W)`` of the frame.
        """
        frame = _outline_of(shape)
        reach = REACH_R50 * self.r50
        centre = np.array([self.x, self.y])
        distance = np.sort(np.hypot(*(xy - centre).T))
        counts = np.arange(len(xy) + 1.0)
        field = _field(distance, counts, frame, centre, reach / FIELD_RADII[0])
        inside = float(frame.area_within(centre, np.array([reach]))[0])
        members = round(float(np.searchsorted(distance, reach)) - field * inside)
        return replace(self, n_members=max(self.n_members, members))

    def box(self, shape: tuple[int, int]) -> Float64:
        """``(4,)`` x_min, y_min, x_max, y_max of the outline on a frame of ``(H, W)``."""
        turn = np.radians(self.angle_deg)
        half = self.radius * np.hypot(
            [np.cos(turn), np.sin(turn)], self.ratio * np.array([np.sin(turn), np.cos(turn)])
        )
        limits = np.array(shape[::-1], float) - 0.5
        centre = np.array([self.x, self.y])
        return np.concatenate([np.clip(centre + side * half, -0.5, limits) for side in (-1.0, 1.0)])

    def distance_on(self, shape: tuple[int, int]) -> tuple[tuple[slice, slice], Float32]:
        """A window of a frame and the distance of its pixels from the middle, 1 on the outline."""
        x0, y0, x1, y1 = self.box(shape) + 0.5
        window = slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1)))
        rows, columns = np.ogrid[window]
        turn = np.radians(self.angle_deg)
        along = (columns - self.x) * np.cos(turn) + (rows - self.y) * np.sin(turn)
        across = (rows - self.y) * np.cos(turn) - (columns - self.x) * np.sin(turn)
        return window, (np.hypot(along, across / self.ratio) / self.radius).astype(np.float32)


def crowd_at(xy: Float64, shape: tuple[int, int], excess: Excess, weights: Float64 | None = None) -> Crowd:
    """Measure the crowd that a circle shows.

    Its radius holds half of the stars beyond those of the field, which is counted around it.

    Args:
        xy: ``(N, 2)`` places of the stars among which it shows, or of spots of light.
        shape: ``(H, W)`` of the frame.
        excess: The circle.
        weights: ``(N,)`` light of the spots; members are then those that the circle itself counted.
    """
    height, width = shape
    frame = _outline_of(shape)
    start, radius = np.array([excess.x, excess.y]), excess.radius
    centre = start
    for _ in range(4):  # the circle may have been beside the middle
        near = np.hypot(*(xy - centre).T) <= radius
        if np.count_nonzero(near) < 4:
            break
        share = None if weights is None else np.maximum(weights[near], 0.0)
        centre = np.clip(middle(xy[near], share), start - 0.7 * radius, start + 0.7 * radius)
    centre = np.clip(centre, 0.0, [width - 1.0, height - 1.0])
    distance = np.hypot(*(xy - centre).T)
    order = np.argsort(distance)
    distance = distance[order]
    summed = np.concatenate([[0.0], np.arange(1.0, len(xy) + 1.0)])
    if weights is not None:
        summed[1:] = np.cumsum(weights[order])
    field = _field(distance, summed, frame, centre, radius)
    steps = np.linspace(0.0, FIELD_RADII[0] * radius, 67)[1:]
    area = frame.area_within(centre, steps)
    excesses = summed[np.searchsorted(distance, steps, side="right")] - field * area
    grown = np.maximum.accumulate(np.maximum(excesses, 0.0))
    total = max(float(grown[-1]), 1.0)
    r50 = float(np.interp(0.5 * total, *_rising(grown, steps)))
    inside = float(frame.area_within(centre, np.array([r50]))[0])
    reach = min(2.0 * r50, float(steps[-1]))
    ratio, angle = (1.0, 0.0) if weights is not None else _shape(xy, centre, field, reach, total, frame)
    within = float(summed[np.searchsorted(distance, r50)])
    least = 0.5 if weights is None else 1e-3 * total
    members = total if weights is None else max(excess.n_on - excess.n_expected, 0.0)
    return Crowd(
        excess=excess,
        x=float(centre[0]),
        y=float(centre[1]),
        r50=r50,
        ratio=ratio,
        angle_deg=angle,
        n_members=round(members),
        contrast=within / max(field * inside, least),
    )


def grain(
    grey: Float32,
    x: float,
    y: float,
    radius: float,
    fwhm_px: float,
    *,
    inner: float = 0.0,
    reach: float = 3.2,
) -> float:
    """How uneven the light of a crowd that glows is, over its brightness; infinite where it does not glow.

    A globular cluster's unresolved middle is made of stars, whose chance gatherings show; a galaxy's are too
    many and too faint. Both are medians, so that single bright stars do not decide, and the noise of the
    field is taken off.

    Args:
        grey: ``(H, W)``.
        x, y, radius: Middle of the crowd and of the circle within which it is asked for, in pixels.
        fwhm_px: Of stars.
        inner: Part of the radius that is left out in the middle, where stars run together and may be white.
        reach: Radii from the middle to which the field around is looked at, from 1.6 on.

    References:
        After Tonry & Schneider 1988, AJ 96, 807 (surface-brightness fluctuations).
    """
    from scipy.ndimage import gaussian_filter, percentile_filter

    far = int(max(reach * radius, 12.0 * fwhm_px)) + 1
    column, row = round(x), round(y)
    top, left = max(row - far, 0), max(column - far, 0)
    part = grey[top : row + far + 1, left : column + far + 1]
    shrink = max(1, int(max(part.shape) / 700))  # a cluster that fills a large frame is looked at in part
    values = np.nan_to_num(part, nan=float(np.nanmedian(part)))
    smooth = gaussian_filter(values, 2.0 * fwhm_px)[::shrink, ::shrink]
    fine = gaussian_filter(values, 0.42 * fwhm_px)[::shrink, ::shrink] - smooth
    rows, columns = np.ogrid[: fine.shape[0], : fine.shape[1]]
    away = np.hypot(columns * shrink + left - x, rows * shrink + top - y)
    on, around = (away <= radius) & (away >= inner * radius), away > 1.6 * radius
    if np.count_nonzero(on) < 30 or np.count_nonzero(around) < 30:
        return np.inf
    sky = float(np.percentile(smooth[around], 30))
    bright = float(np.median(smooth[on])) - sky
    size = max(3, round(4.0 * fwhm_px / shrink)) | 1
    between = percentile_filter(values[::shrink, ::shrink], 25, size=size)
    light = float(np.sum(values[::shrink, ::shrink][on] - sky))
    glow = float(np.sum(np.clip(between[on] - np.median(between[around]), 0.0, None)))
    if bright <= 0 or light <= 0 or glow < GLOWING * light:
        return np.inf
    uneven, noise = (1.4826 * float(np.median(np.abs(fine[where]))) for where in (on, around))
    return float(np.sqrt(max(uneven**2 - noise**2, 0.0)) / bright)


def _outline_of(shape: tuple[int, int]) -> Footprint:
    low, right, top = -0.5, shape[1] - 0.5, shape[0] - 0.5
    return Footprint.of(np.array([[low, low], [right, low], [right, top], [low, top]]))


def _field(distance: Float64, summed: Float64, frame: Footprint, centre: Float64, radius: float) -> float:
    """Stars of the field a square pixel, from the ring around; from all beyond where that is cut off."""
    inner, outer = FIELD_RADII[0] * radius, FIELD_RADII[1] * radius
    for near, far in ((inner, outer), (1.5 * radius, np.inf)):
        ends = np.array([near, min(far, 1e6)])
        area = float(np.diff(frame.area_within(centre, ends))[0])
        if area >= np.pi * radius**2 or not np.isfinite(far):
            ends_at = np.searchsorted(distance, [near, far], side="right")
            count = float(summed[ends_at[1]] - summed[ends_at[0]])
            return max(count, 0.0) / area if area > 0.2 * np.pi * radius**2 else 0.0
    return 0.0


def _rising(grown: Float64, steps: Float64) -> tuple[Float64, Float64]:
    """Points of a curve that rises, without its flat parts, from nothing at 0."""
    values, first = np.unique(grown, return_index=True)
    keep = values > 0
    return np.concatenate([[0.0], values[keep]]), np.concatenate([[0.0], steps[first[keep]]])


def _shape(
    xy: Float64, centre: Float64, field: float, radius: float, total: float, frame: Footprint
) -> tuple[float, float]:
    """Axis ratio and angle from second moments within a circle, those of the field taken off."""
    offset = xy - centre
    inside = np.hypot(*offset.T) <= radius
    count = np.count_nonzero(inside)
    whole = np.pi * radius**2
    if total < ROUND_BELOW or frame.area_within(centre, np.array([radius]))[0] < 0.97 * whole:
        return 1.0, 0.0
    moments = offset[inside].T @ offset[inside] - field * whole * radius**2 / 4.0 * np.eye(2)
    moments /= max(count - field * whole, 1.0)
    values, vectors = np.linalg.eigh(moments)
    if values[0] <= 0:
        return 1.0, 0.0
    # A circle cuts the long axis more than the short one, which makes the moments rounder than the cluster.
    ratio = float(values[0] / values[1]) ** CUT_POWER
    chance = 1.0 - 1.5 / np.sqrt(total)
    if ratio > chance:
        return 1.0, 0.0
    return max(ratio, LEAST_RATIO), float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180.0)
