import io

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import Table

from core.export import export
from core.results import Detections

ASTROPY_NAMES = {"ecsv": "ascii.ecsv", "votable": "votable", "fits": "fits"}


def read(name, payload):
    return Table.read(io.BytesIO(payload), format=ASTROPY_NAMES[name])


@pytest.mark.parametrize("name", ASTROPY_NAMES)
@pytest.mark.parametrize("labels", [[], ["star"], ["star", "galaxy", "star", "star", "star"]])
def test_astropy_reads_values_and_units_back(name, labels, make):
    result = make(labels, [f"n{row}" for row in range(len(labels))])
    back = read(name, export(result, name))
    table = result.detections.table
    assert back.colnames == list(table.columns)
    assert len(back) == len(labels)
    for column in table.select_dtypes("number"):
        values = np.ma.filled(np.ma.asarray(back[column]).astype(float), np.nan)
        np.testing.assert_array_equal(values, table[column].to_numpy(float))
    assert [str(text) for text in back["name"]] == [f"n{row}" for row in range(len(labels))]
    assert [bool(value) for value in back["saturated"]] == table["saturated"].tolist()
    for column, unit in result.detections.units.items():
        assert back[column].unit == u.Unit(unit)


@pytest.mark.parametrize("name", ["ecsv", "votable"])
def test_hostile_text_comes_back_in_one_line(name, make, hostile):
    back = read(name, export(make(hostile, hostile), name, extra={"edited_by": hostile[2]}))
    assert len(back) == len(hostile)
    for row in (0, 2, 3, 5, 6, 7):
        assert str(back["name"][row]) == hostile[row]
    assert str(back["name"][1]).strip() == 'comma, "quote" and new line'


def test_fits_escapes_what_is_not_ascii(make):
    payload = export(make(["star"], ["Ø ★"]), "fits", extra={"edited_by": "Ø"})
    assert str(read("fits", payload)["name"][0]) == "\\xd8 \\u2605"
    with fits.open(io.BytesIO(payload), checksum=True) as hdus:
        hdus.verify("exception")
        assert "edited_by: \\xd8" in list(hdus[1].header["HISTORY"])


def test_fits_cards(make):
    long = {f"parameter_{number}": "x" * 40 for number in range(20)}
    payload = export(make(["star"], params=long), "fits", extra={"human_edits": 4, "note": "y" * 300})
    with fits.open(io.BytesIO(payload)) as hdus:
        header = hdus["DETECTIONS"].header
        assert header["METHOD"] == "stars.toy"
        assert header["NEDITS"] == 4
        assert header["FRAMESHA"] == "ab" * 32
        assert "parameter_19" in header["PARAMS"]
        assert "".join(header["HISTORY"]).count("y") == 300


def test_votable_has_ucds_and_facts(make):
    votable = parse(io.BytesIO(export(make(["star"]), "votable")), verify="exception")
    ucds = {field.name: field.ucd for field in votable.get_first_table().fields}
    assert ucds["ra_deg"] == "pos.eq.ra;meta.main"
    infos = {info.name: info.value for info in votable.resources[0].infos}
    assert infos["method"] == "stars.toy"
    assert infos["human_edits"] == "0"


@pytest.mark.parametrize("name", ASTROPY_NAMES)
def test_a_unit_astropy_does_not_know_is_described(name, make):
    result = make(["star"])
    odd = Detections(result.detections.table, units={"mag": "furlong of light"})
    payload = export(result, name, detections=odd)
    if name == "fits":
        assert fits.getheader(io.BytesIO(payload), 1)["TUNIT14"] == "furlong of light"
        return
    back = read(name, payload)
    assert back["mag"].unit is None
    assert back["mag"][0] == 12.0
    assert "furlong of light" in back["mag"].description


@pytest.mark.parametrize(
    ("unit", "in_fits"),
    [
        ("electron", "electron"),
        ("electron / s", "electron / s"),
        ("MJy/sr", "MJy sr-1"),
        ("3.5 Jy", "3.5 Jy"),
        ("e\n★", "e \\u2605"),
        ("erg/s/cm2/Angstrom", "erg Angstrom-1 s-1 cm-2"),
    ],
)
def test_units_the_standards_do_not_have_are_written_too(unit, in_fits, make):
    result = make(["star"])
    found = Detections(result.detections.table, units={"flux": unit})
    with fits.open(io.BytesIO(export(result, "fits", detections=found)), checksum=True) as hdus:
        assert hdus[1].columns["flux"].unit == in_fits
    assert len(read("ecsv", export(result, "ecsv", detections=found))) == 1
    assert b"</VOTABLE>" in export(result, "votable", detections=found)


def test_parquet_keeps_values_types_and_units(make):
    result = make(["star", "galaxy"], ["Ø ★", "n1"])
    payload = export(result, "parquet")
    back = pd.read_parquet(io.BytesIO(payload))
    pd.testing.assert_frame_equal(back, result.detections.table, check_dtype=False)
    schema = pq.read_schema(io.BytesIO(payload))
    for column, unit in result.detections.units.items():
        assert schema.field(column).metadata[b"unit"].decode() == unit
