"""What the networks that find clusters in pictures share: their parameters, and the way to a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clusters.crowd import SMOOTH, grain
from core.clusters.kinds import LABELS
from core.clusters.outlines import Outline, as_detections, instance_map, unique
from core.frames import Frame
from core.methods import Progress
from core.models import chosen, read_card
from core.models.windows import Grid, Window, scales, windows
from core.parameters import Parameters, parameter
from core.results import Detections, Result, by_confidence

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

DEFAULT_CONFIDENCE = 0.5
"""Where the card says nothing."""
SIDE_PX, WINDOW_PX, OVERLAP = 512, 1024, 0.25
"""Side of the pictures of the training: a frame is searched on copies down to this, and what is smaller is
laid on black. A copy that is larger than a window is searched in several, which share this part."""
LARGEST_PX, SMALLEST_PX = 400.0, 36.0
"""Larger outlines are left to a smaller copy, and on smaller copies smaller ones to a larger copy."""
FROM_AFAR, FILLING = 0.5, 0.75
"""A last copy is so much smaller again: clusters are seen there that are this part of the frame and more."""
LEAST_GRAIN, STAR_PX = 0.25, 3.0
"""Least grain of what glows, and the width of stars."""
INNER_PART, INNER_COUNTS, OUTER_FROM, FIELD_REACH = 0.55, 1.25, 0.5, 2.4
"""The grain is asked for within the first part of an outline's radius, where it counts for so much more since
stars run together there, and from the next part outwards; the field is looked at to so many radii."""
LEAST_SCORE = 0.05
"""Candidates below are not worth keeping even as such."""


@dataclass(frozen=True)
class PictureParameters(Parameters):
    """How sure a network must be."""

    confidence: float | None = parameter(
        None,
        label="Confidence",
        low=0.01,
        high=0.99,
        step=0.01,
        help="Least confidence of a cluster; auto takes the one that was best on skies it had not seen.",
        why="Chosen with the training, so that nine of ten it finds there are clusters.",
    )
    min_grain: float = parameter(
        LEAST_GRAIN,
        label="Least grain",
        low=0.0,
        high=1.0,
        step=0.01,
        help="Least unevenness of the light of a cluster that glows, over its brightness; 0 takes all.",
        why="In their middle or their outer half globular clusters have more, most galaxies less.",
        advanced=True,
    )


@dataclass(frozen=True)
class Look:
    """How a network looks at a picture.

    Attributes:
        see: Looks at a ``(h, w, 3)`` window as it is shown: outlines, and ``(h', w')`` chances or None.
        least_from_afar: Least score of a cluster on a last copy, smaller than the pictures it has learned
            from; None where there is no such copy.
    """

    see: Callable[[UInt8, Window, Grid], tuple[list[Outline], Float32 | None]]
    least_from_afar: float | None = None


def search_picture(
    frame: Frame, params: PictureParameters, progress: Progress, weights: str, look: Look
) -> Result:
    """Find clusters on a frame with a network.

    Args:
        frame: Any frame; what cannot be the night sky is not searched, and a sentence says so.
        params: How sure it must be.
        progress: Told the part of the windows that was looked at.
        weights: Name of the network's card.
        look: The network.

    Returns:
        The clusters, surest first, the mask ``clusters`` with their numbers from 1 in this order, and the map
        ``probability`` where the network gives one.
    """
    from core.frames.night import network_picture, why_not_sky

    progress(0.0, "preparing the picture")
    picture = network_picture(frame)
    refusal = why_not_sky(picture)
    if refusal:
        return Result(as_detections(frame, [], Grid(1, 1)), summary="No star clusters.", warnings=(refusal,))
    grid = Grid(frame.width, frame.height)
    outlines, heat = look_around(picture, grid, look, lambda done, doing: progress(0.05 + 0.9 * done, doing))
    confidence = chosen(params.confidence, read_card(weights).extra, "confidence", DEFAULT_CONFIDENCE)
    found = [one for one in outlines if one.score >= confidence and one.grain >= params.min_grain]
    table = as_detections(frame, outlines, grid)
    smooth = np.array([one.grain < params.min_grain for one in outlines], bool)
    result = by_confidence(
        Detections(table.table.assign(reason=np.where(smooth, SMOOTH, "")), table.units),
        confidence,
        maps={} if heat is None else {"probability": heat},
        masks={"clusters": instance_map(found, grid)},
    )
    return dataclasses.replace(result, summary=summary([one.label for one in found]))


def look_around(
    picture: UInt8, grid: Grid, look: Look, progress: Progress = lambda done, doing: None
) -> tuple[list[Outline], Float32 | None]:
    """One of each cluster, surest first, and the highest chance of each cell over all windows.

    Args:
        picture: ``(H, W, 3)``.
        grid: Over it.
        look: The network.
        progress: Told the part of the windows that was looked at.
    """
    height, width = picture.shape[:2]
    copies = scales(width, height, SIDE_PX)
    afar = len(copies)
    if look.least_from_afar is not None:
        copies.append(copies[-1] * FROM_AFAR)
    todo = windows(width, height, WINDOW_PX, OVERLAP, copies)
    found: list[Outline] = []
    heat: Float32 | None = None
    for number, window in enumerate(todo):
        progress(number / len(todo), f"looking at part {number + 1} of {len(todo)}")
        outlines, chances = look.see(window.show(picture), window, grid)
        if window.level == afar:
            least = look.least_from_afar or 0.0
            found += [one for one in outlines if one.score >= least and _fills(one, grid)]
            continue
        found += [one for one in outlines if _fits(one, window, grid, afar)]
        if chances is not None:
            heat = np.zeros(grid.shape, np.float32) if heat is None else heat
            rows, columns = grid.span(window)
            part = heat[rows, columns]
            np.maximum(part, _resized(chances, part.shape), out=part)
    grey = picture.mean(axis=2, dtype=np.float32)
    kept = [one for one in unique(found) if one.score >= LEAST_SCORE]
    return [dataclasses.replace(one, grain=_grain(grey, one, grid)) for one in kept], heat


def summary(labels: list[str]) -> str:
    """One sentence on what was found."""
    if not labels:
        return "No star clusters were found."
    counts = [(labels.count(label), label) for label in LABELS if label in labels]
    return " and ".join(f"{n:,} {label}{'' if n == 1 else 's'}" for n, label in counts) + " found."


def _grain(grey: Float32, one: Outline, grid: Grid) -> float:
    """Of an outline, at the resolution of the picture: of its middle or of its outer half, what is more."""
    cell = grid.cell_px
    row, column = ((at + 0.5) * cell - 0.5 for at in one.middle)
    radius = cell * float(np.sqrt(one.area / np.pi))
    inner = grain(grey, column, row, INNER_PART * radius, STAR_PX)
    outer = grain(grey, column, row, radius, STAR_PX, inner=OUTER_FROM, reach=FIELD_REACH)
    return max(INNER_COUNTS * inner, outer)


def _fits(one: Outline, window: Window, grid: Grid, n_copies: int) -> bool:
    """Whether this copy is the one to see a cluster of this size on; what is at hand both ways is kept."""
    size = max(one.inside.shape) * grid.cell_px * window.scale
    if window.level < n_copies - 1 and size > LARGEST_PX:
        return False
    return window.level == 0 or size >= SMALLEST_PX


def _fills(one: Outline, grid: Grid) -> bool:
    """Whether a cluster is as large as the frame, nearly."""
    return bool(max(one.inside.shape) >= FILLING * max(grid.shape))


def _resized(values: Float32, shape: tuple[int, ...]) -> Float32:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)
