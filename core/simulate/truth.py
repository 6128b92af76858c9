"""What is truly in a simulated frame, as a table of detections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.results import Detections
from core.shapes import BOX_COLUMNS
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]
LABELS = ("star", "galaxy", "nebula", "cluster")
UNITS = {"flux": "electron", "mag": "mag"}


def star_rows(stars: pd.DataFrame, xy: Float64, flux_e: Float64, snr: Float64) -> pd.DataFrame:
    """Rows of the truth table for stars with the columns ``ra_deg, dec_deg, g_mag, real, source_id``."""
    return pd.DataFrame(
        {
            "label": "star",
            "score": 1.0,
            "x": xy[:, 0],
            "y": xy[:, 1],
            "flux": flux_e,
            "ra_deg": stars["ra_deg"].to_numpy(float),
            "dec_deg": stars["dec_deg"].to_numpy(float),
            "name": star_names(stars),
            "mag": stars["g_mag"].to_numpy(float),
            "snr": snr,
            "real": stars["real"].to_numpy(bool),
        }
    )


def star_names(stars: pd.DataFrame) -> list[str | None]:
    """``"Gaia DR3 1234"`` or, for a negative number, ``"HIP 1234"``; None for stars that are made up."""
    ids, real = stars["source_id"].to_numpy(), stars["real"].to_numpy(bool)
    return [
        (f"Gaia DR3 {number}" if number > 0 else f"HIP {-number}") if is_real else None
        for number, is_real in zip(ids, real, strict=True)
    ]


def object_row(
    scene: Scene,
    label: str,
    about: Any,
    box: tuple[float, float, float, float],
    flux_e: float,
    mag: float,
    snr: float,
) -> dict[str, Any] | None:
    """The row of an extended object; None when its box lies outside the frame.

    The box is cut at the frame's edge, and x, y is the middle of what is left.
    """
    width, height = scene.camera.width, scene.camera.height
    x_min, y_min = max(box[0], -0.5), max(box[1], -0.5)
    x_max, y_max = min(box[2], width - 0.5), min(box[3], height - 0.5)
    if x_min >= x_max or y_min >= y_max:
        return None
    return {
        "label": label,
        "score": 1.0,
        "x": (x_min + x_max) / 2.0,
        "y": (y_min + y_max) / 2.0,
        **dict(zip(BOX_COLUMNS, (x_min, y_min, x_max, y_max), strict=True)),
        "flux": flux_e,
        "ra_deg": about.ra_deg,
        "dec_deg": about.dec_deg,
        "name": about.name or None,
        "mag": mag,
        "snr": snr,
        "real": False,
    }


def truth_table(
    scene: Scene, stars: pd.DataFrame, objects: Sequence[dict[str, Any]], saturated: NDArray[np.bool_]
) -> Detections:
    """Stars on the frame, brightest first, then the objects.

    Args:
        scene: Its size decides which stars are on the frame.
        stars: From :func:`star_rows`.
        objects: From :func:`object_row`.
        saturated: ``(H, W)`` where pixels are full.
    """
    width, height = scene.camera.width, scene.camera.height
    on_frame = stars["x"].between(-0.5, width - 0.5) & stars["y"].between(-0.5, height - 0.5)
    kept = stars[on_frame].sort_values("flux", ascending=False, kind="stable")
    table = pd.concat([kept, pd.DataFrame(list(objects))], ignore_index=True) if objects else kept.copy()
    column = np.clip(np.rint(table["x"].to_numpy(float)).astype(int), 0, width - 1)
    row = np.clip(np.rint(table["y"].to_numpy(float)).astype(int), 0, height - 1)
    table["saturated"] = saturated[row, column] & (table["label"] == "star").to_numpy()
    return Detections(table, units=UNITS)
