"""A heat map over the frame, as the browser colours it."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.ui.viewer.parcel import Packer, Parcel
from core.ui.viewer.values import binned_mean

HEAT_SIDE = 1024


def heat_parcel(heat: NDArray[np.float32], frame: Frame, slot: str) -> Parcel:
    """Pack a heat map under ``slot``, the right way up, as 8-bit codes from its least to its greatest value.

    Args:
        heat: ``(h, w)`` float32 that covers the frame at any resolution; NaN is as cold as the coldest.
        frame: The frame it lies on.
        slot: The parcel's slot.

    Raises:
        ValueError: The map is not two-dimensional.
    """
    if heat.ndim != 2:
        raise ValueError(f"a heat map has (rows, columns); got shape {heat.shape}")
    small = binned_mean(heat.astype(np.float32, copy=False), -(-max(heat.shape) // HEAT_SIDE))
    known = small[np.isfinite(small)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    codes = np.rint(np.nan_to_num((small - low) / ((high - low) or 1.0)) * 255).astype(np.uint8)
    upright = codes[::-1] if frame.row0 == "bottom" else codes
    packer = Packer()
    packer.add(zlib.compress(np.ascontiguousarray(upright).tobytes(), 1))
    rows, columns = codes.shape
    return packer.parcel(slot, {"rows": rows, "columns": columns, "low": low, "high": high})
