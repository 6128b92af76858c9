"""What every method of deep-sky objects can be told, and those that search a large frame in windows."""

from __future__ import annotations

from dataclasses import dataclass

from core.parameters import Parameters, parameter


@dataclass(frozen=True)
class DsoParameters(Parameters):
    """How sure a method must be, and whether what it finds is looked up."""

    confidence: float | None = parameter(
        None,
        label="Confidence",
        low=0.01,
        high=0.99,
        step=0.01,
        help="Least confidence of an object; auto takes the one that was best on skies it had not seen.",
        why="Chosen with the training, so that of the empty frames there at most one in twenty got a box.",
    )
    name_objects: bool = parameter(
        True,
        label="Name the objects",
        help="Look each object up in OpenNGC where the frame has sky coordinates.",
        why="It takes a fraction of a second and no network.",
    )


@dataclass(frozen=True)
class TiledParameters(DsoParameters):
    """The windows that larger frames are searched in."""

    tile_px: int = parameter(
        640,
        label="Tile",
        unit="px",
        low=320,
        high=1280,
        step=32,
        help="Side of the windows that larger frames are searched in.",
        why="What it was trained on.",
        advanced=True,
    )
    overlap: float = parameter(
        0.25,
        label="Overlap",
        low=0.0,
        high=0.6,
        step=0.05,
        help="Part of a window that the next one shares, so that what one cuts is whole in the other.",
        why="Objects larger than a quarter of a window are found on a smaller copy of the frame.",
        advanced=True,
    )
