"""What a file may be, as named constants that are checked before any pixel is touched.

A frame at every limit (64 megapixels in colour) takes 768 MiB as float32, which a machine with 2.7 GB of
memory can still read, show and analyse.
"""

from __future__ import annotations

from core.errors import FrameRejected

MAX_FILE_BYTES = 800 * 2**20
"""Largest file that is read: 64 megapixels of three 32-bit colours (768 MiB) and their headers."""

MAX_INFLATED_BYTES = 800 * 2**20
"""Largest content of a ``.gz`` file, counted while inflating: what :data:`MAX_FILE_BYTES` would allow."""

MAX_PIXELS = 64 * 2**20
"""Most pixels of a frame, width times height (8192 × 8192); a colour frame counts each position once."""

MIN_SIDE = 8
"""Fewest rows or columns: below this there is no background to measure and nothing to find."""

MAX_HDUS = 512
"""Most FITS extensions looked at: the largest mosaic cameras write a few hundred."""

MAX_HEADER_CARDS = 20_000
"""Most cards of one FITS header: the longest survey headers have a few thousand, history included."""

MAX_AXES = 9
"""Most axes of a FITS image: what the WCS papers number with one digit, and more than any cube has."""

MAX_PAGES = 2_000
"""Most pages looked at in a TIFF file."""

MAX_JPEG_SCANS = 100
"""Most scans of a progressive JPEG (about 10 are usual): each one is a pass over the whole picture."""

MAX_KEPT_CARDS = 48
"""Most header cards kept with a frame."""

MAX_KEPT_TEXT = 120
"""Longest text kept of one header card, in characters."""

MAX_NAME = 80
"""Longest file name shown, in characters."""


def check_size(name: str, width: int, height: int) -> None:
    """Refuse an image that is too large or too small, by what its header claims.

    Args:
        name: The file's name, already fit to be shown.
        width, height: Columns and rows.

    Raises:
        FrameRejected: One side is below :data:`MIN_SIDE`, or there are more than :data:`MAX_PIXELS` pixels.
    """
    if min(width, height) < MIN_SIDE:
        raise FrameRejected(
            f"'{name}' is {width:,} × {height:,} pixels; "
            f"an image needs at least {MIN_SIDE} × {MIN_SIDE} to be analysed.",
            parameter="size",
            given=(width, height),
            limit=MIN_SIDE,
        )
    if width * height > MAX_PIXELS:
        raise FrameRejected(
            f"'{name}' claims {width:,} × {height:,} pixels; "
            f"at most {MAX_PIXELS // 2**20} megapixels (8,192 × 8,192) are read.",
            parameter="size",
            given=(width, height),
            limit=MAX_PIXELS,
        )
