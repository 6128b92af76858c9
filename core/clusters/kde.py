"""Maps of how dense the stars stand: of a cluster with its errors, and of a whole frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SIDE = 96
BOOTSTRAPS = 50
MIN_BANDWIDTH_CELLS = 1.0
ADAPTIVE_SIDE = 256
"""Cells along the longer side of an adaptive map."""
PILOT_SHARE = 0.5
"""Of the bandwidth for one normal crowd: a frame with a cluster has two, the field and the cluster."""
KERNEL_STEP = 1.15
"""Kernels this much apart in width count as equal."""


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


def adaptive_density(
    xy: Float64, covered: NDArray[np.bool_], *, sensitivity: float = 0.5, side: int = ADAPTIVE_SIDE
) -> NDArray[np.float32]:
    """Smooth stars on a frame, the less the denser they stand: small crowds stay small, sparse sky smooth.

    A first estimate with one bandwidth, by the rule for one normal crowd, says how dense each star stands;
    its kernel is then as much wider as the root of that density is smaller. Kernels are put into classes of
    nearly equal width, each smoothed at once. What kernels lose beyond the edge is made up for.

    Args:
        xy: ``(N, 2)`` places in pixels.
        covered: ``(H, W)`` where there is a measurement.
        sensitivity: Power of the density that kernels follow; 0 for one bandwidth.
        side: Cells along the longer side of the map.

    Returns:
        ``(h, w)`` stars a million pixels, over the whole frame.

    References:
        Silverman 1986, Density Estimation for Statistics and Data Analysis, eq. 4.14 and section 5.3;
        Abramson 1982, AnSta 10, 1217 (the root).
    """
    from scipy.ndimage import gaussian_filter

    from core.clusters.scan import areas

    height, width = covered.shape
    cell = max(height, width) / min(side, max(height, width))
    area = areas(covered.astype(np.float32), cell) * cell**2
    shape = area.shape
    column, row = np.clip(((xy + 0.5) / cell).astype(int).T, 0, np.array(shape[::-1])[:, None] - 1)

    def smoothed(weights: Float64, sigma: float) -> Float64:
        counts = np.bincount(row * shape[1] + column, weights, minlength=shape[0] * shape[1]).reshape(shape)
        return np.asarray(gaussian_filter(counts, sigma, mode="constant", truncate=3.0))

    spread = float(np.minimum(xy.std(axis=0), np.array(covered.shape[::-1]) / 12**0.5).min()) / cell
    bandwidth = max(PILOT_SHARE * spread * max(len(xy), 1) ** (-1.0 / 6.0), MIN_BANDWIDTH_CELLS)
    first = smoothed(np.ones(len(xy)), bandwidth)[row, column]
    typical = float(np.exp(np.mean(np.log(np.maximum(first, 1e-9))))) if len(xy) else 1.0
    own = bandwidth * (np.maximum(first, 1e-9) / typical) ** -sensitivity
    kernels = np.log(np.clip(own, MIN_BANDWIDTH_CELLS, 3.0 * bandwidth))
    grade = np.rint(kernels / np.log(KERNEL_STEP)).astype(int)
    total = np.zeros(shape)
    for step in np.unique(grade):
        total += smoothed((grade == step).astype(float), KERNEL_STEP ** float(step))
    open_to = gaussian_filter(area, bandwidth, mode="constant", truncate=3.0)
    return np.where(area > 0, 1e6 * total / np.maximum(open_to, 1e-3 * cell**2), 0.0).astype(np.float32)
