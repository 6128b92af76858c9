"""Inflating a ``.gz`` file with its bytes counted, so that a bomb is refused before it goes off."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator

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
    try:
        for piece in _pieces(data):
            if not inflated.tell():
                check(piece)
            if inflated.tell() + len(piece) > most_bytes:
                raise rejected(
                    f"'{name}' inflates to more than {most_bytes // 2**20} MiB, which is the limit.",
                    parameter="inflated_bytes",
                    limit=most_bytes,
                )
            inflated.write(piece)
    except EOFError:
        raise rejected(f"'{name}' is a gzip file that was cut short; try to copy it again.") from None
    except zlib.error:
        raise rejected(f"'{name}' is a damaged gzip file; try to copy it again.") from None
    inflated.seek(0)
    return inflated


def _pieces(data: bytes) -> Iterator[bytes]:
    """What a gzip file holds, piece by piece, a short one first; ``EOFError`` where it was cut short."""
    rest, most = memoryview(data), _HEAD_BYTES
    while rest:  # a gzip file may be several, one after the other
        inflater = zlib.decompressobj(_GZIP)
        start, pending = 0, b""
        while not inflater.eof:
            if not pending:
                pending = bytes(rest[start : start + _PIECE])
                start += len(pending)
            exhausted = not pending  # zlib may still hold output back, so it is asked once more
            piece = inflater.decompress(pending, most)
            pending = inflater.unconsumed_tail
            if piece:
                yield piece
                most = _PIECE
            elif exhausted and not inflater.eof:
                raise EOFError
        rest = rest[start - len(inflater.unused_data) :]
        if bytes(rest[:2]) != GZIP_MAGIC:
            break  # padding or other bytes after the last one, which gzip itself ignores
