"""The command: read or draw, run, score, merge into the results, and print the tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.dso import painting, sets
from benchmarks.dso.report import as_markdown, write_readme
from benchmarks.dso.runs import found_on, peak_mb
from benchmarks.dso.scores import figures, map_rows, row
from core.methods import Method, methods

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "dso.json"
README = HERE.parent / "README.md"
FORMAT = 1
QUICK_PICTURES = 4
LIKENESS_SET = "scenes"


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        sets: Names of sets, and ``"likeness"``.
        methods: That are ready, by name.
        data: Folder of the photographs, or None.
        cache: Where scenes and what methods gave are kept.
        limit: Only so many pictures of each set, or None.
    """

    sets: Sequence[str]
    methods: Mapping[str, Method]
    data: Path | None = None
    cache: Path = sets.CACHE
    limit: int | None = None


def run(
    plan: Plan, results: dict[str, Any], save: Callable[[dict[str, Any]], None] = lambda results: None
) -> dict[str, Any]:
    """Measure, and merge into earlier results; those of a set whose pictures have changed are dropped.

    Args:
        plan: What to measure.
        results: Earlier results, or nothing.
        save: Given the results after each method on each set.
    """
    results = results if results.get("format") == FORMAT else {"format": FORMAT, "sets": {}}
    for name, dso_set in sets.SETS.items():
        if name not in plan.sets and not ("likeness" in plan.sets and name == LIKENESS_SET):
            continue
        examples = _some(dso_set.load(plan.data, plan.cache), plan.limit)
        sha256 = sets.fingerprint(examples)
        if name in plan.sets:
            earlier = results["sets"].get(name, {})
            measured = dict(earlier["methods"]) if earlier.get("sha256") == sha256 else {}
            for method in plan.methods.values():
                found = found_on(method, examples, plan.cache, sha256)
                memory = peak_mb(method, max(examples, key=lambda one: one.picture.size))
                measured[method.name] = {
                    "title": method.title,
                    "weights_sha256": method.weights_sha256,
                    **figures(examples, found, method.labels),
                    "peak_mb": memory,
                }
                results["sets"][name] = _set(dso_set.about, examples, sha256, measured)
                save(results)
        if "likeness" in plan.sets and name == LIKENESS_SET and painting.is_ready():
            results["likeness"] = _likeness(painting.measure(examples, plan.cache, sha256), name)
            save(results)
    results["sets"] = {name: results["sets"][name] for name in sets.SETS if name in results["sets"]}
    return results


def _some(examples: list[sets.Example], limit: int | None) -> list[sets.Example]:
    """So many of them, evenly spread."""
    if limit is None or limit >= len(examples):
        return examples
    return [examples[i * len(examples) // limit] for i in range(limit)]


def _set(
    about: str, examples: Sequence[sets.Example], sha256: str, measured: dict[str, Any]
) -> dict[str, Any]:
    ordered = dict(sorted(measured.items()))
    return {
        "about": about,
        "frames": len(examples),
        "objects": sum(len(one.boxes) for one in examples),
        "empty": sum(not len(one.boxes) and not len(one.ignore) for one in examples),
        "sha256": sha256,
        "rows": [row(one["title"], one) for one in ordered.values()],
        "maps": [line for one in ordered.values() for line in map_rows(one["title"], one)],
        "methods": ordered,
    }


def _likeness(measured: dict[str, Any], name: str) -> dict[str, Any]:
    rows = [
        painting.row_of(which, one, measured["seconds"].get(which))
        for which, one in measured["likeness"].items()
    ]
    return {"set": name, "rows": rows, **measured}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results and the tables of the README."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dso", description=__doc__)
    parts, known = (*sets.SETS, "likeness"), methods("dso")
    parser.add_argument("--sets", nargs="+", choices=parts, default=list(parts), metavar="SET")
    parser.add_argument("--methods", nargs="+", choices=known, default=list(known), metavar="METHOD")
    parser.add_argument("--data", type=Path, help="folder of the photographs; needed by most sets")
    parser.add_argument("--quick", action="store_true", help="few pictures; prints, and writes only to --out")
    parser.add_argument("--limit", type=int, help="only so many pictures of a set; writes only to --out")
    parser.add_argument("--out", type=Path, help="results file to merge into instead of the project's")
    options = parser.parse_args(arguments)
    limit = options.limit or (QUICK_PICTURES if options.quick else None)
    out = options.out or (None if limit else RESULTS)
    chosen = {name: known[name] for name in options.methods}
    for name, method in chosen.items():
        if not method.is_ready:
            print(f"{name} takes no part: its weights {method.weights} are not there.", flush=True)
    ready = {name: method for name, method in chosen.items() if method.is_ready}
    earlier = json.loads(out.read_text(encoding="utf-8")) if out is not None and out.exists() else {}

    def save(results: dict[str, Any]) -> None:
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    plan = Plan(options.sets, ready, options.data, limit=limit)
    results = run(plan, earlier, save)
    save(results)
    if out == RESULTS:
        write_readme(README, results)
    print(as_markdown(results))


if __name__ == "__main__":
    main()
