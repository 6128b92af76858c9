"""Exports: a result as a file that other tools read, with its provenance inside.

One file a format. Every format has an entry in :data:`FORMATS`; pages list what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ExportRefused
from core.export.catalogue import Catalogue
from core.export.coco import write_coco
from core.export.csv import write_csv
from core.export.ds9 import write_ds9
from core.export.picture import write_png
from core.export.tables import write_ecsv, write_fits, write_parquet, write_votable
from core.export.yolo import write_yolo
from core.frames import Frame
from core.results import Detections, Result

__all__ = ["FORMATS", "ExportFormat", "export"]


@dataclass(frozen=True)
class ExportFormat:
    """A format a result can be taken home in.

    Attributes:
        name: What :func:`export` calls it.
        title: What a person calls it.
        extension: Of the file, with its dot.
        mime: Media type for a download.
        purpose: One sentence: what it is for.
        write: Gives the bytes of the file.
        needs_frame: Whether it cannot be written without the frame.
    """

    name: str
    title: str
    extension: str
    mime: str
    purpose: str
    write: Callable[[Catalogue], bytes] = field(repr=False)
    needs_frame: bool = False


FORMATS: dict[str, ExportFormat] = {
    entry.name: entry
    for entry in (
        ExportFormat(
            "csv",
            "CSV",
            ".csv",
            "text/csv",
            "Opens in a spreadsheet and in pandas; the provenance stands in comment lines that begin with #.",
            write_csv,
        ),
        ExportFormat(
            "ecsv",
            "ECSV",
            ".ecsv",
            "text/plain",
            "A text table for astropy that keeps units, types and provenance.",
            write_ecsv,
        ),
        ExportFormat(
            "votable",
            "VOTable",
            ".vot",
            "application/x-votable+xml",
            "For TOPCAT, Aladin and other tools of the Virtual Observatory.",
            write_votable,
        ),
        ExportFormat(
            "fits",
            "FITS table",
            ".fits",
            "application/fits",
            "A binary table with units for any astronomical software.",
            write_fits,
        ),
        ExportFormat(
            "parquet",
            "Parquet",
            ".parquet",
            "application/vnd.apache.parquet",
            "Small and quick to read for pandas, DuckDB and TOPCAT; it keeps types, units and provenance.",
            write_parquet,
        ),
        ExportFormat(
            "ds9",
            "DS9 regions",
            ".reg",
            "text/plain",
            "Shapes to lay over the frame in SAOImage DS9 or CARTA.",
            write_ds9,
        ),
        ExportFormat(
            "coco",
            "COCO",
            ".json",
            "application/json",
            "Boxes and centres to train or to score an object detector with.",
            write_coco,
        ),
        ExportFormat(
            "yolo",
            "YOLO",
            ".zip",
            "application/zip",
            "An archive of labels, classes and, where the frame is at hand, the picture to train YOLO with.",
            write_yolo,
        ),
        ExportFormat(
            "png",
            "Annotated picture",
            ".png",
            "image/png",
            "The frame with what was found drawn on it, a scale bar and a legend, for a slide or a post.",
            write_png,
            needs_frame=True,
        ),
    )
}
"""The formats by name."""


def export(
    result: Result,
    format: str,
    *,
    frame: Frame | None = None,
    detections: Detections | None = None,
    extra: Mapping[str, Any] | None = None,
    labels: Sequence[str] = (),
) -> bytes:
    """Write a result in one of :data:`FORMATS`.

    Args:
        result: What a method found, with its provenance.
        format: Name of the format.
        frame: The frame it was found on: gives sky coordinates, the scale and the picture.
        detections: What to write in place of the result's own detections (a corrected catalogue).
        extra: Further facts for the provenance, such as ``human_edits`` and ``edited_by``.
        labels: The method's classes. They are numbered in this order in COCO and YOLO, whether or not
            they were found, so that the numbers of several exports agree.

    Returns:
        The bytes of the file.

    Raises:
        ExportRefused: There is no such format, the result has no provenance, the frame is another one
            than the result's, or the format needs the frame and there is none.
    """
    if format not in FORMATS:
        raise ExportRefused(
            f"There is no export format {format!r}; there are: {', '.join(FORMATS)}.",
            parameter="format",
            given=format,
            limit=", ".join(FORMATS),
        )
    catalogue = Catalogue.of(result, frame=frame, detections=detections, extra=extra, labels=labels)
    return FORMATS[format].write(catalogue)
