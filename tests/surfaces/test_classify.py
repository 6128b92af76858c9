import numpy as np
import pytest

from core.frames import Frame
from core.methods import get_method
from core.surfaces.classify import LONGEST_PX, STEP_PX, in_words, look_around, shown_size
from core.surfaces.kinds import LANDFORMS
from tests.surfaces.networks import tiny_classifier


@pytest.fixture
def ready(tmp_path, monkeypatch):
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    tiny_classifier(tmp_path)
    return get_method("surfaces.classify")


def rough(width=300, height=200, seed=0):
    steps = np.random.default_rng(seed).normal(0, 1, (height, width))
    return Frame.from_array(
        np.cumsum(np.cumsum(steps, axis=0), axis=1).astype(np.float32), "ground.png", row0="top"
    )


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((683, 500), (672, 512)),
        ((5000, 2500), (1344, 672)),
        ((100, 60), (384, 224)),
        ((3000, 20), (1344, 32)),
    ],
)
def test_frames_are_shown_at_a_size_that_fits(size, shown):
    assert shown_size(*size) == shown
    assert max(shown) <= LONGEST_PX


def test_the_mix_covers_the_frame_and_adds_up(ready):
    result = ready.run(rough())
    assert set(result.maps) == set(LANDFORMS)
    assert sum(result.maps.values()) == pytest.approx(1.0, abs=1e-4)
    wide, high = shown_size(300, 200)
    assert result.masks["classes"].shape == (high // STEP_PX, wide // STEP_PX)
    shares = {name: part for name, part in result.facts.items() if name.startswith("share_")}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert len(result.detections) == 0
    assert result.summary


def test_it_may_be_asked_to_be_less_sure(ready):
    unsure = ready.run(rough(), ready.params(sure_from=0.99))
    sure = ready.run(rough(), ready.params(sure_from=0.2))
    assert unsure.facts["share_unsure"] == 1.0
    assert "not sure" in unsure.summary
    assert sure.facts["share_unsure"] == 0.0


def test_it_looks_at_squares_as_it_learned_them(ready):
    from core.surfaces.classify import classifier

    network = classifier()
    picture = np.random.default_rng(1).integers(0, 256, (224, 224)).astype(np.uint8)
    logits = look_around(network, picture)
    assert logits.shape == (len(LANDFORMS), 7, 7)

    import torch

    with network.use() as run, torch.inference_mode():
        given = torch.from_numpy(picture / 127.5 - 1.0)[None, None].expand(1, 3, 224, 224)
        whole = run(given.to(next(run.parameters()).dtype))[0].float().numpy()
    # The square in the middle is the picture itself, but for what the convolutions see beyond its edges.
    assert np.abs(logits[:, 3, 3] - whole).max() < 0.5 * max(np.abs(whole).max(), 0.2)


def test_what_is_no_ground_is_a_sentence(ready):
    result = ready.run(Frame.from_array(np.full((80, 90), 3.0, np.float32), "blank.png", row0="top"))
    assert result.warnings
    assert not result.maps


def test_the_mix_in_words():
    facts = {
        "share_unsure": 0.1,
        "share_crater": 0.6,
        "share_valley": 0.0,
        "share_ridge": 0.001,
        "share_plain": 0.299,
    }
    assert in_words(facts, LANDFORMS) == "This surface is 60 % crater, 30 % plain; it is not sure of 10 %."


def test_missing_pixels_are_no_ground(ready):
    frame = rough()
    pixels = frame.pixels.copy()
    pixels[:, 60:] = np.nan
    result = ready.run(Frame.from_array(pixels, "part.fits"), ready.params(sure_from=0.2))
    assert (result.masks["classes"][:, 3:] == 0).all()
    assert result.facts["share_unsure"] == 0.0
