"""Train the network of ``dso.yolo``.

``python -m training.dso_yolo --data DIR --work .cache/dso/yolo --scenes 3000 --epochs 12`` draws the scenes
that are not there yet, trains YOLO26 from nothing with Ultralytics' own trainer, chooses the threshold on
validation pictures, and writes ``weights/dso_yolo.pt`` and its card. Killed, it goes on from the last whole
epoch with ``--resume``. ``--score`` measures the weights that are there once more; ``--draw`` only draws.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.dso.kinds import LABELS
from core.models.card import Score, TrainingData, write_card
from core.models.weights import adopt_weights, weights_path
from training.dso_yolo_data import draw_close_ups, draw_split, write_yaml
from training.dso_yolo_scores import measured_scores

NAME = "dso_yolo"
RUN = "run"
STATE = "progress.json"
COLLECTIONS = {
    "dso_stellarium": TrainingData(
        "Deep-sky photographs of Stellarium 0.22.2 with boxes from OpenNGC (PyOngc 1.2.2)",
        "by picture: CC BY, CC BY-SA, CC0, public domain, GPL-2.0-or-later; OpenNGC CC BY-SA 4.0",
        "objects of the drawn scenes, and photographs as they are: training and validation by object",
    ),
    "galaxyzoo1_small": TrainingData(
        "Galaxies of SDSS, a selection of Galaxy Zoo 1",
        "pictures CC BY 4.0 (credit SDSS), labels free with citation of Galaxy Zoo (Lintott et al. 2011)",
        "objects of the drawn scenes: training and validation by file",
    ),
    "hubble_galaxy_nebula": TrainingData(
        "Galaxies and nebulae of ESA/Hubble",
        "CC BY 4.0 (credit ESA/Hubble)",
        "objects of the drawn scenes: training and validation by file",
    ),
}
VIEWS = (1.0, 1.3, 2.45)
"""Scales a picture is seen at, 1 being the training's: nebulae gain from small ones, galaxies from large."""
LIMITS = (
    "Trained on composed scenes: real frames have faults it has never seen.",
    "Where a nebula ends is a matter of taste, and it may box parts of large ones by themselves.",
    "Open clusters in crowded fields of the Milky Way are easily missed.",
    "It has seen no planets, comets or daylight.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    train = draw_split(options.work, options.data, "train", options.scenes, options.workers)
    train += draw_close_ups(train)
    val = draw_split(options.work, options.data, "val", options.val_scenes, options.workers)
    if options.draw:
        return 0
    if not options.score:
        best = fit(options, train, val)
        facts = _facts(options, best)
        adopt_weights(NAME, best, facts, precision="float16", folder=options.weights)
    judge(options, val)
    return 0


def fit(options: argparse.Namespace, train: Sequence[Path], val: Sequence[Path]) -> Path:
    """Train, or go on training, and give the file of half-precision weights of the best epoch."""
    from core.dso.library import import_ultralytics

    import_ultralytics()
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.utils import SETTINGS
    from ultralytics.utils.torch_utils import strip_optimizer

    SETTINGS.update({"sync": False})
    torch.set_flush_denormal(True)
    run = options.work / RUN
    last: Path = run / "weights" / "last.pt"
    best: Path = run / "weights" / "best.pt"
    resume = options.resume and last.exists()
    clock = Clock(options.work / STATE, options.minutes, fresh=not resume)
    if not (resume and clock.finished):
        on_gpu = options.device != "cpu"
        overrides: dict[str, Any] = {
            "task": "detect",
            "mode": "train",
            "model": str(last) if resume else str(options.begin_from or f"{options.model}.yaml"),
            "data": str(write_yaml(options.work, train, val)),
            "epochs": options.epochs,
            "imgsz": options.side,
            "batch": options.batch,
            "nbs": options.batch,  # a step a batch: there are few of them
            "device": options.device,
            "workers": min(8, os.cpu_count() or 1) if on_gpu else 1,
            "cache": "ram",
            "amp": on_gpu,
            "pretrained": options.begin_from is not None,
            "optimizer": options.optimizer,
            "lr0": options.rate,
            "lrf": 0.02,
            "cos_lr": True,
            "warmup_epochs": 1.0,
            "warmup_bias_lr": options.rate,
            "patience": 1000,
            "project": str(options.work.resolve()),
            "name": RUN,
            "exist_ok": True,
            "plots": False,
            "val": on_gpu,  # on a processor it would take a sixth of the time; the averaged weights are kept
            "seed": options.seed,
            "deterministic": False,
            # A sky has no up and no left; colours tell hydrogen from starlight and stay nearly as they are.
            "fliplr": 0.5,
            "flipud": 0.5,
            "hsv_h": 0.01,
            "hsv_s": 0.4,
            "hsv_v": 0.35,
            "scale": 0.4,
            "mosaic": 0.5,
            "close_mosaic": max(1, options.epochs // 4),
        }
        if resume:
            overrides |= {"resume": str(last)}
        trainer = DetectionTrainer(overrides=overrides)
        if not on_gpu:
            trainer.add_callback("on_pretrain_routine_end", _use_processor)
        if not on_gpu and options.amp == "bf16":
            trainer.add_callback("on_pretrain_routine_end", _half_the_time)
        trainer.add_callback("on_train_start", clock.start)
        trainer.add_callback("on_train_batch_end", clock.tick)
        trainer.add_callback("on_train_epoch_end", clock.plan)
        trainer.add_callback("on_model_save", clock.keep)
        trainer.train()
        clock.done()
    chosen = best if best.exists() else last
    export: Path = options.work / f"{NAME}.pt"
    # What is kept is the averaged network in half precision, without the optimiser and without paths.
    strip_optimizer(chosen, str(export), updates={"train_args": {}, "train_results": None, "git": None})
    return export


def _use_processor(trainer: Any) -> None:
    """Train on all cores, of which Ultralytics leaves one idle, weights laid out as they multiply fastest."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    trainer.model.to(memory_format=torch.channels_last)


def _half_the_time(trainer: Any) -> None:
    """Let torch multiply in bfloat16 on a processor too, which the trainer offers for GPUs alone."""
    trainer.amp = True


class Clock:
    """Counts the minutes of all runs together, and plans the epochs that still fit.

    The learning rate falls with the epochs, so a limit in minutes becomes a number of epochs as soon as it is
    known how long one takes.
    """

    def __init__(self, path: Path, limit_minutes: float | None, fresh: bool) -> None:
        self.path, self.limit_minutes = path, limit_minutes
        kept = {} if fresh or not path.exists() else json.loads(path.read_text(encoding="utf-8"))
        self.before = float(kept.get("minutes", 0.0))
        self.finished = bool(kept.get("finished", False))
        self.started = self.saved = time.monotonic()
        self.first_epoch = 0

    @property
    def minutes(self) -> float:
        """Minutes trained, in this run and those before."""
        return self.before + (time.monotonic() - self.started) / 60.0

    def start(self, trainer: Any) -> None:
        """The training begins."""
        self.started = time.monotonic()
        self.first_epoch = trainer.start_epoch

    def tick(self, trainer: Any) -> None:
        """A batch is done: the limit holds within an epoch too."""
        if self.limit_minutes is not None and self.minutes > 1.1 * self.limit_minutes:
            trainer.stop = True

    def plan(self, trainer: Any) -> None:
        """An epoch is done: as many epochs as fit, and the learning rate that goes with them."""
        if self.limit_minutes is None:
            return
        per_epoch = (self.minutes - self.before) / (trainer.epoch - self.first_epoch + 1)
        left = max(0, math.floor((self.limit_minutes - self.minutes) / max(per_epoch, 1e-6)))
        epochs = trainer.epoch + 1 + left
        if epochs != trainer.epochs:
            trainer.epochs = trainer.args.epochs = epochs
            trainer.args.close_mosaic = max(1, epochs // 4)
            trainer._setup_scheduler()
            trainer.scheduler.last_epoch = trainer.epoch

    def keep(self, trainer: Any) -> None:
        """A checkpoint is written: keep the time that stands in it."""
        self._write(finished=False)

    def done(self) -> None:
        """The training ended by itself."""
        self._write(finished=True)

    def _write(self, finished: bool) -> None:
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({"minutes": self.minutes, "finished": finished}), encoding="utf-8")
        part.replace(self.path)


def judge(options: argparse.Namespace, val: Sequence[Path]) -> None:
    """Choose the threshold on validation pictures and write it, with the scores, into the card."""
    from core.dso.yolo_network import load_yolo
    from core.models.card import read_card
    from core.models.inference import LockedNetwork

    if options.weights is not None:
        os.environ["ALMAGEST_WEIGHTS"] = str(options.weights)
    network = LockedNetwork(load_yolo(str(weights_path(NAME))))
    zooms = [round(scale * options.side / 640.0, 3) for scale in VIEWS]
    scores = measured_scores(network, val, zooms)
    print(scores, flush=True)
    command = f"python -m training.dso_yolo --data DIR --work WORK --val-scenes {options.val_scenes} --score"
    card = read_card(NAME)
    write_card(
        dataclasses.replace(
            card,
            scores={name: Score(round(value, 4), command) for name, value in scores.named().items()},
            extra={**card.extra, "confidence": round(scores.confidence, 3), "zooms": zooms},
        ),
        options.weights,
    )


def _facts(options: argparse.Namespace, best: Path) -> dict[str, Any]:
    from core.dso.library import import_ultralytics
    from core.dso.yolo_network import load_yolo

    version = vars(import_ultralytics())["__version__"]
    clock = json.loads((options.work / STATE).read_text(encoding="utf-8"))
    n_parameters = sum(p.numel() for p in load_yolo(str(best)).parameters())
    known = [] if options.data is None else [name for name in COLLECTIONS if (options.data / name).is_dir()]
    drawn = TrainingData(
        f"{options.scenes} drawn scenes of 640² (training/dso_scenes.py), whole and a close-up of each, to "
        f"twice as large, {options.val_scenes} to validate",
        "AGPL-3.0-only, and that of the photographs in them",
        "training and validation",
    )
    command = (
        f"python -m training.dso_yolo --data DIR --scenes {options.scenes} --epochs {options.epochs} "
        f"--side {options.side} --model {options.model} --batch {options.batch} "
        f"--optimizer {options.optimizer} --rate {options.rate:g}"
    )
    if options.begin_from:
        command += f" --begin-from {options.begin_from.name}"
    return {
        "title": f"{options.model.replace('yolo', 'YOLO')} for deep-sky objects",
        "architecture": (
            f"{options.model} of Ultralytics {version}: CSP backbone with attention, three scales at strides "
            "8, 16 and 32, heads without anchors; one-to-many head with suppression of overlapping boxes"
        ),
        "n_parameters": n_parameters,
        "task": "dso",
        "labels": LABELS,
        "training_data": (drawn, *(COLLECTIONS[name] for name in known)),
        "scores": {},
        "command": command + (f" --minutes {options.minutes:g}" if options.minutes else ""),
        "seed": options.seed,
        "device": _device_name(options.device),
        "minutes": round(clock["minutes"], 1),
        "limits": LIMITS,
        "licence": "AGPL-3.0-only",
        "extra": {"side_px": options.side},
    }


def _device_name(device: str) -> str:
    import torch

    if device == "cpu":
        return f"{os.cpu_count()} processor cores"
    return torch.cuda.get_device_name(int(device))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    import torch

    parser = argparse.ArgumentParser(prog="python -m training.dso_yolo", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--work", type=Path, default=Path(".cache") / "dso" / "yolo")
    parser.add_argument("--weights", type=Path, help="folder of the weights; the project's by default")
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--val-scenes", type=int, default=900)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--minutes", type=float, help="most minutes of training, over all runs")
    parser.add_argument("--side", type=int, default=416, help="of the pictures in training")
    parser.add_argument("--model", choices=("yolo26n", "yolo26s"), default="yolo26n")
    parser.add_argument(
        "--begin-from", type=Path, help="weights to go on from, with a new course of the rate"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--optimizer", choices=("AdamW", "MuSGD", "SGD"), default="AdamW")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--amp", choices=("bf16", "fp32"), default="bf16", help="precision on a processor")
    parser.add_argument("--device", default="0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from the last whole epoch")
    parser.add_argument("--draw", action="store_true", help="only draw the pictures")
    parser.add_argument("--score", action="store_true", help="only measure the weights that are there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
