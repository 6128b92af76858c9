"""Frames that were analysed: what is known of them, not their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.catalogues.tables import SourceTable
from core.frames import Frame
from core.parameters import canonical_json

if TYPE_CHECKING:
    import duckdb

_STORED = (
    "frame_key, name, sha256, width, height, colour, pixel_scale_arcsec, centre_ra_deg, centre_dec_deg, "
    "hdu, plane, processing, first_seen"
)


@dataclass(frozen=True)
class StoredFrame:
    """A frame that was analysed.

    Attributes:
        key: Hash of the very pixels.
        name: File name when it was first seen.
        sha256: Hash of the file.
        width, height: In pixels; 0 for a table.
        colour: Whether it has red, green and blue.
        pixel_scale_arcsec: Arcseconds a pixel, or None.
        centre_ra_deg, centre_dec_deg: ICRS position of the centre in degrees, or None.
        hdu, plane, processing: What was taken from the file and done to it.
        first_seen: In UTC.
    """

    key: str
    name: str
    sha256: str
    width: int
    height: int
    colour: bool
    pixel_scale_arcsec: float | None
    centre_ra_deg: float | None
    centre_dec_deg: float | None
    hdu: int | None
    plane: int | None
    processing: str
    first_seen: datetime


def insert_frame(cursor: duckdb.DuckDBPyConnection, frame: Frame | SourceTable) -> None:
    """Write a frame, or a table that stands in its place, unless the same one was seen before."""
    if isinstance(frame, SourceTable):
        cursor.execute(
            "INSERT INTO frames (frame_key, name, sha256, width, height, colour, processing, first_seen, "
            "header) VALUES (?, ?, ?, 0, 0, false, '', ?, ?) ON CONFLICT DO NOTHING",
            [
                frame.key,
                frame.name,
                frame.sha256,
                datetime.now(UTC).replace(tzinfo=None),
                canonical_json({"rows": len(frame)}),
            ],
        )
        return
    ra_deg, dec_deg = _centre(frame)
    cursor.execute(
        "INSERT INTO frames (frame_key, name, sha256, width, height, colour, pixel_scale_arcsec, "
        "centre_ra_deg, centre_dec_deg, hdu, plane, processing, first_seen, header) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            frame.key,
            frame.name,
            frame.sha256,
            frame.width,
            frame.height,
            frame.is_colour,
            frame.pixel_scale_arcsec,
            ra_deg,
            dec_deg,
            frame.hdu,
            frame.plane,
            frame.processing,
            datetime.now(UTC).replace(tzinfo=None),
            canonical_json({name: _json_value(value) for name, value in frame.header.items()}),
        ],
    )


def select_frames(cursor: duckdb.DuckDBPyConnection, limit: int | None) -> list[StoredFrame]:
    """The frames that were analysed, the one first seen last first."""
    rows = cursor.execute(
        f"SELECT {_STORED} FROM frames ORDER BY first_seen DESC, frame_key LIMIT ?",  # noqa: S608 (constant)
        [limit],
    ).fetchall()
    return [_stored_frame(row) for row in rows]


def _stored_frame(row: tuple[Any, ...]) -> StoredFrame:
    values = dict(zip(StoredFrame.__dataclass_fields__, row, strict=True))
    values["first_seen"] = values["first_seen"].replace(tzinfo=UTC)
    return StoredFrame(**values)


def _centre(frame: Frame) -> tuple[float | None, float | None]:
    sky = frame.sky((frame.width - 1) / 2, (frame.height - 1) / 2)
    if sky is None or not all(math.isfinite(float(angle[0])) for angle in sky):
        return None, None
    return float(sky[0][0]), float(sky[1][0])


def _json_value(value: str | int | float | bool) -> str | int | float | bool | None:
    """JSON has no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
