"""Where stars are in space, by their parallaxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clusters.distance import ZERO_POINT_MAS
from core.clusters.table import StarTable

Float64 = NDArray[np.float64]

MIN_SIGNAL = 8.0
"""Least parallax over its error of a star that has a place: with less, its distance is off by an eighth."""
MIN_MEMBERS = 10
"""Fewest members with a place for a view of a cluster in space."""


@dataclass(frozen=True, eq=False)
class Space:
    """Places around the middle of a cluster.

    Attributes:
        row: ``(n,)`` which stars have a place.
        place_pc: ``(n, 3)`` parsecs east, north and away from us.
        distance_pc: The middle's distance.
        blur_pc: What a typical member's parallax error comes to along the line of sight.
    """

    row: NDArray[np.int64]
    place_pc: Float64
    distance_pc: float
    blur_pc: float


def space(stars: StarTable, members: NDArray[np.int64]) -> Space | None:
    """Places of the members and of the stars around them; None where parallaxes are missing or too uncertain.

    Args:
        stars: All stars.
        members: ``(m,)`` those of the cluster.

    Returns:
        Places; stars far in front of the cluster or behind it, next to its size and blur, are left out.

    References:
        Bailer-Jones 2015, PASP 127, 994 (why a parallax below about eight errors is no distance).
    """
    if stars.parallax is None or stars.parallax_error is None or stars.unit != "arcmin":
        return None
    parallax = stars.parallax - ZERO_POINT_MAS
    with np.errstate(invalid="ignore", divide="ignore"):
        row = np.flatnonzero(parallax >= MIN_SIGNAL * np.maximum(stars.parallax_error, 1e-9))
    sure = np.intersect1d(row, members)
    if len(sure) < MIN_MEMBERS:
        return None
    middle = 1e3 / float(np.median(parallax[sure]))
    centre = np.radians(np.median(stars.xy[sure], axis=0) / 60.0)
    away = 1e3 / parallax[row]
    blur = float(np.median(middle**2 * stars.parallax_error[sure] / 1e3))
    size = float(np.percentile(np.hypot(*(np.radians(stars.xy[sure] / 60.0) - centre).T), 90)) * middle
    near = np.abs(away - middle) <= max(4.0 * size, 5.0 * blur)
    row, away = row[near], away[near]
    flat = np.radians(stars.xy[row] / 60.0)
    # Gnomonic places are tangents: each star's direction is (x, y, 1) over its length.
    length = np.sqrt(1.0 + np.sum(flat**2, axis=1))
    place = np.column_stack([flat, np.ones(len(row))]) * (away / length)[:, None]
    origin = np.array([*centre, 1.0]) * middle / np.sqrt(1.0 + np.sum(centre**2))
    return Space(row, place - origin, middle, blur)
