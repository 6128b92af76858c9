"""Many simulated frames with their truth, in a folder: to train detectors on and to test them with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.batch.tables import write_parquet
from core.errors import ParameterInvalid
from core.simulate.dataset_fits import read_truth, simulation_fits
from core.simulate.dataset_scenes import dataset_scenes, random_pointings
from core.simulate.dataset_work import (
    FORMATS,
    LABELS_SUFFIX,
    Row,
    SceneJob,
    render_scenes,
    write_file,
)
from core.simulate.scene import Scene
from core.simulate.truth import LABELS

__all__ = [
    "FORMATS",
    "MIN_SNR",
    "Dataset",
    "Row",
    "dataset_scenes",
    "make_dataset",
    "random_pointings",
    "read_truth",
    "simulation_fits",
]

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


@dataclass(frozen=True, eq=False)
class Dataset:
    """What was made.

    Attributes:
        manifest: One row a scene with :data:`MANIFEST_COLUMNS`, in order.
        interrupted: Whether the person stopped it; the scenes that were not done have no row.
        trouble: Why a scene could not be written, which stops it as well (the disk is full), or None.
    """

    manifest: pd.DataFrame
    interrupted: bool = False
    trouble: OSError | None = None

    @property
    def n_failed(self) -> int:
        """Scenes with an error."""
        return int(self.manifest["error"].notna().sum())

    @property
    def n_labels(self) -> int:
        """Labels of all scenes."""
        return int(self.manifest["n_labels"].sum())


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
    whole or not at all. Those of the scenes in the manifest of an earlier dataset there go first.

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
        OSError: The folder cannot be written at all.
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
    _clear(folder)
    write_file(folder / "classes.txt", "".join(f"{label}\n" for label in LABELS).encode())
    if base is not None:
        write_file(folder / "scene.json", base.to_json().encode())
    jobs = [SceneJob(f"{i:06d}", scene, folder, tuple(formats), min_snr) for i, scene in enumerate(scenes)]
    rows: dict[str, Row] = {}
    interrupted, trouble = False, None
    try:
        with closing(render_scenes(jobs, min(workers or os.cpu_count() or 1, len(jobs)))) as done:
            for row in done:
                rows[row["name"]] = row
                if progress is not None:
                    progress(row)
    except KeyboardInterrupt:
        interrupted = True
    except OSError as refusal:
        trouble = refusal
    if interrupted or trouble is not None:
        for partial in folder.glob(".*.part"):  # of a process that was ended while it wrote
            partial.unlink(missing_ok=True)
        _remove(folder, (job.name for job in jobs if job.name not in rows))
    manifest = pd.DataFrame([rows[name] for name in sorted(rows)]).reindex(columns=list(MANIFEST_COLUMNS))
    kinds = {name: "Int64" if kind == "int64" else kind for name, kind in MANIFEST_COLUMNS.items()}
    manifest = manifest.astype(kinds)
    write_parquet(manifest, MANIFEST_COLUMNS, folder / "manifest.parquet")
    return Dataset(manifest, interrupted, trouble)


def _clear(folder: Path) -> None:
    """Take away the scenes of an earlier dataset: no picture of it may stand beside new labels."""
    manifest = folder / "manifest.parquet"
    try:
        names = pd.read_parquet(manifest, columns=["name"])["name"].astype(str)
    except (OSError, ValueError):  # there is none
        return
    _remove(folder, names[names.str.fullmatch(r"\d{6,}")])
    manifest.unlink()


def _remove(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        for suffix in (*FORMATS, LABELS_SUFFIX):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
