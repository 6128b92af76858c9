"""A method at work in the background, so that the page answers meanwhile.

A page is a script that runs anew at every touch. A method that ran inside it would begin from nothing each
time a person moves a slider; here it goes on, and the next run of the page finds it where it is.
"""

from __future__ import annotations

import threading
import time

from core.catalogues.tables import SourceTable
from core.frames import Frame
from core.methods import Method
from core.parameters import Parameters
from core.results import Result

FORSAKEN_SECONDS = 20.0
"""A run that no page has asked after for so long is stopped: its visitor has gone elsewhere."""


class _StoppedError(BaseException):
    """Ends a run from within its own progress; no method may catch it."""


class Job:
    """A method on a frame, run in a thread of its own from the moment the job is made.

    Attributes:
        done: Fraction done, in [0, 1].
        doing: What is being done, in words.
        result: What it found, once it has.
        error: What went wrong, if anything did.
    """

    def __init__(self, method: Method, frame: Frame | SourceTable, params: Parameters) -> None:
        self.done, self.doing = 0.0, f"{method.title} is looking at the frame"
        self.result: Result | None = None
        self.error: Exception | None = None
        self._asked = time.monotonic()
        self._stopped = False
        self._work = (method, frame, params)
        self._thread = threading.Thread(target=self._run, name=f"almagest {method.name}", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait for its end, at most so long, and let it know that somebody still waits."""
        self._asked = time.monotonic()
        self._thread.join(seconds)

    def stop(self) -> None:
        """Have it end at its next word of progress."""
        self._stopped = True

    def _run(self) -> None:
        method, frame, params = self._work
        try:
            self.result = method.run(frame, params, self._tell)
        except _StoppedError:
            pass
        except Exception as error:
            self.error = error

    def _tell(self, done: float, doing: str) -> None:
        if self._stopped or time.monotonic() - self._asked > FORSAKEN_SECONDS:
            raise _StoppedError
        self.done, self.doing = min(max(done, 0.0), 1.0), doing
