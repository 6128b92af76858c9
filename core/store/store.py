"""The store: every frame seen, every run, what it found, and what people put right."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import core
from core.catalogues.tables import SourceTable
from core.corrections import Correction, Edit, last_redoable, last_undoable
from core.errors import ParameterInvalid
from core.frames import Frame
from core.results import Result
from core.store import census, corrections, frames, runs
from core.store.database import Database
from core.store.frames import StoredFrame
from core.store.runs import StoredRun
from core.store.schema import migrate

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

PATH_VARIABLE = "ALMAGEST_STORE"
DEFAULT_PATH = Path("data") / "almagest.duckdb"


def default_path() -> Path:
    """Where the store is: the environment variable ``ALMAGEST_STORE``, else a file inside the project."""
    given = os.environ.get(PATH_VARIABLE, "").strip()
    return Path(given).expanduser() if given else Path(core.__file__).parents[1] / DEFAULT_PATH


class Store:
    """A database of frames, runs, detections and corrections, for all threads of one process.

    Every method raises :class:`~core.errors.StoreUnavailable` when the database cannot be used. What a
    method writes is written whole or not at all.

    Args:
        path: The file, made when it is not there; ``":memory:"`` for one that is forgotten; None for
            :func:`default_path`.

    Raises:
        StoreUnavailable: Another process holds the file, it cannot be written, it is no store, or it
            was written by a newer Almagest.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._saving = threading.Lock()
        self._database = Database(default_path() if path is None else path)
        try:
            migrate(self._database)
        except BaseException:
            self._database.close()
            raise

    @property
    def path(self) -> str:
        """The file, or ``":memory:"``."""
        return self._database.path

    def close(self) -> None:
        """Let go of the file, so that another program can open it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save_run(self, frame: Frame | SourceTable, result: Result, *, person: str | None = None) -> str:
        """Keep a result for good.

        A run that found what the last one of the same found is that run, whoever does it again: one row, with
        one log of corrections.

        Args:
            frame: The frame or the table that was analysed.
            result: As :meth:`core.methods.Method.run` gives it.
            person: Who ran it.

        Returns:
            The run's id; that of the last one where it found the same.

        Raises:
            ParameterInvalid: The result does not say where it came from, or came from another frame.
        """
        provenance = result.provenance
        if provenance is None:
            raise ParameterInvalid(
                "Only a result that says where it came from can be stored; run the method with Method.run.",
                parameter="result",
                given="no provenance",
                limit="a provenance",
            )
        if provenance.frame_key != frame.key:
            raise ParameterInvalid(
                f"The result comes from {provenance.frame_name!r}, not from these pixels of {frame.name!r}.",
                parameter="frame",
                given=frame.key,
                limit=provenance.frame_key,
            )

        def work(cursor: duckdb.DuckDBPyConnection) -> str:
            frames.insert_frame(cursor, frame)
            return runs.keep_run(cursor, result, provenance, person)

        with self._saving:  # or two who found the same at once would both be the first
            return self._database.write(work)

    def find_run(
        self, frame_key: str, method: str, params: Mapping[str, Any], weights_sha256: str | None = None
    ) -> StoredRun | None:
        """The newest stored run that would give the same result if it were done again.

        Args:
            frame_key: :attr:`core.frames.Frame.key` of the frame.
            method: Name of the method.
            params: All its parameters by name, as :meth:`core.parameters.Parameters.to_dict` gives them.
            weights_sha256: Hash of the weights it would run with.

        Returns:
            The run, or None. A run by another version of Almagest is not the same: the method may have
            changed.
        """
        with self._database.cursor() as cursor:
            return runs.find_run(cursor, frame_key, method, params, weights_sha256, core.__version__)

    def load_result(self, run_id: str) -> Result:
        """The result as it was saved; maps and pictures come back at the resolution they were stored at.

        Raises:
            ParameterInvalid: There is no such run.
        """
        with self._database.cursor() as cursor:
            return runs.load_result(cursor, run_id)

    def run(self, run_id: str) -> StoredRun:
        """What is known of a run without loading what it found.

        Raises:
            ParameterInvalid: There is no such run.
        """
        with self._database.cursor() as cursor:
            return runs.get_run(cursor, run_id)

    def runs(
        self,
        *,
        frame_key: str | None = None,
        task: str | None = None,
        method: str | None = None,
        limit: int | None = 100,
    ) -> list[StoredRun]:
        """Stored runs, newest first, at most ``limit`` (None: all), of a frame, a task or a method."""
        asked = {"frame_key": frame_key, "task": task, "method": method}
        wanted = {column: value for column, value in asked.items() if value is not None}
        with self._database.cursor() as cursor:
            return runs.select_runs(cursor, wanted, limit)

    def frames(self, limit: int | None = 100) -> list[StoredFrame]:
        """Frames that were analysed, newest first, at most ``limit`` (None: all)."""
        with self._database.cursor() as cursor:
            return frames.select_frames(cursor, limit)

    def append_corrections(self, run_id: str, person: str, edits: Sequence[Edit]) -> list[Correction]:
        """Keep what a person did to the detections of a run: all of it, or nothing if any is refused.

        Args:
            run_id: The run whose detections are corrected.
            person: Who did it.
            edits: What was done, in order. An ``add`` without a target is given one.

        Returns:
            The edits as they stand in the log.

        Raises:
            ParameterInvalid: There is no such run, nobody is named, or an edit is not possible.
        """
        return self._database.write(
            lambda cursor: corrections.insert_corrections(cursor, run_id, person, edits)
        )

    def corrections(self, run_id: str, person: str | None = None) -> list[Correction]:
        """The log of a run in the order it was made: everybody's, or one person's."""
        with self._database.cursor() as cursor:
            return corrections.select_corrections(cursor, run_id, person)

    def undo_last(self, run_id: str, person: str) -> Correction | None:
        """Take back the person's last correction that stands; None when there is none left."""
        return self._take_back(run_id, person, last_undoable)

    def redo_last(self, run_id: str, person: str) -> Correction | None:
        """Take back the person's last undo; None when there is none, or something was done since."""
        return self._take_back(run_id, person, last_redoable)

    def _take_back(
        self,
        run_id: str,
        person: str,
        which: Callable[[Sequence[Correction], str], Correction | None],
    ) -> Correction | None:
        def work(cursor: duckdb.DuckDBPyConnection) -> Correction | None:
            found = which(corrections.select_corrections(cursor, run_id), person)
            return None if found is None else corrections.undo(cursor, found, person)

        return self._database.write(work)

    def counts(self) -> dict[str, int]:
        """How many frames, runs, detections and corrections there are."""
        with self._database.cursor() as cursor:
            row = cursor.execute(
                "SELECT (SELECT count(*) FROM frames), (SELECT count(*) FROM runs), "
                "(SELECT coalesce(sum(n_detections), 0) FROM runs), (SELECT count(*) FROM corrections)"
            ).fetchone()
        return dict(zip(("frames", "runs", "detections", "corrections"), map(int, row or ()), strict=True))

    def tag_frame(
        self, frame_key: str, name: str, value: str, *, source: str, person: str | None = None
    ) -> None:
        """Keep what is said of a frame beside its header; the last word on a name counts.

        Args:
            frame_key: :attr:`core.frames.Frame.key` of the frame.
            name: What is said, ``"body"``.
            value: ``"Moon"``.
            source: How it is known, in words.
            person: Who said it, if a person did.

        Raises:
            ParameterInvalid: The value is empty or too long.
        """
        self._database.write(lambda cursor: census.insert_tag(cursor, frame_key, name, value, source, person))

    def tags(self, frame_key: str) -> dict[str, str]:
        """The last word on each name that was said of a frame."""
        with self._database.cursor() as cursor:
            return census.select_tags(cursor, frame_key)

    def label_counts(self, task: str, tag: str, *, newest: bool = True) -> pd.DataFrame:
        """How many objects of each label the runs of a task found.

        Args:
            task: ``"surfaces"``.
            tag: Name of the tag that comes with each run, ``"body"``.
            newest: Only the newest run of each method on each frame, so that no frame counts twice.

        Returns:
            One row a run and label, oldest first: ``run_id, frame_key, frame_name, method, person, saved_at``
            (UTC), ``tag, label, n``, and ``pixels`` of the frame. A run that found nothing has one row
            without a label.
        """
        with self._database.cursor() as cursor:
            return census.count_labels(cursor, task, tag, newest=newest)

    def fact_values(self, task: str, tag: str, prefix: str, *, newest: bool = True) -> pd.DataFrame:
        """The facts of the runs of a task whose names begin with ``prefix``.

        Returns:
            One row a run and fact, oldest first, as :meth:`label_counts` but with ``fact, value``.
        """
        with self._database.cursor() as cursor:
            return census.select_facts(cursor, task, tag, prefix, newest=newest)
