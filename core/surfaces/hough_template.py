"""What a crater looks like: brightness around its middle, as a sum of rings and of waves around them.

A template is a matched filter in polar harmonics: the weight of each ring (distance from the middle over the
radius) and of each wave around it (0, 1 or 2 periods, counted from the side of the sun). The same template is
drawn at every size and for every sun, and a picture less its local mean, over its local contrast, is weighed
with it. The weights were fitted by logistic regression to Mars THEMIS tiles and to hillshades of lunar relief
(half of the tiles and eight regions, which no score was measured on).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

RINGS = tuple(round(0.2 * ring, 1) for ring in range(9))
"""Middles of the rings in radii; each fades out at its neighbours' middles."""
WAVES = (0, 1, 2)
N_SECTORS = 8
REACH = 1.7
"""Radii that are looked at around a middle."""
LEAST_CONTRAST = 1.5
"""Levels of 255 added to the local contrast: fainter structure is compression and noise."""


@dataclass(frozen=True)
class Template:
    """A matched filter for craters.

    Attributes:
        weights: ``(waves, rings)``.
        offset: Added to the sum; the score is its logistic function.
    """

    weights: tuple[tuple[float, ...], ...]
    offset: float

    def drawn(self, radius: float, azimuth_deg: float) -> Float32:
        """``(n, n)`` filter for craters of a radius in pixels; the sun is at an azimuth from +x to +y."""
        return _drawn(self, radius, azimuth_deg)

    def profile(self, around: NDArray[np.float64], away: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(angles, distances)`` what the filter weighs with, up to a factor.

        Args:
            around: ``(angles,)`` radians from the side of the sun.
            away: ``(distances,)`` in radii.
        """
        step = RINGS[1] - RINGS[0]
        rings = np.clip(1.0 - np.abs(away - np.array(RINGS)[:, None]) / step, 0.0, None)
        # Each piece has a total of 1, so outer rings and waves weigh by their area.
        size = (
            np.maximum(np.array(RINGS), step / 4.0) * np.where(np.array(WAVES) > 0, 2 / np.pi, 1.0)[:, None]
        )
        waves = np.cos(np.outer(np.array(WAVES), around))
        drawn: NDArray[np.float64] = waves.T @ ((np.array(self.weights) / size) @ rings)
        return drawn


def parts(radius: float, azimuth_deg: float) -> NDArray[np.float64]:
    """``(waves, rings, n, n)`` pieces that templates are sums of, each with a total of 1 without its sign."""
    y, x = _grid(radius)
    away, around = np.hypot(x, y), np.arctan2(y, x) - np.radians(azimuth_deg)
    step = RINGS[1] - RINGS[0]
    pieces = []
    for wave in WAVES:
        for ring in RINGS:
            one = np.clip(1.0 - np.abs(away - ring) / step, 0.0, None) * np.cos(wave * around)
            if wave and ring == 0.0:
                one = np.zeros_like(one)
            pieces.append(one / max(np.abs(one).sum(), 1e-9))
    return np.array(pieces).reshape(len(WAVES), len(RINGS), *away.shape)


def disc(radius: float) -> NDArray[np.float64]:
    """``(n, n)`` ones within :data:`REACH`, zeros elsewhere."""
    y, x = _grid(radius)
    return (np.hypot(x, y) <= REACH).astype(float)


def _grid(radius: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    reach = int(np.ceil(REACH * radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] / radius
    return y, x


@functools.lru_cache(maxsize=512)
def _drawn(template: Template, radius: float, azimuth_deg: float) -> Float32:
    kernel = np.tensordot(np.array(template.weights), parts(radius, azimuth_deg), axes=([0, 1], [0, 1]))
    window = disc(radius)
    kernel -= window * (kernel.sum() / window.sum())
    return kernel.astype(np.float32)


@functools.lru_cache(maxsize=512)
def sectors(radius: float, azimuth_deg: float) -> tuple[NDArray[np.bool_], Float32]:
    """Where a filter reaches, ``(n * n,)``, and ``(sectors, pixels)`` its weights there, each in its sector
    and zero in the others; the first sector is around the side of the sun."""
    y, x = _grid(radius)
    window = disc(radius) > 0
    width = 360.0 / N_SECTORS
    around = np.degrees(np.arctan2(y, x)) - azimuth_deg + width / 2.0
    which = (np.floor(around / width) % N_SECTORS).astype(int)[window]
    weights = np.eye(N_SECTORS, dtype=np.float32)[:, which] * TEMPLATE.drawn(radius, azimuth_deg)[window]
    return window.ravel(), weights


TEMPLATE = Template(
    weights=(
        # middle of the ring: 0, 0.2, 0.4, ..., 1.6 radii
        (
            -0.005,
            0.123,
            0.665,
            0.229,
            -0.494,
            -0.596,
            -0.393,
            0.047,
            0.544,
        ),  # the same all around: a bright rim on darker ground
        (
            0.0,
            0.184,
            -0.705,
            -1.921,
            -2.233,
            -0.816,
            1.534,
            1.595,
            -0.005,
        ),  # once around: dark towards the sun within the rim, bright beyond it
        (0.0, -0.005, 0.037, -0.04, 0.334, 0.302, -0.008, -0.244, 0.009),
    ),
    offset=-4.562,
)
SECTOR_WEIGHTS = (-0.48, 1.40, 1.90, 1.51, 2.40, 2.06, 1.30, 0.99)
"""Of the answers of the sectors, the weakest first."""
SECTOR_OFFSET = -11.8
