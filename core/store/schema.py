"""The schema of the store, as numbered steps that are each applied once and whole."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import StoreUnavailable
from core.store.database import Database

if TYPE_CHECKING:
    import duckdb

MIGRATIONS = Path(__file__).parent / "migrations"
"""SQL files ``<number>_<what it does>.sql``, from 1 without gaps; a released one never changes."""


def migrate(database: Database, folder: Path = MIGRATIONS) -> int:
    """Bring a database up to the newest schema; each step is one transaction.

    Args:
        database: A new database, or one of any earlier version.
        folder: Where the steps are.

    Returns:
        The version it now has.

    Raises:
        StoreUnavailable: The database was written by a newer Almagest, is not Almagest's, or a step
            failed (which leaves the database as it was before that step).
    """
    steps = sorted(folder.glob("[0-9]*.sql"))
    version = database.write(functools.partial(_version, known=len(steps), path=database.path))
    for number, step in enumerate(steps, start=1):
        if int(re.split(r"\D", step.name)[0]) != number:
            raise ValueError(f"migrations are numbered 1, 2, 3 …; expected {number}, found {step.name}")
        if number > version:
            database.write(functools.partial(_apply, number=number, step=step))
    return len(steps)


def _version(cursor: duckdb.DuckDBPyConnection, known: int, path: str) -> int:
    tables = {name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if tables and "schema_versions" not in tables:
        raise StoreUnavailable(
            f"{path} is a database of another program; set ALMAGEST_STORE to another file.",
            parameter="path",
            given=path,
        )
    if not tables:
        cursor.execute(
            "CREATE TABLE schema_versions "
            "(version INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL)"
        )
    version = _applied(cursor)
    if version > known:
        raise StoreUnavailable(
            f"The store {path} was written by a newer Almagest: its schema is {version}, and this one knows "
            f"{known}. Bring Almagest up to date, or set ALMAGEST_STORE to another file.",
            parameter="schema_version",
            given=version,
            limit=known,
        )
    return version


def _apply(cursor: duckdb.DuckDBPyConnection, number: int, step: Path) -> None:
    if _applied(cursor) >= number:  # another thread was quicker
        return
    cursor.execute(step.read_text(encoding="utf-8"))
    cursor.execute(
        "INSERT INTO schema_versions VALUES (?, ?, ?)",
        [number, step.stem, datetime.now(UTC).replace(tzinfo=None)],
    )


def _applied(cursor: duckdb.DuckDBPyConnection) -> int:
    row = cursor.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()
    return int(row[0]) if row else 0
