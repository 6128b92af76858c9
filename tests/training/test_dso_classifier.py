"""Training the classifier: views are what they say, a killed run goes on, and what is measured is right."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from core.dso.classifier import looked_at, threshold
from core.models import LockedNetwork, read_card
from tests.dso.networks import SeesBrightness, card_of_classifier
from training import dso_classifier, dso_classifier_choose
from training.dso_classifier import main, masked_loss, stage_at, stages, views
from training.dso_classifier_scores import (
    auroc,
    calibration_error,
    chance,
    chosen_threshold,
    fitted_calibration,
)
from training.dso_views import (
    LEAST_SHOWN_PX,
    Pictures,
    Window,
    draw_view,
    draw_window,
    packed,
    present_in,
    show,
    spoilt,
)


def write_scene(folder, name, boxes, side=160):
    """A dark picture with bright squares where the boxes are; class 1."""
    pixels = np.random.default_rng(len(boxes)).integers(5, 20, (side, side, 3)).astype(np.uint8)
    lines = []
    for x0, y0, x1, y1 in boxes:
        pixels[y0:y1, x0:x1] = 220
        middle = ((x0 + x1) / 2 / side, (y0 + y1) / 2 / side)
        lines.append(f"1 {middle[0]} {middle[1]} {(x1 - x0) / side} {(y1 - y0) / side}\n")
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / "labels" / f"{name}.txt").write_text("".join(lines))
    path = folder / "images" / f"{name}.jpg"
    Image.fromarray(pixels).save(path, quality=95)
    return path


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Scenes with one square, two, and none."""
    folder = tmp_path_factory.mktemp("scenes")
    for split, n_scenes in (("train", 8), ("val", 9)):
        for number in range(n_scenes):
            boxes = [[], [(20, 30, 70, 90)], [(10, 10, 50, 50), (90, 100, 140, 150)]][number % 3]
            write_scene(folder / split, f"scene_{number:06d}", boxes)
    return folder


@pytest.fixture(scope="module")
def pictures(work):
    return packed(work, "train", sorted((work / "train" / "images").glob("*.jpg")))


class Tiny(nn.Module):
    """Four numbers of a view, from the mean and the brightest of it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, 2, bias=False), nn.BatchNorm2d(8)
        self.last = nn.Linear(16, 4)

    def forward(self, x):
        x = self.norm(self.conv(x)).relu()
        return self.last(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))


@pytest.fixture
def tiny(monkeypatch):
    """Train and load a tiny network in place of the ResNet."""
    monkeypatch.setattr("core.dso.classifier.build", Tiny)
    monkeypatch.setattr(dso_classifier, "build", Tiny)


def test_pictures_are_packed_once_and_again_when_they_change(work, pictures, monkeypatch):
    files = sorted((work / "train" / "images").glob("*.jpg"))
    assert pictures.fine.shape == (8, 640, 640, 3)
    assert pictures.sizes.tolist() == [[160, 160]] * 8
    assert pictures.is_empty.tolist() == [True, False, False] * 2 + [True, False]
    np.testing.assert_allclose(pictures.boxes[1], [[20, 30, 70, 90]], atol=1e-3)
    assert abs(int(pictures.fine[1, 60, 45, 0]) - 220) < 12
    assert pictures.fine[1, 200, 200].max() == 0

    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr("training.dso_views._decode", refuse)
    packed(work, "train", files)
    with pytest.raises(AssertionError, match="decoded again"):
        packed(work, "train", files[:3])


@pytest.mark.parametrize(
    ("window", "shown_px", "present", "known"),
    [
        ((0.0, 0.0, 160.0), 96, 1, 1),  # all of it
        ((100.0, 100.0, 50.0), 96, 0, 1),  # none of it
        ((30.0, 40.0, 30.0), 96, 1, 1),  # a part that fills the window
        ((60.0, 30.0, 90.0), 96, 0, 0),  # a fifth of it: open
        ((69.5, 80.0, 60.0), 96, 0, 1),  # a sliver
        ((0.0, 0.0, 160.0), 16, 0, 0),  # too small to be seen
    ],
)
def test_what_a_window_shows_is_present_open_or_absent(pictures, window, shown_px, present, known):
    found, sure = present_in(pictures, Window(1, *window), shown_px)
    assert (found[0], sure[0]) == (present, known)
    assert (found[2], sure[2]) == (present, known)  # the nebula
    assert (found[1], sure[1]) == (found[3], sure[3]) == (0, 1)


def test_what_a_photograph_does_not_list_is_open():
    fine = np.zeros((1, 640, 640, 3), np.uint8)
    photograph = Pictures(
        fine, fine[:, ::2, ::2], np.array([[640, 640]]), (np.array([[0.0, 0, 100, 100]]),), (np.array([0]),),
        (np.empty((0, 4)),), np.array([True]), ("photo.jpg",),
    )  # fmt: skip
    assert present_in(photograph, Window(0, 300.0, 300.0, 200.0), 96)[1].tolist() == [0, 0, 0, 0]
    assert present_in(photograph, Window(0, 0.0, 0.0, 200.0), 96)[1].tolist() == [1, 1, 1, 1]


def test_what_a_scene_hides_is_open_and_its_frame_not_empty():
    fine = np.zeros((2, 640, 640, 3), np.uint8)
    none, galaxy, faint = np.empty((0, 4)), np.array([[0.0, 0, 100, 100]]), np.array([[300.0, 300, 400, 400]])
    labels, sizes = (np.empty(0, int), np.array([0])), np.array([[640, 640]] * 2)
    scenes = Pictures(
        fine, fine[:, ::2, ::2], sizes, (none, galaxy), labels, (faint, faint), np.zeros(2, bool), ("a", "b")
    )
    assert scenes.is_empty.tolist() == [False, False]
    assert scenes.has_objects.tolist() == [False, True]
    assert present_in(scenes, Window(0, 300.0, 300.0, 200.0), 96)[1].tolist() == [0, 0, 0, 0]
    assert present_in(scenes, Window(0, 0.0, 0.0, 200.0), 96)[1].tolist() == [1, 1, 1, 1]
    present, known = present_in(scenes, Window(1, 0.0, 0.0, 640.0), 96)
    assert present.tolist() == known.tolist() == [1, 1, 0, 0]
    rng = np.random.default_rng(0)
    assert {draw_window(rng, scenes, 96, nothing=False).picture for _ in range(20)} == {1}


def test_windows_lie_on_the_picture_and_show_what_was_asked_for(pictures):
    rng = np.random.default_rng(0)
    right = 0
    for nothing in [True, False] * 60:
        window = draw_window(rng, pictures, 64, nothing)
        assert window.x >= 0
        assert window.y >= 0
        assert max(window.x, window.y) + window.side <= 160.0 + 1e-6
        present, known = present_in(pictures, window, 64)
        right += bool(known[0]) and bool(present[0]) != nothing
    assert right >= 117


def test_half_of_the_views_hold_nothing(pictures):
    rng = np.random.default_rng(1)
    views = [draw_view(rng, pictures, 48) for _ in range(200)]
    assert {view.pixels.shape for view in views} == {(48, 48, 3)}
    assert 0.4 < np.mean([view.present[0] for view in views]) < 0.6


def test_windows_are_shown_where_they_are(pictures):
    shown = show(pictures, Window(1, 20.0, 30.0, 40.0), 64)
    assert shown.shape == (64, 64, 3)
    assert shown.min() > 190
    whole = show(pictures, Window(1, 0.0, 0.0, 160.0), 64)
    assert whole[24, 18, 0] > 200
    assert whole[50, 50, 0] < 40


def test_spoiling_keeps_what_is_bright_bright():
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16] = 180
    for seed in range(30):
        levels = np.sort(spoilt(np.random.default_rng(seed), pixels).mean(axis=2), axis=None)
        assert levels[-400:].mean() > levels[:400].mean() + 50


def test_stages_follow_the_plan():
    plan = stages("96:0.5,160:0.25,224:0.25")
    assert [(stage.side_px, stage.until) for stage in plan] == [(96, 0.5), (160, 0.75), (224, 1.0)]
    assert [stage_at(plan, done).side_px for done in (0.0, 0.49, 0.5, 0.8, 1.2)] == [96, 96, 160, 224, 224]


def test_views_come_at_the_side_that_is_asked_for(pictures):
    trainer = SimpleNamespace(side_px=32)
    batches = views(trainer, pictures, 2, seed=[0])
    assert [view.pixels.shape[0] for view in next(batches)] == [32, 32]
    trainer.side_px = 40
    assert [view.pixels.shape[0] for view in next(batches)] == [40, 40]


def test_what_is_open_does_not_count():
    logits = torch.tensor([[3.0, -3.0, 0.0, 0.0]], requires_grad=True)
    present, known = torch.tensor([[1.0, 1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    loss = masked_loss(logits, present, known)
    expected = (1.5 * np.log1p(np.exp(-3.0)) + np.log(2.0)) / 2.5
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert logits.grad[0, 1:3].tolist() == [0.0, 0.0]


def test_it_learns_is_killed_goes_on_and_is_judged(work, tiny, tmp_path, capsys):
    weights = tmp_path / "weights"
    common = ["--work", str(work), "--weights", str(weights), "--scenes", "8", "--val-scenes", "9"]
    common += ["--plan", "32:0.5,48:0.5", "--batch", "8", "--rate", "0.01", "--views", "40"]
    state = work / "classifier" / "checkpoint.pt"
    assert main([*common, "--minutes", "0.005", "--fresh"]) == 0
    first = torch.load(state, weights_only=True)
    minutes = first["seconds"] / 60.0 + 0.005
    assert main([*common, "--minutes", str(minutes)]) == 0
    second = torch.load(state, weights_only=True)
    assert second["step"] > first["step"] > 0
    assert second["seconds"] >= minutes * 60.0
    card = read_card("dso_classifier")
    assert card.precision == "int8"
    assert np.shape(card.extra["calibration"]) == (4, 2)
    assert 0.5 <= threshold() <= 1.0
    assert {"accuracy of views, any object", "area under the ROC curve of views, nebula"} <= set(card.scores)
    assert "accuracy lost by keeping the weights as bytes" in card.scores
    before = card.scores["accuracy of views, any object"]
    assert main([*common, "--score"]) == 0
    again = read_card("dso_classifier").scores["accuracy of views, any object"]
    assert again.value == pytest.approx(before.value, abs=0.06)
    capsys.readouterr()


def test_only_matrices_decay_and_views_grow_with_the_time(tiny, tmp_path):
    trainer = dso_classifier.Trainer(
        dso_classifier._options(
            ["--work", str(tmp_path), "--device", "cpu", "--plan", "32:0.5,48:0.5", "--minutes", "1"]
        )
    )
    decays = {p: group["weight_decay"] for group in trainer.optimiser.param_groups for p in group["params"]}
    assert {name: decays[p] for name, p in trainer.network.named_parameters()} == {
        "conv.weight": 0.05, "last.weight": 0.05, "norm.weight": 0.0, "norm.bias": 0.0, "last.bias": 0.0
    }  # fmt: skip
    assert trainer.side_px == 32
    trainer.seconds = 40.0
    assert trainer.side_px == 48


@pytest.fixture(autouse=True)
def own_weights(monkeypatch, tmp_path):
    """``main`` names its folder of weights in the environment: forget that afterwards."""
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))


def test_calibration_undoes_overconfidence_and_bias():
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, 20_000)
    truth = rng.random(20_000) < 1.0 / (1.0 + np.exp(-logits))
    said = 3.0 * logits + 2.0
    found = fitted_calibration(said, truth)
    assert found == pytest.approx((1 / 3, -2 / 3), rel=0.06)
    assert calibration_error(chance(said, found), truth) < 0.01
    assert calibration_error(chance(said, (1.0, 0.0)), truth) > 0.08
    assert fitted_calibration(said, np.ones(len(said), bool)) == (1.0, 0.0)


def test_ranking_counts_ties_as_half():
    assert auroc(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])) == 1.0
    assert auroc(np.array([0.5, 0.5]), np.array([False, True])) == 0.5
    assert np.isnan(auroc(np.array([0.5]), np.array([True])))


def test_the_threshold_lets_one_empty_frame_in_twenty_through():
    empty = np.linspace(0.0, 0.9, 100)
    cut, named = chosen_threshold(empty, np.array([0.7, 0.89, 0.99]))
    assert np.sum(empty > cut) == 5
    assert named["frames with objects said to hold something"] == pytest.approx(2 / 3)
    assert named["empty frames said to hold something, by the other half's threshold"] <= 0.06
    assert chosen_threshold(np.empty(0), np.empty(0)) == (0.5, {})
    assert chosen_threshold(np.full(30, 0.01), np.empty(0))[0] == 0.5


def test_the_choice_of_settings_stands_in_the_card(work, tmp_path, monkeypatch, capsys):
    card_of_classifier(tmp_path, threshold=0.5)
    network = LockedNetwork(SeesBrightness())
    monkeypatch.setattr(dso_classifier_choose, "classifier", lambda: network)
    few = {"black": ("minimum",), "sky": ("sky",)}
    monkeypatch.setattr(dso_classifier_choose, "BASELINES", few)
    monkeypatch.setattr(dso_classifier_choose, "STEPS", (2,))
    monkeypatch.setattr(dso_classifier_choose, "MANY_STEPS", 6)
    monkeypatch.setattr(dso_classifier_choose, "DETAILS", 0)
    monkeypatch.setattr(dso_classifier_choose, "FEW", 1)
    monkeypatch.setattr(dso_classifier_choose, "THRESHOLDS", (0.3, 0.6))
    monkeypatch.setattr(dso_classifier_choose, "forgotten", lambda *_: 0.1)  # it has nothing to forget
    val = packed(work, "val", sorted((work / "val" / "images").glob("*.jpg")))
    options = SimpleNamespace(choose="all", pictures=2, box_pictures=3, weights=tmp_path)
    dso_classifier_choose.choose(options, val)
    card = read_card("dso_classifier")
    assert card.extra["xrai"]["map_threshold"] in (0.3, 0.6)
    assert card.extra["xrai"]["steps"] == 2
    assert card.extra["xrai"]["baseline"] in few
    assert card.extra["threshold"] == 0.5
    found = {name: score.value for name, score in card.scores.items()}
    assert found["F1 of boxes at IoU 0.3, without class"] > 0.5
    assert found[f"pointing game, {card.extra['xrai']['baseline']}"] == 1.0
    # Boxes alone are chosen anew: the rest stays, and so do its figures and their commands.
    monkeypatch.setattr(dso_classifier_choose, "THRESHOLDS", (0.5,))
    options.choose = "boxes"
    dso_classifier_choose.choose(options, val)
    again = read_card("dso_classifier")
    assert again.extra["xrai"] == {**card.extra["xrai"], "map_threshold": 0.5}
    assert again.scores.keys() == card.scores.keys()
    assert again.scores["F1 of boxes at IoU 0.3, without class"].command.endswith("--choose boxes")
    pointing = f"pointing game, {card.extra['xrai']['baseline']}"
    assert again.scores[pointing] == card.scores[pointing]
    capsys.readouterr()


def test_scenes_of_the_tests_are_seen_at_all(work, tmp_path):
    card_of_classifier(tmp_path)
    network = LockedNetwork(SeesBrightness())
    val = packed(work, "val", sorted((work / "val" / "images").glob("*.jpg")))
    chances = [
        looked_at(network, dso_classifier_choose.whole(val, row), dso_classifier_choose.squares(160, 160))
        for row in range(3)
    ]
    assert [bool(one[0, 0] > 0.5) for one in chances] == [False, True, True]
    assert LEAST_SHOWN_PX < 50 * 96 / 160
