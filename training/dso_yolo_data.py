"""Pictures and boxes on disk, as Ultralytics reads them, to train and to judge ``dso.yolo`` on.

A folder ``train`` and a folder ``val`` hold ``images/*.jpg`` and ``labels/*.txt`` (class, x, y, width and
height as fractions): scenes of :mod:`training.dso_scenes`, and the split's photographs as they are.
``train`` also holds close-ups: a trainer shows whole scenes smaller than they are, and small galaxies are
then no larger than stars. Close-ups it shows as large as they are, to twice as large. ``hidden/*.txt`` has
the boxes of what a scene holds and does not show plainly, for which a method is neither praised nor blamed.
What is there is not drawn again, so drawing may be stopped at any time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.drawing import draw_all
from training.dso_cutouts import LABELS, NO_OBJECTS, Objects, load_objects
from training.dso_dataset import QUALITY, box_lines, hidden_lines, read_lines, yolo_lines
from training.dso_scenes import draw_dso_scene

UInt8 = NDArray[np.uint8]
SIDE_PX = 640
SCENE, PHOTOGRAPH, CLOSE_UP = "scene", "photo", "close"
CLOSE_UP_PX, BLOCK_PX = (208, 416), 8
"""Sides of close-ups. They are cut along JPEG's blocks, which are compressed once more without a change."""
AROUND_OBJECT = 0.8
"""So many close-ups are laid around one of the objects of their scene."""
LEAST_LEFT, LEAST_OF_WINDOW, MIN_CUT_PX = 0.35, 0.2, 6.0
"""A box that is cut stays if this part of it is left, or if what is left is this part of the close-up."""
TRIES = 12


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture of the data set and what is in it.

    Attributes:
        path: The picture.
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max in pixels, from the middle of the first one.
        labels: ``(N,)`` numbers into :data:`training.dso_cutouts.LABELS`.
        hidden: ``(K, 4)`` boxes of what is there but not plain to see.
    """

    path: Path
    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    hidden: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 4)))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all on it."""
        return not len(self.labels) and not len(self.hidden)

    @property
    def is_photograph(self) -> bool:
        """Whether it is a photograph as it is, not a composed scene."""
        return self.path.name.startswith(PHOTOGRAPH)

    def pixels(self) -> UInt8:
        """``(H, W, 3)``."""
        with Image.open(self.path, formats=("JPEG",)) as image:
            return np.asarray(image.convert("RGB"))


def draw_split(work: Path, data: Path | None, split: str, n_scenes: int, workers: int = 1) -> list[Path]:
    """Draw what is missing of a split, and give the pictures of it.

    Args:
        work: Folder of the data set.
        data: Folder of the photographs; None for simulated objects only.
        split: ``"train"`` or ``"val"``.
        n_scenes: Scenes 0 to ``n_scenes - 1`` of the split.
        workers: Processes.

    Returns:
        The pictures of these scenes and the photographs, in the order of their names.
    """
    folder = work / split
    for name in ("images", "labels", "hidden"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    names = [f"{SCENE}_{seed:06d}" for seed in range(n_scenes)]
    missing = [seed for seed, name in enumerate(names) if not _image(folder, name).exists()]
    if data is not None:
        names += _write_photographs(folder, _objects(data, split))
    jobs = [(folder, data, split, seed) for seed in missing]
    draw_all(_write_scene, jobs, workers, f"drawing {split} scenes")
    return [_image(folder, name) for name in sorted(names)]


def draw_close_ups(scenes: Sequence[Path]) -> list[Path]:
    """Cut a square out of each scene at its own scale, where there is none yet; the close-ups.

    Args:
        scenes: Pictures of :func:`draw_split`; photographs among them are left out.
    """
    wanted = [scene for scene in scenes if scene.name.startswith(SCENE)]
    close_ups = [scene.with_name(scene.name.replace(SCENE, CLOSE_UP, 1)) for scene in wanted]
    for scene, close_up in zip(wanted, close_ups, strict=True):
        if not close_up.exists():
            whole = read_labelled(scene)
            x, y, side, boxes, labels = close_up_of(whole, int(scene.stem.rpartition("_")[2]))
            picture = whole.pixels()[y : y + side, x : x + side]
            lines = box_lines(boxes.astype(np.float32), labels, picture.shape[:2])
            _write(close_up.parents[1], close_up.stem, picture, lines)
    return close_ups


def close_up_of(whole: Labelled, seed: int) -> tuple[int, int, int, NDArray[np.float64], NDArray[np.int64]]:
    """Where a close-up is cut: its first column and row and its side, its boxes and their labels.

    Of a few places the first is taken that leaves no box in doubt, one that is cut to less than
    :data:`LEAST_LEFT` and still shows; else the last.
    """
    rng = np.random.default_rng(seed)
    low_px, high_px = CLOSE_UP_PX
    side = int(low_px * (high_px / low_px) ** rng.random()) // BLOCK_PX * BLOCK_PX
    last = (SIDE_PX - side) // BLOCK_PX
    area = np.prod(whole.boxes[:, 2:] - whole.boxes[:, :2], axis=1)
    for _ in range(TRIES):
        corner = rng.integers(0, last + 1, 2) * BLOCK_PX
        if len(area) and rng.random() < AROUND_OBJECT:
            low, high = whole.boxes[rng.integers(len(area))].reshape(2, 2)
            start = (low + high) / 2.0 - rng.uniform(0.15, 0.85, 2) * side
            corner = np.clip(np.rint(start / BLOCK_PX).astype(int), 0, last) * BLOCK_PX
        boxes = np.clip(whole.boxes - np.tile(corner, 2), -0.5, side - 0.5)
        sides = boxes[:, 2:] - boxes[:, :2]
        left = np.prod(sides, axis=1)
        kept = ((left >= LEAST_LEFT * area) | (left >= LEAST_OF_WINDOW * side**2)) & (
            sides.min(axis=1, initial=np.inf) >= MIN_CUT_PX
        )
        if kept[left > 0.05 * area].all():
            break
    return int(corner[0]), int(corner[1]), side, boxes[kept], whole.labels[kept]


def write_yaml(work: Path, train: Sequence[Path], val: Sequence[Path]) -> Path:
    """Write which pictures to use into ``work``; the path of the file Ultralytics is given."""
    for name, pictures in (("train", train), ("val", val)):
        lines = "".join(f"{picture.resolve()}\n" for picture in pictures)
        (work / f"{name}.txt").write_text(lines, encoding="utf-8")
    names = "".join(f"  {number}: {label}\n" for number, label in enumerate(LABELS))
    path = work / "dataset.yaml"
    path.write_text(
        f"path: {work.resolve()}\ntrain: train.txt\nval: val.txt\nnames:\n{names}", encoding="utf-8"
    )
    return path


def read_labelled(picture: Path) -> Labelled:
    """A picture with its boxes."""
    folder, name = picture.parents[1], f"{picture.stem}.txt"
    with Image.open(picture, formats=("JPEG",)) as image:
        shape = image.size[::-1]
    boxes, labels = read_lines(folder / "labels" / name, shape)
    hidden = folder / "hidden" / name
    if not hidden.exists():
        return Labelled(picture, boxes, labels)
    return Labelled(picture, boxes, labels, read_lines(hidden, shape)[0])


def _write_photographs(folder: Path, objects: Objects) -> list[str]:
    names = []
    for photograph in objects.photographs:
        name = f"{PHOTOGRAPH}_{Path(photograph.source).stem}"
        names.append(name)
        if not _image(folder, name).exists():
            lines = box_lines(photograph.boxes - 0.5, photograph.labels, photograph.picture.shape[:2])
            _write(folder, name, photograph.picture, lines)
    return names


def _write_scene(folder: Path, data: Path | None, split: str, seed: int) -> None:
    scene = draw_dso_scene(seed, _objects(data, split), SIDE_PX, split)
    name = f"{SCENE}_{seed:06d}"
    if len(scene.hidden):
        (folder / "hidden" / f"{name}.txt").write_text(hidden_lines(scene), encoding="utf-8")
    _write(folder, name, scene.picture, yolo_lines(scene))


def _write(folder: Path, name: str, picture: UInt8, lines: str) -> None:
    """The labels first, and the picture under its name once it is whole: where it is, all is."""
    (folder / "labels" / f"{name}.txt").write_text(lines, encoding="utf-8")
    part = folder / f"{name}.{os.getpid()}.part"
    Image.fromarray(picture).save(part, "JPEG", quality=QUALITY, subsampling=0)
    part.replace(_image(folder, name))


def _image(folder: Path, name: str) -> Path:
    return folder / "images" / f"{name}.jpg"


@lru_cache(maxsize=2)
def _objects(data: Path | None, split: str) -> Objects:
    return NO_OBJECTS if data is None else load_objects(data, split)
