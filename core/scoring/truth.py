"""Detections against the known truth of a simulated frame: by signal-to-noise ratio and by magnitude."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ParameterInvalid
from core.results import Detections
from core.scoring.completeness import CompletenessCurve, completeness_curve
from core.scoring.detection import Score, score_points
from core.scoring.intervals import wilson_interval
from core.scoring.matching import Indices, match_points

Floats = NDArray[np.float64]

SNR_CUTS = (3.0, 5.0, 10.0)
"""Signal-to-noise ratios at and above which detections are usually scored."""
SNR_EDGES = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, np.inf)
"""Edges of the bins of signal-to-noise ratio."""
LEAST_SNR = 1.0
"""A true object below this excuses no detection: a crowded field has one of them near every place."""
MAGNITUDE_BIN = 0.5


@dataclass(frozen=True)
class SnrBin:
    """What became of the true objects of a range of signal-to-noise ratios.

    Attributes:
        low, high: The range: ``low`` belongs to it, ``high`` does not.
        n_truth, n_found: True objects, and those of them that were found.
        n_false: Detections of nothing whose own ``snr`` is in the range; None when the detections have none.
        offset_rms_px: Root mean square of the offset from the truth along an axis, in pixels; NaN when
            nothing was found.
    """

    low: float
    high: float
    n_truth: int
    n_found: int
    n_false: int | None
    offset_rms_px: float

    @property
    def recall(self) -> float:
        """Fraction found; NaN in an empty bin."""
        return self.n_found / self.n_truth if self.n_truth else np.nan

    @property
    def recall_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the recall; (0, 1) in an empty bin."""
        low, high = wilson_interval(self.n_found, self.n_truth)
        return float(low), float(high)

    @property
    def f1(self) -> float | None:
        """F1 of the range; None when the detections say no SNR, NaN when there is nothing in it."""
        if self.n_false is None:
            return None
        total = self.n_truth + self.n_found + self.n_false
        return 2 * self.n_found / total if total else np.nan


@dataclass(frozen=True, eq=False)
class TruthScore:
    """How detections compare with the truth.

    Attributes:
        at_snr: Precision, recall and F1 at and above each cut of signal-to-noise ratio; true objects under
            the cut are neither hit nor miss, down to :data:`LEAST_SNR`.
        snr_bins: Range by range; brighter true objects take their detections first.
        completeness: The fraction found against magnitude, with m50 and m90; None when no magnitude is
            known.
        truth_index, found_index: ``(K,)`` rows of the truth and of the detections that belong together.
        only_truth, only_found: Rows of the truth that was missed, and of the detections of nothing.
    """

    at_snr: Mapping[float, Score]
    snr_bins: tuple[SnrBin, ...]
    completeness: CompletenessCurve | None
    truth_index: Indices
    found_index: Indices
    only_truth: Indices
    only_found: Indices

    @property
    def m50(self) -> float | None:
        """Magnitude at which half is found, or None."""
        return None if self.completeness is None else self.completeness.m50

    @property
    def m90(self) -> float | None:
        """Magnitude at which nine in ten are found, or None."""
        return None if self.completeness is None else self.completeness.m90


def score_against_truth(
    detections: Detections,
    truth: Detections,
    *,
    radius_px: float = 2.0,
    snr_cut: float | Sequence[float] = SNR_CUTS,
    label: str = "star",
    snr_edges: Sequence[float] = SNR_EDGES,
) -> TruthScore:
    """Score detections of one kind of object by their positions.

    Args:
        detections: What was found; all of it is scored, whatever its labels.
        truth: What is there, with a column ``snr`` and, for the completeness, ``mag``.
        radius_px: Largest distance between a true object and its detection, in pixels.
        snr_cut: Cut or cuts of the truth's signal-to-noise ratio for precision, recall and F1.
        label: Only true objects of this label count; a detection of another kind of object is false.
        snr_edges: Edges of the bins of signal-to-noise ratio, in growing order.

    Raises:
        ParameterInvalid: The truth has no ``snr``, the edges do not grow, or the radius is not positive.
    """
    edges = np.asarray(snr_edges, float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ParameterInvalid(
            f"snr_edges must be two or more growing numbers, got {snr_edges!r}.",
            parameter="snr_edges",
            given=snr_edges,
            limit="growing",
        )
    if "snr" not in truth.table.columns:
        raise ParameterInvalid(
            "The truth must have a column snr to be scored against.",
            parameter="truth",
            given=list(truth.table.columns),
            limit="snr",
        )
    rows = np.flatnonzero((truth.table["label"] == label).to_numpy())
    wanted = truth.table.iloc[rows]
    truth_xy, snr = wanted[["x", "y"]].to_numpy(float), _numbers(wanted, "snr")
    cuts = [float(cut) for cut in np.atleast_1d(snr_cut)]
    faint = {cut: ~(snr >= cut) & ~(snr < LEAST_SNR) for cut in cuts}
    truth_index, found_index = _brightest_first(truth_xy, snr, detections.xy, radius_px, edges)
    is_found = np.zeros(len(rows), bool)
    is_found[truth_index] = True
    only_found = np.setdiff1d(np.arange(len(detections)), found_index)
    offset = detections.xy[found_index] - truth_xy[truth_index]
    found_snr = _numbers(detections.table, "snr")
    return TruthScore(
        at_snr={
            cut: score_points(truth_xy[snr >= cut], detections.xy, radius_px, truth_xy[faint[cut]])
            for cut in cuts
        },
        snr_bins=tuple(
            _bin(low, high, snr, is_found, snr[truth_index], offset, found_snr[only_found])
            for low, high in itertools.pairwise(edges)
        ),
        completeness=_completeness(_numbers(wanted, "mag"), is_found),
        truth_index=rows[truth_index],
        found_index=found_index,
        only_truth=rows[~is_found],
        only_found=only_found,
    )


def _numbers(table: pd.DataFrame, column: str) -> Floats:
    """A column as ``(N,)`` numbers; NaN when it is not there."""
    if column not in table.columns:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(float, na_value=np.nan)


def _brightest_first(
    truth_xy: Floats, snr: Floats, found_xy: Floats, radius_px: float, edges: Floats
) -> tuple[Indices, Indices]:
    """Pairs of rows, matched bin by bin from the brightest.

    In one step a star of the noise could take the detection of a bright neighbour.
    """
    tier = np.searchsorted(edges, np.nan_to_num(snr, nan=-np.inf), side="right")
    free = np.arange(len(found_xy))
    truths, founds = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for level in np.unique(tier)[::-1]:
        members = np.flatnonzero(tier == level)
        matches = match_points(truth_xy[members], found_xy[free], radius_px)
        truths.append(members[matches.truth_index])
        founds.append(free[matches.found_index])
        free = free[matches.only_found]
    return np.concatenate(truths), np.concatenate(founds)


def _bin(
    low: float,
    high: float,
    snr: Floats,
    is_found: NDArray[np.bool_],
    matched_snr: Floats,
    offset: Floats,
    false_snr: Floats,
) -> SnrBin:
    inside = (snr >= low) & (snr < high)
    own = offset[(matched_snr >= low) & (matched_snr < high)]
    says_snr = bool(np.isfinite(false_snr).all())
    return SnrBin(
        low=float(low),
        high=float(high),
        n_truth=int(inside.sum()),
        n_found=int(is_found[inside].sum()),
        n_false=int(((false_snr >= low) & (false_snr < high)).sum()) if says_snr else None,
        offset_rms_px=float(np.sqrt(np.mean(own**2))) if len(own) else np.nan,
    )


def _completeness(magnitude: Floats, is_found: NDArray[np.bool_]) -> CompletenessCurve | None:
    known = magnitude[np.isfinite(magnitude)]
    if not len(known):
        return None
    low, high = np.floor(known.min() / MAGNITUDE_BIN), np.floor(known.max() / MAGNITUDE_BIN) + 1
    return completeness_curve(magnitude, is_found, np.arange(low, high + 0.5) * MAGNITUDE_BIN)
