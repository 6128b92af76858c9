"""What the trainings of ``clusters.unet`` and ``clusters.maskrcnn`` share: scenes, steps, card and scores."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from core.clusters.kinds import LABELS
from core.clusters.pictures import Look
from core.models.card import Score, TrainingData, read_card, write_card
from core.models.weights import save_weights
from training.cluster_data import Sample, draw_split, samples
from training.cluster_scores import judge, scores_at, search_scenes
from training.course import Course, device_name, train
from training.dso_yolo import COLLECTIONS
from training.options import drawn_splits, started

Network = TypeVar("Network", bound=nn.Module)

PHOTOGRAPHS = dataclasses.replace(
    COLLECTIONS["dso_stellarium"],
    use="clusters in drawn scenes, and photographs as they are: training, validation and test by object",
)
LIMITS = (
    "Trained on drawn scenes and a hundred photographs: real frames have faults it has never seen.",
    "Where a cluster ends is a matter of definition: here at three core radii or a third of the tidal one.",
    "Clusters larger than the frame, star clouds of the Milky Way and clusters in nebulae are doubtful.",
    "It sees brightness only: stars at different distances that meet by chance count as a cluster.",
    "The outlines it draws are rough: see the Dice coefficient and AP50 of masks.",
)


def run(
    options: argparse.Namespace,
    name: str,
    begin: Callable[[], Course[Network]],
    learn: Callable[[Course[Network], list[Sample]], Mapping[str, float]],
    about: Callable[[Network], Mapping[str, Any]],
    look_with: Callable[[tuple[float, ...]], Look],
    calibration: tuple[str, tuple[float, ...]],
) -> int:
    """Draw, train and measure, as far as the command line asks for it.

    Args:
        options: Of :func:`options_of`.
        name: Of the card.
        begin: Makes the course.
        learn: One step; its losses by name.
        about: ``title`` and ``architecture`` of the card.
        look_with: The look of the weights that are there, given the constants of the calibration.
        calibration: What the constants are called in the card, and those to begin with.
    """
    files = drawn_splits(options, draw_split)
    if options.draw:
        return 0
    if not options.score:
        course = begin()
        begun = started(course, options)  # after a resume the batches are other ones
        train(
            course,
            lambda thread: samples(files["train"], options.batch, [options.seed, begun, thread]),
            learn,
            options.threads,
        )
        save(course, name, about(course.network), options)
    measure(name, files["val"], files["test"], look_with, calibration, options)
    return 0


def save(course: Course[Network], name: str, about: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Write the averaged weights and their card, without scores."""
    command = (
        f"python -m training.{name} --data DIR --scenes {options.scenes} --minutes {options.minutes:g} "
        f"--batch {options.batch} --rate {options.rate:g} --seed {options.seed}"
    )
    if course.minutes_before:
        command += " --begin-from CHECKPOINT"
    drawn = TrainingData(
        f"{options.scenes} drawn scenes of {options.side}² (training/cluster_scenes.py), "
        f"{options.val_scenes} to validate, {options.test_scenes} to test",
        "AGPL-3.0-only, and that of the photographs in them",
        "training, validation and test",
    )
    known = (
        ()
        if options.data is None
        else tuple(
            PHOTOGRAPHS if one == "dso_stellarium" else COLLECTIONS[one]
            for one in COLLECTIONS
            if (options.data / one).is_dir()
        )
    )
    card = save_weights(
        name,
        course.kept_state,
        {
            **about,
            "n_parameters": sum(p.numel() for p in course.network.parameters()),
            "task": "clusters",
            "labels": LABELS,
            "training_data": (drawn, *known),
            "scores": {},
            "command": command,
            "seed": options.seed,
            "device": device_name(course.device),
            "minutes": round(course.seconds / 60.0 + course.minutes_before, 1),
            "limits": LIMITS,
            "licence": "AGPL-3.0-only",
            "extra": {"steps": course.step, "side_px": options.side},
        },
        folder=options.weights,
    )
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", flush=True)


def measure(
    name: str,
    val: Sequence[Path],
    test: Sequence[Path],
    look_with: Callable[[tuple[float, ...]], Look],
    calibration: tuple[str, tuple[float, ...]],
    options: argparse.Namespace,
) -> None:
    """Calibrate and choose the confidence on validation scenes, measure on test scenes, write the card."""
    called, default = calibration
    constants, chosen = judge(val, look_with, default)
    print("validation", chosen, flush=True)
    compared, seconds = search_scenes(test, look_with(constants))
    tested = scores_at(compared, chosen.confidence, seconds)
    print("test", tested, flush=True)
    command = (
        f"python -m training.{name} --data DIR --val-scenes {len(val)} --test-scenes {len(test)} --score"
    )
    figures = chosen.named("validation") | tested.named("test")
    card = read_card(name)
    extra = {
        **card.extra,
        called: [round(one, 5) for one in constants],
        "confidence": round(float(min(max(chosen.confidence, 0.01), 0.99)), 3),
    }
    scores = {said: Score(round(value, 4), command) for said, value in figures.items()}
    write_card(dataclasses.replace(card, scores=scores, extra=extra), options.weights)
