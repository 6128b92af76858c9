"""Detection tables as rows of the database, types and units kept exactly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ParameterInvalid
from core.parameters import canonical_json
from core.results import CORE_COLUMNS, CORE_UNITS, TEXT_COLUMNS, Detections

if TYPE_CHECKING:
    import duckdb

_COLUMNS = ", ".join(CORE_COLUMNS)


def insert_detections(
    cursor: duckdb.DuckDBPyConnection, run_id: str, detections: Detections, *, accepted: bool
) -> None:
    """Write the detections of a run, or (``accepted=False``) the candidates it turned down.

    The columns every method has become SQL columns; a method's own become one Arrow table.

    Raises:
        ParameterInvalid: A column mixes kinds of values that cannot be stored together.
    """
    import pyarrow as pa

    table = detections.table
    own = table.drop(columns=list(CORE_COLUMNS))
    cursor.execute(
        "INSERT INTO own_columns VALUES (?, ?, ?, ?, ?)",
        [
            run_id,
            accepted,
            canonical_json(dict(detections.units)),
            json.dumps({column: str(own[column].dtype) for column in own}),
            _pack(own),
        ],
    )
    if not len(table):
        return
    columns: dict[str, pa.Array] = {}
    for column in CORE_COLUMNS:
        kind = pa.string() if column in TEXT_COLUMNS else pa.float64()
        columns[column] = pa.array(table[column], type=kind, from_pandas=True)
    reasons = own["reason"].astype(object) if "reason" in own else [None] * len(own)
    columns["reason"] = pa.array(reasons, type=pa.string(), from_pandas=True)
    columns["row_number"] = pa.array(np.arange(len(table), dtype=np.int32))
    cursor.register("incoming", pa.table(columns))
    cursor.execute(
        f"INSERT INTO detections (run_id, accepted, row_number, reason, {_COLUMNS}) "  # noqa: S608 (constants)
        f"SELECT ?, ?, row_number, reason, {_COLUMNS} FROM incoming",
        [run_id, accepted],
    )
    cursor.unregister("incoming")


def select_detections(cursor: duckdb.DuckDBPyConnection, run_id: str, *, accepted: bool) -> Detections:
    """Read back what :func:`insert_detections` wrote."""
    about = cursor.execute(
        "SELECT units, dtypes, data FROM own_columns WHERE run_id = ? AND accepted = ?", [run_id, accepted]
    ).fetchone()
    units, dtypes, data = about if about else ("{}", "{}", b"")
    core = cursor.execute(
        f"SELECT {_COLUMNS} FROM detections WHERE run_id = ? AND accepted = ? ORDER BY row_number",  # noqa: S608
        [run_id, accepted],
    ).df()
    own = _unpack(data, json.loads(dtypes)) if data else pd.DataFrame(index=core.index)
    given = {column: unit for column, unit in json.loads(units).items() if CORE_UNITS.get(column) != unit}
    return Detections(pd.concat([core, own], axis="columns"), given)


def insert_members(cursor: duckdb.DuckDBPyConnection, run_id: str, members: pd.DataFrame) -> None:
    """Write which cluster each row of a table belongs to, to the precision of a float32."""
    table = members.astype({"row": np.int32, "cluster": np.int32, "probability": np.float32})
    cursor.execute("INSERT INTO members VALUES (?, ?)", [run_id, _pack(table)])


def select_members(cursor: duckdb.DuckDBPyConnection, run_id: str) -> pd.DataFrame | None:
    """Read back what :func:`insert_members` wrote; None for a run on a frame."""
    found = cursor.execute("SELECT data FROM members WHERE run_id = ?", [run_id]).fetchone()
    kinds = {"row": "int64", "cluster": "int64", "probability": "float64"}
    return None if found is None else _unpack(found[0], kinds)


def _pack(table: pd.DataFrame) -> bytes:
    import pyarrow as pa

    columns = {}
    for name in table:
        try:
            columns[name] = pa.array(table[name], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ParameterInvalid(
                f"The column {name!r} cannot be stored: its values are of different kinds.",
                parameter=str(name),
                given=str(table[name].dtype),
                limit="numbers, text or true/false",
            ) from error
    # Text and repeated numbers shrink about fivefold, in a tenth of the time the rest takes.
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    packed = pa.table(columns) if columns else pa.table({})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, packed.schema, options=options) as writer:
        writer.write_table(packed)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _unpack(data: bytes, dtypes: dict[str, str]) -> pd.DataFrame:
    import pyarrow as pa

    table = pa.ipc.open_stream(data).read_all()
    columns = {}
    for name, dtype in dtypes.items():
        column = table[name]
        # Objects come back as the Python values they were, nothing as None.
        values = column.to_pylist() if dtype == "object" else column.to_pandas(integer_object_nulls=True)
        columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)
