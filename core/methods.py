"""The one registry of methods: a file that holds ``METHOD`` is a method, and nothing else is needed.

A method lives in its task's folder as one file, ``core/<task>/<name>.py``, and is called
``<task>.<name>``. Pages, the command line, batch runs and benchmarks find it here. Such a file is
imported to learn what it offers, so it imports its heavy libraries inside the function that runs. Files
beside it that hold no ``METHOD`` are not imported, and may import what they like.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import core
from core.catalogues.tables import SourceTable
from core.errors import MethodUnknown, ParameterInvalid, WeightsUnavailable
from core.frames import Frame
from core.models import are_present, check_weights, read_card
from core.parameters import Parameters
from core.results import Provenance, Result
from core.shapes import Kind

TASKS: dict[str, str] = {
    "stars": "Star detection",
    "clusters": "Star clusters",
    "surfaces": "Planetary surfaces",
    "dso": "Deep-sky objects",
}
"""The tasks by the name of their folder, with their title."""

Progress = Callable[[float, str], None]
"""Told the fraction done in [0, 1] and what is being done. It may raise to stop the run."""


def no_progress(fraction: float, doing: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Method:
    """A named way to do one task.

    Attributes:
        name: ``"<task>.<file>"``.
        title: What a person calls it.
        summary: One sentence for visitors: what it is good and bad at.
        description: A paragraph for researchers.
        reference: Where the method was published.
        params: Its parameter dataclass.
        analyse: Does the work: ``analyse(frame, params, progress)`` gives a :class:`Result`; of a method of
            tables ``analyse(table, params, progress)`` a :class:`~core.catalogues.tables.TableResult`.
        labels: The classes it can give.
        geometry: The shapes its objects can be corrected as, the usual one first.
        weights: Name of the card of the weights it runs with; None when it needs none.
        input: What it analyses: a ``"frame"``, or a ``"table"`` of sources.
    """

    name: str
    title: str
    summary: str
    description: str
    reference: str
    params: type[Parameters]
    analyse: Callable[[Any, Any, Progress], Result]
    labels: tuple[str, ...]
    geometry: tuple[Kind, ...]
    weights: str | None = None
    input: Literal["frame", "table"] = "frame"

    @property
    def task(self) -> str:
        """The task's folder, ``"stars"``."""
        return self.name.partition(".")[0]

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights as their card gives it; None when it needs none or has no usable card."""
        try:
            return None if self.weights is None else read_card(self.weights).sha256
        except WeightsUnavailable:
            return None

    @property
    def is_ready(self) -> bool:
        """Whether it needs no weights or they are present."""
        return self.weights is None or are_present(self.weights)

    def run(
        self,
        frame: Frame | SourceTable,
        params: Parameters | None = None,
        progress: Progress = no_progress,
    ) -> Result:
        """Analyse a frame, or a table where the method takes tables.

        Args:
            frame: The frame or the table.
            params: The method's parameters; its defaults when None.
            progress: Told how far the run is.

        Returns:
            The result with its provenance and its total time. Nothing found is a result.

        Raises:
            ParameterInvalid: ``params`` belong to another method, or it takes the other kind of input.
            WeightsUnavailable: The weights it needs are missing or are not the ones its card describes.
            AlmagestError: The frame cannot be analysed by this method.
        """
        chosen = self.params() if params is None else params
        if not isinstance(chosen, self.params):
            raise ParameterInvalid(
                f"{self.name} takes {self.params.__name__}, got {type(chosen).__name__}.",
                parameter="params",
                given=type(chosen).__name__,
                limit=self.params.__name__,
            )
        given = "frame" if isinstance(frame, Frame) else "table"
        if given != self.input:
            raise ParameterInvalid(
                f"{self.name} takes a {self.input}, got a {given}.",
                parameter="frame",
                given=given,
                limit=self.input,
            )
        weights_sha256 = None if self.weights is None else check_weights(self.weights).sha256
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        start = time.perf_counter()
        result = self.analyse(frame, chosen, progress)
        seconds = time.perf_counter() - start
        provenance = Provenance(
            method=self.name,
            params=chosen.to_dict(),
            **_facts_of(frame),
            weights_sha256=weights_sha256,
            version=core.__version__,
            started_at=started_at,
        )
        return dataclasses.replace(
            result, timings={**result.timings, "total": seconds}, provenance=provenance
        )


def _facts_of(frame: Frame | SourceTable) -> dict[str, Any]:
    """What :class:`Provenance` keeps of the input; a table has no size in pixels."""
    facts = {"frame_name": frame.name, "frame_sha256": frame.sha256, "frame_key": frame.key}
    if isinstance(frame, SourceTable):
        return {**facts, "width": 0, "height": 0}
    own = ("width", "height", "hdu", "plane", "processing")
    return {**facts, **{name: getattr(frame, name) for name in own}}


def methods(task: str | None = None) -> dict[str, Method]:
    """Every method by name, or those of one task, in alphabetical order.

    Raises:
        MethodUnknown: There is no such task.
    """
    if task is not None and task not in TASKS:
        raise MethodUnknown(
            f"There is no task {task!r}; there are: {', '.join(TASKS)}.",
            parameter="task",
            given=task,
            limit=", ".join(TASKS),
        )
    found: dict[str, Method] = {}
    for name in TASKS if task is None else (task,):
        try:
            package = importlib.import_module(f"core.{name}")
        except ModuleNotFoundError as missing:
            if missing.name != f"core.{name}":
                raise  # the task is there, but not a library it needs
            continue
        for file in (file for folder in package.__path__ for file in Path(folder).glob("*.py")):
            if _holds_method(str(file), file.stat().st_mtime_ns):
                method = getattr(importlib.import_module(f"core.{name}.{file.stem}"), "METHOD", None)
                if isinstance(method, Method):
                    found[method.name] = method
    return dict(sorted(found.items()))


@functools.lru_cache(maxsize=256)
def _holds_method(path: str, mtime_ns: int) -> bool:
    """Whether a file says ``METHOD``: importing the others, such as networks, loads torch for nothing."""
    return re.search(r"^METHOD\b", Path(path).read_text(encoding="utf-8"), re.MULTILINE) is not None


def get_method(name: str) -> Method:
    """The method called ``name``.

    Raises:
        MethodUnknown: There is none; the message lists those there are.
    """
    known = methods()
    if name not in known:
        raise MethodUnknown(
            f"There is no method {name!r}; there are: {', '.join(known)}.",
            parameter="method",
            given=name,
            limit=", ".join(known),
        )
    return known[name]
