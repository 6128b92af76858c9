"""Tables of stars that people bring: CSV, FITS, VOTable, ECSV or Parquet, told apart by their content.

Any of them may be in a gzip file, as archives hand them out.
"""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from core.errors import TableRejected
from core.frames.inflate import GZIP_MAGIC, inflate
from core.results import Result

if TYPE_CHECKING:
    from astropy.table import Table

TableFormat = Literal["CSV", "ECSV", "FITS", "VOTable", "Parquet"]

MAX_FILE_BYTES = 512 * 2**20
"""Largest table file that is read."""
MAX_ROWS = 2_000_000
"""Most rows of a table: five numbers of each take 80 MB, and reading text takes a few times that."""
MAX_COLUMNS = 2_000
"""Most columns of a table: the full Gaia source table has 152."""
LARGEST_EXACT = 2**53
"""Whole numbers beyond are not exact as floats, which have a value for what is not known."""
_SEPARATORS = ("\t", ",", ";", "|")


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A table as it came, which methods of catalogues analyse; columns keep their own names.

    Attributes:
        name: The file's name, for people; never used as a path.
        table: One row a source.
        sha256: Hash of the file's bytes, or of the values when there was no file.
        units: Unit of each column the file gives one for, as the file spells it.
        notes: Sentences a person should see.
    """

    name: str
    table: pd.DataFrame
    sha256: str
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(cls, table: pd.DataFrame, name: str = "table", **facts: Any) -> Self:
        """Make one of a table in memory, hashed by its values.

        Args:
            table: One row a source.
            name: What to call it.
            facts: Any other attribute of :class:`SourceTable`.
        """
        hashed = pd.util.hash_pandas_object(table, index=False).to_numpy()
        digest = hashlib.sha256(repr(list(table.columns)).encode() + hashed.tobytes()).hexdigest()
        return cls(name=name, table=table.reset_index(drop=True), sha256=digest, **facts)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def key(self) -> str:
        """Hash naming these very values."""
        return self.sha256


@dataclass(frozen=True, eq=False)
class TableResult(Result):
    """What a method found in a table.

    Attributes:
        members: One row a row of the table: ``row`` (0-based), ``cluster`` (row of the detections; −1 for
            none), ``probability`` of belonging to that cluster, or to the likeliest where it is −1.
    """

    members: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"row": [], "cluster": [], "probability": []})
    )

    def without_members(self) -> Self:
        """The same without its rows' memberships."""
        return dataclasses.replace(self, members=self.members.head(0))


def read_table(source: Path | str | bytes, name: str | None = None) -> SourceTable:
    """Read a table of sources.

    Args:
        source: Path of the file, or its bytes.
        name: What to call it; the file's name by default.

    Raises:
        TableRejected: It cannot be read, is no table, is empty, or is larger than the limits.
    """
    called = name or (Path(source).name if not isinstance(source, bytes) else "table")
    data = source if isinstance(source, bytes) else _bytes_of(Path(source), called)
    if len(data) > MAX_FILE_BYTES:
        raise TableRejected(
            f"'{called}' has {len(data) / 2**20:.0f} MiB; a table may have {MAX_FILE_BYTES // 2**20}.",
            parameter="file_bytes",
            given=len(data),
            limit=MAX_FILE_BYTES,
        )
    content = data
    if data.startswith(GZIP_MAGIC):
        content = inflate(
            data, called, lambda head: format_of(head, called), MAX_FILE_BYTES, TableRejected
        ).getvalue()
    kind = format_of(content[:2048], called)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # archives' files are often loosely written
            table, units = _READERS[kind](content, called)
    except TableRejected:
        raise
    except Exception as failure:  # each reader has its own errors, and all mean the same to a person
        reason = (str(failure).strip() or type(failure).__name__).splitlines()[0][:200].rstrip(".")
        raise TableRejected(f"'{called}' cannot be read as a {kind} table: {reason}.") from failure
    _check_size(len(table), len(table.columns), called)
    if table.columns.has_duplicates:
        twice = str(table.columns[table.columns.duplicated()][0])
        raise TableRejected(f"'{called}' has two columns called {twice!r}.", parameter="column", given=twice)
    return SourceTable(called, table, hashlib.sha256(data).hexdigest(), units)


def format_of(head: bytes, name: str = "the file") -> TableFormat:
    """The format of a table from its first bytes; what is no other is taken for text.

    Raises:
        TableRejected: It is binary and none of the formats that are read.
    """
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"SIMPLE  ="):
        return "FITS"
    if head.startswith(b"PAR1"):
        return "Parquet"
    if text.startswith(b"# %ECSV"):
        return "ECSV"
    if text.startswith(b"<"):
        if b"VOTABLE" in text.upper():
            return "VOTable"
    elif text and b"\x00" not in head:
        return "CSV"
    raise TableRejected(
        f"'{name}' is not a table that is read here: CSV, ECSV, FITS, VOTable or Parquet.",
        parameter="format",
        limit="CSV, ECSV, FITS, VOTable, Parquet",
    )


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TableRejected(
                f"'{name}' has {path.stat().st_size / 2**20:.0f} MiB; "
                f"a table may have {MAX_FILE_BYTES // 2**20}.",
                parameter="file_bytes",
                given=path.stat().st_size,
                limit=MAX_FILE_BYTES,
            )
        return path.read_bytes()
    except OSError as refusal:
        raise TableRejected(f"'{name}' cannot be read: {refusal.strerror}.", parameter="file") from refusal


def _check_size(rows: int, columns: int, name: str) -> None:
    if not rows or not columns:
        raise TableRejected(f"'{name}' has no rows.", parameter="rows", given=rows, limit="1 or more")
    for word, given, limit in (("rows", rows, MAX_ROWS), ("columns", columns, MAX_COLUMNS)):
        if given > limit:
            raise TableRejected(
                f"'{name}' has more than {limit:,} {word}; cut it down to the field of interest.",
                parameter=word,
                given=given,
                limit=limit,
            )


Read = tuple[pd.DataFrame, dict[str, str]]


def _read_csv(data: bytes, name: str) -> Read:
    """Delimited text with a header, which may be the comment above the first row.

    Lines that start with ``#`` are comments; between blanks it starts one anywhere, else it may be in a name.
    VizieR's lines of units and dashes are known.
    """
    comment, lines = _opening(data)
    if not lines:
        raise TableRejected(f"'{name}' has no rows.", parameter="rows", given=0, limit="1 or more")
    header = _header_above(comment, lines[0], name)
    separator = _separator(lines[0])
    is_comment = (line.removeprefix(codecs.BOM_UTF8).startswith(b"#") for line in io.BytesIO(data))
    skipped = [number for number, comment in enumerate(is_comment) if comment]

    def read(**more: Any) -> pd.DataFrame:
        found: pd.DataFrame = pd.read_csv(
            io.BytesIO(data),
            sep=separator or r"\s+",
            comment=None if separator else "#",
            skiprows=skipped,
            header="infer" if header is None else None,
            names=header,
            nrows=MAX_ROWS + 3,
            skipinitialspace=True,
            encoding="utf-8-sig",
            encoding_errors="replace",
            na_values=["null", "--", "nan", "NaN"],
            low_memory=False,
            **more,
        )
        return found

    table = read()
    table.columns = [str(column).strip() for column in table.columns]
    if not table.index.equals(pd.RangeIndex(len(table))):
        raise TableRejected(f"The rows of '{name}' have more values than its header has names.")
    units: dict[str, str] = {}
    # A row without any value is no line of dashes, and the row above that line tells units, never a star.
    dashes = len(lines) > 2 and "-" in lines[2] and set(lines[2]) <= set("-|;,\t ")
    if header is None and dashes and not any(map(_is_number, _values(lines[1]))):
        row = table.iloc[0]
        units = {str(column): value.strip() for column, value in row.items() if isinstance(value, str)}
        table = table.iloc[2:].reset_index(drop=True)
        for column in table.columns:
            numbers = pd.to_numeric(table[column], errors="coerce")
            blank = table[column].isna() | (table[column].astype(str).str.strip() == "")
            if (numbers.notna() | blank).all() and not _is_too_long(numbers):
                table[column] = numbers
    long = [number for number, column in enumerate(table) if _is_too_long(table[column])]
    if long:
        words = read(usecols=long, dtype=str)
        for number in long:
            table[table.columns[number]] = words.pop(words.columns[0])
    return table, units


def _is_too_long(column: pd.Series) -> bool:
    """Whether a column of floats, for want of a value somewhere, holds longer identifiers: they stay text."""
    if not pd.api.types.is_float_dtype(column) or not column.hasnans:
        return False
    values = np.abs(column.to_numpy(float))
    return bool((values[np.isfinite(values)] > LARGEST_EXACT).any())


def _opening(data: bytes) -> tuple[str, list[str]]:
    """The last comment above the first line, and the first three lines; fewer where there are no more."""
    comment, lines = "", list[str]()
    for line in io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", errors="replace"):
        if line.startswith("#"):
            comment = comment if lines else line.rstrip()
        elif line.strip():
            lines.append(line.rstrip("\n"))
        if len(lines) == 3:
            break
    return comment, lines


def _separator(line: str) -> str | None:
    """What stands between the values of a line; None for blanks."""
    return next((mark for mark in _SEPARATORS if mark in line), None)


def _values(line: str) -> list[str]:
    return [value.strip() for value in line.strip(" ").split(_separator(line))]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _header_above(comment: str, first: str, name: str) -> list[str] | None:
    """The names in the comment above a first line that holds numbers; None where that line is the header."""
    values = _values(first)
    numbers = [_is_number(value) for value in values if value]
    names = _values(comment.lstrip("#")) if comment else []
    if any(numbers) and len(names) == len(values) and all(names):
        return names
    if all(numbers):
        raise TableRejected(
            f"'{name}' has no header: its first line holds numbers. Write the names of its {len(values)} "
            "columns above them.",
            parameter="header",
            limit="a name for each column",
        )
    return None


def _read_ecsv(data: bytes, name: str) -> Read:
    from astropy.table import Table

    # The files of the Gaia archive have "null" where nothing is known.
    unknown = [("", "0"), ("null", "0")]
    return _plain(Table.read(data.decode("utf-8").splitlines(), format="ascii.ecsv", fill_values=unknown))


def _read_votable(data: bytes, name: str) -> Read:
    from astropy.io.votable import parse_single_table

    table = parse_single_table(io.BytesIO(data), verify="ignore").to_table(use_names_over_ids=True)
    return _plain(table)


def _read_fits(data: bytes, name: str) -> Read:
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(io.BytesIO(data), memmap=False) as hdus:
        for index, hdu in enumerate(hdus):
            if isinstance(hdu, fits.BinTableHDU | fits.TableHDU) and not isinstance(hdu, fits.CompImageHDU):
                _check_size(int(hdu.header["NAXIS2"]), int(hdu.header["TFIELDS"]), name)
                return _plain(Table.read(hdus, hdu=index))
    raise TableRejected(f"'{name}' is a FITS file without a table in it.", parameter="format")


def _read_parquet(data: bytes, name: str) -> Read:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(data))
    _check_size(file.metadata.num_rows, file.metadata.num_columns, name)
    table = file.read().to_pandas()
    return table.reset_index(drop=table.index.names == [None]), {}  # pandas may keep identifiers there


def _plain(table: Table) -> Read:
    """Columns of one value a row as pandas has them, masked ones as NaN, and their units.

    What astropy makes one column of several, such as the places photutils gives, is several again.
    """
    from astropy.table.serialize import represent_mixins_as_columns

    table = represent_mixins_as_columns(table)
    flat = [column for column in table.colnames if table[column].ndim == 1]
    units = {column: str(table[column].unit) for column in flat if table[column].unit is not None}
    values = {column: _native(table[column]) for column in flat}
    return pd.DataFrame(values), units


def _native(column: Any) -> Any:
    values: Any = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind in "iu" and not np.ma.is_masked(values):
        return np.asarray(values, values.dtype.newbyteorder("="))  # identifiers are longer than a float
    if values.dtype.kind in "iu" and np.abs(values.compressed().astype(float)).max(initial=0) > LARGEST_EXACT:
        return [None if value is None else str(value) for value in values.tolist()]  # one is not known
    if values.dtype.kind in "fiu":
        return np.ma.filled(values.astype(float), np.nan)
    if values.dtype.kind == "S":
        return [str(item, "utf-8", "replace") for item in values.filled(b"")]
    return np.where(np.ma.getmaskarray(values), None, values.astype(object).data)  # filled(None) fills "N/A"


_READERS = {
    "CSV": _read_csv,
    "ECSV": _read_ecsv,
    "VOTable": _read_votable,
    "FITS": _read_fits,
    "Parquet": _read_parquet,
}
