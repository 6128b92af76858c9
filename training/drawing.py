"""Drawing many scenes into files, in several processes, with a bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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
