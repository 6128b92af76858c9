import numpy as np
import pytest

from core.frames import Frame, samples
from core.frames.ground import by_hand
from core.surfaces.nomenclature import KINDS, NAMES, features_on, names, names_of_craters


def sample(name):
    return next(one for one in samples() if one.name == name).read()


@pytest.mark.parametrize(
    ("where", "name", "x", "y", "diameter_px"),
    [
        ("moon_tycho", "Tycho", 339, 254, 37),
        ("moon_imbrium", "Plato", 416, 38, 48),
        ("moon_imbrium", "Mons Piton", 513, 162, 10),
        ("moon_imbrium", "Archimedes", 478, 289, 33),
    ],
)
def test_features_of_the_moon_are_where_they_can_be_seen(where, name, x, y, diameter_px):
    row = features_on(sample(where)).set_index("name").loc[name]
    assert (row["x"], row["y"]) == pytest.approx((x, y), abs=4)
    assert row["diameter_px"] == pytest.approx(diameter_px, rel=0.2)


def test_every_feature_is_listed_once():
    assert not names().duplicated(["body", "name"]).any()


def test_plato_is_dark_where_its_name_stands():
    frame = sample("moon_imbrium")
    row = features_on(frame).set_index("name").loc["Plato"]
    x, y, radius = round(row["x"]), round(row["y"]), row["diameter_px"] / 2
    rows, columns = np.mgrid[: frame.height, : frame.width]
    away = np.hypot(columns - x, rows - y)
    floor, outside = frame.grey[away < 0.6 * radius], frame.grey[(away > 1.3 * radius) & (away < 2 * radius)]
    assert np.median(floor) < 0.7 * np.median(outside)


def test_copernicus_lies_below_the_picture_of_mare_imbrium():
    assert "Copernicus" not in set(features_on(sample("moon_imbrium"))["name"])
    wider = by_hand("Moon", 600, 600, centre_lat_deg=9.62, centre_lon_deg=-20.08, span_deg=20)
    row = features_on(Frame.from_array(np.ones((600, 600)), ground=wider)).set_index("name").loc["Copernicus"]
    assert (row["x"], row["y"]) == pytest.approx((299.5, 299.5), abs=1)


def test_valles_marineris_is_a_valley_of_mars():
    table = features_on(sample("mars_valles_marineris")).set_index("name")
    assert table.loc["Valles Marineris", "landform"] == "valley"
    assert (table["body"] == "Mars").all()


def test_small_features_can_be_left_out():
    frame = sample("moon_tycho")
    assert 0 < len(features_on(frame, least_px=20)) < len(features_on(frame))


@pytest.mark.parametrize(
    "ground", [None, by_hand("Charon", 50, 40, centre_lat_deg=80, centre_lon_deg=0, span_deg=5)]
)
def test_a_frame_without_names_has_an_empty_table(ground):
    found = features_on(Frame.from_array(np.ones((40, 50)), ground=ground))
    assert len(found) == 0
    assert {"name", "kind", "landform", "x", "y", "diameter_px"} <= set(found.columns)


def test_craters_get_the_name_that_fits_best_and_only_once():
    frame = sample("moon_tycho")
    x, y = np.array([339.0, 341.0, 100.0]), np.array([254.0, 254.0, 3.0])
    size, score = np.array([37.0, 34.0, 500.0]), np.array([0.9, 0.9, 0.9])
    assert names_of_craters(frame, x, y, size, score) == ["Tycho", None, None]
    assert names_of_craters(frame, x, y, size, np.array([0.1, 0.9, 0.9])) == [None, "Tycho", None]
    assert names_of_craters(Frame.from_array(np.ones((9, 9))), x, y, x, score) == [None, None, None]


def test_the_file_is_small_and_whole():
    assert NAMES.stat().st_size < 400 * 1024
    table = names()
    assert len(table) == 15_814
    assert set(table["type"]) <= set(KINDS)
    assert table["lat_deg"].between(-90, 90).all()
    assert table["lon_deg"].between(-180, 180, inclusive="left").all()
