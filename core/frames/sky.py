"""Where a frame lies on the sky: coordinates from its four corners, and the field it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FrameRejected
from core.frames.frame import Frame

if TYPE_CHECKING:
    from astropy.wcs import WCS

MAX_FIELD_RADIUS_DEG = 40.0
"""Widest field, from the middle to a corner, that a tangent-plane projection is fitted to."""

MAX_CORNER_RESIDUAL = 0.005
"""Largest distance of a corner from the fit, as a fraction of the picture's longer side."""


def wcs_from_corners(width: int, height: int, corners: Sequence[tuple[float, float]]) -> WCS:
    """Tangent-plane sky coordinates of a picture whose four corners are known.

    A linear TAN projection is fitted by least squares (:func:`astropy.wcs.utils.fit_wcs_from_points`).

    Args:
        width, height: Of the picture in pixels; its row 0 is shown at the top.
        corners: ``(ra, dec)`` in degrees (ICRS) of the *outer* corners of the bottom left, bottom right,
            top right and top left pixels; the bottom is the last row.

    Raises:
        FrameRejected: There are not four corners on the sky, they do not span an area, or they miss the
            fit by more than :data:`MAX_CORNER_RESIDUAL` of the picture's longer side.
    """
    from astropy.coordinates import SkyCoord
    from astropy.wcs.utils import fit_wcs_from_points

    given = np.asarray(corners, float)
    if given.shape != (4, 2) or not np.isfinite(given).all() or (np.abs(given[:, 1]) > 90.0).any():
        raise _refusal("Sky coordinates need four corners, each a right ascension and a declination", corners)
    sky = SkyCoord(given[:, 0], given[:, 1], unit="deg")
    vectors = sky.cartesian.xyz.value  # (3, 4): their mean has no trouble at 0 h or at the poles
    middle = SkyCoord(*vectors.mean(axis=1), representation_type="cartesian")
    middle.representation_type = "unitspherical"
    if middle.separation(sky).deg.max() > MAX_FIELD_RADIUS_DEG:
        raise _refusal(f"The corners lie more than {MAX_FIELD_RADIUS_DEG:g}° from their middle", corners)
    if _area(vectors) < 1e-14:
        raise _refusal("The corners lie on one line of the sky", corners)
    x = np.array([-0.5, width - 0.5, width - 0.5, -0.5])
    y = np.array([height - 0.5, height - 0.5, -0.5, -0.5])
    wcs = fit_wcs_from_points((x, y), sky, proj_point=SkyCoord(middle.ra, middle.dec))
    fitted_x, fitted_y = wcs.world_to_pixel(sky)
    residual = float(np.hypot(fitted_x - x, fitted_y - y).max()) / max(width, height)
    if not residual <= MAX_CORNER_RESIDUAL:
        raise _refusal("The corners do not form the outline of a picture", corners)
    wcs.array_shape = (height, width)
    return wcs


@dataclass(frozen=True)
class FieldOfView:
    """The patch of sky that a frame covers.

    Attributes:
        ra_deg, dec_deg: Its middle (ICRS).
        radius_deg: From the middle to the farthest corner.
        width_arcmin, height_arcmin: Through the middle.
        up_deg: Position angle of the direction shown as up, from north through east, in [0, 360).
        is_mirrored: Whether east lies to the right of north, as no naked eye sees it.
    """

    ra_deg: float
    dec_deg: float
    radius_deg: float
    width_arcmin: float
    height_arcmin: float
    up_deg: float
    is_mirrored: bool


def field_of_view(frame: Frame) -> FieldOfView | None:
    """The patch of sky that a frame covers; None without a WCS, or when its edge is off the sky."""
    if frame.wcs is None:
        return None
    right, bottom = frame.width - 0.5, frame.height - 0.5
    x, y = (frame.width - 1) / 2, (frame.height - 1) / 2
    up = 1.0 if frame.row0 == "bottom" else -1.0
    columns = [x, x, x - 1, -0.5, right, right, -0.5, -0.5, right, x, x]
    rows = [y, y + up, y, -0.5, -0.5, bottom, bottom, y, y, -0.5, bottom]
    points = frame.wcs.celestial.pixel_to_world(np.array(columns), np.array(rows)).icrs
    if not (np.isfinite(points.ra.deg).all() and np.isfinite(points.dec.deg).all()):
        return None
    middle, above, left = points[0], points[1], points[2]
    up_deg = float(middle.position_angle(above).deg) % 360.0
    left_deg = float(middle.position_angle(left).deg)
    return FieldOfView(
        ra_deg=float(middle.ra.deg),
        dec_deg=float(middle.dec.deg),
        radius_deg=float(middle.separation(points[3:7]).deg.max()),
        width_arcmin=float(points[7].separation(points[8]).arcmin),
        height_arcmin=float(points[9].separation(points[10]).arcmin),
        up_deg=up_deg,
        is_mirrored=bool(np.sin(np.radians(left_deg - up_deg)) < 0.0),
    )


def _area(vectors: np.ndarray) -> float:
    """Area of the quadrilateral of four unit vectors, in steradians for a small one."""
    first, second = vectors[:, 2] - vectors[:, 0], vectors[:, 3] - vectors[:, 1]
    return float(np.linalg.norm(np.cross(first, second))) / 2.0


def _refusal(what: str, corners: Sequence[tuple[float, float]]) -> FrameRejected:
    return FrameRejected(f"{what}.", parameter="corners", given=corners)
