"""Classes of places over the frame, as the browser colours and reads them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.ui.viewer.model import Areas
from core.ui.viewer.parcel import Packer, Parcel
from core.ui.viewer.values import binned_mean

MASK_SIDE = 1400
"""Longest side of a mask that travels: that of the picture it lies on."""
PROBABILITY_SIDE = 360
"""Probabilities are smooth, and there is one map a class."""


def areas_parcel(areas: Areas, frame: Frame, slot: str) -> Parcel:
    """Pack areas under ``slot``, the right way up: numbers of classes, and probabilities as 8-bit codes.

    Args:
        areas: What each place was taken for.
        frame: The frame it lies on.
        slot: The parcel's slot.

    Raises:
        ValueError: A map is not two-dimensional, or the mask has a number that is no class.
    """
    maps: list[NDArray[Any]] = [areas.mask, *areas.probabilities.values()]
    for values in maps:
        if values.ndim != 2:
            raise ValueError(f"a map of places has (rows, columns); got shape {values.shape}")
    most = int(areas.mask.max(initial=0))
    if most >= len(areas.classes):
        raise ValueError(f"the mask has the number {most}, but there are {len(areas.classes)} classes")
    packer = Packer()
    step = -(-max(areas.mask.shape) // MASK_SIDE)
    mask = areas.mask[step // 2 :: step, step // 2 :: step].astype(np.uint8)
    counts = np.bincount(areas.mask.ravel(), minlength=len(areas.classes)) / max(areas.mask.size, 1)
    shown = [
        {"name": each.name, "colour": each.colour, "pattern": each.pattern, "share": float(share)}
        for each, share in zip(areas.classes, counts, strict=True)
    ]
    return packer.parcel(
        slot,
        {
            "title": areas.title,
            "classes": shown,
            "hidden": list(areas.hidden),
            "mask": _packed(mask, frame, packer),
            "probabilities": [
                {"name": name, **_packed(_codes(values), frame, packer)}
                for name, values in areas.probabilities.items()
            ],
        },
    )


def _codes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    small = binned_mean(values.astype(np.float32, copy=False), -(-max(values.shape) // PROBABILITY_SIDE))
    codes: NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(small), 0.0, 1.0) * 255).astype(np.uint8)
    return codes


def _packed(codes: NDArray[np.uint8], frame: Frame, packer: Packer) -> dict[str, int]:
    upright = np.ascontiguousarray(codes[::-1] if frame.row0 == "bottom" else codes)
    rows, columns = codes.shape
    return {"rows": rows, "columns": columns, "blob": packer.add(zlib.compress(upright.tobytes(), 1))}
