"""Results on surfaces, made by hand, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import core
from core.frames import Frame
from core.results import Detections, Provenance, Result
from core.surfaces.kinds import SEGMENTS

UNITS = {"diameter_px": "pix", "angle_deg": "deg", "length_px": "pix", "width_px": "pix"}


def craters(diameters: list[float], side: int = 200, seed: int = 0) -> pd.DataFrame:
    """Round craters at random places that lie within a square frame."""
    rng = np.random.default_rng(seed)
    size = np.array(diameters, float)
    x, y = rng.uniform(size / 2, side - size / 2, (2, len(size)))
    return pd.DataFrame(
        {
            "label": "crater",
            "score": 0.9,
            "x": x,
            "y": y,
            "x_min": x - size / 2,
            "y_min": y - size / 2,
            "x_max": x + size / 2,
            "y_max": y + size / 2,
            "diameter_px": size,
            "axis_ratio": 1.0,
            "angle_deg": 0.0,
        }
    )


def line(label: str, *points: tuple[float, float]) -> pd.DataFrame:
    """A valley or a ridge through points."""
    xy = np.array(points, float)
    (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
    middle = xy.mean(axis=0)
    dx, dy = xy[-1] - xy[0]
    return pd.DataFrame(
        {
            "label": [label],
            "score": [0.8],
            "x": [middle[0]],
            "y": [middle[1]],
            "x_min": [x0],
            "y_min": [y0],
            "x_max": [x1],
            "y_max": [y1],
            "length_px": [float(np.hypot(*np.diff(xy, axis=0).T).sum())],
            "width_px": [3.0],
            "angle_deg": [float(np.degrees(np.arctan2(dy, dx)) % 180.0)],
            "path": [" ".join(f"{x:.1f},{y:.1f}" for x, y in points)],
        }
    )


def result(frame: Frame, *tables: pd.DataFrame, method: str = "surfaces.toy", **facts: Any) -> Result:
    """A result on a frame with a map of classes whose last row is unsure."""
    table = pd.concat(tables, ignore_index=True) if tables else Detections.empty().table
    mask = np.tile(np.arange(1, 6, dtype=np.uint16), (6, 2))
    mask[-1] = 0
    maps = {name: (mask == number).astype(np.float32) for number, name in enumerate(SEGMENTS, 1)}
    shares = {
        f"share_{name.replace(' ', '_')}": float((mask == n).mean()) for n, name in enumerate(SEGMENTS, 1)
    }
    provenance = Provenance(
        method=method,
        params={"threshold": 10.0, "label": "star"},
        frame_name=frame.name,
        frame_sha256=frame.sha256,
        frame_key=frame.key,
        width=frame.width,
        height=frame.height,
        version=core.__version__,
        started_at="2026-03-01T21:04:05+00:00",
    )
    return Result(
        Detections(table, {name: unit for name, unit in UNITS.items() if name in table}),
        summary="Landforms were found.",
        maps=maps,
        masks={"landforms": mask},
        facts={"share_unsure": float((mask == 0).mean()), **shares, **facts},
        warnings=("A warning with <b>tags</b>.",),
        timings={"total": 0.5},
        provenance=provenance,
    )
