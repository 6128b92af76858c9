"""The results as tables for a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- benchmarks.dso: tables begin -->", "<!-- benchmarks.dso: tables end -->"


def as_markdown(results: Mapping[str, Any]) -> str:
    """Every table."""
    parts = []
    for name, one in results["sets"].items():
        head = f"**{name}**: {one['about']} ({one['frames']} pictures, {one['objects']} objects, "
        head += f"{one['empty']} pictures without; sha256 `{one['sha256'][:12]}`)"
        parts.append(f"{head}\n\n{table(one['rows'])}")
        parts.append(f"Found of each class, size and surface brightness, IoU ≥ 0.5:\n\n{_recalls(one)}")
        by_class = _classes(one)
        if by_class:
            parts.append(f"With the right class:\n\n{table(by_class)}")
        if one["maps"]:
            parts.append(table(one["maps"]))
    if results.get("likeness"):
        parts.append(_likeness(results["likeness"]))
    return "\n\n".join(parts)


def write_readme(path: Path, results: Mapping[str, Any]) -> None:
    """Put the tables between their marks in a README."""
    write_between(path, BEGIN, END, as_markdown(results))


def write_between(path: Path, begin: str, end: str, tables: str) -> None:
    """Put tables between two marks in a file."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path} lacks the marks {begin} and {end}.")
    path.write_text(f"{before}{begin}\n\n{tables}\n\n{end}{after}", encoding="utf-8")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of figures by name; a figure that a row lacks is a dash."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_shown(row.get(name)) for name in names] for row in rows)]
    text = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(names), *text[1:]])


def _recalls(one: Mapping[str, Any]) -> str:
    rows = []
    for measured in one["methods"].values():
        line = {"method": measured["title"]}
        for name, part in measured["recall_by_class"].items():
            line[f"{name} ({part['objects']})"] = part["recall"]
        for what, key in (("px", "recall_by_size_px"), ("SNR", "recall_by_surface_snr")):
            for part in measured[key]:
                if part["objects"]:
                    line[f"{span(part)} {what} ({part['objects']})"] = part["recall"]
        rows.append(line)
    return table(rows)


def _classes(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for measured in one["methods"].values():
        for name, part in measured.get("by_class", {}).get("classes", {}).items():
            figures = {figure: part[figure] for figure in ("f1", "precision", "recall", "AP50")}
            rows.append({"method": measured["title"], "class": name, "objects": part["objects"], **figures})
    return rows


def _likeness(measured: Mapping[str, Any]) -> str:
    seconds = measured["seconds"]
    said = (
        f"**Painted maps against XRAI's**, {measured['pictures']} pictures of the set "
        f"*{measured['set']}*: medians of {seconds['painted']:.3f} s a painted map, "
        f"{seconds['dso.xrai']:.2f} s one of `core.dso.xrai`"
    )
    if "saliency" in seconds:
        said += (
            f", {seconds['saliency']:.1f} s one of `saliency` 0.2.1 "
            f"({measured['reference_pictures']} pictures), "
            f"{seconds['saliency'] / seconds['dso.xrai']:.0f} times as long as ours and "
            f"{seconds['saliency'] / seconds['painted']:.0f} times as long as painting"
        )
    return f"{said}.\n\n{table(measured['rows'])}"


def span(part: Mapping[str, Any]) -> str:
    """``"2–4"`` of a part with ``low`` and ``high``, the latter null where it has no end."""
    if part["high"] is None:
        return f"≥ {part['low']:g}"
    return f"< {part['high']:g}" if part["low"] == 0 else f"{part['low']:g}–{part['high']:g}"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"
