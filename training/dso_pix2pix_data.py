"""What ``dso.pix2pix`` learns from: pictures of :mod:`training.dso_yolo_data` and their XRAI maps.

The maps of a split are appended to one file of half-precision numbers, the file beside it says whose they
are: making them may be stopped at any time, and more can be made later. They are kept before
:func:`core.dso.pix2pix_map.painted_levels` makes of them what is painted, so that nothing of the painting
needs deciding before the hours it takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from core.dso.pix2pix_map import painted_levels
from core.dso.pix2pix_network import SIDE_PX, squared
from training.dso_yolo_data import Labelled, read_labelled

UInt8 = NDArray[np.uint8]
Float16 = NDArray[np.float16]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

Explain = Callable[[UInt8], Float32]
"""``(side, side, 3)`` to ``(side, side)``, as :func:`core.dso.pix2pix_map.explained_map`."""
MOST_RELEVANCE = 6.0e4
"""What half precision holds."""


@dataclass(frozen=True, eq=False)
class Example:
    """A square picture, its relevance and its objects.

    Attributes:
        name: Of the picture's file.
        picture: ``(256, 256, 3)``.
        relevance: ``(s, s)`` XRAI times the number of its pixels: logits a picture.
        boxes: ``(N, 4)`` true boxes in pixels of the square of 256.
        hidden: ``(K, 4)`` boxes like these of what is there but not plain to see.
    """

    name: str
    picture: UInt8
    relevance: Float16
    boxes: Float64
    hidden: Float64

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all on it."""
        return not len(self.boxes) and not len(self.hidden)

    def target(self, middle: float, side_px: int = SIDE_PX) -> Float32:
        """``(side_px, side_px)`` what should be painted."""
        levels = painted_levels(self.relevance.astype(np.float32) / self.relevance.size, middle)
        if side_px == levels.shape[0]:
            return levels
        image = Image.fromarray(levels).resize((side_px, side_px), Image.Resampling.BILINEAR)
        return np.asarray(image, np.float32)


class TargetFile:
    """XRAI maps of a split on disk, one after the other.

    Args:
        folder: Where the files are.
        split: ``"train"`` or ``"val"``.
        side_px: Of the maps.
        explained: What tells the explained network, such as the hash of its weights: maps of another are
            thrown away.
    """

    def __init__(self, folder: Path, split: str, side_px: int, explained: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.numbers, self.header = folder / f"xrai_{split}.f16", folder / f"xrai_{split}.json"
        self.side_px, self.explained = side_px, explained
        kept = json.loads(self.header.read_text(encoding="utf-8")) if self.header.exists() else {}
        same = (kept.get("side_px"), kept.get("explained")) == (side_px, explained)
        self.names: list[str] = list(kept["names"]) if same and self.numbers.exists() else []

    @classmethod
    def opened(cls, folder: Path, split: str) -> TargetFile:
        """The file that is there, whatever it explains.

        Raises:
            SystemExit: There is none.
        """
        header = folder / f"xrai_{split}.json"
        if not header.exists():
            raise SystemExit(f"There are no XRAI maps in {folder} yet: make them with --targets first.")
        kept = json.loads(header.read_text(encoding="utf-8"))
        return cls(folder, split, int(kept["side_px"]), str(kept["explained"]))

    def add(self, name: str, relevance: Float32) -> None:
        """Append a map; the numbers first, so that a name stands for a whole map."""
        row = np.clip(np.nan_to_num(relevance), -MOST_RELEVANCE, MOST_RELEVANCE).astype(np.float16)
        assert row.shape == (self.side_px, self.side_px), row.shape
        with self.numbers.open("r+b" if self.numbers.exists() else "wb") as file:
            file.truncate(len(self.names) * row.nbytes)  # what was cut off in the middle
            file.seek(0, 2)
            file.write(row.tobytes())
        self.names.append(name)
        facts = {"side_px": self.side_px, "explained": self.explained, "names": self.names}
        part = self.header.with_suffix(".part")
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(self.header)

    def maps(self) -> Float16:
        """``(N, side, side)`` the maps, read from disk as they are needed."""
        shape = (len(self.names), self.side_px, self.side_px)
        return np.memmap(self.numbers, np.float16, "r", shape=shape)


def pictures_of(folder: Path, split: str, number: int) -> list[Path]:
    """So many pictures of a split, scenes and photographs mixed; more of them begin with the same ones.

    Raises:
        SystemExit: There are none.
    """
    files = (folder / split / "images").glob("*.jpg")
    there = sorted(files, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    if not there:
        raise SystemExit(
            f"There are no pictures in {folder / split}: draw them with python -m training.dso_yolo --draw."
        )
    return there[:number]


def make_targets(file: TargetFile, pictures: Sequence[Path], explain: Explain) -> None:
    """Explain the pictures whose maps are not there yet, one at a time."""
    done = set(file.names)
    missing = [path for path in pictures if path.name not in done]
    for path in tqdm(missing, desc=f"explaining {file.header.stem}", unit="picture"):
        square, _ = squared(read_labelled(path).pixels(), file.side_px)
        file.add(path.name, explain(square) * np.float32(file.side_px**2))


def load_examples(file: TargetFile, pictures: Sequence[Path]) -> list[Example]:
    """The pictures of a split that have a map, in the order of the list."""
    row = {name: number for number, name in enumerate(file.names)}
    maps = file.maps()
    known = [path for path in pictures if path.name in row]
    return [
        _example(read_labelled(path), np.array(maps[row[path.name]]))
        for path in tqdm(known, desc=f"reading {file.header.stem}", unit="picture")
    ]


def _example(one: Labelled, relevance: Float16) -> Example:
    pixels = one.pixels()
    square, (rows, columns) = squared(pixels)
    scale = SIDE_PX / max(pixels.shape[:2])
    corner = np.array([columns.start, rows.start] * 2, float)
    boxes, hidden = ((these + 0.5) * scale - 0.5 + corner for these in (one.boxes, one.hidden))
    return Example(one.path.name, square, relevance, boxes, hidden)
