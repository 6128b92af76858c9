"""A batch on a Dask cluster. The files' bytes travel, so the workers need no shared disk."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from core.batch.work import WORKER_DIED, Job, Outcome, analyse_one, failed
from core.errors import ClusterUnavailable

CONNECT_S = 10.0
"""How long a scheduler may take to answer, in seconds."""
IN_FLIGHT_PER_THREAD = 2
"""Frames sent ahead for each thread of the cluster: enough to keep it busy, few enough for memory."""


def run_on_cluster(jobs: Sequence[Job], scheduler: str) -> Generator[Outcome, None, None]:
    """Analyse frames on a Dask cluster whose workers have Almagest, in whatever order they are done.

    Args:
        jobs: The frames; their files are read here.
        scheduler: Address of the scheduler, ``"tcp://host:8786"``.

    Raises:
        ClusterUnavailable: Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise ClusterUnavailable(
            "Working on a cluster needs Dask; install it with: pip install 'dask[distributed]'.",
            parameter="scheduler",
            given=scheduler,
        ) from None
    try:
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as refusal:
        raise ClusterUnavailable(
            f"No Dask scheduler answers at {scheduler!r}; an address looks like tcp://host:8786.",
            parameter="scheduler",
            given=scheduler,
        ) from refusal
    waiting = deque(jobs)
    sent: dict[Any, Job] = {}
    with client:
        room = IN_FLIGHT_PER_THREAD * max(1, sum(client.nthreads().values()))
        done = as_completed(loop=client.loop)
        while waiting or sent:
            while waiting and len(sent) < room:
                job = waiting.popleft()
                try:
                    content = Path(job.frame).read_bytes()
                except OSError as refusal:
                    yield failed(job, f"{job.frame!r} cannot be read: {refusal.strerror}.")
                    continue
                future = _submit(client, job, content)
                sent[future] = job
                done.add(future)
            if not sent:
                continue
            future = next(done)
            job = sent.pop(future)
            trouble = future.exception()
            if trouble is None:
                yield future.result()
            else:
                died = isinstance(trouble, KilledWorker)
                yield failed(job, WORKER_DIED if died else f"{type(trouble).__name__}: {trouble}")


def _submit(client: Any, job: Job, content: bytes) -> Any:
    with warnings.catch_warnings():
        # A frame is large, and is wanted by one task only: there is nothing to scatter ahead.
        warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
        return client.submit(analyse_one, job, content, pure=False)
