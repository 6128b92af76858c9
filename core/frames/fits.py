"""Reading an image of a FITS file: any extension, any plane, tile-compressed or not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import FrameRejected
from core.frames import fits_facts as facts
from core.frames.fits_layout import Hdu, Layout, card, read_layout
from core.frames.fits_tiles import check_header, check_tiles
from core.frames.fits_wcs import celestial_wcs
from core.frames.frame import Float32, Frame
from core.frames.limits import check_size
from core.frames.missing import finite

if TYPE_CHECKING:
    from astropy.io.fits import Header

_STRIP_PIXELS = 2**21
"""Pixels scaled at a time: keeps the 64-bit intermediate of the scaling to 16 MB."""

RESCALED_BELOW = 2.0
"""No frame of counts has a brightest pixel as faint as this."""

RawRows = Callable[[int, int], NDArray[Any]]


@dataclass(frozen=True)
class HduChoice:
    """An image in a file that a person can choose.

    Attributes:
        index: What to give as ``hdu``.
        name: EXTNAME, or an empty string.
        width, height: In pixels.
        planes: How many planes it has; 1 for a plain image.
        bitpix: Bits a pixel, negative for floating point.
    """

    index: int
    name: str
    width: int
    height: int
    planes: int
    bitpix: int

    @property
    def title(self) -> str:
        """One line: ``"1 · SCI · 4,096 × 4,096 px · 3 planes · 16 bit"``."""
        parts = [str(self.index), self.name or ("Primary" if self.index == 0 else "Image")]
        parts.append(f"{self.width:,} × {self.height:,} px")
        if self.planes > 1:
            parts.append(f"{self.planes:,} planes")
        parts.append(f"{abs(self.bitpix)} bit" + (" float" if self.bitpix < 0 else ""))
        return " · ".join(parts)


def fits_image_hdus(stream: io.BytesIO, name: str) -> tuple[HduChoice, ...]:
    """The HDUs that hold images, in the file's order.

    Raises:
        FrameRejected: The first header is damaged.
    """
    return tuple(
        HduChoice(
            index=hdu.index,
            name=str(card(hdu.header, "EXTNAME") or "")[:40].strip(),
            width=hdu.size[1],
            height=hdu.size[0],
            planes=hdu.planes,
            bitpix=hdu.bitpix,
        )
        for hdu in read_layout(stream, name).hdus
        if hdu.is_image
    )


def read_fits(stream: io.BytesIO, name: str, sha256: str, hdu: int | None, plane: int | None) -> Frame:
    """Read one image of a FITS file.

    A cube of exactly three planes whose third axis is no physical axis (no CTYPE3, or Siril's "RGB") is
    read in colour unless ``plane`` is given, and so is one whose first axis is the three colours; of any
    other cube the first plane is read.

    Args:
        stream: The whole file, inflated.
        name: Its name, already fit to be shown.
        sha256: Hash of the file's bytes.
        hdu: Which HDU; the first that holds an image when None.
        plane: Which plane of a cube, all leading axes counted through; see above when None.

    Raises:
        FrameRejected: The file is damaged, holds no image, or there is no such HDU or plane.
    """
    layout = read_layout(stream, name)
    chosen = _choose(layout, hdu, name)
    height, width = chosen.size
    check_size(name, width, height)
    if not chosen.is_complete:
        raise FrameRejected(
            f"'{name}' was cut short: its header claims {width:,} × {height:,} pixels, "
            "and not all of them are there."
        )
    if plane is not None and not 0 <= plane < chosen.planes:
        raise FrameRejected(
            f"'{name}' has {chosen.planes:,} plane{'s' if chosen.planes > 1 else ''}, "
            f"counted from 0; there is no plane {plane}.",
            parameter="plane",
            given=plane,
            limit=chosen.planes - 1,
        )
    in_colour = plane is None and _is_colour_cube(chosen)
    used_plane = None if in_colour or (plane is None and chosen.planes == 1) else (plane or 0)
    planes = (0, 1, 2) if in_colour else (used_plane or 0,)
    pixels, image_header = _read_planes(stream, chosen, planes, name)

    headers = facts.Headers(image_header, layout.hdus[0].header)
    wcs, wcs_note = celestial_wcs(image_header)
    pixels, missing_note = finite(pixels, name)
    # Programs rescale to 0 … 1 and leave the cards of the camera: nothing is counted in such values.
    counts = chosen.bitpix > 0 or float(np.nanmax(pixels)) > RESCALED_BELOW
    unit = facts.unit(headers)
    mosaic_note = None if chosen.planes > 1 else facts.mosaic_note(headers)
    told = (_plane_note(chosen, in_colour, plane), mosaic_note, wcs_note, missing_note)
    return Frame(
        name=name,
        pixels=pixels,
        sha256=sha256,
        row0=facts.row0(headers),
        wcs=wcs,
        pixel_scale_arcsec=None if wcs is not None else facts.pixel_scale_arcsec(headers),
        header=facts.kept_cards(headers),
        unit=unit if counts or unit not in ("adu", "electron") else "",
        saturation=facts.saturation(headers, chosen),
        gain_e_per_adu=facts.gain_e_per_adu(headers, in_colour) if counts else None,
        hdu=chosen.index,
        plane=used_plane,
        notes=tuple(note for note in told if note),
    )


def _choose(layout: Layout, index: int | None, name: str) -> Hdu:
    images = [hdu for hdu in layout.hdus if hdu.is_image]
    if index is None:
        if images:
            return images[0]
        if layout.trouble is not None:
            raise layout.trouble
        raise FrameRejected(f"'{name}' is a FITS file without an image in it.")
    for hdu in images:
        if hdu.index == index:
            return hdu
    if layout.trouble is not None and index >= len(layout.hdus):
        raise layout.trouble
    which = ", ".join(str(hdu.index) for hdu in images) or "none"
    raise FrameRejected(
        f"'{name}' has no image in HDU {index}; the HDUs with an image are: {which}.",
        parameter="hdu",
        given=index,
        limit=which,
    )


def _is_colour_cube(hdu: Hdu) -> bool:
    third_axis = str(card(hdu.header, "CTYPE3") or "").strip().upper()
    return hdu.is_interleaved or (len(hdu.shape) == 3 and hdu.planes == 3 and third_axis in ("", "RGB"))


def _plane_note(hdu: Hdu, in_colour: bool, plane: int | None) -> str | None:
    if in_colour:
        return "The three planes of the file are taken as red, green and blue."
    if plane is None and hdu.planes > 1:
        return f"The file has {hdu.planes:,} planes; this is the first."
    return None


def _read_planes(stream: io.BytesIO, hdu: Hdu, planes: tuple[int, ...], name: str) -> tuple[Float32, Header]:
    """The planes as ``(H, W)``, or ``(H, W, N)`` for several, scaled and with blank pixels as NaN."""
    from astropy.utils.exceptions import AstropyWarning

    height, width = hdu.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            if hdu.is_compressed:
                check_header(hdu, name)
                check_tiles(_open(stream, hdu, disable_image_compression=True), hdu, name)
            image = _open(stream, hdu, do_not_scale_image_data=True)
            pixels: Float32 = np.empty((height, width, len(planes)), np.float32)
            for position, plane in enumerate(planes):
                _scale_into(pixels[:, :, position], _raw_rows(image, hdu, plane), hdu, image.header)
        except FrameRejected:
            raise
        except Exception as error:  # a damaged file makes astropy and its codecs raise almost anything
            raise FrameRejected(f"'{name}' is damaged: its image cannot be read.") from error
    return (pixels[:, :, 0] if len(planes) == 1 else pixels), image.header


def _open(stream: io.BytesIO, hdu: Hdu, **options: bool) -> Any:
    """The HDU by astropy. Its list is never closed: that would close the stream, which is only memory."""
    from astropy.io import fits

    stream.seek(0)
    return fits.open(stream, memmap=False, **options)[hdu.index]


def _raw_rows(image: Any, hdu: Hdu, plane: int) -> RawRows:
    """Reads rows ``[start, stop)`` of a plane as stored; a compressed plane is decompressed once, whole."""

    def rows(which: slice) -> NDArray[Any]:
        if hdu.is_interleaved:
            return np.asarray(image.section[which, :, plane])
        lead = hdu.shape[:-2] and tuple(int(part) for part in np.unravel_index(plane, hdu.shape[:-2]))
        return np.asarray(image.section[(*lead, which)])

    if hdu.is_compressed:
        whole = rows(slice(None))
        return lambda start, stop: whole[start:stop]
    return lambda start, stop: rows(slice(start, stop))


def _scale_into(out: Float32, rows: RawRows, hdu: Hdu, header: Header) -> None:
    """Fill ``out`` with ``BZERO + BSCALE × stored``, and NaN where an integer is BLANK.

    astropy's own scaling is not used because it makes 64-bit copies of the whole image, and forgets BLANK
    when it is 0 or the integers are unsigned.
    """
    height, width = out.shape
    scale = float(header.get("BSCALE", 1.0))
    zero = float(header.get("BZERO", 0.0))
    blank = card(header, "BLANK")
    if blank is None and hdu.is_compressed:
        blank = card(hdu.header, "ZBLANK")
    step = max(1, _STRIP_PIXELS // width)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, height, step):
            stop = min(start + step, height)
            raw = rows(start, stop)
            if scale == 1.0 and zero == 0.0:
                out[start:stop] = raw
            else:
                out[start:stop] = raw * np.float64(scale) + np.float64(zero)
            if blank is not None and hdu.bitpix > 0:
                out[start:stop][raw == blank] = np.nan
