"""Sizes, places and directions on the ground, and the area that was searched."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from core.frames import Frame, samples
from core.frames.ground import RADIUS_KM, by_hand, simple_cylindrical
from core.results import Detections
from core.surfaces.measure import Measure, eccentricity, measured, named
from tests.surfaces import surveys


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


def tycho():
    return next(one for one in samples() if one.name == "moon_tycho").read()


def test_a_map_gives_kilometres_places_and_names():
    frame = tycho()
    table = named(measured(CRATERS, Measure.of(frame)), frame).table
    row = table.iloc[2]
    assert row["name"] == "Tycho"
    assert row["diameter_km"] == pytest.approx(85, rel=0.05)
    assert (row["lat_deg"], row["lon_deg"]) == pytest.approx((-43.3, -11.2), abs=0.2)
    assert table["name"].tolist()[:2] == [None, None]
    # At the top, nearer to the equator, a pixel is larger than in the middle: not 12 times the middle's.
    assert table["diameter_km"][0] / 12 > 1.1 * row["diameter_km"] / 37


@pytest.mark.parametrize(("has_map", "eccentricity"), [(True, 0.0), (False, np.sqrt(0.75))])
def test_the_shape_of_a_crater_is_the_one_that_it_has_on_the_ground(has_map, eccentricity):
    # At 60° north a degree of longitude is half of one of latitude: what is round is twice as wide as high.
    ground = simple_cylindrical("Moon", west_deg=0.0, north_deg=65.0, px_per_deg=20.0)
    frame = Frame.from_array(np.ones((200, 200)), ground=ground if has_map else None)
    oval = found([("crater", 0.9, 99.5, 99.5, 10.0, 0.5, 0.0)])
    row = measured(oval, Measure.of(frame)).table.iloc[0]
    assert row["eccentricity"] == pytest.approx(eccentricity, abs=0.03)
    upright = found([("crater", 0.9, 99.5, 99.5, 10.0, 0.5, 90.0)])
    assert Measure.of(frame).axis_ratios(upright.table)[0] == pytest.approx(
        0.25 if has_map else 0.5, rel=0.01
    )


def test_a_scale_given_by_hand_is_believed_everywhere():
    table = measured(CRATERS, Measure.of(tycho(), 2.0)).table
    assert table["diameter_km"].tolist()[::2] == [24.0, 74.0]
    assert table["lat_deg"].notna().all()


def test_with_a_scale_there_are_kilometres_but_no_place():
    frame = Frame.from_array(np.ones((300, 400)))
    told = named(measured(CRATERS, Measure.of(frame, 2.0)), frame)
    assert told.table["diameter_km"].tolist()[::2] == [24.0, 74.0]
    assert told.units["diameter_km"] == "km"
    assert not {"lat_deg", "azimuth_deg"} & set(told.table)
    assert told.table["name"].isna().all()


def test_without_a_scale_there_are_pixels():
    table = measured(CRATERS, Measure.of(Frame.from_array(np.ones((300, 400))))).table
    assert "diameter_km" not in table
    assert measured(Detections.empty(), Measure.of(tycho())).table.empty


def test_a_line_is_as_long_and_runs_where_it_does_on_the_ground():
    # At 60° north a degree of longitude is half of one of latitude.
    ground = simple_cylindrical("Moon", west_deg=0.0, north_deg=65.0, px_per_deg=20.0)
    frame = Frame.from_array(np.ones((200, 200)), ground=ground)
    tables = [surveys.line("ridge", (20.0, 99.5), (60.0, 99.5)), surveys.line("valley", (20, 120), (60, 80))]
    table = measured(Detections(pd.concat(tables, ignore_index=True)), Measure.of(frame)).table
    degree = np.radians(1.0) * RADIUS_KM["Moon"]
    assert table["length_km"][0] == pytest.approx(2.0 * degree * 0.5, rel=0.01)
    assert table["azimuth_deg"][0] == pytest.approx(90.0, abs=0.1)
    assert table["azimuth_deg"][1] == pytest.approx(np.degrees(np.arctan(0.5)), abs=1.0)
    # A line of 3 px from east to west is 3 px high, one along a meridian 3 px wide.
    assert table["width_km"][0] == pytest.approx(3.0 / 20.0 * degree, rel=0.01)
    upright = measured(Detections(surveys.line("valley", (99, 80), (99, 120))), Measure.of(frame)).table
    assert upright["width_km"][0] == pytest.approx(3.0 / 20.0 * degree * 0.5, rel=0.01)


@pytest.mark.parametrize(("latitude", "part"), [(0.0, 1.0), (60.0, 0.5)])
def test_a_scale_bar_is_as_long_as_pixels_are_wide(latitude, part):
    ground = by_hand("Moon", 201, 101, centre_lat_deg=latitude, centre_lon_deg=30.0, span_deg=20.0)
    measure = Measure.of(Frame.from_array(np.ones((101, 201)), ground=ground))
    degree = np.radians(1.0) * RADIUS_KM["Moon"]
    assert measure.across_km == pytest.approx(20.0 / 201 * degree * part, rel=1e-3)
    assert dataclasses.replace(measure, km_per_px=3.0).across_km == 3.0
    assert dataclasses.replace(measure, ground=None).across_km is None


def test_missing_pixels_are_not_counted():
    pixels = np.ones((50, 100))
    pixels[:, :25] = np.nan
    frame = Frame.from_array(pixels)
    assert (Measure.of(frame).area_px, Measure.of(frame).area_km2) == (3750, None)
    scaled = Measure.of(frame, 2.0)
    assert (scaled.area_km2, scaled.coarse_km) == (15000, 2.0)
    assert scaled.area_note == "the 75.0 % of the frame that are not missing"
    assert Measure.of_whole(100, 50, 2.0).area_note == "the whole frame"
    assert Measure.of(Frame.from_array(np.full((4, 4), np.nan))).area_px == 1.0


def test_a_global_map_has_the_area_of_the_sphere():
    ground = by_hand("Moon", 720, 360, centre_lat_deg=0, centre_lon_deg=0, span_deg=360)
    area = Measure.of(Frame.from_array(np.ones((360, 720)), ground=ground)).area_km2
    assert area == pytest.approx(4 * np.pi * RADIUS_KM["Moon"] ** 2, rel=2e-3)
    equator = np.radians(0.5) * RADIUS_KM["Moon"]
    coarse = Measure.of(Frame.from_array(np.ones((360, 720)), ground=ground)).coarse_km
    assert coarse == pytest.approx(equator, rel=0.01), "where most of the ground is, not near the poles"
    half = np.ones((360, 720))
    half[:180] = np.nan
    assert Measure.of(Frame.from_array(half, ground=ground)).area_km2 == pytest.approx(area / 2, rel=1e-3)


def test_it_comes_back_from_its_text():
    measure = Measure.of(tycho())
    assert Measure.of_text(measure.text) == measure
    assert Measure.of_text(Measure.of_whole(3, 4).text) == Measure.of_whole(3, 4)
    for text in ("", "{}", "nothing", json.dumps({**json.loads(measure.text), "more": 1})):
        assert Measure.of_text(text) is None


def test_a_crater_that_reaches_beyond_the_frame_is_cut():
    craters = pd.DataFrame(
        {"x": [9.5, 9.5, 9.5, 2.0], "y": [19.5] * 4, "diameter_px": [20.0, 20.1, 41.0, 5.0]}
    )
    frame = Measure(20, 40, 800.0)
    assert frame.cuts(craters).tolist() == [False, True, True, False]
    flat = craters.assign(diameter_px=[19.9, 20.0, 9.0, 5.0], axis_ratio=0.25, angle_deg=[90, 0, 0, np.nan])
    assert frame.cuts(flat).tolist() == [False, True, False, True]
    assert frame.cuts(craters.iloc[:0]).tolist() == []


def test_eccentricity_of_circles_and_lines():
    assert eccentricity(1.0) == eccentricity(1.2) == 0.0
    assert eccentricity(0.0) == 1.0
    assert eccentricity(0.6) == pytest.approx(0.8)
