import dataclasses
import pickle

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from core.errors import FrameRejected
from core.frames import Frame


@pytest.fixture
def wcs():
    """0.4 arcsec a pixel in x and 0.9 in y, about the 11th column and 21st row."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [11.0, 21.0]
    wcs.wcs.cdelt = [-0.4 / 3600, 0.9 / 3600]
    return wcs


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (np.zeros((2, 2)), "float32; 'x' has float64"),
        (np.zeros((2, 2), np.uint16), "float32; 'x' has uint16"),
        (np.zeros(4, np.float32), "has shape (4,)"),
        (np.zeros((2, 2, 4), np.float32), "has shape (2, 2, 4)"),
        (np.zeros((3, 2, 2), np.float32), "has shape (3, 2, 2)"),
        (np.zeros((0, 5), np.float32), "has shape (0, 5)"),
        (np.zeros((1, 2, 2, 3), np.float32), "has shape (1, 2, 2, 3)"),
        (np.float32(1), "has shape ()"),
    ],
)
def test_pixels_that_are_no_frame_are_refused(pixels, sentence):
    with pytest.raises(FrameRejected) as refusal:
        Frame(name="x", pixels=np.asarray(pixels), sha256="")
    assert sentence in refusal.value.message
    assert refusal.value.parameter == "pixels"


@pytest.mark.parametrize("pixels", [[[1, 2, 3]], np.ones((2, 3, 3), ">i2"), np.ones((4, 4))[::2, ::-1]])
def test_any_array_can_be_made_a_frame(pixels):
    frame = Frame.from_array(pixels)
    assert frame.pixels.dtype == np.float32
    assert frame.pixels.flags["C_CONTIGUOUS"]
    assert (frame.height, frame.width) == np.shape(pixels)[:2]


def test_grey_is_the_mean_of_the_colours():
    frame = Frame.from_array(np.array([[[1, 2, 6]]]))
    assert frame.is_colour
    assert frame.grey.tolist() == [[3.0]]
    assert frame.grey.dtype == np.float32
    plain = Frame.from_array([[5.0]])
    assert not plain.is_colour
    assert plain.grey is plain.pixels


def test_the_hash_is_of_the_values_and_the_shape():
    assert Frame.from_array(np.zeros((2, 6))).sha256 == Frame.from_array(np.zeros((2, 6), int)).sha256
    assert Frame.from_array(np.zeros((2, 6))).sha256 != Frame.from_array(np.zeros((6, 2))).sha256
    assert Frame.from_array([[1.0]]).sha256 != Frame.from_array([[2.0]]).sha256


@pytest.mark.parametrize("change", [{"hdu": 1}, {"plane": 0}, {"processing": "[]"}, {"sha256": "00"}])
def test_the_key_names_these_very_pixels(change):
    frame = Frame.from_array([[1.0]])
    assert dataclasses.replace(frame, **change).key != frame.key
    assert dataclasses.replace(frame, name="other").key == frame.key


def test_processed_pixels_keep_the_file_and_change_the_key(wcs):
    frame = Frame.from_array(np.ones((3, 3)), wcs=wcs, row0="bottom")
    processed = frame.with_pixels(frame.pixels * 2, '["twice"]')
    assert processed.sha256 == frame.sha256
    assert processed.key != frame.key
    assert processed.grey.max() == 2
    assert (processed.wcs, processed.row0) == (wcs, "bottom")


def test_the_pixel_scale_comes_from_the_wcs(wcs):
    assert Frame.from_array([[1.0]], wcs=wcs).pixel_scale_arcsec == pytest.approx(0.6)
    assert Frame.from_array([[1.0]]).pixel_scale_arcsec is None
    assert Frame.from_array([[1.0]], pixel_scale_arcsec=2.0).pixel_scale_arcsec == 2.0


def test_the_first_pixel_is_zero_and_sky_is_icrs(wcs):
    frame = Frame.from_array([[1.0]], wcs=wcs)
    ra, dec = frame.sky(10.0, 20.0)
    assert (ra[0], dec[0]) == pytest.approx((150.0, 2.0))
    assert ra.shape == (1,)
    x, y = frame.pixel(150.0, 2.0 + 9 / 3600)
    assert (x[0], y[0]) == pytest.approx((10.0, 30.0), abs=1e-4)


def test_sky_and_pixel_are_each_others_inverse(wcs):
    frame = Frame.from_array([[1.0]], wcs=wcs)
    x, y = np.array([0.0, 500.0, -3.25]), np.array([0.0, 7.5, 900.0])
    np.testing.assert_allclose(frame.pixel(*frame.sky(x, y)), [x, y], atol=1e-6)
    ra, dec = frame.sky([], [])
    assert len(ra) == len(dec) == 0


def test_a_place_far_beyond_a_distorted_frame_has_no_pixel():
    header = fits.Header({"NAXIS": 2, "NAXIS1": 1200, "NAXIS2": 1000, "A_ORDER": 3, "B_ORDER": 3})
    header.update({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRVAL1": 150.0, "CRVAL2": 20.0})
    header.update({"CRPIX1": 600.5, "CRPIX2": 500.5, "CD1_1": -5e-4, "CD2_2": 5e-4})
    header.update({"A_2_0": 1e-5, "A_3_0": 3e-8, "A_1_1": 2e-6, "B_0_2": -2e-5, "B_0_3": 2e-8})
    frame = Frame.from_array([[1.0]], wcs=WCS(header))
    x, y = np.mgrid[0:1200:50, 0:1000:50].reshape(2, -1).astype(float)
    np.testing.assert_allclose(frame.pixel(*frame.sky(x, y)), [x, y], atol=1e-3)
    ra, dec = np.mgrid[140:160:40j, 10:30:40j].reshape(2, -1)
    far = np.hypot((ra - 150) * np.cos(np.radians(20)), dec - 20) > 1.0
    x, y = frame.pixel(ra[far], dec[far])
    assert not ((x > 0) & (x < 1200) & (y > 0) & (y < 1000)).any()
    assert len(frame.pixel([], [])[0]) == 0


def test_another_sky_system_is_turned_into_icrs():
    galactic = WCS(naxis=2)
    galactic.wcs.ctype = ["GLON-TAN", "GLAT-TAN"]
    galactic.wcs.crval = [0.0, 0.0]
    galactic.wcs.cdelt = [-0.001, 0.001]
    frame = Frame.from_array([[1.0]], wcs=galactic)
    ra, dec = frame.sky(-1.0, -1.0)
    assert (ra[0], dec[0]) == pytest.approx((266.405, -28.936), abs=1e-3)  # the centre of the Galaxy
    assert frame.pixel(ra, dec)[0][0] == pytest.approx(-1.0, abs=1e-6)


def test_the_far_side_of_the_sky_has_no_pixel(wcs):
    x, y = Frame.from_array([[1.0]], wcs=wcs).pixel(330.0, -2.0)
    assert np.isnan(x[0])
    assert np.isnan(y[0])


def test_without_a_wcs_there_is_no_sky():
    frame = Frame.from_array([[1.0]])
    assert frame.sky(0, 0) is None
    assert frame.pixel(0, 0) is None


def test_a_frame_travels_between_processes(wcs):
    frame = Frame.from_array(np.ones((2, 2, 3)), "sky", wcs=wcs, header={"A": 1}, notes=("n",))
    back = pickle.loads(pickle.dumps(frame))  # noqa: S301
    np.testing.assert_array_equal(back.pixels, frame.pixels)
    assert back.key == frame.key
    assert back.sky(1.0, 1.0)[0] == frame.sky(1.0, 1.0)[0]


@pytest.mark.parametrize(
    ("cards", "year"),
    [
        ({"DATE-OBS": "2000-01-01T12:00:00"}, 2000.0),
        ({"DATE-OBS": "2000-01-01T12:00:00.000Z"}, 2000.0),
        ({"DATE-OBS": "2000-01-01 12:00"}, 2000.0),
        ({"DATE-OBS": "1999-12-31"}, 1999.9959),
        ({"DATE-OBS": "31/12/99"}, 1999.9959),
        ({"DATE-OBS": "0000-00-00T00:00:00", "MJD-OBS": 51544.5}, 2000.0),
        ({"DATE-OBS": "yesterday"}, None),
        ({"MJD-OBS": 1e9}, None),
        ({}, None),
    ],
)
def test_epoch(cards, year):
    epoch = Frame.from_array(np.zeros((8, 8)), header=cards).epoch
    assert epoch == (None if year is None else pytest.approx(year, abs=1e-3))
