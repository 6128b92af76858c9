"""Rendering the scenes of a dataset into files: the same work in this process and in several."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.batch.local import in_processes, leave_ctrl_c_to_the_parent
from core.batch.tables import write_whole
from core.errors import AlmagestError
from core.frames import Frame
from core.simulate.dataset_fits import simulation_fits
from core.simulate.dataset_labels import yolo_labels
from core.simulate.scene import Scene

if TYPE_CHECKING:
    from PIL.Image import Image

    from core.simulate.render import Simulation

FORMATS = ("npy", "fits", "png")
LABELS_SUFFIX = "txt"
WORKER_DIED = "The process that rendered this scene died, most likely because it ran out of memory."
Row = dict[str, Any]
"""What the manifest says of one scene."""


@dataclass(frozen=True)
class SceneJob:
    """One scene and what to write of it; small, so that it travels.

    Attributes:
        name: Stem of the files.
        scene: What to render.
        folder: Where the files go.
        formats: Some of :data:`FORMATS`.
        min_snr: Least signal-to-noise ratio of an object with a label.
    """

    name: str
    scene: Scene
    folder: Path
    formats: tuple[str, ...]
    min_snr: float


def render_scenes(jobs: Sequence[SceneJob], workers: int) -> Generator[Row, None, None]:
    """Render scenes here or in several processes, in whatever order they are done.

    Args:
        jobs: The scenes.
        workers: Processes; with one the work is done in this process.
    """
    if workers <= 1:
        yield from map(_render, jobs)
        return
    yield from in_processes(
        _render, jobs, workers, lambda job: _row(job, error=WORKER_DIED), leave_ctrl_c_to_the_parent
    )


def _render(job: SceneJob) -> Row:
    """Render one scene and write its files; a scene that fails is a row that says why."""
    from core.simulate.catalogue_scene import scene_stars
    from core.simulate.render import render

    try:
        stars = scene_stars(job.scene)
        simulation = render(job.scene, stars.table)
        labels = yolo_labels(simulation.truth, job.scene, job.min_snr)
        for chosen in job.formats:
            write_file(job.folder / f"{job.name}.{chosen}", _content(simulation, chosen))
        write_file(job.folder / f"{job.name}.{LABELS_SUFFIX}", labels.encode())
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


def _row(job: SceneJob, **facts: Any) -> Row:
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


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    write_whole(path, lambda file: file.write(content))
