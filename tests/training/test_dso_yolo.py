"""Training the detector: what is drawn is read back, figures are what they say, and a killed run goes on."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.dso.boxes import Found
from core.models import check_weights, read_card
from training.dso_yolo import Clock, main
from training.dso_yolo_data import (
    CLOSE_UP_PX,
    SIDE_PX,
    Labelled,
    close_up_of,
    draw_close_ups,
    draw_split,
    read_labelled,
    write_yaml,
)
from training.dso_yolo_scores import hits_of, scores_of


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A data set of a few simulated scenes."""
    folder = tmp_path_factory.mktemp("yolo")
    draw_split(folder, None, "train", 4)
    draw_split(folder, None, "val", 3)
    return folder


def test_what_is_there_is_not_drawn_again(work, monkeypatch):
    def refuse(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr("training.dso_yolo_data.draw_dso_scene", refuse)
    pictures = draw_split(work, None, "train", 4)
    assert [path.name for path in pictures] == [f"scene_{number:06d}.jpg" for number in range(4)]
    with pytest.raises(AssertionError, match="drawn again"):
        draw_split(work, None, "train", 5)


def test_boxes_are_read_back_as_they_were_drawn(work):
    from training.dso_cutouts import NO_OBJECTS
    from training.dso_scenes import draw_dso_scene

    for number in range(4):
        scene = draw_dso_scene(number, NO_OBJECTS, 640, "train")
        one = read_labelled(work / "train" / "images" / f"scene_{number:06d}.jpg")
        np.testing.assert_allclose(one.boxes, scene.boxes, atol=0.01)
        assert one.labels.tolist() == scene.labels.tolist()
        np.testing.assert_allclose(one.hidden, scene.hidden, atol=0.01)
        assert np.abs(one.pixels().astype(int) - scene.picture).mean() < 2.0
        assert not one.is_photograph


def test_a_picture_half_written_is_drawn_again(work, tmp_path):
    draw_split(tmp_path, None, "val", 1)
    image = tmp_path / "val" / "images" / "scene_000000.jpg"
    first = image.read_bytes()
    image.unlink()
    (tmp_path / "val" / "scene_000000.1.part").write_bytes(first[:100])
    draw_split(tmp_path, None, "val", 1)
    assert image.read_bytes() == first


def test_the_file_for_ultralytics_names_every_picture(work):
    train, val = draw_split(work, None, "train", 4), draw_split(work, None, "val", 3)
    text = write_yaml(work, train, val).read_text()
    assert "0: galaxy\n  1: nebula\n  2: cluster" in text
    assert (work / "train.txt").read_text().splitlines() == [str(path.resolve()) for path in train]


def test_a_close_up_shows_its_scene_as_it_is(work):
    scenes = draw_split(work, None, "train", 4)
    close_ups = draw_close_ups(scenes)
    assert [path.name for path in close_ups] == [f"close_{number:06d}.jpg" for number in range(4)]
    n_boxes = 0
    for number, (scene, close_up) in enumerate(zip(scenes, close_ups, strict=True)):
        whole, part = read_labelled(scene), read_labelled(close_up)
        x, y, side, boxes, labels = close_up_of(whole, number)
        picture = whole.pixels()[y : y + side, x : x + side]
        assert np.abs(part.pixels().astype(int) - picture).mean() < 1.0
        np.testing.assert_allclose(part.boxes, boxes, atol=0.01)
        assert part.labels.tolist() == labels.tolist()
        assert not part.is_photograph
        n_boxes += len(boxes)
    assert n_boxes > 0
    before = [path.stat().st_mtime_ns for path in close_ups]
    assert [path.stat().st_mtime_ns for path in draw_close_ups(scenes)] == before


@pytest.mark.parametrize("seed", range(20))
def test_close_ups_keep_what_is_large_and_whole(tmp_path, seed):
    whole = a_truth(tmp_path, (100, 120, 118, 134, 0), (-0.5, -0.5, 639.5, 639.5, 1), (600, 20, 612, 30, 2))
    x, y, side, boxes, labels = close_up_of(whole, seed)
    assert x % 8 == y % 8 == side % 8 == 0
    assert CLOSE_UP_PX[0] <= side <= CLOSE_UP_PX[1]
    assert min(x, y) >= 0
    assert max(x, y) <= SIDE_PX - side
    covering = boxes[labels == 1]
    np.testing.assert_allclose(covering, [[-0.5, -0.5, side - 0.5, side - 0.5]])
    for box, label in zip(boxes, labels, strict=True):
        if label != 1:
            true = whole.boxes[whole.labels == label][0]
            left = np.prod(box[2:] - box[:2]) / np.prod(true[2:] - true[:2])
            assert left >= 0.35
            inside = np.clip(true - [x, y, x, y], -0.5, side - 0.5)
            np.testing.assert_allclose(box, inside)


def a_truth(path, *rows):
    """A labelled picture; rows of x_min, y_min, x_max, y_max, class."""
    array = np.array(rows, float).reshape(-1, 5)
    return Labelled(path, array[:, :4], array[:, 4].astype(int))


def a_find(*rows):
    """Rows of x_min, y_min, x_max, y_max, class, score."""
    array = np.array(rows, float).reshape(-1, 6)
    return Found(array[:, :4], array[:, 5], array[:, 4].astype(int), np.zeros(len(array), bool))


def test_a_box_of_another_class_is_no_hit(tmp_path):
    truth = a_truth(tmp_path, (0, 0, 10, 10, 0), (20, 20, 30, 30, 1))
    found = a_find((0, 0, 10, 10, 1, 0.9), (20, 20, 30, 31, 1, 0.5), (20, 20, 30, 30, 1, 0.4))
    assert hits_of(truth, found).tolist() == [False, True, False]


def test_perfect_boxes_score_one(tmp_path):
    truth = [a_truth(tmp_path / "photo_a.jpg", (0, 0, 10, 10, 0), (20, 20, 30, 30, 2)), a_truth(tmp_path)]
    found = [a_find((0, 0, 10, 10, 0, 0.9), (20, 20, 30, 30, 2, 0.8)), a_find()]
    scores = scores_of(truth, found)
    assert (scores.map50, scores.map50_95, scores.f1, scores.f1_photographs) == (1.0, 1.0, 1.0, 1.0)
    assert scores.false_on_empty == 0.0
    assert scores.by_label["cluster"] == 1.0
    assert np.isnan(scores.by_label["nebula"])
    assert scores.n_empty == 1


def test_figures_are_those_worked_out_by_hand(tmp_path):
    truth = [a_truth(tmp_path, (0, 0, 10, 10, 0), (20, 20, 30, 30, 0), (50, 50, 60, 60, 0))]
    found = [a_find((0, 0, 10, 10, 0, 0.9), (80, 80, 90, 90, 0, 0.8), (20, 20, 30, 30, 0, 0.7))]
    scores = scores_of(truth, found)
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert scores.map50 == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
    assert scores.confidence < 0.7


def test_the_threshold_keeps_empty_frames_empty(tmp_path):
    truth = [a_truth(tmp_path, (0, 0, 10, 10, 0), (20, 20, 30, 30, 0)), *[a_truth(tmp_path)] * 10]
    found = [a_find((0, 0, 10, 10, 0, 0.9), (20, 20, 30, 30, 0, 0.5)), *[a_find((0, 0, 5, 5, 1, 0.6))] * 10]
    scores = scores_of(truth, found)
    assert 0.6 < scores.confidence < 0.9
    assert scores.false_on_empty == 0.0
    assert scores.recall == 0.5


def test_what_is_hidden_is_neither_hit_nor_false(tmp_path):
    hidden = np.array([[50, 50, 90, 90]], float)
    full = replace(a_truth(tmp_path, (0, 0, 10, 10, 0)), hidden=hidden)
    only_hidden, empty = replace(a_truth(tmp_path), hidden=hidden), a_truth(tmp_path)
    assert [one.is_empty for one in (full, only_hidden, empty)] == [False, False, True]
    boxes = a_find((0, 0, 10, 10, 0, 0.6), (50, 50, 90, 92, 1, 0.9))
    scores = scores_of([full, only_hidden, empty], [boxes, boxes.at(np.array([1])), a_find()])
    assert (scores.precision, scores.recall, scores.false_on_empty) == (1.0, 1.0, 0.0)
    assert scores.n_empty == 1


def test_nothing_found_is_scored_too(tmp_path):
    scores = scores_of([a_truth(tmp_path, (0, 0, 10, 10, 0))], [a_find()])
    assert (scores.f1, scores.map50, scores.recall) == (0.0, 0.0, 0.0)


def a_trainer(epoch, epochs):
    trainer = SimpleNamespace(epoch=epoch, epochs=epochs, start_epoch=0, stop=False, rescheduled=False)
    trainer.args, trainer.scheduler = SimpleNamespace(epochs=epochs, close_mosaic=3), SimpleNamespace()
    trainer._setup_scheduler = lambda: setattr(trainer, "rescheduled", True)
    return trainer


def test_the_clock_plans_the_epochs_that_fit(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("training.dso_yolo.time.monotonic", lambda: now[0])
    clock, trainer = Clock(tmp_path / "progress.json", 60.0, fresh=True), a_trainer(1, 100)
    clock.start(trainer)
    now[0] = 60.0 * 20.0  # two epochs of ten minutes
    clock.plan(trainer)
    assert trainer.epochs == trainer.args.epochs == 6
    assert trainer.rescheduled
    clock.keep(trainer)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"minutes": 20.0, "finished": False}
    again = Clock(tmp_path / "progress.json", 60.0, fresh=False)
    assert again.minutes == 20.0
    now[0] += 60.0 * 50.0
    again.tick(trainer)
    assert trainer.stop


def test_without_a_limit_the_clock_only_counts(tmp_path):
    clock, trainer = Clock(tmp_path / "progress.json", None, fresh=True), a_trainer(0, 7)
    clock.plan(trainer)
    clock.tick(trainer)
    assert (trainer.epochs, trainer.stop) == (7, False)


def test_a_run_trains_writes_its_card_and_goes_on(work, tmp_path, monkeypatch):
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path / "weights"))
    common = ["--work", str(work), "--scenes", "4", "--val-scenes", "3", "--side", "64", "--batch", "2"]
    common += ["--epochs", "2", "--device", "cpu", "--amp", "fp32"]
    assert main(common) == 0
    card = read_card("dso_yolo")
    assert check_weights("dso_yolo").precision == "float16"
    assert card.labels == ("galaxy", "nebula", "cluster")
    assert card.n_parameters > 2_000_000
    assert card.minutes >= 0.0
    assert 0.0 < card.extra["confidence"] < 1.1
    assert "validation F1 at IoU 0.5" in card.scores
    assert json.loads((work / "progress.json").read_text())["finished"]
    assert str(work) not in (tmp_path / "weights" / "dso_yolo.json").read_text()
    # A finished run is not trained again, and the same weights are written.
    assert main([*common, "--resume"]) == 0
    assert read_card("dso_yolo").n_parameters == card.n_parameters


def test_photographs_are_part_of_the_data_set(tmp_path, monkeypatch):
    from training.dso_cutouts import NO_OBJECTS, Objects, Photograph

    picture = np.zeros((90, 120, 3), np.uint8)
    picture[20:40, 10:70] = 200
    photograph = Photograph(picture, np.array([[10, 20, 70, 40]], np.float32), np.array([1]), "m1.png")
    objects = Objects(NO_OBJECTS.cutouts, [photograph])
    monkeypatch.setattr("training.dso_yolo_data._objects", lambda data, split: objects)
    (path,) = draw_split(tmp_path, tmp_path, "val", 0)
    one = read_labelled(path)
    assert one.is_photograph
    assert one.pixels().shape == (90, 120, 3)
    np.testing.assert_allclose(one.boxes, [[9.5, 19.5, 69.5, 39.5]], atol=0.01)
