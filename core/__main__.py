"""The command line: ``python -m core methods`` and ``python -m core analyse METHOD FRAME... --out DIR``."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

import core
from core.batch import Outcome, analyse_frames, find_frames, unique_stems, write_layers
from core.batch.sources import FRAME_SUFFIXES
from core.errors import AlmagestError, ParameterInvalid
from core.methods import TASKS, Method, get_method, methods

OK, SOME_FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: all frames done, a frame failed, the command was wrong, Ctrl-C."""

WEIGHTS = Path(core.__file__).parents[1] / "weights"

OUTPUT = f"""\
FRAME is a file, a folder or a glob (quote it, and it is expanded here). A folder stands for the images in
it, not in folders below it: {", ".join(FRAME_SUFFIXES)}.

DIR gets detections.parquet (one row a detection), runs.parquet (one row a frame) and, for methods that make
them, maps/STEM.METHOD.npy (float32) and masks/STEM.METHOD.npy (uint16), as large as the frame. STEM is the
file's name without its last suffix. Of several maps the first has this name, the others are
STEM.METHOD.NAME.npy. Frames of different folders with the same STEM get -2, -3 and so on, in the order of
runs.parquet.

A frame that cannot be read is a row with its error in runs.parquet, and the run goes on.

Exit status: 0 all frames done, 1 a frame failed, 2 the command is wrong or DIR cannot be written, 130
stopped with Ctrl-C (what was done is written).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; those of the process when None.

    Returns:
        The exit status.
    """
    args = _parser().parse_args(argv)
    try:
        if args.command == "methods":
            return _list_methods(args.task)
        return _analyse(args.method, args.frame, args.out, args.set, args.scheduler)
    except AlmagestError as refusal:
        print(f"error: {refusal.message}", file=sys.stderr)
    except OSError as refusal:
        print(f"error: {refusal.filename or 'the output'}: {refusal.strerror}.", file=sys.stderr)
    return BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Analyse astronomical images.")
    parser.add_argument("--version", action="version", version=f"Almagest {core.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("methods", help="list the methods and whether their weights are present")
    listing.add_argument("--task", help=f"only the methods of this task: {', '.join(TASKS)}")
    analyse = commands.add_parser(
        "analyse",
        help="run a method on frames",
        epilog=OUTPUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    analyse.add_argument("method", metavar="METHOD", help="name of the method, such as stars.sep")
    analyse.add_argument("frame", metavar="FRAME", nargs="+", help="file, folder or glob")
    analyse.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for what is found")
    analyse.add_argument(
        "--set",
        metavar="PARAM=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="a parameter of the method; 'auto' where it can be measured from the frame",
    )
    analyse.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786")
    return parser


def _list_methods(task: str | None) -> int:
    rows = [("METHOD", "TASK", "TITLE", "WEIGHTS")]
    rows += [
        (name, TASKS[method.task], method.title, _weights(method)) for name, method in methods(task).items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return OK


def _weights(method: Method) -> str:
    if method.weights_sha256 is None:
        return "none needed"
    files = (path for path in WEIGHTS.rglob("*") if path.is_file())
    hashes = (hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return "present" if method.weights_sha256 in hashes else "absent"


def _analyse(name: str, given: list[str], out: Path, settings: list[str], scheduler: str | None) -> int:
    method = get_method(name)
    params = method.params.from_strings(_settings(settings))
    frames = find_frames(given)
    _make_folder(out)
    stems = unique_stems(frames)
    with tqdm(total=len(frames), desc=name, unit="frame", file=sys.stderr) as bar:

        def on_outcome(outcome: Outcome) -> None:
            write_layers(outcome, stems[outcome.frame], out)
            if outcome.error is not None:
                bar.write(f"{outcome.frame}: {outcome.error}", file=sys.stderr)
            bar.update()

        batch = analyse_frames(name, frames, params, progress=on_outcome, scheduler=scheduler)
    batch.write(out)
    print(
        f"{len(batch.runs)} of {len(frames)} frames, {len(batch.detections)} detections, "
        f"{batch.n_failed} failed: {out}"
    )
    if batch.interrupted:
        return INTERRUPTED
    return SOME_FAILED if batch.n_failed else OK


def _settings(pairs: list[str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ParameterInvalid(
                f"--set takes PARAM=VALUE, got {pair!r}.", parameter="set", given=pair, limit="PARAM=VALUE"
            )
        if name in settings:
            raise ParameterInvalid(f"{name} is set twice.", parameter=name, given=value, limit="once")
        settings[name] = value
    return settings


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as refusal:
        raise ParameterInvalid(
            f"--out must be a folder that can be written, got {str(out)!r}: {refusal.strerror}.",
            parameter="out",
            given=str(out),
        ) from refusal


if __name__ == "__main__":
    sys.exit(main())
