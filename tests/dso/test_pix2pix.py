import numpy as np
import pytest
import torch
from torch import nn

from core.dso.pix2pix import MAP, METHOD, Pix2PixParameters
from core.dso.pix2pix_map import (
    confidences,
    explained_map,
    on_frame,
    paint_frame,
    painted_levels,
    regions,
)
from core.dso.pix2pix_network import Generator, as_input, paint, squared
from core.errors import WeightsUnavailable
from core.models import LockedNetwork, save_weights
from tests.frames.test_night import a_sky, shown
from tests.models.cards import FACTS


class PaintsLight(nn.Module):
    """Paints what is bright: log odds that grow with the square root of the level."""

    def forward(self, given):
        return 20.0 * given.mean(dim=1, keepdim=True)


def save_untrained(folder, **extra):
    """Write the weights and card of a narrow generator that has learned nothing."""
    torch.manual_seed(0)
    network = Generator(width=4, depth=3)
    facts = {**FACTS, "task": "dso", "labels": ("object",), "extra": {"width": 4, "depth": 3, **extra}}
    return save_weights("dso_pix2pix", network.state_dict(), facts, folder=folder)


@pytest.fixture
def light(weights_folder, monkeypatch):
    """The method with a network that paints what is bright."""
    save_untrained(weights_folder, confidence=0.6)
    monkeypatch.setattr("core.dso.pix2pix_network.pix2pix_network", lambda name: LockedNetwork(PaintsLight()))


def sky_with(*blobs, shape=(256, 256)):
    pixels = a_sky(max(shape), stars=0)[: shape[0], : shape[1]]
    for x0, y0, x1, y1 in blobs:
        pixels[y0:y1, x0:x1] = 225.0
    return shown(pixels)


def quiet(fraction, doing):
    assert 0.0 <= fraction <= 1.0


def test_training_and_evaluation_paint_the_same():
    torch.manual_seed(1)
    network, pictures = Generator(width=8, depth=4), torch.rand(3, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        training = network.train()(pictures)
        evaluation = network.eval()(pictures)
        alone = network(pictures[1:2])
    assert training.std() > 1e-4
    torch.testing.assert_close(training, evaluation, rtol=0, atol=0)
    torch.testing.assert_close(alone, evaluation[1:2], rtol=1e-4, atol=1e-5)


def test_the_whole_generator_fits_and_paints_the_size_it_is_given():
    network = Generator()
    assert 2 * sum(p.numel() for p in network.parameters()) < 26e6
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 256, 256)


def test_every_pixel_of_a_map_can_depend_on_every_pixel_of_the_picture():
    network = Generator(width=4).eval()
    given = torch.rand(1, 3, 256, 256, requires_grad=True)
    network(given)[0, 0, 0, 0].backward()
    assert float(given.grad[0, :, -8:, -8:].abs().max()) > 0.0


def test_faint_levels_are_told_apart():
    steps = as_input(np.array([[[[13] * 3, [18] * 3, [255] * 3, [0] * 3]]], np.uint8))[0, 0, 0]
    assert float(steps[1] - steps[0]) > 0.07
    assert float(steps[2]) == 1.0
    assert float(steps[3]) == -1.0


@pytest.mark.parametrize("shape", [(100, 200), (200, 100), (256, 256), (640, 640), (33, 1000)])
def test_a_picture_is_squared_whole_on_its_own_sky(shape):
    picture = np.full((*shape, 3), (20, 10, 5), np.uint8)
    square, window = squared(picture)
    assert square.shape == (256, 256, 3)
    assert (square == (20, 10, 5)).all()
    rows, columns = window
    assert max(rows.stop - rows.start, columns.stop - columns.start) == 256
    assert (rows.stop - rows.start) / (columns.stop - columns.start) == pytest.approx(
        shape[0] / shape[1], rel=0.07
    )


def test_levels_keep_xrais_order_and_its_zero():
    xrai = np.array([[-2.0, 0.0, 0.1], [0.5, 1.0, np.nan]])
    levels = painted_levels(xrai, middle=3.0)
    np.testing.assert_allclose(levels, [[0.0, 0.0, 0.0384615], [0.5, 0.8, 0.0]], atol=1e-5)
    large = painted_levels(np.repeat(np.repeat(xrai / 100.0, 10, 0), 10, 1), middle=3.0)
    np.testing.assert_allclose(large[::10, ::10], levels, atol=1e-6)


def test_boxes_of_a_map_lie_on_the_frame():
    painted = np.zeros((64, 128), np.float32)
    painted[10:20, 30:50] = 0.8
    painted[40:41, 60:61] = 1.0  # a spot
    found = regions(painted, 0.5)
    np.testing.assert_allclose(on_frame(found.boxes, painted.shape, (320, 640)), [[149.5, 49.5, 249.5, 99.5]])
    assert len(regions(0.5 * painted, 0.5)) == 0
    assert confidences(found, (0.0, 1.0, 0.0)) == pytest.approx([0.8])
    assert confidences(found, (-5.0, 0.0, 1.0)) == pytest.approx([1 / (1 + np.exp(5) / 200)])


def test_large_frames_are_painted_in_windows():
    bright = np.full((1100, 1500, 3), 13, np.uint8)
    bright[500:560, 700:760] = 250
    painted = paint_frame(LockedNetwork(PaintsLight()), bright, 640, 0.25, quiet)
    assert painted.shape == (440, 600)
    (box,) = on_frame(regions(painted, 0.5).boxes, painted.shape, bright.shape)
    np.testing.assert_allclose(box, [699.5, 499.5, 759.5, 559.5], atol=4)
    assert painted.min() >= 0.0
    assert painted.max() <= 1.0


def test_windows_leave_no_seams():
    flat = np.full((1400, 1400, 3), 60, np.uint8)
    network = LockedNetwork(PaintsLight())
    one = paint(network, flat[:640, :640])
    np.testing.assert_allclose(paint_frame(network, flat, 640, 0.25, quiet), one[0, 0], atol=2e-3)


def test_without_weights_it_is_not_ready_and_says_so(weights_folder):
    assert not METHOD.is_ready
    with pytest.raises(WeightsUnavailable, match="dso_pix2pix"):
        METHOD.run(sky_with())


def test_an_untrained_network_runs_and_paints_the_same_twice(weights_folder):
    save_untrained(weights_folder)
    frame = sky_with((60, 70, 120, 110), shape=(220, 300))
    one, other = METHOD.run(frame), METHOD.run(frame)
    assert one.maps[MAP].shape == (188, 256)
    assert one.maps[MAP].dtype == np.float32
    np.testing.assert_array_equal(one.maps[MAP], other.maps[MAP])
    assert one.provenance.weights_sha256


def test_objects_are_boxed_and_said(light):
    result = METHOD.run(sky_with((60, 70, 120, 110), (180, 20, 220, 50)))
    assert result.summary == "2 objects found."
    assert set(result.detections.table["label"]) == {"object"}
    boxes = result.detections.boxes[np.argsort(result.detections.boxes[:, 0])]
    np.testing.assert_allclose(boxes, [[59.5, 69.5, 119.5, 109.5], [179.5, 19.5, 219.5, 49.5]], atol=1.1)
    assert any("cannot be named" in said for said in result.warnings)


def test_the_limits_of_the_card_hold_until_others_are_given(light):
    frame = sky_with((60, 70, 120, 110))
    assert METHOD.run(frame).facts["confidence_limit"] == 0.6
    sure = METHOD.run(frame, Pix2PixParameters(confidence=0.995 - 0.005))
    assert len(sure.detections) + len(sure.rejected) == 1
    hot = METHOD.run(shown(0.3 * sky_with((60, 70, 120, 110)).pixels), Pix2PixParameters(map_threshold=0.95))
    assert len(hot.detections) == len(hot.rejected) == 0


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((1, 1)), np.full((200, 200, 3), 255.0), np.random.default_rng(0).uniform(0, 255, (90, 90, 3))],
)
def test_what_is_no_sky_gets_a_sentence_and_no_boxes(light, pixels):
    result = METHOD.run(shown(pixels))
    assert len(result.detections) == 0
    assert len(result.warnings) == 1


def test_an_empty_sky_is_a_result(light):
    result = METHOD.run(shown(0.25 * a_sky()))
    assert len(result.detections) == 0
    assert result.summary == "No deep-sky objects were found."
    assert float(result.maps[MAP].max()) < 1.0


def test_what_is_painted_is_xrai_times_the_chance_that_there_is_anything(weights_folder, monkeypatch):
    from tests.dso.networks import SeesBrightness, card_of_classifier

    card_of_classifier(weights_folder, xrai={"baseline": "black", "steps": 4})
    network = LockedNetwork(SeesBrightness())
    monkeypatch.setattr("core.dso.xrai.classifier", lambda: network)
    monkeypatch.setattr("core.dso.classifier.classifier", lambda: network)
    picture = np.full((224, 224, 3), 5, np.uint8)
    dark = explained_map(picture)
    picture[60:120, 80:160] = 220
    lit = explained_map(picture)
    assert lit.shape == (224, 224)
    assert lit[90, 120] == lit.max() > 10.0 * max(float(dark.max()), 1e-6)
    levels = painted_levels(lit, 0.3 * float(lit.max()) * lit.size)
    assert levels[90, 120] > 0.9
    assert levels[200, 20] < 0.1
