"""Many simulated frames with their truth, in a folder: to train detectors on and to test them with."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.batch.tables import write_parquet, write_whole
from core.errors import AlmagestError, ParameterInvalid
from core.frames import Frame
from core.simulate.dataset_fits import read_truth, simulation_fits
from core.simulate.dataset_labels import yolo_labels
from core.simulate.scene import MAX_SEED, Scene
from core.simulate.truth import LABELS

if TYPE_CHECKING:
    from PIL.Image import Image

    from core.simulate.render import Simulation

__all__ = [
    "FORMATS",
    "Dataset",
    "dataset_scenes",
    "make_dataset",
    "random_pointings",
    "read_truth",
    "simulation_fits",
]

FORMATS = ("npy", "fits", "png")
MAX_SCENES = 1_000_000
MIN_SNR = 3.0
"""Signal-to-noise ratio from which an object has a label: fainter ones cannot be told from the noise."""

MANIFEST_COLUMNS: dict[str, str] = {
    "name": "string",
    "ra_deg": "float64",
    "dec_deg": "float64",
    "rotation_deg": "float64",
    "seed": "int64",
    "width": "int64",
    "height": "int64",
    "n_stars": "int64",
    "n_real": "int64",
    "n_labels": "int64",
    "limit_mag": "float64",
    "pixels_sha256": "string",
    "notes": "string",
    "error": "string",
    "scene_json": "string",
}
"""Columns of ``manifest.parquet`` with their types; ``n_stars`` and ``n_real`` are of those on the frame."""

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """What was made.

    Attributes:
        manifest: One row a scene with :data:`MANIFEST_COLUMNS`, in order.
        interrupted: Whether the person stopped it; the scenes that were not done have no row.
    """

    manifest: pd.DataFrame
    interrupted: bool = False

    @property
    def n_failed(self) -> int:
        """Scenes with an error."""
        return int(self.manifest["error"].notna().sum())

    @property
    def n_labels(self) -> int:
        """Labels of all scenes."""
        return int(self.manifest["n_labels"].sum())


def random_pointings(n: int, seed: int = 0) -> list[tuple[float, float]]:
    """``n`` places spread evenly over the whole sky, as right ascension and declination in ICRS degrees.

    An additive recurrence with the plastic number fills the sphere more evenly than independent draws
    (M. Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"); the seed decides where it
    starts. More places of the same seed begin with the same ones.
    """
    plastic = 1.32471795724474602596
    start = np.random.default_rng(seed).random(2)
    turns, heights = ((start + np.arange(n)[:, None] * [1 / plastic, 1 / plastic**2]) % 1.0).T
    return list(zip((360.0 * turns).tolist(), np.degrees(np.arcsin(2 * heights - 1)).tolist(), strict=True))


def dataset_scenes(scene: Scene, n: int, seed: int = 0, *, same_field: bool = False) -> list[Scene]:
    """``n`` scenes like one, each with its own seed and, unless ``same_field``, its own field and rotation.

    Raises:
        ParameterInvalid: ``n`` or ``seed`` is out of bounds.
    """
    for name, value, low, high in (("scenes", n, 1, MAX_SCENES), ("seed", seed, 0, MAX_SEED)):
        if not low <= value <= high:
            raise ParameterInvalid(
                f"{name} must be {low:,} to {high:,}, got {value!r}.",
                parameter=name,
                given=value,
                limit=f"{low} to {high}",
            )
    scenes = []
    for index, (ra_deg, dec_deg) in enumerate(random_pointings(n, seed)):
        random = np.random.default_rng([seed, index])
        own_seed, rotation_deg = int(random.integers(MAX_SEED)), float(random.uniform(0.0, 360.0))
        pointing = scene.pointing
        if not same_field:
            pointing = dataclasses.replace(
                pointing, ra_deg=ra_deg, dec_deg=dec_deg, rotation_deg=rotation_deg
            )
        scenes.append(dataclasses.replace(scene, pointing=pointing, seed=own_seed))
    return scenes


def make_dataset(
    scenes: Sequence[Scene],
    folder: Path,
    *,
    base: Scene | None = None,
    formats: Sequence[str] = ("npy", "fits"),
    min_snr: float = MIN_SNR,
    workers: int | None = None,
    progress: Callable[[Row], None] | None = None,
) -> Dataset:
    """Render scenes into a folder. The same scenes give the same files to the bit.

    Each scene has ``<index>.txt``, YOLO labels as in :func:`core.simulate.dataset_labels.yolo_labels`, and
    by format ``<index>.npy`` (float32, ``(H, W)`` or ``(H, W, 3)``), ``<index>.fits`` (with sky coordinates
    and the table ``TRUTH``) and ``<index>.png`` (stretched to 8 bits, rows as in the array). The folder gets
    ``classes.txt``, the class names in order, and ``manifest.parquet``, one row a scene. Files appear
    whole or not at all.

    Args:
        scenes: What to render, as from :func:`dataset_scenes`; all the stars come from the offline
            catalogue and the statistical population.
        folder: Made when it is not there.
        base: The scene they were all made from; written as ``scene.json`` when given.
        formats: Some of :data:`FORMATS`.
        min_snr: Least signal-to-noise ratio of an object with a label.
        workers: Processes; one a core when None. With one the work is done in this process.
        progress: Given the manifest's row of each scene when it is done, in any order.

    Raises:
        ParameterInvalid: A format is unknown or ``min_snr`` is negative.
        OSError: The folder cannot be written.
    """
    for chosen in formats:
        if chosen not in FORMATS:
            raise ParameterInvalid(
                f"format must be one of {', '.join(FORMATS)}, got {chosen!r}.",
                parameter="format",
                given=chosen,
                limit=", ".join(FORMATS),
            )
    if not min_snr >= 0:
        raise ParameterInvalid(
            f"min_snr must be 0 or more, got {min_snr!r}.",
            parameter="min_snr",
            given=min_snr,
            limit="0 or more",
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "classes.txt", "".join(f"{label}\n" for label in LABELS).encode())
    if base is not None:
        _write(folder / "scene.json", base.to_json().encode())
    jobs = [_Job(f"{i:06d}", scene, folder, tuple(formats), min_snr) for i, scene in enumerate(scenes)]
    rows: dict[str, Row] = {}
    interrupted = False
    try:
        with closing(_work(jobs, min(workers or os.cpu_count() or 1, len(jobs)))) as done:
            for row in done:
                rows[row["name"]] = row
                if progress is not None:
                    progress(row)
    except KeyboardInterrupt:
        interrupted = True
        for partial in folder.glob(".*.part"):  # of a process that was ended while it wrote
            partial.unlink(missing_ok=True)
    manifest = pd.DataFrame([rows[name] for name in sorted(rows)]).reindex(columns=list(MANIFEST_COLUMNS))
    kinds = {name: "Int64" if kind == "int64" else kind for name, kind in MANIFEST_COLUMNS.items()}
    manifest = manifest.astype(kinds)
    write_parquet(manifest, MANIFEST_COLUMNS, folder / "manifest.parquet")
    return Dataset(manifest, interrupted)


@dataclass(frozen=True)
class _Job:
    name: str
    scene: Scene
    folder: Path
    formats: tuple[str, ...]
    min_snr: float


def _work(jobs: Sequence[_Job], workers: int) -> Generator[Row, None, None]:
    """Render scenes here or in several processes, in whatever order they are done."""
    if workers <= 1:
        yield from map(_render, jobs)
        return
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, initializer=_leave_ctrl_c_to_the_parent)
    finished = False
    try:
        futures: dict[Future[Row], _Job] = {pool.submit(_render, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield _row(
                    futures[future],
                    error="A process that rendered died, most likely because it ran out of memory.",
                )
        finished = True
    finally:
        if not finished:  # the person has stopped it: do not wait for what is under way
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
        pool.shutdown(cancel_futures=True)


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _render(job: _Job) -> Row:
    """Render one scene and write its files; a scene that fails is a row that says why."""
    from core.simulate.catalogue_scene import scene_stars
    from core.simulate.render import render

    try:
        stars = scene_stars(job.scene)
        simulation = render(job.scene, stars.table)
        labels = yolo_labels(simulation.truth, job.scene, job.min_snr)
        for chosen in job.formats:
            _write(job.folder / f"{job.name}.{chosen}", _content(simulation, chosen))
        _write(job.folder / f"{job.name}.txt", labels.encode())
    except AlmagestError as refusal:
        return _row(job, error=refusal.message)
    except OSError:
        raise
    except Exception as error:
        return _row(job, error=f"{type(error).__name__}: {error}")
    truth = simulation.truth.table
    return _row(
        job,
        n_stars=int((truth["label"] == "star").sum()),
        n_real=int(truth["real"].sum()),
        n_labels=labels.count("\n"),
        limit_mag=stars.limit_mag,
        pixels_sha256=hashlib.sha256(simulation.frame.pixels.tobytes()).hexdigest(),
        notes=" ".join(stars.notes) or None,
    )


def _row(job: _Job, **facts: Any) -> Row:
    scene = job.scene
    return {
        "name": job.name,
        "ra_deg": scene.pointing.ra_deg,
        "dec_deg": scene.pointing.dec_deg,
        "rotation_deg": scene.pointing.rotation_deg,
        "seed": scene.seed,
        "width": scene.camera.width,
        "height": scene.camera.height,
        "scene_json": scene.to_json(),
        **facts,
    }


def _content(simulation: Simulation, chosen: str) -> bytes:
    """The frame as a file of one of :data:`FORMATS`."""
    if chosen == "fits":
        return simulation_fits(simulation)
    out = io.BytesIO()
    if chosen == "npy":
        np.save(out, simulation.frame.pixels)
    else:
        _picture(simulation.frame).save(out, "PNG")
    return out.getvalue()


def _picture(frame: Frame) -> Image:
    """The frame stretched to 8 bits, its rows in the order of the array, as those of the labels are."""
    from PIL import Image

    from core.frames.display import DisplaySettings, render

    shown = render(frame, DisplaySettings.for_frame(frame))
    rows = shown.rgb[::-1] if shown.flipped else shown.rgb
    return Image.fromarray(np.ascontiguousarray(rows))


def _write(path: Path, content: bytes) -> None:
    write_whole(path, lambda file: file.write(content))
