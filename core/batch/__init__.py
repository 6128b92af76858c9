"""Many frames through one method: what the command line and the benchmarks run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from core.batch.cluster import run_on_cluster
from core.batch.local import run_locally
from core.batch.sources import find_frames, unique_stems
from core.batch.tables import (
    DETECTION_COLUMNS,
    RUN_COLUMNS,
    detection_table,
    rows_of_others,
    run_table,
    write_layers,
    write_members,
    write_parquet,
)
from core.batch.work import Job, Outcome
from core.catalogues.tables import TableResult
from core.methods import get_method
from core.parameters import Parameters

__all__ = [
    "BatchResult",
    "Outcome",
    "analyse_frames",
    "find_frames",
    "unique_stems",
    "write_layers",
    "write_members",
]


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What a method found on many frames.

    Attributes:
        method: Its name.
        detections: One row a detection, with the columns of
            :data:`core.batch.tables.DETECTION_COLUMNS`, frame by frame in the order they were given.
        runs: One row a frame, with the columns of :data:`core.batch.tables.RUN_COLUMNS`.
        interrupted: Whether the person stopped it; the frames that were not done have no row.
        trouble: Why what ``progress`` writes could not be written, which stops it as well, or None.
    """

    method: str
    detections: pd.DataFrame
    runs: pd.DataFrame
    interrupted: bool = False
    trouble: OSError | None = None

    @property
    def n_failed(self) -> int:
        """Frames with an error."""
        return int(self.runs["error"].notna().sum())

    def write(self, folder: Path) -> None:
        """Write ``detections.parquet`` and ``runs.parquet``; the rows that other methods left there stay."""
        for table, columns, name in (
            (self.detections, DETECTION_COLUMNS, "detections.parquet"),
            (self.runs, RUN_COLUMNS, "runs.parquet"),
        ):
            others = rows_of_others(folder / name, columns, self.method)
            tables = [each for each in (others, table) if len(each)] or [table]
            write_parquet(pd.concat(tables, ignore_index=True), columns, folder / name)


def analyse_frames(
    method: str,
    paths: Sequence[str],
    params: Parameters | None = None,
    *,
    progress: Callable[[Outcome], None] | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> BatchResult:
    """Run a method on many frames; a frame that fails is a row that says why.

    Args:
        method: Name of the method.
        paths: Files of the frames, or of the tables where the method takes tables.
        params: The method's parameters; its defaults when None.
        progress: Given each outcome as it comes, in any order, with its maps, masks, pictures and members:
            these are not kept, so that a long batch needs no more memory than a short one.
        scheduler: Address of a Dask scheduler (``"tcp://host:8786"``); this machine when None.
        workers: Processes on this machine; one a core when None.

    Returns:
        The tables. After Ctrl-C, or when the disk is full, they hold what was done until then.

    Raises:
        MethodUnknown: There is no such method.
        ClusterUnavailable: The scheduler does not answer, or Dask is not installed.
    """
    chosen = get_method(method)
    values = (chosen.params() if params is None else params).to_dict()
    jobs = [Job(path, method, values) for path in paths]
    outcomes = run_locally(jobs, workers) if scheduler is None else run_on_cluster(jobs, scheduler)
    found: dict[str, pd.DataFrame] = {}
    done: dict[str, Outcome] = {}
    interrupted, trouble = False, None
    try:
        with closing(outcomes):
            for outcome in outcomes:
                if progress is not None:
                    progress(outcome)
                found[outcome.frame] = detection_table(outcome)
                done[outcome.frame] = _without_layers(outcome)
    except KeyboardInterrupt:
        interrupted = True
    except OSError as refusal:
        trouble = refusal
    order = [path for path in paths if path in done]
    tables = [found[path] for path in order if len(found[path])]
    nothing = detection_table(Outcome("", method, values)).head(0)
    return BatchResult(
        method=method,
        detections=pd.concat(tables, ignore_index=True) if tables else nothing,
        runs=run_table([done[path] for path in order]),
        interrupted=interrupted,
        trouble=trouble,
    )


def _without_layers(outcome: Outcome) -> Outcome:
    if outcome.result is None:
        return outcome
    result = replace(outcome.result, maps={}, masks={}, pictures={})
    if isinstance(result, TableResult):
        result = result.without_members()
    return replace(outcome, result=result)
