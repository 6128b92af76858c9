"""Several methods on one frame, each shown as soon as it is done.

    arrivals = arrived(chosen, frame, params)
    ...                                        # draw the page with arrivals.analyses
    wait_for_next([(frame, arrivals)], params, slot)

The page is drawn with what is there, the frame alone at first. Then the next methods are waited for in
``slot``, and the page runs anew with their results. A touch meanwhile runs the page, not the method.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalogues.tables import SourceTable
from core.errors import AlmagestError, WeightsUnavailable
from core.frames import Frame
from core.methods import Method
from core.models import check_weights
from core.parameters import Parameters
from core.ui.jobs import Job
from core.ui.methods import short_title
from core.ui.runs import Analysis, find_analysis, keep_analysis, run_key
from core.ui.text import plain

_log = logging.getLogger("almagest")
_LOOK_SECONDS, _DRAW_SECONDS, _TOGETHER_SECONDS = 0.05, 0.4, 1.5
NO_RESULT = "No method has given a result here so far."
"""What stands where results will: true while the first is waited for, and when all have failed."""
_FAULT = "failed on this frame for a reason that is not yours; it was written to the server's log."


class _Failure(NamedTuple):
    """What is said in place of a result, and whether another try may go better: what a frame is stays so."""

    sentence: str
    may_pass: bool


@dataclass(frozen=True)
class Arrivals:
    """How far several methods are on a frame.

    Attributes:
        analyses: Those that are done, in the order of the methods.
        failures: Those that cannot give a result here, each with the sentence for a person.
        waiting: Those that are still to come.
    """

    analyses: tuple[Analysis, ...]
    failures: tuple[tuple[Method, str], ...]
    waiting: tuple[Method, ...]

    @property
    def warnings(self) -> list[str]:
        """What the results warn of, why some are not kept, and a sentence for each method that gave none."""
        said = [warning for analysis in self.analyses for warning in analysis.result.warnings]
        said += [analysis.unkept for analysis in self.analyses if analysis.unkept]
        return [*said, *self.refusals]

    @property
    def refusals(self) -> list[str]:
        """A sentence for each method that gave no result."""
        return [f"{short_title(method.title)}: {why}" for method, why in self.failures]


Step = tuple[Frame | SourceTable, Arrivals]
"""What is looked at, and how far the methods are with it."""


def arrived(
    chosen: Sequence[Method],
    frame: Frame | SourceTable,
    params: Mapping[str, Parameters],
    *,
    again: bool = False,
) -> Arrivals:
    """What is there of several methods on a frame, in the session or in the store; nothing is run.

    Args:
        chosen: The methods.
        frame: The frame.
        params: The parameters of each by its name.
        again: Forget what there is, so that every method runs anew.
    """
    analyses, failures, waiting = [], [], []
    for method in chosen:
        key = run_key(method, frame, params[method.name])
        if again:
            _forget(key)
        if (missing := _missing_weights(method)) is not None:
            failures.append((method, missing))
        elif key in _said():
            failures.append((method, _said()[key].sentence))
        elif key not in _anew() and (found := find_analysis(method, frame, params[method.name])) is not None:
            analyses.append(found)
        else:
            waiting.append(method)
    return Arrivals(tuple(analyses), tuple(failures), tuple(waiting))


def wait_for_next(steps: Sequence[Step], params: Mapping[str, Parameters], slot: DeltaGenerator) -> None:
    """Run what is waited for, with its progress in ``slot``, then the page anew.

    The page is drawn after each method that takes its time; quick ones are shown together, since drawing a
    page takes as long as they do. Once nothing is left, what failed for no reason of the frame's can be tried
    again in ``slot``. The last word of a page: what stands behind it is drawn only when nothing is left to
    wait for.

    Args:
        steps: What is looked at, and how far the methods are with it.
        params: The parameters of each method by its name.
        slot: An empty place.
    """
    step = next((step for step in steps if step[1].waiting), None)
    if step is None:
        _offer_again(steps, params, slot)
        return
    given, arrivals = step
    begin = time.monotonic()
    for number, method in enumerate(arrivals.waiting):
        _wait_for(method, arrivals.waiting[number + 1 :], given, params, slot)
        if time.monotonic() - begin > _TOGETHER_SECONDS:
            break
    st.rerun()


def _offer_again(steps: Sequence[Step], params: Mapping[str, Parameters], slot: DeltaGenerator) -> None:
    keys = [
        run_key(method, given, params[method.name])
        for given, arrivals in steps
        for method, _ in arrivals.failures
    ]
    failed = [key for key in keys if key in _said() and _said()[key].may_pass]
    if failed:
        slot.button("Try again", icon=":material/refresh:", on_click=_try_again, args=(failed,))


def _wait_for(
    method: Method,
    others: Sequence[Method],
    frame: Frame | SourceTable,
    params: Mapping[str, Parameters],
    slot: DeltaGenerator,
) -> None:
    """Run a method to its end and keep what comes of it; the others are only named."""
    key = run_key(method, frame, params[method.name])
    jobs: dict[tuple[str, str, str], Job] = st.session_state.setdefault("jobs", {})
    for other in [name for name in jobs if name != key]:
        jobs.pop(other).stop()
    if key not in jobs or not (jobs[key].is_running or jobs[key].result or jobs[key].error):
        jobs[key] = Job(method, frame, params[method.name])
    job = jobs[key]
    later = f" · then {', '.join(other.title for other in others)}" if others else ""
    drawn: tuple[object, float] = (None, 0.0)
    while job.is_running:
        now = ((job.done, job.doing), time.monotonic())
        if now[0] != drawn[0] or now[1] - drawn[1] > _DRAW_SECONDS:
            # Drawing is also where Streamlit ends this run of the page when a person touches it.
            slot.progress(job.done, text=plain(f"{method.title}: {job.doing}{later}"))
            drawn = now
        job.wait(_LOOK_SECONDS)
    jobs.pop(key, None)
    if job.result is not None:
        keep_analysis(method, frame, params[method.name], job.result)
        _anew().discard(key)
    elif job.error is not None:
        _said()[key] = _failure(method, job.error)


def _failure(method: Method, error: Exception) -> _Failure:
    if isinstance(error, AlmagestError):
        return _Failure(error.message, may_pass=isinstance(error, WeightsUnavailable))
    _log.error("%s failed", method.name, exc_info=error)
    return _Failure(f"{method.title} {_FAULT}", may_pass=True)


def _try_again(failed: Sequence[tuple[str, str, str]]) -> None:
    for key in failed:
        _said().pop(key, None)


def _missing_weights(method: Method) -> str | None:
    if method.weights is None or method.is_ready:
        return None
    try:
        check_weights(method.weights)
    except WeightsUnavailable as missing:
        return missing.message
    return None


def _said() -> dict[tuple[str, str, str], _Failure]:
    """What is said in place of a result, by run."""
    failures: dict[tuple[str, str, str], _Failure] = st.session_state.setdefault("run failures", {})
    return failures


def _anew() -> set[tuple[str, str, str]]:
    """Runs that are to be run even if they are stored."""
    anew: set[tuple[str, str, str]] = st.session_state.setdefault("runs anew", set())
    return anew


def _forget(key: tuple[str, str, str]) -> None:
    _said().pop(key, None)
    _anew().add(key)
