"""A simulated frame as a FITS file that carries its truth, and that truth read back."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import TableRejected
from core.export.text import ascii_only
from core.results import TEXT_COLUMNS, Detections

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.table import Table

    from core.simulate.render import Simulation

TRUTH = "TRUTH"
"""Name of the extension with the truth."""
_COMMENTS = {
    "EXPTIME": "[s] all exposures of the stack",
    "GAIN": "[e-/adu]",
    "MEANGAIN": "[e-/adu] of the mean of the planes",
    "RDNOISE": "[e-] all exposures of the stack",
    "SATURATE": "[adu]",
    "FOCALLEN": "[mm]",
    "APTDIA": "[mm]",
    "XPIXSZ": "[um]",
    "YPIXSZ": "[um]",
    "SIMSEED": "seed of the simulation",
}


def simulation_fits(simulation: Simulation) -> bytes:
    """A simulation as FITS: the frame with its sky coordinates, and the table ``TRUTH``.

    The primary HDU holds the float32 pixels, ``(H, W)`` or in colour ``(3, H, W)``. The table has the
    columns of the truth; text that is not ASCII is escaped as in Python. Its card ``SCENE`` is the scene
    as JSON. The same simulation gives the same bytes.
    """
    from astropy.io import fits

    frame = simulation.frame
    planes = np.moveaxis(frame.pixels, 2, 0) if frame.is_colour else frame.pixels
    image = fits.PrimaryHDU(np.ascontiguousarray(planes))
    if frame.wcs is not None:
        image.header.update(frame.wcs.to_header())
    for keyword, value in frame.header.items():
        written = ascii_only(value) if isinstance(value, str) else value
        image.header[keyword] = (written, _COMMENTS.get(keyword, ""))
    table = fits.table_to_hdu(_astropy_table(simulation.truth.table))
    table.name = TRUTH
    for name, unit in simulation.truth.units.items():
        table.columns[name].unit = unit
    # ASCII JSON is still JSON; FITS knows no other characters.
    table.header["SCENE"] = json.dumps(simulation.scene.to_dict(), sort_keys=True, separators=(",", ":"))
    out = io.BytesIO()
    fits.HDUList([image, table]).writeto(out)
    return out.getvalue()


def read_truth(file: bytes | Path | BinaryIO) -> Detections:
    """The truth of a FITS file that :func:`simulation_fits` wrote.

    Raises:
        TableRejected: It is not such a file, or damaged.
    """
    if isinstance(file, Path):
        try:
            content = file.read_bytes()
        except OSError as error:
            raise TableRejected(f"'{file.name}' cannot be read: {error.strerror}.") from error
    else:
        content = file if isinstance(file, bytes) else file.read()
    if not content.startswith(b"SIMPLE"):
        raise TableRejected("This is not a FITS file, so it carries no truth of a simulation.")
    from astropy.io import fits
    from astropy.table import Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong with a file is said once, below
        try:
            with fits.open(io.BytesIO(content), memmap=False) as hdus:
                if TRUTH not in hdus:
                    raise TableRejected("This FITS file has no table TRUTH; it is not a simulated frame.")
                header, table = hdus[TRUTH].header, Table.read(hdus[TRUTH])
                return Detections(_plain_table(table), _units(header))
        except TableRejected:
            raise
        except Exception as error:  # a damaged file makes astropy raise almost anything
            raise TableRejected("The table TRUTH of this FITS file is damaged.") from error


def _astropy_table(truth: pd.DataFrame) -> Table:
    from astropy.table import Table

    return Table({name: _values(column) for name, column in truth.items()})


def _values(column: pd.Series) -> NDArray[Any]:
    if pd.api.types.is_bool_dtype(column):
        return column.to_numpy(bool)
    if pd.api.types.is_integer_dtype(column):
        return column.to_numpy(np.int64)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64)
    texts = [ascii_only(str(value)) if value is not None and value == value else "" for value in column]
    # An empty column of text still has a width, or FITS cannot say what it holds.
    return np.array(texts, dtype=f"S{max([len(text) for text in texts] + [1])}")


def _plain_table(table: Table) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in table.colnames:
        values = np.ma.asarray(table[name])
        if values.dtype.kind in "SU":
            texts = (
                np.char.decode(values.filled(b""), "ascii") if values.dtype.kind == "S" else values.filled("")
            )
            columns[name] = [str(text) or None for text in texts]
        elif values.dtype.kind == "f":
            columns[name] = values.filled(np.nan).astype(np.float64)
        else:
            columns[name] = values.data
    frame = pd.DataFrame(columns)
    for name in TEXT_COLUMNS:
        if name in frame:
            frame[name] = frame[name].astype(object)
    return frame


def _units(header: Header) -> dict[str, str]:
    numbers = range(1, int(header["TFIELDS"]) + 1)
    return {header[f"TTYPE{i}"]: header[f"TUNIT{i}"] for i in numbers if f"TUNIT{i}" in header}
