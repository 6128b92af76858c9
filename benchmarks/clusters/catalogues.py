"""Methods of tables on real cones with moved clusters: which they find, with which members and core."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clusters import cones
from benchmarks.kept import ROOT, Line, code_of, key_of, measured
from core.clusters.structure import structure
from core.clusters.table import project, star_table
from core.methods import Method
from core.scoring.detection import Score
from core.scoring.intervals import wilson_interval
from core.scoring.pooled import pooled

CODE = ("clusters/*.py", "catalogues/tables.py")
LEAST_F1 = 0.5
"""Of members, from which on an injected cluster counts as found."""
NUMBER_EDGES = (0, 50, 100, 200, np.inf)
FEWEST_FOR_MEMBERS, FEWEST_FOR_KING = 100, 200
LARGE_ROWS, HUGE_ROWS = 100_000, 1_000_000
_TIMED = """
import re, sys, time
import numpy as np
import pandas as pd
from core.catalogues.tables import SourceTable
from core.methods import get_method
rows = int(sys.argv[2])
rng = np.random.default_rng(0)
mag = np.maximum(19.0 + np.log10(rng.random(rows)) / 0.3, 8.0)
near = rng.random(rows) < 0.4
pm = np.where(near[:, None], rng.normal([-1, -3], 6.0, (rows, 2)), rng.normal([-1.5, -1], 2.0, (rows, 2)))
place = np.column_stack([rng.uniform(-1, 1, rows), rng.uniform(-1, 1, rows)])
parallax = 0.1 + rng.exponential(np.where(near, 0.9, 0.3))
for number in range(5):
    own = slice(number * 300, number * 300 + 300)
    place[own] = rng.uniform(-0.8, 0.8, 2) + rng.normal(0, 0.05, (300, 2))
    pm[own], parallax[own] = rng.normal([-1, -1], 3.0) + rng.normal(0, 0.15, (300, 2)), rng.uniform(0.5, 2)
error = np.interp(mag, [0, 15, 17, 18, 19], [0.02, 0.03, 0.08, 0.14, 0.27])
table = pd.DataFrame({
    "ra": 120.0 + place[:, 0], "dec": place[:, 1],
    "pmra": pm[:, 0] + rng.normal(0, error), "pmdec": pm[:, 1] + rng.normal(0, error), "pmra_error": error,
    "pmdec_error": error, "parallax": parallax + rng.normal(0, error), "parallax_error": error, "g": mag,
})
source = SourceTable.from_frame(table)
start = time.perf_counter(), time.process_time()
found = get_method(sys.argv[1]).run(source)
wall, used = time.perf_counter() - start[0], time.process_time() - start[1]
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(wall, used, int(peak) / 1024, len(found.detections))
"""


def run(
    methods: Mapping[str, Method],
    folder: Path,
    cache: Path,
    limit: int | None,
    earlier: Mapping[str, Any],
) -> dict[str, Any]:
    """Measure methods of tables, and merge into earlier results of the same tables."""
    n_full, n_empty = (n if limit is None else min(limit, n) for n in (cones.N_INJECTED, cones.N_EMPTY))
    skies = [cones.injected(folder, number) for number in range(n_full)]
    skies += [cones.empty(folder, number) for number in range(n_empty)]
    poor = [*skies[: min(n_full, cones.N_WITHOUT_PARALLAX)], *skies[n_full:]]
    poor = [cones.without_parallax(sky) for sky in poor]
    sha256 = cones.fingerprint([*skies, *poor])
    named = {sky.name: sky for sky in (*skies, *poor)}
    known = dict(earlier.get("methods", {})) if earlier.get("sha256") == sha256 else {}
    for method in methods.values():
        key = key_of(method, code_of(CODE), sha256)
        lines = measured(
            cache / f"{method.name}-{key}.jsonl",
            list(named),
            lambda name, one=method: run_one(one, named[name], folder),
            doing=method.name,
        )
        costs = measured(
            cache / f"{method.name}-{key}-cost.jsonl",
            [str(LARGE_ROWS), str(HUGE_ROWS)],
            lambda rows, one=method: cost(one, int(rows)),
            doing=f"{method.name}, large tables",
        )
        known[method.name] = {
            "title": method.title,
            **figures([lines[sky.name] for sky in skies]),
            "without_parallax": figures([lines[sky.name] for sky in poor]),
            "cost": costs,
        }
    return {
        "about": f"{n_full} clusters of real members moved into {len(cones.CONES)} real cones",
        "tables": len(skies),
        "empty": n_empty,
        "sha256": sha256,
        "rows": [row(one["title"], one) for _, one in sorted(known.items())],
        "methods": dict(sorted(known.items())),
    }


def run_one(method: Method, sky: cones.Sky, folder: Path) -> Line:
    """One table: how well the injected cluster's members are told, what else is found, and its structure."""
    result = method.run(sky.source)
    cluster = result.members["cluster"].to_numpy()  # type: ignore[attr-defined]
    probability = result.members["probability"].to_numpy(float)  # type: ignore[attr-defined]
    n = int(sky.is_member.sum())
    best, score = -1, 0.0
    for number in range(len(result.detections)):
        own = cluster == number
        f1 = 2.0 * float((own & sky.is_member).sum()) / max(int(own.sum()) + n, 1)
        best, score = (number, f1) if f1 > score else (best, score)
    false = 0
    for number, one in result.detections.table.iterrows():
        motion = (float(one.get("pm_ra_mas_yr", np.nan)), float(one.get("pm_dec_mas_yr", np.nan)))
        counted = number != best or score < LEAST_F1
        false += int(counted and not cones.is_known(folder, one["ra_deg"], one["dec_deg"], motion))
    line: Line = {
        "n": n,
        "f1": score,
        "false": false,
        "known": len(result.detections) - false - int(score >= LEAST_F1),
        "seconds": round(float(result.timings["total"]), 3),
        "king": None,
    }
    if sky.core is not None and score >= LEAST_F1 and n >= FEWEST_FOR_MEMBERS:
        stars = star_table(sky.source)
        measure = structure(stars, np.where(cluster == best, probability, 0.0)[stars.row])
        king = measure.king
        away = project(np.array([measure.centre_deg]), sky.centre_deg or (0.0, 0.0))[0]
        line["king"] = {
            "ok": king.ok,
            "reason": king.reason,
            "true": sky.core,
            "core": [king.core.value, king.core.low, king.core.high] if king.ok else None,
            "off": float(np.hypot(*away)) / sky.core,
        }
    return line


def figures(lines: Sequence[Line]) -> dict[str, Any]:
    """All that is measured of a method."""
    full = [line for line in lines if not line["name"].startswith("empty")]
    bare = [line for line in lines if line["name"].startswith("empty")]
    scores = [Score(int(line["f1"] >= LEAST_F1), line["false"], int(line["f1"] < LEAST_F1)) for line in full]
    whole = pooled([*scores, *(Score(0, line["false"], 0) for line in bare)])
    rich = [line["f1"] for line in full if line["n"] >= FEWEST_FOR_MEMBERS and line["f1"] >= LEAST_F1]
    false = sum(line["false"] > 0 for line in bare)
    by_number = []
    for low, high in itertools.pairwise(NUMBER_EDGES):
        inside = [line["f1"] for line in full if low <= line["n"] < high]
        hits = [f1 for f1 in inside if f1 >= LEAST_F1]
        by_number.append(
            {
                "low": low,
                "high": high if np.isfinite(high) else None,
                "clusters": len(inside),
                "recall": len(hits) / len(inside) if inside else None,
                "member_f1": float(np.median(hits)) if hits else None,
            }
        )
    return {
        "recall": whole.recall,
        "recall_interval": list(whole.recall_interval),
        "precision": whole.precision,
        "precision_interval": list(whole.precision_interval),
        "f1": whole.f1,
        "member_f1": float(np.median(rich)) if rich else None,
        "member_f1_low": float(np.quantile(rich, 0.1)) if rich else None,
        "by_number": by_number,
        "king": _king([line["king"] for line in full if line["king"] and line["n"] >= FEWEST_FOR_KING]),
        "empty": len(bare),
        "empty_with_false": false / len(bare) if bare else None,
        "empty_interval": [float(end) for end in wilson_interval(false, len(bare))] if bare else None,
        "seconds": float(np.median([line["seconds"] for line in lines])) if lines else None,
    }


def row(title: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that fit a line."""
    king, large = one["king"], one["cost"][str(LARGE_ROWS)]
    return {
        "method": title,
        "recall": round(one["recall"], 3),
        "precision": round(one["precision"], 3),
        "member F1, N ≥ 100": one["member_f1"] and round(one["member_f1"], 3),
        "King core bias, N ≥ 200": king["bias"] and round(king["bias"], 3),
        "its scatter": king["scatter"] and round(king["scatter"], 3),
        "68 % intervals that cover": king["coverage"] and round(king["coverage"], 3),
        "fits that hold": f"{king['fitted']} of {king['clusters']}",
        "empty cones with a cluster": one["empty_with_false"],
        "recall without parallax": round(one["without_parallax"]["recall"], 3),
        "empty cones with a cluster, without parallax": one["without_parallax"]["empty_with_false"],
        "100,000 stars, s": round(large["seconds"], 1),
        "10⁶ rows, s": round(one["cost"][str(HUGE_ROWS)]["seconds"], 1),
        "and MB": round(one["cost"][str(HUGE_ROWS)]["peak_mb"]),
    }


def cost(method: Method, rows: int) -> Line:
    """Time and peak memory of a fresh process that analyses a table of so many stars with five clusters."""
    command = [sys.executable, "-c", _TIMED, method.name, str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    wall, used, peak, found = map(float, re.findall(r"[\d.e+-]+", done.stdout.splitlines()[-1]))
    return {"seconds": wall, "processor_seconds": used, "peak_mb": peak, "clusters": int(found)}


def _king(fits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Bias of the core radius in the median of its ratios, its scatter, and coverage of the intervals."""
    held = [fit for fit in fits if fit["ok"]]
    ratio = np.array([fit["core"][0] / fit["true"] for fit in held])
    covers = [fit["core"][1] <= fit["true"] <= fit["core"][2] for fit in held]
    known = bool(held)
    return {
        "clusters": len(fits),
        "fitted": len(held),
        "bias": float(np.median(ratio) - 1.0) if known else None,
        "scatter": float(np.std(np.log(ratio))) if known else None,
        "coverage": float(np.mean(covers)) if known else None,
        "coverage_interval": [float(e) for e in wilson_interval(sum(covers), len(covers))] if known else None,
    }
