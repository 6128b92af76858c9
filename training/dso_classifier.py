"""Train the network of ``dso.xrai``: a ResNet-50 that says whether a view of the sky holds an object.

``python -m training.dso_classifier --data DIR --work .cache/dso/yolo --scenes 3000 --minutes 38`` draws what
is missing of the scenes, trains from nothing on views that grow with the time, calibrates the probabilities,
and writes ``weights/dso_classifier.safetensors`` and its card. Killed, the same command goes on where it
was. ``--score`` measures the weights that are there once more; ``--choose`` chooses baseline, steps and
threshold of XRAI with them, and writes those into the card too.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.dso.classifier import OUTPUTS, SIDE_PX, WEIGHTS, build, classifier, normalised
from core.dso.kinds import LABELS
from core.models.card import Score, TrainingData, read_card, write_card
from core.models.inference import LockedNetwork
from core.models.weights import save_weights
from training.course import Course, device_name, train
from training.dso_classifier_scores import N_VIEWS, chance, chosen_threshold, highest_logits, judged, scores
from training.dso_views import Pictures, View, draw_view, packed
from training.dso_yolo import COLLECTIONS
from training.dso_yolo_data import draw_split
from training.options import parser_of, started

PLAN = "96:0.45,128:0.35,192:0.2"
WARM_UP_STEPS = 150
LOSS_SHARES = (1.5, 1.0, 1.0, 1.0)
"""What each logit's loss counts; the first is the one that is explained."""
LIMITS = (
    "Trained on composed scenes: real frames have faults it has never seen.",
    "It looks at squares of 224 px: what is smaller than about 6 px there it cannot see.",
    "Loose open clusters are hard to tell from crowded fields of the Milky Way.",
    "It has seen no planets, comets or daylight.",
)


@dataclass(frozen=True)
class Stage:
    """Part of the training at one side of the views.

    Attributes:
        side_px: Of the views.
        until: Part of the whole time at which it ends.
    """

    side_px: int
    until: float


def stages(plan: str) -> tuple[Stage, ...]:
    """Read ``"96:0.5,160:0.5"``: sides and the parts of the time they get, which need not sum to 1."""
    pairs = [part.split(":") for part in plan.split(",")]
    shares = np.array([float(share) for _, share in pairs])
    ends = np.cumsum(shares / shares.sum())
    return tuple(Stage(int(side), float(end)) for (side, _), end in zip(pairs, ends, strict=True))


def stage_at(plan: Sequence[Stage], finished: float) -> Stage:
    """The stage when this part of the time is over."""
    return next((stage for stage in plan if finished < stage.until), plan[-1])


def as_tensors(views: Sequence[View]) -> tuple[Tensor, Tensor, Tensor]:
    """``(B, 3, S, S)`` pictures, and ``(B, 4)`` what is present and what is known."""
    pictures = torch.from_numpy(normalised(np.stack([view.pixels for view in views])))
    present = torch.from_numpy(np.stack([view.present for view in views]))
    known = torch.from_numpy(np.stack([view.known for view in views]))
    return pictures.contiguous(memory_format=torch.channels_last), present, known


def masked_loss(logits: Tensor, present: Tensor, known: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean binary cross-entropy over what is known, with targets drawn in from 0 and 1."""
    wanted = present * (1.0 - 2.0 * smoothing) + smoothing
    each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    shares = known * known.new_tensor(LOSS_SHARES)
    return (each * shares).sum() / shares.sum().clamp(min=1.0)


class Trainer(Course[nn.Module]):
    """The network on its course, along which the views grow; only its matrices decay."""

    least_rate, slowest = 0.01, 0.997

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        super().__init__(
            build(),
            options.work / "classifier" / "checkpoint.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
            warm_up=WARM_UP_STEPS,
            clip=1.0,
        )
        weights = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": weights, "weight_decay": options.decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=self.rate, betas=(0.9, 0.98), fused=True)
        self.plan, self.smoothing = stages(options.plan), options.smoothing

    @property
    def side_px(self) -> int:
        """Of the views it should be shown now."""
        return stage_at(self.plan, self.finished).side_px


def views(trainer: Trainer, pictures: Pictures, size: int, seed: Sequence[int]) -> Iterator[list[View]]:
    """Endless batches of views, of the side that is asked for when they are made."""
    import cv2

    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    while True:
        side = trainer.side_px
        yield [draw_view(rng, pictures, side) for _ in range(size)]


def learn(trainer: Trainer, several: list[View]) -> dict[str, float]:
    """One step; its loss."""

    def loss() -> Tensor:
        pictures, present, known = (tensor.to(trainer.device) for tensor in as_tensors(several))
        with trainer.autocast():
            logits = trainer.network(pictures)
        return masked_loss(logits.float(), present, known, trainer.smoothing)

    return {"loss": trainer.take_step(loss)}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    if options.weights is not None:
        os.environ["ALMAGEST_WEIGHTS"] = str(options.weights)
    torch.set_flush_denormal(True)
    val = packed(
        options.work,
        "val",
        draw_split(options.work, options.data, "val", options.val_scenes, options.workers),
    )
    if options.choose:
        from training.dso_classifier_choose import choose

        choose(options, val)
    elif not options.score:
        files = draw_split(options.work, options.data, "train", options.scenes, options.workers)
        pictures, trainer = packed(options.work, "train", files), Trainer(options)
        begun = started(trainer, options)
        if options.compile:
            trainer.network.compile()
        train(
            trainer,
            lambda thread: views(trainer, pictures, options.batch, [options.seed, begun, thread]),
            learn,
            options.threads,
        )
        save(trainer, options)
        judge(options, val, trainer)
    else:
        judge(options, val)
    return 0


def judge(options: argparse.Namespace, val: Pictures, trainer: Trainer | None = None) -> None:
    """Calibrate on validation views, choose the threshold on empty frames, and write both into the card.

    Args:
        options: Of the command line.
        val: Validation pictures.
        trainer: Where the weights were learned, to measure what keeping them as bytes has cost.
    """
    network = classifier()
    answers = judged(network, val, options.views)
    calibration, named = scores(answers)
    empty = np.flatnonzero(val.is_empty & ~val.is_photograph)
    full = np.flatnonzero(val.has_objects & ~val.is_photograph)[: max(len(empty), 1)]
    highest = [highest_logits(network, val, list(rows)) for rows in (empty, full)]
    threshold, false = chosen_threshold(*(chance(logits, calibration[0]) for logits in highest))
    named |= false
    if trainer is not None:
        whole = judged(LockedNetwork(trainer.average.cpu()), val, options.views)
        known = answers.known
        wrong = [float(np.mean(((a.logits > 0) != a.present)[known])) for a in (answers, whole)]
        named["accuracy lost by keeping the weights as bytes"] = wrong[0] - wrong[1]
    for name, value in named.items():
        print(f"{value:8.4f}  {name}", flush=True)
    calibration = [(round(slope, 4), round(offset, 4)) for slope, offset in calibration]
    print(f"calibration {calibration}, threshold {threshold:.3f}", flush=True)
    command = f"python -m training.dso_classifier --data DIR --val-scenes {options.val_scenes} --score"
    card = read_card(WEIGHTS)
    write_card(
        dataclasses.replace(
            card,
            scores={
                **card.scores,
                **{name: Score(round(value, 4), command) for name, value in named.items()},
            },
            extra={**card.extra, "calibration": calibration, "threshold": round(threshold, 4)},
        ),
        options.weights,
    )


def save(trainer: Trainer, options: argparse.Namespace) -> None:
    """Write the weights and a card without scores."""
    known = [] if options.data is None else [name for name in COLLECTIONS if (options.data / name).is_dir()]
    drawn = TrainingData(
        f"Views of {options.scenes} drawn scenes of 640² (training/dso_scenes.py), {options.val_scenes} to "
        "validate",
        "AGPL-3.0-only, and that of the photographs in them",
        "training and validation",
    )
    command = (
        f"python -m training.dso_classifier --data DIR --scenes {options.scenes} "
        f"--minutes {options.minutes:g} --plan {options.plan} --batch {options.batch} --rate {options.rate:g}"
    )
    if trainer.minutes_before:
        command += " --begin-from CHECKPOINT"
    facts = {
        "title": "ResNet-50 classifier of deep-sky views",
        "architecture": (
            "ResNet-50 of torchvision (3, 4, 6, 3 bottlenecks), no pretraining, four logits each on its own: "
            + ", ".join(OUTPUTS)
        ),
        "n_parameters": sum(p.numel() for p in trainer.average.parameters()),
        "task": "dso",
        "labels": LABELS,
        "training_data": (drawn, *(COLLECTIONS[name] for name in known)),
        "scores": {},
        "command": command,
        "seed": options.seed,
        "device": device_name(trainer.device),
        "minutes": round(trainer.seconds / 60.0 + trainer.minutes_before, 1),
        "limits": LIMITS,
        "licence": "AGPL-3.0-only",
        "extra": {"side_px": SIDE_PX, "steps": trainer.step, "batch": options.batch},
    }
    card = save_weights(WEIGHTS, trainer.kept_state, facts, precision="int8", folder=options.weights)
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    work = Path(".cache") / "dso" / "yolo"
    parser = parser_of("python -m training.dso_classifier", __doc__ or "", work)
    parser.set_defaults(minutes=38.0, batch=64, rate=1.5e-3, resume=True)
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--val-scenes", type=int, default=300)
    parser.add_argument("--views", type=int, default=N_VIEWS, help="validation views to judge on")
    parser.add_argument("--plan", default=PLAN, help="sides of the views and their parts of the time")
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--smoothing", type=float, default=0.02)
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument(
        "--compile", action="store_true", help="fuse the network's parts first: faster, wants a C++ compiler"
    )
    parser.add_argument(
        "--fresh", dest="resume", action="store_false", help="forget an earlier training: else it goes on"
    )
    parser.add_argument(
        "--choose",
        nargs="?",
        const="all",
        choices=("all", "boxes"),
        help="only choose how XRAI is run with them, or how its maps are boxed",
    )
    parser.add_argument("--pictures", type=int, default=40, help="validation scenes to choose maps on")
    parser.add_argument("--box-pictures", type=int, default=300, help="validation scenes to choose boxes on")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
