"""Reading a frame from a file or from its bytes, whatever its name says it is."""

from __future__ import annotations

import hashlib
import io
import stat
from pathlib import Path

from core.errors import FrameRejected
from core.frames.fits import HduChoice, fits_image_hdus, read_fits
from core.frames.frame import Frame
from core.frames.inflate import inflate_fits
from core.frames.limits import MAX_FILE_BYTES
from core.frames.maps import map_choice, on_its_ground, read_map
from core.frames.naming import display_name
from core.frames.picture import read_jpeg, read_png
from core.frames.signatures import HEAD_BYTES, Format, describe, format_of
from core.frames.tiff import has_bands, read_tiff, tiff_choice

Source = str | Path | bytes


def read_frame(
    source: Source, *, name: str | None = None, hdu: int | None = None, plane: int | None = None
) -> Frame:
    """Read a FITS (also ``.fits.fz`` and ``.fits.gz``), TIFF, PNG or JPEG file, or a planetary map.

    Planetary maps are ISIS3 cubes, PDS3 images with the label in the file, VICAR images and GeoTIFF.
    The content decides what the file is, never its extension. Everything a header claims is checked
    against the limits of :mod:`core.frames.limits` before room is made for pixels.

    Args:
        source: A path, or the file's bytes.
        name: What to call it; by default the file's name.
        hdu: Which FITS HDU; by default the first that holds an image. See :func:`image_hdus`.
        plane: Which plane of a FITS cube, page of a TIFF or band of a map, from 0; by default the first, or
            the three planes of a colour FITS together.

    Raises:
        FrameRejected: The file cannot be analysed; the message is one plain sentence that says why.
    """
    data, shown = _load(source, name)
    kind = _format(data, shown)
    sha256 = hashlib.sha256(data).hexdigest()
    if kind in ("FITS", "gzip"):
        stream = inflate_fits(data, shown) if kind == "gzip" else io.BytesIO(data)
        return read_fits(stream, shown, sha256, hdu, plane)
    if hdu is not None:
        raise FrameRejected(f"'{shown}' is a {kind} file, which has no HDUs to choose from.", parameter="hdu")
    if kind == "TIFF" and not has_bands(data):
        return on_its_ground(read_tiff(data, shown, sha256, plane), data)
    if kind == "TIFF" or kind == "ISIS3" or kind == "PDS3" or kind == "VICAR":
        return read_map(data, shown, sha256, kind, plane)
    if plane not in (None, 0):
        raise FrameRejected(f"'{shown}' is a {kind} picture, which has one plane.", parameter="plane")
    return read_png(data, shown, sha256) if kind == "PNG" else read_jpeg(data, shown, sha256)


def image_hdus(source: Source, *, name: str | None = None) -> tuple[HduChoice, ...]:
    """The HDUs of a FITS file that hold an image, for a person to choose from.

    A TIFF file of several pages, or a planetary map of several bands, is one whose planes they are; other
    files leave nothing to choose.

    Raises:
        FrameRejected: The file cannot be read.
    """
    data, shown = _load(source, name)
    kind = _format(data, shown)
    if kind in ("FITS", "gzip"):
        return fits_image_hdus(inflate_fits(data, shown) if kind == "gzip" else io.BytesIO(data), shown)
    if kind == "TIFF" and not has_bands(data):
        choice = tiff_choice(data, shown)
    elif kind == "TIFF" or kind == "ISIS3" or kind == "PDS3" or kind == "VICAR":
        choice = map_choice(data, shown, kind)
    else:
        return ()
    return (choice,) if choice.planes > 1 else ()


def _load(source: Source, name: str | None) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        shown = display_name(name or "")
        _check_bytes(len(source), shown)
        return source, shown
    path = Path(source)
    shown = display_name(name or path.name)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise FrameRejected(f"'{shown}' is not a file.", parameter="source")
        _check_bytes(found.st_size, shown)
        return path.read_bytes(), shown
    except FileNotFoundError:
        raise FrameRejected(f"There is no file '{shown}'.", parameter="source") from None
    except (OSError, ValueError):
        raise FrameRejected(f"'{shown}' cannot be opened.", parameter="source") from None


def _check_bytes(size: int, shown: str) -> None:
    if size == 0:
        raise FrameRejected(f"'{shown}' is empty.", parameter="bytes", given=0)
    if size > MAX_FILE_BYTES:
        raise FrameRejected(
            f"'{shown}' has {size / 2**20:,.0f} MiB; at most {MAX_FILE_BYTES // 2**20} MiB are read.",
            parameter="bytes",
            given=size,
            limit=MAX_FILE_BYTES,
        )


def _format(data: bytes, shown: str) -> Format:
    head = data[:HEAD_BYTES]
    kind = format_of(head)
    if kind is None:
        raise FrameRejected(
            f"'{shown}' is {describe(head)}; a frame is a FITS, TIFF, PNG or JPEG file, or a planetary map "
            "with its label in the same file (ISIS cube, PDS3 or VICAR).",
            parameter="format",
        )
    return kind
