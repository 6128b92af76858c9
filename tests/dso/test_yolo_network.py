import numpy as np
import pytest

from core.dso.yolo_network import detect, detect_one
from core.models import LockedNetwork
from tests.dso.networks import BoxesBlobs


@pytest.fixture(scope="module")
def network():
    return LockedNetwork(BoxesBlobs())


def black(width, height, *blobs):
    """A black picture with white rectangles x0, y0, x1, y1 (the last not in it)."""
    picture = np.zeros((height, width, 3), np.uint8)
    for x0, y0, x1, y1 in blobs:
        picture[y0:y1, x0:x1] = 255
    return picture


def search(network, picture, **changes):
    chosen = {"least_score": 0.2, "tile_px": 320, "overlap": 0.25, "zooms": [1.0]} | changes
    return detect(network, picture, progress=lambda fraction, doing: None, **chosen)


def test_boxes_are_where_things_are(network):
    found = search(network, black(320, 200, (40, 50, 100, 90)))
    np.testing.assert_allclose(found.boxes, [[39.5, 49.5, 99.5, 89.5]], atol=1e-4)
    assert found.labels.tolist() == [1]
    np.testing.assert_allclose(found.scores, [0.9], atol=1e-6)


def test_several_views_average_to_the_same_boxes(network):
    one = search(network, black(320, 200, (40, 50, 100, 90)))
    more = search(network, black(320, 200, (40, 50, 100, 90)), zooms=[1.0, 1.0, 0.8])
    np.testing.assert_allclose(more.boxes, one.boxes, atol=1.0)
    np.testing.assert_allclose(more.scores, one.scores, atol=0.05)


@pytest.mark.parametrize("zoom", [0.5, 0.65, 1.5])
def test_zoom_does_not_move_boxes(network, zoom):
    found = search(network, black(320, 200, (40, 50, 100, 90)), zooms=[zoom])
    np.testing.assert_allclose(found.boxes, [[39.5, 49.5, 99.5, 89.5]], atol=1.6 / zoom)


def test_an_empty_picture_has_no_boxes(network):
    assert len(search(network, black(900, 700))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (33, 50), (700, 90)])
def test_sides_of_any_length_are_taken(network, shape):
    boxes, scores, labels = detect_one(network, black(*shape), 0.2)
    assert boxes.shape == (0, 4)
    assert len(scores) == len(labels) == 0


def test_a_large_frame_has_one_box_a_thing(network):
    things = [(20, 30, 50, 60), (700, 500, 760, 540), (300, 290, 345, 340), (1000, 10, 1180, 200)]
    found = search(network, black(1200, 900, *things))
    # The things at the edges of windows and scales are found once, at the finest scale that holds them.
    assert len(found) == len(things)
    for thing in things:
        expected = np.array(thing) - 0.5
        assert np.abs(found.boxes - expected).max(axis=1).min() <= 4.0


def test_what_no_window_holds_is_found_on_a_smaller_copy(network):
    found = search(network, black(1200, 900, (100, 100, 1000, 800)))
    np.testing.assert_allclose(found.boxes, [[99.5, 99.5, 999.5, 799.5]], atol=6.0)


def test_the_surest_class_of_an_anchor_is_given(network):
    _, _, labels = detect_one(network, black(320, 320, (10, 10, 50, 50)), 0.05)
    assert set(labels.tolist()) == {1}


def test_progress_counts_the_windows(network):
    told = []
    detect(network, black(700, 700), 0.2, 320, 0.25, [1.0], lambda fraction, doing: told.append(fraction))
    assert told[0] == 0.0
    assert told == sorted(told)
    assert max(told) < 1.0
