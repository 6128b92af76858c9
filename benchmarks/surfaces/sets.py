"""The pictures: lunar relief of regions that were held out, THEMIS tiles of Mars, and CTX pictures of Mars.

*lunar*: each test region of the relief (``moon_dem_gld100``) under suns of several heights, shaded and with
cast shadows, with noise of a few levels. Its craters are catalogued down to about 5 km; smaller ones were
found in the relief itself. Craters that may be none count neither way, and so do places whose class is not
known, and valleys and ridges that the light does not show.

*themis*: the validation tiles of ``crater_themis_yolo`` (Zhao et al. 2024), day infrared, boxes.

*ctx*: pictures of ``crater_ctx_mc11e`` (Francis et al. 2020), six people each; a crater counts that
:data:`~training.surface_photographs.AGREED` of them marked, others count neither way. Nothing was ever
learned on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from training.surface_light import Sun, cast_shadows, reflectance, slopes
from training.surface_photographs import AGREED, SurfacePhotograph, load_ctx, load_themis
from training.surface_relief import Region, load_regions
from training.surface_scenes import hide_unseen_lines
from training.surface_truth import TrueCrater, lay_craters

UInt8 = NDArray[np.uint8]

INCIDENCES_DEG = (20.0, 45.0, 60.0, 70.0, 78.0)
NOISE_LEVELS, LUNAR_LAW = 2.5, 0.6
LEAST_LAID_PX = 8.0
"""Floors and rims of smaller craters are not told apart."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What is looked at, and what is known of it.

    Attributes:
        name: Of the picture.
        grey: ``(H, W)``.
        craters: Those not ``wanted`` count neither way.
        classes: ``(H, W)`` as :func:`training.surface_truth.lay_craters` writes them; None where not known.
        incidence_deg: Of the sun, where it is known.
    """

    name: str
    grey: UInt8
    craters: tuple[TrueCrater, ...]
    classes: UInt8 | None = None
    incidence_deg: float | None = None

    @property
    def frame(self) -> Frame:
        """The picture as methods take it."""
        return Frame.from_array(self.grey.astype(np.float32), f"{self.name}.png", row0="top")


@dataclass(frozen=True, eq=False)
class Set:
    """Pictures that are drawn or read when they are asked for.

    Attributes:
        about: A sentence.
        least_px: Diameter from which craters are asked for.
        pictures: By name, what makes each.
    """

    about: str
    least_px: float
    pictures: dict[str, Callable[[], Picture]]


def load_sets(data: Path) -> dict[str, Set]:
    """The sets whose collections are there.

    Args:
        data: Folder of the collections.
    """
    found = {"lunar": lunar(data), "themis": themis(data), "ctx": ctx(data)}
    return {name: one for name, one in found.items() if one.pictures}


def fingerprint(pictures: list[Picture]) -> str:
    """Hash of the pictures and of what is known of them."""
    parts = [
        one.grey.tobytes()
        + repr([crater.as_dict() for crater in one.craters]).encode()
        + (b"" if one.classes is None else one.classes.tobytes())
        for one in pictures
    ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def lunar(data: Path) -> Set:
    """Regions that were held out, under several suns."""
    regions = {one.name: one for one in load_regions(data, "test")}

    def make(name: str, number: int, incidence: float) -> Callable[[], Picture]:
        return lambda: lit(regions[name], number, incidence)

    pictures = {
        f"{name}_{incidence:.0f}": make(name, 10 * row + column, incidence)
        for row, name in enumerate(regions)
        for column, incidence in enumerate(INCIDENCES_DEG)
    }
    return Set("Held-out regions of lunar relief at 474 m a pixel, under five suns", 10.0, pictures)


def lit(region: Region, number: int, incidence_deg: float) -> Picture:
    """A region under a sun that stands anywhere at this height.

    Args:
        region: The ground.
        number: Decides where the sun stands, and the noise.
        incidence_deg: Of the sun, from the vertical.
    """
    rng = np.random.default_rng([41, number])
    sun, px_m = Sun(float(rng.uniform(0.0, 360.0)), incidence_deg), 1000.0 * region.km_per_px
    light = reflectance(*slopes(region.height, px_m), sun, LUNAR_LAW) * cast_shadows(region.height, px_m, sun)
    low, high = np.percentile(light[region.seen], [0.3, 99.7])
    levels = (light - low) * (235.0 / max(high - low, 1e-6)) + 10.0
    noisy = levels + NOISE_LEVELS * rng.standard_normal(levels.shape)
    grey = np.where(region.seen, np.clip(np.rint(noisy), 0, 255), 0).astype(np.uint8)
    classes = region.classes.copy()
    hide_unseen_lines(classes, levels, levels, NOISE_LEVELS)
    lay_craters(classes, region.craters, LEAST_LAID_PX)
    return Picture(f"{region.name}_{incidence_deg:.0f}", grey, region.craters, classes, incidence_deg)


def themis(data: Path) -> Set:
    """Tiles of Mars that were held out."""
    tiles = load_themis(data, "valid")
    return Set("THEMIS day infrared tiles of Mars, validation split", 8.0, _marked(tiles))


def ctx(data: Path) -> Set:
    """Pictures that several people marked."""
    about = f"CTX pictures of Mars; craters that {AGREED} of 6 people marked"
    return Set(about, 10.0, _marked(load_ctx(data)))


def _marked(photographs: Sequence[SurfacePhotograph]) -> dict[str, Callable[[], Picture]]:
    """Photographs by the names of their files."""

    def make(one: SurfacePhotograph) -> Callable[[], Picture]:
        return lambda: Picture(Path(one.source).stem, one.picture, one.craters)

    return {Path(one.source).stem: make(one) for one in photographs}
