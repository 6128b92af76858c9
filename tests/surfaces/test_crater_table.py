import numpy as np
import pandas as pd
import pytest

from core.frames import Frame, samples
from core.results import Detections
from core.surfaces.crater_table import crater_table


def found(rows):
    columns = ["label", "score", "x", "y", "diameter_px", "axis_ratio", "angle_deg"]
    return Detections(pd.DataFrame(rows, columns=columns))


CRATERS = found(
    [
        ("crater", 0.9, 50.0, 40.0, 12.0, 1.0, 0.0),
        ("ridge", 0.9, 10.0, 10.0, np.nan, np.nan, 30.0),
        ("crater", 0.8, 339.0, 254.0, 37.0, 0.8, 10.0),
    ]
)


def test_a_map_gives_kilometres_places_and_names():
    frame = next(one for one in samples() if one.name == "moon_tycho").read()
    table = crater_table(frame, CRATERS)
    assert list(table.index) == [2, 0]
    tycho = table.iloc[0]
    assert tycho["name"] == "Tycho"
    assert tycho["diameter_km"] == pytest.approx(85, rel=0.05)
    assert (tycho["lat_deg"], tycho["lon_deg"]) == pytest.approx((-43.3, -11.2), abs=0.2)
    assert tycho["eccentricity"] == pytest.approx(0.6)


def test_with_a_scale_there_are_kilometres_but_no_place():
    table = crater_table(Frame.from_array(np.ones((300, 400))), CRATERS, 2.0)
    assert table["diameter_km"].tolist() == [74.0, 24.0]
    assert table[["lat_deg", "lon_deg"]].isna().all(axis=None)
    assert table["name"].isna().all()


def test_without_a_scale_there_are_pixels():
    table = crater_table(Frame.from_array(np.ones((300, 400))), CRATERS)
    assert table["diameter_km"].isna().all()
    assert table["diameter_px"].tolist() == [37.0, 12.0]


def test_without_craters_the_table_is_empty():
    assert len(crater_table(Frame.from_array(np.ones((30, 40))), Detections.empty())) == 0
