"""Inflating a ``.gz`` file with its bytes counted, so that a bomb is refused before it goes off."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

from core.errors import AlmagestError, FrameRejected
from core.frames.limits import MAX_INFLATED_BYTES
from core.frames.signatures import describe, format_of

GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES, _PIECE = 2048, 2**20
_GZIP = 16 + zlib.MAX_WBITS


def inflate_fits(data: bytes, name: str) -> io.BytesIO:
    """The FITS file inside a gzip file; see :func:`inflate`.

    Raises:
        FrameRejected: It is damaged, cut short, does not hold FITS, or inflates to more than
            :data:`~core.frames.limits.MAX_INFLATED_BYTES`.
    """

    def check(head: bytes) -> None:
        if format_of(head) != "FITS":
            raise FrameRejected(
                f"'{name}' is a gzip file whose content is {describe(head)}; only FITS is read from gzip."
            )

    return inflate(data, name, check, MAX_INFLATED_BYTES, FrameRejected)


def inflate(
    data: bytes,
    name: str,
    check: Callable[[bytes], object],
    most_bytes: int,
    rejected: type[AlmagestError],
) -> io.BytesIO:
    """The file inside a gzip file.

    Args:
        data: The gzip file's bytes.
        name: The file's name, already fit to be shown.
        check: Given the first bytes before the rest is inflated; raises where they are not wanted.
        most_bytes: Largest file inside.
        rejected: The error of a gzip file that is damaged, cut short, or holds more than that.
    """
    inflated = io.BytesIO()
    rest: bytes | memoryview = data
    try:
        while rest:  # a gzip file may be several, one after the other
            rest = _inflate_member(rest, inflated, name, check, most_bytes, rejected)
            if bytes(rest[:2]) != GZIP_MAGIC:
                break  # padding or other bytes after the last one, which gzip itself ignores
    except zlib.error:
        raise rejected(f"'{name}' is a damaged gzip file; try to copy it again.") from None
    inflated.seek(0)
    return inflated


def _inflate_member(
    data: bytes | memoryview,
    into: io.BytesIO,
    name: str,
    check: Callable[[bytes], object],
    most_bytes: int,
    rejected: type[AlmagestError],
) -> memoryview:
    inflater = zlib.decompressobj(_GZIP)
    view = memoryview(data)
    start, pending = 0, b""
    while not inflater.eof:
        if not pending:
            pending = bytes(view[start : start + _PIECE])
            start += len(pending)
        is_first = into.tell() == 0
        exhausted = not pending  # zlib may still hold output back, so it is asked once more
        piece = inflater.decompress(pending, _HEAD_BYTES if is_first else _PIECE)
        pending = inflater.unconsumed_tail
        if exhausted and not piece and not inflater.eof:
            raise rejected(f"'{name}' is a gzip file that was cut short; try to copy it again.")
        if is_first and piece:
            check(piece)
        if into.tell() + len(piece) > most_bytes:
            raise rejected(
                f"'{name}' inflates to more than {most_bytes // 2**20} MiB, which is the limit.",
                parameter="inflated_bytes",
                limit=most_bytes,
            )
        into.write(piece)
    return view[start - len(inflater.unused_data) :]
