"""Units, gain, saturation and scale of FITS headers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from core.frames import read_frame
from core.frames.limits import MAX_KEPT_TEXT
from tests.frames.files import TAN, fits_file, fits_image, noise


@pytest.mark.parametrize(
    ("cards", "unit", "gain"),
    [
        ({}, "", None),
        ({"BUNIT": "ADU"}, "adu", None),
        ({"BUNIT": "counts", "EGAIN": 1.4}, "adu", 1.4),
        ({"EGAIN": 0.0}, "", None),
        ({"EGAIN": "high"}, "", None),
        ({"GAIN": 2.0, "EGAIN": 0.8}, "", 0.8),
        ({"GAIN": 1.37}, "", 1.37),
        ({"GAIN": 100}, "", None),
        ({"GAIN": 120.5}, "", None),
        ({"GAIN": (2, "[e-/ADU] conversion gain")}, "", 2.0),
        ({"GAIN": (2, "gain, electrons per adu")}, "", 2.0),
        ({"GAIN": (2, "CCD gain (e/DN)")}, "", 2.0),
        ({"GAIN": (100, "sensor gain setting")}, "", None),
        ({"GAIN": (100, "gain value/setting")}, "", None),
        ({"GAIN": (4, "pre-amp gain")}, "", None),
        ({"GAIN": (350, "[0.1 dB] electronic gain")}, "", None),
        ({"GAIN": (0.5, "[ADU/e-]")}, "", None),
        ({"HIERARCH ESO DET OUT1 CONAD": 2.3}, "", 2.3),
        ({"BUNIT": "electrons", "GAIN": 1.37}, "electron", 1.0),
        ({"BUNIT": "MJy/sr", "EGAIN": 1.37}, "MJy/sr", None),
    ],
)
def test_unit_and_gain(cards: dict[str, Any], unit: str, gain: float | None) -> None:
    frame = read_frame(fits_image(cards=cards))
    assert (frame.unit, frame.gain_e_per_adu) == (unit, gain)


@pytest.mark.parametrize(
    ("kind", "cards", "saturation"),
    [
        ("u1", {}, 255.0),
        ("i2", {}, 32767.0),
        ("u2", {}, 65535.0),
        ("i4", {}, None),
        ("f4", {}, None),
        ("f4", {"SATURATE": 50_000.0}, 50_000.0),
        ("u2", {"SATLEVEL": 60_000}, 60_000.0),
        ("u2", {"SATURATE": -1.0}, 65535.0),
        ("u2", {"DATAMAX": 1234.0}, 65535.0),
    ],
)
def test_saturation(kind: str, cards: dict[str, Any], saturation: float | None) -> None:
    assert read_frame(fits_image(np.ones((24, 32), kind), cards)).saturation == saturation


def test_saturation_does_not_follow_the_scaling_of_the_primary_image() -> None:
    data = fits_file(fits.PrimaryHDU(np.ones((24, 32), "u2")), fits.ImageHDU(np.ones((24, 32), "i2")))
    assert [read_frame(data, hdu=hdu).saturation for hdu in (0, 1)] == [65535.0, 32767.0]


def test_scaled_integers_have_no_saturation_of_their_own() -> None:
    hdu = fits.PrimaryHDU(noise().astype(np.float32))
    hdu.scale("int16", bscale=0.1, bzero=900.0)
    assert read_frame(fits_file(hdu)).saturation is None


def test_cards_are_kept_as_plain_values_and_inherited() -> None:
    first = fits.PrimaryHDU()
    first.header.update({"TELESCOP": "VLT", "OBJECT": "field", "EXPTIME": 4.0, "SECRET": "no"})
    second = fits.ImageHDU(noise().astype(np.float32))
    second.header.update({"OBJECT": "M 42", "INSTRUME": "x" * 60, "FILTER": ""})
    header = read_frame(fits_file(first, second)).header
    assert header == {"OBJECT": "M 42", "TELESCOP": "VLT", "INSTRUME": "x" * 60, "EXPTIME": 4.0}
    assert all(type(value) in (str, int, float, bool) for value in header.values())


def test_a_raw_mosaic_of_colours_is_told() -> None:
    assert "raw mosaic" in read_frame(fits_image(cards={"BAYERPAT": "RGGB"})).notes[0]
    assert not read_frame(fits_image(cards={"BAYERPAT": "NONE"})).notes
    colour = np.stack([noise()] * 3).astype(np.float32)
    assert "mosaic" not in " ".join(read_frame(fits_image(colour, {"BAYERPAT": "RGGB"})).notes)


def test_long_text_is_cut() -> None:
    header = read_frame(fits_image(cards={"OBJECT": "long " * 100})).header
    assert len(str(header["OBJECT"])) == MAX_KEPT_TEXT


@pytest.mark.parametrize(
    ("cards", "scale"),
    [
        ({"PIXSCALE": 0.4}, 0.4),
        ({"SECPIX": 1.7}, 1.7),
        ({"XPIXSZ": 3.76, "FOCALLEN": 400.0}, 1.939),
        ({"XPIXSZ": 3.76, "FOCALLEN": 0.0}, None),
        ({"PIXSCALE": -1.0}, None),
        ({**TAN, "PIXSCALE": 0.4}, 0.36),
    ],
)
def test_pixel_scale(cards: dict[str, Any], scale: float | None) -> None:
    found = read_frame(fits_image(cards=cards)).pixel_scale_arcsec
    assert found == (None if scale is None else pytest.approx(scale, rel=1e-3))


@pytest.mark.parametrize(
    ("cards", "row0"),
    [
        ({}, "bottom"),
        ({"ROWORDER": "BOTTOM-UP"}, "bottom"),
        ({"ROWORDER": "TOP-DOWN"}, "top"),
        ({"ROWORDER": "top-down "}, "top"),
        ({"ROWORDER": 7}, "bottom"),
    ],
)
def test_the_order_of_rows_is_taken_from_the_header(cards: dict[str, Any], row0: str) -> None:
    assert read_frame(fits_image(cards=cards)).row0 == row0
