"""A batch on this machine: in this process, or in several."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait

from core.batch.work import WORKER_DIED, Job, Outcome, analyse_one, failed
from core.methods import TASKS


def run_locally(jobs: Sequence[Job], workers: int | None = None) -> Generator[Outcome, None, None]:
    """Analyse frames on this machine, in whatever order they are done.

    Args:
        jobs: The frames.
        workers: How many processes; by default one a core, and no more than there are frames. With one
            the work is done in this process, which saves the time a process takes to start.
    """
    count = min(workers or os.cpu_count() or 1, len(jobs))
    if count <= 1:
        yield from map(analyse_one, jobs)
        return
    waiting = deque(jobs)
    while waiting:
        # When a process dies the whole pool does, and nobody says whose fault it was: each frame that
        # was being worked on is tried again by itself, and the one that dies again is the one.
        for suspect in (yield from _drain(waiting, count)):
            if (yield from _drain(deque([suspect]), 1)):
                yield failed(suspect, WORKER_DIED)


def _drain(waiting: deque[Job], workers: int) -> Generator[Outcome, None, list[Job]]:
    """Work until all is done, or until a process dies; returns the jobs that were lost with it."""
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(_task_folders(),))
    running: dict[Future[Outcome], Job] = {}
    finished = False
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running[pool.submit(analyse_one, waiting[0])] = waiting[0]
                waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in [future for future in done if future.exception() is None]:
                del running[future]
                yield future.result()
            if any(isinstance(future.exception(), BrokenExecutor) for future in done):
                break
        finished = True
    except BrokenExecutor:
        finished = True  # the pool was already broken when a job was handed to it
    finally:
        if not finished:  # the person has stopped the run: do not wait for what is under way
            # The pool waits for the rest of a result that is being sent as long as anyone could send it.
            pool._result_queue._writer.close()  # type: ignore[attr-defined]
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
        pool.shutdown(cancel_futures=True)
    return list(running.values())


def _task_folders() -> dict[str, list[str]]:
    """Where this process looks for methods, by task: a folder that was added here is added in a worker."""
    return {task: list(importlib.import_module(f"core.{task}").__path__) for task in TASKS if _exists(task)}


def _exists(task: str) -> bool:
    return importlib.util.find_spec(f"core.{task}") is not None


def _start_worker(folders: Mapping[str, list[str]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the workers itself
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process for every core already
    for task, paths in folders.items():
        importlib.import_module(f"core.{task}").__path__ = paths
