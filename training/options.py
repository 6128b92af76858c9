"""What trainings on drawn scenes share: the command line, the scenes of each split, and where they begin."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from training.course import Course

DrawSplit = Callable[[Path, Path | None, str, int, int, int], list[Path]]
"""Draws what is missing of a split: folder, data, split, how many, processes, side; gives its files."""


def parser_of(program: str, doing: str, work: Path) -> argparse.ArgumentParser:
    """The options that every training has.

    Args:
        program: Of the module.
        doing: Its docstring.
        work: Ignored folder to work in, if no other is given.
    """
    parser = argparse.ArgumentParser(prog=program, description=doing)
    parser.add_argument("--work", type=Path, default=work, help="ignored folder to work in")
    parser.add_argument("--weights", type=Path, help="folder of the weights; the project's by default")
    parser.add_argument("--minutes", type=float, help="time in steps, all runs")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="threads that make batches")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--begin-from", type=Path, help="checkpoint or safetensors to begin from")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--score", action="store_true", help="only measure the weights that are there")
    return parser


def scenes_parser_of(program: str, doing: str, work: Path) -> argparse.ArgumentParser:
    """Those that every training on scenes of its own has besides; as :func:`parser_of`."""
    parser = parser_of(program, doing, work)
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--scenes", type=int, default=4000)
    parser.add_argument("--val-scenes", type=int, default=300)
    parser.add_argument("--test-scenes", type=int, default=300)
    parser.add_argument("--side", type=int, default=512, help="of the scenes")
    parser.add_argument("--sizes", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw")
    parser.add_argument("--draw", action="store_true", help="only draw the scenes")
    return parser


def options_of(
    program: str, doing: str, arguments: Sequence[str] | None, work: Path, **defaults: Any
) -> argparse.Namespace:
    """The command line of a training on scenes, where it adds nothing.

    Args:
        program, doing, work: As for :func:`parser_of`.
        arguments: Given; those of the command line by default.
        defaults: Of ``minutes``, ``batch`` and ``rate``.
    """
    parser = scenes_parser_of(program, doing, work)
    parser.set_defaults(**defaults)
    return parser.parse_args(arguments)


def drawn_splits(options: argparse.Namespace, draw_split: DrawSplit) -> dict[str, list[Path]]:
    """Prepare the process, and draw what is missing: ``"val"``, ``"test"`` and, to train, ``"train"``."""
    torch.set_flush_denormal(True)
    if options.weights is not None:
        os.environ["ALMAGEST_WEIGHTS"] = str(options.weights)
    wanted = {
        "val": options.val_scenes,
        "test": options.test_scenes,
        "train": 0 if options.score else options.scenes,
    }
    folder = options.work / "scenes"
    return {
        split: draw_split(folder, options.data, split, n, options.workers, options.side)
        for split, n in wanted.items()
    }


def started(course: Course[Any], options: argparse.Namespace) -> int:
    """Go on from the checkpoint, or begin from another training's, as asked for; the steps made so far."""
    if options.resume:
        course.resume()
    if options.begin_from is not None and course.step == 0:
        course.begin_from(options.begin_from)
    return course.step
