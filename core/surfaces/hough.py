"""Craters, valleys and ridges without a network: matched filters for circles, Hessian filters for lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import Method, Progress
from core.models.windows import Grid
from core.parameters import Parameters, parameter
from core.results import Detections, Result
from core.shapes import Ellipse
from core.surfaces.kinds import CRATER, FLOOR, LINES, PLAIN, RIDGE, RIM, SEGMENTS, VALLEY
from core.surfaces.lines import Traced, as_detections
from core.surfaces.places import shares
from core.surfaces.seen import seen_on
from core.surfaces.sunlight import SUN, UNLIT

Float32 = NDArray[np.float32]

LEAST_CELL_PX, MOST_CELLS = 1.0, 1536
"""Side of the places of the map in pixels of the frame, and most of them along a side."""
FLOOR_RADII, RIM_RADII = 0.8, 1.2
"""A crater's floor reaches to the first part of its radius, its rim on to the second."""
COLUMNS = ("diameter_px", "axis_ratio", "angle_deg", "length_px", "width_px", "path")
UNITS = {"diameter_px": "pix", "angle_deg": "deg", "length_px": "pix", "width_px": "pix"}


@dataclass(frozen=True)
class HoughParameters(Parameters):
    """What the search can be told."""

    confidence: float = parameter(
        0.5,
        label="Confidence",
        low=0.05,
        high=0.99,
        step=0.05,
        help="Least score of a crater.",
        why="Close to the best balance of craters missed and made up, on THEMIS tiles of Mars.",
    )
    min_diameter_px: float = parameter(
        10.0,
        label="Smallest crater",
        unit="px",
        low=9.0,
        high=500.0,
        step=1.0,
        help="Least diameter of a crater.",
        why="Below ten pixels, people who mark the same picture agree on less than half.",
    )
    max_diameter_part: float = parameter(
        0.6,
        label="Largest crater",
        unit="of the shorter side",
        low=0.05,
        high=1.0,
        step=0.05,
        help="Greatest diameter of a crater.",
        why="A filter needs ground around the crater to see it against.",
        advanced=True,
    )
    sun_azimuth_deg: float | None = parameter(
        None,
        **SUN,
        why="Measured from the shading of everything round.",
    )
    line_limit: float = parameter(
        4.0,
        label="Limit of lines",
        unit="× usual",
        low=1.0,
        high=50.0,
        step=0.1,
        help="How far a valley or ridge must stand out of what the ground usually gives.",
        why="Rough ground without valleys gives next to none.",
    )
    min_length_px: float = parameter(
        40.0,
        label="Shortest line",
        unit="px",
        low=10.0,
        high=5000.0,
        step=5.0,
        help="Least length of a valley or ridge.",
        why="Shorter pieces are found in any rough ground.",
    )


def analyse(frame: Frame, params: HoughParameters, progress: Progress) -> Result:
    """Find craters, valleys and ridges.

    Returns:
        Landforms with the columns of every method of this task; the mask ``landforms`` of classes from 1 in
        the order of :data:`~core.surfaces.kinds.SEGMENTS`, a map of each, both over a grid on large frames,
        and their shares of the area.
    """
    from core.surfaces.hough_craters import find_craters
    from core.surfaces.hough_lines import line_maps, lines_in
    from core.surfaces.pictures import surface_picture
    from core.surfaces.refusals import why_not_surface
    from core.surfaces.sunlight import Sunlight, sunlight

    progress(0.0, "looking at the picture")
    refusal = why_not_surface(frame)
    if refusal:
        return Result(Detections.empty(), summary="No landforms.", warnings=(refusal,))
    picture, seen = surface_picture(frame), np.isfinite(frame.grey)
    progress(0.1, "looking for the light")
    given = params.sun_azimuth_deg
    light = sunlight(picture) if given is None else Sunlight(given, is_given=True)
    largest = params.max_diameter_part * min(picture.shape)
    craters, azimuth = find_craters(
        picture,
        seen,
        light,
        (params.min_diameter_px, largest),
        lambda done: progress(0.2 + 0.5 * done, "looking for craters"),
    )
    craters = [(one, score) for one, score in craters if score >= params.confidence]
    progress(0.7, "looking for valleys and ridges")
    maps = line_maps(picture, seen, [one for one, _ in craters], azimuth)
    lines = [
        line
        for kind, found in zip((VALLEY, RIDGE), maps, strict=True)
        for line in lines_in(found, kind, params.line_limit, params.min_length_px)
    ]
    progress(0.9, "drawing the map")
    grid = Grid(frame.width, frame.height, LEAST_CELL_PX, MOST_CELLS)
    chances, seen = _chances(grid, craters, lines), seen_on(frame, grid.shape)
    landforms = np.argmax(chances, axis=0).astype(np.uint16) + np.uint16(1)
    if azimuth is None:
        # Without slopes nothing says that ground is plain.
        landforms[landforms == SEGMENTS.index(PLAIN) + 1] = 0
    landforms[~seen] = 0
    chances[:, ~seen] = 0.0
    warnings = [] if azimuth is not None else [UNLIT]
    return Result(
        detections=_table(craters, lines),
        summary=summary([one for one, _ in craters], lines),
        maps=dict(zip(SEGMENTS, chances, strict=True)),
        masks={"landforms": landforms},
        facts={
            **shares(landforms, SEGMENTS, seen),
            "sun_azimuth_deg": float("nan") if azimuth is None else azimuth,
            "sun_concentration": light.concentration,
        },
        warnings=tuple(warnings),
    )


def _chances(grid: Grid, craters: list[tuple[Ellipse, float]], lines: list[Traced]) -> Float32:
    """``(classes, rows, columns)`` probability of each class over a grid."""
    from skimage.draw import polygon

    shape = grid.shape
    cell = np.array([grid.width / shape[1], grid.height / shape[0]])

    def within(outline: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        x, y = ((outline + 0.5) / cell - 0.5).T
        rows, columns = polygon(y, x, shape)
        return rows, columns

    chances = np.zeros((len(SEGMENTS), *shape), np.float32)
    place = {kind: chances[number] for number, kind in enumerate(SEGMENTS)}
    for line in lines:
        rows, columns = within(line.line.ribbon(max(line.width_px, 1.5 * cell.max())).outline)
        here = place[line.label]
        here[rows, columns] = np.maximum(here[rows, columns], line.score)
    for one, score in sorted(craters, key=lambda each: -each[0].diameter_px):
        for kind, other, reach in ((RIM, FLOOR, RIM_RADII), (FLOOR, RIM, FLOOR_RADII)):
            rows, columns = within(replace(one, diameter_px=reach * one.diameter_px).outline)
            place[kind][rows, columns] = score
            place[other][rows, columns] = 0.0
            for line_kind in (VALLEY, RIDGE):
                place[line_kind][rows, columns] = 0.0
    total = chances.sum(axis=0)
    chances /= np.maximum(total, 1.0)
    place[PLAIN][:] = 1.0 - chances.sum(axis=0)
    return chances


def _table(craters: list[tuple[Ellipse, float]], lines: list[Traced]) -> Detections:
    """The table of landforms, craters first, the surest first among each."""
    circles = [
        {"label": CRATER, "score": score, **one.entry}
        for one, score in sorted(craters, key=lambda each: -each[1])
    ]
    tables = [pd.DataFrame(circles)] if circles else []
    if lines:
        tables.append(as_detections(lines).table.dropna(axis=1, how="all"))
    if not tables:
        return Detections.empty()
    table = pd.concat(tables, ignore_index=True)
    table = table.reindex(columns=[*table.columns, *(name for name in COLUMNS if name not in table)])
    numbers = [column for column in COLUMNS if column != "path"]
    table[numbers] = table[numbers].astype(float)
    table["path"] = table["path"].astype(object).where(table["path"].notna(), None)
    return Detections(table, UNITS)


def summary(craters: Sequence[Ellipse], lines: Sequence[Traced]) -> str:
    """``"214 craters, the largest 42 px across; 3 valleys; 5 ridges."``."""
    parts = []
    if craters:
        largest = max(one.diameter_px for one in craters)
        if len(craters) == 1:
            parts.append(f"One crater, {largest:,.0f} px across")
        else:
            parts.append(f"{len(craters):,} craters, the largest {largest:,.0f} px across")
    for label in LINES:
        count = sum(line.label == label for line in lines)
        if count:
            parts.append(f"one {label}" if count == 1 else f"{count:,} {label}s")
    if not parts:
        return "No landforms."
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


METHOD = Method(
    name="surfaces.hough",
    title="Circles and lines",
    summary="Looks for lit bowls of every size, and for long hollows and crests; quick, and easily misled.",
    description=(
        "The side of the sun is measured from the shading of everything round. A matched filter of rings and "
        "waves, the same for every size, votes for craters; sectors of the circle must agree. Heights are "
        "estimated from the shading, and Hessian filters of three widths answer to valleys and ridges, whose "
        "skeletons are the lines."
    ),
    reference=(
        "Duda & Hart 1972, CACM 15, 11; Pentland 1990, Int. J. Comp. Vision 4, 153; Sato et al. 1998, "
        "Med. Image Analysis 2, 143"
    ),
    params=HoughParameters,
    analyse=analyse,
    labels=(CRATER, VALLEY, RIDGE),
    geometry=("ellipse", "line", "box"),
)
