"""The command: look at the pictures, score, merge into the results, and print the tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kept
from benchmarks.kept import code_of, key_of, measured
from benchmarks.surfaces import scores
from benchmarks.surfaces.report import as_markdown, write_readme
from benchmarks.surfaces.sets import Picture, Set, fingerprint, load_sets
from core.errors import AlmagestError
from core.methods import Method, methods
from core.surfaces.kinds import CRATER, SEGMENTS

HERE = Path(__file__).parent
CACHE = kept.CACHE / "surfaces"
RESULTS = HERE.parent / "results" / "surfaces.json"
README = HERE.parent / "README.md"
FORMAT = 1
QUICK = 3
SETS = ("lunar", "themis", "ctx")
CODE = ("surfaces/*.py", "models/*.py", "frames/frame.py", "scoring/matching.py")
DIGITS = 3


def run(
    results: dict[str, Any],
    data: Path,
    *,
    sets: Sequence[str] = SETS,
    names: Sequence[str] | None = None,
    cache: Path = CACHE,
    limit: int | None = None,
) -> dict[str, Any]:
    """Measure, and merge into earlier results; those of pictures that have changed are dropped.

    Args:
        results: Earlier results, or nothing.
        data: Folder of the collections.
        sets: Of :data:`SETS`.
        names: Methods to measure; all that are ready by default.
        cache: Where measurements are kept.
        limit: Only so many pictures a set.
    """
    results = dict(results) if results.get("format") == FORMAT else {"format": FORMAT, "sets": {}}
    known = methods("surfaces")
    chosen = {name: known[name] for name in known if names is None or name in names}
    for name, method in chosen.items():
        if not method.is_ready:
            print(f"{name} takes no part: its weights {method.weights} are not there.", flush=True)
    ready = {name: one for name, one in chosen.items() if one.is_ready}
    there = load_sets(data)
    for name in sets:
        if name not in there:
            print(f"{name} is left out: its collection is not in {data}.", flush=True)
        elif ready:
            results["sets"][name] = measure(
                name, there[name], ready, cache, limit, results["sets"].get(name, {})
            )
    return results


def measure(
    name: str,
    one: Set,
    ready: Mapping[str, Method],
    cache: Path,
    limit: int | None,
    earlier: dict[str, Any],
) -> dict[str, Any]:
    """Figures of a set, those of other methods kept from earlier where the pictures are the same."""
    chosen = (
        list(one.pictures)[:: max(1, len(one.pictures) // limit)][:limit] if limit else list(one.pictures)
    )
    pictures = {each: one.pictures[each]() for each in chosen}
    sha256 = fingerprint(list(pictures.values()))
    figures = dict(earlier.get("methods", {})) if earlier.get("sha256") == sha256 else {}
    for method in ready.values():
        path = cache / f"{method.name}-{key_of(method, code_of(CODE), sha256)}.jsonl"
        lines = measured(
            path,
            chosen,
            lambda each, method=method: look(method, pictures[each], one.least_px),  # type: ignore[misc]
            doing=f"{name}, {method.title}",
        )
        figures[method.name] = summed_up(method, list(lines.values()), pictures)
    true = sum(
        crater.wanted and crater.diameter_px >= one.least_px
        for picture in pictures.values()
        for crater in picture.craters
    )
    return {
        "about": one.about,
        "pictures": len(pictures),
        "craters": int(true),
        "least_px": one.least_px,
        "sha256": sha256,
        "rows": [each["row"] for each in figures.values() if each["row"]],
        "classes": [each["classes"] for each in figures.values() if each["classes"]],
        "methods": figures,
    }


def look(method: Method, picture: Picture, least_px: float) -> kept.Line:
    """What is kept of a picture."""
    try:
        result = method.run(picture.frame)
    except AlmagestError as refusal:
        return {"error": str(refusal)}
    table = result.detections.table
    line: kept.Line = {
        "seconds": round(result.timings["total"], 3),
        "error": " ".join(result.warnings) if not result.maps and not len(table) else "",
    }
    if CRATER in method.labels and "classes" not in result.masks:  # not what only says what a place is
        craters = table[table["label"] == CRATER]
        columns = ["x", "y", "diameter_px", "x_min", "y_min", "x_max", "y_max"]
        found = craters.reindex(columns=columns).to_numpy(float) if len(craters) else np.empty((0, 7))
        found[:, 2] /= 2.0
        line["craters"] = scores.crater_counts(found, picture.craters, picture.grey.shape, least_px)
    if picture.classes is not None and "landforms" in result.masks:
        line["classes"] = scores.confusion(result.masks["landforms"], picture.classes)
    return line


def summed_up(method: Method, lines: Sequence[kept.Line], pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """The figures of a method over a set."""
    looked = [line for line in lines if "seconds" in line]
    seconds = [line["seconds"] for line in looked]
    mpix = [pictures[line["name"]].grey.size / 1e6 for line in looked]
    pace = float(np.sum(seconds) / np.sum(mpix)) if mpix else None
    counts = [line["craters"] for line in looked if "craters" in line]
    found: dict[str, Any] = {"title": method.title, "row": None, "classes": None}
    if counts:
        by_rule = scores.crater_figures([each["deepmoon"] for each in counts])
        by_boxes = scores.crater_figures([each["iou"] for each in counts])
        found["row"] = {
            "method": method.title,
            **_rounded(by_rule),
            "F1, IoU ≥ 0.5": _round(by_boxes["F1"]),
            "refused": sum(bool(line.get("error")) for line in lines),
            "s a Mpx": _round(pace),
        }
        found["by_size"] = scores.recall_by_size([each["deepmoon"] for each in counts])
        suns = sorted({one.incidence_deg for one in pictures.values() if one.incidence_deg is not None})
        found["by_incidence"] = {
            f"{sun:.0f}°": _round(
                scores.crater_figures(
                    [
                        line["craters"]["deepmoon"]
                        for line in looked
                        if "craters" in line and pictures[line["name"]].incidence_deg == sun
                    ]
                )["F1"]
            )
            for sun in suns
        }
    tables = [line["classes"] for line in looked if "classes" in line]
    if tables:
        total = np.sum(tables, axis=0)
        found["classes"] = {"method": method.title, **_rounded(scores.class_figures(total))}
        found["confusion"] = {"rows": SEGMENTS, "columns": ("unsure", *SEGMENTS), "places": total.tolist()}
    return found


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: _round(value) for name, value in figures.items()}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results and the tables of the README."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surfaces", description=__doc__)
    known = methods("surfaces")
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="SET")
    parser.add_argument("--methods", nargs="+", choices=known, default=list(known), metavar="METHOD")
    parser.add_argument("--quick", action="store_true", help="few pictures; prints, writes only to --out")
    parser.add_argument("--limit", type=int, help="only so many pictures a set; writes only to --out")
    parser.add_argument("--out", type=Path, help="results file to merge into instead of the project's")
    options = parser.parse_args(arguments)
    limit = options.limit or (QUICK if options.quick else None)
    out = options.out or (None if limit else RESULTS)
    earlier = json.loads(out.read_text(encoding="utf-8")) if out is not None and out.exists() else {}
    results = run(earlier, options.data, sets=options.sets, names=options.methods, limit=limit)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if out == RESULTS:
        write_readme(README, results)
    print(as_markdown(results))


if __name__ == "__main__":
    main()
