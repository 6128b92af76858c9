import subprocess
import sys

import pytest

from core.errors import ParameterInvalid
from core.simulate.names import find


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("m 13", "M 13"),
        ("M013", "M 13"),
        (" messier 13 ", "M 13"),
        ("NGC6205", "M 13"),
        ("ngc7000", "NGC 7000"),
        ("IC 434", "IC 434"),
        ("ic11", "NGC 281"),  # the same nebula, listed twice
        ("m 102", "M 101"),
        ("m45", "M 45"),
        ("b33", "B 33"),
        ("Caldwell 14", "C 14"),
        ("sh2-155", "C 9"),
        ("UGC 454", "M 31"),
        ("Andromeda", "M 31"),
        ("the ring nebula", "M 57"),
        ("HORSEHEAD", "B 33"),
        ("cat's eye", "NGC 6543"),
        ("Stephan’s Quintet", "HCG 92"),
        ("seven sisters", "M 45"),
        ("pinwheel", "M 101"),
        ("orion nebula", "M 42"),
    ],
)
def test_objects_are_found_as_people_type_them(typed, name):
    assert find(typed).name == name


def test_every_messier_object_is_found():
    names = [find(f"M{number}").name for number in range(1, 111)]
    assert [number for number, name in enumerate(names, 1) if name != f"M {number}"] == [102]


def test_what_is_known_of_andromeda():
    andromeda = find("m31")
    assert andromeda.ra_deg == pytest.approx(10.6847, abs=1e-3)
    assert andromeda.dec_deg == pytest.approx(41.2687, abs=1e-3)
    assert andromeda.title == "M 31 · Andromeda Galaxy"
    assert andromeda.designations == ("M 31", "NGC 224")
    assert andromeda.kind == "Galaxy"
    assert andromeda.size_arcmin == pytest.approx(178, abs=1)
    assert andromeda.minor_arcmin == pytest.approx(70, abs=1)
    assert andromeda.angle_deg == 35
    assert andromeda.magnitude == pytest.approx(3.4, abs=0.1)


def test_a_word_that_fits_several_takes_the_brightest():
    assert find("butterfly").name == "M 6"  # the cluster, not the nebula or the galaxies


@pytest.mark.parametrize(
    ("typed", "ra_deg", "dec_deg"),
    [
        ("204.25 -29.86", 204.25, -29.86),
        ("204.25, +29.86", 204.25, 29.86),
        ("13:37:00 -29:51:57", 204.25, -29.865833),
        ("13:37:00-29:51:57", 204.25, -29.865833),
        ("13 37 00 -29 51 57", 204.25, -29.865833),
        ("13:37:00 29:51:57", 204.25, 29.865833),
        ("13h37m -29d52m", 204.25, -29.866667),
        ("13h 37m 00s, −29° 51′ 57″", 204.25, -29.865833),
        ("13h37m00.0s -29°51'57\"", 204.25, -29.865833),
        ("0:00:00 -00:30:00", 0.0, -0.5),
        ("360 90", 0.0, 90.0),
    ],
)
def test_coordinates_are_read(typed, ra_deg, dec_deg):
    place = find(typed)
    assert place.ra_deg == pytest.approx(ra_deg, abs=1e-6)
    assert place.dec_deg == pytest.approx(dec_deg, abs=1e-6)
    assert place.kind == "Position"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("andromida", r"No object is called 'andromida'. Did you mean Andromeda Galaxy\?"),
        ("m 144", "Did you mean M 44"),
        ("horse hed", "Did you mean Horsehead Nebula"),
        ("xyzzy", "No object is called 'xyzzy'. Try a name such as M 13, or coordinates."),
        ("", "No object is called ''."),
        ("ngc 99999", "No object is called 'ngc 99999'."),
        ("10 95", "The declination must be −90° to"),
        ("25:00:00 +10:00:00", "The right ascension must be 0 to 360°"),
        ("-10 20", "The right ascension must be 0 to 360°"),
        ("12:70:00 +10:00:00", "The minutes and seconds must be less than 60"),
    ],
)
def test_what_is_unknown_is_one_sentence(typed, sentence):
    with pytest.raises(ParameterInvalid, match=sentence) as refusal:
        find(typed)
    assert refusal.value.parameter == "object"


def test_importing_reads_nothing():
    code = "import sys, core.simulate.names; print('pyongc' in sys.modules or 'astropy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False"
