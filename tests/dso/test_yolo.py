import numpy as np
import pytest

from core.dso.yolo import METHOD, YoloParameters
from core.errors import WeightsUnavailable
from core.frames import Frame, samples
from core.models import LockedNetwork
from tests.dso.networks import BoxesBlobs, untrained_yolo
from tests.frames.test_night import a_sky, shown


@pytest.fixture
def untrained(weights_folder):
    untrained_yolo(weights_folder, confidence=0.5)


@pytest.fixture
def blobs(untrained, monkeypatch):
    """The method with a network that boxes what is bright."""
    monkeypatch.setattr("core.dso.yolo_network.yolo_network", lambda name: LockedNetwork(BoxesBlobs()))


def sky_with(*blobs, side=256):
    pixels = a_sky(side, stars=0)
    for x0, y0, x1, y1 in blobs:
        pixels[y0:y1, x0:x1] = 220.0
    return shown(pixels)


def test_without_weights_it_is_not_ready_and_says_so(weights_folder):
    assert not METHOD.is_ready
    with pytest.raises(WeightsUnavailable, match="dso_yolo"):
        METHOD.run(sky_with())


def test_an_untrained_network_runs_and_gives_boxes_on_the_frame(untrained):
    assert METHOD.is_ready
    frame = shown(a_sky(300)[:220])
    result = METHOD.run(frame, YoloParameters(confidence=0.02))
    both = np.concatenate([result.detections.boxes, result.rejected.boxes])
    assert (both >= -0.5).all()
    assert (both[:, [0, 2]] <= 299.5).all()
    assert (both[:, [1, 3]] <= 219.5).all()
    assert result.provenance.weights_sha256
    again = METHOD.run(frame, YoloParameters(confidence=0.02))
    np.testing.assert_array_equal(result.detections.boxes, again.detections.boxes)


def test_objects_are_boxed_and_said(blobs):
    result = METHOD.run(sky_with((60, 70, 120, 110), (180, 20, 220, 50)))
    assert list(result.detections.table["label"]) == ["nebula", "nebula"]
    assert result.summary == "2 nebulae found."
    np.testing.assert_allclose(sorted(result.detections.table["size_px"]), [40, 60], atol=1.0)
    assert any("cannot be named" in said for said in result.warnings)


def test_the_confidence_of_the_card_holds_until_another_is_given(blobs):
    frame = sky_with((60, 70, 120, 110))
    assert METHOD.run(frame).facts["confidence_limit"] == 0.5
    sure = METHOD.run(frame, YoloParameters(confidence=0.95))
    assert len(sure.detections) == 0
    assert sure.summary == "No deep-sky objects were found."
    assert sure.rejected.table["reason"].tolist() == ["confidence below 0.95"]


def test_nothing_found_is_a_result(blobs):
    result = METHOD.run(shown(0.5 * a_sky()))
    assert len(result.detections) == 0
    assert result.summary == "No deep-sky objects were found."


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((1, 1)),
        np.full((200, 200, 3), 255.0),
        np.random.default_rng(0).uniform(0, 255, (200, 200, 3)),
        np.zeros((300, 2000)),
    ],
)
def test_what_is_no_sky_gets_a_sentence_and_no_boxes(blobs, pixels):
    result = METHOD.run(shown(pixels))
    assert len(result.detections) == 0
    assert len(result.warnings) == 1
    assert result.warnings[0].endswith(".")


def test_a_long_strip_is_searched(blobs):
    pixels = np.random.default_rng(0).normal(13, 3, (300, 6000)).clip(0)
    pixels[100:150, 4000:4060] = 230.0
    result = METHOD.run(shown(pixels))
    assert len(result.detections) == 1
    np.testing.assert_allclose(result.detections.xy, [[4029.5, 124.5]], atol=3)


def test_frames_with_a_place_get_names(blobs, monkeypatch):
    m13 = next(sample for sample in samples() if sample.name == "m13").read()
    pixels = a_sky(1024, stars=0)
    pixels[380:640, 380:640] = 220.0
    frame = Frame.from_array(pixels, "m13.png", row0="top", saturation=255.0, wcs=m13.wcs)
    result = METHOD.run(frame)
    assert result.detections.table["name"].tolist() == ["M 13"]
    assert "M 13" in result.summary
    assert result.detections.table["ra_deg"][0] == pytest.approx(250.42, abs=0.05)
    unnamed = METHOD.run(frame, YoloParameters(name_objects=False))
    assert unnamed.detections.table["name"].tolist() == [None]
