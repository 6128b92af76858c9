"""Which frames a batch is to analyse, and what the files made of each are called."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from core.errors import FrameRejected

FRAME_SUFFIXES = (
    ".fits",
    ".fit",
    ".fts",
    ".fits.fz",
    ".fit.fz",
    ".fts.fz",
    ".fits.gz",
    ".fit.gz",
    ".fts.gz",
    ".tif",
    ".tiff",
    ".png",
    ".jpg",
    ".jpeg",
    ".cub",
    ".img",
    ".vic",
    ".vicar",
)
"""Files of a folder that are taken for frames, by their name in lower case."""

TABLE_SUFFIXES = (
    ".csv",
    ".csv.gz",
    ".tsv",
    ".ecsv",
    ".ecsv.gz",
    ".txt",
    ".dat",
    ".vot",
    ".vot.gz",
    ".votable",
    ".xml",
    ".parquet",
    ".fits",
    ".fits.gz",
    ".fit",
)
"""Files of a folder that are taken for tables, by their name in lower case."""

SUFFIXES = {"frame": FRAME_SUFFIXES, "table": TABLE_SUFFIXES}
Kind = Literal["frame", "table"]


def find_frames(given: Iterable[str], kind: Kind = "frame") -> list[str]:
    """The frames, or tables, a person means by files, folders and globs.

    A folder stands for the files of that kind in it (not in folders below it), by name; a glob for what it
    matches, by name, with ``**`` for folders at any depth. A file is itself, whatever its name, even when it
    is not there: the batch reports it. Files given twice are taken once, at their first place.

    Raises:
        FrameRejected: A folder holds none, or a glob matches nothing.
    """
    frames: dict[Path, str] = {}
    for text in given:
        for path in _expand(text, kind):
            frames.setdefault(Path(path).resolve(), path)
    return list(frames.values())


def _expand(text: str, kind: Kind) -> list[str]:
    path = Path(text)
    if path.is_dir():
        found = [str(file) for file in sorted(path.iterdir()) if _is_one(file, kind)]
        if not found:
            raise FrameRejected(
                f"The folder {text!r} holds no {'image' if kind == 'frame' else kind} file "
                f"({', '.join(SUFFIXES[kind])}).",
                parameter=kind,
                given=text,
                limit=", ".join(SUFFIXES[kind]),
            )
        return found
    if path.exists() or not glob.has_magic(text):
        return [text]
    matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matches:
        raise FrameRejected(f"No file matches {text!r}.", parameter=kind, given=text)
    if "**" in text:
        return [match for match in matches if _is_one(Path(match), kind)]
    return [frame for match in matches for frame in _expand(match, kind)]


def _is_one(path: Path, kind: Kind) -> bool:
    name = path.name.lower()
    return not name.startswith(".") and name.endswith(SUFFIXES[kind]) and path.is_file()


def unique_stems(frames: Sequence[str]) -> dict[str, str]:
    """A different stem for each frame, by frame: the file name without its last suffix.

    Where frames of several folders share one, the second gets ``-2``, the third ``-3``, in their order;
    upper and lower case count as the same, because some file systems take them so.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for frame in frames:
        stem, number = Path(frame).stem, 1
        while (name := stem if number == 1 else f"{stem}-{number}").lower() in taken:
            number += 1
        taken.add(name.lower())
        stems[frame] = name
    return stems
