"""Pictures and boxes on disk, as Ultralytics reads them, to train and to judge ``dso.yolo`` on.

A folder ``train`` and a folder ``val`` hold ``images/*.jpg`` and ``labels/*.txt`` (class, x, y, width and
height as fractions): scenes of :mod:`training.dso_scenes`, and the split's photographs as they are. What is
there is not drawn again, so drawing may be stopped at any time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.drawing import draw_all
from training.dso_cutouts import LABELS, NO_OBJECTS, Objects, load_objects
from training.dso_dataset import QUALITY, box_lines, yolo_lines
from training.dso_scenes import draw_dso_scene

UInt8 = NDArray[np.uint8]
SIDE_PX = 640
SCENE, PHOTOGRAPH = "scene", "photo"


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture of the data set and what is in it.

    Attributes:
        path: The picture.
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max in pixels, from the middle of the first one.
        labels: ``(N,)`` numbers into :data:`training.dso_cutouts.LABELS`.
    """

    path: Path
    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]

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
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    names = [f"{SCENE}_{seed:06d}" for seed in range(n_scenes)]
    missing = [seed for seed, name in enumerate(names) if not _image(folder, name).exists()]
    if data is not None:
        names += _write_photographs(folder, _objects(data, split))
    jobs = [(folder, data, split, seed) for seed in missing]
    draw_all(_write_scene, jobs, workers, f"drawing {split} scenes")
    return [_image(folder, name) for name in sorted(names)]


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
    lines = (picture.parents[1] / "labels" / f"{picture.stem}.txt").read_text(encoding="utf-8").splitlines()
    values = np.array([line.split() for line in lines], float).reshape(-1, 5)
    with Image.open(picture, formats=("JPEG",)) as image:
        size = np.tile(image.size, 2)
    middle, half = values[:, 1:3], values[:, 3:] / 2.0
    boxes = np.hstack([middle - half, middle + half]) * size - 0.5
    return Labelled(picture, boxes, values[:, 0].astype(np.int64))


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
    _write(folder, f"{SCENE}_{seed:06d}", scene.picture, yolo_lines(scene))


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
