"""The frames that come with Almagest, so that no page is ever empty and no network is needed."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.frames.frame import Frame
from core.frames.ground import Ground, simple_cylindrical
from core.frames.read import read_frame

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
"""The folder of the files and of ``samples.csv``, which says what each one is."""

_CORNERS = ("bottom_left", "bottom_right", "top_right", "top_left")


@dataclass(frozen=True)
class Sample:
    """One frame that comes with Almagest.

    Attributes:
        name: The file's name without its extensions, ``"m13"``.
        path: The file.
        kind: ``"star_field"``, ``"galaxy"``, ``"deep_sky"`` or ``"planetary"``.
        title: What it shows, ``"Messier 13, the great globular cluster in Hercules"``.
        about: One sentence for visitors.
        credit, licence, source: Who made it, what may be done with it, and where it was published.
        width, height: In pixels.
        corners: ``(ra, dec)`` in degrees of the outer corners, as
            :func:`core.frames.sky.wcs_from_corners` takes them; None when the file knows or nothing does.
        ground: Where it lies on a planet or moon, or None.
    """

    name: str
    path: Path
    kind: str
    title: str
    about: str
    credit: str
    licence: str
    source: str
    width: int
    height: int
    corners: tuple[tuple[float, float], ...] | None
    ground: Ground | None

    def read(self) -> Frame:
        """The frame, with sky coordinates from its corners where they are known."""
        frame = read_frame(self.path)
        frame = dataclasses.replace(frame, header={"OBJECT": self.title, **frame.header}, ground=self.ground)
        if self.corners is None:
            return frame
        from core.frames.sky import wcs_from_corners

        return dataclasses.replace(frame, wcs=wcs_from_corners(frame.width, frame.height, self.corners))


@cache
def samples() -> tuple[Sample, ...]:
    """Every sample, in the order of ``samples.csv``."""
    with (SAMPLES / "samples.csv").open(encoding="utf-8", newline="") as rows:
        return tuple(_sample(row) for row in csv.DictReader(rows))


def _sample(row: dict[str, str]) -> Sample:
    return Sample(
        name=row["file"].partition(".")[0],
        path=SAMPLES / row["file"],
        kind=row["kind"],
        title=row["title"],
        about=row["about"],
        credit=row["credit"],
        licence=row["licence"],
        source=row["source"],
        width=int(row["width"]),
        height=int(row["height"]),
        corners=tuple((float(row[f"ra_{corner}"]), float(row[f"dec_{corner}"])) for corner in _CORNERS)
        if row["ra_bottom_left"]
        else None,
        ground=simple_cylindrical(
            row["body"],
            west_deg=float(row["west_deg"]),
            north_deg=float(row["north_deg"]),
            px_per_deg=float(row["px_per_deg"]),
        )
        if row["body"]
        else None,
    )
