import gzip
import io

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from astropy.time import Time

from core.catalogues import tables
from core.catalogues.tables import SourceTable, format_of, read_table
from core.errors import TableRejected

IDS = [4295806720, 2497996581861934592, 5188146736371635584]  # longer than a float holds


@pytest.fixture
def plain():
    table = Table({"source_id": IDS, "ra": [10.0, 11.0, 12.0], "plx": MaskedColumn([1.0, 2.0, 3.0])})
    table["ra"].unit, table["plx"].unit = "deg", "mas"
    table["plx"].mask = [False, True, False]
    return table


def written(table, form):
    if form == "parquet":
        file = io.BytesIO()
        table.to_pandas().to_parquet(file)
        return file.getvalue()
    if form in ("fits", "votable"):
        file = io.BytesIO()
        table.write(file, format=form)
        return file.getvalue()
    text = io.StringIO()
    table.write(text, format=form)
    return text.getvalue().encode()


def test_letters_of_another_encoding_cost_no_numbers():
    read = read_table("name,ra,dec\nÉtoile,10.5,-3.5\n".encode("cp1252"))
    assert read.table[["ra", "dec"]].to_numpy().tolist() == [[10.5, -3.5]]


@pytest.mark.parametrize("form", ["ascii.ecsv", "fits"])
def test_places_and_times_that_astropy_keeps_as_one_column_are_read(plain, form):
    plain["sky_centroid"] = SkyCoord([10.0, 11.0, 12.0], [-1.0, 0.0, 1.0], unit="deg")
    plain["time"] = Time([2000.0, 2001.0, 2002.0], format="jyear")
    read = read_table(written(plain, form))
    assert read.table["ra"].tolist() == [10.0, 11.0, 12.0]
    assert read.table["sky_centroid.dec"].tolist() == [-1.0, 0.0, 1.0]
    assert read.units["sky_centroid.dec"] == "deg"


@pytest.mark.parametrize(
    ("form", "kind", "has_units"),
    [
        ("ascii.csv", "CSV", False),
        ("ascii.tab", "CSV", False),
        ("ascii.ecsv", "ECSV", True),
        ("fits", "FITS", True),
        ("votable", "VOTable", True),
        ("parquet", "Parquet", False),
    ],
)
def test_every_format_gives_the_same_table(plain, form, kind, has_units, tmp_path):
    data = written(plain, form)
    assert format_of(data[:2048]) == kind
    path = tmp_path / "any name"
    path.write_bytes(data)
    read = read_table(path)
    assert read.name == "any name"
    assert read.table["source_id"].astype("int64").tolist() == IDS
    assert read.table["ra"].tolist() == [10.0, 11.0, 12.0]
    np.testing.assert_array_equal(read.table["plx"].to_numpy(float, na_value=np.nan), [1, np.nan, 3])
    assert read.units == ({"ra": "deg", "plx": "mas"} if has_units else {})
    assert read.sha256 == read_table(data).sha256
    inflated = read_table(gzip.compress(data), "any name.gz")
    pd.testing.assert_frame_equal(inflated.table, read.table)
    assert inflated.units == read.units


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\nra;dec\n1;2\n3;4\n",
        "ra dec\n1 2\n3   4\n",
        "\ufeffra,dec\n1, 2\n3, 4\n",
        "ra|dec\n1|2\n3|4\n",
        "# made by hand\n# ra dec\n1 2\n3 4\n",
        "#ra, dec\n1,2\n3,4\n",
        "# ra dec\n1,2\n3,4\n",
        "ra dec # degrees\n1 2\n3 4 # a double star\n",
        "#\n# VizieR\nra\tdec\ndeg\tdeg\n---\t---\n1\t2\n3\t4\n",
        "# a long story\n" * 9999 + "ra,dec\n1,2\n3,4\n",
        "# a long story\n" * 9999 + "# ra dec\n1 2\n3 4\n",
    ],
)
def test_text_however_it_is_delimited_and_introduced(text):
    read = read_table(text.encode())
    assert read.table.to_numpy(float).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert list(read.table.columns) == ["ra", "dec"]
    assert read.units == ({"ra": "deg", "dec": "deg"} if "VizieR" in text else {})


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff# of the archive\nname,ra,dec\nCl #1,1,2\n# and\nCl #2,3,4\n",
        "# name, ra, dec\nCl #1,1,2\nCl #2,3,4\n",
    ],
)
def test_names_of_stars_may_stand_first_and_hold_the_sign_of_a_comment(text):
    read = read_table(text.encode())
    assert read.table.to_numpy().tolist() == [["Cl #1", 1, 2], ["Cl #2", 3, 4]]
    assert list(read.table.columns) == ["name", "ra", "dec"]


def test_what_the_gaia_archive_does_not_know_is_null():
    head = "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n"
    head += "".join(f"# - {{name: {name}, datatype: {kind}}}\n" for name, kind in (("ra", "float64"),
                    ("teff", "float32"), ("id", "int64"), ("lib", "string")))  # fmt: skip
    read = read_table(f'{head}ra,teff,id,lib\n1.5,null,{IDS[0]},"null"\n2.5,4000,{IDS[1]},"a"\n'.encode())
    assert read.table["ra"].tolist() == [1.5, 2.5]
    assert read.table["id"].tolist() == IDS[:2]
    np.testing.assert_array_equal(read.table["teff"], [np.nan, 4000])
    assert read.table["lib"].isna().tolist() == [True, False]


@pytest.mark.parametrize(("index", "columns"), [("source_id", ["source_id", "ra"]), (None, ["ra"])])
def test_what_pandas_keeps_as_its_index_is_a_column(index, columns):
    file = io.BytesIO()
    table = pd.DataFrame({"ra": [1.0, 2.0, 3.0]}, index=pd.Index([7, 8, 9], name=index))
    table.to_parquet(file)
    read = read_table(file.getvalue()).table
    assert list(read.columns) == columns
    assert read.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize("form", ["ascii.csv", "ascii.ecsv", "fits", "votable", "VizieR"])
def test_identifiers_stay_exact_where_one_is_missing(form):
    table = Table({"ra": [1.0, 2.0, 3.0], "id": MaskedColumn(IDS, mask=[False, True, False])})
    vizier = f"ra\tid\ndeg\t\n---\t---\n1\t{IDS[0]}\n2\t\n3\t{IDS[2]}\n".encode()
    read = read_table(vizier if form == "VizieR" else written(table, form)).table
    assert read["id"].isna().tolist() == [False, True, False]
    assert read["id"].dropna().tolist() == [str(IDS[0]), str(IDS[2])]
    assert read["ra"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("empty", [",", "--,--"])
def test_a_row_without_values_is_no_line_of_dashes(empty):
    read = read_table(f"ra,dec\n1,2\n{empty}\n3,4\n".encode())
    np.testing.assert_array_equal(read.table.to_numpy(float), [[1, 2], [np.nan, np.nan], [3, 4]])
    assert read.units == {}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a table that is read here"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a table that is read here"),
        (b"<html><body>no</body></html>", "not a table that is read here"),
        (b"ra,dec\n", "has no rows"),
        (b"ra,dec\n1,2,3\n4,5,6\n", "more values than its header has names"),
        (b"1,2\n3,4\n", "has no header: its first line holds numbers"),
        (b"# positions of stars\n1 2\n3 4\n", "Write the names of its 2 columns above them"),
        (b"PAR1 and then nonsense", "cannot be read as a Parquet table"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"<?xml version='1.0'?><VOTABLE><nonsense", "cannot be read as a VOTable table"),
        (b"# %ECSV 1.0\n# ---\n# nonsense: [\na b\n1 2\n", "cannot be read as a ECSV table"),
        (gzip.compress(b"\x89PNG\r\n\x1a\n\x00\x00"), "not a table that is read here"),
        (gzip.compress(b"ra,dec\n1,2\n" * 99)[:40], "a gzip file that was cut short"),
    ],
)
def test_what_is_no_table_is_one_sentence(data, sentence):
    with pytest.raises(TableRejected, match=sentence) as refusal:
        read_table(data, "upload.csv")
    assert "upload.csv" in refusal.value.message
    assert "\n" not in refusal.value.message


def test_an_absent_file_and_an_image():
    with pytest.raises(TableRejected, match=r"'absent\.csv' cannot be read: No such file"):
        read_table("absent.csv")
    with pytest.raises(TableRejected, match="FITS file without a table"):
        read_table("samples/m51_kpno.fits")


def test_too_many_rows_or_bytes(monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 5)
    with pytest.raises(TableRejected, match="more than 5 rows") as refusal:
        read_table(b"ra,dec\n" + b"1,2\n" * 9)
    assert refusal.value.limit == 5
    monkeypatch.setattr(tables, "MAX_FILE_BYTES", 200)
    for data in (b"1,2\n" * 99, gzip.compress(b"1,2\n" * 99)):
        with pytest.raises(TableRejected, match="MiB"):
            read_table(data)


def test_a_table_in_memory_is_hashed_by_its_values():
    one, same, other = (SourceTable.from_frame(pd.DataFrame({"x": [1, value]})) for value in (2, 2, 3))
    assert one.sha256 == same.sha256 != other.sha256
    assert SourceTable.from_frame(pd.DataFrame({"y": [1, 2]})).sha256 != one.sha256
