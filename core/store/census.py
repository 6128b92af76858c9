"""What all stored runs of a task found, counted: by label, by what covers how much, and by what is said of
their frames."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import ParameterInvalid

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MOST_TEXT = 10_000
"""Letters of a tag's value."""

_RUNS = """
WITH last_tags AS (
    SELECT frame_key, arg_max(value, said_at) AS tag FROM tags WHERE name = $tag GROUP BY frame_key
), chosen AS (
    SELECT run_id, frame_key, frame_name, method, person, saved_at
    FROM runs WHERE task = $task
    QUALIFY NOT $newest OR row_number() OVER (
        PARTITION BY frame_key, method ORDER BY saved_at DESC, run_id DESC) = 1
)
"""
_COUNTS = f"""{_RUNS}SELECT chosen.*, tag, label, count(label) AS n, width * height AS pixels
FROM chosen JOIN frames USING (frame_key) LEFT JOIN last_tags USING (frame_key)
LEFT JOIN (SELECT run_id, label FROM detections WHERE accepted) USING (run_id)
GROUP BY ALL ORDER BY saved_at, run_id, label
"""  # noqa: S608 (constants)
_FACTS = f"""{_RUNS}SELECT * FROM (
    SELECT chosen.*, tag, unnest(map_keys(facts)) AS fact, unnest(map_values(facts)) AS value
    FROM chosen JOIN (SELECT run_id, facts FROM runs) USING (run_id) LEFT JOIN last_tags USING (frame_key)
) WHERE starts_with(fact, $prefix) ORDER BY saved_at, run_id, fact
"""  # noqa: S608 (constants)


def insert_tag(
    cursor: duckdb.DuckDBPyConnection, frame_key: str, name: str, value: str, source: str, person: str | None
) -> None:
    """Write a tag, unless it says what the last one of this name says.

    Raises:
        ParameterInvalid: The value is empty or too long.
    """
    if not value.strip() or len(value) > MOST_TEXT:
        raise ParameterInvalid(
            f"{name} must have 1 to {MOST_TEXT} letters, got {len(value)}.",
            parameter=name,
            given=value[:MOST_TEXT],
            limit=MOST_TEXT,
        )
    if select_tags(cursor, frame_key).get(name) == value:
        return
    cursor.execute(
        "INSERT INTO tags VALUES (?, ?, ?, ?, ?, ?)",
        [frame_key, name, value, source, person, datetime.now(UTC).replace(tzinfo=None)],
    )


def select_tags(cursor: duckdb.DuckDBPyConnection, frame_key: str) -> dict[str, str]:
    """The last word on each name that was said of a frame."""
    rows = cursor.execute(
        "SELECT name, arg_max(value, said_at) FROM tags WHERE frame_key = ? GROUP BY name", [frame_key]
    ).fetchall()
    return dict(rows)


def count_labels(cursor: duckdb.DuckDBPyConnection, task: str, tag: str, *, newest: bool) -> pd.DataFrame:
    """One row a run and label; a run that found nothing has one row without a label."""
    return cursor.execute(_COUNTS, {"task": task, "tag": tag, "newest": newest}).df()


def select_facts(
    cursor: duckdb.DuckDBPyConnection, task: str, tag: str, prefix: str, *, newest: bool
) -> pd.DataFrame:
    """One row a run and fact whose name begins with ``prefix``."""
    asked = {"task": task, "tag": tag, "prefix": prefix, "newest": newest}
    return cursor.execute(_FACTS, asked).df()
