"""Photographs of the ground with craters that people marked.

* ``crater_themis_yolo``: THEMIS day-infrared tiles of Mars (Zhao, Davis & Collins 2024, zenodo 13970867). Its
training boxes are those of Robbins & Hynek's catalogue and others that a network accepted; its ``valid``
tiles hold small craters added by hand, and are kept for tests. One of :data:`VAL_OF` training tiles is kept
to validate. Tiles that show the same ground as another are dropped. * ``crater_roboflow_mars_moon``: 98
training pictures of Mars and the Moon, of all instruments, to train on. * ``crater_ctx_mc11e``: CTX pictures
of Mars that six people marked (Francis et al. 2020, Data 5, 70), only to measure on.

Boxes are craters whose axes lie along x and y. On tiles to train on small craters are often not marked: what
looks like one, by its likeness to a lit bowl, and is no marked one counts neither way (:func:`lookalikes`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.dso_sky import log_uniform
from training.surface_light import Sun, reflectance, slopes
from training.surface_scenes import LEAST_SEGMENT_PX, LEAST_WANTED_PX, SceneFacts, SurfaceScene
from training.surface_shapes import DrawnCrater, add_crater
from training.surface_truth import IGNORE, MARKED, TrueCrater, lay_craters

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

THEMIS, ROBOFLOW, CTX = "crater_themis_yolo", "crater_roboflow_mars_moon", "crater_ctx_mc11e"
PHOTOGRAPH = "photograph"
VAL_OF = 10
SAME = 0.97
"""Correlation of tiles, shrunk to 16 × 16, that show the same ground."""
AGREED = 3
"""People of six who must have marked a crater of CTX pictures."""
LOOKALIKE_PX = (2.2, 3.2, 4.6, 6.6)
"""Radii of what may be an unmarked crater."""
LIKENESS = 0.66
"""Correlation with a lit bowl from which something may be a crater."""
LEAST_RATIO_CUT = 0.8
_AZIMUTHS = tuple(45.0 * number for number in range(8))


@dataclass(frozen=True, eq=False)
class SurfacePhotograph:
    """A photograph of the ground.

    Attributes:
        picture: ``(h, w)`` grey levels.
        craters: Those that are marked.
        collection, source: Where it is from: the folder and the file.
        is_complete: Whether all that can be seen are marked; else lookalikes count neither way.
    """

    picture: UInt8
    craters: tuple[TrueCrater, ...]
    collection: str
    source: str
    is_complete: bool = True

    @cached_property
    def all_craters(self) -> tuple[TrueCrater, ...]:
        """The marked ones, and what may be one and is not marked."""
        return self.craters if self.is_complete else (*self.craters, *lookalikes(self.picture, self.craters))


def load_photographs(data: Path, split: str) -> list[SurfacePhotograph]:
    """The photographs of a split, in the order of their names; none where the collections are not there.

    Args:
        data: Folder that holds the collections.
        split: ``"train"``, ``"val"`` or ``"test"``.
    """
    tiles = load_themis(data, "valid" if split == "test" else "train")
    if split == "test":
        return tiles
    kept = [one for one in without_doubles(tiles) if is_for_validation(one.source) == (split == "val")]
    return kept if split == "val" else [*kept, *load_roboflow(data, "train")]


def load_themis(data: Path, part: str) -> list[SurfacePhotograph]:
    """THEMIS tiles.

    Args:
        data: Folder that holds the collection.
        part: ``"train"`` or ``"valid"``, its own parts; those of ``"train"`` are not complete.
    """
    return _load_yolo(data, THEMIS, part, is_complete=part != "train")


def load_roboflow(data: Path, part: str) -> list[SurfacePhotograph]:
    """Pictures of all instruments; ``part`` is ``"train"``, ``"valid"`` or ``"test"``."""
    return _load_yolo(data, ROBOFLOW, part, is_complete=False)


def load_ctx(data: Path, agreed: int = AGREED) -> list[SurfacePhotograph]:
    """CTX pictures; craters that fewer people marked are not ``wanted``.

    Args:
        data: Folder that holds the collection.
        agreed: People of six.
    """
    found = []
    for path in sorted((data / CTX / "images").glob("*.png")):
        marks = ElementTree.parse(data / CTX / "annotations" / "clustered" / f"{path.stem}.xml")  # noqa: S314
        craters = []
        for one in marks.getroot().iter("object"):
            left, top, right, bottom = (
                float(one.findtext(f"bndbox/{name}", "nan")) for name in ("xmin", "ymin", "xmax", "ymax")
            )
            wanted = float(one.findtext("confidence", "0")) >= agreed
            craters.append(boxed(left, top, right, bottom, wanted=wanted))
        found.append(SurfacePhotograph(_grey(path), tuple(craters), CTX, path.name))
    return found


def boxed(left: float, top: float, right: float, bottom: float, *, wanted: bool = True) -> TrueCrater:
    """A crater that a person boxed: a box says less than an ellipse, so its axes lie along x and y."""
    half_x, half_y = (right - left) / 2.0, (bottom - top) / 2.0
    major, minor = max(half_x, half_y, 0.5), max(min(half_x, half_y), 0.5)
    angle = 0.0 if half_x >= half_y else 90.0
    return TrueCrater((left + right) / 2.0, (top + bottom) / 2.0, major, minor, angle, wanted, MARKED)


def is_for_validation(source: str) -> bool:
    """Whether a training tile of this file name is kept to validate."""
    return int(hashlib.sha256(source.encode()).hexdigest(), 16) % VAL_OF == 0


def without_doubles(photographs: Sequence[SurfacePhotograph]) -> list[SurfacePhotograph]:
    """Of photographs of the same ground the one with the most marks."""
    if not photographs:
        return []
    small = np.stack([_shrunk(one.picture) for one in photographs])
    alike = small @ small.T / small.shape[1] > SAME
    order = sorted(range(len(photographs)), key=lambda n: (-len(photographs[n].craters), n))
    kept: list[int] = []
    for one in order:
        if not alike[one, kept].any():
            kept.append(one)
    return [photographs[n] for n in sorted(kept)]


def lookalikes(picture: UInt8, marked: Sequence[TrueCrater]) -> list[TrueCrater]:
    """Places that look like a small crater and are not marked; none of them ``wanted``.

    A lit bowl is compared with the picture (normalised cross-correlation), under the sun that the marked
    craters are most like, or any where there are none.

    Args:
        picture: ``(h, w)``.
        marked: Craters of it.
    """
    import cv2
    from scipy.ndimage import maximum_filter

    height, width = picture.shape
    likeness = np.full((len(_AZIMUTHS), len(LOOKALIKE_PX), height, width), -1.0, np.float32)
    for radius_number, radius in enumerate(LOOKALIKE_PX):
        half = int(np.ceil(1.7 * radius))
        if min(height, width) <= 2 * half:
            continue
        for number, azimuth in enumerate(_AZIMUTHS):
            bowl = lit_bowl(radius, azimuth, half)
            found = cv2.matchTemplate(picture.astype(np.float32), bowl, cv2.TM_CCOEFF_NORMED)
            likeness[number, radius_number, half : height - half, half : width - half] = found
    middles = np.array(
        [
            (round(one.y), round(one.x))
            for one in marked
            if one.major_px < 12.0 and 0 <= round(one.y) < height and 0 <= round(one.x) < width
        ],
        int,
    ).reshape(-1, 2)
    best = likeness.max(axis=1)
    if len(middles):
        own = best[:, middles[:, 0], middles[:, 1]].mean(axis=1)
        best = best[int(own.argmax())][None]
        likeness = likeness[int(own.argmax())][None]
    strongest = best.max(axis=0)
    peaks = (strongest == maximum_filter(strongest, 5)) & (strongest >= LIKENESS)
    found_craters = []
    for y, x in np.argwhere(peaks):
        radius = LOOKALIKE_PX[int(likeness[:, :, y, x].max(axis=0).argmax())]
        if any(float(one.away(x, y)) < 1.0 for one in marked if one.major_px < 4.0 * radius):
            continue
        found_craters.append(TrueCrater(float(x), float(y), radius, radius, wanted=False, known=MARKED))
    return found_craters


def lit_bowl(radius_px: float, azimuth_deg: float, half_px: int) -> Float32:
    """``(2·half + 1,) * 2`` brightness of a fresh crater under a sun 60° from the vertical."""
    side = 2 * half_px + 1
    height = np.zeros((side, side), np.float32)
    truth = TrueCrater(float(half_px), float(half_px), radius_px, radius_px)
    add_crater(height, np.zeros_like(height), DrawnCrater(truth, 0.15, 0.2, 0.0, 0.0, 0.0, ()), 1.0)
    return reflectance(*slopes(height, 1.0), Sun(azimuth_deg, 60.0), 0.3)


def as_scene(rng: np.random.Generator, photograph: SurfacePhotograph, side_px: int) -> SurfaceScene:
    """A square of a photograph, larger or smaller than it was; only its craters have a class.

    Args:
        rng: Decides scale and place.
        photograph: At least a few pixels wide.
        side_px: Of the square.
    """
    import cv2

    height, width = photograph.picture.shape
    scale = max(log_uniform(rng, 0.7, 1.8), side_px / min(height, width))
    cut = side_px / scale
    left, top = rng.uniform(0.0, max(width - cut, 0.0)), rng.uniform(0.0, max(height - cut, 0.0))
    back = np.array([[1.0 / scale, 0.0, left], [0.0, 1.0 / scale, top]])
    back[:, 2] += 0.5 / scale - 0.5
    picture = cv2.warpAffine(
        photograph.picture,
        back,
        (side_px, side_px),
        flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR),
        borderMode=cv2.BORDER_REPLICATE,
    )
    craters = []
    for one in photograph.all_craters:
        x, y = scale * (one.x - back[0, 2]), scale * (one.y - back[1, 2])
        reach = 1.2 * scale * one.major_px
        if not (-reach < x < side_px + reach and -reach < y < side_px + reach):
            continue
        moved = dataclasses.replace(
            one, x=x, y=y, major_px=one.major_px * scale, minor_px=one.minor_px * scale
        )
        middle_shown = 0 <= round(x) < side_px and 0 <= round(y) < side_px
        wanted = one.wanted and middle_shown and moved.diameter_px >= LEAST_WANTED_PX
        craters.append(dataclasses.replace(moved, wanted=wanted))
    classes = np.full((side_px, side_px), IGNORE, np.uint8)
    lay_craters(classes, craters, LEAST_SEGMENT_PX)
    facts = SceneFacts(PHOTOGRAPH, photograph.source, float("nan"), None, float("nan"), float("nan"))
    return SurfaceScene(np.asarray(picture, np.uint8), classes, tuple(craters), facts)


def _load_yolo(data: Path, collection: str, part: str, *, is_complete: bool) -> list[SurfacePhotograph]:
    folder, found = data / collection / part, []
    for path in sorted((folder / "images").glob("*.jpg")):
        picture = _grey(path)
        craters = _yolo(folder / "labels" / f"{path.stem}.txt", picture)
        found.append(SurfacePhotograph(picture, craters, collection, path.name, is_complete))
    return found


def _yolo(labels: Path, picture: UInt8) -> tuple[TrueCrater, ...]:
    """Boxes of a picture, given in parts of its sides."""
    height, width = picture.shape
    found = []
    for line in labels.read_text(encoding="utf-8").splitlines() if labels.exists() else ():
        x, y, wide, high = (float(part) for part in line.split()[1:5])
        x, y, half_x, half_y = x * width - 0.5, y * height - 0.5, wide * width / 2.0, high * height / 2.0
        one = boxed(x - half_x, y - half_y, x + half_x, y + half_y)
        left, top, right, bottom = one.box
        cut = min(left, top) < 1.0 or right > width - 2.0 or bottom > height - 2.0
        # Of a crater that the edge cuts, the box tells where it is seen, not how large it is.
        found.append(
            dataclasses.replace(one, wanted=not cut or one.minor_px > LEAST_RATIO_CUT * one.major_px)
        )
    return tuple(found)


def _grey(path: Path) -> UInt8:
    with Image.open(path, formats=("JPEG", "PNG")) as image:
        return np.asarray(image.convert("L"))


def _shrunk(picture: UInt8) -> Float32:
    small = np.asarray(Image.fromarray(picture).resize((16, 16), Image.Resampling.BOX), np.float32).ravel()
    return (small - small.mean()) / max(float(small.std()), 1e-6)
