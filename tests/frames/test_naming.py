"""File names come from strangers."""

from __future__ import annotations

import pytest

from core.errors import FrameRejected
from core.frames import read_frame
from core.frames.limits import MAX_NAME
from core.frames.naming import display_name
from tests.frames.files import picture


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("m31.fits", "m31.fits"),
        ("/home/me/m31.fits", "m31.fits"),
        ("..\\..\\m31.fits", "m31.fits"),
        ("M 31 – α.fits", "M 31 – α.fits"),
        ("<script>alert(1)<", "‹script›alert(1)‹"),
        ("[click](http:evil)", "(click)(http:evil)"),
        ("`rm`&", "'rm'+"),
        ("two\nlines\x00\x1b[31m\u202efits", "two lines (31m fits"),
        ("", "the file"),
        ("///", "the file"),
        ("\n\t", "the file"),
    ],
)
def test_shown_name(name: str, shown: str) -> None:
    assert display_name(name) == shown


def test_long_name_keeps_its_ends() -> None:
    shown = display_name("a" * 500 + "_final.fits")
    assert len(shown) == MAX_NAME
    assert shown.startswith("aaa")
    assert shown.endswith("_final.fits")


def test_name_is_made_fit_in_frames_and_in_refusals() -> None:
    hostile = "a/<b>\n.png"
    assert read_frame(picture("PNG"), name=hostile).name == "‹b› .png"
    with pytest.raises(FrameRejected, match=r"^'‹b› \.png' is empty"):
        read_frame(b"", name=hostile)
