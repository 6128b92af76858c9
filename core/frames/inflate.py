"""Inflating a ``.gz`` file with its bytes counted, so that a bomb is refused before it goes off."""

from __future__ import annotations

import io
import zlib

from core.errors import FrameRejected
from core.frames.limits import MAX_INFLATED_BYTES
from core.frames.signatures import HEAD_BYTES, describe, format_of

_PIECE = 2**20
_GZIP = 16 + zlib.MAX_WBITS


def inflate_fits(data: bytes, name: str) -> io.BytesIO:
    """The FITS file inside a gzip file.

    The first bytes are looked at before the rest is inflated, so anything but FITS costs nothing.

    Args:
        data: The gzip file's bytes.
        name: The file's name, already fit to be shown.

    Raises:
        FrameRejected: It is damaged, cut short, does not hold FITS, or inflates to more than
            :data:`~core.frames.limits.MAX_INFLATED_BYTES`.
    """
    inflated = io.BytesIO()
    rest: bytes | memoryview = data
    try:
        while rest:  # a gzip file may be several, one after the other
            rest = _inflate_member(rest, inflated, name)
            if bytes(rest[:2]) != b"\x1f\x8b":
                break  # padding or other bytes after the last one, which gzip itself ignores
    except zlib.error:
        raise FrameRejected(f"'{name}' is a damaged gzip file; try to copy it again.") from None
    inflated.seek(0)
    return inflated


def _inflate_member(data: bytes | memoryview, into: io.BytesIO, name: str) -> memoryview:
    inflater = zlib.decompressobj(_GZIP)
    view = memoryview(data)
    start, pending = 0, b""
    while not inflater.eof:
        if not pending:
            pending = bytes(view[start : start + _PIECE])
            start += len(pending)
        is_first = into.tell() == 0
        exhausted = not pending  # zlib may still hold output back, so it is asked once more
        piece = inflater.decompress(pending, HEAD_BYTES if is_first else _PIECE)
        pending = inflater.unconsumed_tail
        if exhausted and not piece and not inflater.eof:
            raise FrameRejected(f"'{name}' is a gzip file that was cut short; try to copy it again.")
        if is_first and piece and format_of(piece) != "FITS":
            raise FrameRejected(
                f"'{name}' is a gzip file whose content is {describe(piece)}; only FITS is read from gzip."
            )
        if into.tell() + len(piece) > MAX_INFLATED_BYTES:
            raise FrameRejected(
                f"'{name}' inflates to more than {MAX_INFLATED_BYTES // 2**20} MiB, which is the limit.",
                parameter="inflated_bytes",
                limit=MAX_INFLATED_BYTES,
            )
        into.write(piece)
    return view[start - len(inflater.unused_data) :]
