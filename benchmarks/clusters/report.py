"""The results as tables for a README."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.dso import report

BEGIN, END = "<!-- benchmarks.clusters: tables begin -->", "<!-- benchmarks.clusters: tables end -->"
KINDS = ("open", "globular")


def as_markdown(results: Mapping[str, Any]) -> str:
    """Every table."""
    parts = []
    if "images" in results:
        one = results["images"]
        parts.append(
            f"**Frames**: {one['about']} ({one['frames']} frames, {one['empty']} of them without; "
            f"sha256 `{one['sha256'][:12]}`)\n\n{report.table(one['rows'])}"
        )
        for what in ("contrast", "core radius, px", "field stars a Mpx", "stars that count"):
            rows = [_line(each, each["recall_by"][what]) for each in one["methods"].values()]
            parts.append(f"Recall by {what}:\n\n{report.table(rows)}")
        rows = [
            {
                "method": each["title"],
                **{_kind(kind, parts): parts["recall"] for kind, parts in _kinds(each)},
            }
            for each in one["methods"].values()
        ]
        parts.append(f"Recall by kind:\n\n{report.table(rows)}")
    if "catalogues" in results:
        one = results["catalogues"]
        parts.append(
            f"**Catalogues**: {one['about']} ({one['tables']} tables, {one['empty']} of them without; "
            f"sha256 `{one['sha256'][:12]}`)\n\n{report.table(one['rows'])}"
        )
        rows = [
            _line(each, each["by_number"], value)
            for each in one["methods"].values()
            for value in ("recall", "member_f1")
        ]
        parts.append(f"By number of members:\n\n{report.table(rows)}")
    return "\n\n".join(parts)


def write_readme(path: Path, results: Mapping[str, Any]) -> None:
    """Put the tables between their marks in a README."""
    report.write_between(path, BEGIN, END, as_markdown(results))


def _line(one: Mapping[str, Any], parts: list[dict[str, Any]], value: str = "recall") -> dict[str, Any]:
    title = one["title"] if value == "recall" else f"{one['title']}, {value.replace('_', ' ')}"
    shown = {f"{report.span(part)} ({part['clusters']})": part[value] for part in parts if part["clusters"]}
    return {"method": title, **shown}


def _kinds(one: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(kind, one["recall_by"][kind][0]) for kind in KINDS]


def _kind(kind: str, part: Mapping[str, Any]) -> str:
    return f"{kind} ({part['clusters']})"
