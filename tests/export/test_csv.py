import io

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from core.export import export
from core.results import Detections


def read(payload):
    return pd.read_csv(io.BytesIO(payload), comment="#")


def test_pandas_reads_the_values_back(make):
    result = make(["star", "galaxy", "star", "star"], ["a", None, "c", "d"])
    back = read(export(result, "csv"))
    table = result.detections.table
    assert list(back.columns) == list(table.columns)
    for column in table.select_dtypes("number"):
        np.testing.assert_array_equal(back[column].to_numpy(float), table[column].to_numpy(float))
    assert back["label"].tolist() == table["label"].tolist()
    assert back["name"].isna().tolist() == [False, True, False, False]


def test_astropy_reads_the_values_back(make):
    result = make(["star", "galaxy", "star"], ["a, b", 'c "d"', "# e"])
    back = Table.read(io.BytesIO(export(result, "csv")), format="ascii.csv", comment="#")
    assert back["x"].tolist() == result.detections.table["x"].tolist()
    assert back["name"].tolist() == ["a, b", 'c "d"', "# e"]


def test_units_are_in_a_comment(make):
    assert "flux [adu], ra_deg [deg]" in export(make(["star"]), "csv").decode()


def test_what_an_added_object_does_not_have_is_empty(make):
    table = make(["star", "star"]).detections.table.astype({"saturated": "boolean", "n_pixels": "Int64"})
    table.loc[1, ["saturated", "n_pixels"]] = pd.NA
    payload = export(make(["star"]), "csv", detections=Detections(table))
    assert payload.decode().endswith(",,\n")


def test_nothing_found_keeps_the_columns(make):
    back = read(export(make([]), "csv"))
    assert len(back) == 0
    assert {"label", "x", "flux"} <= set(back.columns)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\n=1"])
def test_a_formula_is_neutralised(make, text):
    back = read(export(make(["star"], [text]), "csv"))
    assert back["name"][0] == "'" + text.replace("\t", " ").replace("\n", " ")


def test_hostile_text_stays_in_its_cell(make, hostile):
    back = read(export(make(hostile, hostile), "csv", extra={"edited_by": "x\nlabel,evil\r\n"}))
    assert len(back) == len(hostile)
    assert back["label"][5] == "# comment"
    assert back["name"][1] == 'comma, "quote" and new line '
    assert back["name"][7] == "Ø ★ 星 σ"


def test_a_path_that_begins_with_a_minus_is_no_formula(shaped):
    table = shaped.detections.table[:2].assign(path=[None, "-0.50,30.00 25.00,30.00"])
    back = read(export(shaped, "csv", detections=Detections(table)))
    assert back["path"].tolist()[1] == "-0.50,30.00 25.00,30.00"
    assert back["diameter_px"].tolist()[0] == 12.0
