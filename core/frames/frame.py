"""A frame: pixels, where they lie on the sky, and what the file said of them."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import FrameRejected
from core.frames.ground import Ground
from core.parameters import canonical_json

if TYPE_CHECKING:
    from astropy.wcs import WCS

Float32 = NDArray[np.float32]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
RowOrder = Literal["bottom", "top"]

FIRST_YEAR, LAST_YEAR = 1840.0, 2200.0
"""No photograph of the sky is older, and no frame of today is younger."""

MAX_LOST_PX = 0.1
"""Farther than this from where it should lie on the sky, a pixel position is none."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One image that methods analyse.

    Pixel coordinates everywhere: ``x`` is the column and ``y`` the row of :attr:`pixels`, 0-based, and
    the centre of the first pixel is (0, 0).

    Attributes:
        name: The file's name, for people; never used as a path.
        pixels: ``(H, W)`` or ``(H, W, 3)`` float32 in the file's own units; NaN marks a missing pixel.
        sha256: Hash of the file's bytes, or of the pixels when there was no file.
        row0: Where row 0 is shown: ``"bottom"`` for FITS, ``"top"`` for pictures.
        wcs: The celestial world coordinate system of :attr:`pixels`, or None.
        pixel_scale_arcsec: Arcseconds a pixel, taken from :attr:`wcs` when it is there, or None.
        ground: Where :attr:`pixels` lie on a planet or moon, or None.
        header: The header cards worth keeping, as plain values.
        unit: Unit of the pixel values (``"adu"``, ``"electron"``), or an empty string.
        saturation: Pixel value at and above which a pixel is saturated, or None when unknown.
        gain_e_per_adu: Electrons for one unit of :attr:`grey`, or None when unknown.
        hdu: Index of the FITS extension the pixels come from, or None.
        plane: Index of the plane of a cube, or None.
        processing: Canonical JSON of the processing steps applied since reading; empty for none.
        notes: Sentences a person should see ("12 % of the pixels are missing").
    """

    name: str
    pixels: Float32
    sha256: str
    row0: RowOrder = "top"
    wcs: WCS | None = None
    pixel_scale_arcsec: float | None = None
    ground: Ground | None = None
    header: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    unit: str = ""
    saturation: float | None = None
    gain_e_per_adu: float | None = None
    hdu: int | None = None
    plane: int | None = None
    processing: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) or min(shape) < 1:
            raise FrameRejected(
                f"A frame has (rows, columns) or (rows, columns, 3) pixels; {self.name!r} has shape {shape}.",
                parameter="pixels",
                given=shape,
                limit="(H, W) or (H, W, 3)",
            )
        if self.pixels.dtype != np.float32:
            raise FrameRejected(
                f"The pixels of a frame are float32; {self.name!r} has {self.pixels.dtype}.",
                parameter="pixels",
                given=str(self.pixels.dtype),
                limit="float32",
            )
        if self.pixel_scale_arcsec is None and self.wcs is not None:
            from astropy.wcs.utils import proj_plane_pixel_scales

            scale_deg = float(np.sqrt(np.prod(proj_plane_pixel_scales(self.wcs.celestial))))
            object.__setattr__(self, "pixel_scale_arcsec", scale_deg * 3600.0)

    @classmethod
    def from_array(cls, pixels: ArrayLike, name: str = "array", **facts: Any) -> Self:
        """Make a frame of an array in memory, hashed by its values.

        Args:
            pixels: ``(H, W)`` or ``(H, W, 3)`` numbers of any type.
            name: What to call it.
            facts: Any other attribute of :class:`Frame`.
        """
        array = np.ascontiguousarray(pixels, dtype=np.float32)
        digest = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()
        return cls(name=name, pixels=array, sha256=digest, **facts)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def is_colour(self) -> bool:
        """Whether the pixels have red, green and blue."""
        return self.pixels.ndim == 3

    @cached_property
    def key(self) -> str:
        """Hash naming these very pixels: the file, the extension, the plane and the processing."""
        facts = {"file": self.sha256, "hdu": self.hdu, "plane": self.plane, "processing": self.processing}
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()

    @cached_property
    def grey(self) -> Float32:
        """``(H, W)`` brightness: the pixels themselves, or the mean of the three colours."""
        return self.pixels.mean(axis=2, dtype=np.float32) if self.is_colour else self.pixels

    @cached_property
    def epoch(self) -> float | None:
        """When the frame was taken, as a Julian year, from ``DATE-OBS`` or ``MJD-OBS``; None when unknown.

        Of the ways to write a date, a ``Z`` at its end, a blank for the ``T`` and ``DD/MM/YY``, which the
        FITS standard had until 1998, are known.
        """
        from astropy.time import Time

        date = str(self.header.get("DATE-OBS", "")).strip().rstrip("Zz").replace(" ", "T")
        date = re.sub(r"(\d\d)/(\d\d)/(\d\d)", r"19\3-\2-\1", date)
        for value, form in ((date, "isot"), (self.header.get("MJD-OBS", ""), "mjd")):
            try:
                year = float(Time(value, format=form).jyear)
            except ValueError:
                continue
            if FIRST_YEAR < year < LAST_YEAR:
                return year
        return None

    def with_pixels(self, pixels: Float32, processing: str) -> Self:
        """The same frame with its pixels processed by ``processing`` (canonical JSON of the steps)."""
        return dataclasses.replace(self, pixels=pixels, processing=processing)

    def sky(self, x: ArrayLike, y: ArrayLike) -> Pair | None:
        """ICRS right ascension and declination in degrees of pixel positions; None without a WCS.

        Args:
            x, y: ``(N,)`` columns and rows.
        """
        if self.wcs is None:
            return None
        sky = self.wcs.celestial.pixel_to_world(np.asarray(x, float), np.asarray(y, float)).icrs
        return np.atleast_1d(sky.ra.deg), np.atleast_1d(sky.dec.deg)

    def pixel(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Pair | None:
        """Pixel positions of ICRS sky positions in degrees; None without a WCS.

        NaN where there is none: beyond the projection, and so far beyond the frame that its distortions
        cannot be turned round.
        """
        if self.wcs is None:
            return None
        from astropy.coordinates import SkyCoord

        wcs, places = self.wcs.celestial, SkyCoord(np.atleast_1d(ra_deg), np.atleast_1d(dec_deg), unit="deg")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what did not converge astropy gives the last guess
            x, y = wcs.world_to_pixel(places)
            if wcs.has_distortion and len(x):
                there = wcs.pixel_to_world(x, y).separation(places).arcsec
                lost = ~(there < MAX_LOST_PX * (self.pixel_scale_arcsec or 1.0))
                x, y = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
        return x, y
