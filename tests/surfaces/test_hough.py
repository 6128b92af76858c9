import functools

import numpy as np
import pytest

from core.methods import get_method
from core.shapes import shapes_of
from core.surfaces.hough import HoughParameters, summary
from core.surfaces.hough_craters import best_of_each
from core.surfaces.hough_lines import SIGMAS_PX, heights_of_shading, hollows_and_crests
from core.surfaces.kinds import CRATER, RIDGE, SEGMENTS, VALLEY
from core.surfaces.sunlight import Sunlight, sunlight
from tests.surfaces.grounds import crater, groove, lit, rough, shown

PLANTED = [(40, 45, 30), (120, 40, 16), (125, 125, 40), (45, 130, 22), (85, 85, 13)]


def a_plain(shape=(170, 170), seed=0):
    return rough(shape, seed, slope=2.0, height=0.8)


@functools.cache
def found(azimuth_deg, seed=0):
    heights = a_plain(seed=seed)
    for x, y, diameter in PLANTED:
        crater(heights, x, y, diameter)
    return get_method("surfaces.hough").run(shown(lit(heights, azimuth_deg, seed=seed)))


def matched(table):
    """The planted craters, each with what was found there or None, by DeepMoon's rule."""
    pairs = []
    for x, y, diameter in PLANTED:
        smaller = np.minimum(table["diameter_px"], diameter) / 2
        near = ((table["x"] - x) ** 2 + (table["y"] - y) ** 2) / smaller**2 < 1.8
        alike = np.abs(table["diameter_px"] - diameter) / 2 / smaller < 1
        pairs.append(((x, y, diameter), table[near & alike].head(1)))
    return pairs


@pytest.mark.parametrize("azimuth_deg", [20, 200, 300])
def test_planted_craters_come_back_whatever_the_sun(azimuth_deg):
    result = found(azimuth_deg)
    table = result.detections.table
    table = table[table["label"] == CRATER]
    pairs = [(truth, one) for truth, one in matched(table) if len(one)]
    assert len(pairs) >= 4
    for (x, y, diameter), one in pairs:
        assert one["diameter_px"].item() == pytest.approx(diameter, rel=0.25)
        assert one["x"].item() == pytest.approx(x, abs=0.12 * diameter + 1)
        assert one["y"].item() == pytest.approx(y, abs=0.12 * diameter + 1)
        assert one["axis_ratio"].item() > 0.7
    away = (result.facts["sun_azimuth_deg"] - azimuth_deg + 180) % 360 - 180
    assert away == pytest.approx(0, abs=20)


def test_a_result_says_all_that_is_agreed():
    result = found(20)
    table = result.detections.table
    assert {"diameter_px", "axis_ratio", "angle_deg", "length_px", "width_px", "path"} <= set(table.columns)
    assert len(shapes_of(table)) == len(table)
    assert set(result.maps) == set(SEGMENTS)
    np.testing.assert_allclose(sum(result.maps.values()), 1.0, atol=1e-5)
    assert result.masks["landforms"].dtype == np.uint16
    assert sum(value for name, value in result.facts.items() if name.startswith("share_")) == pytest.approx(1)
    inside = result.masks["landforms"][125, 125]
    assert SEGMENTS[inside - 1] == "crater floor"
    assert "crater" in result.summary


def test_higher_confidence_gives_fewer_of_the_same():
    heights = crater(a_plain(), 80, 80, 40)
    frame = shown(lit(heights, 100))
    method = get_method("surfaces.hough")
    few, many = (method.run(frame, HoughParameters(confidence=least)) for least in (0.9, 0.2))
    assert len(few.detections) <= len(many.detections)
    assert (few.detections.table["score"] >= 0.9)[few.detections.table["label"] == CRATER].all()


def test_a_valley_is_a_valley_and_a_ridge_a_ridge():
    heights = a_plain((200, 300))
    groove(heights, [(30, 40), (150, 60), (270, 40)], 9, 2.5)
    groove(heights, [(30, 150), (270, 150)], 9, -2.5)
    result = get_method("surfaces.hough").run(
        shown(lit(heights, 80)), HoughParameters(sun_azimuth_deg=80.0, confidence=0.95)
    )
    table = result.detections.table
    for label, y, length in ((VALLEY, 50, 243), (RIDGE, 150, 240)):
        line = table[table["label"] == label].sort_values("length_px").iloc[-1]
        assert line["y"] == pytest.approx(y, abs=14)
        assert line["length_px"] == pytest.approx(length, rel=0.3)
        assert min(line["angle_deg"], 180 - line["angle_deg"]) < 12


def test_heights_come_back_from_their_shading():
    heights = np.zeros((120, 120))
    heights = groove(heights, [(0, 60), (119, 60)], 12, 3.0)
    slope_y, _ = np.gradient(heights)
    found_heights = heights_of_shading((-slope_y).astype(np.float32), 90.0)
    assert np.corrcoef(found_heights[20:100, 20:100].ravel(), heights[20:100, 20:100].ravel())[0, 1] > 0.95


def test_hollows_and_crests_are_what_satos_filters_answer_to():
    from skimage.filters import sato

    heights = a_plain((90, 130)).astype(np.float32)
    for answer, is_dark in zip(hollows_and_crests(heights), (True, False), strict=True):
        known = sato(heights, sigmas=SIGMAS_PX, black_ridges=is_dark, mode="reflect")
        np.testing.assert_allclose(answer, known, atol=1e-4 * known.max())


@pytest.mark.parametrize(
    "pixels", [np.full((64, 64), 9.0), np.random.default_rng(0).normal(100, 9, (90, 90))]
)
def test_what_is_no_surface_gives_nothing_and_a_sentence(pixels):
    from core.frames import Frame

    result = get_method("surfaces.hough").run(Frame.from_array(pixels, "it.png", saturation=255.0))
    assert len(result.detections) == 0
    assert result.warnings[0].endswith(".")


def test_missing_parts_are_not_looked_at():
    brightness = lit(crater(a_plain(), 110, 80, 36), 200)
    brightness = 50 + 100 * brightness
    brightness[:, :40] = np.nan
    from core.frames import Frame

    result = get_method("surfaces.hough").run(Frame.from_array(brightness, "it.fits"))
    assert (result.masks["landforms"][:, :40] == 0).all()
    assert (result.masks["landforms"][:, 41:] > 0).all()
    assert (result.detections.table["x"] > 36).all()


def test_the_axis_of_the_light_is_measured():
    heights = a_plain((300, 300), 3)
    rng = np.random.default_rng(3)
    for x, y in rng.uniform(20, 280, (40, 2)):
        crater(heights, x, y, rng.uniform(10, 26))
    for azimuth in (15.0, 130.0):
        light = sunlight(shown(lit(heights, azimuth)).grey.astype(np.uint8))
        assert light.is_known
        assert (light.azimuth_deg - azimuth + 90) % 180 - 90 == pytest.approx(0, abs=12)


def test_of_circles_on_one_place_the_best_is_kept():
    circles = np.array([[10.0, 10, 8, 1], [12, 10, 9, 3], [10, 10, 30, 2], [60, 60, 8, 0.5]])
    assert best_of_each(circles)[:, 3].tolist() == [3, 2, 0.5]
    assert len(best_of_each(np.empty((0, 4)))) == 0


def test_the_summary_counts_in_words():
    from core.shapes import Ellipse, Line
    from core.surfaces.lines import Traced

    valley = Traced(VALLEY, 0.9, Line(((0.0, 0.0), (9.0, 0.0))), 2.0)
    ridge = Traced(RIDGE, 0.9, valley.line, 2.0)
    craters = [Ellipse(0, 0, 12.0), Ellipse(0, 0, 42.0)]
    assert summary(craters, [valley, ridge, ridge]) == (
        "2 craters, the largest 42 px across; one valley; 2 ridges."
    )
    assert summary(craters[:1], []) == "One crater, 12 px across."
    assert summary([], [valley]) == "One valley."
    assert summary([], []) == "No landforms."


def test_a_picture_in_bands_shows_the_same_craters(monkeypatch):
    from core.surfaces import hough_craters

    heights = a_plain((400, 200))
    for x, y, diameter in PLANTED:
        crater(heights, x, y, diameter)
        crater(heights, x, y + 190, diameter)
    picture = shown(lit(heights, 20)).grey.astype(np.uint8)
    given = picture, np.ones(picture.shape, bool), Sunlight(20.0), (10.0, 100.0)
    whole, _ = hough_craters.find_craters(*given)
    monkeypatch.setattr(hough_craters, "BAND_PX", 1)
    parts, _ = hough_craters.find_craters(*given)
    assert len(whole) == len(parts) > 8
    rows = [[(one.x, one.y, one.diameter_px, score) for one, score in each] for each in (whole, parts)]
    np.testing.assert_allclose(*map(sorted, rows), atol=0.02)


def test_the_map_of_a_large_frame_is_coarser(monkeypatch):
    from core.surfaces import hough

    fine = found(20)
    monkeypatch.setattr(hough, "MOST_CELLS", 85)
    coarse = found.__wrapped__(20)
    assert coarse.masks["landforms"].shape == (85, 85)
    for name, share in fine.facts.items():
        if name.startswith("share_crater"):
            assert coarse.facts[name] == pytest.approx(share, abs=0.02)
    assert SEGMENTS[coarse.masks["landforms"][62, 62] - 1] == "crater floor"
