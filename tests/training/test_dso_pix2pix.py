import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from core.dso.pix2pix import METHOD
from core.dso.pix2pix_map import confidences, regions
from core.models import are_present, read_card
from tests.frames.test_night import a_sky, shown
from training import dso_pix2pix
from training.dso_pix2pix import Critic, Trainer, batch_of, learn, main, shaken, turned
from training.dso_pix2pix_data import Example, TargetFile, load_examples, make_targets, pictures_of
from training.dso_pix2pix_scores import best_middle, choose_limits, fit_logistic, likeness_to_xrai

SIDE = 32


def a_glow(square):
    """In place of XRAI: what is wide and bright, in logits a pixel."""
    smooth = ndimage.gaussian_filter(square.mean(axis=2), len(square) / 32)
    return ((smooth - 30.0) / 1000.0).astype(np.float32)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A data set as of training.dso_yolo_data: pictures with one box, and in each split one without."""
    folder, rng = tmp_path_factory.mktemp("scenes"), np.random.default_rng(0)
    for split, number in (("train", 6), ("val", 4)):
        for name in ("images", "labels"):
            (folder / split / name).mkdir(parents=True)
        for n in range(number):
            pixels, line = a_sky(128, seed=n), ""
            if n:
                x, y = rng.uniform(0.3, 0.7, 2)
                low = (np.array([y, x]) * 128 - 20).astype(int)
                pixels[low[0] : low[0] + 40, low[1] : low[1] + 40] += 120.0
                line = f"1 {x:.6f} {y:.6f} 0.3125 0.3125\n"
            (folder / split / "labels" / f"scene_{n:06d}.txt").write_text(line)
            picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            picture.save(folder / split / "images" / f"scene_{n:06d}.jpg")
    return folder


@pytest.fixture
def explained(monkeypatch):
    monkeypatch.setattr(dso_pix2pix, "classifier_explained", lambda: (a_glow, SIDE, "ab" * 32))


def an_example(*boxes, name="a.jpg", hot=40.0, side=256, hidden=()):
    """A picture whose relevance is hot in its boxes."""
    relevance = np.full((side, side), 0.01, np.float16)
    picture = np.full((256, 256, 3), 13, np.uint8)
    for x0, y0, x1, y1 in boxes:
        relevance[y0:y1, x0:x1] = hot
        picture[y0:y1, x0:x1] = 90
    true = np.array(boxes, float).reshape(-1, 4) - 0.5
    return Example(name, picture, relevance, true, np.array(hidden, float).reshape(-1, 4) - 0.5)


def test_maps_are_made_once_and_going_on_repairs_what_was_cut_off(scenes, tmp_path):
    seen = []

    def explain(square):
        seen.append(square.shape)
        return a_glow(square)

    pictures = pictures_of(scenes, "train", 4)
    make_targets(TargetFile(tmp_path, "train", SIDE, "x"), pictures[:2], explain)
    with (tmp_path / "xrai_train.f16").open("ab") as file:
        file.write(b"cut off")
    again = TargetFile(tmp_path, "train", SIDE, "x")
    make_targets(again, pictures, explain)
    assert seen == [(SIDE, SIDE, 3)] * 4
    assert TargetFile.opened(tmp_path, "train").names == [path.name for path in pictures]
    assert again.maps().shape == (4, SIDE, SIDE)
    examples = load_examples(again, pictures_of(scenes, "train", 6))
    assert [one.name for one in examples] == [path.name for path in pictures]
    square = np.asarray(Image.open(pictures[3]).resize((SIDE, SIDE), Image.Resampling.BOX))
    np.testing.assert_allclose(examples[3].relevance, a_glow(square) * SIDE**2, atol=0.3)


def test_maps_of_another_network_are_thrown_away(scenes, tmp_path):
    make_targets(TargetFile(tmp_path, "val", SIDE, "x"), pictures_of(scenes, "val", 2), a_glow)
    other = TargetFile(tmp_path, "val", SIDE, "y")
    assert other.names == []
    make_targets(other, pictures_of(scenes, "val", 1), lambda square: np.zeros((SIDE, SIDE), np.float32))
    assert float(np.abs(other.maps()).max()) == 0.0
    assert json.loads((tmp_path / "xrai_val.json").read_text())["explained"] == "y"


def test_boxes_lie_on_the_square_that_is_painted(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / "val" / name).mkdir(parents=True)
    pixels = np.full((100, 200, 3), 13, np.uint8)
    pixels[20:60, 50:150] = 200
    Image.fromarray(pixels).save(tmp_path / "val" / "images" / "photo_a.jpg")
    (tmp_path / "val" / "labels" / "photo_a.txt").write_text("0 0.5 0.4 0.5 0.4\n")
    pictures = pictures_of(tmp_path, "val", 5)
    file = TargetFile(tmp_path, "val", SIDE, "x")
    make_targets(file, pictures, a_glow)
    (one,) = load_examples(file, pictures)
    rows, columns = np.nonzero(one.picture.mean(axis=2) > 110)
    extent = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
    np.testing.assert_allclose(one.boxes, [extent], atol=1.0)


def test_without_pictures_or_maps_it_says_what_to_do(tmp_path, scenes):
    with pytest.raises(SystemExit, match="--draw"):
        main(["--scenes", str(tmp_path)])
    with pytest.raises(SystemExit, match="--targets"):
        main(["--scenes", str(scenes), "--work", str(tmp_path)])


def test_the_middle_is_where_xrai_is_boxed_best():
    # Objects of very different heat, and a warm spot on an empty picture that is none.
    examples = [
        an_example((40, 40, 90, 80), hot=30.0),
        an_example((100, 100, 200, 220), hot=300.0, name="b.jpg"),
        an_example(name="c.jpg"),
    ]
    examples[2].relevance[50:70, 50:70] = 3.0
    middle, f1 = best_middle(examples)
    assert f1 == 1.0
    assert 3.0 < middle <= 30.0
    assert examples[0].target(middle)[60, 60] >= 0.5
    assert examples[2].target(middle).max() < 0.5


def test_limits_leave_empty_frames_alone():
    rng, examples, painted = np.random.default_rng(0), [], []
    for n in range(60):
        x, y = rng.integers(20, 150, 2)
        levels = np.full((256, 256), 0.05, np.float32)
        if n % 3:
            examples.append(an_example((x, y, x + 60, y + 50)))
            levels[y : y + 50, x : x + 60] = 0.75
        else:
            examples.append(an_example())
            levels[y : y + 8, x : x + 8] = 0.72  # what looks hot but is small
        painted.append(levels)
    limits = choose_limits(painted, examples)
    assert limits.f1 > 0.98
    assert limits.empty_boxed <= 0.05
    a_true, a_false = (
        confidences(regions(painted[n], limits.map_threshold), limits.calibration) for n in (1, 0)
    )
    assert a_true[0] > limits.confidence
    assert not len(a_false) or a_false[0] < limits.confidence


def test_boxes_of_what_is_hidden_are_neither_hit_nor_miss():
    levels = np.full((256, 256), 0.05, np.float32)
    levels[40:90, 30:90] = levels[150:200, 150:210] = 0.75
    true, faint = (30, 40, 90, 90), (150, 150, 210, 200)
    assert choose_limits([levels] * 9, [an_example(true)] * 9).precision == 0.5
    seen = choose_limits([levels] * 9, [an_example(true, hidden=[faint])] * 9)
    assert (seen.precision, seen.recall) == (1.0, 1.0)
    assert np.isnan(choose_limits([levels], [an_example(hidden=[faint])]).empty_boxed)


def test_confidence_is_the_frequency_of_hits():
    rng = np.random.default_rng(1)
    given = np.column_stack([np.ones(4000), rng.normal(size=(4000, 2))])
    chance = 1.0 / (1.0 + np.exp(-(given @ [-0.5, 1.5, -0.7])))
    fitted = fit_logistic(given, rng.random(4000) < chance)
    np.testing.assert_allclose(fitted, [-0.5, 1.5, -0.7], atol=0.15)
    assert np.isfinite(fit_logistic(given, np.ones(4000, bool))).all()
    assert fit_logistic(np.empty((0, 3)), np.empty(0, bool)).tolist() == [0.0, 0.0, 0.0]


def test_painting_what_xrai_shows_beats_the_trivial_maps():
    examples = [an_example((40, 40, 90, 80)), an_example((100, 100, 200, 220), name="b.jpg")]
    targets = [one.target(10.0) for one in examples]
    like = likeness_to_xrai(targets, examples, 10.0)
    assert like["painted"].psnr_db == 60.0
    assert like["painted"].top_20_iou == 1.0
    for null in ("copied input", "mean of the others"):
        assert like[null].psnr_db < 30.0
        assert like[null].ssim < like["painted"].ssim


def test_the_critic_sees_patches_of_seventy_pixels():
    critic = Critic(8).eval()
    given = torch.rand(1, 3, 256, 256, requires_grad=True)
    judged = critic(given, torch.rand(1, 1, 256, 256))
    assert judged.shape == (1, 1, 30, 30)
    for module in critic.modules():  # groups of channels are normalised over the whole picture
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x
    critic(given, torch.zeros(1, 1, 256, 256))[0, 0, 15, 15].backward()
    reached = given.grad[0].abs().sum(0) > 0
    assert int(reached.any(0).sum()) == int(reached.any(1).sum()) == 70


def test_maps_turn_with_their_pictures():
    one = an_example((200, 10, 250, 30))
    rng = np.random.default_rng(0)
    corners = set()
    for _ in range(40):
        pictures, targets = batch_of(rng, [one], 10.0, 128)
        hot = targets[0, 0] > 0.5
        lit = pictures[0].mean(0) > float(pictures[0].mean()) + 0.3
        assert float((hot & lit).sum()) > 0.9 * float((hot | lit).sum())
        corners.add(tuple(torch.nonzero(hot).float().mean(0).round().int().tolist()))
    assert len(corners) == 8


def test_eight_turnings_differ_and_shaking_keeps_what_is_there():
    array = np.arange(6).reshape(2, 3)
    assert (
        len({turned(array, quarter, mirrored).tobytes() for quarter in range(4) for mirrored in (0, 1)}) == 8
    )
    picture = an_example((40, 40, 90, 80)).picture
    for seed in range(20):
        rng = np.random.default_rng(seed)
        other = shaken(rng, picture)
        assert other[60, 60].mean() > other[200, 200].mean() + 40


def a_trainer(folder, minutes, *sizes):
    return Trainer(
        dso_pix2pix._options(["--work", str(folder), "--minutes", str(minutes), "--device", "cpu", *sizes])
    )


TINY = ("--width", "4", "--depth", "3", "--critic-width", "4")


def test_the_critic_enters_after_the_warm_up_and_learning_goes_on_from_a_checkpoint(tmp_path):
    trainer = a_trainer(tmp_path, 1.0, *TINY)
    given = batch_of(np.random.default_rng(0), [an_example((40, 40, 90, 80))] * 2, 10.0, 64)
    assert set(learn(trainer, given)) == {"L1", "cross entropy"}
    assert trainer.optimiser.param_groups[0]["lr"] == 1e-3
    trainer.seconds = 40.0
    before = [p.clone() for p in trainer.critic.parameters()]
    assert set(learn(trainer, given)) == {"L1", "cross entropy", "critic", "fooling"}
    for optimiser in (trainer.optimiser, trainer.of_critic):
        assert optimiser.param_groups[0]["lr"] == pytest.approx(2e-4 * 2.0 / 3.0, rel=0.01)
    assert any(not torch.equal(a, b) for a, b in zip(before, trainer.critic.parameters(), strict=True))
    trainer.keep()
    again = a_trainer(tmp_path, 1.0, *TINY)
    assert again.step == 0
    again.resume()
    assert (again.step, again.seconds) == (2, trainer.seconds)
    assert learn(again, given) == pytest.approx(learn(trainer, given))


def test_it_learns_to_paint(tmp_path):
    torch.manual_seed(0)
    examples = [an_example((20, 20, 120, 100)), an_example((120, 140, 230, 220), name="b.jpg")]
    trainer, rng = a_trainer(tmp_path, 1e3, "--width", "8", "--depth", "4"), np.random.default_rng(0)
    losses = [learn(trainer, batch_of(rng, examples, 10.0, 64))["L1"] for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.35 * losses[0]


def test_a_run_explains_trains_writes_its_card_and_is_ready(scenes, explained, tmp_path, weights_folder):
    common = ["--scenes", str(scenes), "--work", str(tmp_path / "work"), "--weights", str(weights_folder)]
    common += ["--pictures", "6", "--val-pictures", "4", "--device", "cpu"]
    assert main([*common, "--targets"]) == 0
    assert not are_present("dso_pix2pix")
    small = ["--minutes", "0.02", "--batch", "2", "--side", "64", "--width", "4", "--depth", "3"]
    assert main([*common, *small, "--critic-width", "4"]) == 0
    card = read_card("dso_pix2pix")
    assert card.labels == ("object",)
    assert card.extra["xrai_middle"] > 0
    assert 0.0 < card.extra["map_threshold"] < 1.0
    assert len(card.extra["calibration"]) == 3
    for of in ("painted", "copied input", "mean of the others"):
        assert f"validation PSNR (dB) with XRAI, {of}" in card.scores
    assert "validation F1 at IoU 0.5 without classes, XRAI's own maps" in card.scores
    assert str(tmp_path) not in (weights_folder / "dso_pix2pix.json").read_text()
    assert METHOD.run(shown(a_sky(96))).maps["painted XRAI"].shape == (256, 256)
    steps = card.extra["steps"]
    assert main([*common, *small, "--critic-width", "4", "--resume"]) == 0
    assert read_card("dso_pix2pix").extra["steps"] == steps  # the time was over
    assert main([*common, "--score"]) == 0
    assert read_card("dso_pix2pix").scores == card.scores
