"""Reading PNG and JPEG pictures."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import FrameRejected
from core.frames.frame import Frame
from core.frames.layers import frame_pixels, upright
from core.frames.limits import MAX_JPEG_SCANS, check_size
from core.frames.missing import finite

_START_OF_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
"""The marker with its length and number of colours: by itself it also stands in films that phones append."""
_PNG_SIZE = slice(16, 24)
_PNG_DEPTH, _PNG_COLOUR_TYPE = 24, 25
_EXIF_ORIENTATION = 0x0112
_PNG_GREY = 0


def read_png(data: bytes, name: str, sha256: str) -> Frame:
    """Read a PNG picture of 8 or 16 bits: grey, colour, palette, with or without alpha, turned upright.

    Raises:
        FrameRejected: The file is damaged, cut short, or too large.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise _damaged(name, "PNG")
    width, height = (int(side) for side in np.frombuffer(data[_PNG_SIZE], ">u4"))
    check_size(name, width, height)
    is_deep = data[_PNG_DEPTH] == 16
    _, orientation = _open(data, name, "PNG", verify=True)
    if is_deep and data[_PNG_COLOUR_TYPE] != _PNG_GREY:
        stored = _deep_png(data, name)  # Pillow would drop the lower 8 bits of each colour
    else:
        stored, _ = _open(data, name, "PNG")
    return _frame(stored, 65535.0 if is_deep else 255.0, orientation, name, sha256)


def read_jpeg(data: bytes, name: str, sha256: str) -> Frame:
    """Read a JPEG picture, grey, colour or CMYK, turned upright as its EXIF orientation asks.

    Raises:
        FrameRejected: The file is damaged, cut short, or too large.
    """
    if sum(1 for _ in _START_OF_SCAN.finditer(data)) > MAX_JPEG_SCANS:
        raise FrameRejected(
            f"'{name}' is a JPEG picture in more than {MAX_JPEG_SCANS} passes, which would take too long.",
            parameter="scans",
            limit=MAX_JPEG_SCANS,
        )
    stored, orientation = _open(data, name, "JPEG")
    return _frame(stored, 255.0, orientation, name, sha256)


def _open(data: bytes, name: str, kind: str, verify: bool = False) -> tuple[NDArray[Any], int]:
    """The channels ``(H, W)`` or ``(H, W, C)`` and the EXIF orientation; only a check with ``verify``."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
                check_size(name, *picture.size)
                # Of a PNG without any Pillow would decode the whole picture to look behind it.
                orientation = picture.getexif().get(_EXIF_ORIENTATION) if "exif" in picture.info else 1
                orientation = orientation if isinstance(orientation, int) else 1
                if verify:
                    picture.verify()
                    return np.empty((0, 0)), orientation
                return np.asarray(_plain(picture)), orientation
    except FrameRejected:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise FrameRejected(f"'{name}' claims more pixels than are read.") from None
    except Exception as error:  # Pillow's plug-ins raise OSError, SyntaxError, struct.error and others
        raise _damaged(name, kind) from error


def _plain(picture: Any) -> Any:
    """The picture in a mode whose numbers are brightnesses: grey or RGB, with alpha where it has some."""
    if picture.mode in ("L", "LA", "RGB", "RGBA", "I;16", "I;16B", "I"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    has_alpha = picture.mode in ("PA", "RGBa", "La") or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _deep_png(data: bytes, name: str) -> NDArray[Any]:
    import imagecodecs

    try:
        return np.asarray(imagecodecs.png_decode(data))
    except Exception as error:  # libpng's words are for programmers
        raise _damaged(name, "PNG") from error


def _frame(stored: NDArray[Any], saturation: float, orientation: int, name: str, sha256: str) -> Frame:
    pixels, note = finite(upright(frame_pixels(stored), orientation), name)
    return Frame(
        name=name,
        pixels=pixels,
        sha256=sha256,
        row0="top",
        saturation=saturation,
        notes=(note,) if note else (),
    )


def _damaged(name: str, kind: str) -> FrameRejected:
    return FrameRejected(f"'{name}' is a damaged {kind} picture or was cut short; try to copy it again.")
