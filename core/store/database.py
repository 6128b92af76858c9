"""One DuckDB file: opened kindly, read and written by many threads."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.errors import StoreUnavailable

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

IN_MEMORY = ":memory:"
RETRY_SECONDS = 10.0
"""How long a write that keeps meeting other writes is tried again."""


class Database:
    """A connection shared by the threads of one process; every call works on a cursor of its own.

    DuckDB gives wrong rows when threads share one cursor, and lets one process hold a file at a time.

    Args:
        path: The file, made with its folder when it is not there, or ``":memory:"``.

    Raises:
        StoreUnavailable: The file is held by another process, cannot be written, or is no database.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._connection: duckdb.DuckDBPyConnection | None = _connect(self.path)

    def close(self) -> None:
        """Let go of the file. Whatever is called afterwards raises :class:`StoreUnavailable`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for this call alone.

        Raises:
            StoreUnavailable: DuckDB cannot do what was asked, or the database was closed.
        """
        import duckdb

        if self._connection is None:
            raise StoreUnavailable(f"The store {self.path} has been closed.", parameter="path")
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            raise StoreUnavailable(
                f"The store {self.path} could not be used: {_first_line(error)}",
                parameter="path",
                given=self.path,
            ) from error

    def write(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Do ``work`` in one transaction: all of it is stored, or none of it.

        Two transactions that touch the same row conflict; the loser is rolled back and done again, so
        ``work`` must change nothing outside the database.

        Raises:
            StoreUnavailable: It still conflicts after :data:`RETRY_SECONDS`, or cannot be written.
        """
        import duckdb

        give_up_at = time.monotonic() + RETRY_SECONDS
        longest_wait = 0.002
        while True:
            try:
                with self.cursor() as cursor, _transaction(cursor):
                    return work(cursor)
            except StoreUnavailable as error:
                conflict = isinstance(
                    error.__cause__, (duckdb.TransactionException, duckdb.ConstraintException)
                )
                if not conflict or time.monotonic() > give_up_at:
                    raise
            # A random wait, or the same two would meet again.
            time.sleep(random.uniform(0.0, longest_wait))  # noqa: S311
            longest_wait = min(2.0 * longest_wait, 0.1)


@contextlib.contextmanager
def _transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    import duckdb

    cursor.begin()
    try:
        yield
        cursor.commit()
    except BaseException:
        with contextlib.suppress(duckdb.TransactionException):  # a failed commit has rolled back already
            cursor.rollback()
        raise


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    if path == IN_MEMORY:
        return duckdb.connect(path)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(path)
    except (OSError, duckdb.Error) as error:
        raise StoreUnavailable(_why_not(path, error), parameter="path", given=path) from error


def _why_not(path: str, error: Exception) -> str:
    text = str(error)
    if "lock on file" in text:
        return (
            f"The store {path} is in use by another program; close that one, "
            "or set ALMAGEST_STORE to another file."
        )
    if "not a valid DuckDB database" in text or "Is a directory" in text:
        return f"{path} is not an Almagest store; set ALMAGEST_STORE to another file."
    if isinstance(error, OSError) or "Cannot open file" in text:
        return f"The store {path} cannot be written there; set ALMAGEST_STORE to a file in a folder of yours."
    return f"The store {path} cannot be opened: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
