"""What a FITS file claims to hold, read from its headers alone and held against the file's real size.

astropy trusts NAXISn when it makes room for the pixels, so a header that claims 320 GB must be caught
before astropy sees the data. Here the headers are found block by block, given to astropy's own header
parser, and added up; no pixel is touched.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import FrameRejected
from core.frames.limits import MAX_AXES, MAX_HDUS, MAX_HEADER_CARDS, MIN_SIDE

if TYPE_CHECKING:
    from astropy.io.fits import Header

BLOCK = 2880
CARD = 80
BITPIX = (8, 16, 32, 64, -32, -64)
_END = b"END".ljust(8)


@dataclass(frozen=True)
class Hdu:
    """One header and the data that should follow it.

    Attributes:
        index: Its number in the file, from 0.
        header: As astropy parsed it.
        is_compressed: Whether it is a tile-compressed image, kept as a table.
        shape: Shape of the image in numpy's order; empty for a table or when there are no pixels.
        bitpix: Bits a pixel, negative for floating point.
        is_complete: Whether all of its data is in the file.
    """

    index: int
    header: Header
    is_compressed: bool
    shape: tuple[int, ...]
    bitpix: int
    is_complete: bool

    @property
    def is_image(self) -> bool:
        """Whether it has an image of two or more axes."""
        return len(self.shape) >= 2

    @property
    def is_interleaved(self) -> bool:
        """Whether the three colours of a pixel stand beside each other, as some programs write them."""
        return (
            len(self.shape) == 3
            and self.shape[-1] == 3
            and min(self.shape[:2]) >= MIN_SIDE
            and str(card(self.header, "CTYPE1") or "").strip().upper() in ("", "RGB")
        )

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of each plane."""
        height, width = self.shape[:2] if self.is_interleaved else self.shape[-2:]
        return height, width

    @property
    def planes(self) -> int:
        """How many planes the image has; a plain image has one."""
        return math.prod(self.shape) // math.prod(self.size)


@dataclass(frozen=True)
class Layout:
    """The HDUs of a file, up to the first one that cannot be understood.

    Attributes:
        hdus: Those that could be read, at least one.
        trouble: Why reading stopped before the end of the file, or None.
    """

    hdus: tuple[Hdu, ...]
    trouble: FrameRejected | None = None


def read_layout(stream: io.BytesIO, name: str) -> Layout:
    """Walk through the headers of a FITS file.

    Args:
        stream: The whole file.
        name: Its name, already fit to be shown.

    Raises:
        FrameRejected: The first header is damaged, cut short or contradicts itself.
    """
    size = stream.seek(0, io.SEEK_END)
    hdus: list[Hdu] = []
    offset = 0
    while offset < size and len(hdus) < MAX_HDUS:
        stream.seek(offset)
        try:
            header = _read_header(stream, name, len(hdus))
            if header is None:
                break
            data_offset = stream.tell()
            data_bytes = _data_bytes(header, name)
            hdus.append(_hdu(header, len(hdus), data_offset + data_bytes <= size, name))
        except FrameRejected as trouble:
            if not hdus:
                raise
            return Layout(tuple(hdus), trouble)
        offset = data_offset + -(-data_bytes // BLOCK) * BLOCK
    return Layout(tuple(hdus))


def _read_header(stream: io.BytesIO, name: str, index: int) -> Header | None:
    """The header at the stream's position, or None for the unformatted records a file may end with."""
    from astropy.io.fits import Header
    from astropy.utils.exceptions import AstropyWarning

    blocks: list[bytes] = []
    while len(blocks) * (BLOCK // CARD) < MAX_HEADER_CARDS:
        block = stream.read(BLOCK)
        if index > 0 and not blocks and not block.startswith(b"XTENSION"):
            return None
        if len(block) < BLOCK:
            raise FrameRejected(f"'{name}' ends in the middle of a FITS header; try to copy it again.")
        blocks.append(block)
        if any(block[start : start + 8] == _END for start in range(0, len(block), CARD)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AstropyWarning)
                return Header.fromstring(b"".join(blocks).decode("ascii", errors="replace"))
    raise FrameRejected(
        f"'{name}' has a FITS header of more than {MAX_HEADER_CARDS:,} cards, or one without an end.",
        parameter="header_cards",
        limit=MAX_HEADER_CARDS,
    )


def _hdu(header: Header, index: int, is_complete: bool, name: str) -> Hdu:
    is_compressed = card(header, "ZIMAGE") is True
    prefix = "Z" if is_compressed else ""
    is_table = not is_compressed and str(card(header, "XTENSION") or "IMAGE").strip() != "IMAGE"
    axes = () if is_table else _axes(header, prefix, name)
    return Hdu(
        index=index,
        header=header,
        is_compressed=is_compressed,
        shape=axes[::-1] if math.prod(axes) else (),
        bitpix=_bitpix(header, prefix, name),
        is_complete=is_complete,
    )


def _axes(header: Header, prefix: str, name: str) -> tuple[int, ...]:
    count = whole_number(header, f"{prefix}NAXIS", name, high=MAX_AXES)
    return tuple(whole_number(header, f"{prefix}NAXIS{axis + 1}", name) for axis in range(count))


def _bitpix(header: Header, prefix: str, name: str) -> int:
    value = card(header, f"{prefix}BITPIX")
    if not isinstance(value, int) or isinstance(value, bool) or value not in BITPIX:
        raise FrameRejected(
            f"'{name}' has a damaged FITS header: {prefix}BITPIX should be one of "
            f"{', '.join(map(str, BITPIX))}, and is {_shown(value)}.",
            parameter="BITPIX",
            given=value,
            limit=BITPIX,
        )
    return value


def _data_bytes(header: Header, name: str) -> int:
    """Bytes of data after a header (FITS standard 4.0, equations 1 and 2)."""
    axes = _axes(header, "", name)
    if not axes:
        return 0
    if axes[0] == 0 and card(header, "GROUPS") is True:
        axes = axes[1:]
    groups = whole_number(header, "GCOUNT", name, default=1)
    extra = whole_number(header, "PCOUNT", name, default=0)
    return abs(_bitpix(header, "", name)) // 8 * groups * (extra + math.prod(axes))


def whole_number(
    header: Header, key: str, name: str, *, default: int | None = None, high: int | None = None
) -> int:
    """A card that must be a whole number of 0 or more.

    Raises:
        FrameRejected: It is missing without a default, damaged, negative or above ``high``.
    """
    value = card(header, key)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (high and value > high):
        raise FrameRejected(
            f"'{name}' has a damaged FITS header: {key} should be a whole number of 0 or more"
            f"{f' and at most {high}' if high else ''}, and is {_shown(value)}.",
            parameter=key,
            given=value,
        )
    return value


def card(header: Header, key: str) -> bool | int | float | str | None:
    """The value of a card as a plain Python value; None when it is missing, empty or damaged."""
    from astropy.io.fits import VerifyError
    from astropy.utils.exceptions import AstropyWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            value = header.get(key)
        except (VerifyError, ValueError):
            return None
    return value if isinstance(value, bool | int | float | str) else None


def _shown(value: object) -> str:
    return "missing or unreadable" if value is None else str(value)[:20]
