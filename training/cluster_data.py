"""Scenes of clusters on disk, to train and to judge ``clusters.unet`` and ``clusters.maskrcnn`` on.

A folder a split holds, for each scene, ``scene_NNNNNN.png`` (the picture, grey or in colour),
``scene_NNNNNN.truth.png`` (number of the cluster of each pixel, and how deep it lies in it, 255 in the
middle) and ``scene_NNNNNN.json`` (the clusters), which is written last. What is there is not drawn again, so
drawing may be stopped at any time.

``python -m training.cluster_scenes --data DIR --n N --work DIR`` only draws; ``--sheet FILE`` instead writes
a sheet of scenes with their outlines, to look at.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tqdm import tqdm

from core.clusters.kinds import GLOBULAR, OPEN
from training.cluster_photographs import COLLECTION, ClusterPhotograph, load_photographs
from training.cluster_scenes import SIDE_PX, ClusterScene, draw_cluster_scene
from training.cluster_truth import TrueCluster
from training.drawing import draw_missing, turned_place
from training.dso_cutouts import NO_OBJECTS, SPLITS, Objects, load_objects
from training.dso_dataset import sheet
from training.dso_starless_data import random_levels

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WORK = Path(".cache") / "clusters"
SMALLER_SHARE, SMALLEST = 0.2, 0.5
"""Samples shown so much smaller on black: frames are searched on smaller copies too."""
LARGER_SHARE, LARGEST = 0.5, 1.6
"""Samples of which a part is shown so much larger; noise of so many levels is added to others."""
NOISY_SHARE, MOST_NOISE = 0.4, 5.0
LEAST_LEFT = 0.4
"""A cluster of which less than this part is left need not be found."""
COLOURS = {OPEN: (80, 220, 255), GLOBULAR: (255, 180, 60)}
NOT_WANTED = (200, 80, 200)


@dataclass(frozen=True, eq=False)
class DrawnScene:
    """A scene as it is kept.

    Attributes:
        picture: ``(H, W, 3)``.
        instances: ``(H, W)`` 0 where no cluster is, else its number from 1.
        depth: ``(H, W)`` 255 in the middle of a cluster, falling to 0 on its outline.
        clusters: What the numbers mean.
        way: How it was made.
    """

    picture: UInt8
    instances: UInt8
    depth: UInt8
    clusters: tuple[TrueCluster, ...]
    way: str

    @property
    def wanted(self) -> list[int]:
        """Numbers of the clusters that must be found and are on the picture."""
        there = set(np.unique(self.instances).tolist())
        return [n for n, one in enumerate(self.clusters, start=1) if one.wanted and n in there]


@dataclass(frozen=True, eq=False)
class Sample:
    """What is learned from: a scene turned, mirrored, perhaps smaller or larger, noisy, brighter or tinted.

    Attributes:
        picture: ``(3, H, W)`` in [0, 1].
        instances, depth: ``(H, W)`` as in :class:`DrawnScene`.
        clusters: What the numbers mean, where they are on this picture.
    """

    picture: Float32
    instances: UInt8
    depth: UInt8
    clusters: tuple[TrueCluster, ...]


def draw_split(
    work: Path, data: Path | None, split: str, n_scenes: int, workers: int = 1, side_px: int = SIDE_PX
) -> list[Path]:
    """Draw what is missing of a split, and give its files.

    Args:
        work: Folder of the scenes.
        data: Folder of the photographs; None for simulated objects only.
        split: ``"train"``, ``"val"`` or ``"test"``.
        n_scenes: Scenes 0 to ``n_scenes - 1`` of the split.
        workers: Processes.
        side_px: Of the pictures.
    """
    return draw_missing(_write_scene, _objects, work, data, split, n_scenes, workers, side_px)


def read_scene(path: Path) -> DrawnScene:
    """A scene from its files."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    with Image.open(path.with_suffix(".png"), formats=("PNG",)) as image:
        picture = np.asarray(image.convert("RGB"))
    with Image.open(path.with_suffix(".truth.png"), formats=("PNG",)) as image:
        truth = np.asarray(image)
    clusters = tuple(TrueCluster(**one) for one in facts["clusters"])
    return DrawnScene(picture, truth[..., 0], truth[..., 1], clusters, facts["way"])


def samples(paths: Sequence[Path], size: int, seed: Sequence[int]) -> Iterator[list[Sample]]:
    """Endless batches.

    Args:
        paths: Of the scenes.
        size: Samples a batch.
        seed: Decides everything.
    """
    rng = np.random.default_rng(seed)
    while True:
        yield [random_sample(rng, read_scene(paths[int(rng.integers(len(paths)))])) for _ in range(size)]


def random_sample(rng: np.random.Generator, scene: DrawnScene) -> Sample:
    """One way to see a scene."""
    picture, truth = scene.picture, np.dstack([scene.instances, scene.depth])
    clusters = scene.clusters
    if rng.random() < SMALLER_SHARE:
        picture, truth, clusters = _smaller(rng, picture, truth, clusters)
    elif rng.random() < LARGER_SHARE:
        picture, truth, clusters = _larger(rng, picture, truth, clusters)
    quarter, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
    picture, truth = np.rot90(picture, quarter), np.rot90(truth, quarter)
    if mirrored:
        picture, truth = picture[:, ::-1], truth[:, ::-1]
    clusters = tuple(_turned(one, quarter, mirrored, scene.picture.shape[0]) for one in clusters)
    levels = random_levels(rng)
    shown = np.stack([levels[c][picture[..., c]] for c in range(3)])
    if rng.random() < NOISY_SHARE:
        sigma = np.float32(rng.uniform(0.5, MOST_NOISE) / 255.0)
        noise = sigma * rng.standard_normal(shown.shape, np.float32)
        shown = np.clip(shown + noise * (shown > 0.0), 0.0, 1.0)
    return Sample(
        shown,
        np.ascontiguousarray(truth[..., 0]),
        np.ascontiguousarray(truth[..., 1]),
        clusters,
    )


def with_outlines(scene: ClusterScene, title: str = "") -> Image.Image:
    """The picture with the outlines of its clusters, their contrast and how many stars are seen."""
    image = Image.fromarray(scene.picture.copy())
    pen = ImageDraw.Draw(image)
    turn = np.linspace(0.0, 2.0 * np.pi, 90)
    for one in scene.clusters:
        along, across = one.reach_px * np.cos(turn), one.ratio * one.reach_px * np.sin(turn)
        cos, sin = np.cos(one.angle_rad), np.sin(one.angle_rad)
        x, y = one.x + cos * along - sin * across, one.y + sin * along + cos * across
        colour = COLOURS[one.kind] if one.wanted else NOT_WANTED
        pen.line([(float(u), float(v)) for u, v in zip(x, y, strict=True)], fill=colour)
        at = np.clip([one.x - 20, one.y + 0.7 * one.reach_px], 2, [image.width - 90, image.height - 14])
        pen.text((float(at[0]), float(at[1])), f"{one.kind[:4]} {one.contrast:.1f} {one.n_seen}", fill=colour)
    pen.text((4, 4), f"{title} {scene.way}", fill=(255, 255, 255))
    return image


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the scenes."""
    parser = argparse.ArgumentParser(prog="python -m training.cluster_scenes", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--n", type=int, default=24)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--side", type=int, default=SIDE_PX)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sheet", type=Path, help="write only this picture, with outlines")
    options = parser.parse_args(arguments)
    if options.sheet is None:
        draw_split(options.work, options.data, options.split, options.n, options.workers, options.side)
        return 0
    photographs, objects = _objects(options.data, options.split)
    tiles = [
        with_outlines(draw_cluster_scene(n, photographs, objects, options.side, options.split), str(n))
        for n in tqdm(range(options.n), desc="drawing scenes", unit="scene")
    ]
    sheet(tiles, max(1, round(len(tiles) ** 0.5)), 400).save(options.sheet)
    return 0


def _smaller(
    rng: np.random.Generator, picture: UInt8, truth: UInt8, clusters: tuple[TrueCluster, ...]
) -> tuple[UInt8, UInt8, tuple[TrueCluster, ...]]:
    """Shrunk, somewhere on black."""
    height, width = picture.shape[:2]
    scale = rng.uniform(SMALLEST, 0.95)
    w, h = round(width * scale), round(height * scale)
    x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    shown, known = np.zeros_like(picture), np.zeros_like(truth)
    small = Image.fromarray(picture).resize((w, h), Image.Resampling.HAMMING)
    shown[y : y + h, x : x + w] = np.asarray(small)
    rows, columns = ((np.arange(n) / scale).astype(int) for n in (h, w))
    known[y : y + h, x : x + w] = truth[np.ix_(np.minimum(rows, height - 1), np.minimum(columns, width - 1))]
    return shown, known, tuple(_scaled(one, scale, (0, 0), (x, y)) for one in clusters)


def _larger(
    rng: np.random.Generator, picture: UInt8, truth: UInt8, clusters: tuple[TrueCluster, ...]
) -> tuple[UInt8, UInt8, tuple[TrueCluster, ...]]:
    """A part, enlarged to the whole."""
    height, width = picture.shape[:2]
    scale = rng.uniform(1.05, LARGEST)
    w, h = round(width / scale), round(height / scale)
    x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    part = Image.fromarray(picture[y : y + h, x : x + w])
    shown = np.asarray(part.resize((width, height), Image.Resampling.BILINEAR))
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in ((height, h), (width, w)))
    known = truth[y : y + h, x : x + w][np.ix_(rows, columns)]
    left = _left(clusters, truth[..., 0], known[..., 0], scale)
    return shown, known, tuple(_scaled(one, scale, (x, y), (0, 0)) for one in left)


def _scaled(one: TrueCluster, scale: float, start: tuple[int, int], at: tuple[int, int]) -> TrueCluster:
    """A cluster after the picture from ``start`` on was made larger or smaller and laid with its first pixel
    ``at`` a place."""
    x, y = (
        (place + 0.5 - first) * scale - 0.5 + there
        for place, first, there in zip((one.x, one.y), start, at, strict=True)
    )
    return dataclasses.replace(one, x=x, y=y, reach_px=scale * one.reach_px)


def _turned(one: TrueCluster, quarter: int, mirrored: bool, side_px: int) -> TrueCluster:
    x, y, angle = turned_place(one.x, one.y, float(np.degrees(one.angle_rad)), quarter, mirrored, side_px)
    return dataclasses.replace(one, x=x, y=y, angle_rad=float(np.radians(angle)))


def _left(
    clusters: tuple[TrueCluster, ...], before: UInt8, after: UInt8, scale: float
) -> tuple[TrueCluster, ...]:
    """The clusters after a part was enlarged: those of which little is left need not be found."""
    n = len(clusters) + 1
    was, remains = np.bincount(before.ravel(), minlength=n), np.bincount(after.ravel(), minlength=n)
    left = remains[1:] >= LEAST_LEFT * scale**2 * was[1:]
    return tuple(
        one if stays else dataclasses.replace(one, wanted=False)
        for one, stays in zip(clusters, left, strict=True)
    )


@lru_cache(maxsize=2)
def _objects(data: Path | None, split: str) -> tuple[list[ClusterPhotograph], Objects]:
    if data is None:
        return [], NO_OBJECTS
    photographs = load_photographs(data, split) if (data / COLLECTION).is_dir() else []
    return photographs, load_objects(data, split)


def _write_scene(path: Path, data: Path | None, split: str, seed: int, side_px: int) -> None:
    """The pictures first, and the clusters once these are whole: where they are, all is."""
    photographs, objects = _objects(data, split)
    scene = draw_cluster_scene(seed, photographs, objects, side_px, split)
    picture = scene.picture
    grey = bool((picture[..., :1] == picture).all())
    _save(
        Image.fromarray(np.ascontiguousarray(picture[..., 0]) if grey else picture), path.with_suffix(".png")
    )
    rows, columns = np.arange(side_px)[:, None], np.arange(side_px)[None, :]
    depth = np.zeros((side_px, side_px))
    for number, one in enumerate(scene.clusters, start=1):
        own = scene.instances == number
        depth[own] = (1.0 - one.away(columns, rows))[own]
    truth = np.dstack([scene.instances, np.rint(255.0 * np.clip(depth, 0.0, 1.0)).astype(np.uint8)])
    _save(Image.fromarray(truth), path.with_suffix(".truth.png"))
    facts = {"seed": seed, "way": scene.way, "clusters": [one.as_dict() for one in scene.clusters]}
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(facts), encoding="utf-8")
    part.replace(path)


def _save(image: Image.Image, path: Path) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    image.save(part, "PNG", compress_level=3)
    part.replace(path)
