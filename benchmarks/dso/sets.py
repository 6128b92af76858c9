"""The sets of pictures: photographs no method has seen, and composed scenes whose truth is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from core.dso.kinds import LABELS
from core.frames import Frame
from training.dso_cutouts import FORMAT, NO_OBJECTS, Objects, catalogue_boxes, load_objects
from training.dso_scenes import DsoScene, composed_scene, draw_dso_scene

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

CACHE = Path(__file__).parents[2] / ".cache" / "benchmarks" / "dso"
PATCH_PX, SCENE_PX, LARGE_PX = 640, 640, 1536
N_FULL, N_EMPTY = 140, 60
"""Scenes with objects, and without."""
N_LARGE, N_LARGE_EMPTY = 16, 4
LARGE_SEED = 7_000_000
LEAST_PX, LEAST_INSIDE = 12.0, 0.5
"""Of a photograph's catalogue: smaller objects, and those of which less is on the picture, are neither."""
NONE = np.empty((0, 4))


@dataclass(frozen=True, eq=False)
class Example:
    """A picture with its truth.

    Attributes:
        name: Within its set.
        picture: ``(H, W, 3)``.
        boxes: ``(N, 4)`` what should be found, in pixels from the middle of the first one.
        labels: ``(N,)`` numbers into :data:`core.dso.kinds.LABELS`.
        surface_snr: ``(N,)`` mean light over the noise of a pixel; NaN where it is not known.
        ignore: ``(K, 4)`` what is neither hit nor miss.
    """

    name: str
    picture: UInt8
    boxes: Float64
    labels: NDArray[np.int64]
    surface_snr: Float64
    ignore: Float64 = field(default_factory=lambda: NONE)

    @property
    def frame(self) -> Frame:
        """As a method takes it."""
        return Frame.from_array(self.picture, f"{self.name}.png", row0="top", saturation=255.0)


@dataclass(frozen=True)
class DsoSet:
    """A kind of picture.

    Attributes:
        about: What is on its pictures, for a person.
        load: Gives the pictures, from the folder of the photographs and the cache.
    """

    about: str
    load: Callable[[Path | None, Path], list[Example]]


def photographs(data: Path | None, cache: Path) -> list[Example]:
    """The test split's photographs as they are, with the boxes of OpenNGC.

    Raises:
        SystemExit: The photographs are not there.
    """
    folder = _needed(data) / "dso_stellarium"
    table = catalogue_boxes(folder, "test")
    kept = table.assign(label=[LABELS.index(name) for name in table["cls"]])
    examples = []
    for file, rows in kept.groupby("file", sort=True):
        with Image.open(folder / "images" / str(file)) as image:
            picture = np.asarray(image.convert("RGB"))
        boxes = rows[["x0", "y0", "x1", "y1"]].to_numpy(float) - 0.5
        whole = Example(
            Path(str(file)).stem, picture, boxes, rows["label"].to_numpy(), np.full(len(rows), np.nan)
        )
        examples.append(cut(whole, (0, 0, picture.shape[1], picture.shape[0]), whole.name))
    return examples


def patches(data: Path | None, cache: Path) -> list[Example]:
    """The photographs cut into squares of 640 px that cover them evenly; smaller ones stay as they are."""
    return [patch for whole in photographs(data, cache) for patch in _patches(whole)]


def scenes(data: Path | None, cache: Path) -> list[Example]:
    """Composed scenes of the test split: so many with objects and so many without, the first by number."""
    return _drawn("scenes", data, cache, _scenes)


def large_scenes(data: Path | None, cache: Path) -> list[Example]:
    """Composed scenes of 1536 px a side, which are searched in windows."""
    return _drawn("large", data, cache, _large_scenes)


SETS = {
    "photographs": DsoSet(
        "photographs of the test split, which is by object, whole, with boxes from OpenNGC",
        photographs,
    ),
    "patches": DsoSet("the same photographs in squares of at most 640 px, some of them empty", patches),
    "scenes": DsoSet(
        f"composed scenes of {SCENE_PX}² with test objects: {N_FULL} where some are seen, {N_EMPTY} without",
        scenes,
    ),
    "large scenes": DsoSet(
        f"composed scenes of {LARGE_PX}², {N_LARGE} with objects and {N_LARGE_EMPTY} without", large_scenes
    ),
}


def cut(whole: Example, window: tuple[int, int, int, int], name: str) -> Example:
    """A part of a picture: boxes are cut along, and those of which too little is left are to be ignored.

    Args:
        whole: The picture.
        window: x_min, y_min, x_max, y_max in whole pixels.
        name: Of the part.
    """
    x0, y0, x1, y1 = window
    limits = np.array([x0, y0, x1, y1], float) - 0.5
    clipped = np.clip(whole.boxes, np.tile(limits[:2], 2), np.tile(limits[2:], 2))
    area, left = _area(whole.boxes), _area(clipped)
    counts = (left >= LEAST_INSIDE * area) & (_side(whole.boxes) >= LEAST_PX)
    # What fills a good part of the window is there, however little of it that is.
    counts |= left >= 0.25 * (x1 - x0) * (y1 - y0)
    moved = clipped - np.tile([x0, y0], 2)
    others = np.clip(whole.ignore, np.tile(limits[:2], 2), np.tile(limits[2:], 2)) - np.tile([x0, y0], 2)
    ignore = np.concatenate([moved[~counts & (left > 0)], others[_area(others) > 0]])
    return Example(
        name,
        np.ascontiguousarray(whole.picture[y0:y1, x0:x1]),
        moved[counts],
        whole.labels[counts],
        whole.surface_snr[counts],
        ignore,
    )


def fingerprint(examples: Sequence[Example]) -> str:
    """sha256 of pictures and truth."""
    digest = hashlib.sha256()
    for one in examples:
        digest.update(f"{one.name} {one.picture.shape} {len(one.boxes)} {len(one.ignore)}\n".encode())
        digest.update(one.picture.tobytes())
        digest.update(np.rint(np.concatenate([one.boxes, one.ignore]) * 100.0).astype("<i8").tobytes())
        digest.update(one.labels.astype("<i8").tobytes())
    return digest.hexdigest()


def _patches(whole: Example) -> Iterator[Example]:
    height, width = whole.picture.shape[:2]
    for y0, y1 in _parts(height):
        for x0, x1 in _parts(width):
            yield cut(whole, (x0, y0, x1, y1), f"{whole.name}.{x0}.{y0}")


def _parts(side: int) -> list[tuple[int, int]]:
    n = -(-side // PATCH_PX)
    length = min(side, PATCH_PX)
    starts = [round(i * (side - length) / max(n - 1, 1)) for i in range(n)]
    return [(start, start + length) for start in starts]


def _scenes(objects: Objects) -> Iterator[tuple[str, DsoScene]]:
    left, seed = {True: N_FULL, False: N_EMPTY}, 0
    while any(left.values()):
        scene = draw_dso_scene(seed, objects, SCENE_PX, "test")
        if _counted(scene, left):
            yield f"scene_{seed:06d}", scene
        seed += 1


def _large_scenes(objects: Objects) -> Iterator[tuple[str, DsoScene]]:
    left, seed = {True: N_LARGE, False: N_LARGE_EMPTY}, LARGE_SEED
    while any(left.values()):
        rng = np.random.default_rng(seed)
        scene = composed_scene(rng, objects, LARGE_PX, int(rng.integers(2, 8)) if left[True] else 0)
        if _counted(scene, left):
            yield f"large_{seed:06d}", scene
        seed += 1


def _counted(scene: DsoScene, left: dict[bool, int]) -> bool:
    """Whether a scene is taken, as full or as empty, and counts; one that only hides objects is neither."""
    full = len(scene.boxes) > 0
    if not left[full] or (len(scene.hidden) and not full):
        return False
    left[full] -= 1
    return True


def _drawn(
    name: str,
    data: Path | None,
    cache: Path,
    draw: Callable[[Objects], Iterator[tuple[str, DsoScene]]],
) -> list[Example]:
    """The scenes of a set, drawn once and kept."""
    folder = cache / f"{name}-{_code()}-{'simulated' if data is None else 'photographs'}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        objects = NO_OBJECTS if data is None else load_objects(data, "test")
        for key, scene in tqdm(draw(objects), desc=f"drawing {name}", unit="scene"):
            path = folder / f"{key}.npz"
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez_compressed(
                    file,
                    picture=scene.picture,
                    boxes=scene.boxes,
                    labels=scene.labels,
                    hidden=scene.hidden,
                    surface_snr=scene.surface_snr if scene.paired else np.full(len(scene.labels), np.nan),
                )
            part.replace(path)
        (folder / "done").touch()
    return [_read(path) for path in sorted(folder.glob("*.npz"))]


def _read(path: Path) -> Example:
    with np.load(path) as kept:
        return Example(
            path.stem,
            kept["picture"],
            kept["boxes"].astype(float).reshape(-1, 4),
            kept["labels"].astype(np.int64),
            kept["surface_snr"].astype(float),
            kept["hidden"].astype(float).reshape(-1, 4),
        )


def _code() -> str:
    """Short hash of the code that draws scenes."""
    folder = Path(__file__).parents[2] / "training"
    names = ("scenes", "objects", "sky", "finish", "cutouts")
    content = b"".join((folder / f"dso_{name}.py").read_bytes() for name in names)
    return hashlib.sha256(content + f"{FORMAT} {N_FULL} {N_EMPTY} {N_LARGE}".encode()).hexdigest()[:10]


def _needed(data: Path | None) -> Path:
    if data is None or not (data / "dso_stellarium").is_dir():
        raise SystemExit("Sets of photographs need --data, a folder that holds dso_stellarium.")
    return data


def _area(boxes: Float64) -> Float64:
    area: Float64 = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)
    return area


def _side(boxes: Float64) -> Float64:
    side: Float64 = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0)
    return side
