"""Sky coordinates from corners, and fields of view."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

from core.errors import FrameRejected
from core.frames import Frame
from core.frames.sky import field_of_view, wcs_from_corners

OUTER = np.array([[-0.5, 299.5], [399.5, 299.5], [399.5, -0.5], [-0.5, -0.5]])


def tangent(
    ra: float, dec: float, angle_deg: float = 0.0, mirrored: bool = False, scale_deg: float = 1e-3
) -> WCS:
    """A picture of 400 × 300 pixels, row 0 at the top, with north ``angle_deg`` from up."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = ra, dec
    wcs.wcs.crpix = 200.5, 150.5
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    wcs.wcs.cd = turn @ np.diag([scale_deg if mirrored else -scale_deg, -scale_deg])
    return wcs


@pytest.mark.parametrize("angle_deg", [0.0, 33.0, 180.0, -100.0])
@pytest.mark.parametrize(
    ("ra", "dec"), [(0.0, 0.0), (359.95, -30.0), (120.0, 85.0), (10.0, 89.95), (83.8, -5.4)]
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_corners_give_back_the_coordinates_they_came_from(
    ra: float, dec: float, angle_deg: float, mirrored: bool
) -> None:
    truth = tangent(ra, dec, angle_deg, mirrored)
    corners = truth.wcs_pix2world(OUTER, 0)
    found = wcs_from_corners(400, 300, [(float(a), float(d)) for a, d in corners])
    x, y = np.meshgrid([0.0, 150.0, 399.0], [0.0, 77.0, 299.0])
    there = truth.pixel_to_world(x, y)
    back_x, back_y = found.world_to_pixel(there)
    assert np.hypot(back_x - x, back_y - y).max() < 0.02


@pytest.mark.parametrize(
    "corners",
    [
        [],
        [(10.0, 10.0)] * 3,
        [(10.0, 10.0)] * 4,
        [(10.0, 10.0), (11.0, 10.0), (12.0, 10.0), (13.0, 10.0)],
        [(10.0, 0.0), (11.0, 1.0), (10.0, 1.0), (11.0, 0.0)],
        [(10.0, 10.0), (11.0, 10.0), (11.0, 15.0), (10.5, 11.0)],
        [(0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (0.0, 90.0)],
        [(0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (270.0, 0.0)],
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, float("nan"))],
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 91.0)],
    ],
)
def test_corners_that_are_no_picture(corners: list[tuple[float, float]]) -> None:
    with pytest.raises(FrameRejected, match="orner"):
        wcs_from_corners(400, 300, corners)


@pytest.mark.parametrize("row0", ["top", "bottom"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_field_of_view(row0: str, mirrored: bool) -> None:
    frame = Frame.from_array(np.zeros((300, 400)), wcs=tangent(83.8, -5.4, 0.0, mirrored), row0=row0)
    field = field_of_view(frame)
    assert field is not None
    assert field.ra_deg == pytest.approx(83.8, abs=1e-6)
    assert field.dec_deg == pytest.approx(-5.4, abs=1e-6)
    assert field.radius_deg == pytest.approx(0.25, rel=1e-3)
    assert field.width_arcmin == pytest.approx(24.0, rel=1e-3)
    assert field.height_arcmin == pytest.approx(18.0, rel=1e-3)
    # The same pixels shown from the other end are upside down: north turns round, and so does handedness.
    assert np.cos(np.radians(field.up_deg)) == pytest.approx(1.0 if row0 == "top" else -1.0)
    assert field.is_mirrored is (mirrored != (row0 == "bottom"))


def test_position_angle_of_up() -> None:
    frame = Frame.from_array(np.zeros((300, 400)), wcs=tangent(10.0, 20.0, 30.0))
    field = field_of_view(frame)
    assert field is not None
    north_x, north_y = (float(v[0]) for v in frame.pixel([10.0], [20.01]))
    clockwise_from_up = np.degrees(np.arctan2(north_x - 199.5, 149.5 - north_y)) % 360.0
    assert field.up_deg == pytest.approx(clockwise_from_up, abs=0.1)


def test_no_coordinates_no_field() -> None:
    assert field_of_view(Frame.from_array(np.zeros((9, 9)))) is None


def test_frame_that_leaves_the_sky_has_no_field() -> None:
    wcs = tangent(10.0, 20.0, scale_deg=1.0)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    assert field_of_view(Frame.from_array(np.zeros((300, 400)), wcs=wcs)) is None
