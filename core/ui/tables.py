"""Tables of sources with units, linked to what is selected in the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core.results import Detections
from core.shapes import BOX_COLUMNS

ROW_PX = 35
"""Height of a row of a table on the screen."""
SHOWN_UNITS = {"pix": "px", "deg": "°", "mag": "mag", "electron": "e⁻", "arcmin": "′", "mas / yr": "mas/yr"}
_ENDINGS = ("_px", "_km", "_deg", "_arcmin", "_mas_yr", "_mas")
"""What names of columns end in that is said by their unit."""


def sources_table(
    detections: Detections,
    key: str,
    selected: int | None,
    *,
    height: int = 420,
    first: Sequence[str] = (),
) -> int | None:
    """Draw a table of detections and give the row a person picked in it.

    Args:
        detections: The sources; columns without any value are left out.
        key: Key of the widget.
        selected: The row that is marked when the table is drawn anew.
        height: Greatest height in screen pixels; a short table is as high as its rows.
        first: Columns that come first, in this order, as far as they are there. The corners of boxes come
            last.

    Returns:
        The row picked, or None.
    """
    table = detections.table.dropna(axis="columns", how="all")
    if "reason" in table:
        table.insert(0, "reason", table.pop("reason"))
    ahead = [column for column in first if column in table]
    corners = [column for column in BOX_COLUMNS if column in table and column not in ahead]
    table = table[[*ahead, *table.columns.difference([*ahead, *corners], sort=False), *corners]]
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].fillna("")
    picked = st.dataframe(
        table,
        # A table cannot be told to move its mark, so a mark that came from the picture is a new table.
        key=f"{key}.{selected}",
        on_select="rerun",
        selection_mode="single-row",
        selection_default=None if selected is None else {"selection": {"rows": [selected]}},
        height=min(height, (len(table) + 1) * ROW_PX + 3),
        column_config=columns_of(table, detections.units),
        alt="Table of the sources that were found, one row each",
    )
    rows = picked["selection"]["rows"]
    return int(rows[0]) if rows else None


def columns_of(table: pd.DataFrame, units: Mapping[str, str]) -> dict[str, ColumnConfig]:
    """How each column of a table is headed and written: its name in words, with its unit."""
    return {str(column): _column(str(column), table[column], units.get(str(column), "")) for column in table}


def column_title(name: str, unit: str) -> tuple[str, str]:
    """A column's name in words and its unit, as a person reads them."""
    if name.endswith("_sigma"):
        name, unit = name.removesuffix("_sigma"), "σ"
    ending = next((ending for ending in _ENDINGS if unit and name.endswith(ending)), "")
    title = name.removesuffix(ending).replace("_", " ")
    return title, "" if unit == title else SHOWN_UNITS.get(unit, unit)


def _column(name: str, values: pd.Series, unit: str) -> ColumnConfig:
    title, unit = column_title(name, unit)
    label = f"{title} [{unit}]" if unit else title
    if pd.api.types.is_float_dtype(values):
        precise = name in ("ra_deg", "dec_deg")
        return st.column_config.NumberColumn(
            label, format="%.6f" if precise else "%.4g" if _wide(values) else "%.3f"
        )
    return st.column_config.Column(label)


def _wide(values: pd.Series) -> bool:
    largest = values.abs().max()
    return bool(largest >= 1e5 or largest < 1e-2)
