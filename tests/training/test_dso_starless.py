from dataclasses import replace

import numpy as np
import pytest
import torch

from core.dso.starless import Outlined
from core.dso.starless_network import Sizes, StarlessNetwork, ready_network, remove_stars
from core.models import LockedNetwork, check_weights, read_card
from training.dso_starless import main, removal_loss
from training.dso_starless_data import Pair, draw_pairs, random_crops, read_pair
from training.dso_starless_rivals import masked
from training.dso_starless_scores import box_scores, fitted_logistic, removal_scores


def sky(n, seed):
    """``(n, 3, 48, 48)`` glows, and the light of stars on them, in parts of white."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48].astype(np.float32)
    glows, lights = np.zeros((2, n, 3, 48, 48), np.float32)
    for i in range(n):
        cx, cy = rng.uniform(10, 38, 2)
        glows[i] = 0.05 + 0.4 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 200.0)
        for sx, sy, peak in rng.uniform([0, 0, 0.2], [48, 48, 0.5], (5, 3)):
            lights[i] += peak * np.exp(-((x - sx) ** 2 + (y - sy) ** 2) / 3.0)
    return torch.from_numpy(glows), torch.from_numpy(lights)


def a_pair(light=40, glow=30):
    starless = np.full((64, 64, 3), 12, np.uint8)
    starless[20:40, 20:40] += glow
    picture = starless.copy()
    picture[5:8, 50:53] += light
    return Pair(
        picture,
        starless,
        np.zeros((64, 64), np.uint8),
        np.array([[19.5, 19.5, 39.5, 39.5]]),
        np.zeros(1, int),
    )


def test_a_tiny_network_learns_to_take_stars_away_and_leave_a_glow():
    torch.manual_seed(0)
    network = StarlessNetwork(Sizes((12, 16), (1, 1), (1,)))
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    glows, lights = sky(32, seed=0)
    for _ in range(150):
        some = torch.randint(0, 32, (4,))
        shown = glows[some] + lights[some]
        loss = removal_loss(network(shown), shown, glows[some], torch.zeros(4, 48, 48))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    held = LockedNetwork(ready_network(network.state_dict()))
    left = lost = 0.0
    for glow, light in zip(*sky(8, seed=1), strict=True):
        truth = 255.0 * glow.permute(1, 2, 0).numpy()
        shown = np.clip(truth + 255.0 * light.permute(1, 2, 0).numpy(), 0, 255).astype(np.uint8)
        out = remove_stars(held, shown).astype(float)
        left += np.maximum(out - truth, 0.0).sum() / np.maximum(shown - truth, 0.0).sum() / 8
        lost += np.maximum(truth - out, 0.0).sum() / truth.sum() / 8
    assert left < 0.35
    assert lost < 0.05


def test_the_loss_asks_for_the_stars_and_for_nothing_else():
    glow, light = sky(2, seed=0)
    mask = torch.zeros(2, 48, 48)
    perfect = removal_loss(light, glow + light, glow, mask)
    nothing = removal_loss(torch.zeros_like(light), glow + light, glow, mask)
    everything = removal_loss(glow + light, glow + light, glow, mask)
    assert float(perfect) < 1e-6 < float(nothing)
    assert float(nothing) < float(everything)
    # Taking away an object's light costs more than taking away the sky's.
    harm = removal_loss(torch.full_like(light, 0.1), glow, glow, mask)
    assert float(removal_loss(torch.full_like(light, 0.1), glow, glow, mask + 1.0)) > 2.0 * float(harm)


def test_pairs_are_drawn_once_and_read_back(tmp_path):
    paths = draw_pairs(tmp_path, None, "train", 2, side_px=128)
    before = [path.stat().st_mtime_ns for path in paths]
    assert draw_pairs(tmp_path, None, "train", 2, side_px=128) == paths
    assert [path.stat().st_mtime_ns for path in paths] == before
    pair = read_pair(paths[0])
    assert pair.picture.shape == pair.starless.shape == (128, 128, 3)
    assert pair.mask.shape == (128, 128)
    assert len(pair.boxes) == len(pair.labels)
    first, again = (next(random_crops(paths, 3, 64, seed=5)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    picture, starless, mask = first
    assert picture.shape == starless.shape == (3, 3, 64, 64)
    assert mask.shape == (3, 64, 64)
    assert 0.0 <= picture.min() <= picture.max() <= 1.0


def test_scores_of_a_perfect_remover_and_of_none():
    pair = a_pair()
    perfect = removal_scores(lambda picture: pair.starless, [pair])
    assert (perfect.star_light_left, perfect.object_change, perfect.object_light_lost) == (0.0, 0.0, 0.0)
    none = removal_scores(lambda picture: picture, [pair])
    assert none.star_light_left == pytest.approx(1.0)
    assert none.starless_change == 0.0
    assert none.psnr_db == pytest.approx(10 * np.log10(255**2 / (9 * 40**2 / 64**2)))
    harmful = removal_scores(lambda picture: np.minimum(picture, 27), [pair])
    assert harmful.object_light_lost == pytest.approx(0.5)
    assert harmful.object_change == pytest.approx(15.0)
    assert harmful.star_light_left == pytest.approx(15 / 40)


def test_the_classical_rival_takes_stars_and_never_adds():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]
    starless = np.clip(rng.normal(14, 2, (128, 128, 3)), 0, 255)
    picture = starless + sum(
        (150 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 4.0))[..., None]
        for cx, cy in rng.uniform(10, 118, (8, 2))
    )
    picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    out = masked(picture)
    assert (out <= picture).all()
    assert np.maximum(out - starless, 0).sum() < 0.3 * np.maximum(picture - starless, 0).sum()


def test_confidence_is_fitted_to_what_hits_and_limits_boxes_on_empty_frames():
    rng = np.random.default_rng(0)
    outlined, pairs = [], []
    for i in range(40):
        good, noise = np.array([[19.5, 19.5, 39.5, 39.5]]), np.array([[45.0, 45, 60, 60]])
        boxes = np.concatenate([good, noise]) if i % 4 else noise
        contrast = np.array([8.0, 1.0])[-len(boxes) :] * np.exp(rng.normal(0, 0.3, len(boxes)))
        outlined.append(Outlined(boxes, contrast, contrast, np.ones(len(boxes))))
        pair = a_pair()
        pairs.append(
            pair
            if i % 4
            else Pair(pair.starless, pair.starless, pair.mask, np.empty((0, 4)), np.empty(0, int))
        )
    logistic = fitted_logistic(outlined, pairs)
    assert logistic[1] + logistic[2] > 0.0
    from core.dso.starless import best_boxes

    found = [best_boxes(one, logistic) for one in outlined]
    chosen = box_scores(pairs, found)
    assert chosen.f1 == 1.0
    assert chosen.false_on_empty == 0.0
    assert box_scores(pairs, found, 0.0).precision < 1.0
    full_of_hidden = [replace(pair, hidden=np.array([[45.0, 45, 60, 60]])) for pair in pairs]
    assert box_scores(full_of_hidden, found, 0.0).precision == 1.0
    assert np.isnan(box_scores(full_of_hidden[:1], found[:1], 0.0).false_on_empty)


def test_the_whole_script_draws_trains_resumes_and_fills_the_card(tmp_path, monkeypatch):
    weights, work = tmp_path / "weights", tmp_path / "work"
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(weights))
    command = ["--work", str(work), "--weights", str(weights), "--scenes", "2", "--val-scenes", "3"]
    command += ["--test-scenes", "2", "--side", "128", "--crop", "32", "--batch", "2", "--check", "1"]
    command += ["--sizes", "6,8/1,1/1", "--workers", "1", "--device", "cpu"]
    assert main([*command, "--minutes", "0.01"]) == 0
    card = read_card("dso_starless")
    assert check_weights("dso_starless").precision == "float16"
    assert card.labels == ("object",)
    assert len(card.extra["logistic"]) == 5
    assert 0.0 < card.extra["confidence"] < 1.0
    assert "test, this network: star light left, part" in card.scores
    assert str(tmp_path) not in (weights / "dso_starless.json").read_text()
    steps = card.extra["steps"]
    assert main([*command, "--minutes", "0.02", "--resume"]) == 0
    assert read_card("dso_starless").extra["steps"] > steps
    assert main([*command, "--score"]) == 0
    assert read_card("dso_starless").extra["steps"] > steps
