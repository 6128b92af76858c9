"""What was measured already, a line of JSON each, under a name that tells what it depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.methods import Method
from core.models.card import read_card

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "benchmarks"
Line = dict[str, Any]


def code_of(patterns: Iterable[str]) -> str:
    """Hash of the files under ``core`` that the patterns name."""
    files = sorted({path for pattern in patterns for path in (ROOT / "core").glob(pattern)})
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def key_of(method: Method, code: str, injected: str) -> str:
    """What a measurement depends on, the limits in the card of the weights too, as a short hash."""
    chosen = None if method.weights is None else read_card(method.weights).extra
    facts = [method.weights_sha256, chosen, method.params().to_dict(), code, injected]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def measured(
    path: Path, names: Sequence[str], measure: Callable[[str], Line], *, doing: str
) -> dict[str, Line]:
    """Measure what is not kept yet.

    Args:
        path: File of what is kept.
        names: What to measure.
        measure: Gives what is kept of one.
        doing: What a person reads beside the progress.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {line["name"]: line for line in lines_of(path)}
    missing = [name for name in names if name not in kept]
    with path.open("a", encoding="utf-8") as file:
        for name in tqdm(missing, desc=doing, disable=not missing):
            kept[name] = {"name": name, **measure(name)}
            file.write(json.dumps(kept[name]) + "\n")
            file.flush()
    return {name: kept[name] for name in names}


def lines_of(path: Path) -> list[Line]:
    """What is kept; a line that was cut off is left out."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        path.write_text(text, encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
