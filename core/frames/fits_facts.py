"""What a FITS header says of its pixels: their unit, gain, saturation and scale.

Headers are written by many hands. Each fact is taken only from cards that mean one thing, and a card
that cannot be believed gives "unknown" rather than a number.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.frames.fits_layout import Hdu, card
from core.frames.frame import RowOrder
from core.frames.limits import MAX_KEPT_CARDS, MAX_KEPT_TEXT

if TYPE_CHECKING:
    from astropy.io.fits import Header

Plain = str | int | float | bool

KEPT: tuple[str, ...] = (
    *("EXTNAME", "OBJECT", "OBJTYPE", "IMAGETYP", "TELESCOP", "INSTRUME", "DETECTOR", "CAMERA", "OBSERVER"),
    *("ORIGIN", "SITELAT", "SITELONG", "FILTER", "FILTER1", "FILTER2", "EXPTIME", "EXPOSURE", "NCOMBINE"),
    *("STACKCNT", "DATE-OBS", "TIME-OBS", "MJD-OBS", "DATE-END", "AIRMASS", "SEEING", "RA", "DEC", "EQUINOX"),
    *("OBJCTRA", "OBJCTDEC", "BUNIT", "GAIN", "EGAIN", "RDNOISE", "READNOIS", "SATURATE", "SATLEVEL"),
    *("XBINNING", "YBINNING", "XPIXSZ", "YPIXSZ", "FOCALLEN", "APTDIA", "CCD-TEMP", "BAYERPAT", "ROWORDER"),
    *("SWCREATE", "PROGRAM", "MAP_SCALE", "KMPERPIX", "KM_PIX", "MPERPIX", "M_PIX"),
)
"""The cards kept with a frame, most telling first."""

_ELECTRON_UNITS = {"electron", "electrons", "e-", "e", "elec"}
_ADU_UNITS = {"adu", "count", "counts", "ct", "dn", "data number", "analog-to-digital units"}
_UNSIGNED_OFFSET = {8: 0, 16: 2**15}
_A_COUNT = re.compile(r"(?<!\w)(?:e-(?!\w)|e(?= ?/)|electrons?\b)")
_AN_ELECTRON = re.compile(r"(?:/ ?|\bper )(?:e-|electron\b)")
"""What comments say of electrons for a count, and of counts for an electron."""


@dataclass(frozen=True)
class Headers:
    """The image's own header, and the primary header it inherits from (FITS standard, appendix K)."""

    image: Header
    primary: Header

    def get(self, key: str) -> Plain | None:
        """A card of the image, else of the primary header; None when neither has a usable value."""
        own = card(self.image, key)
        return card(self.primary, key) if own is None or own == "" else own

    def number(self, key: str) -> float | None:
        """A card as a finite number, or None."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return float(value)


def kept_cards(headers: Headers) -> dict[str, Plain]:
    """The telling cards (:data:`KEPT`) as plain values; long text is cut."""
    found: dict[str, Plain] = {}
    for key in KEPT:
        value = headers.get(key)
        if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
            continue
        found[key] = value[:MAX_KEPT_TEXT] if isinstance(value, str) else value
        if len(found) == MAX_KEPT_CARDS:
            break
    return found


def row0(headers: Headers) -> RowOrder:
    """Where row 0 is shown: at the bottom, unless ``ROWORDER`` (Siril, SharpCap, NINA) says top-down."""
    return "top" if str(headers.get("ROWORDER")).strip().upper() == "TOP-DOWN" else "bottom"


def mosaic_note(headers: Headers) -> str | None:
    """A sentence where the pixels of one plane see different colours, as ``BAYERPAT`` says; else None."""
    if sorted(str(headers.get("BAYERPAT")).strip().upper()) != list("BGGR"):
        return None
    return (
        "The frame is a colour camera's raw mosaic: neighbouring pixels see different colours, which hides "
        "faint stars and spoils brightnesses. Turn it into colour (debayer it) first."
    )


def unit(headers: Headers) -> str:
    """``"adu"``, ``"electron"``, or BUNIT as it stands; empty when there is none."""
    value = headers.get("BUNIT")
    text = str(value).strip() if isinstance(value, str) else ""
    if text.lower() in _ELECTRON_UNITS:
        return "electron"
    return "adu" if text.lower() in _ADU_UNITS else text[:MAX_KEPT_TEXT]


def gain_e_per_adu(headers: Headers, in_colour: bool) -> float | None:
    """Electrons for one unit of the brightness, or None when the header does not say so clearly.

    Of a colour frame that is the mean of three planes. Where they were exposed each, the mean has the
    electrons of all three, and MEANGAIN (of simulated frames) says so; where they were interpolated from the
    mosaic of a colour camera, it has about those of one.

    Pixels in electrons have a gain of 1, whatever the cards say of the camera, and pixels in a unit that
    is neither electrons nor counts have none. For counts, EGAIN and ESO's CONAD mean electrons per count
    wherever they are written. GAIN means that at observatories, but amateur programs write the camera's
    *setting* into it (0 to 600, a whole number): it is believed when its comment speaks of electrons, or
    when it is between 0.05 and 20 and not a whole number; never when it is in counts for an electron.
    """
    if unit(headers) == "electron":
        return 1.0
    if unit(headers) not in ("adu", ""):
        return None
    for key in (*(("MEANGAIN",) if in_colour else ()), "EGAIN", "HIERARCH ESO DET OUT1 CONAD"):
        value = headers.number(key)
        if value is not None and 0.001 <= value <= 1000.0:
            return value
    value = headers.number("GAIN")
    if value is None or _AN_ELECTRON.search(comment := _comment(headers, "GAIN")):
        return None
    if _A_COUNT.search(comment) and 0.001 <= value <= 1000.0:
        return value
    return value if 0.05 <= value <= 20.0 and value != int(value) else None


def saturation(headers: Headers, hdu: Hdu) -> float | None:
    """Pixel value at and above which a pixel is saturated, or None when nothing says so.

    SATURATE or SATLEVEL where the header has one; else the largest value that 8- or 16-bit integers can
    hold, moved by BZERO. Integers with a BSCALE are numbers packed by a program, and 32-bit and floating
    point pixels have no limit of their own: they have none. DATAMAX is most often just the largest value
    found, and is not used.
    """
    for key in ("SATURATE", "SATLEVEL"):
        value = headers.number(key)
        if value is not None and value > 0.0:
            return value
    own = Headers(headers.image, headers.image)  # how the pixels of another image are scaled says nothing
    zero = own.number("BZERO") or 0.0
    if hdu.bitpix not in _UNSIGNED_OFFSET or own.number("BSCALE") not in (None, 1.0):
        return None
    return float(2**hdu.bitpix - 1 - _UNSIGNED_OFFSET[hdu.bitpix]) + zero


def pixel_scale_arcsec(headers: Headers) -> float | None:
    """Arcseconds a pixel where there is no WCS: PIXSCALE or SECPIX, else camera and telescope.

    XPIXSZ (µm, binning included) over FOCALLEN (mm), as MaxIm DL, N.I.N.A. and ASCOM programs write them.
    """
    for key in ("PIXSCALE", "SECPIX"):
        value = headers.number(key)
        if value is not None and 1e-4 < value < 3600.0:
            return value
    pixel_um, focal_mm = headers.number("XPIXSZ"), headers.number("FOCALLEN")
    if not pixel_um or not focal_mm or not 0.5 <= pixel_um <= 200.0 or not 1.0 <= focal_mm <= 200_000.0:
        return None
    return math.degrees(pixel_um * 1e-3 / focal_mm) * 3600.0


def _comment(headers: Headers, key: str) -> str:
    header = headers.image if card(headers.image, key) is not None else headers.primary
    return str(header.comments[key]).lower()
