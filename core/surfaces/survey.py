"""What was found on one surface, with the area it was found on, so that surfaces can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames.frame import RowOrder
from core.surfaces.kinds import LINES
from core.surfaces.lines import Rose, path_points, rose
from core.surfaces.mix import craters_of, lines_of

COMPLETE_PX = 10.0
"""Smaller craters are missed: counts are complete from this diameter on (see the README's scores)."""
DENSITY_UNIT = 1e6
"""Densities are per so many pixels or square kilometres."""
BINS_A_DOUBLING = 2
"""Bins of the size–frequency plots: each is √2 times as wide as the one before."""
CUMULATIVE, DIFFERENTIAL, RELATIVE = "Cumulative", "Differential", "R plot"
CURVES = {
    CUMULATIVE: "How many craters an area are at least so large.",
    DIFFERENTIAL: "How many craters an area and a unit of diameter are so large.",
    RELATIVE: "The differential counts times D³: flat where every size covers as much ground.",
}
"""What each size–frequency plot says."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Survey:
    """A surface that was searched as a whole.

    Attributes:
        title: What it is called.
        table: Detections: craters, valleys and ridges.
        width, height: Of the frame, in pixels.
        km_per_px: Kilometres a pixel; None when nobody knows.
        body: ``"Moon"``, or None.
        row0: Where row 0 of the frame is shown; directions count from up.
        mix: Part of the ground that each landform covers.
    """

    title: str
    table: pd.DataFrame
    width: int
    height: int
    km_per_px: float | None = None
    body: str | None = None
    row0: RowOrder = "top"
    mix: Mapping[str, float] = field(default_factory=dict)

    def area(self, *, in_km: bool) -> float:
        """The area that was searched, in square pixels or square kilometres."""
        return self.width * self.height * self._scale(in_km=in_km) ** 2

    def complete_from(self, *, in_km: bool) -> float:
        """The diameter from which craters are complete."""
        return COMPLETE_PX * self._scale(in_km=in_km)

    def diameters(self, *, in_km: bool) -> NDArray[np.float64]:
        """``(N,)`` diameters of the craters."""
        return craters_of(self.table)["diameter_px"].to_numpy(float) * self._scale(in_km=in_km)

    def count(self, label: str) -> int:
        """How many objects have a label."""
        return int((self.table["label"] == label).sum())

    def crater_density(self, least: float, *, in_km: bool) -> tuple[float, float, float]:
        """Craters of a diameter and more in a million px² or km², with the bounds of its 68 % interval."""
        from core.scoring.intervals import poisson_interval

        n = int((self.diameters(in_km=in_km) >= least).sum())
        low, high = poisson_interval(n)
        per = DENSITY_UNIT / self.area(in_km=in_km)
        return n * per, float(low) * per, float(high) * per

    def size_curves(self, *, in_km: bool) -> list[tuple[str, dict[str, NDArray[np.float64]], str]]:
        """The size–frequency plots of :data:`CURVES`: title, curve, and the y axis with ``{unit}``.

        A curve has ``diameter, value, low, high``, ``(N,)`` each, with 68 % Poisson intervals. Craters are
        binned by :data:`BINS_A_DOUBLING`; a bin stands at the geometric mean of its edges. There are none
        without craters. The conventions are those of Arvidson et al. 1979, Icarus 37, 467, and Robbins et
        al. 2018, MAPS 53, 891.
        """
        sizes = np.sort(self.diameters(in_km=in_km))[::-1]
        if not len(sizes):
            return []
        area = self.area(in_km=in_km)
        edges, n = _binned(sizes)
        middle, width = np.sqrt(edges[:-1] * edges[1:]), np.diff(edges)
        return [
            (CUMULATIVE, _curve(sizes, np.arange(1, len(sizes) + 1), 1.0 / area), "craters ≥ D a {unit}²"),
            (DIFFERENTIAL, _curve(middle, n, 1.0 / (area * width)), "craters a {unit}² and {unit} of D"),
            (RELATIVE, _curve(middle, n, middle**3 / (area * width)), "R"),
        ]

    def paths(self, labels: Sequence[str] = LINES) -> list[NDArray[np.float64]]:
        """``(N, 2)`` points of each valley and ridge in pixels."""
        return [path_points(text) for text in lines_of(self.table, labels)["path"]]

    def line_length(self, labels: Sequence[str] = LINES, *, in_km: bool) -> float:
        """Length of all valleys and ridges together."""
        return float(lines_of(self.table, labels)["length_px"].sum()) * self._scale(in_km=in_km)

    def rose(self, labels: Sequence[str] = LINES) -> Rose:
        """In which directions the valleys and ridges run, from up on the picture clockwise."""
        return rose(self.paths(labels), row0=self.row0, scale=self.km_per_px or 1.0)

    def _scale(self, *, in_km: bool) -> float:
        if not in_km:
            return 1.0
        if self.km_per_px is None:
            raise ValueError(f"no scale is known of {self.title!r}, so it has no kilometres")
        return self.km_per_px


def _binned(sizes: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Edges of bins that are a whole number of steps from 1, and how many sizes lie in each."""
    low, high = np.log2(sizes.min()) * BINS_A_DOUBLING, np.log2(sizes.max()) * BINS_A_DOUBLING
    steps = np.arange(np.floor(low), np.floor(high) + 2)
    # By its step, not by the edges: rounding must not lose the largest.
    which = (np.floor(np.log2(sizes) * BINS_A_DOUBLING) - steps[0]).astype(int)
    return 2.0 ** (steps / BINS_A_DOUBLING), np.bincount(which, minlength=len(steps) - 1)


def _curve(diameter: Floats, n: NDArray[np.integer], weight: Floats | float) -> dict[str, Floats]:
    from core.scoring.intervals import poisson_interval

    low, high = poisson_interval(n)
    value: Floats = n.astype(np.float64) * weight
    return {"diameter": diameter, "value": value, "low": low * weight, "high": high * weight}
