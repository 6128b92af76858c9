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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.dso.starless_network import Sizes, StarlessNetwork
from core.models.card import TrainingData
from core.models.weights import save_weights
from training.course import Course, device_name, train
from training.dso_starless_data import Float32, Pair, draw_pairs, random_crops, read_pair
from training.dso_yolo import COLLECTIONS
from training.options import drawn_splits, scenes_parser_of, started

NAME = "dso_starless"
WARM_UP_STEPS = 60
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

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        super().__init__(
            StarlessNetwork(options.sizes),
            options.work / "checkpoint.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
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

    def check(self, pairs: Sequence[Pair]) -> None:
        """Show the loss of the averaged weights on whole scenes, with stars and without; keep the best."""
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
        print(f"        validation {error:.5f}, best {self.best_error:.5f}", flush=True)


def learn(trainer: Trainer, crops: tuple[Float32, Float32, Float32]) -> dict[str, float]:
    """One step on crops of :func:`training.dso_starless_data.random_crops`; its loss."""

    def loss() -> Tensor:
        picture, starless, mask = (
            torch.from_numpy(np.ascontiguousarray(part)).to(trainer.device) for part in crops
        )
        with trainer.autocast():
            light = trainer.network(picture.contiguous(memory_format=torch.channels_last))
        return removal_loss(light.float(), picture, starless, mask)

    return {"loss": trainer.take_step(loss)}


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
    command = (
        f"python -m training.dso_starless --data DIR --scenes {options.scenes} --minutes {options.minutes:g} "
        f"--batch {options.batch} --crop {options.crop} --rate {options.rate:g} --seed {options.seed}"
    )
    if trainer.minutes_before:
        command += " --begin-from CHECKPOINT"
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
            "command": command,
            "seed": options.seed,
            "device": device_name(trainer.device),
            "minutes": round(trainer.seconds / 60.0 + trainer.minutes_before, 1),
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
    scenes = drawn_splits(options, draw_pairs)
    if options.draw:
        return 0
    if not options.score:
        trainer = Trainer(options)
        begun = started(trainer, options)
        checked = [read_pair(path) for path in scenes["val"][: options.check]]
        train(
            trainer,
            lambda thread: random_crops(
                scenes["train"], options.batch, options.crop, [options.seed, begun, thread]
            ),
            learn,
            options.threads,
            lambda: trainer.check(checked),
        )
        save(trainer, options)
    from training.dso_starless_scores import judge

    command = (
        f"python -m training.dso_starless --data DIR --val-scenes {options.val_scenes} "
        f"--test-scenes {options.test_scenes} --score"
    )
    if options.rival is not None:
        command += " --rival DIR"
    judge(scenes["val"], scenes["test"], options.rival, options.weights, command)
    return 0


def _levels(picture: np.ndarray) -> Tensor:
    """``(1, 3, H, W)`` in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    work = Path(".cache") / "dso" / "starless"
    parser = scenes_parser_of("python -m training.dso_starless", __doc__ or "", work)
    parser.add_argument("--check", type=int, default=16, help="validation pairs to choose weights on")
    parser.add_argument("--crop", type=int, default=224, help="side of a crop, a multiple of 16")
    parser.add_argument("--rival", type=Path, help="folder with model.onnx, a public network to compare with")
    parser.set_defaults(minutes=25.0, batch=8, rate=8e-4, side=640)
    parser.set_defaults(scenes=600, val_scenes=150, test_scenes=100)
    options = parser.parse_args(arguments)
    options.sizes = _sizes(options.sizes) if options.sizes else None
    return options


def _sizes(said: str) -> Sizes:
    """``"8,8/1,1/1"``: channels, blocks down, blocks up; tests train tiny networks."""
    return Sizes(*(tuple(map(int, part.split(","))) for part in said.split("/")))


if __name__ == "__main__":
    raise SystemExit(main())
