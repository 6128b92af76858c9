"""What can go wrong, as one small tree of errors that a person can read.

Every error carries one plain sentence, and the name of the parameter, what was given and the limit
where they apply. Pages and the command line show the sentence; neither shows a traceback.
"""

from __future__ import annotations

from typing import Any


class AlmagestError(Exception):
    """Anything Almagest refuses or cannot do, said in one sentence.

    Args:
        message: The sentence for the person: what is wrong and, where possible, what to do.
        parameter: The name of what was wrong, in lower case (``"fwhm_px"``).
        given: The value that was given.
        limit: The bound or the accepted values.
    """

    def __init__(
        self,
        message: str,
        *,
        parameter: str | None = None,
        given: Any = None,
        limit: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.parameter = parameter
        self.given = given
        self.limit = limit


class FrameRejected(AlmagestError):
    """A file is not a frame that can be analysed: damaged, too large, or not an image."""


class ParameterInvalid(AlmagestError):
    """A parameter is unknown, of the wrong type, or out of bounds."""


class MethodUnknown(AlmagestError):
    """No method has this name."""


class WeightsUnavailable(AlmagestError):
    """The weights a method needs are absent or are not the ones its card describes."""


class TableRejected(AlmagestError):
    """A catalogue file cannot be read as a table of sources."""


class CatalogueUnavailable(AlmagestError):
    """A reference catalogue cannot be reached or does not cover the field."""


class ClusterUnavailable(AlmagestError):
    """A cluster to work on does not answer, or what is needed to reach it is not installed."""


class ExportRefused(AlmagestError):
    """A result cannot be written in this format, or not with what is at hand."""


class StoreUnavailable(AlmagestError):
    """The database cannot be opened, read or written."""


class NotAllowed(AlmagestError):
    """The person may not do this."""
