"""The log of corrections in the database: rows are added, never changed."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.corrections import Correction, Edit, added_id, check_log
from core.errors import ParameterInvalid
from core.parameters import canonical_json
from core.store.runs import get_run

if TYPE_CHECKING:
    import duckdb


def select_corrections(
    cursor: duckdb.DuckDBPyConnection, run_id: str, person: str | None = None
) -> list[Correction]:
    """The log of a run, or one person's part of it, in the order it was made."""
    rows = cursor.execute(
        "SELECT action, target, before::VARCHAR, after::VARCHAR, note, edit_group, correction_id, seq, "
        "run_id, person, made_at FROM corrections WHERE run_id = ? AND (?::VARCHAR IS NULL OR person = ?) "
        "ORDER BY seq",
        [run_id, person, person],
    ).fetchall()
    return [
        Correction(
            action,
            target,
            json.loads(before),
            json.loads(after),
            note,
            group or "",
            correction_id=correction_id,
            seq=seq,
            run_id=run_id,
            person=author,
            at=made_at.replace(tzinfo=UTC),
        )
        for action, target, before, after, note, group, correction_id, seq, run_id, author, made_at in rows
    ]


def insert_corrections(
    cursor: duckdb.DuckDBPyConnection, run_id: str, person: str, edits: Sequence[Edit]
) -> list[Correction]:
    """Add edits to the end of a run's log, with their ids, places and time.

    Raises:
        ParameterInvalid: There is no such run, nobody is named, or an edit is not possible.
    """
    if not person.strip():
        raise ParameterInvalid(
            "A correction needs the name of the person who makes it.",
            parameter="person",
            given=person,
            limit="a name",
        )
    run = get_run(cursor, run_id)
    log = select_corrections(cursor, run_id)
    at = datetime.now(UTC)
    added = [
        Correction(
            edit.action,
            edit.target or (added_id() if edit.action == "add" else ""),
            edit.before,
            edit.after,
            edit.note,
            edit.group,
            correction_id=uuid.uuid4().hex,
            seq=len(log) + place,
            run_id=run_id,
            person=person,
            at=at,
        )
        for place, edit in enumerate(edits, start=1)
    ]
    check_log([*log, *added], run.n_detections, width=run.width, height=run.height)
    if added:
        import pyarrow as pa

        cursor.register("incoming", pa.Table.from_pylist([_row(each) for each in added]))
        cursor.execute("INSERT INTO corrections BY NAME SELECT * FROM incoming")
        cursor.unregister("incoming")
    return added


def undo(cursor: duckdb.DuckDBPyConnection, taken_back: Correction, person: str) -> Correction:
    """Add the inverse of a correction; the inverse of an undo does again what was undone."""
    edit = Edit("undo", taken_back.target, after={"correction": taken_back.correction_id})
    return insert_corrections(cursor, taken_back.run_id, person, [edit])[0]


def _row(each: Correction) -> dict[str, object]:
    values = dataclasses.asdict(each)
    values["before"] = canonical_json(dict(each.before))
    values["after"] = canonical_json(dict(each.after))
    values["edit_group"] = values.pop("group") or None
    values["made_at"] = values.pop("at").replace(tzinfo=None)
    return values
