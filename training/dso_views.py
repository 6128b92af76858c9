"""Square views of drawn and photographed skies, to train and to judge the classifier of ``dso.xrai`` on.

The pictures are those of :mod:`training.dso_yolo_data`, decoded once into arrays that stay on disk and are
read as they are needed. A view is a square window of one, shown at the side the network is trained at, with
what can be seen in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from core.dso.kinds import LABELS
from training.dso_yolo_data import Labelled, read_labelled

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SIDE_PX = 640
"""Of the packed pictures; larger ones are shrunk to it; what smaller ones lack is black and never shown."""
OUTPUTS = 1 + len(LABELS)
"""Whether there is anything, then each class."""
LEAST_INSIDE, LEAST_COVER = 0.4, 0.25
"""An object is present when so much of its box is in the window, or its box covers so much of the window."""
SLIVER_INSIDE, SLIVER_COVER = 0.03, 0.005
"""Less than both is nothing; between these and those it is left open."""
LEAST_SHOWN_PX = 6.0
"""Side of the square as large as the visible part of a box, below which it is left open, in pixels shown."""
FINEST = 1.4
"""Most pixels shown for one of the picture, as whole windows of 160 px at a side of 224."""
LEAST_WINDOW_PX = 96.0
P_WHOLE, P_NOTHING, P_PHOTOGRAPH = 0.22, 0.5, 0.12
TRIES = 12


@dataclass(frozen=True, eq=False)
class Pictures:
    """Packed pictures of a split.

    Attributes:
        fine: ``(N, 640, 640, 3)``, mapped from disk.
        coarse: ``(N, 320, 320, 3)`` the same, averaged down.
        sizes: ``(N, 2)`` width and height that is picture, in pixels of ``fine``.
        boxes, labels: Of each, ``(n, 4)`` in pixels of ``fine`` from the corner of the first, and ``(n,)``.
        hidden: Of each, ``(k, 4)`` boxes like these of what is there but not plain to see.
        is_photograph: ``(N,)``.
        names: Of the files.
    """

    fine: UInt8
    coarse: UInt8
    sizes: NDArray[np.int64]
    boxes: tuple[Float64, ...]
    labels: tuple[NDArray[np.int64], ...]
    hidden: tuple[Float64, ...]
    is_photograph: NDArray[np.bool_]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sizes)

    @cached_property
    def has_objects(self) -> NDArray[np.bool_]:
        """``(N,)`` whether something in a picture is plain to see."""
        return np.array([len(boxes) > 0 for boxes in self.boxes], bool)

    @cached_property
    def is_empty(self) -> NDArray[np.bool_]:
        """``(N,)`` whether there is nothing at all in a picture."""
        return ~self.has_objects & np.array([len(boxes) == 0 for boxes in self.hidden], bool)


@dataclass(frozen=True)
class Window:
    """A square of a packed picture; x and y are its left and upper edge, all in pixels of ``fine``."""

    picture: int
    x: float
    y: float
    side: float


@dataclass(frozen=True, eq=False)
class View:
    """What the network is shown.

    Attributes:
        pixels: ``(S, S, 3)``.
        present: ``(OUTPUTS,)`` 1 where it holds something, else 0.
        known: ``(OUTPUTS,)`` 0 where that is open and counts for nothing.
    """

    pixels: UInt8
    present: Float32
    known: Float32


def packed(work: Path, split: str, pictures: Sequence[Path]) -> Pictures:
    """Decode pictures into ``work/views``, where that has not been done for these very pictures.

    Args:
        work: Folder of the data set.
        split: Name of the arrays.
        pictures: Files with their labels beside them, as :func:`training.dso_yolo_data.draw_split` gives.
    """
    folder = work / "views"
    folder.mkdir(parents=True, exist_ok=True)
    known = [read_labelled(path) for path in pictures]
    facts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in pictures]
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    paths = [folder / f"{split}_{side}.npy" for side in (SIDE_PX, SIDE_PX // 2)]
    stamp = folder / f"{split}.json"
    if not stamp.exists() or json.loads(stamp.read_text(encoding="utf-8")) != key:
        stamp.unlink(missing_ok=True)
        _decode(known, paths, split)
        stamp.write_text(json.dumps(key), encoding="utf-8")
    fine, coarse = (np.load(path, mmap_mode="r") for path in paths)
    sizes, boxes, hidden = [], [], []
    for one in known:
        width, height, zoom = _size(one.path)
        sizes.append((width, height))
        boxes.append((one.boxes + 0.5) * zoom)
        hidden.append((one.hidden + 0.5) * zoom)
    return Pictures(
        fine,
        coarse,
        np.array(sizes, np.int64).reshape(-1, 2),
        tuple(boxes),
        tuple(one.labels for one in known),
        tuple(hidden),
        np.array([one.is_photograph for one in known], bool),
        tuple(path.name for path in pictures),
    )


def present_in(pictures: Pictures, window: Window, shown_px: int) -> tuple[Float32, Float32]:
    """``(OUTPUTS,)`` what is present in a window shown at ``shown_px``, and what of it is known."""
    present, known = np.zeros(OUTPUTS, np.float32), np.ones(OUTPUTS, np.float32)
    boxes, labels = pictures.boxes[window.picture], pictures.labels[window.picture]
    shared, inside, cover = _shared(boxes, window)
    is_large = np.sqrt(shared) * shown_px / window.side >= LEAST_SHOWN_PX
    there = ((inside >= LEAST_INSIDE) | (cover >= LEAST_COVER)) & is_large
    may_be = ~there & ((inside >= SLIVER_INSIDE) | (cover >= SLIVER_COVER))
    for which in (0, *(1 + np.unique(labels[may_be]))):
        known[which] = 0.0 if may_be.any() else 1.0
    for which in (0, *(1 + np.unique(labels[there]))) if there.any() else ():
        present[which] = known[which] = 1.0
    if pictures.is_photograph[window.picture] and not there.any():
        known[:] = 0.0  # the catalogue does not list all that a photograph shows
    _, inside, cover = _shared(pictures.hidden[window.picture], window)
    if np.any((inside >= SLIVER_INSIDE) | (cover >= SLIVER_COVER)):
        known[present == 0.0] = 0.0  # something faint may show after all
    return present, known


def _shared(boxes: Float64, window: Window) -> tuple[Float64, Float64, Float64]:
    """``(n,)`` area of each box within a window, in pixels, and as a part of the box and of the window."""
    corner = np.array([window.x, window.y])
    low, high = np.maximum(boxes[:, :2], corner), np.minimum(boxes[:, 2:], corner + window.side)
    shared: Float64 = np.prod(np.maximum(high - low, 0.0), axis=1)
    inside = shared / np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1e-9)
    return shared, inside, shared / window.side**2


def draw_window(rng: np.random.Generator, pictures: Pictures, shown_px: int, nothing: bool) -> Window:
    """A window with nothing in it, or with an object, as far as :data:`TRIES` tries find one."""
    empty, full = pictures.is_empty, pictures.has_objects
    photographed = pictures.is_photograph
    window = Window(0, 0.0, 0.0, 1.0)
    for _ in range(TRIES):
        if nothing:
            chosen = int(rng.choice(np.flatnonzero(~photographed))) if not photographed.all() else 0
            if empty.any() and rng.random() < 0.4:
                chosen = int(rng.choice(np.flatnonzero(empty)))
            window = _anywhere(rng, pictures, chosen, shown_px)
        else:
            able = np.flatnonzero(full & (photographed == (rng.random() < P_PHOTOGRAPH)))
            if not len(able):
                able = np.flatnonzero(full)
            if not len(able):
                return _anywhere(rng, pictures, int(rng.integers(len(pictures))), shown_px)
            window = _around(rng, pictures, int(rng.choice(able)), shown_px)
        present, known = present_in(pictures, window, shown_px)
        if known[0] and bool(present[0]) != nothing:
            break
    return window


def show(pictures: Pictures, window: Window, shown_px: int) -> UInt8:
    """``(S, S, 3)`` a window at the side the network sees, averaged down or enlarged smoothly."""
    import cv2

    half = window.side >= 2 * shown_px
    source, zoom = (pictures.coarse, 0.5) if half else (pictures.fine, 1.0)
    x0, y0 = round(window.x * zoom), round(window.y * zoom)
    side = max(8, round(window.side * zoom))
    width, height = (pictures.sizes[window.picture] * zoom).astype(int)
    part = source[window.picture, y0 : min(y0 + side, height), x0 : min(x0 + side, width)]
    kind = cv2.INTER_AREA if side >= shown_px else cv2.INTER_CUBIC
    shown: UInt8 = cv2.resize(np.ascontiguousarray(part), (shown_px, shown_px), interpolation=kind)
    return shown


def draw_view(rng: np.random.Generator, pictures: Pictures, shown_px: int) -> View:
    """A view to train on: half hold nothing, each turned, and spoilt as telescopes and people do."""
    window = draw_window(rng, pictures, shown_px, bool(rng.random() < P_NOTHING))
    present, known = present_in(pictures, window, shown_px)
    return View(spoilt(rng, show(pictures, window, shown_px)), present, known)


def spoilt(rng: np.random.Generator, pixels: UInt8) -> UInt8:
    """``(S, S, 3)`` in one of eight turnings with other levels, colours, noise, blur and compression."""
    import cv2

    values = np.rot90(pixels, int(rng.integers(4)))
    if rng.random() < 0.5:
        values = values[:, ::-1]
    levels = np.ascontiguousarray(values, np.float32)
    if rng.random() < 0.15:
        levels = cv2.GaussianBlur(levels, (0, 0), float(rng.uniform(0.4, 1.2)))
    gain = np.exp(rng.normal(0.0, 0.22)) * np.exp(rng.normal(0.0, 0.06, 3))
    levels = levels * gain.astype(np.float32) + np.float32(rng.normal(0.0, 4.0))
    if rng.random() < 0.5:
        bend = np.float32(np.exp(rng.normal(0.0, 0.18)))
        levels = np.float32(255.0) * np.clip(levels / np.float32(255.0), 0.0, 1.0) ** bend
    if rng.random() < 0.4:
        shape = levels.shape if rng.random() < 0.6 else (*levels.shape[:2], 1)
        levels = levels + rng.standard_normal(shape, np.float32) * np.float32(rng.uniform(0.5, 7.0))
    shown = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        kept = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))])[1]
        shown = cv2.imdecode(kept, cv2.IMREAD_COLOR)
    return shown


def fixed_views(pictures: Pictures, n_views: int, shown_px: int, seed: int) -> tuple[list[View], list[int]]:
    """The same views each time, not spoilt, and the pictures they are of: whole frames, then windows."""
    rng = np.random.default_rng(seed)
    windows = [
        Window(i, 0.0, 0.0, float(max(pictures.sizes[i])))
        for i in range(len(pictures))
        if _is_square(pictures, i)
    ]
    rng.shuffle(windows)  # type: ignore[arg-type]
    windows = windows[: n_views // 2]
    while len(windows) < n_views:
        windows.append(draw_window(rng, pictures, shown_px, len(windows) % 2 == 0))
    views = []
    for window in windows:
        present, known = present_in(pictures, window, shown_px)
        views.append(View(show(pictures, window, shown_px), present, known))
    return views, [window.picture for window in windows]


def _is_square(pictures: Pictures, picture: int) -> bool:
    width, height = pictures.sizes[picture]
    return bool(width == height)


def _anywhere(rng: np.random.Generator, pictures: Pictures, picture: int, shown_px: int) -> Window:
    side = _draw_side(rng, pictures, picture, shown_px)
    x, y = (float(rng.uniform(0.0, max(edge - side, 0.0))) for edge in pictures.sizes[picture])
    return Window(picture, x, y, side)


def _around(rng: np.random.Generator, pictures: Pictures, picture: int, shown_px: int) -> Window:
    """A window that shows some of an object, which is seldom in the middle."""
    boxes = pictures.boxes[picture]
    box = boxes[int(rng.integers(len(boxes)))]
    side = _draw_side(rng, pictures, picture, shown_px)
    # As far away as it may be and still be shown; the smallest are shown in small windows.
    side = min(side, max(shown_px / FINEST, np.sqrt(np.prod(box[2:] - box[:2])) * shown_px / LEAST_SHOWN_PX))
    corner = []
    for low, high, edge in zip(box[:2], box[2:], pictures.sizes[picture], strict=True):
        middle = rng.uniform(low, high)
        first = middle - rng.uniform(0.15, 0.85) * side
        corner.append(float(np.clip(first, 0.0, max(edge - side, 0.0))))
    return Window(picture, corner[0], corner[1], float(side))


def _draw_side(rng: np.random.Generator, pictures: Pictures, picture: int, shown_px: int) -> float:
    largest = float(min(pictures.sizes[picture]))
    if rng.random() < P_WHOLE:
        return largest
    least = min(largest, max(LEAST_WINDOW_PX, shown_px / FINEST))
    return float(np.exp(rng.uniform(np.log(least), np.log(largest))))


def _decode(known: Sequence[Labelled], paths: Sequence[Path], split: str) -> None:
    arrays = [
        np.lib.format.open_memmap(path, "w+", np.uint8, (len(known), side, side, 3))
        for path, side in zip(paths, (SIDE_PX, SIDE_PX // 2), strict=True)
    ]
    for row, one in enumerate(tqdm(known, desc=f"decoding {split} pictures", unit="picture")):
        width, height, zoom = _size(one.path)
        image = Image.fromarray(one.pixels())
        if zoom != 1.0:
            image = image.resize(
                (width, height), Image.Resampling.BOX if zoom <= 0.5 else Image.Resampling.HAMMING
            )
        whole = Image.new("RGB", (SIDE_PX, SIDE_PX))
        whole.paste(image)
        arrays[0][row] = np.asarray(whole)
        arrays[1][row] = np.asarray(whole.reduce(2))
    for array in arrays:
        array.flush()


def _size(path: Path) -> tuple[int, int, float]:
    """Width and height of a picture once packed, and how much of its size it keeps."""
    with Image.open(path, formats=("JPEG",)) as image:
        width, height = image.size
    zoom = min(1.0, SIDE_PX / max(width, height))
    return max(1, round(width * zoom)), max(1, round(height * zoom)), zoom
