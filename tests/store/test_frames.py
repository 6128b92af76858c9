import json

import numpy as np
import pytest
from astropy.wcs import WCS

from core.frames import Frame


@pytest.fixture
def sky_frame():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [5.5, 10.5]  # the middle, in FITS' 1-based pixels
    wcs.wcs.crval = [202.47, 47.2]
    wcs.wcs.cdelt = [-1 / 3600, 1 / 3600]
    header = {"OBJECT": "M51", "EXPTIME": 30.0, "BAD": float("nan"), "NCOMB": 3, "SIMPLE": True}
    return Frame.from_array(np.zeros((20, 10, 3)), name="m51.fits", wcs=wcs, header=header, plane=2)


def test_what_is_known_of_a_frame(store, sky_frame, result_of):
    store.save_run(sky_frame, result_of(sky_frame))
    (stored,) = store.frames()
    assert (stored.key, stored.name, stored.sha256) == (sky_frame.key, "m51.fits", sky_frame.sha256)
    assert (stored.width, stored.height, stored.colour) == (10, 20, True)
    assert (stored.hdu, stored.plane, stored.processing) == (None, 2, "")
    assert stored.pixel_scale_arcsec == pytest.approx(1.0)
    assert (stored.centre_ra_deg, stored.centre_dec_deg) == pytest.approx((202.47, 47.2))
    assert stored.first_seen.utcoffset().total_seconds() == 0


def test_the_header_is_kept_as_json(store, sky_frame, result_of):
    store.save_run(sky_frame, result_of(sky_frame))
    with store._database.cursor() as cursor:
        (header,) = cursor.execute("SELECT header::VARCHAR FROM frames").fetchone()
    assert json.loads(header) == {
        "OBJECT": "M51",
        "EXPTIME": 30.0,
        "BAD": None,
        "NCOMB": 3,
        "SIMPLE": True,
    }


def test_the_same_pixels_are_one_frame_and_processed_ones_another(store, frame, result_of):
    processed = frame.with_pixels(frame.pixels, '["denoise"]')
    for n, each in enumerate((frame, frame, processed), start=1):
        store.save_run(each, result_of(each, n=n))
    assert [stored.processing for stored in store.frames()] == ['["denoise"]', ""]
    assert [stored.key for stored in store.frames(limit=1)] == [processed.key]
    assert store.counts() == {"frames": 2, "runs": 3, "detections": 6, "corrections": 0}
