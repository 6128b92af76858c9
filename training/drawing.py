"""Drawing many scenes into files, in several processes, with a bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm


def draw_all(
    write: Callable[..., object], jobs: Sequence[tuple[Any, ...]], workers: int, doing: str, chunk: int = 4
) -> None:
    """Call ``write`` with each job.

    Args:
        write: A function of a module, which draws one scene into its file, whole or not at all.
        jobs: The arguments of each call; they travel to other processes.
        workers: Processes; with one the work is done here.
        doing: What the bar says (``"drawing train scenes"``).
        chunk: Jobs a process takes at a time.
    """
    if not jobs:
        return
    if workers <= 1:
        for job in tqdm(jobs, desc=doing, unit="scene"):
            write(*job)
        return
    # Spawned, not forked: libraries that run threads do not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        done = pool.map(write, *zip(*jobs, strict=True), chunksize=chunk)
        for _ in tqdm(done, total=len(jobs), desc=doing, unit="scene"):
            pass


def turned_place(
    x: float, y: float, angle_deg: float, quarter: int, mirrored: bool, side_px: int
) -> tuple[float, float, float]:
    """A place of a square picture and a direction there, after ``np.rot90(…, quarter)`` and perhaps a mirror.

    Args:
        x, y: Pixels.
        angle_deg: From x towards y; what comes back is in [0, 180).
        quarter: Quarters of a turn.
        mirrored: Whether left and right were exchanged then.
        side_px: Of the picture.
    """
    for _ in range(quarter % 4):
        x, y, angle_deg = y, side_px - 1 - x, angle_deg - 90.0
    if mirrored:
        x, angle_deg = side_px - 1 - x, -angle_deg
    return x, y, angle_deg % 180.0


def draw_missing(
    write: Callable[[Path, Path | None, str, int, int], object],
    prepare: Callable[[Path | None, str], object],
    folder: Path,
    data: Path | None,
    split: str,
    n_scenes: int,
    workers: int,
    side_px: int,
) -> list[Path]:
    """Draw what is missing of a split, and give its files.

    Args:
        write: Draws the scene of a number into its file, which is there once the whole scene is: file, data,
            split, number, side.
        prepare: Called with data and split before anything is drawn, so that the workers find in the cache
            what takes long to make.
        folder: Of all splits.
        data: Folder of the collections, or None.
        split: ``"train"``, ``"val"`` or ``"test"``.
        n_scenes: Scenes 0 to ``n_scenes - 1`` of the split.
        workers: Processes.
        side_px: Of the pictures.
    """
    own = folder / split
    own.mkdir(parents=True, exist_ok=True)
    paths = [own / f"scene_{number:06d}.json" for number in range(n_scenes)]
    jobs = [(path, data, split, number, side_px) for number, path in enumerate(paths) if not path.exists()]
    if jobs:
        prepare(data, split)
    draw_all(write, jobs, workers, f"drawing {split} scenes")
    return paths
