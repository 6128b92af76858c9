"""The results as tables for a README."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.dso import report

BEGIN, END = "<!-- benchmarks.surfaces: tables begin -->", "<!-- benchmarks.surfaces: tables end -->"


def as_markdown(results: Mapping[str, Any]) -> str:
    """Every table."""
    parts = []
    for name, one in results["sets"].items():
        parts.append(
            f"**{name}**: {one['about']} ({one['pictures']} pictures, {one['craters']} craters from "
            f"{one['least_px']:g} px; sha256 `{one['sha256'][:12]}`)\n\n{report.table(one['rows'])}"
        )
        by_size = [_by_size(each) for each in one["methods"].values() if each.get("by_size")]
        if by_size:
            parts.append(f"Recall by diameter, px:\n\n{report.table(by_size)}")
        by_sun = [
            {"method": each["title"], **each["by_incidence"]}
            for each in one["methods"].values()
            if each.get("by_incidence")
        ]
        if by_sun:
            parts.append(f"F1 by incidence of the sun:\n\n{report.table(by_sun)}")
        if one["classes"]:
            parts.append(f"Classes of places:\n\n{report.table(one['classes'])}")
    return "\n\n".join(parts)


def write_readme(path: Path, results: Mapping[str, Any]) -> None:
    """Put the tables between their marks in a README."""
    report.write_between(path, BEGIN, END, as_markdown(results))


def _by_size(each: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        f"{report.span(part)} ({part['true']})": part["recall"] for part in each["by_size"] if part["true"]
    }
    return {"method": each["title"], **shown}
