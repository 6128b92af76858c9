"""Pictures with and without stars on disk, to train and to judge ``dso.starless`` on.

A folder a split holds ``scene_NNNNNN.npy``: ``(640, 640, 7)`` uint8, the picture, the same without stars, and
how visible objects are; ``scene_NNNNNN.txt`` with their boxes; and ``scene_NNNNNN.hidden.txt`` with those of
what is there and not plain to see. A photograph as it is has no pair and leaves an empty array. What is there
is not drawn again, so drawing may be stopped at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.drawing import draw_all
from training.dso_cutouts import LABELS, NO_OBJECTS, Objects, load_objects
from training.dso_dataset import hidden_lines, read_lines, yolo_lines
from training.dso_scenes import draw_dso_scene

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SIDE_PX = 640
HIDDEN = ".hidden.txt"
STARLESS_SHARE = 0.2
"""Crops that show no star at all and must come back as they are."""
GAIN, GAMMA, TINT = (0.7, 1.45), (0.8, 1.25), 0.12
"""How much brightness, contrast and colour vary beyond what is drawn."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture with and without stars.

    Attributes:
        picture, starless: ``(H, W, 3)``.
        mask: ``(H, W)`` how visible objects are, 0 to 255.
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max in pixels, from the middle of the first one.
        labels: ``(N,)`` numbers into :data:`training.dso_cutouts.LABELS`.
        hidden: ``(K, 4)`` boxes of what is there but not plain to see.
    """

    picture: UInt8
    starless: UInt8
    mask: UInt8
    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    hidden: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 4)))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all on it."""
        return not len(self.boxes) and not len(self.hidden)

    @property
    def extended(self) -> NDArray[np.bool_]:
        """``(N,)`` which objects shine without their stars: a cluster is made of them."""
        return np.not_equal(self.labels, LABELS.index("cluster"))


def draw_pairs(
    work: Path, data: Path | None, split: str, n_scenes: int, workers: int = 1, side_px: int = SIDE_PX
) -> list[Path]:
    """Draw what is missing of a split, and give the files that hold a pair.

    Args:
        work: Folder of the pairs.
        data: Folder of the photographs; None for simulated objects only.
        split: ``"train"``, ``"val"`` or ``"test"``.
        n_scenes: Scenes 0 to ``n_scenes - 1`` of the split.
        workers: Processes.
        side_px: Of the pictures.
    """
    folder = work / split
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"scene_{seed:06d}.npy" for seed in range(n_scenes)]
    jobs = [(path, data, split, seed, side_px) for seed, path in enumerate(paths) if not path.exists()]
    if jobs:
        _objects(data, split)  # so that the workers find them in the cache
    draw_all(_write_pair, jobs, workers, f"drawing {split} pairs")
    return [path for path in paths if np.load(path, mmap_mode="r").shape[0]]


def read_pair(path: Path) -> Pair:
    """A pair with its boxes."""
    pixels = np.load(path)
    boxes, labels = read_lines(path.with_suffix(".txt"), pixels.shape)
    return Pair(
        picture=np.ascontiguousarray(pixels[..., :3]),
        starless=np.ascontiguousarray(pixels[..., 3:6]),
        mask=np.ascontiguousarray(pixels[..., 6]),
        boxes=boxes,
        labels=labels,
        hidden=read_lines(path.with_suffix(HIDDEN), pixels.shape)[0],
    )


def random_crops(
    paths: Sequence[Path], size: int, side_px: int, seed: int | Sequence[int]
) -> Iterator[tuple[Float32, Float32, Float32]]:
    """Endless batches of crops, turned, mirrored, and shown brighter, darker or tinted.

    Args:
        paths: Of the pairs.
        size: Crops a batch.
        side_px: Of a crop.
        seed: Decides everything.

    Yields:
        ``(B, 3, h, w)`` pictures and what they are without stars in [0, 1], ``(B, h, w)`` masks in [0, 1].
    """
    rng = np.random.default_rng(seed)
    scenes = [np.load(path, mmap_mode="r") for path in paths]
    while True:
        crops = [_crop(rng, scenes[int(rng.integers(len(scenes)))], side_px) for _ in range(size)]
        pictures, starless, masks = (np.stack(part) for part in zip(*crops, strict=True))
        yield pictures.transpose(0, 3, 1, 2), starless.transpose(0, 3, 1, 2), masks


def _crop(rng: np.random.Generator, scene: UInt8, side_px: int) -> tuple[Float32, Float32, Float32]:
    y, x = rng.integers(0, scene.shape[0] - side_px + 1, 2)
    crop = np.rot90(np.array(scene[y : y + side_px, x : x + side_px]), int(rng.integers(4)))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    levels = random_levels(rng)
    shown = [np.stack([levels[c][crop[..., k + c]] for c in range(3)], axis=2) for k in (0, 3)]
    if rng.random() < STARLESS_SHARE:
        shown[0] = shown[1]
    return shown[0], shown[1], crop[..., 6].astype(np.float32) / np.float32(255.0)


def random_levels(rng: np.random.Generator) -> list[Float32]:
    """What each of 256 levels becomes, in [0, 1], a colour at a time."""
    gain, gamma = np.exp(rng.uniform(*np.log(GAIN))), np.exp(rng.uniform(*np.log(GAMMA)))
    if rng.random() < 0.3:
        gain = gamma = 1.0
    tint = gain * np.exp(rng.normal(0.0, TINT, 3) * (rng.random() < 0.5))
    level = np.linspace(0.0, 1.0, 256)
    return [np.clip(t * level**gamma, 0.0, 1.0).astype(np.float32) for t in tint]


@lru_cache(maxsize=2)
def _objects(data: Path | None, split: str) -> Objects:
    return NO_OBJECTS if data is None else load_objects(data, split)


def _write_pair(path: Path, data: Path | None, split: str, seed: int, side_px: int) -> None:
    """The boxes first, and the pixels under their name once they are whole: where they are, all is."""
    scene = draw_dso_scene(seed, _objects(data, split), side_px, split)
    pixels = np.dstack([scene.picture, scene.starless, scene.mask]) if scene.paired else np.empty((0, 0, 7))
    path.with_suffix(".txt").write_text(yolo_lines(scene), encoding="utf-8")
    path.with_suffix(HIDDEN).write_text(hidden_lines(scene), encoding="utf-8")
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        np.save(file, pixels.astype(np.uint8))
    part.replace(path)
