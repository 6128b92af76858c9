import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from core.models import check_weights, read_card
from core.surfaces.classify import WEIGHTS
from core.surfaces.kinds import CRATER, LANDFORMS, LINES, SEGMENTS
from training.surface_patches import Patch
from training.surface_scenes import SceneFacts
from training.surface_truth import TrueCrater, lay_craters
from training.surfaces_classifier import as_tensors, begin, main, surely


def test_it_begins_with_imagenets_features():
    torch.manual_seed(0)
    network = begin().eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert logits.shape == (2, len(LANDFORMS))
    assert logits.abs().max() < 3.0
    assert network._conv_stem.weight.abs().max() > 0.5  # what was learned, not what is drawn at first


def test_patches_become_pictures_and_numbers():
    pictures, labels = as_tensors([Patch(np.full((224, 224), 255, np.uint8), "ridge")], torch.device("cpu"))
    assert pictures.shape == (1, 3, 224, 224)
    assert pictures.max() == 1.0
    assert LANDFORMS[int(labels[0])] == "ridge"


def test_what_it_is_sure_of():
    logits = np.array([[9, 0, 0, 0], [0, 9, 0, 0], [1, 0, 0, 0]], np.float32)
    sure, right = surely(logits, np.array([0, 2, 0]), 1.0)
    assert (sure, right) == (pytest.approx(2 / 3), 0.5)
    assert np.isnan(surely(logits[2:], np.array([0]), 1.0)[1])


FACTS = SceneFacts("optical", "plateau", 0.5, 90.0, 60.0, 2.0)


def some_scenes(folder, side=256):
    """A scene of each landform, as drawn scenes are kept."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, label in enumerate(LANDFORMS):
        path = folder / f"scene_{number:06d}.json"
        classes = np.zeros((side, side), np.uint8)
        if label in LINES:
            classes[:, side // 2 - 4 : side // 2 + 4] = SEGMENTS.index(label)
        craters = [TrueCrater(128.0, 128.0, 40.0, 40.0)] if label == CRATER else []
        lay_craters(classes, craters, 4.0)
        Image.fromarray(rng.integers(60, 200, (side, side)).astype(np.uint8)).save(path.with_suffix(".png"))
        Image.fromarray(classes).save(path.with_suffix(".classes.png"))
        known = {"craters": [one.as_dict() for one in craters], "facts": dataclasses.asdict(FACTS)}
        path.write_text(json.dumps(known), encoding="utf-8")


def test_the_command_trains_calibrates_and_measures(tmp_path, monkeypatch):
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path / "weights"))
    for split in ("train", "val", "test"):
        some_scenes(tmp_path / "work" / "scenes" / split)
    arguments = [
        *("--work", str(tmp_path / "work"), "--weights", str(tmp_path / "weights")),
        *("--scenes", "4", "--val-scenes", "4", "--test-scenes", "4", "--side", "256", "--workers", "1"),
        *("--minutes", "0.02", "--batch", "2", "--device", "cpu"),
    ]
    assert main(arguments) == 0
    check_weights(WEIGHTS)
    card = read_card(WEIGHTS)
    assert card.labels == LANDFORMS
    assert card.extra["temperature"] > 0.0
    assert "test patches, accuracy of places" in card.scores
    assert main([*arguments, "--score"]) == 0
