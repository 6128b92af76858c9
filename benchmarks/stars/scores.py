"""Choosing a rival's threshold on validation frames, and scoring it on test frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.stars.example import Example, Floats
from benchmarks.stars.rivals import Rival, Setting, View
from core.results import Detections
from core.scoring.detection import Score, score_points
from core.scoring.intervals import wilson_interval
from core.scoring.truth import score_against_truth

SNR_CUTS = (0.0, 3.0, 5.0, 10.0)
"""0 is no cut: every star counts, also those no one could see."""
SNR_EDGES = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, np.inf)
MATCH_PX = 2.0
SNR_CUT_OF_BINS = 3.0
"""Ranges of SNR and of magnitude are scored at the threshold that is best for SNR ≥ 3."""
BOOTSTRAPS = 500

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """The best setting for a cut, and what it reached on the validation frames."""

    setting: Setting
    validation_f1: float


def key(cut: float) -> str:
    """A cut as results name it: ``"none"``, ``"3"``, ``"5"``, ``"10"``."""
    return f"{cut:g}" if cut else "none"


def counts(example: Example, places: Floats, cut: float) -> Score:
    """Hits, false detections and misses of a frame; true stars under the cut are neither hit nor miss."""
    wanted = example.snr >= cut
    return score_points(example.xy[wanted], places, MATCH_PX, example.xy[~wanted])


def choose(rival: Rival, examples: Sequence[Example], views: Sequence[View]) -> dict[str, Choice]:
    """For each cut the setting with the greatest F1 over all validation frames together."""
    totals: dict[Setting, Counts] = {}
    for example, view in zip(examples, views, strict=True):
        for setting, places in rival.sweep(view).items():
            own = np.array([_row(counts(example, places, cut)) for cut in SNR_CUTS])
            totals[setting] = totals.get(setting, np.zeros_like(own)) + own
    chosen = {}
    for i, cut in enumerate(SNR_CUTS):
        f1 = {setting: float(_f1(total[i])) for setting, total in totals.items()}
        best = max(f1, key=lambda setting: f1[setting])
        chosen[key(cut)] = Choice(best, f1[best])
    return chosen


def measure(
    rival: Rival, choices: Mapping[str, Choice], examples: Sequence[Example], views: Sequence[View]
) -> dict[str, Any]:
    """Everything about a rival on the test frames of a set, as plain values.

    Counts of all frames are added up before fractions are taken; ``f1_error`` is the standard deviation of
    F1 over bootstraps of the frames.
    """
    thresholds = sorted({choice.setting.threshold for choice in choices.values()})
    found = [rival.sweep(view, thresholds) for view in views]
    megapixels = sum(example.megapixels for example in examples)
    at = {}
    for cut in SNR_CUTS:
        choice = choices[key(cut)]
        frames = np.array(
            [
                _row(counts(example, places[choice.setting], cut))
                for example, places in zip(examples, found, strict=True)
            ]
        )
        hits, false, missed = (int(n) for n in frames.sum(axis=0))
        score = Score(hits, false, missed)
        at[key(cut)] = {
            "threshold": choice.setting.threshold,
            "cuts": choice.setting.cuts,
            "validation_f1": choice.validation_f1,
            "f1": score.f1,
            "f1_error": _bootstrap(frames),
            "precision": score.precision,
            "precision_interval": score.precision_interval,
            "recall": score.recall,
            "recall_interval": score.recall_interval,
            "found": hits,
            "false": false,
            "missed": missed,
            "false_per_mpx": false / megapixels,
        }
    setting = choices[key(SNR_CUT_OF_BINS)].setting
    return {"at": at, **_ranges(examples, views, [places[setting] for places in found])}


def _ranges(examples: Sequence[Example], views: Sequence[View], places: Sequence[Floats]) -> dict[str, Any]:
    """Bins of SNR and of magnitude, all frames laid side by side as one."""
    truths, detections, shift = [], [], 0.0
    for example, view, xy in zip(examples, views, places, strict=True):
        truths.append(example.truth.table.assign(x=example.xy[:, 0] + shift))
        last = np.array(view.filtered.shape[::-1]) - 1
        column, row = np.clip(np.rint(xy).astype(int), 0, last).T
        snr = np.maximum(view.filtered[row, column], 0.0)
        detections.append(
            pd.DataFrame({"label": "star", "score": 1.0, "x": xy[:, 0] + shift, "y": xy[:, 1], "snr": snr})
        )
        shift += view.frame.width + 1000.0
    score = score_against_truth(
        Detections(pd.concat(detections, ignore_index=True)),
        Detections(pd.concat(truths, ignore_index=True)),
        radius_px=MATCH_PX,
        snr_cut=SNR_CUT_OF_BINS,
        snr_edges=SNR_EDGES,
    )
    bins = [
        {
            "low": each.low,
            "high": each.high if np.isfinite(each.high) else None,
            "truth": each.n_truth,
            "found": each.n_found,
            "false": each.n_false,
            "recall": _number(each.recall),
            "recall_interval": each.recall_interval,
            "f1": _number(each.f1),
            "offset_rms_px": _number(each.offset_rms_px),
        }
        for each in score.snr_bins
    ]
    curve = score.completeness
    magnitudes = None
    if curve is not None:
        magnitudes = {
            "mag": curve.magnitude.tolist(),
            "truth": curve.n_truth.tolist(),
            "found": curve.n_found.tolist(),
            "completeness": [_number(value) for value in curve.completeness],
            "low": curve.low.tolist(),
            "high": curve.high.tolist(),
            "m50": curve.m50,
            "m90": curve.m90,
        }
    return {"snr_bins": bins, "completeness": magnitudes}


def on_blank(
    rival: Rival, settings: Mapping[str, Setting], views: Sequence[View]
) -> dict[str, dict[str, Any]]:
    """False detections per megapixel of empty sky: frames without and with a gradient and hot pixels."""
    thresholds = sorted({setting.threshold for setting in settings.values()})
    n = {name: np.zeros(len(views), int) for name in settings}
    for i, view in enumerate(views):
        found = rival.sweep(view, thresholds)
        for name, setting in settings.items():
            n[name][i] = len(found[setting])
    area = np.array([view.frame.grey.size / 1e6 for view in views])
    even = np.arange(len(views)) % 2 == 0
    return {
        name: {
            "threshold": setting.threshold,
            "cuts": setting.cuts,
            "megapixels": float(area.sum()),
            "false": int(n[name].sum()),
            "false_per_mpx": float(n[name].sum() / area.sum()),
            "error": float(np.sqrt(max(n[name].sum(), 1)) / area.sum()),
            "plain_per_mpx": float(n[name][even].sum() / max(area[even].sum(), 1e-9)),
            "spoilt_per_mpx": float(n[name][~even].sum() / max(area[~even].sum(), 1e-9)),
        }
        for name, setting in settings.items()
    }


def recovered(injected_snr: Floats, is_found: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Fraction of injected stars found, by SNR, with Wilson intervals."""
    rows = []
    for low, high in ((3.0, 5.0), (5.0, 10.0), (10.0, 30.0), (30.0, 100.0)):
        inside = (injected_snr >= low) & (injected_snr < high)
        n, hits = int(inside.sum()), int(is_found[inside].sum())
        below, above = wilson_interval(hits, n)
        rows.append(
            {"low": low, "high": high, "truth": n, "found": hits, "interval": (float(below), float(above))}
        )
    return rows


def _row(score: Score) -> tuple[int, int, int]:
    return score.true_positives, score.false_positives, score.false_negatives


def _f1(total: Counts) -> NDArray[np.float64]:
    """F1 of ``(..., 3)`` hits, false and missed; 1 where there was nothing at all."""
    hits, false, missed = total[..., 0], total[..., 1], total[..., 2]
    whole = 2 * hits + false + missed
    return np.asarray(np.divide(2 * hits, whole, out=np.ones(whole.shape), where=whole > 0))


def _bootstrap(frames: Counts) -> float:
    """Standard deviation of F1 over frames drawn again with replacement; ``(F, 3)`` counts."""
    rng = np.random.default_rng(1)
    picks = rng.integers(0, len(frames), (BOOTSTRAPS, len(frames)))
    return float(np.std(_f1(frames[picks].sum(axis=1))))


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
