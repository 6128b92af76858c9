"""Patches of the ground that show one landform: what the network of ``surfaces.classify`` learns from.

A patch is a square cut out of a scene (:mod:`training.surface_data`), between :data:`CUT_PX` wide, and shown
:data:`SIDE_PX` wide. It shows a crater when the middle of one lies in its inner half, and it is neither a dot
nor wider than the patch; a valley or a ridge when one crosses its inner part and covers enough of it; plain
ground when nothing of this is there, and little of what counts neither way. What shows two of these, or none
clearly, is no patch. Patches are turned so that the sun stands between left and top, as
:mod:`core.surfaces.in_light` turns pictures.

Patches are cut while training, from the scenes of a split and so from its regions: nothing more is kept. From
THEMIS tiles come more craters, and plain ground where nothing looks like a crater and the ground is calm.
:func:`load_landmarks` gives the patches of ``hirise_landmarks_v1`` (HiRISE; Doran et al. 2018, zenodo
1048301), with dunes and streaks that no relief has.

``python -m training.surface_patches --work DIR --sheet FILE`` writes a sheet of patches, to look at.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.surfaces.kinds import CRATER, LANDFORMS, PLAIN, RIDGE, VALLEY
from training.dso_dataset import sheet
from training.dso_sky import chance, log_uniform
from training.surface_data import WORK, random_levels, random_turn, read_scene
from training.surface_photographs import SurfacePhotograph, as_scene
from training.surface_scenes import SurfaceScene
from training.surface_truth import IGNORE, IS_PLAIN, IS_RIDGE, IS_VALLEY

UInt8 = NDArray[np.uint8]

SIDE_PX = 224
CUT_PX = (56.0, 230.0)
CRATER_SHARE = (0.16, 0.95)
"""Diameter of the crater of a patch, over its side."""
OTHER_CRATER = 0.1
"""A crater so wide, over the side, is seen on other patches."""
LINE_SHARE, LINE_ACROSS, NO_LINE = 0.025, 0.55, 0.004
"""A valley or ridge covers so much of its patch and reaches over so much of its side; on others it covers
less than the last."""
MOST_UNKNOWN = {CRATER: 0.5, VALLEY: 0.35, RIDGE: 0.35, PLAIN: 0.12}
"""Of what counts neither way."""
TRIES, MOST_SCENES = 24, 3000
MOST_HELD = 4000
"""Scenes of half a megabyte that are kept in memory."""
LANDMARKS = "hirise_landmarks_v1"
LANDMARK_NAMES = {0: "other", 1: CRATER, 2: "dark dune", 3: "streak", 4: "bright dune"}
VAL_OF, TEST_OF = 10, 5


@dataclass(frozen=True, eq=False)
class Patch:
    """A patch: ``(side, side)`` grey levels, and the landform on it."""

    picture: UInt8
    label: str


def patches(
    paths: Sequence[Path],
    size: int,
    seed: Sequence[int],
    photographs: Sequence[SurfacePhotograph] = (),
    share: float = 0.15,
) -> Iterator[list[Patch]]:
    """Endless batches, with as many of each landform in the long run.

    Args:
        paths: Of the scenes.
        size: Patches a batch.
        seed: Decides everything.
        photographs: What :func:`training.surface_photographs.load_photographs` gave for the split.
        share: Of craters and plain ground that are cut out of photographs.
    """
    rng = np.random.default_rng(seed)
    number = 0
    while True:
        batch = []
        for _ in range(size):
            batch.append(_patch_of(rng, LANDFORMS[number % len(LANDFORMS)], paths, photographs, share))
            number += 1
        yield batch


def fixed_patches(paths: Sequence[Path], n: int, seed: int = 0) -> list[Patch]:
    """The same ``n`` patches for the same scenes and seed, as many of each landform: to measure on."""
    return next(patches(paths, n, [seed, 77]))


def patch_from(
    rng: np.random.Generator, scene: SurfaceScene, label: str, side_px: int = SIDE_PX
) -> Patch | None:
    """A patch of a landform out of a scene, turned to the light; None where none was found.

    Args:
        rng: Decides where it is looked for.
        scene: A scene, or a photograph as one.
        label: One of :data:`core.surfaces.kinds.LANDFORMS`.
        side_px: Of the patch.
    """
    side = scene.picture.shape[0]
    places = _places(scene, label)
    if places is not None and not len(places):
        return None
    for _ in range(TRIES):
        cut = round(log_uniform(rng, CUT_PX[0], min(CUT_PX[1], side)))
        if places is None:
            x, y = rng.uniform(cut / 2.0, side - cut / 2.0, 2)
        else:
            x, y = places[int(rng.integers(len(places)))] + rng.uniform(-0.2, 0.2, 2) * cut
        left, top = (
            round(float(np.clip(x - cut / 2.0, 0, side - cut))),
            round(float(np.clip(y - cut / 2.0, 0, side - cut))),
        )
        if label_of(scene, left, top, cut) != label:
            continue
        square = scene.picture[top : top + cut, left : left + cut]
        quarter, mirrored = random_turn(rng, scene, to_light=True)
        square = np.rot90(square, quarter)
        if mirrored:
            square = square[:, ::-1]
        shown = Image.fromarray(np.ascontiguousarray(square)).resize(
            (side_px, side_px), Image.Resampling.BICUBIC
        )
        levels = np.rint(255.0 * random_levels(rng)).astype(np.uint8)
        return Patch(levels[np.asarray(shown)], label)
    return None


def label_of(scene: SurfaceScene, left: int, top: int, cut: int) -> str | None:
    """The landform that a square of a scene shows; None where it shows several, or none clearly."""
    classes = scene.classes[top : top + cut, left : left + cut]
    shares = np.bincount(classes.ravel(), minlength=256) / classes.size
    x, y, diameter, wanted = scene.circles.T
    width = diameter / cut
    apart = np.maximum(np.abs((x - left) / cut - 0.5), np.abs((y - top) / cut - 0.5))
    near = (apart - width / 2.0 <= 0.5) & (width >= OTHER_CRATER)
    shown = near & (wanted > 0) & (width >= CRATER_SHARE[0]) & (width <= CRATER_SHARE[1]) & (apart <= 0.25)
    seen = {CRATER} if shown.any() else set()
    if (near & ~shown & (apart - width / 2.0 < 0.35)).any():
        seen.add("")  # one that is cut, doubtful or too large
    for number, name in ((IS_VALLEY, VALLEY), (IS_RIDGE, RIDGE)):
        if shares[number] >= LINE_SHARE and _crosses(classes == number):
            seen.add(name)
        elif shares[number] > NO_LINE:
            seen.add("")
    if not seen:
        seen.add(PLAIN)
    if len(seen) != 1 or "" in seen:
        # A crater hides what runs beside it.
        if seen != {CRATER, ""} or max(shares[IS_VALLEY], shares[IS_RIDGE]) > LINE_SHARE:
            return None
        seen = {CRATER}
    label = next(iter(seen))
    return label if shares[IGNORE] <= MOST_UNKNOWN[label] else None


def load_landmarks(data: Path, split: str) -> list[Patch]:
    """HiRISE patches with the names of :data:`LANDMARK_NAMES`, split by the observation they are from.

    Args:
        data: Folder that holds the collection.
        split: ``"train"``, ``"val"`` or ``"test"``.
    """
    folder = data / LANDMARKS
    if not folder.is_dir():
        return []
    found = []
    for line in (folder / "labels-map-proj-kept.txt").read_text(encoding="utf-8").splitlines():
        name, number = line.split()
        path = folder / "map-proj" / name
        if int(number) not in LANDMARK_NAMES or _landmark_split(name) != split or not path.exists():
            continue
        with Image.open(path, formats=("JPEG",)) as image:
            picture = image.convert("L").resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
        found.append(Patch(np.asarray(picture), LANDMARK_NAMES[int(number)]))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a sheet: a row a landform."""
    parser = argparse.ArgumentParser(prog="python -m training.surface_patches", description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="folder of the scenes, as it was drawn into")
    parser.add_argument("--split", default="train")
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--sheet", type=Path, required=True)
    options = parser.parse_args(arguments)
    paths = sorted((options.work / options.split).glob("scene_*.json"))
    if not paths:
        parser.error(f"there are no scenes in {options.work / options.split}")
    tiles = []
    for one in sorted(fixed_patches(paths, len(LANDFORMS) * options.columns), key=lambda one: one.label):
        image = Image.fromarray(one.picture).convert("RGB")
        ImageDraw.Draw(image).text((4, 4), one.label, fill=(255, 255, 120))
        tiles.append(image)
    sheet(tiles, options.columns, 180).save(options.sheet)
    return 0


def _patch_of(
    rng: np.random.Generator,
    label: str,
    paths: Sequence[Path],
    photographs: Sequence[SurfacePhotograph],
    share: float,
) -> Patch:
    """Look in scene after scene."""
    for _ in range(MOST_SCENES):
        if photographs and label in (CRATER, PLAIN) and chance(rng, share):
            scene = as_scene(rng, photographs[int(rng.integers(len(photographs)))], 416)
            if label == PLAIN:
                scene = _calm_is_plain(scene)
        else:
            scene = _held(paths[int(rng.integers(len(paths)))])
        found = patch_from(rng, scene, label)
        if found is not None:
            return found
    raise ValueError(f"none of {len(paths)} scenes shows a {label} in {MOST_SCENES} looks")


@lru_cache(maxsize=MOST_HELD)
def _held(path: Path) -> SurfaceScene:
    """A scene, kept in memory: patches are cut out of each many times."""
    return read_scene(path)


def _places(scene: SurfaceScene, label: str) -> NDArray[np.float64] | None:
    """``(N, 2)`` x and y where a landform is worth looking for; None for anywhere."""
    if label == CRATER:
        wanted = [(one.x, one.y) for one in scene.craters if one.wanted and one.diameter_px > 9.0]
        return np.array(wanted, float).reshape(-1, 2)
    if label == PLAIN:
        return None
    rows, columns = np.nonzero(scene.classes[::4, ::4] == (IS_VALLEY if label == VALLEY else IS_RIDGE))
    return 4.0 * np.stack([columns, rows], axis=1).astype(float)


def _crosses(there: NDArray[np.bool_]) -> bool:
    """Whether a line comes near the middle and reaches over enough of a square."""
    side = there.shape[0]
    rows, columns = np.nonzero(there)
    inner = there[side // 4 : -(side // 4), side // 4 : -(side // 4)]
    return bool(inner.any() and max(np.ptp(rows), np.ptp(columns)) >= LINE_ACROSS * side)


def _calm_is_plain(scene: SurfaceScene) -> SurfaceScene:
    """A photograph whose calmest ground, away from craters, is taken to be plain."""
    import cv2

    smooth = cv2.GaussianBlur(scene.picture.astype(np.float32), (0, 0), 2.0)
    rough = cv2.GaussianBlur(np.abs(smooth - cv2.GaussianBlur(smooth, (0, 0), 8.0)), (0, 0), 12.0)
    classes = scene.classes.copy()
    classes[(classes == IGNORE) & (rough < np.percentile(rough, 35.0))] = IS_PLAIN
    return dataclasses.replace(scene, classes=classes)


def _landmark_split(name: str) -> str:
    """By the observation, as one shows the same ground on many patches."""
    number = int(hashlib.sha256("_".join(name.split("_")[:3]).encode()).hexdigest(), 16)
    if number % TEST_OF == 0:
        return "test"
    return "val" if number // TEST_OF % VAL_OF == 0 else "train"


if __name__ == "__main__":
    raise SystemExit(main())
