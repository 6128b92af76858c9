import numpy as np
import pytest

from core.dso.classifier import (
    MOST_VIEWS,
    OUTPUTS,
    SIDE_PX,
    Square,
    calibration,
    classifier,
    looked_at,
    normalised,
    prepared,
    probabilities,
    squares,
    threshold,
)
from core.errors import WeightsUnavailable
from core.models import LockedNetwork, read_card
from tests.dso.networks import SeesBrightness, card_of_classifier, untrained_classifier


def test_without_weights_it_says_so(weights_folder):
    for ask in (classifier, calibration, threshold):
        with pytest.raises(WeightsUnavailable, match="dso_classifier"):
            ask()


def test_an_untrained_network_is_kept_as_bytes_and_answers(weights_folder):
    untrained_classifier(weights_folder, threshold=0.7, calibration=[(0.5, 0.0), *[(1.0, 0.0)] * 3])
    card = read_card("dso_classifier")
    assert card.precision == "int8"
    assert card.bytes < 26_000_000
    assert threshold() == 0.7
    view = prepared(np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8))
    chances = probabilities(classifier(), [view, view])
    assert chances.shape == (2, len(OUTPUTS))
    assert ((chances > 0) & (chances < 1)).all()
    np.testing.assert_allclose(chances[0], chances[1], atol=1e-3)


def test_calibration_bends_and_moves_probabilities(weights_folder):
    network = LockedNetwork(SeesBrightness())
    view = normalised(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
    card_of_classifier(weights_folder)
    sharp = probabilities(network, [view])[0]
    np.testing.assert_allclose(sharp, 1 / (1 + np.exp([4.0, 4.0, 4.0, 4.0])), rtol=2e-2)
    card_of_classifier(weights_folder, calibration=[(0.25, 0.0), (1.0, 4.0), *[(1.0, 0.0)] * 2])
    cool = probabilities(network, [view])[0]
    assert cool[:2] == pytest.approx([1 / (1 + np.e), 0.5], rel=2e-2)
    np.testing.assert_allclose(cool[2:], sharp[2:])


def test_levels_enter_by_their_square_root():
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    picture[0, 1] = (255, 64, 0)
    view = normalised(picture)
    assert view.shape == (3, SIDE_PX, SIDE_PX)
    np.testing.assert_allclose(view[:, 0, 1], [1.0, 2 * np.sqrt(64 / 255) - 1, -1.0], atol=1e-6)
    assert view[:, 1, 1].tolist() == [-1.0] * 3


@pytest.mark.parametrize("side", [40, 224, 700])
def test_views_of_any_size_come_to_one(side):
    assert prepared(np.full((side, side, 3), 64, np.uint8)).shape == (3, SIDE_PX, SIDE_PX)


@pytest.mark.parametrize(("width", "height"), [(640, 640), (1024, 768), (3000, 300), (5000, 4000), (60, 50)])
def test_views_cover_the_frame_and_stay_on_it(width, height):
    views = squares(width, height)
    assert 1 <= len(views) <= MOST_VIEWS
    for level in {view.level for view in views}:
        seen = np.zeros((height, width), bool)
        for view in (view for view in views if view.level == level):
            assert view.x >= 0
            assert view.y >= 0
            assert view.x + view.side <= width
            assert view.y + view.side <= height
            seen[view.y : view.y + view.side, view.x : view.x + view.side] = True
        assert seen.all()


def test_small_frames_are_seen_as_a_whole_only():
    assert squares(400, 400) == [Square(0, 0, 400)]
    assert {view.level for view in squares(1024, 1024)} == {0, 1, 2}


def test_a_square_beyond_the_frame_is_black_there():
    picture = np.full((10, 20, 3), 9, np.uint8)
    cut = Square(15, -5, 20).cut(picture)
    assert cut.shape == (20, 20, 3)
    assert cut[5:15, :5].min() == 9
    assert cut.sum() == 10 * 5 * 3 * 9


def test_looking_tells_progress_and_copes_with_nothing(weights_folder):
    card_of_classifier(weights_folder)
    network, told = LockedNetwork(SeesBrightness()), []
    picture = np.zeros((300, 300, 3), np.uint8)
    chances = looked_at(network, picture, squares(300, 300) * 10, lambda done, doing: told.append(done))
    assert chances.shape == (10, 4)
    assert told[-1] == 1.0
    assert looked_at(network, picture, []).shape == (0, 4)
