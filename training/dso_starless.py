"""Train the network of ``dso.starless``.

``python -m training.dso_starless --data DIR --work .cache/dso/starless --minutes 25 --scenes 600`` draws the
pairs that are not there yet, trains the U-Net from nothing, keeps the averaged weights that were best on
validation scenes, writes ``weights/dso_starless.safetensors`` and its card, and measures both. Killed, it
goes on from its last checkpoint with ``--resume``. ``--score`` only measures the weights that are there;
``--rival DIR`` measures a public network of that folder (``model.onnx``) beside them; ``--draw`` only draws.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.dso.starless_network import Sizes, StarlessNetwork
from core.models.card import TrainingData
from core.models.weights import save_weights
from training.course import Course, ahead, device_name
from training.dso_starless_data import Pair, draw_pairs, random_crops, read_pair
from training.dso_yolo import COLLECTIONS

NAME = "dso_starless"
WARM_UP_STEPS = 60
KEEP_SECONDS, CHECK_SECONDS = 90.0, 240.0
GRADIENT_WEIGHT = 0.5
STAR_WEIGHT, OBJECT_WEIGHT = 3.0, 2.0
STAR_LEVEL = 5.0 / 255.0
NEGATIVE_SHARE = 0.1
"""Light below nothing is ignored in the end; in training it counts a little, so that it can come back."""
LIMITS = (
    "Trained on composed scenes: real optics have diffraction spikes and halos it has seldom seen.",
    "Open clusters are stars and vanish with them; of globular clusters only the unresolved glow may stay.",
    "Small galaxies that look like stars are taken for stars, and knots in galaxies may be damped.",
    "It changes the picture to look at and to search, not to measure: fluxes of its output mean nothing.",
)


def removal_loss(light: Tensor, picture: Tensor, starless: Tensor, mask: Tensor) -> Tensor:
    """Absolute error of the starlight and of its slopes, where it matters most counting most.

    Args:
        light: ``(B, 3, H, W)`` what the network says.
        picture, starless: ``(B, 3, H, W)`` the same with and without stars; both without where nothing may
            be taken away.
        mask: ``(B, H, W)`` where objects are, whose light must stay.
    """
    true = picture - starless
    starry = F.max_pool2d((true.amax(dim=1, keepdim=True) > STAR_LEVEL).float(), 5, 1, 2)
    weight = 1.0 + STAR_WEIGHT * starry + OBJECT_WEIGHT * mask[:, None]  # (B, 1, H, W)
    error = F.leaky_relu(light, NEGATIVE_SHARE) - F.leaky_relu(true, NEGATIVE_SHARE)
    plain = (weight * error.abs()).mean()
    down = (weight[:, :, 1:] * (error[:, :, 1:] - error[:, :, :-1]).abs()).mean()
    across = (weight[..., 1:] * (error[..., 1:] - error[..., :-1]).abs()).mean()
    return plain + GRADIENT_WEIGHT * (down + across)


class Trainer(Course[StarlessNetwork]):
    """The network on its course, and its weights that were best on validation scenes."""

    def __init__(
        self, work: Path, minutes: float, rate: float, device: torch.device, seed: int, sizes: Sizes | None
    ) -> None:
        torch.manual_seed(seed)
        super().__init__(
            StarlessNetwork(sizes),
            work / "checkpoint.pt",
            minutes=minutes,
            rate=rate,
            device=device,
            decay=1e-4,
            warm_up=WARM_UP_STEPS,
            clip=1.0,
        )
        self.best, self.best_error = copy.deepcopy(self.average.state_dict()), math.inf

    def resume(self) -> dict[str, Any] | None:
        """Go on from the checkpoint, where there is one."""
        kept = super().resume()
        if kept is not None:
            self.best, self.best_error = kept["best"], kept["best_error"]
        return kept

    def keep(self, **more: Any) -> None:
        """Write the checkpoint, whole or not at all."""
        super().keep(best=self.best, best_error=self.best_error, **more)

    def learn(self, picture: Tensor, starless: Tensor, mask: Tensor) -> float:
        """One step; the loss."""

        def loss() -> Tensor:
            on_device = [part.to(self.device) for part in (picture, starless, mask)]
            with self.autocast():
                light = self.network(on_device[0].contiguous(memory_format=torch.channels_last))
            return removal_loss(light.float(), *on_device)

        return self.take_step(loss)

    def check(self, pairs: Sequence[Pair]) -> float:
        """Loss of the averaged weights on whole scenes, with stars and without; the best are kept."""
        losses = []
        with torch.inference_mode():
            for pair in pairs:
                starless, mask = _levels(pair.starless), torch.from_numpy(pair.mask)[None].float() / 255.0
                for given in (_levels(pair.picture), starless):
                    on_device = [part.to(self.device) for part in (given, starless, mask)]
                    shown = on_device[0].contiguous(memory_format=torch.channels_last)
                    with self.autocast():
                        light = self.average(shown)
                    losses.append(float(removal_loss(light.float().clamp(min=0.0), *on_device)))
        error = float(np.mean(losses))
        if error < self.best_error:
            self.best_error = error
            self.best = {name: part.clone() for name, part in self.average.state_dict().items()}
        return error


def train(options: argparse.Namespace, paths: Sequence[Path], val: Sequence[Path]) -> Trainer:
    """Train until the time is over."""
    sizes = Sizes(*options.sizes) if options.sizes else None
    trainer = Trainer(
        options.work, options.minutes, options.rate, torch.device(options.device), options.seed, sizes
    )
    if options.resume:
        trainer.resume()
    checked = [read_pair(path) for path in val[: options.check]]
    shown: float | None = None
    kept = looked = trainer.seconds
    for picture, starless, mask in _ahead(paths, options, trainer.step):
        if trainer.finished >= 1.0:
            break
        loss = trainer.learn(picture, starless, mask)
        shown = loss if shown is None else 0.97 * shown + 0.03 * loss
        if trainer.step % 20 == 0:
            print(f"{trainer.step:6d}  {trainer.seconds / 60:6.1f} min  loss {shown:.5f}", flush=True)
        if trainer.seconds - looked >= CHECK_SECONDS:
            looked = trainer.seconds
            print(
                f"        validation {trainer.check(checked):.5f}, best {trainer.best_error:.5f}", flush=True
            )
        if trainer.seconds - kept >= KEEP_SECONDS:
            kept = trainer.seconds
            trainer.keep()
    print(f"        validation {trainer.check(checked):.5f}, best {trainer.best_error:.5f}", flush=True)
    trainer.keep()
    return trainer


def save(trainer: Trainer, options: argparse.Namespace) -> None:
    """Write the best weights and their card, without scores."""
    sizes = trainer.network.sizes
    known = [] if options.data is None else [name for name in COLLECTIONS if (options.data / name).is_dir()]
    drawn = TrainingData(
        f"{options.scenes} drawn scenes of {options.side}² with and without stars (training/dso_scenes.py), "
        f"{options.val_scenes} to validate, {options.test_scenes} to test",
        "AGPL-3.0-only, and that of the photographs in them",
        "training, validation and test",
    )
    card = save_weights(
        NAME,
        {name: part.float() for name, part in trainer.best.items()},
        {
            "title": "Star removal for deep-sky objects",
            "architecture": (
                f"Residual U-Net without normalisation: {', '.join(map(str, sizes.channels))} channels at "
                f"strides {', '.join(str(2 ** (i + 1)) for i in range(len(sizes.channels)))}, "
                f"{', '.join(map(str, sizes.down))} blocks down and {', '.join(map(str, sizes.up))} up; "
                "it says what to take away and can add nothing"
            ),
            "n_parameters": sum(p.numel() for p in trainer.network.parameters()),
            "task": "dso",
            "labels": ("object",),
            "training_data": (drawn, *(COLLECTIONS[name] for name in known)),
            "scores": {},
            "command": (
                f"python -m training.dso_starless --data DIR --scenes {options.scenes} "
                f"--minutes {options.minutes:g} --batch {options.batch} --crop {options.crop} "
                f"--rate {options.rate:g} --seed {options.seed}"
            ),
            "seed": options.seed,
            "device": device_name(trainer.device),
            "minutes": round(trainer.seconds / 60.0, 1),
            "limits": LIMITS,
            "licence": "AGPL-3.0-only",
            "extra": {"steps": trainer.step, "validation_loss": round(trainer.best_error, 6)},
        },
        folder=options.weights,
    )
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, train, measure."""
    options = _options(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    if options.weights is not None:
        os.environ["ALMAGEST_WEIGHTS"] = str(options.weights)

    def pairs(split: str, n: int) -> list[Path]:
        return draw_pairs(options.work, options.data, split, n, options.workers, options.side)

    val = pairs("val", options.val_scenes)
    if not options.score:
        paths = pairs("train", options.scenes)
        if not options.draw:
            save(train(options, paths, val), options)
    test = pairs("test", options.test_scenes)
    if not options.draw:
        from training.dso_starless_scores import judge

        judge(val, test, options.rival, options.weights)
    return 0


def _ahead(
    paths: Sequence[Path], options: argparse.Namespace, step: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches made in a thread of their own; after a resume they are other ones."""

    def make(_: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for batch in random_crops(paths, options.batch, options.crop, options.seed + step):
            picture, starless, mask = (torch.from_numpy(np.ascontiguousarray(part)) for part in batch)
            yield picture, starless, mask

    return ahead(make)


def _levels(picture: np.ndarray) -> Tensor:
    """``(1, 3, H, W)`` in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.dso_starless", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--work", type=Path, default=Path(".cache") / "dso" / "starless")
    parser.add_argument("--weights", type=Path, help="folder of the weights; the project's by default")
    parser.add_argument("--scenes", type=int, default=600)
    parser.add_argument("--val-scenes", type=int, default=150)
    parser.add_argument("--test-scenes", type=int, default=100)
    parser.add_argument("--check", type=int, default=16, help="validation pairs to choose weights on")
    parser.add_argument("--minutes", type=float, default=25.0, help="time in steps, over all runs")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=224, help="side of a crop, a multiple of 16")
    parser.add_argument("--side", type=int, default=640, help="of the scenes")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", help=argparse.SUPPRESS, type=_sizes)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rival", type=Path, help="folder with model.onnx, a public network to compare with")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--draw", action="store_true", help="only draw the pairs")
    parser.add_argument("--score", action="store_true", help="only measure the weights that are there")
    return parser.parse_args(arguments)


def _sizes(said: str) -> tuple[tuple[int, ...], ...]:
    """``"8,8/1,1/1"``: channels, blocks down, blocks up; tests train tiny networks."""
    return tuple(tuple(map(int, part.split(","))) for part in said.split("/"))


if __name__ == "__main__":
    raise SystemExit(main())
