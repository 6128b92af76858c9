"""The objects that are known to lie on a frame, as boxes to hold detections against.

A box goes around the ellipse that OpenNGC gives, turned as it lies on the frame, and is cut at its edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.dso.names import objects_in
from core.frames import Frame
from core.results import Detections

Float64 = NDArray[np.float64]

LEAST_SIZE_PX = 14.0
FAINTEST_MAGNITUDE = 15.0
"""Objects that are smaller, fainter or of unknown size need not be found, and are not wrong when they are."""
_STEP_DEG = 1.0 / 3600.0


@dataclass(frozen=True, eq=False)
class Known:
    """What is known to be on a frame.

    Attributes:
        objects: What should be found: boxes with ``label``, ``name``, ``magnitude`` and ``radius_px``.
        others: What is there too but need not be found.
    """

    objects: Detections
    others: Detections


def known_objects(frame: Frame) -> Known:
    """The objects of OpenNGC on a frame; none of either kind without a WCS."""
    entries = objects_in(frame) if frame.wcs is not None else pd.DataFrame()
    if not len(entries):
        return Known(Detections.empty(), Detections.empty())
    scale_arcsec = frame.pixel_scale_arcsec or math.nan
    size_px = entries["size_px"].fillna(LEAST_SIZE_PX / 2.0).to_numpy(float)
    half = _half_sides(entries, frame, scale_arcsec, size_px)
    middle = entries[["x", "y"]].to_numpy(float)
    last = np.array([frame.width - 0.5, frame.height - 0.5])
    low, high = np.clip(middle - half, -0.5, last), np.clip(middle + half, -0.5, last)
    table = pd.DataFrame(np.hstack([low, high]), columns=["x_min", "y_min", "x_max", "y_max"])
    table["x"], table["y"] = ((low + high) / 2.0).T
    table["score"] = 1.0
    for column in ("label", "name", "magnitude", "ra_deg", "dec_deg"):
        table[column] = entries[column].to_numpy()
    table["radius_px"] = size_px / 2.0
    found = Detections(table, {"radius_px": "pix", "magnitude": "mag"})
    plain_to_see = (entries["size_px"] >= LEAST_SIZE_PX) & ~(entries["magnitude"] > FAINTEST_MAGNITUDE)
    return Known(found.where(plain_to_see.to_numpy()), found.where(~plain_to_see.to_numpy()))


def _half_sides(entries: pd.DataFrame, frame: Frame, scale_arcsec: float, size_px: Float64) -> Float64:
    """``(N, 2)`` half width and half height of the upright boxes around the ellipses, in pixels."""
    major = size_px / 2.0
    minor = entries["minor_arcmin"].to_numpy(float) * 30.0 / scale_arcsec
    angle = np.radians(entries["angle_deg"].to_numpy(float))
    round_one = ~(np.isfinite(minor) & np.isfinite(angle))
    minor, angle = np.where(round_one, major, minor), np.where(round_one, 0.0, angle)
    north, east = _directions(entries, frame)
    along = np.cos(angle)[:, None] * north + np.sin(angle)[:, None] * east
    across = -np.sin(angle)[:, None] * north + np.cos(angle)[:, None] * east
    half: Float64 = np.hypot(major[:, None] * along, minor[:, None] * across)
    return half


def _directions(entries: pd.DataFrame, frame: Frame) -> tuple[Float64, Float64]:
    """``(N, 2)`` unit vectors on the frame towards north and east at each object."""
    ra, dec = entries["ra_deg"].to_numpy(float), entries["dec_deg"].to_numpy(float)
    here = entries[["x", "y"]].to_numpy(float)
    south = np.where(dec + _STEP_DEG > 90.0, -1.0, 1.0)
    wide = _STEP_DEG / np.maximum(np.cos(np.radians(dec)), 1e-6)
    vectors = []
    for sign, place in (
        (south, frame.pixel(ra, dec + south * _STEP_DEG)),
        (np.ones(len(ra)), frame.pixel((ra + wide) % 360.0, dec)),
    ):
        step = sign[:, None] * (np.column_stack(place or (here[:, 0], here[:, 1])) - here)
        length = np.hypot(step[:, 0], step[:, 1])[:, None]
        vectors.append(np.divide(step, length, out=np.zeros_like(step), where=length > 0))
    return vectors[0], vectors[1]
