import numpy as np
import pytest
import torch

from core.models import LockedNetwork, check_weights, read_card
from core.models.unet import Sizes
from core.surfaces.craters import WEIGHTS as CRATERS
from core.surfaces.kinds import SEGMENTS
from core.surfaces.landform_network import Answer, LandformNetwork, look, middles, ready_network
from core.surfaces.segment import WEIGHTS as PLACES
from training.surface_data import Sample
from training.surface_truth import IGNORE, MARKED, TrueCrater, lay_craters
from training.surfaces_landforms import WEIGHTS_OF_LOSSES, as_tensors, losses_of, main, target_of

SIDE = 96
CPU = torch.device("cpu")
ROUND = TrueCrater(40.3, 30.6, 9.0, 9.0)
LONG = TrueCrater(70.0, 68.0, 12.0, 8.0, angle_deg=150.0)
DOUBTFUL = TrueCrater(20.0, 76.0, 8.0, 8.0, wanted=False)


def a_sample(*craters, seed=0):
    """Craters as bowls lit from the left."""
    rows, columns = np.arange(SIDE)[:, None], np.arange(SIDE)[None, :]
    picture = 0.5 + 0.02 * np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    classes = np.zeros((SIDE, SIDE), np.uint8)
    for one in craters:
        away = one.away(columns, rows)
        picture += np.where(away <= 1.0, 0.35 * (columns - one.x) / one.major_px, 0.0)
    lay_craters(classes, craters, 4.0)
    return Sample(np.clip(picture, 0, 1).astype(np.float32)[None], classes, tuple(craters))


def answer_to(target):
    """What a perfect network says."""
    classes = torch.from_numpy(target.classes.astype(np.int64))[None]
    known = torch.nn.functional.one_hot(classes.clamp(max=4), len(SEGMENTS)).movedim(-1, 1)
    middle = torch.from_numpy(np.where(target.middle >= 1.0, 9.0, -9.0).astype(np.float32))[None]
    parts = (torch.from_numpy(part)[None] for part in (target.offset, target.size, target.shape))
    offset, size, shape = parts
    return Answer(known.float() * 20.0, middle, offset, size, shape)


def test_a_perfect_answer_gives_the_craters_back():
    said = answer_to(target_of(a_sample(ROUND, LONG)))
    (found,) = middles(said)
    assert len(found) == 2
    for one in (ROUND, LONG):
        row = found[((found[:, 1] - one.x) ** 2 + (found[:, 2] - one.y) ** 2).argmin()].numpy()
        assert row[1:4] == pytest.approx([one.x, one.y, one.diameter_px / 2], abs=0.01)
        squeezed = (one.major_px - one.minor_px) / (one.major_px + one.minor_px)
        angle = np.radians(2 * one.angle_deg)
        assert row[4:] == pytest.approx([squeezed * np.cos(angle), squeezed * np.sin(angle)], abs=1e-4)


def test_what_need_not_be_found_counts_neither_way():
    target = target_of(a_sample(ROUND, DOUBTFUL))
    place = target.counts[round(DOUBTFUL.y / 2) - 1 : round(DOUBTFUL.y / 2) + 2, round(DOUBTFUL.x / 2)]
    assert (place == 0.0).all()
    assert (target.middle >= 1.0).sum() == 1
    assert (target.classes == IGNORE).any()
    assert target.counts[round(ROUND.y / 2), round(ROUND.x / 2)] == 1.0


def test_marked_craters_ask_for_no_shape():
    known = target_of(a_sample(ROUND))
    marked = target_of(a_sample(TrueCrater(40.3, 30.6, 9.0, 9.0, known=MARKED)))
    assert known.shaped.sum() > 0.0
    assert marked.shaped.sum() == 0.0
    assert marked.claimed.sum() == known.claimed.sum()


def test_craters_beyond_the_picture_have_no_middle():
    target = target_of(a_sample(TrueCrater(-30.0, 40.0, 40.0, 40.0)))
    assert target.claimed.sum() == 0.0
    assert (target.middle >= 1.0).sum() == 0


def test_a_perfect_answer_costs_next_to_nothing():
    sample = a_sample(ROUND, LONG, DOUBTFUL)
    _, target = as_tensors([sample], CPU)
    perfect = losses_of(answer_to(target_of(sample)), target)
    assert set(perfect) == set(WEIGHTS_OF_LOSSES)
    assert all(float(loss) < 0.02 for loss in perfect.values())
    begun = losses_of(
        LandformNetwork(Sizes((16, 16, 16, 16), (1, 1, 1, 1)))(torch.rand(1, 1, SIDE, SIDE)), target
    )
    assert all(float(begun[name].detach()) > float(perfect[name]) for name in ("classes", "middle", "size"))


def test_pictures_without_craters_and_without_known_places_have_losses():
    sample = a_sample()
    nothing = Sample(sample.picture, np.full((SIDE, SIDE), IGNORE, np.uint8), ())
    pictures, target = as_tensors([nothing], CPU)
    losses = losses_of(LandformNetwork(Sizes((16, 16, 16, 16), (1, 1, 1, 1)))(pictures), target)
    assert all(np.isfinite(float(loss.detach())) for loss in losses.values())


def test_it_learns_a_few_craters():
    torch.manual_seed(0)
    network = LandformNetwork(Sizes((16, 32, 32, 32), (1, 1, 1, 1)))
    samples = [a_sample(ROUND, LONG, seed=n) for n in range(2)]
    pictures, target = as_tensors(samples, CPU)
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3)
    for _ in range(60):
        losses = losses_of(network(pictures), target)
        loss = torch.stack([WEIGHTS_OF_LOSSES[name] * one for name, one in losses.items()]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.train()
    with torch.no_grad():
        for _ in range(20):  # means and spreads that belong to the weights
            network(pictures)
    held = LockedNetwork(ready_network(network.state_dict()))
    said = look(held, (samples[0].picture[0] * 255).astype(np.uint8))
    two = said.craters[:2]
    for one in (ROUND, LONG):
        assert np.hypot(two[:, 1] - one.x, two[:, 2] - one.y).min() < 2.0
    told = said.logits.argmax(axis=0) == samples[0].classes[1::2, 1::2]
    assert told[samples[0].classes[1::2, 1::2] != IGNORE].mean() > 0.9


def test_the_command_trains_calibrates_and_measures(tmp_path, monkeypatch):
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path / "weights"))
    arguments = [
        *("--work", str(tmp_path / "work"), "--weights", str(tmp_path / "weights")),
        *("--scenes", "3", "--val-scenes", "2", "--test-scenes", "2", "--side", "128", "--workers", "1"),
        *("--minutes", "0.02", "--batch", "2", "--sizes", "16,16,16,16/1,1,1,1", "--device", "cpu"),
    ]
    assert main(arguments) == 0
    start = str(tmp_path / "weights" / f"{CRATERS}.safetensors")
    assert main([*arguments, "--network", "landforms", "--begin-from", start]) == 0
    for name in (CRATERS, PLACES):
        check_weights(name)
    craters, places = read_card(CRATERS), read_card(PLACES)
    assert len(craters.extra["crater_logistic"]) == 4
    assert 0.0 < craters.extra["crater_confidence"] < 1.0
    assert places.extra["temperature"] > 0.0
    assert any(name.startswith("test scenes, macro-F1") for name in places.scores)
    assert not any("macro-F1" in name for name in craters.scores)
    assert "--score" in next(iter(places.scores.values())).command
    assert main([*arguments, "--score"]) == 0
    assert main([*arguments, "--resume"]) == 0
