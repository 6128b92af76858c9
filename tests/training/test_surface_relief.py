import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from training.surface_lines import filled, find_lines
from training.surface_pits import find_pits
from training.surface_relief import (
    COLLECTION,
    VALIDATION,
    load_regions,
    make_region,
    near_named,
    with_everything,
)
from training.surface_shapes import DrawnCrater, DrawnLine, add_crater, add_line, fractal_fields
from training.surface_truth import CATALOGUED, FOUND, IGNORE, IS_PLAIN, IS_RIDGE, IS_VALLEY, TrueCrater

PX_M = 474.0


def ground(side=240, metres=25.0, seed=0):
    return metres * fractal_fields(np.random.default_rng(seed), side, 0.9, side / 2, 4.0)[0]


def with_craters(height, places, depth=0.12):
    for x, y, radius in places:
        truth = TrueCrater(x, y, radius, radius)
        add_crater(height, np.zeros_like(height), DrawnCrater(truth, depth, 0.1, 0.0, 0.0, 0.0, ()), PX_M)
    return height


def test_pits_are_found_where_craters_were_cut():
    rng = np.random.default_rng(1)
    places = [
        (
            30.0 + 36.0 * column + rng.uniform(-4, 4),
            30.0 + 36.0 * row + rng.uniform(-4, 4),
            rng.uniform(2.6, 6.5),
        )
        for row in range(6)
        for column in range(6)
    ]
    pits = find_pits(with_craters(ground(), places), PX_M)
    sure = pits[pits.sure]
    hits, ratios = 0, []
    for x, y, radius in places:
        gap = np.hypot(sure.x - x, sure.y - y)
        if len(gap) and gap.min() < 0.4 * radius:
            hits += 1
            ratios.append(sure.radius_px[gap.argmin()] / radius)
    assert hits >= 32  # of 36
    assert np.median(ratios) == pytest.approx(1.0, abs=0.12)
    false = [
        min(np.hypot(x - a, y - b) / radius for a, b, radius in places) > 1.0
        for x, y in zip(sure.x, sure.y, strict=True)
    ]
    assert sum(false) <= 2


def test_ground_without_craters_has_no_sure_pits():
    assert find_pits(ground(seed=4), PX_M).sure.sum() <= 1
    assert len(find_pits(np.zeros((60, 60), np.float32), PX_M)) == 0


def test_a_trough_is_no_pit():
    height = ground(metres=5.0)
    path = np.column_stack([np.linspace(10.0, 230.0, 80), np.linspace(40.0, 200.0, 80)])
    add_line(np.random.default_rng(0), height, DrawnLine((path,), (8.0,), True, 0.15, 0.2), PX_M)
    assert find_pits(height, PX_M).sure.sum() <= 1


@pytest.mark.parametrize("is_valley", [True, False])
def test_lines_are_found_where_they_were_drawn(is_valley):
    height = ground(metres=5.0)
    path = np.column_stack([np.linspace(20.0, 220.0, 80), 120.0 + 25.0 * np.sin(np.linspace(0, 4, 80))])
    line = DrawnLine((path,), (7.0,), is_valley, 0.1, 0.2)
    there = add_line(np.random.default_rng(0), height, line, PX_M)
    classes = find_lines(height, PX_M, [])
    own, other = (IS_VALLEY, IS_RIDGE) if is_valley else (IS_RIDGE, IS_VALLEY)
    middle = [(round(y), round(x)) for x, y in path[8:-8]]
    assert np.mean([classes[place] == own for place in middle]) > 0.8
    found = classes == own
    assert (found & there).sum() > 0.8 * found.sum()
    assert (classes == other).mean() < 0.01


def test_craters_are_no_lines():
    places = [(60.0, 60.0, 20.0), (170.0, 150.0, 35.0), (60.0, 180.0, 8.0)]
    height = with_craters(ground(metres=4.0), places)
    known = [TrueCrater(x, y, radius, radius) for x, y, radius in places]
    classes = find_lines(height, PX_M, known)
    assert ((classes == IS_RIDGE) | (classes == IS_VALLEY)).mean() < 0.005
    assert (classes == IS_PLAIN).mean() > 0.5
    assert (classes[:5] == IGNORE).all()  # nobody knows what goes on beyond the edge


def test_holes_are_filled_from_around_them():
    slope = np.fromfunction(lambda y, x: 3.0 * x + y, (80, 80), dtype=np.float32)
    holes = np.zeros((80, 80), bool)
    holes[30:50, 30:50] = True
    spoiled = slope.copy()
    spoiled[holes] = -500.0
    smooth = filled(spoiled, holes)
    assert np.abs(smooth - slope)[holes].max() < 15.0
    np.testing.assert_array_equal(smooth[~holes], slope[~holes])


def test_regions_know_their_craters():
    known = [TrueCrater(80.0, 80.0, 14.0, 14.0, known=CATALOGUED)]
    region = make_region("made", with_craters(ground(160), [(80.0, 80.0, 14.0), (130.0, 40.0, 4.0)]), known)
    found = [one for one in region.craters if one.known == FOUND and one.wanted]
    assert [round(one.x) for one in found] == [130]
    assert region.craters[0] == known[0]
    assert with_everything(region).size == (160, 160)


def test_named_features_are_looked_for_around_their_places():
    region = make_region("made", ground(160))
    classes = np.full((160, 160), IS_PLAIN, np.uint8)
    classes[78:82] = IS_VALLEY
    region = dataclasses.replace(region, classes=classes)
    names = pd.DataFrame(
        {"name": ["Rima", "Dorsum"], "type": ["RI", "DO"], "cx": [80.0, 80.0], "cy": [80.0, 80.0]}
    ).assign(length_km=20.0)
    rows = near_named(region, names, np.random.default_rng(0))
    assert rows["near"].tolist() == [True, False]
    assert rows["covered"][0] == pytest.approx(4 / 20, abs=0.02)
    assert rows["near by chance"][0] < 0.3


def test_ground_of_test_regions_is_not_trained_on(tmp_path):
    folder = tmp_path / COLLECTION
    (folder / "dem16").mkdir(parents=True)
    rows = [
        ("one", "train", 0, 16, 0, 16),
        ("held", "test", 8, 24, 0, 16),
        (VALIDATION, "train", 100, 116, 0, 16),
    ]
    columns = ["region", "split", "lon_min", "lon_max", "lat_min", "lat_max"]
    pd.DataFrame(rows, columns=columns).assign(height_offset=0).to_csv(folder / "regions.csv", index=False)
    craters = pd.DataFrame(
        {
            "region": ["one", "one"],
            "cx": [40.0, 60.0],
            "cy": [40.0, 60.0],
            "rx": [9.0, 400.0],
            "ry": [10.0, 400.0],
        }
    )
    craters.assign(diam_km=9.0, catalogue="made").to_csv(folder / "craters_px.csv", index=False)
    for number, (name, *_) in enumerate(rows):
        height = ground(96, 200.0, number)
        Image.fromarray((height - height.min()).astype(np.uint16)).save(folder / "dem16" / f"{name}.png")
    cache = tmp_path / "cache"
    (train,) = load_regions(tmp_path, "train", cache)
    (val,) = load_regions(tmp_path, "val", cache)
    (test,) = load_regions(tmp_path, "test", cache)
    assert (train.name, val.name, test.name) == ("one", VALIDATION, "held")
    assert train.seen[:, :48].all()
    assert not train.seen[:, 48:].any()
    assert val.seen.all()
    assert test.seen.all()
    catalogued = [one for one in train.craters if one.known == CATALOGUED]
    assert [(one.major_px, one.minor_px, one.angle_deg) for one in catalogued] == [(10.0, 9.0, 90.0)]
    again = load_regions(tmp_path, "train", cache)[0]
    np.testing.assert_array_equal(again.classes, train.classes)
    assert again.craters == train.craters
    assert load_regions(tmp_path / "nothing", "train", cache) == []
