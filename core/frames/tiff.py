"""Reading TIFF: 8, 16 and 32-bit integers and floats, grey, colour and palette, page by page."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import FrameRejected
from core.frames.fits import HduChoice
from core.frames.frame import Frame
from core.frames.layers import frame_pixels, upright
from core.frames.limits import MAX_PAGES, MAX_PIXELS, check_size
from core.frames.missing import finite

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_NONE, _LZW, _JPEG, _DEFLATE, _PACKBITS, _OLD_DEFLATE, _ZSTD = 1, 5, 7, 8, 32773, 32946, 50000
_COMPRESSIONS = (_NONE, _LZW, _JPEG, _DEFLATE, _PACKBITS, _OLD_DEFLATE, _ZSTD)
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_MIN_IS_WHITE, _PALETTE, _CMYK, _YCBCR, _CFA = 0, 3, 5, 6, 32803
_DNG_VERSION, _ORIENTATION, _GDAL_NODATA, _GEO_KEYS = 50706, 274, 42113, 34735
_MOST_CHANNELS = 4
_PALETTE_TO_8_BIT = 257.0
"""TIFF palettes are 16-bit; 8-bit pictures have one of these to a step."""


def read_tiff(data: bytes, name: str, sha256: str, page: int | None) -> Frame:
    """Read one page of a TIFF file.

    Values are kept as stored, save that a palette gives its colours on a scale of 0 to 255 and that
    "white is zero" is turned round. Pixels that GDAL marks as empty are missing. Thumbnails are not counted
    as pages.

    Args:
        data: The file.
        name: Its name, already fit to be shown.
        sha256: Hash of the file's bytes.
        page: Which page, from 0; the first when None.

    Raises:
        FrameRejected: The file is damaged, is a camera's raw file or holds what is not read, or there is
            no such page.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            full = _full_pages(tiff, data, name)
            chosen = _choose(full, page, name)
            _check(chosen, name, len(data))
            raw = _raw(chosen)
            stored, missing = _channels(chosen, raw), _missing(chosen, raw)
            orientation = chosen.tags.get(_ORIENTATION)
            # Programs for maps do not turn their pixels, and their positions count on that.
            turn = int(orientation.value) if orientation is not None and _GEO_KEYS not in chosen.tags else 1
            saturation = _saturation(chosen)
    except FrameRejected:
        raise
    except Exception as error:  # tifffile and its codecs raise almost anything for a damaged file
        raise FrameRejected(f"'{name}' is a damaged TIFF file: its image cannot be read.") from error
    pixels = frame_pixels(stored)
    if missing is not None:
        pixels[missing] = np.nan
    pixels, missing_note = finite(upright(pixels, turn), name)
    is_first_of_many = page is None and len(full) > 1
    page_note = f"The file has {len(full):,} pages; this is the first." if is_first_of_many else None
    return Frame(
        name=name,
        pixels=pixels,
        sha256=sha256,
        row0="top",
        saturation=saturation,
        plane=0 if is_first_of_many else page,
        notes=tuple(note for note in (page_note, missing_note) if note),
    )


def has_bands(data: bytes) -> bool:
    """Whether pixels of a TIFF file have more values than a colour and its alpha: it is a stack of maps."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            first = tiff.pages.first
            return first.samplesperpixel > _MOST_CHANNELS and first.imagedepth == 1
    except Exception:  # as above; what is wrong with it is said when it is read
        return False


def tiff_choice(data: bytes, name: str) -> HduChoice:
    """What there is to choose in a TIFF file, by its tags alone: its planes are its pages.

    Pages need not be alike; the sizes are those of the first.

    Raises:
        FrameRejected: The file is damaged or a camera's raw file.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            first, *others = _full_pages(tiff, data, name)
            _check(first, name, len(data))
            bits = -first.bitspersample if first.sampleformat == _FLOAT else first.bitspersample
            return HduChoice(0, "", first.imagewidth, first.imagelength, 1 + len(others), bits)
    except FrameRejected:
        raise
    except Exception as error:  # as above
        raise FrameRejected(f"'{name}' is a damaged TIFF file: its pages cannot be told.") from error


def _full_pages(tiff: TiffFile, data: bytes, name: str) -> list[TiffPage]:
    """The pages that are no thumbnails, one at least; not those of a camera's raw file."""
    from tifffile import TiffPage

    if data[8:10] == b"CR":
        raise _raw_file(name)
    pages = [one for one in islice(tiff.pages, MAX_PAGES) if isinstance(one, TiffPage)]
    if not pages:
        raise FrameRejected(f"'{name}' is a TIFF file without an image in it.")
    if any(_DNG_VERSION in one.tags or one.photometric == _CFA for one in pages[:4]):
        raise _raw_file(name)
    full = [one for one in pages if not one.is_reduced]
    if not full:
        raise _raw_file(name)  # Nikon's and Sony's raw files show a thumbnail and hide the rest
    return full


def _choose(full: list[TiffPage], page: int | None, name: str) -> TiffPage:
    if page is not None and not 0 <= page < len(full):
        raise FrameRejected(
            f"'{name}' has {len(full):,} page{'s' if len(full) > 1 else ''}, "
            f"counted from 0; there is no page {page}.",
            parameter="plane",
            given=page,
            limit=len(full) - 1,
        )
    return full[page or 0]


def _check(page: TiffPage, name: str, file_bytes: int) -> None:
    """Refuse what would cost too much or could not be shown, by the page's tags alone."""
    check_size(name, page.imagewidth, page.imagelength)
    channels = page.samplesperpixel
    if (
        page.imagedepth != 1
        or not 1 <= channels <= _MOST_CHANNELS
        or (page.photometric == _CMYK and channels != 4)
    ):
        raise FrameRejected(f"'{name}' has {channels} channels; grey and colour TIFF images are read.")
    if page.sampleformat not in (_UNSIGNED, _SIGNED, _FLOAT) or page.bitspersample not in (1, 8, 16, 32, 64):
        raise FrameRejected(
            f"'{name}' has a kind of pixel that is not read; TIFF images of 8, 16 or 32-bit integers "
            "or of floating point numbers are."
        )
    if page.compression not in _COMPRESSIONS:
        raise FrameRejected(
            f"'{name}' is compressed in a way that is not read; save the TIFF without compression, "
            "or with LZW or deflate."
        )
    if page.is_tiled and page.tilewidth * page.tilelength > MAX_PIXELS:
        raise FrameRejected(f"'{name}' contradicts itself: its tiles are larger than its image.")
    claimed = page.imagewidth * page.imagelength * channels * page.bitspersample // 8
    if page.compression == _NONE and claimed > file_bytes:
        raise FrameRejected(
            f"'{name}' was cut short: it claims {page.imagewidth:,} × {page.imagelength:,} pixels, "
            "and not all of them are there."
        )
    pieces = zip(page.dataoffsets, page.databytecounts, strict=True)
    if any(start + count > file_bytes for start, count in pieces):
        raise FrameRejected(f"'{name}' was cut short: part of its image lies outside the file.")


def _raw(page: TiffPage) -> NDArray[Any]:
    """``(H, W)`` or ``(H, W, C)`` as stored."""
    stored: NDArray[Any] = np.squeeze(page.asarray())
    return np.moveaxis(stored, 0, -1) if page.axes.startswith("S") and stored.ndim == 3 else stored


def _missing(page: TiffPage, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """``(H, W)``: where pixels hold the value by which GDAL marks those without one; None when it names none.

    A colour of a picture may well have that value (0, as a rule) beside others; a measured one may not.
    """
    tag = page.tags.get(_GDAL_NODATA)
    try:
        empty = float(str(tag.value).strip("\0 ")) if tag is not None else np.nan
    except ValueError:
        empty = np.nan
    if np.isnan(empty):
        return None
    with np.errstate(over="ignore"):
        alike: NDArray[np.bool_] = stored == empty
    if alike.ndim == 2:
        return alike
    colours = alike[..., :3] if alike.shape[2] >= 3 else alike[..., :1]
    together = np.any if stored.dtype.kind == "f" else np.all
    return np.asarray(together(colours, axis=2))


def _channels(page: TiffPage, stored: NDArray[Any]) -> NDArray[Any]:
    """``(H, W)`` or ``(H, W, C)``, with palettes, inverted greys and inks resolved.

    Args:
        page: The page.
        stored: Its channels as stored.
    """
    if page.photometric == _PALETTE and page.colormap is not None and stored.ndim == 2:
        return np.moveaxis(page.colormap[:, stored], 0, -1).astype(np.float32) / _PALETTE_TO_8_BIT
    if page.photometric == _MIN_IS_WHITE:
        top = 1 if page.bitspersample == 1 else _full_scale(page)
        return stored if top is None else top - stored
    if page.photometric == _CMYK:
        scale = np.float32(_full_scale(page) or 1.0)
        ink = stored.astype(np.float32)
        return (scale - ink[:, :, :3]) * (scale - ink[:, :, 3:]) / scale
    return stored


def _full_scale(page: TiffPage) -> int | None:
    """The largest value of an 8 or 16-bit unsigned channel; None for every other kind."""
    is_small = page.sampleformat == _UNSIGNED and page.bitspersample in (8, 16)
    return 2**page.bitspersample - 1 if is_small else None


def _saturation(page: TiffPage) -> float | None:
    if page.photometric == _PALETTE:
        return 255.0
    full = _full_scale(page)
    return None if full is None else float(full)


def _raw_file(name: str) -> FrameRejected:
    return FrameRejected(f"'{name}' is a camera's raw picture; convert it to FITS or to 16-bit TIFF first.")
