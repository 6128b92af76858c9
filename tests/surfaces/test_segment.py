from types import SimpleNamespace

import numpy as np
import pytest

from core.frames import Frame
from core.methods import get_method
from core.models.windows import Grid
from core.surfaces.kinds import FLOOR, RIM, SEGMENTS
from core.surfaces.places import softmax
from core.surfaces.segment import (
    LEAST_PX,
    MOST_CELLS,
    UNSEEN,
    covered,
    in_words,
    look_around,
    places_in_light,
)
from core.surfaces.sunlight import Sunlight, quarter_to_light


def stepped(shown):
    """Logits that follow the brightness of the picture, at half its resolution."""
    half = shown[::2, ::2].astype(np.float32) / 255.0
    return np.stack([half * (number + 1) for number in range(len(SEGMENTS))])


@pytest.mark.parametrize("shape", [(300, 400), (1400, 2100), (5000, 4200)])
def test_windows_are_laid_together_without_seams(shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    picture = np.rint(127 + 120 * np.sin(rows / 300) * np.cos(columns / 400)).astype(np.uint8)
    grid = Grid(shape[1], shape[0], LEAST_PX, MOST_CELLS)
    logits = look_around(picture, grid, stepped)
    assert logits.shape == (len(SEGMENTS), *grid.shape)
    at_row = ((np.arange(grid.shape[0]) + 0.5) * shape[0] / grid.shape[0]).astype(int)
    at_column = ((np.arange(grid.shape[1]) + 0.5) * shape[1] / grid.shape[1]).astype(int)
    expected = picture[np.ix_(at_row, at_column)] / 255.0
    assert np.abs(logits[0] - expected).max() < 0.03


def test_the_method_gives_maps_a_mask_and_shares(tmp_path, monkeypatch):
    from tests.surfaces.networks import tiny_landforms

    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    tiny_landforms(tmp_path, temperature=1.5)
    method = get_method("surfaces.segment")
    steps = np.random.default_rng(0).normal(0, 1, (180, 260))
    ground = np.cumsum(np.cumsum(steps, axis=0), axis=1).astype(np.float32)
    ground[:20] = np.nan
    result = method.run(Frame.from_array(ground, "ground.png", row0="top"))
    assert tuple(result.maps) == SEGMENTS
    assert sum(result.maps.values()) == pytest.approx(1.0, abs=1e-4)
    mask = result.masks["landforms"]
    assert mask.shape == (90, 130)
    assert (mask[:9] == 0).all()  # nothing is seen there
    assert sum(part for name, part in result.facts.items() if name.startswith("share_")) == pytest.approx(1.0)
    blank = method.run(Frame.from_array(np.full((200, 200), 7.0, np.float32), "blank.png", row0="top"))
    assert blank.warnings
    assert not blank.maps


@pytest.mark.parametrize("azimuth", [20.0, 130.0, 200.0, 300.0])
def test_a_picture_is_turned_to_its_light_and_what_is_said_of_it_back(azimuth, monkeypatch):
    monkeypatch.setattr("core.surfaces.segment.are_present", lambda name: False)  # of the craters' weights
    seen = []

    def look(network, shown):
        seen.append(shown)
        return SimpleNamespace(logits=stepped(shown))

    monkeypatch.setattr("core.surfaces.landform_network.landform_network", lambda name: None)
    monkeypatch.setattr("core.surfaces.landform_network.look", look)
    picture = np.linspace(0, 255, 200 * 300).reshape(200, 300).astype(np.uint8)
    grid = Grid(300, 200, LEAST_PX, MOST_CELLS)
    logits = places_in_light(picture, grid, Sunlight(azimuth))
    assert logits.shape == (len(SEGMENTS), *grid.shape)
    expected = softmax(stepped(picture), 1.0)
    np.testing.assert_allclose(np.exp(logits), expected, atol=0.02)
    assert len(seen) == 1
    np.testing.assert_array_equal(np.rot90(seen[0], -quarter_to_light(azimuth)), picture)
    seen.clear()
    np.testing.assert_allclose(
        np.exp(places_in_light(picture, grid, Sunlight(0.0, 0.0))), expected, atol=0.02
    )
    assert len(seen) == 4


def test_floors_and_rims_are_believed_where_craters_are_seen(monkeypatch):
    found = np.array([[0.0, 80.0, 60.0, 20.0, 0.0, 0.0, 0.0], [0.0, 220.0, 140.0, 15.0, 0.0, 0.0, 0.0]])
    monkeypatch.setattr("core.surfaces.segment.are_present", lambda name: True)
    said = found, np.array([0.3, 0.02]), 0.5
    monkeypatch.setattr("core.surfaces.segment.find", lambda picture, seen, aspect: said)
    monkeypatch.setattr("core.surfaces.landform_network.landform_network", lambda name: None)
    monkeypatch.setattr(
        "core.surfaces.landform_network.look", lambda network, shown: SimpleNamespace(logits=stepped(shown))
    )
    picture = np.full((200, 300), 200, np.uint8)
    grid = Grid(300, 200, LEAST_PX, MOST_CELLS)
    chances = softmax(places_in_light(picture, grid, Sunlight(200.0)), 1.0)
    usual = softmax(stepped(picture), 1.0)[:, 0, 0]
    within = covered(found[:1, 1:4], grid)
    np.testing.assert_allclose(chances[:, within].T, np.tile(usual, (within.sum(), 1)), atol=1e-4)
    craters = [SEGMENTS.index(FLOOR), SEGMENTS.index(RIM)]
    others = [number for number in range(len(SEGMENTS)) if number not in craters]
    odds = chances[craters].sum(axis=0) / chances[others].sum(axis=0)
    np.testing.assert_allclose(odds[~within], UNSEEN * usual[craters].sum() / usual[others].sum(), rtol=1e-3)
    np.testing.assert_allclose(chances.sum(axis=0), 1.0, atol=1e-4)


def test_cells_in_and_around_craters_are_covered():
    grid = Grid(300, 200, LEAST_PX, MOST_CELLS)
    found = covered(np.array([[80.0, 60.0, 20.0], [-5.0, 190.0, 12.0], [900.0, -300.0, 30.0]]), grid)
    rows, columns = np.mgrid[: grid.shape[0], : grid.shape[1]] * LEAST_PX + 0.5
    expected = (np.hypot(columns - 80.0, rows - 60.0) <= 27.0) | (
        np.hypot(columns + 5.0, rows - 190.0) <= 17.0
    )
    np.testing.assert_array_equal(found, expected)
    assert not covered(np.empty((0, 3)), grid).any()


def test_what_was_found_in_words():
    from core.results import Detections

    facts = {f"share_{name.replace(' ', '_')}": 0.0 for name in ("unsure", *SEGMENTS)}
    facts |= {"share_crater_floor": 0.2, "share_crater_rim": 0.1, "share_plain": 0.7}
    assert in_words(Detections.empty(), facts) == (
        "30 % of the ground is craters and 70 % plain; 0 valleys and 0 ridges found."
    )
