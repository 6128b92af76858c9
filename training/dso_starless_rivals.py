"""Other ways to take stars away, to be measured beside ``dso.starless``.

``masked``: sources of SEP that are small and round are cut out and filled from what surrounds them, what an
astronomer does without a network. ``starrem2k13``: a public network of the StarNet kind (MIT, ONNX), which
needs onnxruntime and is only ever run here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]

LARGEST_STAR_PX = 9.0
"""Second moment of a source, beyond which it is no star; rounder than the next."""
LEAST_ROUND = 0.55
REACH, LEAST_REACH_PX = 3.5, 2.5
"""A star is cut out to so many of its second moments, and to so many pixels more."""
ONNX_SIDE_PX, ONNX_OVERLAP_PX, ONNX_WHITE = 512, 128, 382.0


def masked(picture: UInt8) -> UInt8:
    """``(H, W, 3)`` the picture with small round sources replaced by what surrounds them."""
    import sep
    from scipy import ndimage

    grey = np.ascontiguousarray(picture.mean(axis=2, dtype=np.float32))
    background = sep.Background(grey, bw=32, bh=32)
    sep.set_extract_pixstack(max(300_000, grey.size))
    noise = max(float(background.globalrms), 0.7)
    found = sep.extract(grey - background.back(), 2.5, err=noise, minarea=4, deblend_cont=0.005)
    round_ = (found["a"] < LARGEST_STAR_PX) & (found["b"] > LEAST_ROUND * found["a"])
    stars = np.zeros(grey.shape, bool)
    at = found[round_]
    sep.mask_ellipse(
        stars, at["x"], at["y"], at["a"] + LEAST_REACH_PX / REACH, at["b"] + LEAST_REACH_PX / REACH,
        at["theta"], r=REACH,
    )  # fmt: skip
    kept = (~stars).astype(np.float32)
    filled = picture.astype(np.float32)
    left = stars.copy()
    for sigma in (3.0, 8.0, 24.0):
        weight = ndimage.gaussian_filter(kept, sigma)
        able = left & (weight > 0.05)
        for channel in range(3):
            mean = ndimage.gaussian_filter(picture[..., channel] * kept, sigma)
            filled[..., channel][able] = mean[able] / weight[able]
        left &= ~able
    return np.minimum(np.clip(np.rint(filled), 0, 255).astype(np.uint8), picture)


def starrem2k13(folder: Path) -> Callable[[UInt8], UInt8]:
    """The public network, as a function of ``(H, W, 3)`` pictures.

    Args:
        folder: That holds ``model.onnx``.

    Raises:
        ImportError: onnxruntime is not installed.
    """
    onnxruntime = importlib.import_module("onnxruntime")  # a library of development only

    from core.dso.starless_network import shares, spans

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name

    def run(picture: UInt8) -> UInt8:
        height, width = picture.shape[:2]
        step = ONNX_SIDE_PX - ONNX_OVERLAP_PX
        more = [
            (0, ONNX_SIDE_PX + max(0, -(-(side - ONNX_SIDE_PX) // step)) * step - side)
            for side in (height, width)
        ]
        whole = np.pad(picture, (*more, (0, 0)), mode="symmetric")
        rows, columns = (spans(side, ONNX_SIDE_PX, ONNX_OVERLAP_PX) for side in whole.shape[:2])
        out = np.zeros(whole.shape, np.float32)
        for (top, bottom), down in zip(rows, shares(rows, whole.shape[0], 32), strict=True):
            for (left, right), across in zip(columns, shares(columns, whole.shape[1], 32), strict=True):
                for channel in range(3):
                    given = whole[top:bottom, left:right, channel].astype(np.float32) / ONNX_WHITE
                    answer = session.run(None, {name: given[None]})[0][0, :, :, 0]
                    part = answer * ONNX_WHITE * down[:, None] * across[None, :]
                    out[top:bottom, left:right, channel] += part
        return np.clip(np.rint(out[:height, :width]), 0, 255).astype(np.uint8)

    return run
