"""Which landform is each place: crater floor or rim, valley, ridge or plain, by a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import Method, Progress, no_progress
from core.models import are_present, read_card
from core.models.windows import Grid, Window, windows
from core.parameters import Parameters, parameter
from core.results import Detections, Result
from core.surfaces.craters import OVERLAP, WINDOW_PX, find
from core.surfaces.craters import WEIGHTS as CRATERS
from core.surfaces.in_light import light_on, look_in_light, sun_fact
from core.surfaces.kinds import FLOOR, LINES, PLAIN, RIM, SEGMENTS
from core.surfaces.places import share_name, shares, softmax, sure_classes
from core.surfaces.seen import seen_on
from core.surfaces.sunlight import SUN, UNLIT, WHY_CRATERS, Sunlight
from core.words import percent

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

WEIGHTS = "surfaces_landforms"
DEFAULT_TEMPERATURE = 1.0
"""Where the card says nothing."""
LEAST_PX, MOST_CELLS = 2.0, 1536
"""Side of the places that are told apart, in pixels of the frame, and most of them along a side."""
FINEST_PX = 4096
"""Longer frames are looked at on a copy of this size."""
LEAST_CRATER, CRATER_REACH, ROOM_PX = 0.1, 1.25, 2.0
"""Floors and rims are believed around craters of this score or a higher: within so many radii, and pixels."""
UNSEEN = 0.1
"""Elsewhere they are so many times as likely."""


@dataclass(frozen=True)
class SegmentParameters(Parameters):
    """How sure the network must be of a place, and how long a line must be."""

    sure_from: float = parameter(
        0.5,
        label="Sure from",
        low=0.2,
        high=0.99,
        step=0.05,
        help="Least probability of the likeliest class; where it is lower the place is unsure.",
        why="Above one half no other class can be as likely.",
    )
    sun_azimuth_deg: float | None = parameter(
        None,
        **SUN,
        why=WHY_CRATERS,
    )
    min_length_px: float = parameter(
        24.0,
        label="Shortest line",
        unit="px",
        low=4.0,
        high=10_000.0,
        step=1.0,
        help="Shorter valleys and ridges are not given as lines; they stay on the map.",
        why="Shorter ones are mostly parts of crater walls.",
    )


Look = Callable[[UInt8], Float32]
"""``(5, h / 2, w / 2)`` logits of the classes of a ``(h, w)`` picture."""


def analyse(frame: Frame, params: SegmentParameters, progress: Progress) -> Result:
    """Tell the landforms of a frame apart.

    Returns:
        Valleys and ridges as lines (see :func:`core.surfaces.lines.as_detections`), the mask ``landforms``
        with the number of each place's class in :data:`~core.surfaces.kinds.SEGMENTS` from 1, 0 where none is
        sure enough or nothing is seen, a map of the probability of each class, and the part of each landform
        of what is seen.
    """
    from core.surfaces.lines import as_detections, lines_of
    from core.surfaces.pictures import pixel_aspect, surface_picture
    from core.surfaces.refusals import why_not_surface

    progress(0.0, "preparing the picture")
    refusal = why_not_surface(frame)
    if refusal:
        return Result(Detections.empty(), summary="No landforms.", warnings=(refusal,))
    temperature = float(read_card(WEIGHTS).extra.get("temperature", DEFAULT_TEMPERATURE))
    grid = Grid(frame.width, frame.height, LEAST_PX, MOST_CELLS)
    picture = surface_picture(frame)
    there = np.isfinite(frame.grey)
    aspect = pixel_aspect(frame)
    light = light_on(
        picture, params.sun_azimuth_deg, lambda done, doing: progress(0.4 * done, doing), there, aspect
    )
    logits = places_in_light(
        picture, grid, light, lambda done, doing: progress(0.4 + 0.55 * done, doing), there, aspect
    )
    chances = softmax(logits, temperature)
    seen = seen_on(frame, grid.shape)
    mask = sure_classes(chances, params.sure_from, seen)
    progress(0.95, "following valleys and ridges")
    cell = frame.width / grid.shape[1]
    lines = []
    for label in LINES:
        number = SEGMENTS.index(label)
        lines += lines_of(mask == number + 1, label, cell, params.min_length_px, chances[number])
    found = as_detections(lines)
    facts = shares(mask, SEGMENTS, seen)
    return Result(
        found,
        summary=in_words(found, facts),
        maps={name: chances[number] for number, name in enumerate(SEGMENTS)},
        masks={"landforms": mask},
        facts=facts | sun_fact(light),
        warnings=() if light.is_known else (UNLIT,),
    )


def places_in_light(
    picture: UInt8,
    grid: Grid,
    light: Sunlight,
    progress: Progress = no_progress,
    seen: NDArray[np.bool_] | None = None,
    aspect: float = 1.0,
) -> Float32:
    """``(5, rows, columns)`` logarithms of the chances of the classes over a grid; see
    :func:`core.surfaces.in_light.look_in_light`.

    Where the network of craters sees none, not even a doubtful one, floors and rims are hard to believe: to
    this one, bright and dark ground of a map can look like those of a giant crater.

    Args:
        picture: ``(H, W)``.
        grid: Over it.
        light: On it.
        progress: Told the part of the windows that was looked at.
        seen: ``(H, W)`` where the frame has pixels; everywhere when None.
        aspect: Height over width of a pixel on the ground.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or are not what they should be.
    """
    from core.surfaces.landform_network import landform_network, look

    network = landform_network(WEIGHTS)

    def look_at(turned: UInt8, progress: Progress) -> Float32:
        over = Grid(turned.shape[1], turned.shape[0], grid.least_px, grid.most)
        return look_around(turned, over, lambda shown: look(network, shown).logits, progress)

    logits = look_in_light(picture, light, look_at, progress)
    if are_present(CRATERS):
        found, scores, _ = find(picture, seen=seen, aspect=aspect)
        beyond = ~covered(found[scores >= LEAST_CRATER, 1:4], grid)
        for label in (FLOOR, RIM):
            logits[SEGMENTS.index(label)][beyond] += np.log(np.float32(UNSEEN))
    return logits


def covered(craters: Float64, grid: Grid) -> NDArray[np.bool_]:
    """``grid.shape`` which cells lie in or around craters.

    Args:
        craters: ``(N, 3)`` x, y and radius in pixels.
        grid: Over the picture.
    """
    rows, columns = grid.shape
    width, height = grid.width / columns, grid.height / rows
    found = np.zeros(grid.shape, bool)
    for x, y, radius in craters:
        reach = CRATER_REACH * radius + ROOM_PX
        at_row = slice(max(int((y - reach) / height), 0), max(int((y + reach) / height) + 2, 0))
        at_column = slice(max(int((x - reach) / width), 0), max(int((x + reach) / width) + 2, 0))
        down = (np.arange(rows)[at_row, None] + 0.5) * height - 0.5 - y
        right = (np.arange(columns)[None, at_column] + 0.5) * width - 0.5 - x
        found[at_row, at_column] |= np.hypot(down, right) <= reach
    return found


def look_around(picture: UInt8, grid: Grid, look: Look, progress: Progress = no_progress) -> Float32:
    """``(5, rows, columns)`` logits over a grid; where windows meet, theirs fade into each other.

    Args:
        picture: ``(H, W)``.
        grid: Over it.
        look: The network.
        progress: Told the part of the windows that was looked at.
    """
    height, width = picture.shape
    scale = min(1.0, FINEST_PX / max(width, height))
    todo = windows(width, height, WINDOW_PX, OVERLAP, [scale])
    logits = np.zeros((len(SEGMENTS), *grid.shape), np.float32)
    weights = np.full(grid.shape, 1e-6, np.float32)
    for number, window in enumerate(todo):
        progress(0.05 + 0.85 * number / len(todo), f"looking at part {number + 1} of {len(todo)}")
        said = look(window.show(picture))
        rows, columns = grid.span(window)
        shape = weights[rows, columns].shape
        fade = _fade(window, shape)
        weights[rows, columns] += fade
        for total, part in zip(logits, said, strict=True):
            total[rows, columns] += fade * _resized(part, shape)
    logits /= weights
    return logits


def in_words(lines: Detections, facts: dict[str, float]) -> str:
    """One sentence on what was found."""
    counts = [(int((lines.table["label"] == label).sum()), label) for label in LINES]
    counted = " and ".join(f"{n:,} {label}{'' if n == 1 else 's'}" for n, label in counts)
    craters, plain = facts[share_name(FLOOR)] + facts[share_name(RIM)], facts[share_name(PLAIN)]
    return f"{percent(craters)} of the ground is craters and {percent(plain)} plain; {counted} found."


def _fade(window: Window, shape: tuple[int, ...]) -> Float32:
    """Weights that fall to nearly nothing at edges that lie within the frame."""
    sides = []
    for n, before, after in ((shape[0], 1, 3), (shape[1], 0, 2)):
        ramp = max(1, round(0.2 * n))
        line = np.ones(n, np.float32)
        rise = (np.arange(ramp, dtype=np.float32) + 0.5) / ramp
        if window.inner[before]:
            line[:ramp] = np.minimum(line[:ramp], rise)
        if window.inner[after]:
            line[n - ramp :] = np.minimum(line[n - ramp :], rise[::-1])
        sides.append(line)
    return np.outer(sides[0], sides[1])


def _resized(values: Float32, shape: tuple[int, ...]) -> Float32:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)


METHOD = Method(
    name="surfaces.segment",
    title="Landform map",
    summary="Tells crater floors, rims, valleys, ridges and plains apart, place by place.",
    description=(
        "A residual U-Net gives each place the probabilities of five classes. A valley and a ridge look "
        "alike under opposite suns, so the side of the light is measured on craters first, and the picture "
        "turned so that it comes from the upper left. The network was trained on hillshades of real lunar "
        "relief with the sun there, where valleys and ridges were taken from the relief itself and "
        "not from its shading. Floors and rims are believed where the crater network sees at least a "
        "doubtful crater. Places where no class is likely enough are called unsure; valleys and ridges "
        "are followed along their middle and measured."
    ),
    reference=(
        "Ronneberger et al. 2015, arXiv:1505.04597; temperature scaling: Guo et al. 2017, arXiv:1706.04599"
    ),
    params=SegmentParameters,
    analyse=analyse,
    labels=LINES,
    geometry=("line", "ellipse", "box"),
    weights=WEIGHTS,
)
