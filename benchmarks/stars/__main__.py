"""The command: draw, choose thresholds, score, merge into the results, and print the tables."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stars import cost, real, sets
from benchmarks.stars.report import BLANK, as_markdown, write_readme
from benchmarks.stars.rivals import Rival, Setting, View, rivals
from benchmarks.stars.scores import choose, measure, on_blank

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "stars.json"
README = HERE.parent / "README.md"
FORMAT = 2
QUICK_FRAMES, QUICK_REPEATS, REPEATS = 2, 3, 9
THRESHOLDS_FROM = "typical"
"""The set whose validation frames give the thresholds for frames that have no truth."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        parts: Names of sets, and ``"real"`` and ``"cost"``.
        chosen: The rivals.
        quick: Few frames and few repeats.
        data: Folder with an image and its catalogue, or None.
        cache: Where frames are kept.
    """

    parts: Sequence[str]
    chosen: Mapping[str, Rival]
    quick: bool = False
    data: Path | None = None
    cache: Path = sets.CACHE


def run(
    plan: Plan, results: dict[str, Any], save: Callable[[dict[str, Any]], None] = lambda results: None
) -> dict[str, Any]:
    """Measure, and merge into earlier results; those of a set whose truth has changed are dropped.

    Args:
        plan: What to measure.
        results: Earlier results, or nothing.
        save: Given the results after each part, so that a long run that is stopped has not been for nothing.
    """
    results = results if results.get("format") == FORMAT else {"format": FORMAT}
    for name in ("rivals", "sets", "real", "cost"):
        results.setdefault(name, {})
    for name, rival in plan.chosen.items():
        results["rivals"][name] = {"title": rival.title, "method": rival.method}
    for name, star_set in sets.SETS.items():
        if name in plan.parts:
            _run_set(plan, star_set, results)
            save(results)
    results["sets"] = _in_order(results["sets"], sets.SETS)
    if "real" in plan.parts:
        _run_real(plan, results)
        save(results)
    if "cost" in plan.parts:
        _run_cost(plan, results)
    order = [*rivals(), *results["rivals"]]
    results["rivals"] = _in_order(results["rivals"], order)
    for one in (*results["sets"].values(), *results["real"].values()):
        one["rivals"] = _in_order(one["rivals"], order)
    results["cost"] = _in_order(results["cost"], order)
    return results


def setting_on(results: Mapping[str, Any], rival: str, cut: str) -> Setting:
    """The setting that was best on the validation frames of the set for frames without truth."""
    try:
        at = results["sets"][THRESHOLDS_FROM]["rivals"][rival]["at"][cut]
    except KeyError:
        raise SystemExit(
            f"{rival} has no threshold yet: measure the set {THRESHOLDS_FROM!r} first, or with it."
        ) from None
    return Setting(at["threshold"], at["cuts"])


def _run_set(plan: Plan, star_set: sets.StarSet, results: dict[str, Any]) -> None:
    limit = QUICK_FRAMES if plan.quick else None
    test = sets.load(star_set, "test", plan.cache, limit)
    validation = sets.load(star_set, "validation", plan.cache, limit)
    sha256 = sets.fingerprint(test)
    about = {
        "about": star_set.about,
        "frames": len(test),
        "side": star_set.side,
        "stars": sum(len(each.snr) for each in test),
        "stars_snr3": sum(int((each.snr >= 3).sum()) for each in test),
        "sha256": sha256,
        "validation_frames": len(validation),
        "validation_sha256": sets.fingerprint(validation),
    }
    earlier = results["sets"].get(star_set.name, {})
    same = all(earlier.get(name) == about[name] for name in ("sha256", "validation_sha256"))
    scored = dict(earlier["rivals"]) if same else {}
    test_views, validation_views = [View.of(each) for each in test], [View.of(each) for each in validation]
    for name, rival in plan.chosen.items():
        start = time.perf_counter()
        if star_set.name == BLANK:
            settings = {cut: setting_on(results, name, cut) for cut in ("3", "5")}
            scored[name] = on_blank(rival, settings, test_views)
        else:
            scored[name] = measure(rival, choose(rival, validation, validation_views), test, test_views)
        print(f"{star_set.name}: {name}, {time.perf_counter() - start:.1f} s", flush=True)
    results["sets"][star_set.name] = {**about, "rivals": scored}


def _run_real(plan: Plan, results: dict[str, Any]) -> None:
    known = rivals(only=real.REFERENCE)[real.REFERENCE]
    reference = (known, setting_on(results, real.REFERENCE, "5"))
    for name, frame in real.real_frames(*reference, plan.data).items():
        scored = results["real"].setdefault(name, {"rivals": {}})["rivals"]
        for rival_name, rival in plan.chosen.items():
            setting = setting_on(results, rival_name, "5")
            scored[rival_name] = real.on_real(rival, setting, reference, frame)
        print(f"{name}: done", flush=True)


def _run_cost(plan: Plan, results: dict[str, Any]) -> None:
    repeats = QUICK_REPEATS if plan.quick else REPEATS
    for name, rival in plan.chosen.items():
        results["cost"][name] = cost.costs(rival, setting_on(results, name, "5").threshold, repeats)
        print(f"cost: {name}", flush=True)
    if "stars.sep" in plan.chosen:
        results["time"] = cost.time_ratio(1024, repeats)
        results["memory"] = cost.large_memory(1024 if plan.quick else cost.MEMORY_SIDE)


def _in_order(table: Mapping[str, Any], order: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    return {name: table[name] for name in order if name in table}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results and the tables of the README."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stars", description=__doc__)
    parts = (*sets.SETS, "real", "cost")
    known = rivals()
    parser.add_argument("--sets", nargs="+", choices=parts, default=list(parts), metavar="SET")
    parser.add_argument("--rivals", nargs="+", choices=known, default=list(known), metavar="RIVAL")
    parser.add_argument("--quick", action="store_true", help="few frames; prints, and writes only to --out")
    parser.add_argument("--data", type=Path, help="folder with sep_image.fits and its SExtractor catalogue")
    parser.add_argument("--out", type=Path, help="results file to merge into instead of the project's")
    options = parser.parse_args(arguments)
    out = options.out or (None if options.quick else RESULTS)
    earlier = json.loads(out.read_text(encoding="utf-8")) if out is not None and out.exists() else {}
    chosen = {name: known[name] for name in known if name in options.rivals}

    def save(results: dict[str, Any]) -> None:
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    results = run(Plan(options.sets, chosen, options.quick, options.data), earlier, save)
    save(results)
    if out == RESULTS:
        write_readme(README, results)
    print(as_markdown(results))


if __name__ == "__main__":
    main()
