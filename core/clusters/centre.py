"""The middle of a cluster and how round it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

BOOTSTRAPS = 100
MOST_DRAWN = 4000
"""Most members of a resampling; of more, so many are drawn, and their scatter is reduced by the root of the
ratio."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Middle and shape of a cluster, with standard errors from resampling its members.

    Attributes:
        centre: ``(2,)`` in the plane's unit.
        centre_error: ``(2,)`` standard errors.
        ellipticity: 1 − minor over major axis; 0 is round.
        ellipticity_error: Its standard error.
        ellipticity_by_chance: What as many stars of a round cluster show on average: what the measured
            one must exceed to mean anything.
        angle_deg: Direction of the major axis from the x axis towards y, in [0, 180).
    """

    centre: Float64
    centre_error: Float64
    ellipticity: float
    ellipticity_error: float
    ellipticity_by_chance: float
    angle_deg: float


def middle(xy: Float64, weights: Float64 | None = None) -> Float64:
    """``(2,)`` the place around which the stars crowd: a mean in which far stars count less and less.

    The maximum-likelihood centre of Plummer's profile, by repeated weighting.
    """
    share = np.ones(len(xy)) if weights is None else weights
    centre = np.median(xy, axis=0)
    for _ in range(25):
        squared = np.sum((xy - centre) ** 2, axis=1)
        scale = float(np.median(squared))
        if not scale > 0:
            break
        pull = share / (1.0 + squared / scale)
        moved = (pull @ xy) / pull.sum()
        step = float(np.hypot(*(moved - centre)))
        centre = moved
        if step < 1e-3 * np.sqrt(scale):
            break
    return np.asarray(centre)


def shape(xy: Float64, seed: int = 0) -> Shape:
    """Middle and shape of the members of a cluster.

    The axes are those of the second moments of the places, far stars counting less, as for the middle.

    Args:
        xy: ``(N, 2)`` places of the members.
        seed: Of the resampling.

    References:
        Carter & Metcalfe 1980, MNRAS 191, 325 (moments); Efron 1979, AnSta 7, 1 (resampling).
    """
    rng = np.random.default_rng(seed)
    centre = middle(xy)
    ellipticity, angle = _ellipse(xy, centre)
    count = min(len(xy), MOST_DRAWN)
    narrower = np.sqrt(count / len(xy))
    drawn = [xy[rng.integers(0, len(xy), count)] for _ in range(BOOTSTRAPS)]
    centres = np.array([middle(sample) for sample in drawn])
    shapes = np.array([_ellipse(sample, at)[0] for sample, at in zip(drawn, centres, strict=True)])
    distance = np.hypot(*(xy - centre).T)
    chance = []
    for _ in range(BOOTSTRAPS):
        turn = rng.uniform(0.0, 2.0 * np.pi, count)
        own = distance if count == len(xy) else rng.choice(distance, count)
        turned = own[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
        chance.append(_ellipse(turned, middle(turned))[0])
    return Shape(
        centre=centre,
        centre_error=narrower * centres.std(axis=0),
        ellipticity=ellipticity,
        ellipticity_error=float(narrower * shapes.std()),
        ellipticity_by_chance=float(narrower * np.mean(chance)),
        angle_deg=angle,
    )


def _ellipse(xy: Float64, centre: Float64) -> tuple[float, float]:
    offset = xy - centre
    squared = np.sum(offset**2, axis=1)
    scale = float(np.median(squared))
    if not scale > 0:
        return 0.0, 0.0
    moments = np.eye(2) * scale
    for _ in range(8):  # weights follow the ellipse found, or the shape would be made too round
        inside = ((offset @ np.linalg.pinv(moments)) * offset).sum(axis=1)
        weight = 1.0 / (1.0 + inside) ** 2
        moments = (offset * weight[:, None]).T @ offset / weight.sum()
        moments *= scale / max(float(np.trace(moments)) / 2.0, 1e-300)
    values, vectors = np.linalg.eigh(moments)
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180.0)
    return float(1.0 - np.sqrt(max(values[0], 0.0) / values[1])), angle
