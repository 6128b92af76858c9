"""Train the network of ``dso.xrai``: a ResNet-50 that says whether a view of the sky holds an object.

``python -m training.dso_classifier --data DIR --work .cache/dso/yolo --scenes 3000 --minutes 38`` draws what
is missing of the scenes, trains from nothing on views that grow with the time, calibrates the probabilities,
and writes ``weights/dso_classifier.safetensors`` and its card. Killed, the same command goes on where it
was. ``--score`` measures the weights that are there once more; ``--choose`` chooses baseline, steps and
threshold of XRAI with them, and writes those into the card too.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import math
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.dso.classifier import OUTPUTS, SIDE_PX, WEIGHTS, build, classifier, normalised
from core.dso.kinds import LABELS
from core.models.card import Score, TrainingData, read_card, write_card
from core.models.inference import LockedNetwork, inference_dtype
from core.models.weights import save_weights
from training.dso_classifier_scores import N_VIEWS, chance, chosen_threshold, highest_logits, judged, scores
from training.dso_views import Pictures, View, draw_view, packed
from training.dso_yolo import COLLECTIONS
from training.dso_yolo_data import draw_split

PLAN = "96:0.45,128:0.35,192:0.2"
KEEP_EVERY_S = 120.0
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


class Views:
    """Endless batches of views, made in threads of their own; their side may change at any time."""

    def __init__(self, pictures: Pictures, size: int, side_px: int, seed: int, threads: int = 1) -> None:
        self.pictures, self.size, self.side_px = pictures, size, side_px
        self._ahead: queue.Queue[list[View]] = queue.Queue(maxsize=3)
        self._stop = threading.Event()
        for which in range(threads):
            rng = np.random.default_rng([seed, which])
            threading.Thread(target=self._work, args=(rng,), daemon=True).start()

    def _work(self, rng: np.random.Generator) -> None:
        import cv2

        cv2.setNumThreads(1)
        while not self._stop.is_set():
            side = self.side_px
            batch = [draw_view(rng, self.pictures, side) for _ in range(self.size)]
            while not self._stop.is_set():
                try:
                    self._ahead.put(batch, timeout=0.5)
                    break
                except queue.Full:
                    continue

    def __iter__(self) -> Iterator[list[View]]:
        while True:
            yield self._ahead.get()

    def close(self) -> None:
        """End the threads."""
        self._stop.set()


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


class Trainer:
    """Network, its slow average, optimiser, and where the training stands."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.minutes, self.rate, self.smoothing = options.minutes, options.rate, options.smoothing
        self.plan = stages(options.plan)
        self.device = torch.device(options.device)
        self.checkpoint: Path = options.work / "classifier" / "checkpoint.pt"
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        self.network = build().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        weights = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": weights, "weight_decay": options.decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=self.rate, betas=(0.9, 0.98), fused=True)
        self.step, self.seen, self.seconds, self.earlier_s = 0, 0, 0.0, 0.0
        if options.begin_from is not None:
            kept = torch.load(options.begin_from, map_location=self.device, weights_only=True)
            self.network.load_state_dict(kept["average"])
            self.average.load_state_dict(kept["average"])
            self.seen, self.earlier_s = kept["seen"], kept["seconds"] + kept.get("earlier_s", 0.0)
        if not options.fresh and self.checkpoint.exists():
            kept = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            self.network.load_state_dict(kept["network"])
            self.average.load_state_dict(kept["average"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.step, self.seen, self.seconds = kept["step"], kept["seen"], kept["seconds"]
            self.earlier_s = kept.get("earlier_s", 0.0)

    @property
    def finished(self) -> float:
        """Part of the time that is over."""
        return self.seconds / (60.0 * self.minutes)

    @property
    def side_px(self) -> int:
        """Of the views it should be shown now."""
        return stage_at(self.plan, self.finished).side_px

    def keep(self) -> None:
        """Write the checkpoint."""
        part = self.checkpoint.with_suffix(".part")
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "seconds": self.seconds,
            "earlier_s": self.earlier_s,
        }
        torch.save(state, part)
        part.replace(self.checkpoint)

    def learn(self, views: Sequence[View]) -> float:
        """One step; the loss. Its time counts, and so does waiting for views: see :func:`train`."""
        rate = self.rate * min(1.0, (self.step + 1) / WARM_UP_STEPS)
        rate *= 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(self.finished, 1.0)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        pictures, present, known = (tensor.to(self.device) for tensor in as_tensors(views))
        self.network.train()
        low = self.device.type == "cuda" or inference_dtype() == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            logits = self.network(pictures)
        loss = masked_loss(logits.float(), present, known, self.smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self._average()
        self.step += 1
        self.seen += len(views)
        return float(loss.detach())

    def _average(self) -> None:
        decay = min(0.997, (self.step + 1) / (self.step + 10))
        slow = list(self.average.parameters())
        torch._foreach_lerp_(slow, [p.detach() for p in self.network.parameters()], 1.0 - decay)
        for mean, now in zip(self.average.buffers(), self.network.buffers(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1.0 - decay)
            else:
                mean.copy_(now)


def train(trainer: Trainer, pictures: Pictures, batch: int, seed: int) -> None:
    """Train until the minutes are over."""
    if trainer.finished >= 1.0:
        return
    views = Views(pictures, batch, trainer.side_px, seed + trainer.step)
    mean, side, since, seen = math.nan, trainer.side_px, time.perf_counter(), trainer.seen
    kept = last = since
    try:
        for several in views:
            loss = trainer.learn(several)
            now = time.perf_counter()
            trainer.seconds += now - last
            last = now
            mean = loss if math.isnan(mean) else 0.97 * mean + 0.03 * loss
            if trainer.step % 20 == 0:
                rate = (trainer.seen - seen) / (now - since)
                print(
                    f"{trainer.step:6d}  {trainer.seconds / 60:6.1f} min  {side} px  "
                    f"{trainer.seen:7d} views  {rate:5.1f}/s  loss {mean:.4f}",
                    flush=True,
                )
                since, seen = now, trainer.seen
            if now - kept > KEEP_EVERY_S:
                trainer.keep()
                kept = time.perf_counter()
            if trainer.finished >= 1.0:
                break
            views.side_px = side = trainer.side_px
    finally:
        views.close()
    trainer.keep()


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
        trainer = Trainer(options)
        train(trainer, packed(options.work, "train", files), options.batch, options.seed)
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
    full = np.flatnonzero(~val.is_empty & ~val.is_photograph)[: max(len(empty), 1)]
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
    if options.begin_from is not None:
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
        "device": _device_name(trainer.device),
        "minutes": round((trainer.earlier_s + trainer.seconds) / 60.0, 1),
        "limits": LIMITS,
        "licence": "AGPL-3.0-only",
        "extra": {"side_px": SIDE_PX, "views": trainer.seen, "steps": trainer.step},
    }
    state = trainer.average.state_dict()
    card = save_weights(WEIGHTS, state, facts, precision="int8", folder=options.weights)
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", flush=True)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} processor cores, {str(inference_dtype()).removeprefix('torch.')}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.dso_classifier", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--work", type=Path, default=Path(".cache") / "dso" / "yolo")
    parser.add_argument("--weights", type=Path, help="folder of the weights; the project's by default")
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--val-scenes", type=int, default=300)
    parser.add_argument("--views", type=int, default=N_VIEWS, help="validation views to judge on")
    parser.add_argument("--minutes", type=float, default=38.0, help="time in training, over all runs")
    parser.add_argument("--plan", default=PLAN, help="sides of the views and their parts of the time")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--smoothing", type=float, default=0.02)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on where it was; so it does anyway")
    parser.add_argument(
        "--begin-from", type=Path, help="checkpoint of an earlier training whose weights this one starts with"
    )
    parser.add_argument("--fresh", action="store_true", help="forget an earlier training")
    parser.add_argument("--score", action="store_true", help="only measure the weights that are there")
    parser.add_argument("--choose", action="store_true", help="only choose how XRAI is run with them")
    parser.add_argument("--pictures", type=int, default=40, help="validation scenes to choose on")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
