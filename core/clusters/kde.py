"""A map of how dense the stars stand, and how sure that map is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SIDE = 96
BOOTSTRAPS = 50
MIN_BANDWIDTH_CELLS = 1.0


@dataclass(frozen=True, eq=False)
class DensityMap:
    """Surface density of stars.

    Attributes:
        x, y: ``(n,)`` places of the columns and rows, in the plane's unit.
        density: ``(n, n)`` stars a square unit; rows are y.
        error: ``(n, n)`` standard error from resampling the stars.
        bandwidth: Standard deviation of the normal kernel, in the plane's unit.
    """

    x: Float64
    y: Float64
    density: Float64
    error: Float64
    bandwidth: float


def density_map(
    xy: Float64, *, bandwidth: float | None = None, side: int = SIDE, seed: int = 0
) -> DensityMap:
    """Smooth the stars' places with a normal kernel.

    Args:
        xy: ``(N, 2)`` places.
        bandwidth: Standard deviation of the kernel in the plane's unit; by default Silverman's rule, with
            the robust width of the smaller of both directions so that a few far stars do not blur the map.
        side: Cells along each side.
        seed: Of the resampling.

    References:
        Silverman 1986, Density Estimation for Statistics and Data Analysis, eq. 3.31 and 4.14; Efron 1979,
        AnSta 7, 1 (resampling).
    """
    from scipy.ndimage import gaussian_filter

    span = max(float(np.ptp(xy, axis=0).max(initial=0.0)), 1e-9) * 1.1
    centre = 0.5 * (xy.max(axis=0) + xy.min(axis=0))
    cell = span / side
    if bandwidth is None:
        quartiles = np.subtract(*np.percentile(xy, [75, 25], axis=0)) / 1.349
        width = float(np.minimum(xy.std(axis=0), np.where(quartiles > 0, quartiles, np.inf)).min())
        bandwidth = width * len(xy) ** (-1.0 / 6.0)
    bandwidth = max(bandwidth, MIN_BANDWIDTH_CELLS * cell)
    edges = np.linspace(-span / 2.0, span / 2.0, side + 1)
    counts = np.histogram2d(xy[:, 1], xy[:, 0], [centre[1] + edges, centre[0] + edges])[0]

    def smooth(image: Float64) -> Float64:
        smoothed = gaussian_filter(image, bandwidth / cell, mode="constant")
        return np.asarray(smoothed / cell**2, float)

    rng = np.random.default_rng(seed)
    # Resampling N stars is, cell by cell, drawing multinomial counts.
    share = (counts / counts.sum()).ravel()
    drawn = rng.multinomial(int(counts.sum()), share, BOOTSTRAPS).reshape(-1, side, side).astype(float)
    error = np.std([smooth(image) for image in drawn], axis=0)
    middles = 0.5 * (edges[1:] + edges[:-1])
    return DensityMap(centre[0] + middles, centre[1] + middles, smooth(counts), error, bandwidth)
