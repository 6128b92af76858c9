"""What was found on one surface, with the area it was found on, so that surfaces can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.shapes import points_of
from core.surfaces.kinds import LINES
from core.surfaces.lines import Rose, rose
from core.surfaces.measure import Measure
from core.surfaces.mix import craters_of, lines_of
from core.surfaces.size_frequency import COMPLETE_PX, Counted, Points

DENSITY_UNIT = 1e6
"""Densities are per so many pixels or square kilometres."""
CUMULATIVE, DIFFERENTIAL, RELATIVE = "Cumulative", "Differential", "R plot"
CURVES = {
    CUMULATIVE: "How many craters an area are at least so large.",
    DIFFERENTIAL: "How many craters an area and a unit of diameter are so large.",
    RELATIVE: "The differential counts times D³: flat where every size covers as much ground.",
}
"""What each size–frequency plot says."""


@dataclass(frozen=True, eq=False)
class Survey:
    """A surface that was searched.

    Attributes:
        title: What it is called.
        table: Detections: craters, valleys and ridges, as :func:`core.surfaces.measure.measured` gives them.
        measure: What they were measured by, with the area that was searched.
        complete_px: Diameter from which craters are complete, in pixels; see :func:`complete_from_px`.
        body: ``"Moon"``, or None.
        mix: Part of the ground that each landform covers.
    """

    title: str
    table: pd.DataFrame
    measure: Measure
    complete_px: float = COMPLETE_PX
    body: str | None = None
    mix: Mapping[str, float] = field(default_factory=dict)

    @property
    def has_km(self) -> bool:
        """Whether anything is known in kilometres."""
        return self.measure.area_km2 is not None

    def area(self, *, in_km: bool) -> float:
        """The area that was searched, in square pixels or square kilometres."""
        return self._square_km() if in_km else self.measure.area_px

    def complete_from(self, *, in_km: bool) -> float:
        """The diameter from which craters are complete; in km on a map, for pixels that are coarse on it."""
        if not in_km:
            return self.complete_px
        mean_km = math.sqrt(self._square_km() / self.measure.area_px)
        return self.complete_px * (self.measure.coarse_km or mean_km)

    def diameters(self, *, in_km: bool) -> NDArray[np.float64]:
        """``(N,)`` diameters of the craters."""
        return self._sizes(craters_of(self.table), "diameter", in_km=in_km)

    @property
    def largest_is_cut(self) -> bool:
        """Whether the largest crater reaches beyond the frame."""
        craters = craters_of(self.table)
        size = "diameter_km" if "diameter_km" in craters else "diameter_px"
        if not craters[size].notna().any():
            return False
        return bool(self.measure.cuts(craters)[int(np.nanargmax(craters[size]))])

    def count(self, label: str) -> int:
        """How many objects have a label."""
        return int((self.table["label"] == label).sum())

    def crater_density(self, least: float, *, in_km: bool) -> tuple[float, float, float]:
        """Craters of a diameter and more in a million px² or km², with the bounds of its 68 % interval."""
        density = self.counted(in_km=in_km).density(least)
        return density[0] * DENSITY_UNIT, density[1] * DENSITY_UNIT, density[2] * DENSITY_UNIT

    def counted(self, *, in_km: bool) -> Counted:
        """The craters and the area they were counted on."""
        limit = self.complete_from(in_km=in_km)
        unit = "km" if in_km else "px"
        return Counted(self.diameters(in_km=in_km), self.area(in_km=in_km), limit, unit)

    def size_curves(self, *, in_km: bool) -> list[tuple[str, Points, str]]:
        """The size–frequency plots of :data:`CURVES`: title, points, and the y axis with ``{unit}``.

        Intervals are Poisson's of 68 %. There are no plots without craters.
        """
        counted = self.counted(in_km=in_km)
        if not len(counted.diameters):
            return []
        return [
            (CUMULATIVE, counted.cumulative(), "craters ≥ D a {unit}²"),
            (DIFFERENTIAL, counted.differential(), "craters a {unit}² and {unit} of D"),
            (RELATIVE, counted.relative(), "R"),
        ]

    def lengths(self, labels: Sequence[str] = LINES, *, in_km: bool) -> NDArray[np.float64]:
        """``(N,)`` lengths of the valleys and ridges."""
        return self._sizes(lines_of(self.table, labels), "length", in_km=in_km)

    def rose(self, labels: Sequence[str] = LINES) -> Rose | None:
        """In which directions the valleys and ridges run, from north where there is a map, else from up on
        the picture, clockwise; None where nobody knows which side is up."""
        if self.measure.ground is None and self.measure.row0 is None:
            return None
        paths = [points_of(text) for text in lines_of(self.table, labels)["path"]]
        steps = [self.measure.steps(path) for path in paths if len(path) > 1]
        return rose([each for each in steps if each is not None])

    @property
    def zero_direction(self) -> str:
        """What directions count from."""
        return "up on the picture" if self.measure.ground is None else "north"

    def _square_km(self) -> float:
        if self.measure.area_km2 is None:
            raise ValueError(f"no scale is known of {self.title!r}, so it has no kilometres")
        return self.measure.area_km2

    def _sizes(self, rows: pd.DataFrame, size: str, *, in_km: bool) -> NDArray[np.float64]:
        if not in_km:
            return np.asarray(rows[f"{size}_px"], float)
        self._square_km()
        if f"{size}_km" not in rows:
            return np.empty(0)
        sizes = np.asarray(rows[f"{size}_km"], float)
        known: NDArray[np.float64] = sizes[np.isfinite(sizes)]  # some lie off the body
        return known


def complete_from_px(params: Mapping[str, Any]) -> float:
    """Diameter in pixels from which craters are complete: none below a method's own limit are found.

    Args:
        params: The method's.
    """
    return max(COMPLETE_PX, float(params.get("min_diameter_px") or 0.0))
