"""Train the network of ``dso.pix2pix``: it learns to paint the XRAI maps of the classifier.

``python -m training.dso_pix2pix --targets --pictures 1200 --val-pictures 150`` explains so many pictures of
``.cache/dso/yolo`` (drawn by ``python -m training.dso_yolo --draw``), one after the other; stopped, the same
command goes on. ``python -m training.dso_pix2pix --minutes 30`` then trains, measures, and writes
``weights/dso_pix2pix.safetensors`` and its card; killed, it goes on with ``--resume``. ``--score`` measures
the weights that are there once more and chooses the limits of the boxes anew.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import os
import time
from collections.abc import Sequence
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
from training.dso_pix2pix_data import (
    Example,
    Explain,
    TargetFile,
    load_examples,
    make_targets,
    pictures_of,
)
from training.dso_pix2pix_scores import Limits, best_middle, choose_limits, likeness_to_xrai

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

L1_WEIGHT = 100.0
RATE, MOMENTS = 2e-4, (0.5, 0.999)
"""Of Isola et al. 2017."""
CROSS_ENTROPY_WEIGHT = 100.0
"""Besides their L1: maps are mostly dark, and by L1 alone the network painted all of them dark for long."""
WARM_UP, WARM_UP_RATE = 0.3, 1e-3
"""Part of the time without the critic: at first it would only tell that nothing is painted yet."""
FALL_FROM = 0.5
"""Part of the time from which the rate falls, to nothing at the end."""
MOST_AVERAGED = 0.998
KEEP_EVERY, SHOW_EVERY = 100, 20
BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left {postfix}"
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


class Trainer:
    """Generator, its slow average, critic, their optimisers, and where the training stands.

    Args:
        folder: Where the checkpoint is.
        minutes: Time in steps, over all runs.
        width, depth: Of the generator.
        critic_width: Of the critic.
        device: Where to train.
        resume: Go on from the checkpoint that is there.
    """

    def __init__(
        self,
        folder: Path,
        minutes: float,
        width: int = WIDTH,
        depth: int = DEPTH,
        critic_width: int = 64,
        device: str = "cpu",
        resume: bool = False,
    ) -> None:
        torch.manual_seed(0)
        self.minutes, self.device = minutes, torch.device(device)
        self.checkpoint = folder / "checkpoint.pt"
        last = torch.channels_last
        self.generator = Generator(width, depth).to(device, memory_format=last)  # type: ignore[call-overload]
        self.critic = Critic(critic_width).to(device, memory_format=last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.of_generator = torch.optim.Adam(self.generator.parameters(), lr=RATE, betas=MOMENTS)
        self.of_critic = torch.optim.Adam(self.critic.parameters(), lr=RATE, betas=MOMENTS)
        self.step, self.seconds = 0, 0.0
        if resume and self.checkpoint.exists():
            kept = torch.load(self.checkpoint, map_location=device, weights_only=True)
            for name in self._parts():
                getattr(self, name).load_state_dict(kept[name])
            self.step, self.seconds = kept["step"], kept["seconds"]

    @staticmethod
    def _parts() -> tuple[str, ...]:
        return ("generator", "critic", "average", "of_generator", "of_critic")

    @property
    def done(self) -> float:
        """Part of the time that is over."""
        return self.seconds / (60.0 * self.minutes) if self.minutes > 0 else 1.0

    def keep(self) -> None:
        """Write the checkpoint."""
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in self._parts()}
        part = self.checkpoint.with_suffix(".part")
        torch.save({**state, "step": self.step, "seconds": self.seconds}, part)
        part.replace(self.checkpoint)

    def learn(self, pictures: Tensor, targets: Tensor) -> dict[str, float]:
        """One step of the critic, once it has entered, and one of the generator; their losses.

        Args:
            pictures: ``(B, 3, H, W)`` of :func:`core.dso.pix2pix_network.as_input`.
            targets: ``(B, 1, H, W)`` in [0, 1].
        """
        start = time.perf_counter()
        pictures, targets = pictures.to(self.device), targets.to(self.device)
        with_critic = self.done >= WARM_UP
        rate = RATE * min(1.0, max(0.02, (1.0 - self.done) / (1.0 - FALL_FROM)))
        for group in self.of_critic.param_groups:
            group["lr"] = rate
        for group in self.of_generator.param_groups:
            group["lr"] = rate if with_critic else WARM_UP_RATE
        losses: dict[str, float] = {}
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.generator(pictures)
        painted = torch.sigmoid(logits.float())
        if with_critic:
            losses["critic"] = self._teach_critic(pictures, targets, painted.detach())
        error = F.l1_loss(painted, targets)
        crossed = F.binary_cross_entropy_with_logits(logits.float(), targets)
        total = L1_WEIGHT * error + CROSS_ENTROPY_WEIGHT * crossed
        if with_critic:
            self.critic.requires_grad_(False)
            fooled = _true(self._judged(pictures, painted))
            self.critic.requires_grad_(True)
            total, losses["fooling"] = total + fooled, float(fooled.detach())
        self.of_generator.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self.of_generator.step()
        self._average()
        self.step += 1
        self.seconds += time.perf_counter() - start
        return {"L1": float(error.detach()), **losses}

    def _teach_critic(self, pictures: Tensor, targets: Tensor, painted: Tensor) -> float:
        both = self._judged(torch.cat([pictures, pictures]), torch.cat([targets, painted]))
        real, false = both.chunk(2)
        # Halved, as there: the critic is not to run ahead.
        loss = 0.5 * (_true(real) + F.binary_cross_entropy_with_logits(false, torch.zeros_like(false)))
        self.of_critic.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.of_critic.step()
        return float(loss.detach())

    def _judged(self, pictures: Tensor, maps: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16):
            judged: Tensor = self.critic(pictures, 2.0 * maps - 1.0)
        return judged.float()

    def _average(self) -> None:
        kept = min(MOST_AVERAGED, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - kept)


def _true(judged: Tensor) -> Tensor:
    """Loss of judgements that should all be "XRAI's"."""
    return F.binary_cross_entropy_with_logits(judged, torch.ones_like(judged))


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


def train(trainer: Trainer, examples: Sequence[Example], middle: float, batch: int, side_px: int) -> None:
    """Steps until the time is over, with a bar; a checkpoint every :data:`KEEP_EVERY` steps."""
    rng = np.random.default_rng([0, trainer.step])
    shown: dict[str, float] = {}
    done = round(min(100.0, 100.0 * trainer.done), 1)
    with tqdm(total=100.0, initial=done, desc="training", bar_format=BAR) as bar:
        while trainer.done < 1.0:
            chosen = rng.choice(len(examples), min(batch, len(examples)), replace=False)
            given = batch_of(rng, [examples[number] for number in chosen], middle, side_px)
            for name, value in trainer.learn(*given).items():
                shown[name] = 0.95 * shown.get(name, value) + 0.05 * value
            bar.n = min(100.0, 100.0 * trainer.done)  # sums of small parts may pass the whole by rounding
            bar.update(0)
            if trainer.step % SHOW_EVERY == 0:
                said = "  ".join(f"{name} {value:.4f}" for name, value in shown.items())
                bar.set_postfix_str(f"step {trainer.step}  {said}")
            if trainer.step % KEEP_EVERY == 0:
                trainer.keep()
    trainer.keep()


def painted_maps(examples: Sequence[Example]) -> list[Float32]:
    """``(256, 256)`` what the weights that are there paint of each picture, by the product's own way."""
    from core.dso.pix2pix_network import paint

    network = pix2pix_network(WEIGHTS)
    return [paint(network, one.picture) for one in tqdm(examples, desc="painting", unit="picture")]


def judge(options: argparse.Namespace, examples: Sequence[Example], val: Sequence[Example]) -> Limits:
    """Measure the weights that are there, choose the limits of the boxes, and write both into the card."""
    if options.weights is not None:
        os.environ["ALMAGEST_WEIGHTS"] = str(options.weights)
    card = read_card(WEIGHTS)
    middle = float(card.extra["xrai_middle"])
    painted = painted_maps(val)
    limits = choose_limits(painted, val)
    of_xrai = choose_limits([one.target(middle, SIDE_PX) for one in val], val)
    mean_map = np.mean([one.target(middle, SIDE_PX) for one in examples], axis=0, dtype=np.float32)
    like = likeness_to_xrai(painted, val, middle, mean_map)
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
    network = trainer.average
    command = (
        f"python -m training.dso_pix2pix --pictures {options.pictures} --val-pictures {options.val_pictures} "
        f"--minutes {options.minutes:g} --batch {options.batch} --width {options.width}"
    )
    save_weights(
        WEIGHTS,
        network.state_dict(),
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
            "seed": 0,
            "device": _device_name(trainer.device),
            "minutes": round(trainer.seconds / 60.0, 1),
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


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} processor cores, bfloat16"


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
    files = [TargetFile.opened(options.work, split) for split in ("train", "val")]
    examples, val = (
        load_examples(file, pictures)
        for file, pictures in zip(files, (train_pictures, val_pictures), strict=True)
    )
    if not options.score:
        middle, f1 = best_middle(examples)
        print(
            f"XRAI is boxed best at a relevance of {middle:.3g}: F1 {f1:.3f} on training pictures", flush=True
        )
        trainer = Trainer(
            options.work,
            options.minutes,
            options.width,
            options.depth,
            options.critic_width,
            options.device,
            options.resume,
        )
        train(trainer, examples, middle, options.batch, options.side)
        save(trainer, options, (len(examples), len(val)), middle, files[0].explained)
    judge(options, examples, val)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.dso_pix2pix", description=__doc__)
    parser.add_argument("--scenes", type=Path, default=Path(".cache") / "dso" / "yolo", help="the pictures")
    parser.add_argument("--work", type=Path, default=Path(".cache") / "dso" / "pix2pix")
    parser.add_argument("--weights", type=Path, help="folder of the weights; the project's by default")
    parser.add_argument("--targets", action="store_true", help="only make the XRAI maps that are missing")
    parser.add_argument("--pictures", type=int, default=1200, help="to train on")
    parser.add_argument("--val-pictures", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=30.0, help="time in steps, over all runs")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=SIDE_PX, choices=(64, 128, 256), help="in training")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--depth", type=int, default=DEPTH)
    parser.add_argument("--critic-width", type=int, default=64)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--score", action="store_true", help="only measure the weights that are there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
