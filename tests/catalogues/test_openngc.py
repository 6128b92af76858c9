import pytest

from core.catalogues.constellations import CONSTELLATIONS
from core.catalogues.openngc import openngc


def test_famous_objects_are_there():
    table = openngc().set_index("name")
    m51 = table.loc["M 51"]
    assert m51["designation"] == "NGC 5194"
    assert m51["common_name"] == "Whirlpool Galaxy"
    assert m51["ra_deg"] == pytest.approx(202.4696, abs=1e-3)
    assert m51["dec_deg"] == pytest.approx(47.1952, abs=1e-3)
    assert m51["size_arcmin"] == pytest.approx(13.71)
    assert table.loc["IC 1396", "type"] == "Cl+N"


def test_nothing_is_there_twice():
    table = openngc()
    assert len(table) > 12_000
    assert table["designation"].is_unique
    assert not table["type"].isin(["Dup", "NonEx"]).any()


def test_there_are_88_constellations_and_every_object_is_in_one():
    assert len(CONSTELLATIONS) == 88
    assert set(openngc()["constellation"]) - {""} <= set(CONSTELLATIONS)
