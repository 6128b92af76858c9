"""Where a frame lies on a planet or moon: latitude and longitude of its pixels, and how large they are.

Latitudes are planetocentric and longitudes count eastward, in [-180, 180).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import FrameRejected

if TYPE_CHECKING:
    from pyproj import Transformer

Float64 = NDArray[np.float64]
Pair = tuple[Float64, Float64]
Affine = tuple[float, float, float, float, float, float]

RADIUS_KM: dict[str, float] = {
    "Mercury": 2439.4,
    "Venus": 6051.8,
    "Earth": 6371.0084,
    "Moon": 1737.4,
    "Mars": 3389.50,
    "Phobos": 11.08,
    "Deimos": 6.2,
    "Ceres": 470.0,
    "Vesta": 261.4,
    "Io": 1821.49,
    "Europa": 1560.8,
    "Ganymede": 2631.2,
    "Callisto": 2410.3,
    "Mimas": 198.2,
    "Enceladus": 252.1,
    "Tethys": 531.0,
    "Dione": 561.4,
    "Rhea": 763.5,
    "Titan": 2575.0,
    "Iapetus": 734.3,
    "Phoebe": 106.5,
    "Miranda": 235.8,
    "Ariel": 578.9,
    "Umbriel": 584.7,
    "Titania": 788.9,
    "Oberon": 761.4,
    "Triton": 1352.6,
    "Pluto": 1188.3,
    "Charon": 606.0,
}
"""Mean radii (Archinal et al. 2018, Celest. Mech. Dyn. Astr. 130, 22: the IAU's working group)."""

FILE_SOURCE = "the file's map position"
"""The :attr:`Ground.source` of what a file itself says."""
MOST_LATITUDE = 90.0
_EDGE_PX = 1e-6
"""Half a pixel less than the first column may come out a little less than that."""


@dataclass(frozen=True)
class Ground:
    """A map: how pixels of a frame lie on a body.

    Attributes:
        body: ``"Moon"``, or an empty string when nothing says which.
        radius_km: Mean radius of the body.
        affine: ``(a, b, c, d, e, f)``: ``a·x + b·y + c`` and ``d·x + e·y + f`` are the map's coordinates of
            the centre of pixel x, y; east and north in degrees where there is no projection.
        projection: The projection as well-known text, or an empty string for plain degrees.
        squash: Polar over equatorial radius: what turns planetographic latitudes into planetocentric ones.
        source: How it is known, for a person: ``"the file's map projection"``.
    """

    body: str
    radius_km: float
    affine: Affine
    projection: str = ""
    squash: float = 1.0
    source: str = "given by hand"

    def __post_init__(self) -> None:
        a, b, _, d, e, _ = self.affine
        sound = all(math.isfinite(number) for number in (*self.affine, self.radius_km, self.squash))
        if not sound or a * e == b * d or self.radius_km <= 0.0 or not 0.5 < self.squash <= 1.0:
            raise FrameRejected("The position on the map does not make sense.", parameter="ground")

    def latlon(self, x: ArrayLike, y: ArrayLike) -> Pair:
        """Latitudes and longitudes in degrees of pixels; NaN off the body.

        Args:
            x, y: ``(N,)`` columns and rows.
        """
        columns, rows = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        a, b, c, d, e, f = self.affine
        east, north = a * columns + b * rows + c, d * columns + e * rows + f
        if self.projection:
            east, north = self._unprojected(east, north)
        with np.errstate(invalid="ignore"):
            off = ~(np.abs(north) <= MOST_LATITUDE + 1e-6)
            latitude = np.degrees(np.arctan(self.squash**2 * np.tan(np.radians(north))))
        latitude, east = np.where(off, np.nan, latitude), np.where(off, np.nan, east)
        return latitude, np.mod(east + 180.0, 360.0) - 180.0

    def pixel(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Pair:
        """Pixels of latitudes and longitudes in degrees; NaN where the projection does not reach.

        On a cylindrical map columns count from its first on: what lies left of it comes a turn later.
        """
        latitude = np.atleast_1d(np.asarray(lat_deg, float))
        east = np.atleast_1d(np.asarray(lon_deg, float))
        north = np.degrees(np.arctan(np.tan(np.radians(latitude)) / self.squash**2))
        a, b, c, d, e, f = self.affine
        if self.projection:
            east, north = self._projected(east, north)
        if self._turn:
            # The turn that begins at the first column's outer edge, or ends there where east is to the left.
            edge = c - (0.5 + _EDGE_PX) * (a + b)
            turned = np.mod(east - edge, self._turn)
            east = edge + (turned if a > 0 else turned - self._turn)
        determinant = a * e - b * d
        return (
            (e * (east - c) - b * (north - f)) / determinant,
            (-d * (east - c) + a * (north - f)) / determinant,
        )

    def km_per_px(self, x: float, y: float) -> float:
        """Kilometres a pixel at a place: the square root of the area of a pixel there; NaN off the body."""
        return float(np.sqrt(self.pixel_areas_km2([x], [y])[0]))

    def pixel_areas_km2(self, x: ArrayLike, y: ArrayLike) -> Float64:
        """``(N,)`` square kilometres of pixels; NaN off the body."""
        areas: Float64 = np.linalg.norm(np.cross(*self.pixel_sides_km(x, y)), axis=1)
        return areas

    def pixel_sides_km(self, x: ArrayLike, y: ArrayLike) -> Pair:
        """``(N, 3)`` and ``(N, 3)`` kilometres across pixels, along x and along y, as vectors from a sphere's
        middle; NaN off the body."""
        columns, rows = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        half = 0.5
        sides = [
            _vectors(*self.latlon(columns + dx, rows + dy))
            for dx, dy in ((half, 0), (-half, 0), (0, half), (0, -half))
        ]
        return (sides[0] - sides[1]) * self.radius_km, (sides[2] - sides[3]) * self.radius_km

    def distance_km(
        self, lat_deg: ArrayLike, lon_deg: ArrayLike, other_lat_deg: ArrayLike, other_lon_deg: ArrayLike
    ) -> Float64:
        """Great-circle distances on a sphere of the mean radius."""
        one, other = _vectors(lat_deg, lon_deg), _vectors(other_lat_deg, other_lon_deg)
        away: Float64 = 2.0 * np.arcsin(np.clip(np.linalg.norm(one - other, axis=1) / 2.0, 0.0, 1.0))
        return away * self.radius_km

    @cached_property
    def _to_degrees(self) -> Transformer:
        # Not GDAL's: of places off the body, as in the corners of a disc, it makes an error of all places.
        from pyproj import CRS, Transformer

        plane = CRS.from_wkt(self.projection)
        return Transformer.from_crs(plane, plane.geodetic_crs, always_xy=True)

    @cached_property
    def _turn(self) -> float:
        """Once around the body in the map's coordinates; 0 where the map is not cylindrical."""
        if not self.projection:
            return 360.0
        east, _ = self._projected(np.tile([0.0, 120.0, 240.0], 2), np.repeat([0.0, 45.0], 3))
        thirds = np.diff(np.sort(east.reshape(2, 3), axis=1), axis=1)
        middles = np.ptp(east.reshape(2, 3), axis=0)
        if not (np.isfinite(east).all() and np.allclose(thirds, thirds[0, 0], rtol=1e-6)):
            return 0.0
        return 3.0 * float(thirds[0, 0]) if (middles < 1e-6 * thirds[0, 0]).all() else 0.0

    def _unprojected(self, east: Float64, north: Float64) -> Pair:
        return _finite(*self._to_degrees.transform(east, north))

    def _projected(self, east: Float64, north: Float64) -> Pair:
        return _finite(*self._to_degrees.transform(east, north, direction="INVERSE"))


def simple_cylindrical(
    body: str,
    *,
    west_deg: float,
    north_deg: float,
    px_per_deg: float,
    source: str = "the map it was cut from",
) -> Ground:
    """The position of a piece of a simple cylindrical (plate carrée) map: columns are degrees, rows too.

    Args:
        body: A name of :data:`RADIUS_KM`.
        west_deg, north_deg: Longitude and latitude of the outer corner of the first pixel.
        px_per_deg: Pixels a degree.
        source: How it is known.

    Raises:
        FrameRejected: The body is not known, or the numbers make no sense.
    """
    if body not in RADIUS_KM:
        raise FrameRejected(
            f"The radius of {body!r} is not known; known are: {', '.join(RADIUS_KM)}.",
            parameter="body",
            given=body,
        )
    if not (math.isfinite(px_per_deg) and px_per_deg > 0.0 and abs(north_deg) <= 90.0):
        raise FrameRejected(
            "A map needs a latitude up to 90° and some pixels a degree.",
            parameter="px_per_deg",
            given=(px_per_deg, north_deg),
        )
    step = 1.0 / px_per_deg
    return Ground(
        body,
        RADIUS_KM[body],
        (step, 0.0, west_deg + step / 2.0, 0.0, -step, north_deg - step / 2.0),
        source=source,
    )


def by_hand(
    body: str, width: int, height: int, *, centre_lat_deg: float, centre_lon_deg: float, span_deg: float
) -> Ground:
    """A simple cylindrical map of which a person knows the middle and how many degrees it is wide.

    Args:
        body: A name of :data:`RADIUS_KM`.
        width, height: In pixels.
        centre_lat_deg, centre_lon_deg: Its middle.
        span_deg: Degrees of longitude from its left to its right edge, up to 360.

    Raises:
        FrameRejected: The body is not known, or it reaches beyond a pole.
    """
    if not 0.0 < span_deg <= 360.0:
        raise FrameRejected("A map is up to 360° wide.", parameter="span_deg", given=span_deg, limit=360.0)
    half_height = span_deg * height / width / 2.0
    if not abs(centre_lat_deg) + half_height <= 90.0 + 1e-6:
        raise FrameRejected(
            f"With {span_deg:g}° across, the frame would reach beyond the pole.",
            parameter="span_deg",
            given=span_deg,
        )
    return simple_cylindrical(
        body,
        west_deg=centre_lon_deg - span_deg / 2.0,
        north_deg=min(90.0, centre_lat_deg + half_height),
        px_per_deg=width / span_deg,
        source="given by hand",
    )


def _vectors(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Float64:
    lat, lon = np.radians(np.atleast_1d(lat_deg)), np.radians(np.atleast_1d(lon_deg))
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _finite(*numbers: Float64) -> Pair:
    east, north = (np.where(np.isfinite(each), each, np.nan) for each in numbers)
    return east, north
