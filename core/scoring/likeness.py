"""How like a painted map is to the map it should be, with what trivial maps score beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid
from core.scoring.maps import pearson, top_iou

Float32 = NDArray[np.float32]

MOST_DB = 60.0
"""Counted for maps that are equal to eight bits, whose ratio has no bound."""


@dataclass(frozen=True)
class Likeness:
    """Of one map or, as means, of many.

    Attributes:
        psnr_db: Peak signal-to-noise ratio in decibels, the peak being 1; at most :data:`MOST_DB`. It is high
            for any two maps that are mostly dark, so it means nothing without that of a trivial map.
        ssim: Structural similarity in [-1, 1] (Wang et al. 2004), Gaussian weights, a range of 1.
        correlation: Pearson's, in [-1, 1]; NaN where a map is flat.
        top_20_iou: Intersection over union of the hottest fifths; NaN where the true map is flat.
    """

    psnr_db: float
    ssim: float
    correlation: float
    top_20_iou: float

    def named(self) -> dict[str, float | None]:
        """The figures by name, those that could not be measured as None."""
        return {name: round(v, 4) if np.isfinite(v) else None for name, v in asdict(self).items()}


def likeness(truth: ArrayLike, painted: ArrayLike) -> Likeness:
    """Compare two ``(H, W)`` maps in [0, 1] of at least 11 pixels a side, by scikit-image's figures.

    Raises:
        ParameterInvalid: They are of different shapes, or not such maps.
    """
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    a, b = _levels(truth), _levels(painted)
    if a.shape != b.shape:
        raise _refused(b.shape, a.shape)
    equal = float(np.mean((a - b) ** 2)) <= 10.0 ** (-MOST_DB / 10.0)
    similar = structural_similarity(
        a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return Likeness(
        psnr_db=MOST_DB if equal else float(peak_signal_noise_ratio(a, b, data_range=1.0)),
        ssim=float(similar),
        correlation=pearson(a, b),
        top_20_iou=top_iou(a, b) if np.ptp(a) > 0 else float("nan"),
    )


def mean_likeness(each: Sequence[Likeness]) -> Likeness:
    """Means over maps; of a figure, over those maps for which it is known."""

    def mean(name: str) -> float:
        values = np.array([getattr(one, name) for one in each], float)
        known = values[np.isfinite(values)]
        return float(known.mean()) if len(known) else float("nan")

    return Likeness(*(mean(name) for name in ("psnr_db", "ssim", "correlation", "top_20_iou")))


def copied_input(picture: NDArray[np.uint8]) -> Float32:
    """The trivial map that copies the ``(H, W, 3)`` picture: its grey levels in [0, 1]."""
    grey: Float32 = (picture.mean(axis=2, dtype=np.float32) / np.float32(255.0)).astype(np.float32)
    return grey


def _levels(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    if array.ndim != 2 or min(array.shape) < 11 or not np.isfinite(array).all():
        raise _refused(array.shape, "an (H, W) map of finite values, 11 pixels a side or more")
    return array


def _refused(given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(f"map must be {limit}, got {given}.", parameter="map", given=given, limit=limit)
