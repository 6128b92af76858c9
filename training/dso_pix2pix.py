"""Train the network of ``dso.pix2pix``: it learns to paint the XRAI maps of the classifier.

``python -m training.dso_pix2pix --targets --pictures 1200 --val-pictures 150`` explains so many pictures of
``.cache/dso/yolo`` (drawn by ``python -m training.dso_yolo --draw``), one after the other; stopped, the same
command goes on. ``python -m training.dso_pix2pix --minutes 30`` then trains, measures, and writes
``weights/dso_pix2pix.safetensors`` and its card; killed, it goes on with ``--resume``. ``--score`` measures
the weights that are there once more and chooses the limits of the boxes anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from core.dso.pix2pix import WEIGHTS
from core.dso.pix2pix_map import explained_map
from core.dso.pix2pix_network import DEPTH, SIDE_PX, WIDTH, Generator, as_input, pix2pix_network
from core.dso.report import WITHOUT_CLASS
from core.models.card import Score, TrainingData, read_card, write_card
from core.models.weights import save_weights
from training.course import Course, device_name, train
from training.dso_pix2pix_data import (
    Example,
    Explain,
    TargetFile,
    load_examples,
    make_targets,
    pictures_of,
)
from training.dso_pix2pix_scores import Limits, best_middle, choose_limits, likeness_to_xrai
from training.options import parser_of, started

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

RATE, MOMENTS = 2e-4, (0.5, 0.999)
"""Of Isola et al. 2017."""
WEIGHTS_OF_LOSSES = {"L1": 100.0, "cross entropy": 100.0, "fooling": 1.0}
"""Theirs, and the second: maps are mostly dark, and by L1 alone the network painted all dark for long."""
WARM_UP, WARM_UP_RATE = 0.3, 1e-3
"""Part of the time without the critic: at first it would only tell that nothing is painted yet."""
FALL_FROM = 0.5
"""Part of the time from which the rate falls, to nothing at the end."""
LIMITS = (
    "It paints what the explanation of a classifier would show, with the mistakes of both.",
    "It tells no classes: a region is an object or nothing.",
    "It sees windows of 640 px on 256 px: what is smaller than about 10 px is mostly lost.",
    "Objects whose light runs together get one box.",
    "Trained on composed scenes: real frames have faults it has never seen.",
)


class Critic(nn.Module):
    """Tells XRAI's maps from painted ones, patch by patch: the 70 × 70 PatchGAN of Isola et al. 2017.

    Args:
        width: Channels of the first layer.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(4, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for c_in, c_out, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            layers += [
                nn.Conv2d(c_in * width, c_out * width, 4, stride, 1, bias=False),
                nn.GroupNorm(c_out, c_out * width),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)

    def forward(self, pictures: Tensor, maps: Tensor) -> Tensor:
        """``(B, 3, H, W)`` and ``(B, 1, H, W)`` to ``(B, 1, H/8 - 2, W/8 - 2)`` log odds of being XRAI's."""
        out: Tensor = self.layers(torch.cat([pictures, maps], dim=1))
        return out


class Trainer(Course[Generator]):
    """The generator on its course, and its critic with an optimiser of its own."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        super().__init__(
            Generator(options.width, options.depth),
            options.work / "checkpoint.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
            clip=math.inf,
        )
        self.critic = Critic(options.critic_width)
        self.critic.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.rate, betas=MOMENTS)
        self.of_critic = torch.optim.Adam(self.critic.parameters(), lr=self.rate, betas=MOMENTS)

    @property
    def parts(self) -> dict[str, Any]:
        """What has a state that stands in the checkpoint, by its name there."""
        return {**super().parts, "critic": self.critic, "of_critic": self.of_critic}

    @property
    def has_critic(self) -> bool:
        """Whether it has entered."""
        return self.finished >= WARM_UP

    @property
    def rate_with_critic(self) -> float:
        """Of the next step of both."""
        return self.rate * min(1.0, max(0.02, (1.0 - self.finished) / (1.0 - FALL_FROM)))

    @property
    def rate_now(self) -> float:
        """Of the generator's next step."""
        return self.rate_with_critic if self.has_critic else WARM_UP_RATE

    def teach_critic(self, pictures: Tensor, targets: Tensor, painted: Tensor) -> float:
        """One step of the critic; its loss."""
        for group in self.of_critic.param_groups:
            group["lr"] = self.rate_with_critic
        both = self.judged(torch.cat([pictures, pictures]), torch.cat([targets, painted]))
        real, false = both.chunk(2)
        # Halved, as there: the critic is not to run ahead.
        loss = 0.5 * (_true(real) + F.binary_cross_entropy_with_logits(false, torch.zeros_like(false)))
        self.of_critic.zero_grad(set_to_none=True)
        loss.backward()
        self.of_critic.step()
        return float(loss.detach())

    def fooling(self, pictures: Tensor, painted: Tensor) -> Tensor:
        """How little the critic takes what is painted for XRAI's, of which it learns nothing."""
        self.critic.requires_grad_(False)
        loss = _true(self.judged(pictures, painted))
        self.critic.requires_grad_(True)
        return loss

    def judged(self, pictures: Tensor, maps: Tensor) -> Tensor:
        """What the critic says of maps in [0, 1]."""
        with self.autocast():
            judged: Tensor = self.critic(pictures, 2.0 * maps - 1.0)
        return judged.float()


def learn(trainer: Trainer, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
    """One step of the critic, once it has entered, and one of the generator; their losses.

    Args:
        trainer: Where they stand.
        batch: ``(B, 3, H, W)`` pictures of :func:`core.dso.pix2pix_network.as_input`, and ``(B, 1, H, W)``
            what should be painted in [0, 1].
    """
    of_critic: dict[str, float] = {}

    def losses() -> dict[str, Tensor]:
        pictures, targets = (part.to(trainer.device) for part in batch)
        with trainer.autocast():
            logits = trainer.network(pictures).float()
        painted = torch.sigmoid(logits)
        found = {
            "L1": F.l1_loss(painted, targets),
            "cross entropy": F.binary_cross_entropy_with_logits(logits, targets),
        }
        if trainer.has_critic:
            of_critic["critic"] = trainer.teach_critic(pictures, targets, painted.detach())
            found["fooling"] = trainer.fooling(pictures, painted)
        return found

    return {**trainer.learn(losses, WEIGHTS_OF_LOSSES), **of_critic}


def _true(judged: Tensor) -> Tensor:
    """Loss of judgements that should all be "XRAI's"."""
    return F.binary_cross_entropy_with_logits(judged, torch.ones_like(judged))


def batches(
    examples: Sequence[Example], middle: float, size: int, side_px: int, seed: Sequence[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of so many examples, as :func:`batch_of`."""
    rng = np.random.default_rng(seed)
    while True:
        chosen = rng.choice(len(examples), min(size, len(examples)), replace=False)
        yield batch_of(rng, [examples[number] for number in chosen], middle, side_px)


def batch_of(
    rng: np.random.Generator, examples: Sequence[Example], middle: float, side_px: int
) -> tuple[Tensor, Tensor]:
    """Pictures turned, mirrored and shaken, with their maps turned along.

    Args:
        rng: Decides everything.
        examples: Of the batch.
        middle: Of the painting.
        side_px: Of the pictures and maps.

    Returns:
        ``(B, 3, S, S)`` and ``(B, 1, S, S)``.
    """
    pictures, targets = [], []
    for one in examples:
        quarter, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        picture = shaken(rng, turned(one.picture, quarter, mirrored))
        step = SIDE_PX // side_px
        pictures.append(picture[::step, ::step])
        targets.append(turned(one.target(middle, side_px), quarter, mirrored))
    return as_input(np.stack(pictures)), torch.from_numpy(np.stack(targets))[:, None]


def turned(array: NDArray[Any], quarter: int, mirrored: bool) -> NDArray[Any]:
    """One of the eight ways to turn and mirror ``(H, W)`` or ``(H, W, 3)``."""
    array = np.rot90(array, quarter)
    return np.ascontiguousarray(array[:, ::-1] if mirrored else array)


def shaken(rng: np.random.Generator, picture: UInt8) -> UInt8:
    """The picture a little brighter or darker, of another tint, on another pedestal, with more noise."""
    levels = (
        picture.astype(np.float32) * rng.uniform(0.8, 1.25) * rng.uniform(0.93, 1.07, 3).astype(np.float32)
    )
    levels += np.float32(rng.uniform(-3.0, 4.0))
    if rng.random() < 0.5:
        levels += rng.normal(0.0, rng.uniform(0.0, 2.0), levels.shape).astype(np.float32)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def painted_maps(examples: Sequence[Example]) -> list[Float32]:
    """``(256, 256)`` what the weights that are there paint of each picture, by the product's own way."""
    from core.dso.pix2pix_network import paint

    network = pix2pix_network(WEIGHTS)
    return [paint(network, one.picture) for one in tqdm(examples, desc="painting", unit="picture")]


def judge(options: argparse.Namespace, val: Sequence[Example]) -> Limits:
    """Measure the weights that are there, choose the limits of the boxes, and write both into the card."""
    if options.weights is not None:
        os.environ["ALMAGEST_WEIGHTS"] = str(options.weights)
    card = read_card(WEIGHTS)
    middle = float(card.extra["xrai_middle"])
    painted = painted_maps(val)
    limits = choose_limits(painted, val)
    of_xrai = choose_limits([one.target(middle, SIDE_PX) for one in val], val)
    like = likeness_to_xrai(painted, val, middle)
    command = f"python -m training.dso_pix2pix --val-pictures {options.val_pictures} --score"
    figures = {
        f"validation {title} with XRAI, {of}": getattr(one, name)
        for name, title in _TITLES.items()
        for of, one in like.items()
    }
    for of, one in (("painted maps", limits), ("XRAI's own maps", of_xrai)):
        figures[f"validation F1 at IoU 0.5 without classes, {of}"] = one.f1
        figures[f"validation precision at IoU 0.5 without classes, {of}"] = one.precision
        figures[f"validation recall at IoU 0.5 without classes, {of}"] = one.recall
        figures[f"validation frames without objects that get a box, {of}"] = one.empty_boxed
    known = {name: Score(round(float(v), 4), command) for name, v in figures.items() if np.isfinite(v)}
    extra = {
        **card.extra,
        "map_threshold": limits.map_threshold,
        "calibration": list(limits.calibration),
        "confidence": round(limits.confidence, 3),
    }
    write_card(dataclasses.replace(card, scores=known, extra=extra), options.weights)
    for name, score in known.items():
        print(f"{name}: {score.value:g}", flush=True)
    return limits


_TITLES = {"psnr_db": "PSNR (dB)", "ssim": "SSIM", "correlation": "correlation", "top_20_iou": "top 20 % IoU"}


def save(
    trainer: Trainer, options: argparse.Namespace, n: tuple[int, int], middle: float, explained: str
) -> None:
    """Write the weights and a card that :func:`judge` completes."""
    network = trainer.network
    command = (
        f"python -m training.dso_pix2pix --pictures {options.pictures} --val-pictures {options.val_pictures} "
        f"--minutes {options.minutes:g} --batch {options.batch} --width {options.width} "
        f"--rate {options.rate:g} --seed {options.seed}"
    )
    if trainer.minutes_before:
        command += " --begin-from CHECKPOINT"
    save_weights(
        WEIGHTS,
        trainer.kept_state,
        {
            "title": "Painter of XRAI maps",
            "architecture": (
                f"U-Net of {network.depth} halvings, {network.width} to {8 * network.width} channels, groups "
                "of channels normalised, no dropout; trained with a 70 × 70 PatchGAN critic, L1 and cross "
                "entropy of weight 100"
            ),
            "n_parameters": sum(p.numel() for p in network.parameters()),
            "task": "dso",
            "labels": (WITHOUT_CLASS,),
            "training_data": (
                TrainingData(
                    f"{n[0]} drawn scenes and photographs (training/dso_yolo_data.py), {n[1]} to validate",
                    "AGPL-3.0-only, and that of the photographs in them",
                    "training and validation",
                ),
                TrainingData(
                    f"their XRAI maps by dso_classifier, sha256 {explained[:12]}",
                    "AGPL-3.0-only",
                    "what is to be painted",
                ),
            ),
            "scores": {},
            "command": command,
            "seed": options.seed,
            "device": device_name(trainer.device),
            "minutes": round(trainer.seconds / 60.0 + trainer.minutes_before, 1),
            "limits": LIMITS,
            "licence": "AGPL-3.0-only",
            "extra": {
                "width": network.width,
                "depth": network.depth,
                "xrai_middle": middle,
                "steps": trainer.step,
                "batch": options.batch,
            },
        },
        folder=options.weights,
    )


def classifier_explained() -> tuple[Explain, int, str]:
    """The explanation of the classifier that is there, the side it takes, and what tells it from others.

    Raises:
        WeightsUnavailable: The classifier is not there.
    """
    from core.dso.classifier import SIDE_PX as EXPLAINED_PX
    from core.dso.classifier import WEIGHTS as CLASSIFIER

    card = read_card(CLASSIFIER)
    settings = json.dumps(card.extra.get("xrai", {}), sort_keys=True)
    return explained_map, EXPLAINED_PX, f"{card.sha256} {settings}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    torch.set_flush_denormal(True)
    train_pictures = pictures_of(options.scenes, "train", options.pictures)
    val_pictures = pictures_of(options.scenes, "val", options.val_pictures)
    if options.targets:
        explain, side_px, sha256 = classifier_explained()
        for split, pictures in (("val", val_pictures), ("train", train_pictures)):
            make_targets(TargetFile(options.work, split, side_px, sha256), pictures, explain)
        return 0
    val = load_examples(TargetFile.opened(options.work, "val"), val_pictures)
    if not options.score:
        file = TargetFile.opened(options.work, "train")
        examples = load_examples(file, train_pictures)
        middle, f1 = best_middle(examples)
        print(
            f"XRAI is boxed best at a relevance of {middle:.3g}: F1 {f1:.3f} on training pictures", flush=True
        )
        trainer = Trainer(options)
        begun = started(trainer, options)

        def make(thread: int) -> Iterator[tuple[Tensor, Tensor]]:
            return batches(examples, middle, options.batch, options.side, [options.seed, begun, thread])

        train(trainer, make, learn, options.threads)
        save(trainer, options, (len(examples), len(val)), middle, file.explained)
    judge(options, val)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    work = Path(".cache") / "dso" / "pix2pix"
    parser = parser_of("python -m training.dso_pix2pix", __doc__ or "", work)
    parser.set_defaults(minutes=30.0, batch=8, rate=RATE)
    parser.add_argument("--scenes", type=Path, default=Path(".cache") / "dso" / "yolo", help="the pictures")
    parser.add_argument("--targets", action="store_true", help="only make the XRAI maps that are missing")
    parser.add_argument("--pictures", type=int, default=1200, help="to train on")
    parser.add_argument("--val-pictures", type=int, default=150)
    parser.add_argument("--side", type=int, default=SIDE_PX, choices=(64, 128, 256), help="in training")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--depth", type=int, default=DEPTH)
    parser.add_argument("--critic-width", type=int, default=64)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
