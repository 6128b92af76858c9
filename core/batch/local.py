"""A batch on this machine: in this process, or in several."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from functools import partial
from typing import TypeVar

from core.batch.work import WORKER_DIED, Job, Outcome, analyse_one, failed
from core.methods import TASKS

J = TypeVar("J")
R = TypeVar("R")


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
    start = partial(_start_worker, _task_folders())
    yield from in_processes(analyse_one, jobs, count, lambda job: failed(job, WORKER_DIED), start)


def in_processes(
    work: Callable[[J], R],
    jobs: Sequence[J],
    workers: int,
    died: Callable[[J], R],
    start: Callable[[], None],
) -> Generator[R, None, None]:
    """Do work in other processes, in whatever order it is done; one that dies costs its own job only.

    Closing the generator ends the processes. What ``work`` raises ends them too, and is raised here.

    Args:
        work: What to do with a job; both travel to a process.
        jobs: The jobs.
        workers: Processes.
        died: The outcome of a job whose process died.
        start: What each process does first.
    """
    waiting = deque(jobs)
    while waiting:
        # When a process dies the whole pool does, and nobody says whose fault it was: each job that was
        # being worked on is tried again by itself, and the one that dies again is the one.
        for suspect in (yield from _drain(work, waiting, workers, start)):
            if (yield from _drain(work, deque([suspect]), 1, start)):
                yield died(suspect)


def _drain(
    work: Callable[[J], R], waiting: deque[J], workers: int, start: Callable[[], None]
) -> Generator[R, None, list[J]]:
    """Work until all is done, or until a process dies; returns the jobs that were lost with it."""
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, initializer=start)
    running: dict[Future[R], J] = {}
    finished = False
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running[pool.submit(work, waiting[0])] = waiting[0]
                waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            lost = {future for future in done if isinstance(future.exception(), BrokenExecutor)}
            for future in done - lost:
                del running[future]
                yield future.result()
            if lost:
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


def leave_ctrl_c_to_the_parent() -> None:
    """Ignore Ctrl-C in this process: the parent ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start_worker(folders: Mapping[str, list[str]]) -> None:
    leave_ctrl_c_to_the_parent()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process for every core already
    for task, paths in folders.items():
        importlib.import_module(f"core.{task}").__path__ = paths
