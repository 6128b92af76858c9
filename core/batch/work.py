"""The work on one frame, the same in this process, in another one and on a cluster."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalogues.tables import SourceTable, read_table
from core.errors import AlmagestError
from core.frames import Frame
from core.methods import get_method
from core.results import Result

WORKER_DIED = "The process that worked on this frame died, most likely because it ran out of memory."


@dataclass(frozen=True)
class Job:
    """One frame or table and what to do with it; small, so that it travels.

    Attributes:
        frame: Path of the file, as it was given.
        method: Name of the method.
        params: Its parameters by name.
    """

    frame: str
    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one frame or table.

    Attributes:
        frame: Path of the file, as it was given.
        method: Name of the method.
        params: Its parameters by name.
        seconds: How long the method took; where it failed, how long it was tried.
        result: What was found, or None when the frame failed.
        error: One sentence when the frame failed, else None.
        frame_sha256: Of the file, or None when it could not be read.
        width, height: Of the frame, or None when it could not be read or is a table.
        notes: Sentences about the frame that a person should see.
    """

    frame: str
    method: str
    params: Mapping[str, Any]
    seconds: float = 0.0
    result: Result | None = None
    error: str | None = None
    frame_sha256: str | None = None
    width: int | None = None
    height: int | None = None
    notes: tuple[str, ...] = ()


def analyse_one(job: Job, content: bytes | None = None) -> Outcome:
    """Read a frame, or a table where the method takes tables, and run the method on it.

    Whatever goes wrong is part of the outcome.

    Args:
        job: What to do.
        content: The bytes of the file, where the file itself is on another machine.
    """
    start = time.perf_counter()
    frame: Frame | SourceTable | None = None
    result: Result | None = None
    error: str | None = None
    try:
        from core.frames.read import read_frame

        path = Path(job.frame)
        method = get_method(job.method)
        read = read_frame if method.input == "frame" else read_table
        frame = read(path if content is None else content, name=path.name)
        result = method.run(frame, method.params.from_mapping(job.params))
    except AlmagestError as refusal:
        error = refusal.message
    except Exception as failure:
        # A fault in one method on one frame must not cost the night's other frames.
        error = f"{type(failure).__name__}: {failure}"
    seconds = time.perf_counter() - start if result is None else result.timings["total"]
    return Outcome(
        frame=job.frame,
        method=job.method,
        params=job.params,
        seconds=seconds,
        result=result,
        error=error,
        frame_sha256=None if frame is None else frame.sha256,
        width=frame.width if isinstance(frame, Frame) else None,
        height=frame.height if isinstance(frame, Frame) else None,
        notes=() if frame is None else frame.notes,
    )


def failed(job: Job, error: str) -> Outcome:
    """The outcome of a frame that could not be worked on at all."""
    return Outcome(frame=job.frame, method=job.method, params=job.params, error=error)
