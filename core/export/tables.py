"""The table formats of astronomy, ECSV, VOTable and FITS, written by astropy; and Parquet."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.export.catalogue import Catalogue
from core.export.text import ascii_only

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.table import Table
    from astropy.units import UnitBase

# IVOA unified content descriptors: they tell the tools of the Virtual Observatory what a column is.
_UCDS = {
    "label": "src.class",
    "score": "stat.probability",
    "x": "pos.cartesian.x;instr.det",
    "y": "pos.cartesian.y;instr.det",
    "flux": "phot.count",
    "ra_deg": "pos.eq.ra;meta.main",
    "dec_deg": "pos.eq.dec;meta.main",
    "name": "meta.id",
}

_KEYWORDS = {
    "almagest_version": ("ALMVER", "version of Almagest"),
    "method": ("METHOD", "method that found the objects"),
    "parameters": ("PARAMS", "parameters of the method, as JSON"),
    "weights_sha256": ("WGTSHA", "sha256 of the weights"),
    "frame_name": ("FRAME", "file name of the frame"),
    "frame_sha256": ("FRAMESHA", "sha256 of the frame"),
    "frame_width_px": ("FRAMEW", "[pix] width of the frame"),
    "frame_height_px": ("FRAMEH", "[pix] height of the frame"),
    "hdu": ("FRAMEHDU", "extension of the frame"),
    "plane": ("PLANE", "plane of the cube"),
    "processing": ("PROCESS", "processing before the run, as JSON"),
    "run_started_at": ("DATE-RUN", "[UTC] start of the run"),
    "exported_at": ("DATE", "[UTC] when this file was written"),
    "n_detections": ("NDETECT", "number of objects"),
    "human_edits": ("NEDITS", "edits made by a person"),
}


def write_ecsv(catalogue: Catalogue) -> bytes:
    """The catalogue as ECSV; the provenance is the table's ``meta``."""
    table = _with_units(catalogue)
    table.meta = dict(catalogue.provenance)
    out = io.StringIO()
    table.write(out, format="ascii.ecsv")
    return out.getvalue().encode()


def write_votable(catalogue: Catalogue) -> bytes:
    """The catalogue as VOTable 1.4 with UCDs; the provenance is an INFO element for each fact."""
    from astropy.io.votable import from_table
    from astropy.io.votable.tree import CooSys, Info

    votable = from_table(_with_units(catalogue), table_id="detections")
    resource = votable.resources[0]
    for index, (name, value) in enumerate(catalogue.provenance.items()):
        resource.infos.append(Info(ID=f"fact_{index}", name=name or "fact", value=value))
    resource.coordinate_systems.append(CooSys(ID="icrs", system="ICRS"))
    for column in resource.tables[0].fields:
        column.ucd = _UCDS.get(column.name)
        if column.name in ("ra_deg", "dec_deg"):
            column.ref = "icrs"
    out = io.BytesIO()
    with _units_as_they_are():
        votable.to_xml(out)
    return out.getvalue()


def write_fits(catalogue: Catalogue) -> bytes:
    """The catalogue as a FITS binary table ``DETECTIONS`` with its provenance in cards and HISTORY.

    FITS text is ASCII: other characters are escaped as in Python (``\\u2605``). Units are spelt as FITS does;
    one that FITS does not have, such as ``electron``, stands there as it is.
    """
    from astropy.io import fits

    table = _astropy_table(catalogue)
    for name in table.colnames:
        if table[name].dtype.kind == "U":
            table.replace_column(name, _texts([ascii_only(text) for text in table[name]]))
    hdu = fits.table_to_hdu(table)
    hdu.name = "DETECTIONS"
    for name, unit in catalogue.detections.units.items():
        hdu.columns[name].unit = _fits_unit(unit)
    hdu.header["CREATOR"] = "Almagest"
    for name, value in catalogue.provenance.items():
        if name in _KEYWORDS:
            keyword, comment = _KEYWORDS[name]
            _card(hdu.header, keyword, ascii_only(value), comment)
        else:
            hdu.header.add_history(ascii_only(f"{name}: {value}"))
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(out, checksum=True)
    return out.getvalue()


def write_parquet(catalogue: Catalogue) -> bytes:
    """The catalogue as Parquet; the provenance stands in the file's metadata, each unit in its column's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    detections = catalogue.detections
    table = pa.Table.from_pandas(detections.table, preserve_index=False)
    fields = [
        field.with_metadata({"unit": detections.units[field.name]})
        if field.name in detections.units
        else field
        for field in table.schema
    ]
    facts = {**(table.schema.metadata or {}), **catalogue.provenance}
    out = io.BytesIO()
    pq.write_table(table.cast(pa.schema(fields, facts)), out, compression="zstd")
    return out.getvalue()


def _card(header: Header, keyword: str, value: str, comment: str) -> None:
    from astropy.io.fits import Card

    whole = int(value) if value.isdigit() and len(value) < 10 else value
    # A comment beside a long value would be cut off, with a warning.
    short = len(str(whole)) + len(comment) < 60
    header.append(Card(keyword, whole, comment if short else None))


def _astropy_table(catalogue: Catalogue) -> Table:
    from astropy.table import Table

    return Table({name: _values(column) for name, column in catalogue.detections.table.items()})


def _with_units(catalogue: Catalogue) -> Table:
    """The catalogue as astropy's table; a column's description tells a unit that astropy does not know."""
    table = _astropy_table(catalogue)
    for name, unit in catalogue.detections.units.items():
        parsed = _parsed(unit)
        if parsed is None:
            table[name].description = f"in {unit}"
        else:
            table[name].unit = parsed
    return table


def _parsed(unit: str) -> UnitBase | None:
    """A unit as astropy's; None where it knows none of that spelling."""
    from astropy import units as u

    with _units_as_they_are():
        parsed = u.Unit(unit, parse_strict="silent")
    return None if isinstance(parsed, u.UnrecognizedUnit) else parsed


def _fits_unit(unit: str) -> str:
    parsed = _parsed(unit)
    if parsed is not None:
        with _units_as_they_are(), contextlib.suppress(ValueError):
            return str(parsed.to_string("fits"))
    return ascii_only(unit)


@contextlib.contextmanager
def _units_as_they_are() -> Iterator[None]:
    """No warnings of units that a standard does not have, such as electrons: readers take them."""
    from astropy.io.votable.exceptions import W50
    from astropy.units import UnitsWarning

    with warnings.catch_warnings():
        for warning in (UnitsWarning, W50):
            warnings.simplefilter("ignore", warning)
        yield


def _values(column: pd.Series) -> NDArray[np.generic]:
    if pd.api.types.is_bool_dtype(column) and not column.hasnans:
        return column.to_numpy(bool)
    if pd.api.types.is_integer_dtype(column) and not column.hasnans:
        return column.to_numpy(np.int64)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64, na_value=np.nan)
    return _texts(["" if value is None or value != value else str(value) for value in column])


def _texts(values: list[str]) -> NDArray[np.str_]:
    # An empty column of text still has a width, or FITS and VOTable cannot say what it holds.
    return np.array(values, dtype=f"U{max([len(value) for value in values] + [1])}")
