import numpy as np
import pytest
import torch

from core.dso.starless import (
    DEFAULT_LOGISTIC,
    METHOD,
    Outlined,
    StarlessParameters,
    best_boxes,
    outline,
)
from core.errors import WeightsUnavailable
from core.models import save_weights
from core.scoring.boxes import box_iou
from tests.frames.test_night import a_sky, shown
from tests.models.cards import FACTS


def tiny_weights(folder, **extra):
    """Weights of a tiny network that has learned nothing and takes nothing away, with their card."""
    from core.dso.starless_network import Sizes, StarlessNetwork

    torch.manual_seed(0)
    network = StarlessNetwork(Sizes((6, 8), (1, 1), (1,)))
    facts = {**FACTS, "task": "dso", "labels": ("object",), "extra": extra}
    save_weights("dso_starless", network.state_dict(), facts, folder=folder)


@pytest.fixture
def tiny(weights_folder):
    tiny_weights(weights_folder, confidence=0.5)


def starless_with(*blobs, side=320, noise=3.0, seed=0):
    """A calm sky with soft round glows ``(x, y, width, peak)``; the box of each, to an eighth of its peak."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    grey = np.full((side, side), 14.0) + 4.0 * x / side
    boxes = []
    for cx, cy, width, peak in blobs:
        radius = np.hypot(x - cx, y - cy) / (width / 2.0)
        grey += peak / (1.0 + np.exp(8.0 * (radius - 1.0)))
        reach = width / 2.0 * (1.0 + np.log(7.0) / 8.0)
        boxes.append([cx - reach, cy - reach, cx + reach, cy + reach])
    pixels = np.repeat(grey[..., None], 3, axis=2) + rng.normal(0, noise, (side, side, 3))
    boxes = np.clip(np.array(boxes, float).reshape(-1, 4), -0.5, side - 0.5)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8), boxes


def test_without_weights_it_is_not_ready_and_says_so(weights_folder):
    assert not METHOD.is_ready
    with pytest.raises(WeightsUnavailable, match="dso_starless"):
        METHOD.run(shown(a_sky()))


def test_glows_are_boxed_and_the_pictures_add_up(tiny):
    pixels, truth = starless_with((90, 100, 60, 60), (230, 210, 80, 40))
    frame = shown(pixels.astype(float))
    result = METHOD.run(frame)
    assert METHOD.is_ready
    assert list(result.detections.table["label"]) == ["object", "object"]
    assert result.summary == "2 objects found."
    assert box_iou(truth, result.detections.boxes).max(axis=1).min() > 0.6
    starless, stars = result.pictures["starless"], result.pictures["stars only"]
    np.testing.assert_array_equal(starless + stars, pixels)
    assert result.facts["starlight_percent"] == 0.0
    assert any("cannot be named" in said for said in result.warnings)
    again = METHOD.run(frame)
    np.testing.assert_array_equal(again.detections.boxes, result.detections.boxes)


def test_planted_glows_are_found_again_and_an_empty_sky_stays_empty():
    rng = np.random.default_rng(5)
    hits = false = n = 0
    for seed in range(6):
        blobs = [
            (float(x), float(y), float(rng.uniform(24, 70)), float(rng.uniform(18, 80)))
            for x, y in ([80, 80], [240, 90], [150, 240])
        ]
        picture, truth = starless_with(*blobs, seed=seed)
        found = best_boxes(outline(picture, StarlessParameters()), DEFAULT_LOGISTIC)
        sure = found.boxes[found.scores >= 0.5]
        overlap = box_iou(truth, sure)
        hits += int((overlap.max(axis=1, initial=0.0) >= 0.5).sum())
        n += len(truth)
        empty, _ = starless_with(seed=100 + seed)
        nothing = best_boxes(outline(empty, StarlessParameters()), DEFAULT_LOGISTIC)
        false += int((nothing.scores >= 0.5).sum())
    assert hits >= 0.85 * n
    assert false == 0


def test_what_the_frame_cuts_is_boxed_up_to_its_edge():
    picture, truth = starless_with((0, 160, 160, 60))
    found = best_boxes(outline(picture, StarlessParameters()), DEFAULT_LOGISTIC)
    assert box_iou(found.boxes[:1], truth)[0, 0] > 0.6
    assert found.boxes[0, 0] <= 2.0


def test_boxes_scale_with_a_large_frame():
    import cv2

    picture, truth = starless_with((150, 150, 90, 60))
    large = cv2.resize(picture, (1600, 1600), interpolation=cv2.INTER_CUBIC)
    found = best_boxes(outline(large, StarlessParameters()), DEFAULT_LOGISTIC)
    assert box_iou(found.boxes[:1], 5.0 * (truth + 0.5) - 0.5)[0, 0] > 0.6


def test_small_boxes_are_left_out():
    picture, _ = starless_with((150, 150, 30, 80))
    assert len(outline(picture, StarlessParameters(smallest_px=10.0)))
    wide = outline(picture, StarlessParameters(smallest_px=100.0))
    assert (wide.size_px >= 100.0).all()


def test_confidence_grows_with_contrast():
    box = np.array([[10.0, 10, 60, 60]])
    scores = [
        best_boxes(Outlined(box, np.array([c]), np.array([c]), np.ones(1)), DEFAULT_LOGISTIC).scores[0]
        for c in (0.5, 2.0, 10.0, 50.0)
    ]
    assert scores == sorted(scores)
    assert 0.0 <= scores[0] < 0.5 < scores[-1] <= 1.0


@pytest.mark.parametrize("level", [0, 40, 255])
def test_an_even_picture_has_no_outlines(level):
    assert len(outline(np.full((100, 140, 3), level, np.uint8), StarlessParameters())) == 0


def test_missing_and_saturated_pixels_are_borne(tiny):
    pixels, _ = starless_with((150, 150, 60, 60))
    pixels = pixels.astype(float)
    pixels[20:30, 20:30], pixels[200:204, 50:54] = np.nan, 255.0
    result = METHOD.run(shown(pixels))
    assert len(result.detections) >= 1
    assert result.pictures["starless"].shape == (320, 320, 3)


def test_what_is_no_sky_gets_a_sentence_and_no_boxes(tiny):
    result = METHOD.run(shown(np.full((200, 200, 3), 255.0)))
    assert len(result.detections) == 0
    assert len(result.warnings) == 1
