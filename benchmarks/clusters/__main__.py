"""The command: inject, run, score, merge into the results, and print the tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import kept
from benchmarks.clusters import catalogues, images
from benchmarks.clusters.report import as_markdown, write_readme
from core.methods import methods

HERE = Path(__file__).parent
CACHE = kept.CACHE / "clusters"
RESULTS = HERE.parent / "results" / "clusters.json"
README = HERE.parent / "README.md"
FORMAT = 1
QUICK = 6
HALVES = {"images": "frame", "catalogues": "table"}
"""The halves of the benchmark, and what their methods take."""


def run(
    results: dict[str, Any],
    *,
    halves: Sequence[str] = tuple(HALVES),
    names: Sequence[str] | None = None,
    data: Path | None = None,
    cache: Path = CACHE,
    limit: int | None = None,
) -> dict[str, Any]:
    """Measure, and merge into earlier results; those of injections that have changed are dropped.

    Args:
        results: Earlier results, or nothing.
        halves: Of :data:`HALVES`.
        names: Methods to measure; all that are ready by default.
        data: Folder that holds ``clusters_gaia``; without it the catalogues are left out.
        cache: Where measurements are kept.
        limit: Only so many injections.
    """
    results = dict(results) if results.get("format") == FORMAT else {"format": FORMAT}
    known = methods("clusters")
    chosen = {name: known[name] for name in known if names is None or name in names}
    for name, method in chosen.items():
        if not method.is_ready:
            print(f"{name} takes no part: its weights {method.weights} are not there.", flush=True)
    for half, takes in HALVES.items():
        ready = {name: one for name, one in chosen.items() if one.is_ready and one.input == takes}
        if half not in halves or not ready:
            continue
        if half == "images":
            results[half] = images.run(ready, cache, limit, results.get(half, {}))
        elif data is None:
            print("The catalogues are left out: they need --data, a folder that holds clusters_gaia.")
        else:
            folder = data / "clusters_gaia"
            results[half] = catalogues.run(ready, folder, cache, limit, results.get(half, {}))
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results and the tables of the README."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clusters", description=__doc__)
    known = methods("clusters")
    parser.add_argument("--halves", nargs="+", choices=HALVES, default=list(HALVES), metavar="HALF")
    parser.add_argument("--methods", nargs="+", choices=known, default=list(known), metavar="METHOD")
    parser.add_argument("--data", type=Path, help="folder that holds clusters_gaia; the catalogues need it")
    parser.add_argument("--quick", action="store_true", help="few injections; prints, writes only to --out")
    parser.add_argument("--limit", type=int, help="only so many injections of a half; writes only to --out")
    parser.add_argument("--out", type=Path, help="results file to merge into instead of the project's")
    options = parser.parse_args(arguments)
    limit = options.limit or (QUICK if options.quick else None)
    out = options.out or (None if limit else RESULTS)
    earlier = json.loads(out.read_text(encoding="utf-8")) if out is not None and out.exists() else {}
    results = run(earlier, halves=options.halves, names=options.methods, data=options.data, limit=limit)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if out == RESULTS:
        write_readme(README, results)
    print(as_markdown(results))


if __name__ == "__main__":
    main()
