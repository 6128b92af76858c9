import dataclasses

import numpy as np
import pytest
from astropy.wcs import WCS

from core.export.skymarks import compass_of, scale_bar


@pytest.mark.parametrize(
    ("room", "zoom", "scale", "length", "text"),
    [
        (220, 1, None, 200, "200 px"),
        (220, 0.5, None, 200 * 0.5, "200 px"),
        (220, 4, None, 200, "50 px"),
        (220, 1, 0.15, 30 / 0.15, "30 arcsec"),
        (220, 1, 0.5, 60 / 0.5, "1 arcmin"),
        (220, 1, 5, 15 * 60 / 5, "15 arcmin"),
        (220, 2, 60, 1 * 3600 / 60 * 2, "1 deg"),
        (220, 1, 0.0001, 0.02 / 0.0001, "0.02 arcsec"),
    ],
)
def test_scale_bar(room, zoom, scale, length, text):
    bar = scale_bar(room, zoom, scale)
    assert bar.text == text
    assert bar.length_px == pytest.approx(length)
    assert bar.length_px <= room


def as_shown(x, y):
    return x, y


def upside_down(x, y):
    return x, 47 - y


def test_compass_is_the_wcs(sky_frame):
    compass = compass_of(sky_frame, as_shown)
    # North and east of a tangential plane: the columns of the inverse of its CD matrix.
    inverse = np.linalg.inv(sky_frame.wcs.wcs.cd)
    np.testing.assert_allclose(compass.east, inverse[:, 0] / np.hypot(*inverse[:, 0]), atol=1e-3)
    np.testing.assert_allclose(compass.north, inverse[:, 1] / np.hypot(*inverse[:, 1]), atol=1e-3)


def test_compass_follows_the_view(sky_frame):
    stored, shown = compass_of(sky_frame, as_shown), compass_of(sky_frame, upside_down)
    assert shown.north == pytest.approx((stored.north[0], -stored.north[1]))


@pytest.mark.parametrize("dec", [89.9999, -89.9999, 0.0])
def test_compass_near_a_pole(sky_frame, dec):
    wcs = WCS(sky_frame.wcs.to_header())
    wcs.wcs.crval = [10.0, dec]
    compass = compass_of(dataclasses.replace(sky_frame, wcs=wcs), as_shown)
    assert compass is not None
    assert np.dot(compass.north, compass.east) == pytest.approx(0.0, abs=0.05)


def test_no_wcs_no_compass(sky_frame):
    assert compass_of(dataclasses.replace(sky_frame, wcs=None), as_shown) is None
