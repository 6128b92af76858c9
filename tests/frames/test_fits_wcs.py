"""Where FITS images lie on the sky."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from core.frames import read_frame
from tests.frames.files import TAN, fits_file, fits_image, noise


def test_sky_coordinates() -> None:
    frame = read_frame(fits_image(cards=TAN))
    ra, dec = frame.sky(15.5, 11.5)  # CRPIX counts from 1
    assert ra[0] == pytest.approx(83.8, abs=1e-9)
    assert dec[0] == pytest.approx(-5.4, abs=1e-9)
    assert frame.pixel_scale_arcsec == pytest.approx(0.36, rel=1e-6)
    assert frame.notes == ()


def test_old_spellings_are_understood() -> None:
    cards = {**TAN, "RADECSYS": "FK5", "EQUINOX": 2000.0, "DATE-OBS": "13/04/96"}
    assert read_frame(fits_image(cards=cards)).wcs is not None


def test_tables_of_small_distortions_are_left_out_and_named() -> None:
    hdu = fits.PrimaryHDU(noise().astype(np.float32))
    hdu.header.update(TAN)
    for axis in (1, 2):
        hdu.header.update({f"CPDIS{axis}": "LOOKUP", f"CPERR{axis}": 0.1, f"D2IMDIS{axis}": "LOOKUP"})
        for told in ("EXTVER: 1.0", "NAXES: 2.0", "AXIS.1: 1.0", "AXIS.2: 2.0"):
            hdu.header.append((f"DP{axis}", told), end=True)
            hdu.header.append((f"D2IM{axis}", told), end=True)
    frame = read_frame(fits_file(hdu))
    assert frame.wcs is not None
    assert "small distortions" in frame.notes[0]
    np.testing.assert_allclose(np.ravel(frame.sky(15.5, 11.5)), [83.8, -5.4])


def test_colour_cube_keeps_its_sky_coordinates() -> None:
    frame = read_frame(fits_image(noise((3, 24, 32)).astype(np.float32), {**TAN, "CTYPE3": "RGB"}))
    assert frame.is_colour
    assert frame.sky(15.5, 11.5)[0][0] == pytest.approx(83.8)


@pytest.mark.parametrize(
    "broken",
    [
        {"CD1_1": 0.0},
        {"CRVAL2": 1e6, "CD2_2": 1e30},
        {"CTYPE1": "RA---ZZZ"},
        {"CTYPE2": "RA---TAN"},
        {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 100_000, "B_ORDER": 100_000},
        {"WCSAXES": 100_000},
        {"CTYPE1": "RA---TAB", "CTYPE2": "DEC--TAB"},
        {"CUNIT1": "bananas"},
    ],
)
def test_broken_sky_coordinates_are_a_note(broken: dict[str, Any]) -> None:
    frame = read_frame(fits_image(cards={**TAN, **broken}))
    assert frame.wcs is None
    assert frame.notes == ("The sky coordinates in the header are damaged and are not used.",)


@pytest.mark.parametrize(
    "cards", [{}, {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, {"CTYPE1": "PIXEL", "CRVAL1": 1.0}]
)
def test_no_sky_coordinates_is_no_trouble(cards: dict[str, Any]) -> None:
    frame = read_frame(fits_image(cards=cards))
    assert (frame.wcs, frame.notes) == (None, ())


def distorted(function: int, **cards: str) -> dict[str, Any]:
    """TNX cards: a tangent plane whose right ascension is 0.001° more everywhere."""
    lng = f'wtype=tnx axtype=ra lngcor = "{function}. 2. 2. 0. -1. 1. -1. 1. 0.001 0. 0. 0. "'
    lat = f'wtype=tnx axtype=dec latcor = "{function}. 2. 2. 0. -1. 1. -1. 1. 0. 0. 0. 0. "'
    told = {"WAT0_001": "system=image", "WAT1_001": lng[:68], "WAT1_002": lng[68:]}
    told |= {"WAT2_001": lat[:68], "WAT2_002": lat[68:]}
    return {"CTYPE1": "RA---TNX", "CTYPE2": "DEC--TNX", **told, **cards}


SCAMP = {"PV1_0": 0.0, "PV1_1": 1.0, "PV1_2": 0.0, "PV2_0": 0.0, "PV2_1": 1.0, "PV2_2": 0.0}


@pytest.mark.parametrize(
    "cards",
    [
        {"RADESYS": "J2000"},
        {"RADESYS": "icrs"},
        {"RADECSYS": "J2000.0"},
        {"CUNIT1": "DEG", "CUNIT2": "Degrees"},
        {"CTYPE1": "ra---tan", "CTYPE2": "dec--tan"},
        {"CRVAL1": "83.8", "CRVAL2": "-5.4", "CD1_1": "-1e-4"},
        SCAMP,
        {**SCAMP, "PV1_4": 1e-9},
    ],
)
def test_what_means_one_thing_is_read_whatever_its_spelling(cards: dict[str, Any]) -> None:
    frame = read_frame(fits_image(cards={**TAN, **cards}))
    for at in ((15.5, 11.5), (0.0, 0.0)):
        expected = np.ravel(read_frame(fits_image(cards=TAN)).sky(*at))
        # FK5 lies 0.02″ beside ICRS.
        np.testing.assert_allclose(np.ravel(frame.sky(*at)), expected, atol=1e-5)
    assert frame.notes == ()


def test_the_polynomial_of_a_tangent_plane_is_kept_unless_it_is_damaged() -> None:
    whole = read_frame(fits_image(cards={**TAN, **distorted(3)}))
    assert whole.sky(15.5, 11.5)[0][0] == pytest.approx(83.8 + 0.001 / np.cos(np.radians(5.4)), abs=1e-6)
    assert whole.notes == ()
    damaged = read_frame(
        fits_image(cards={**TAN, **distorted(3, WAT1_001="wtype=tnx axtype=ra", WAT1_002="")})
    )
    assert damaged.sky(15.5, 11.5)[0][0] == pytest.approx(83.8)
    assert "leave out the distortions" in damaged.notes[0]


def test_places_in_hours_and_minutes_are_not_taken_for_nought() -> None:
    frame = read_frame(fits_image(cards={**TAN, "CRVAL1": "05:35:17", "CRVAL2": "-05:23:28"}))
    assert frame.wcs is None
    assert "damaged" in frame.notes[0]
