"""The results as tables for a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.stars.cost import MEMORY_LIMIT_GB, TIME_RATIO_LIMIT

BEGIN, END = "<!-- benchmarks.stars: tables begin -->", "<!-- benchmarks.stars: tables end -->"
BLANK = "blank"


def as_markdown(results: Mapping[str, Any]) -> str:
    """Every table."""
    titles = {name: about["title"] for name, about in results["rivals"].items()}
    parts = [_sets(results["sets"])]
    for name, one in results["sets"].items():
        if name != BLANK:
            parts.append(f"**{name}**\n\n{_set_table(one['rivals'], titles)}")
    parts.append("F1 by signal-to-noise ratio, at the threshold that is best for SNR ≥ 3:\n")
    parts[-1] += "\n" + _bins_table(results["sets"], titles)
    if BLANK in results["sets"]:
        parts.append("**blank**\n\n" + _blank_table(results["sets"][BLANK]["rivals"], titles))
    for name, one in results.get("real", {}).items():
        parts.append(f"**{name}** (real)\n\n" + _real_table(one["rivals"], titles))
    if results.get("cost"):
        parts.append(_cost_table(results["cost"], titles))
    if "time" in results:
        parts.append(_bars(results["time"], results["memory"]))
    return "\n\n".join(parts)


def write_readme(path: Path, results: Mapping[str, Any]) -> None:
    """Put the tables between their marks in a README."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{path} lacks the marks {BEGIN} and {END}.")
    path.write_text(f"{before}{BEGIN}\n\n{as_markdown(results)}\n\n{END}{after}", encoding="utf-8")


def _sets(sets: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            one["about"],
            f"{one['frames']} of {one['side']}²",
            f"{one['stars_snr3']:,}",
            f"`{one['sha256'][:12]}`",
        )
        for name, one in sets.items()
    ]
    return _table(("set", "what is on it", "test frames", "stars of SNR ≥ 3", "sha256 of its truth"), rows)


def _set_table(rivals: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    head = (
        "rival",
        "F1 ≥ 3",
        "F1 ≥ 5",
        "F1 ≥ 10",
        "F1, no cut",
        "precision, recall ≥ 5",
        "false/Mpx ≥ 5",
        "m50, m90",
        "RMS px 5–10, 10–30, 30–100",
    )
    rows = []
    for name, one in rivals.items():
        at, bins = one["at"], {each["low"]: each for each in one["snr_bins"]}
        curve = one["completeness"] or {"m50": None, "m90": None}
        rows.append(
            (
                titles[name],
                *(f"{at[cut]['f1']:.3f} ± {at[cut]['f1_error']:.3f}" for cut in ("3", "5", "10")),
                f"{at['none']['f1']:.3f}",
                f"{at['5']['precision']:.3f}, {at['5']['recall']:.3f}",
                f"{at['5']['false_per_mpx']:.0f}",
                f"{_or_dash(curve['m50'])}, {_or_dash(curve['m90'])}",
                ", ".join(_or_dash(bins[low]["offset_rms_px"], 3) for low in (5.0, 10.0, 30.0)),
            )
        )
    return _table(head, rows)


def _bins_table(sets: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    lows = (2.0, 3.0, 5.0, 10.0, 30.0)
    rows = []
    for set_name, one in sets.items():
        for name, each in one["rivals"].items():
            if set_name != BLANK:
                bins = {row["low"]: row for row in each["snr_bins"]}
                rows.append((set_name, titles[name], *(_or_dash(bins[low]["f1"], 3) for low in lows)))
    return _table(("set", "rival", "2–3", "3–5", "5–10", "10–30", "30–100"), rows)


def _blank_table(rivals: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    rows = [
        (
            titles[name],
            *(
                f"{one[cut]['false_per_mpx']:.1f} ± {one[cut]['error']:.1f} "
                f"({one[cut]['plain_per_mpx']:.1f}, {one[cut]['spoilt_per_mpx']:.1f})"
                for cut in ("3", "5")
            ),
        )
        for name, one in rivals.items()
    ]
    return _table(
        (
            "rival",
            "false/Mpx, best threshold for SNR ≥ 3 (plain, spoilt)",
            "the same for SNR ≥ 5",
        ),
        rows,
    )


def _real_table(rivals: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    has_catalogue = any("catalogue" in one for one in rivals.values())
    head = [
        "rival",
        "found",
        "also by SEP, kernel as the stars",
        "RMS px",
        "put in, found: SNR 3–5, 5–10, 10–30",
    ]
    if has_catalogue:
        head.append("of SExtractor's catalogue: both, only here, only there")
    rows = []
    for name, one in rivals.items():
        row = [
            titles[name],
            f"{one['found']:,}",
            f"{one['reference']['both']:,}",
            _or_dash(one["reference"]["rms_px"], 2),
            ", ".join(f"{each['found']}/{each['truth']}" for each in one["injected"][:3]),
        ]
        if has_catalogue:
            shared = one["catalogue"]
            row.append(f"{shared['both']}, {shared['only_rival']}, {shared['only_other']}")
        rows.append(tuple(row))
    return _table(tuple(head), rows)


def _cost_table(cost: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    sides = list(next(iter(cost.values()))["ms"])
    rows = [
        (
            titles[name],
            *(f"{one['ms'][side]:.0f} ms" for side in sides),
            *(f"{value:.0f} MB" for value in one["peak_mb"].values()),
        )
        for name, one in cost.items()
    ]
    return _table(
        (
            "rival",
            *(f"time for {side}²" for side in sides),
            f"peak memory for {sides[-1]}², with libraries",
        ),
        rows,
    )


def _bars(timed: Mapping[str, Any], memory: Mapping[str, Any]) -> str:
    rows = [
        (
            f"time of `stars.sep` at {timed['side']}², ratio to `sep` directly",
            f"{timed['ratio']:.2f}",
            f"≤ {TIME_RATIO_LIMIT:g}",
        ),
        (
            f"peak memory of `stars.sep` at {memory['side']}² ({memory['n_stars']:,} stars), with reading",
            f"{memory['peak_gb']:.2f} GB",
            f"≤ {MEMORY_LIMIT_GB:g} GB",
        ),
    ]
    return _table(("measured", "value", "bar"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |" for line in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _or_dash(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
