"""How many craters of which size: cumulative, differential and R plots, with intervals.

As the Crater Analysis Techniques Working Group set down (Arvidson et al. 1979, Icarus 37, 467) and Robbins et
al. 2018 (Meteoritics & Planetary Science 53, 891) refined: bins grow by √2, densities are per area that was
counted, intervals are those of Poisson counts (Garwood 1936), and what lies below the completeness limit is
marked. No age is derived.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.scoring.intervals import poisson_interval

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

COMPLETE_PX = 10.0
"""Craters of fewer pixels across are missed too often to count (Robbins et al. 2014, Icarus 234, 109)."""
STEP = math.sqrt(2.0)
CONFIDENCE = 0.6827


@dataclass(frozen=True)
class Points:
    """What is drawn of one plot.

    Attributes:
        diameter: ``(N,)`` where points lie, in the unit of the diameters.
        value: ``(N,)``.
        low, high: ``(N,)`` bounds of the interval.
        count: ``(N,)`` craters in the bin, or of that size and larger.
        complete: ``(N,)`` whether the whole bin lies above the completeness limit.
    """

    diameter: Float64
    value: Float64
    low: Float64
    high: Float64
    count: NDArray[np.int64]
    complete: Bools

    def __len__(self) -> int:
        return len(self.diameter)


@dataclass(frozen=True)
class Counted:
    """Craters counted on an area.

    Attributes:
        diameters: ``(N,)``.
        area: That was searched, in squares of the same unit.
        complete_from: Diameter from which none is missed.
        unit: ``"km"`` or ``"px"``.
    """

    diameters: Float64
    area: float
    complete_from: float
    unit: str = "km"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.area) and self.area > 0.0):
            raise ValueError(f"an area above 0 is needed to count craters on, got {self.area!r}")
        if not (np.isfinite(self.diameters).all() and (self.diameters > 0.0).all()):
            raise ValueError("diameters must be finite and above 0")

    def bins(self, step: float = STEP) -> Float64:
        """Edges of the bins: powers of ``step`` from below the smallest to above the largest crater."""
        if not len(self.diameters):
            return np.array([1.0, step])
        # Rounded, so that a crater of 2 lies in the bin that begins there.
        powers = np.log([self.diameters.min(), self.diameters.max()]) / math.log(step)
        first, last = np.floor(np.round(powers, 9)).astype(int)
        edges: Float64 = step ** np.arange(first, last + 2, dtype=float)
        return edges

    def cumulative(self, confidence: float = CONFIDENCE) -> Points:
        """Craters of a diameter and more per area, at each crater's diameter, smallest first."""
        sizes = np.sort(self.diameters)
        count = np.arange(len(sizes), 0, -1)
        return self._points(sizes, count, np.full(len(sizes), self.area), sizes, confidence)

    def differential(self, step: float = STEP, confidence: float = CONFIDENCE) -> Points:
        """Craters per area and per diameter in each bin that is not empty."""
        return self._binned(step, confidence, lambda low, high: self.area * (high - low))

    def relative(self, step: float = STEP, confidence: float = CONFIDENCE) -> Points:
        """R: the differential density over D⁻³, flat where that is the law; of each bin that is not empty."""
        # The middle of a bin is the geometric one, as in Arvidson et al.
        return self._binned(
            step, confidence, lambda low, high: self.area * (high - low) / (low * high) ** 1.5
        )

    def density(
        self, least: float | None = None, confidence: float = CONFIDENCE
    ) -> tuple[float, float, float]:
        """Craters of a diameter and more per unit of area, and its interval.

        Args:
            least: The diameter; the completeness limit when None.
            confidence: Of the interval.
        """
        count = int((self.diameters >= (self.complete_from if least is None else least)).sum())
        low, high = poisson_interval(count, confidence)
        return count / self.area, float(low) / self.area, float(high) / self.area

    def slope(self) -> tuple[float, float] | None:
        """Power-law slope of the cumulative distribution above the limit, and its error; None below 5.

        The estimate of greatest likelihood (Clauset et al. 2009, SIAM Review 51, 661), without its bias.
        """
        above = self.diameters[self.diameters >= self.complete_from]
        total = float(np.log(above / self.complete_from).sum()) if len(above) >= 5 else 0.0
        if total <= 0.0:
            return None
        slope = (len(above) - 1) / total
        return slope, slope / math.sqrt(len(above))

    def _binned(
        self, step: float, confidence: float, weight: Callable[[Float64, Float64], Float64]
    ) -> Points:
        edges = self.bins(step)
        which = np.searchsorted(edges, self.diameters * (1 + 1e-12), side="right") - 1
        count = np.bincount(which, minlength=len(edges) - 1)[: len(edges) - 1]
        low, high = edges[:-1], edges[1:]
        full = count > 0
        per = weight(low, high)
        return self._points(np.sqrt(low * high)[full], count[full], per[full], low[full], confidence)

    def _points(
        self, diameter: Float64, count: NDArray[np.int64], per: Float64, begins: Float64, confidence: float
    ) -> Points:
        low, high = poisson_interval(count, confidence)
        complete = begins >= self.complete_from * (1 - 1e-9)
        return Points(diameter, count / per, low / per, high / per, count, complete)
