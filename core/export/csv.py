"""CSV: a table for spreadsheets and pandas, with the provenance in comment lines."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import pandas as pd

from core.export.catalogue import Catalogue
from core.shapes import is_path

_FORMULA_STARTS = ("=", "+", "-", "@")


def write_csv(catalogue: Catalogue) -> bytes:
    """The catalogue as UTF-8 CSV; read it with ``pandas.read_csv(file, comment="#")``.

    Comment lines hold ``# name: value`` for each fact of the provenance and the unit of each column that has
    one. Text is quoted, and text that a spreadsheet would run as a formula begins with an apostrophe. A
    value that does not apply is empty.
    """
    table, units = catalogue.detections.table, catalogue.detections.units
    out = io.StringIO(newline="")
    for name, value in catalogue.provenance.items():
        out.write(f"# {name}: {value}\n")
    named = [f"{column} [{units[column]}]" for column in table.columns if units.get(column)]
    out.write(f"# units: {', '.join(named)}\n")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False, name=None):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        formula = value.lstrip().startswith(_FORMULA_STARTS) and not is_path(value)
        return f"'{value}" if formula else value
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return _EMPTY
    return value


class _Empty(float):
    """Written as nothing at all, where the csv module would quote an empty string."""

    def __str__(self) -> str:
        return ""

    __repr__ = __str__


_EMPTY = _Empty("nan")
