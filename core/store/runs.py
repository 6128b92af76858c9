"""Runs: one method on one frame, with everything it found."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from core.catalogues.tables import TableResult
from core.errors import ParameterInvalid
from core.parameters import canonical_json
from core.results import CORE_COLUMNS, TEXT_COLUMNS, Provenance, Result
from core.store.layers import insert_layers, select_layers, select_pictures
from core.store.tables import insert_detections, insert_members, select_detections, select_members

if TYPE_CHECKING:
    import duckdb

_STORED = (
    "run_id, runs.frame_key, frame_name, frames.width, frames.height, task, method, params::VARCHAR, "
    "weights_sha256, version, started_at, saved_at, seconds, summary, n_detections, n_rejected, person"
)

ROUNDING = 1e-4
"""Networks give a little less or more when they share their work among processors otherwise."""


@dataclass(frozen=True)
class StoredRun:
    """What is known of a run without loading what it found.

    Attributes:
        run_id: Its name in the store; sorts by time.
        frame_key: Hash of the very pixels.
        frame_name: File name of the frame.
        width, height: Of the frame, in pixels; 0 for a table.
        task, method: ``"stars"`` and ``"stars.sep"``.
        params: The method's parameters by name.
        weights_sha256: Hash of the weights, or None when the method has none.
        version: Almagest's version.
        started_at: When the run started, ISO 8601 in UTC.
        saved_at: When it was stored, in UTC.
        seconds: How long the run took; None when it was not timed.
        summary: One sentence for a person.
        n_detections, n_rejected: Objects found, candidates turned down.
        person: Who ran it, or None.
    """

    run_id: str
    frame_key: str
    frame_name: str
    width: int
    height: int
    task: str
    method: str
    params: Mapping[str, Any]
    weights_sha256: str | None
    version: str
    started_at: str
    saved_at: datetime
    seconds: float | None
    summary: str
    n_detections: int
    n_rejected: int
    person: str | None


def keep_run(
    cursor: duckdb.DuckDBPyConnection, result: Result, provenance: Provenance, person: str | None
) -> str:
    """The id of the last run of the same where it found the same, and has its corrections; else a new id."""
    about = (provenance.frame_key, provenance.method, provenance.params, provenance.weights_sha256)
    last = find_run(cursor, *about, provenance.version)
    if last is not None and _alike(result, cursor, last):
        return last.run_id
    return insert_run(cursor, result, provenance, person)


def _alike(result: Result, cursor: duckdb.DuckDBPyConnection, run: StoredRun) -> bool:
    """Whether each row of a result is the object of the same row of a stored run, give or take rounding."""
    if run.n_detections != len(result.detections):
        return False
    stored = select_detections(cursor, run.run_id, accepted=True).table
    given = result.detections.table
    numbers = [column for column in CORE_COLUMNS if column not in TEXT_COLUMNS]
    return all(stored[column].equals(given[column]) for column in TEXT_COLUMNS) and np.allclose(
        stored[numbers], given[numbers], rtol=ROUNDING, atol=ROUNDING, equal_nan=True
    )


def insert_run(
    cursor: duckdb.DuckDBPyConnection, result: Result, provenance: Provenance, person: str | None
) -> str:
    """Write a result and everything in it; gives its run id."""
    # Milliseconds first: ids sort by time, and DuckDB skips the blocks of other runs when it reads one.
    run_id = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
    facts, timings = dict(result.facts), dict(result.timings)
    cursor.execute(
        "INSERT INTO runs (run_id, frame_key, frame_name, task, method, params, weights_sha256, version, "
        "started_at, saved_at, seconds, timings, facts, warnings, summary, n_detections, n_rejected, person) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, MAP(?::VARCHAR[], ?::DOUBLE[]), "
        "MAP(?::VARCHAR[], ?::DOUBLE[]), ?::VARCHAR[], ?, ?, ?, ?)",
        [
            run_id,
            provenance.frame_key,
            provenance.frame_name,
            provenance.method.partition(".")[0],
            provenance.method,
            canonical_json(dict(provenance.params)),
            provenance.weights_sha256,
            provenance.version,
            provenance.started_at,
            datetime.now(UTC).replace(tzinfo=None),
            timings.get("total"),
            list(timings),
            [float(value) for value in timings.values()],
            list(facts),
            [float(value) for value in facts.values()],
            list(result.warnings),
            result.summary,
            len(result.detections),
            len(result.rejected),
            person,
        ],
    )
    insert_detections(cursor, run_id, result.detections, accepted=True)
    insert_detections(cursor, run_id, result.rejected, accepted=False)
    insert_layers(cursor, run_id, result)
    if isinstance(result, TableResult):
        insert_members(cursor, run_id, result.members)
    return run_id


def select_runs(
    cursor: duckdb.DuckDBPyConnection, wanted: Mapping[str, Any], limit: int | None
) -> list[StoredRun]:
    """The newest runs whose columns have the ``wanted`` values (None is a value), newest first."""
    where = " AND ".join(f"runs.{column} IS NOT DISTINCT FROM ?" for column in wanted) or "true"
    rows = cursor.execute(
        f"SELECT {_STORED} FROM runs JOIN frames USING (frame_key) WHERE {where} "  # noqa: S608 (column names)
        "ORDER BY saved_at DESC, run_id DESC LIMIT ?",
        [*wanted.values(), limit],
    ).fetchall()
    return [_stored_run(row) for row in rows]


def find_run(
    cursor: duckdb.DuckDBPyConnection,
    frame_key: str,
    method: str,
    params: Mapping[str, Any],
    weights_sha256: str | None,
    version: str,
) -> StoredRun | None:
    """The newest run of the same frame, method, parameters and weights by a version of Almagest."""
    same = {
        "frame_key": frame_key,
        "method": method,
        "params": canonical_json(dict(params)),
        "weights_sha256": weights_sha256,
        "version": version,
    }
    return next(iter(select_runs(cursor, same, 1)), None)


def get_run(cursor: duckdb.DuckDBPyConnection, run_id: str) -> StoredRun:
    """The run with this id.

    Raises:
        ParameterInvalid: There is none.
    """
    for run in select_runs(cursor, {"run_id": run_id}, 1):
        return run
    raise ParameterInvalid(f"There is no run {run_id!r} in the store.", parameter="run_id", given=run_id)


def load_result(cursor: duckdb.DuckDBPyConnection, run_id: str) -> Result:
    """The result that was saved as ``run_id``.

    Raises:
        ParameterInvalid: There is none.
    """
    run = get_run(cursor, run_id)
    row = cursor.execute(
        "SELECT timings, facts, warnings, sha256, hdu, plane, processing "
        "FROM runs JOIN frames USING (frame_key) WHERE run_id = ?",
        [run_id],
    ).fetchone()
    assert row is not None  # noqa: S101 (get_run has just read it)
    timings, facts, warnings, sha256, hdu, plane, processing = row
    maps, masks = select_layers(cursor, run_id)
    members = select_members(cursor, run_id)
    kind: Callable[..., Result] = Result if members is None else partial(TableResult, members=members)
    return kind(
        detections=select_detections(cursor, run_id, accepted=True),
        rejected=select_detections(cursor, run_id, accepted=False),
        summary=run.summary,
        maps=maps,
        masks=masks,
        pictures=select_pictures(cursor, run_id),
        facts=facts,
        timings=timings,
        warnings=tuple(warnings),
        provenance=Provenance(
            method=run.method,
            params=run.params,
            frame_name=run.frame_name,
            frame_sha256=sha256,
            frame_key=run.frame_key,
            width=run.width,
            height=run.height,
            version=run.version,
            started_at=run.started_at,
            hdu=hdu,
            plane=plane,
            processing=processing,
            weights_sha256=run.weights_sha256,
        ),
    )


def _stored_run(row: tuple[Any, ...]) -> StoredRun:
    values = dict(zip(StoredRun.__dataclass_fields__, row, strict=True))
    values["params"] = json.loads(values["params"])
    values["saved_at"] = values["saved_at"].replace(tzinfo=UTC)
    return StoredRun(**values)
