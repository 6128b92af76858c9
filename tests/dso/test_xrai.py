import numpy as np
import pytest

from core.dso.classifier import SIDE_PX, Square, squares
from core.dso.xrai import BASELINE_NAMES, METHOD, XraiParameters, settings_of, why, xrai_map
from core.dso.xrai_views import (
    BASELINES,
    Explained,
    boxes_of,
    explained_views,
    joined_map,
    square_around,
    xrai_settings,
)
from core.errors import ParameterInvalid, WeightsUnavailable
from core.models import LockedNetwork
from core.scoring.boxes import box_iou
from tests.dso.networks import SeesBrightness, card_of_classifier, untrained_classifier
from tests.frames.test_night import a_sky, shown


@pytest.fixture
def bright(weights_folder, monkeypatch):
    """The method with a network that sees what is bright and wide."""
    card_of_classifier(weights_folder, xrai={"baseline": "black", "steps": 4, "map_threshold": 0.5})
    network = LockedNetwork(SeesBrightness())
    monkeypatch.setattr("core.dso.xrai.classifier", lambda: network)
    return network


def sky_with(*blobs, side=320):
    pixels = a_sky(side, stars=0)
    for x0, y0, x1, y1 in blobs:
        pixels[y0:y1, x0:x1] = 220.0
    return shown(pixels)


def hot(square, x0, y0, x1, y1, chance=0.9):
    relevance = np.full((SIDE_PX, SIDE_PX), -0.1, np.float32)
    relevance[y0:y1, x0:x1] = 2.0
    return Explained(square, chance, relevance)


def test_without_weights_it_is_not_ready_and_says_so(weights_folder):
    assert not METHOD.is_ready
    for ask in (
        lambda: METHOD.run(sky_with()),
        lambda: why(sky_with(), (10, 10, 60, 60)),
        lambda: xrai_map(np.zeros((224, 224, 3), np.uint8)),
    ):
        with pytest.raises(WeightsUnavailable, match="dso_classifier"):
            ask()


def test_a_bright_patch_is_boxed_named_and_mapped(bright):
    result = METHOD.run(sky_with((60, 70, 150, 140)))
    assert result.detections.table["label"].tolist() == ["nebula"]
    assert box_iou(result.detections.boxes, [[59.5, 69.5, 149.5, 139.5]])[0, 0] > 0.5
    assert result.detections.table["score"][0] > 0.9
    assert set(result.maps) == {"XRAI", "Grad-CAM++"}
    relevance = result.maps["XRAI"]
    assert relevance.shape == (320, 320)
    assert relevance[80:130, 70:140].mean() > 5 * relevance[200:, 200:].mean()
    assert result.maps["Grad-CAM++"].shape == (320, 320)
    assert {"looking", "explaining", "boxing", "total"} <= set(result.timings)
    assert result.summary.startswith("1 nebula found")


def test_an_empty_sky_gets_no_box_and_a_sentence_with_the_probability(bright):
    result = METHOD.run(shown(0.5 * a_sky(320)))
    assert len(result.detections) == 0
    assert not result.maps
    assert result.facts["any_object_probability"] < 0.1
    assert "probability of" in result.summary
    assert "50 %" in result.summary


def test_the_confidence_decides_whether_it_looks_closer(bright):
    frame = sky_with((100, 100, 125, 125))
    chance = METHOD.run(frame, XraiParameters(details=0)).facts["any_object_probability"]
    assert 0.02 < chance < 0.98
    above = METHOD.run(frame, XraiParameters(confidence=min(0.99, chance + 0.01), details=0))
    assert "XRAI" not in above.maps
    below = METHOD.run(frame, XraiParameters(confidence=max(0.01, chance - 0.01), details=0))
    assert "XRAI" in below.maps


def test_what_is_no_sky_is_not_looked_at(bright):
    result = METHOD.run(shown(np.full((200, 200, 3), 255.0)))
    assert len(result.warnings) == 1
    assert not result.maps


def test_an_untrained_network_runs_and_gives_the_same_again(weights_folder):
    untrained_classifier(weights_folder, xrai={"baseline": "black", "steps": 2, "map_threshold": 0.5})
    params = XraiParameters(confidence=0.01, details=0)
    frame = sky_with((60, 70, 120, 110), side=240)
    one, other = METHOD.run(frame, params), METHOD.run(frame, params)
    assert one.maps["XRAI"].shape == (240, 240)
    assert np.isfinite(one.maps["XRAI"]).all()
    np.testing.assert_array_equal(one.detections.boxes, other.detections.boxes)


def test_why_explains_a_box_and_only_its_surroundings(bright):
    told = []
    frame = sky_with((60, 70, 150, 140))
    answer = why(frame, (59.5, 69.5, 149.5, 139.5), lambda done, doing: told.append(done))
    assert answer.relevance.shape == (320, 320)
    assert answer.relevance.max() == pytest.approx(1.0)
    assert answer.relevance[:, 250:].max() == 0.0
    assert answer.label == "nebula"
    assert answer.inside_share > 0.6
    assert "nebula" in answer.sentence
    assert answer.probabilities["any"] > 0.9
    assert told == sorted(told)
    nothing = why(frame, (230, 230, 280, 280))
    assert nothing.label == "any"
    assert "sees nothing here" in nothing.sentence


def test_the_map_of_a_box_on_a_large_frame_stays_small(bright):
    answer = why(sky_with((1000, 400, 1200, 600), side=1600), (999.5, 399.5, 1199.5, 599.5))
    assert answer.relevance.shape == (1024, 1024)
    rows, columns = np.nonzero(answer.relevance > 0.5)
    assert (columns.mean(), rows.mean()) == pytest.approx((1100 * 0.64, 500 * 0.64), abs=20.0)
    assert answer.inside_share > 0.6


@pytest.mark.parametrize(
    "box", [(1, 2, 3), (5, 5, 5, 9), (9, 9, 2, 2), (np.nan, 0, 1, 1), (900, 900, 950, 950)]
)
def test_boxes_that_are_none_are_refused(bright, box):
    with pytest.raises(ParameterInvalid, match="box"):
        why(sky_with(), box)


def test_maps_of_squares_and_nothing_else(bright):
    picture = np.zeros((224, 224, 3), np.uint8)
    picture[60:120, 90:160] = 230
    relevance = xrai_map(picture)
    assert relevance.shape == (224, 224)
    assert relevance.dtype == np.float32
    assert relevance[60:120, 90:160].mean() > 3 * relevance[150:, :80].mean()
    assert xrai_map(picture[::2, ::2].copy()).shape == (224, 224)
    with pytest.raises(ParameterInvalid, match="picture"):
        xrai_map(np.zeros((10, 20, 3), np.uint8))


def test_a_person_outranks_the_card_and_the_card_the_defaults():
    kept = {"xrai": {"baseline": "sky", "steps": 5}}
    assert settings_of(kept, XraiParameters()) == {"baseline": "sky", "steps": 5, "map_threshold": 0.5}
    mine = XraiParameters(baseline="black", map_threshold=0.3)
    assert settings_of(kept, mine) == {"baseline": "black", "steps": 5, "map_threshold": 0.3}
    assert set(BASELINE_NAMES) == {"auto", *BASELINES}


def test_a_faint_patch_lost_in_a_large_frame_gets_a_closer_look(bright):
    picture = np.zeros((1024, 1024, 3), np.uint8)
    picture[800:840, 200:240] = 230
    views = squares(1024, 1024)
    chances = np.array(
        [0.9 * (v.x < 220 < v.x + v.side and v.y < 820 < v.y + v.side) for v in views], np.float32
    )
    chances[0] = 0.1
    explained = explained_views(bright, picture, views, chances, 0.5, xrai_settings("black", 2), 2)
    assert 1 <= len(explained) <= 2
    assert all(one.square.level > 0 for one in explained)
    assert explained[0].square.level == 2
    assert not explained_views(bright, picture, views, 0 * chances, 0.5, xrai_settings("black", 2), 2)


def test_boxes_come_back_to_the_frame_and_cut_ones_give_way():
    whole = hot(Square(0, 0, 448), 50, 60, 150, 140)
    part = hot(Square(100, 100, 112, level=1), 0, 40, 224, 224)
    found = boxes_of([whole, part], 0.5, 448, 448)
    np.testing.assert_allclose(found.boxes, [[99.5, 119.5, 299.5, 279.5]])
    alone = boxes_of([whole], 0.5, 448, 448)
    np.testing.assert_allclose(alone.boxes, found.boxes)
    assert len(boxes_of([], 0.5, 448, 448)) == 0


def test_the_map_of_a_frame_joins_its_views():
    one = hot(Square(0, 0, 200), 0, 0, 224, 224)
    two = hot(Square(200, 0, 200), 100, 100, 120, 120)
    joined = joined_map([(e.square, e.hot()) for e in (one, two)], 400, 200)
    assert joined.shape == (200, 400)
    assert joined[100, 100] == pytest.approx(1.0)
    assert joined[10, 300] == 0.0
    assert joined[98, 298] == pytest.approx(1.0)
    assert joined_map([], 4000, 2000).shape == (512, 1024)


@pytest.mark.parametrize("box", [(0, 0, 10, 10), (90, 40, 99, 49), (0, 0, 99, 49), (40, 20, 60, 30)])
def test_squares_around_boxes_hold_them(box):
    square = square_around(np.array(box, float), 100, 50, 1.6, 30)
    assert square.x <= box[0]
    assert square.y <= box[1]
    assert square.x + square.side >= box[2]
    assert square.y + square.side >= box[3]
    assert square.side >= 30
