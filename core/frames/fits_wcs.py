"""Where the pixels of a FITS image lie on the sky, by the cards of its header.

Headers are written by many hands. Cards that mean one thing but are not spelt as the standard has it are read
for what they mean; what cannot be made sense of is left, and a person is told.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np

from core.frames.fits_layout import card
from core.frames.limits import MAX_AXES

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

_MAX_SIP_ORDER = 9
_LOOKED_UP = re.compile(r"(?:(?:CPDIS|D2IMDIS|DP|D2IM)[12](?:\..*)?|AXISCORR)")
"""Cards of distortions kept as tables in extensions of their own: Hubble's, beside its polynomials."""
_NUMBERS = re.compile(r"(?:CRVAL|CRPIX|CDELT|CROTA)[12]|(?:CD|PC)[12]_[12]|LONPOLE|LATPOLE")
_DEGREES = ("DEG", "DEGS", "DEGREE", "DEGREES")
_SYSTEMS = {**dict.fromkeys(("J2000", "J2000.0", "2000", "2000.0"), "FK5"), "B1950": "FK4", "B1950.0": "FK4"}
"""What stands for a reference system in a header, besides its name in the standard."""
_BROKEN = "The sky coordinates in the header are damaged and are not used."
_LEFT_OUT = "The sky coordinates leave out the file's tables of small distortions, some tenths of a pixel."
_NO_TNX = "The sky coordinates leave out the distortions in the header, which are damaged: some arcseconds."


def celestial_wcs(header: Header) -> tuple[WCS | None, str | None]:
    """The sky coordinates of the image's first two axes, and a sentence when they cannot be used as they are.

    Returns:
        ``(wcs, None)`` when they are sound, ``(wcs, sentence)`` when small distortions are left out of them,
        ``(None, None)`` when the header has none, and ``(None, sentence)`` when it has some that astropy
        cannot make sense of.
    """
    if not _claims_sky(header):
        return None, None
    orders = [card(header, f"{name}_ORDER") for name in ("A", "B", "AP", "BP")]
    axes = card(header, "WCSAXES")
    if any(isinstance(order, int | float) and order > _MAX_SIP_ORDER for order in orders) or (
        isinstance(axes, int | float) and axes > MAX_AXES
    ):
        return None, _BROKEN  # astropy would make room for what they claim
    header = header.copy()
    looked_up = {name for name in header if _LOOKED_UP.fullmatch(name)}
    _remove(header, looked_up)
    try:
        _respell(header)
    except ValueError:
        return None, _BROKEN
    wcs = _wcs(header)
    if wcs is not None:
        return wcs, _LEFT_OUT if looked_up else None
    if str(card(header, "CTYPE1")).endswith("-TNX"):  # a tangent plane with a polynomial in cards of text
        for axis in (1, 2):
            header[f"CTYPE{axis}"] = str(card(header, f"CTYPE{axis}")).replace("-TNX", "-TAN")
        _remove(header, {name for name in header if name.startswith("WAT")})
        wcs = _wcs(header)
    return (None, _BROKEN) if wcs is None else (wcs, _NO_TNX)


def _wcs(header: Header) -> WCS | None:
    """The coordinates as astropy reads them; None where it cannot, or where they are not sound."""
    from astropy.wcs import WCS
    from astropy.wcs.utils import proj_plane_pixel_scales

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # FITSFixedWarning for old spellings, numpy's for a singular matrix
        try:
            wcs = WCS(header, naxis=2)
            if not wcs.has_celestial:
                return None
            scales = proj_plane_pixel_scales(wcs)
            wcs.pixel_shape = header["NAXIS1"], header["NAXIS2"]
            sky = wcs.pixel_to_world(header["NAXIS1"] / 2, header["NAXIS2"] / 2).icrs
            numbers = np.array([*scales, sky.ra.deg, sky.dec.deg])
            sound = np.isfinite(numbers).all() and (scales > 0).all()
        except Exception:  # wcslib and astropy raise a dozen kinds for a header that is not one
            return None
    return wcs if sound else None


def _respell(header: Header) -> None:
    """Spell in place as the standard does what astropy would misread or refuse.

    Raises:
        ValueError: A number is no number.
    """
    for axis in (1, 2):
        header[f"CTYPE{axis}"] = str(card(header, f"CTYPE{axis}")).strip().upper()
        if str(card(header, f"CUNIT{axis}")).strip().upper() in _DEGREES:
            header[f"CUNIT{axis}"] = "deg"
    for name in ("RADESYS", "RADECSYS"):
        if isinstance(system := card(header, name), str):
            system = system.strip().upper()
            header[name] = _SYSTEMS.get(system, system)
    for name in {name for name in header if _NUMBERS.fullmatch(name)}:
        if isinstance(text := card(header, name), str):
            header[name] = float(text)  # as text it would count as 0
    # SCAMP's polynomial: a tangent plane has no parameters of its own in latitude.
    kinds = [card(header, "CTYPE1"), card(header, "CTYPE2")]
    if kinds == ["RA---TAN", "DEC--TAN"] and {"PV1_1", "PV2_1"} <= set(header):
        header["CTYPE1"], header["CTYPE2"] = "RA---TPV", "DEC--TPV"


def _remove(header: Header, names: set[str]) -> None:
    for name in names:
        header.remove(name, remove_all=True)


def _claims_sky(header: Header) -> bool:
    kinds = " ".join(str(card(header, f"CTYPE{axis}")).upper() for axis in (1, 2))
    return any(kind in kinds for kind in ("RA--", "DEC-", "LON-", "LAT-"))
