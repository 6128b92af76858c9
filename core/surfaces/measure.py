"""What is measured of a surface: the area that was searched, and sizes, places and directions on the ground.

On a map every pixel counts with its own size, so that a pole does not weigh as much as the equator, and
directions count from north; with a scale alone all pixels are alike, and directions count from up.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.frames.frame import RowOrder
from core.frames.ground import Ground
from core.parameters import canonical_json
from core.results import Detections
from core.shapes import Ellipse, points_of
from core.surfaces.lines import Steps, mean_direction, steps_of
from core.surfaces.mix import craters_of, lines_of
from core.surfaces.nomenclature import names_of_craters
from core.words import percent

Float64 = NDArray[np.float64]

UNITS = {
    "diameter_km": "km",
    "length_km": "km",
    "width_km": "km",
    "lat_deg": "deg",
    "lon_deg": "deg",
    "azimuth_deg": "deg",
}
_ELLIPSE = ["x", "y", "diameter_px", "axis_ratio", "angle_deg"]
"""What tells the shape of a crater, in the order of :class:`core.shapes.Ellipse`."""
LONGEST_STEP_PX = 8.0
"""A longer step of a line is cut: what is straight on a map is seldom straight on the ground."""
FINE_PART = 0.9
"""Part of the ground whose pixels are no coarser than those by which it is told what is complete."""
_CELLS = 400
"""Most places along a side at which the size of a pixel is worked out."""


@dataclass(frozen=True)
class Measure:
    """How pixels of a frame become areas, sizes, places and directions.

    Attributes:
        width, height: Of the frame, in pixels.
        area_px: Pixels that are there.
        area_km2: What they cover, or None when nobody knows.
        row0: Where row 0 of the frame is shown; None when nobody knows.
        km_per_px: Kilometres of every pixel; None where each has its own by the map, or no scale is known.
        ground: The map, or None.
        coarse_km: Kilometres of a pixel so coarse that :data:`FINE_PART` of the ground has none coarser; None
            when nobody knows.
    """

    width: int
    height: int
    area_px: float
    area_km2: float | None = None
    row0: RowOrder | None = None
    km_per_px: float | None = None
    ground: Ground | None = None
    coarse_km: float | None = None

    def cuts(self, craters: pd.DataFrame) -> NDArray[np.bool_]:
        """``(N,)`` whether craters reach beyond the frame: their size is a guess then."""
        known = craters.reindex(columns=_ELLIPSE).astype(float).fillna({"axis_ratio": 1.0, "angle_deg": 0.0})
        boxes = np.array([Ellipse(*row).box for row in known.to_numpy().tolist()]).reshape(-1, 4)
        last = self.width - 0.5, self.height - 0.5
        return np.asarray(((boxes[:, :2] < -0.5) | (boxes[:, 2:] > last)).any(axis=1))

    @classmethod
    def of(cls, frame: Frame, km_per_px: float | None = None) -> Measure:
        """What a frame is measured by.

        Args:
            frame: Missing pixels are not counted.
            km_per_px: A scale to believe; None to follow the frame's map, if it has one.
        """
        seen = np.isfinite(frame.grey)
        area_px = max(1.0, float(np.count_nonzero(seen)))
        area_km2 = None if km_per_px is None else area_px * km_per_px**2
        coarse_km = km_per_px
        if km_per_px is None and frame.ground is not None:
            area_km2, coarse_km = _areas(seen, frame.ground)
        return cls(
            frame.width, frame.height, area_px, area_km2, frame.row0, km_per_px, frame.ground, coarse_km
        )

    @classmethod
    def of_whole(cls, width: int, height: int, km_per_px: float | None = None) -> Measure:
        """What a frame is measured by of which only its size is known, and perhaps a scale."""
        area = float(width * height)
        area_km2 = None if km_per_px is None else area * km_per_px**2
        return cls(width, height, area, area_km2, km_per_px=km_per_px, coarse_km=km_per_px)

    @classmethod
    def of_text(cls, text: str) -> Measure | None:
        """What :attr:`text` kept; None of a text that is none of ours."""
        try:
            kept: Any = json.loads(text)
            ground = kept.pop("ground")
            if ground is not None:
                ground = Ground(**{**ground, "affine": tuple(ground["affine"])})
            return cls(**kept, ground=ground)
        except Exception:  # it was written by another version
            return None

    @property
    def text(self) -> str:
        """All of it as a text that can be kept."""
        return canonical_json(dataclasses.asdict(self))

    @property
    def across_km(self) -> float | None:
        """Kilometres of a pixel from left to right in the middle of the frame, as a scale bar is drawn; None
        where nobody knows. On a cylindrical map a pixel is narrower than it is high."""
        if self.km_per_px is not None or self.ground is None:
            return self.km_per_px
        across, _ = self.ground.pixel_sides_km((self.width - 1) / 2.0, (self.height - 1) / 2.0)
        km = float(np.linalg.norm(across))
        return km if math.isfinite(km) else None

    @property
    def area_note(self) -> str:
        """Which area is counted, in words."""
        part = self.area_px / (self.width * self.height)
        said = (
            "the whole frame" if part >= 1.0 else f"the {percent(part, 1)} of the frame that are not missing"
        )
        by_map = self.area_km2 is not None and self.km_per_px is None
        return f"{said}, each pixel with its own size on the map" if by_map else said

    def pixels_km(self, x: Float64, y: Float64) -> Float64:
        """``(N,)`` kilometres of pixels at places; NaN where nobody knows."""
        if self.km_per_px is not None or self.ground is None:
            return np.full(len(x), np.nan if self.km_per_px is None else self.km_per_px)
        scales: Float64 = np.sqrt(self.ground.pixel_areas_km2(x, y))
        return scales

    def axis_ratios(self, craters: pd.DataFrame) -> Float64:
        """``(N,)`` minor over major axis of craters: on the ground where there is a map, else on the picture.

        Args:
            craters: With ``x, y, diameter_px, axis_ratio, angle_deg``.
        """
        ratios = craters["axis_ratio"].to_numpy(float)
        if self.ground is None:
            return ratios
        shapes = craters[_ELLIPSE].to_numpy(float)
        pixels = np.stack(self.ground.pixel_sides_km(*shapes[:, :2].T), axis=2)  # (N, 3, 2)
        axes = np.array([Ellipse(*row).axes for row in shapes.tolist()])
        known = np.isfinite(pixels).all(axis=(1, 2))
        sizes = np.linalg.svd(pixels[known] @ axes[known], compute_uv=False)
        on_ground: Float64 = ratios.copy()
        on_ground[known] = sizes[:, 1] / sizes[:, 0]
        return on_ground

    def steps(self, path: Float64) -> Steps | None:
        """Directions and lengths of the parts of a line: from north and in km where there is a map, else from
        up on the picture and in pixels; None where nobody knows which side is up.

        Args:
            path: ``(N, 2)`` pixels.
        """
        if self.ground is None:
            return None if self.row0 is None else steps_of(path, self.row0)
        path = _cut(path)
        lat, lon = self.ground.latlon(path[:, 0], path[:, 1])
        lengths = self.ground.distance_km(lat[:-1], lon[:-1], lat[1:], lon[1:])
        east = (np.diff(lon) + 180.0) % 360.0 - 180.0
        east *= np.cos(np.radians((lat[:-1] + lat[1:]) / 2.0))
        known = np.isfinite(lengths)
        return np.degrees(np.arctan2(east, np.diff(lat)))[known] % 180.0, lengths[known]


def eccentricity(axis_ratio: float) -> float:
    """Eccentricity of an ellipse from the ratio of its axes."""
    return float(np.sqrt(max(0.0, 1.0 - min(1.0, axis_ratio) ** 2)))


def measured(found: Detections, by: Measure) -> Detections:
    """Detections with what can be measured of them.

    Returns:
        With ``diameter_km``, ``length_km`` and ``width_km`` where a scale is known; of craters
        ``eccentricity``, on the ground where there is a map; and on a map ``lat_deg`` and ``lon_deg``
        (planetocentric and eastward), and of lines ``azimuth_deg``, their mean direction from north through
        east in [0, 180).
    """
    table = found.table.copy()
    craters, lines = craters_of(table), lines_of(table)
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    if by.ground is not None and len(table):
        table["lat_deg"], table["lon_deg"] = by.ground.latlon(x, y)
    if len(craters):
        shapes = pd.Series([eccentricity(ratio) for ratio in by.axis_ratios(craters)], craters.index)
        table["eccentricity"] = shapes.reindex(table.index)
    if by.area_km2 is not None:
        scales = by.pixels_km(x, y)
        for size in ("diameter", "length", "width"):
            if f"{size}_px" in table:
                table[f"{size}_km"] = table[f"{size}_px"].to_numpy(float) * scales
    if by.ground is not None and len(lines):
        for row, path in zip(lines.index, map(points_of, lines["path"]), strict=True):
            steps = by.steps(path) if len(path) > 1 else None
            if steps is None or not len(steps[1]):
                continue
            table.loc[row, "azimuth_deg"] = mean_direction(*steps)[0]
            if by.km_per_px is None:
                on_ground = float(steps[1].sum())
                if "width_km" in table and on_ground > 0.0:
                    # Its area stays: where pixels are narrow, what runs along them is wider than they say.
                    table.loc[row, "width_km"] *= table.loc[row, "length_km"] / on_ground
                table.loc[row, "length_km"] = on_ground
    units = {name: unit for name, unit in UNITS.items() if name in table}
    return Detections(table, {**found.units, **units})


def named(found: Detections, frame: Frame) -> Detections:
    """Detections with the IAU's ``name`` of each crater that has one, where the frame has a map."""
    craters = craters_of(found.table)
    if frame.ground is None or craters.empty:
        return found
    names = names_of_craters(
        frame, *(craters[each].to_numpy(float) for each in ("x", "y", "diameter_px", "score"))
    )
    table = found.table.copy()
    table["name"] = pd.Series(names, index=craters.index, dtype=object).reindex(table.index)
    table["name"] = table["name"].where(table["name"].notna(), None)
    return Detections(table, found.units)


def _areas(seen: NDArray[np.bool_], ground: Ground) -> tuple[float, float] | tuple[None, None]:
    """Square kilometres of pixels by their map, and the kilometres of a coarse one; None where none of them
    lies on it."""
    edges = [np.unique(np.linspace(0, side, min(side, _CELLS) + 1).astype(int)) for side in seen.shape]
    middles = [(edge[:-1] + edge[1:] - 1) / 2.0 for edge in edges]
    y, x = np.meshgrid(*middles, indexing="ij")
    areas = ground.pixel_areas_km2(x.ravel(), y.ravel()).reshape(y.shape)
    counts = np.add.reduceat(np.add.reduceat(seen, edges[0][:-1], axis=0, dtype=float), edges[1][:-1], axis=1)
    covered = np.nan_to_num(counts * areas).ravel()
    total = float(covered.sum())
    if total <= 0.0:
        return None, None
    finest = np.argsort(areas.ravel(), kind="stable")
    coarse = finest[np.searchsorted(np.cumsum(covered[finest]), FINE_PART * total)]
    return total, math.sqrt(float(areas.ravel()[coarse]))


def _cut(path: Float64) -> Float64:
    """``(M, 2)`` a line with points close together."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    more = np.linspace(0.0, along[-1], math.ceil(along[-1] / LONGEST_STEP_PX) + 1)
    at = np.unique(np.concatenate([along, more]))
    return np.column_stack([np.interp(at, along, path[:, axis]) for axis in (0, 1)])
