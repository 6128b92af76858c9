"""Asking a TAP service, the Virtual Observatory's way to query a catalogue, within a time limit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.errors import CatalogueUnavailable

POLL_S = 0.2
"""First pause between two looks at a job; it grows to two seconds."""
REMEMBER_S = 60.0
"""A question that failed is not asked again for so long: a page asks at every touch."""
FORGET_S = 1.0
"""Longest wait for the service to delete a job, which may come after the deadline."""

_failed: dict[tuple[str, str], tuple[float, str]] = {}
"""Until when a question is not asked again, and what is said meanwhile, by service and query."""


def query(url: str, adql: str, columns: Sequence[str], *, timeout_s: float, max_rows: int) -> pd.DataFrame:
    """Run a query as an asynchronous job, which unlike a synchronous one is not cut at 2,000 rows.

    One that failed less than :data:`REMEMBER_S` ago fails again at once, in the same words.

    Args:
        url: The service, ``"https://…/tap"``.
        adql: The query.
        columns: What to call the answer's columns, in order.
        timeout_s: Longest wait for all of it, seconds.
        max_rows: The most rows the service shall send.

    Raises:
        CatalogueUnavailable: The service cannot be reached in time, refuses, fails, or sends another table.
    """
    for question, (until, _) in list(_failed.items()):
        if until <= time.monotonic():
            _failed.pop(question, None)
    if (failed := _failed.get((url, adql))) is not None:
        raise CatalogueUnavailable(failed[1])
    try:
        return _asked(url, adql, columns, timeout_s, max_rows)
    except CatalogueUnavailable as failure:
        _failed[url, adql] = time.monotonic() + REMEMBER_S, failure.message
        raise


def _asked(url: str, adql: str, columns: Sequence[str], timeout_s: float, max_rows: int) -> pd.DataFrame:
    import requests
    from pyvo.dal import DALServiceError, TAPService
    from pyvo.dal.exceptions import DALQueryError

    deadline = time.monotonic() + timeout_s
    try:
        with _session(deadline) as session:
            job = TAPService(url, session=session).submit_job(adql, maxrec=max_rows)
            try:
                answer = _answer(job, deadline, timeout_s)
            finally:
                _forget(job)
    # A network that asks for a login answers with a page of its own, which is no XML: a ValueError.
    except (DALServiceError, DALQueryError, requests.RequestException, OSError, ValueError) as error:
        raise CatalogueUnavailable(f"The catalogue service at {url} cannot be used right now.") from error
    if len(answer.colnames) != len(columns):
        raise CatalogueUnavailable(
            f"The catalogue service at {url} answered with {len(answer.colnames)} columns in place of "
            f"{len(columns)}."
        )
    return pd.DataFrame(
        {name: _plain(answer[column]) for name, column in zip(columns, answer.colnames, strict=True)}
    )


def _answer(job: Any, deadline: float, timeout_s: float) -> Any:
    """Start a job, wait for its end, and fetch its table."""
    job.run()
    pause = POLL_S
    while job.phase not in ("COMPLETED", "ERROR", "ABORTED"):
        if time.monotonic() + pause > deadline:
            raise CatalogueUnavailable(
                f"The catalogue service did not finish within {timeout_s:g} s.",
                parameter="timeout_s",
                given=timeout_s,
            )
        time.sleep(pause)
        pause = min(1.5 * pause, 2.0)
    job.raise_if_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # archives' VOTables are often loosely written
        return job.fetch_result().to_table()


def _plain(column: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """A column as numbers, masked ones as NaN."""
    values = np.ma.asarray(column)
    return np.asarray(values.filled(np.nan) if values.dtype.kind == "f" else values.filled(0))


def _session(deadline: float) -> Any:
    """An HTTP session whose every request gives up at the deadline, and which leaves nothing open.

    pyvo streams answers and does not always read them to the end, which keeps their connections.
    """
    import requests

    class Session(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            self._answers: list[requests.Response] = []

        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            left = FORGET_S if request.method == "DELETE" else deadline - time.monotonic()
            answer = super().send(request, **{**kwargs, "timeout": max(left, 0.001)})
            self._answers.append(answer)
            return answer

        def close(self) -> None:
            for answer in self._answers:
                answer.close()
            super().close()

    return Session()


def _forget(job: Any) -> None:
    """Delete the job from the service; that it is gone or out of reach changes nothing."""
    import requests
    from pyvo.dal import DALServiceError

    try:
        job.delete()
    except (DALServiceError, requests.RequestException, OSError):
        return
