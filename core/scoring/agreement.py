"""Two methods on one frame: what both found, and what only one did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.results import Detections
from core.scoring.detection import matcher
from core.scoring.matching import Indices, Matches


@dataclass(frozen=True, eq=False)
class Agreement:
    """How two tables of detections agree; neither is the truth.

    Attributes:
        matches: Pairs, with the first table in the place of the truth.
        median_dx_px, median_dy_px: Median of second minus first over the pairs, in pixels; NaN without
            pairs.
        rms_px: Root mean square distance of the pairs' centres in pixels, the median offset included;
            NaN without pairs.
    """

    matches: Matches
    median_dx_px: float
    median_dy_px: float
    rms_px: float

    @property
    def only_a(self) -> Indices:
        """Rows of the first table that the second does not have."""
        return self.matches.only_truth

    @property
    def only_b(self) -> Indices:
        """Rows of the second table that the first does not have."""
        return self.matches.only_found


def agree(
    a: Detections, b: Detections, *, radius_px: float | None = None, iou: float | None = None
) -> Agreement:
    """Match the detections of two methods one to one.

    Args:
        a, b: Detections on the same frame.
        radius_px: Match positions within this distance, or
        iou: match boxes with at least this intersection over union. One of the two is given.

    Raises:
        ParameterInvalid: Neither or both of ``radius_px`` and ``iou`` are given.
    """
    match, values = matcher(radius_px, iou)
    matches = match(values(a), values(b))
    if not len(matches):
        return Agreement(matches, np.nan, np.nan, np.nan)
    offset = b.xy[matches.found_index] - a.xy[matches.truth_index]
    median_dx, median_dy = np.median(offset, axis=0)
    rms = np.sqrt(np.mean(np.sum(offset**2, axis=1)))
    return Agreement(matches, float(median_dx), float(median_dy), float(rms))
