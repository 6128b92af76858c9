"""What was found on one surface, with the area it was found on, so that surfaces can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames.frame import RowOrder
from core.shapes import points_of
from core.surfaces.kinds import LINES
from core.surfaces.lines import Rose, rose
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
        density = self.counted(in_km=in_km).density(least)
        return density[0] * DENSITY_UNIT, density[1] * DENSITY_UNIT, density[2] * DENSITY_UNIT

    def counted(self, *, in_km: bool) -> Counted:
        """The craters and the area they were counted on."""
        limit = self.complete_from(in_km=in_km)
        unit = "km" if in_km else "px"
        return Counted(self.diameters(in_km=in_km), self.area(in_km=in_km), limit, unit)

    def size_curves(self, *, in_km: bool) -> list[tuple[str, dict[str, NDArray[np.float64]], str]]:
        """The size–frequency plots of :data:`CURVES`: title, curve, and the y axis with ``{unit}``.

        A curve has ``diameter, value, low, high``, ``(N,)`` each, with 68 % Poisson intervals; see
        :mod:`core.surfaces.size_frequency`. There are none without craters.
        """
        counted = self.counted(in_km=in_km)
        if not len(counted.diameters):
            return []
        return [
            (CUMULATIVE, _curve(counted.cumulative()), "craters ≥ D a {unit}²"),
            (DIFFERENTIAL, _curve(counted.differential()), "craters a {unit}² and {unit} of D"),
            (RELATIVE, _curve(counted.relative()), "R"),
        ]

    def paths(self, labels: Sequence[str] = LINES) -> list[NDArray[np.float64]]:
        """``(N, 2)`` points of each valley and ridge in pixels."""
        return [points_of(text) for text in lines_of(self.table, labels)["path"]]

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


def _curve(points: Points) -> dict[str, Floats]:
    return {"diameter": points.diameter, "value": points.value, "low": points.low, "high": points.high}
