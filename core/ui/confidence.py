"""What methods found at the confidence a person asks for, without running them again.

Methods keep the candidates that were not sure enough. Together with what was found they are one table, of
which the confidence slider shows more or less.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.parameters import canonical_json
from core.results import Detections, Result
from core.ui.methods import method_style, short_title
from core.ui.runs import Analysis
from core.ui.viewer import Layer

UNSURE = "confidence below"
"""How the reason of a candidate begins that only lacked confidence."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """What one method found, and what it was not sure enough of.

    Attributes:
        analysis: The method's run.
        everything: All of it: first the detections, in their own order, then the unsure candidates.
        limit: The method's own limit of confidence, 0 where it has none.
        asked: The confidence a person asks for; None for the method's own limit.
    """

    analysis: Analysis
    everything: Detections
    limit: float
    asked: float | None

    @property
    def title(self) -> str:
        """The method's title, shortened to what stands before its explanation."""
        return short_title(self.analysis.method.title)

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows of :attr:`everything` that are confident enough."""
        least = self.limit if self.asked is None else self.asked
        return np.flatnonzero(self.everything.table["score"].to_numpy(np.float32) >= np.float32(least))

    @property
    def shown(self) -> Detections:
        """Those rows."""
        return self.everything.where(self.rows)

    def layer(self, *, visible: bool = True, lettered: bool = False) -> Layer:
        """All of it as a layer of the viewer, which shows what is confident enough."""
        colour = method_style(self.analysis.method.name)[0]
        return Layer(
            self.title,
            self.everything,
            colour,
            "box",
            visible,
            limit=self.limit if len(self.everything) else None,
            lettered=lettered,
        )


def candidates_of(result: Result) -> tuple[Detections, float]:
    """What a method found with what it was not sure enough of, and its own limit of confidence."""
    found, rejected = result.detections, result.rejected
    reasons = rejected.table.get("reason", pd.Series(dtype=object)).astype(str)
    unsure = rejected.where(reasons.str.startswith(UNSURE).to_numpy(bool)) if len(rejected) else rejected
    limit = float(result.facts.get("confidence_limit", 0.0))
    if not len(unsure):
        return found, limit
    more = unsure.table.drop(columns="reason")
    table = more if not len(found) else pd.concat([found.table, more], ignore_index=True)
    units = {**unsure.units, **found.units}
    return Detections(table, {column: unit for column, unit in units.items() if column in table}), limit


def layers_of(
    found: Sequence[Candidates], *, only: Candidates | None = None, lettered: bool = False
) -> list[Layer]:
    """A layer for each method; where ``only`` one is to be seen, the others wait in the legend."""
    return [each.layer(visible=only is None or each is only, lettered=lettered) for each in found]


def leading(found: Sequence[Candidates]) -> Candidates | None:
    """The first method that found anything at the confidence asked for; else the first; None of none."""
    return next((each for each in found if len(each.shown)), found[0] if found else None)


def run_name(analysis: Analysis) -> str:
    """What tells a run from every other, to cache by."""
    facts = analysis.result.provenance
    return canonical_json([dataclasses.asdict(facts) if facts else None, len(analysis.result.detections)])
