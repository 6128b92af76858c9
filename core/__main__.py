"""The command line: ``python -m core methods``, ``python -m core analyse``, ``python -m core simulate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

import core
from core.batch import Outcome, analyse_frames, find_frames, unique_stems, write_layers, write_members
from core.batch.sources import FRAME_SUFFIXES, TABLE_SUFFIXES
from core.errors import AlmagestError, ParameterInvalid
from core.methods import TASKS, Method, get_method, methods
from core.simulate.datasets import FORMATS, MIN_SNR, Row, dataset_scenes, make_dataset
from core.simulate.presets import PRESETS, preset

OK, SOME_FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: all frames done, a frame failed, the command was wrong, Ctrl-C."""

OUTPUT = f"""\
FRAME is a file, a folder or a glob (quote it, and it is expanded here). A folder stands for the images in
it, not in folders below it: {", ".join(FRAME_SUFFIXES)}.
A method of catalogues (clusters.hdbscan) takes tables in place of frames: CSV, ECSV, FITS, VOTable or
Parquet; a folder stands for {", ".join(TABLE_SUFFIXES)}.

DIR gets detections.parquet (one row a detection), runs.parquet (one row a frame) and, for methods that make
them, maps/STEM.METHOD.npy (float32), masks/STEM.METHOD.npy (uint16) and pictures/STEM.METHOD.png (remade
pictures, such as one without stars; the frame's first row on top), as large as the frame. STEM is the file's
name without its last suffix. Of several maps the first has this name, the others are STEM.METHOD.NAME.npy;
masks and pictures likewise, with _ for spaces in NAME. Frames of different folders with the same STEM get
-2, -3 and so on, in the order of runs.parquet. For a table the detections are its clusters, and
members/STEM.METHOD.parquet has one row a star: row, cluster (-1 for none), probability.

Both tables keep the rows that runs of other methods left in DIR; those of the same method are replaced.

A frame that cannot be read is a row with its error in runs.parquet, and the run goes on.

Exit status: 0 all frames done, 1 a frame failed, 2 the command is wrong or DIR cannot be written, 130
stopped with Ctrl-C (what was done is written).
"""

DATASET = f"""\
Each scene looks at another place, spread evenly over the whole sky, unless --set gives pointing.ra_deg or
pointing.dec_deg, and is turned at random unless it gives one of these or pointing.rotation_deg. Its stars
are real to G = 10; fainter ones are drawn at random from a model of the Galaxy.

DIR gets, for each scene, NNNNNN.txt with YOLO labels (class x y width height; x counts columns and y rows of
the array) of what has a signal-to-noise ratio of --min-snr or more, and by --format:
  npy   the pixels, float32
  fits  the pixels with sky coordinates, and all the truth in the table TRUTH
  png   the pixels stretched to 8 bits
and once classes.txt, the names of the classes; scene.json, the scene they were all made from; and
manifest.parquet, one row a scene. The same command gives the same files; the scenes of an earlier dataset
in DIR are taken away.

Presets: {", ".join(PRESETS)}.

Exit status: 0 all scenes done, 1 a scene failed, 2 the command is wrong or DIR cannot be written, 130
stopped with Ctrl-C (what was done is kept).
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
        if args.command == "simulate":
            return _simulate(args)
        return _analyse(args.method, args.frame, args.out, args.set, args.scheduler)
    except AlmagestError as refusal:
        print(f"error: {refusal.message}", file=sys.stderr)
    except OSError as refusal:
        print(f"error: {refusal.filename or 'the output'}: {_reason(refusal)}.", file=sys.stderr)
    return BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Analyse astronomical images.")
    parser.add_argument("--version", action="version", version=f"Almagest {core.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("methods", help="list the methods and whether their weights are present")
    listing.add_argument("--task", help=f"only the methods of this task: {', '.join(TASKS)}")
    analyse = commands.add_parser(
        "analyse",
        help="run a method on frames or tables",
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
    _add_simulate(commands)
    return parser


def _add_simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    simulate = commands.add_parser(
        "simulate",
        help="make simulated frames with their truth",
        epilog=DATASET,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    simulate.add_argument("--scenes", metavar="N", type=int, default=1, help="how many frames (default 1)")
    simulate.add_argument("--preset", metavar="P", default="vespera", help="instrument (default vespera)")
    simulate.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the frames")
    simulate.add_argument("--seed", metavar="S", type=int, default=0, help="decides all (default 0)")
    simulate.add_argument(
        "--set",
        metavar="GROUP.PARAM=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="a setting of the scene, such as camera.width=512 or seeing.fwhm_arcsec=4",
    )
    simulate.add_argument(
        "--format", nargs="+", choices=FORMATS, default=["npy", "fits"], help="default npy fits"
    )
    simulate.add_argument(
        "--min-snr", metavar="R", type=float, default=MIN_SNR, help=f"of a label (default {MIN_SNR:g})"
    )
    simulate.add_argument("--workers", metavar="N", type=int, help="processes (default one a core)")


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
    if method.weights is None:
        return "none needed"
    return "present" if method.is_ready else "absent"


def _analyse(name: str, given: list[str], out: Path, settings: list[str], scheduler: str | None) -> int:
    method = get_method(name)
    params = method.params.from_strings(_settings(settings))
    frames = find_frames(given, method.input)
    _make_folder(out)
    stems = unique_stems(frames)
    with tqdm(total=len(frames), desc=name, unit=method.input, file=sys.stderr) as bar:

        def on_outcome(outcome: Outcome) -> None:
            write_layers(outcome, stems[outcome.frame], out)
            write_members(outcome, stems[outcome.frame], out)
            if outcome.error is not None:
                bar.write(f"{outcome.frame}: {outcome.error}", file=sys.stderr)
            bar.update()

        batch = analyse_frames(name, frames, params, progress=on_outcome, scheduler=scheduler)
    batch.write(out)
    print(
        f"{len(batch.runs)} of {len(frames)} {method.input}s, {len(batch.detections)} detections, "
        f"{batch.n_failed} failed: {out}"
    )
    if batch.trouble is not None:
        return _stopped(out, batch.trouble)
    if batch.interrupted:
        return INTERRUPTED
    return SOME_FAILED if batch.n_failed else OK


def _simulate(args: argparse.Namespace) -> int:
    settings = _settings(args.set)
    if "seed" in settings:
        raise ParameterInvalid("The seed is given by --seed.", parameter="seed", given=settings["seed"])
    base = preset(args.preset).with_settings(settings)
    same_field = not settings.keys().isdisjoint({"pointing.ra_deg", "pointing.dec_deg"})
    scenes = dataset_scenes(
        base,
        args.scenes,
        args.seed,
        same_field=same_field,
        same_rotation="pointing.rotation_deg" in settings,
    )
    _make_folder(args.out)
    with tqdm(total=len(scenes), desc=args.preset, unit="scene", file=sys.stderr) as bar:

        def on_scene(row: Row) -> None:
            if row.get("error") is not None:
                bar.write(f"{row['name']}: {row['error']}", file=sys.stderr)
            bar.update()

        made = make_dataset(
            scenes,
            args.out,
            base=base,
            formats=args.format,
            min_snr=args.min_snr,
            workers=args.workers,
            progress=on_scene,
        )
    print(
        f"{len(made.manifest)} of {len(scenes)} scenes, {made.n_labels} labels, "
        f"{made.n_failed} failed: {args.out}"
    )
    if made.trouble is not None:
        return _stopped(args.out, made.trouble)
    if made.interrupted:
        return INTERRUPTED
    return SOME_FAILED if made.n_failed else OK


def _stopped(out: Path, trouble: OSError) -> int:
    print(f"error: {out}: {_reason(trouble)}; what was done until then is kept.", file=sys.stderr)
    return BAD_USAGE


def _reason(trouble: OSError) -> str:
    """Why a file could not be written; numpy does not say it of arrays."""
    return trouble.strerror or "Not all could be written, the disk may be full"


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
