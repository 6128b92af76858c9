"""What is known of the clusters of a picture: the outline of each, and whether it must be found."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.clusters.kinds import LABELS

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

MOST_CLUSTERS = 250
"""More cannot be numbered in a mask of bytes."""


@dataclass(frozen=True)
class TrueCluster:
    """A cluster of a picture; its outline is an ellipse.

    The outline of a drawn cluster goes out to a third of its tidal radius, or to three core radii where that
    is more: the stars beyond are too few to be seen as belonging to it (the rule of
    :func:`core.simulate.light.cluster_row`). That of a photographed one is OpenNGC's.

    Attributes:
        kind: One of :data:`core.clusters.kinds.LABELS`.
        x, y: Its middle in pixels; it may lie outside the picture.
        reach_px: Half of the major axis.
        ratio: Minor over major axis.
        angle_rad: Of the major axis, from x towards y.
        wanted: Whether it can be seen and must be found; the area of others counts neither way.
        contrast: Stars within the ellipse that holds half of its own, over those of the field there; NaN
            where it is not known.
        n_seen: Its stars that can be seen one by one on the picture.
    """

    kind: str
    x: float
    y: float
    reach_px: float
    ratio: float = 1.0
    angle_rad: float = 0.0
    wanted: bool = True
    contrast: float = float("nan")
    n_seen: int = 0

    def away(self, x: ArrayLike, y: ArrayLike) -> Float64:
        """Distance from the middle in units of the outline, 1 on it."""
        dx, dy = np.asarray(x, float) - self.x, np.asarray(y, float) - self.y
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        along, across = cos * dx + sin * dy, cos * dy - sin * dx
        return np.asarray(np.hypot(along, across / self.ratio) / self.reach_px, float)

    @property
    def label(self) -> int:
        """Its number among the kinds."""
        return LABELS.index(self.kind)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        facts = dataclasses.asdict(self)
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in facts.items()}


def instance_map(clusters: Sequence[TrueCluster], shape: tuple[int, int]) -> UInt8:
    """``(H, W)`` 0 where no cluster is, else its number from 1.

    Where outlines overlap, a pixel belongs to the one whose middle is nearer in units of its own size; where
    one of them can be seen and the other cannot, to the one that can.
    """
    found, nearest = np.zeros(shape, np.uint8), np.full(shape, np.inf)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    for number, one in enumerate(clusters, start=1):
        away = one.away(columns, rows)
        rank = away + (0.0 if one.wanted else 2.0)
        better = (away <= 1.0) & (rank < nearest)
        found[better] = number
        nearest[better] = rank[better]
    return found
