"""The objects that are known to lie on a frame, as boxes to hold detections against.

A box goes around the ellipse that OpenNGC gives, turned as it lies on the frame, and is cut at its edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.dso.kinds import LABELS_OF_TYPES
from core.dso.names import objects_in
from core.frames import Frame
from core.results import Detections

Float64 = NDArray[np.float64]

LEAST_SIZE_PX = 14.0
FAINTEST_MAGNITUDE = 15.0
"""Objects that are smaller, fainter, of unknown size or with their middle beside the frame need not be found,
and are not wrong when they are."""
_STEP_DEG = 1.0 / 3600.0


@dataclass(frozen=True, eq=False)
class Known:
    """What is known to be on a frame.

    Attributes:
        objects: What should be found: boxes with ``label``, ``also`` (a second class, or None), ``name``,
            ``magnitude``, and the ellipse about ``x, y``: ``radius_px`` along its major axis, ``axis_ratio``
            and ``turn_deg`` from +x towards +y. Where the frame's edge cuts the box, ``x, y`` is not its
            middle.
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
    major = size_px / 2.0
    minor, along, across = _ellipses(entries, frame, scale_arcsec, major)
    half = np.hypot(major[:, None] * along, minor[:, None] * across)
    middle = entries[["x", "y"]].to_numpy(float)
    last = np.array([frame.width - 0.5, frame.height - 0.5])
    low, high = np.clip(middle - half, -0.5, last), np.clip(middle + half, -0.5, last)
    on_frame = ((middle >= -0.5) & (middle <= last)).all(axis=1)
    table = pd.DataFrame(np.hstack([low, high]), columns=["x_min", "y_min", "x_max", "y_max"])
    table["x"], table["y"] = middle.T
    table["score"] = 1.0
    for column in ("label", "name", "magnitude", "ra_deg", "dec_deg"):
        table[column] = entries[column].to_numpy()
    table["also"] = [(*LABELS_OF_TYPES[kind][1:], None)[0] for kind in entries["type"]]
    table["radius_px"] = major
    table["axis_ratio"] = minor / np.maximum(major, 1e-9)
    table["turn_deg"] = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    found = Detections(table, {"radius_px": "pix", "magnitude": "mag", "turn_deg": "deg"})
    plain = (entries["size_px"] >= LEAST_SIZE_PX) & ~(entries["magnitude"] > FAINTEST_MAGNITUDE)
    plain_to_see = plain.to_numpy() & on_frame
    return Known(found.where(plain_to_see), found.where(~plain_to_see & (low < high).all(axis=1)))


def _ellipses(
    entries: pd.DataFrame, frame: Frame, scale_arcsec: float, major: Float64
) -> tuple[Float64, Float64, Float64]:
    """Minor half axes ``(N,)`` in pixels, and ``(N, 2)`` unit vectors along the major and the minor axes.

    What the catalogue gives no second axis or no angle for is taken to be round.
    """
    minor = entries["minor_arcmin"].to_numpy(float) * 30.0 / scale_arcsec
    angle = np.radians(entries["angle_deg"].to_numpy(float))
    is_round = ~(np.isfinite(minor) & np.isfinite(angle))
    minor, angle = np.where(is_round, major, minor), np.where(is_round, 0.0, angle)
    north, east = _directions(entries, frame)
    along: Float64 = np.cos(angle)[:, None] * north + np.sin(angle)[:, None] * east
    across: Float64 = -np.sin(angle)[:, None] * north + np.cos(angle)[:, None] * east
    return minor, along, across


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
