"""The part of the plane a table covers, so that circles cut by its edge are counted by what is inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
_ANGLES = np.linspace(0.0, 2.0 * np.pi, 360, endpoint=False)


@dataclass(frozen=True, eq=False)
class Footprint:
    """The convex outline of a table's stars.

    Attributes:
        sides: ``(k, 3)`` the outline's sides: a point is inside where ``sides @ (x, y, 1) <= 0`` for each.
        area: Its area, in the square of the plane's unit; 0 where all stars are on one line.
        vertices: ``(k, 2)`` its corners, in order.
    """

    sides: Float64
    area: float
    vertices: Float64

    @classmethod
    def of(cls, xy: Float64) -> Self:
        """The outline of ``(N, 2)`` places."""
        from scipy.spatial import ConvexHull, QhullError

        try:
            hull = ConvexHull(xy)
        except (QhullError, ValueError):
            return cls(np.empty((0, 3)), 0.0, xy[:0])
        return cls(hull.equations, float(hull.volume), xy[hull.vertices])

    def reach(self, centre: Float64) -> Float64:
        """``(360,)`` distance from a place inside to the outline, at every degree of direction."""
        if not len(self.sides):
            return np.zeros(len(_ANGLES))
        towards = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)]) @ self.sides[:, :2].T
        gap = np.maximum(-(self.sides[:, :2] @ centre + self.sides[:, 2]), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(towards > 1e-12, gap / towards, np.inf).min(axis=1))

    def square(self, centre: Float64) -> float:
        """Half the side of the largest upright square around a place that lies inside."""
        towards = np.maximum(np.abs(np.cos(_ANGLES)), np.abs(np.sin(_ANGLES)))
        return float((self.reach(centre) * towards).min())

    def coverage(self, centre: Float64, radii: Float64) -> Float64:
        """``(n,)`` part of each circle's line that lies inside."""
        return np.asarray(np.mean(self.reach(centre)[:, None] >= np.asarray(radii)[None, :], axis=0))

    def area_within(self, centre: Float64, radii: Float64) -> Float64:
        """``(n,)`` area of each disc that lies inside."""
        cut = np.minimum(self.reach(centre)[:, None], np.asarray(radii, float)[None, :])
        return np.asarray(np.pi * np.mean(cut**2, axis=0))

    def uniform(self, count: int, rng: np.random.Generator) -> Float64:
        """``(count, 2)`` places spread evenly inside."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        found = np.empty((0, 2))
        while len(found) < count:
            tried = rng.uniform(low, high, (2 * count + 16, 2))
            inside = (tried @ self.sides[:, :2].T + self.sides[:, 2] <= 0).all(axis=1)
            found = np.concatenate([found, tried[inside]])
        return found[:count]
