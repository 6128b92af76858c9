"""The wide halos of scattered light around bright stars, drawn on a coarse grid because they are smooth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.simulate.psf import HALO_WIDTH, halo_psf
from core.simulate.scene import Scene
from core.simulate.stars import Stars

Float64 = NDArray[np.float64]

CELLS_PER_FWHM = 4.0
"""Grid cells across the width of a halo, where the image is smooth to a few parts in a thousand."""


def add_halos(light_e: Float64, stars: Stars, scene: Scene) -> None:
    """Add the halo's part of the light of each star to an image in place.

    Args:
        light_e: ``(C, H, W)`` electrons expected, changed in place.
        stars: The stars, with all of their light.
        scene: Its seeing says which part of the light is in the halo.
    """
    fraction = scene.seeing.halo_fraction
    if fraction == 0.0 or not len(stars):
        return
    from scipy.signal import fftconvolve

    planes, height, width = light_e.shape
    cell = max(1, int(HALO_WIDTH * scene.fwhm_px / CELLS_PER_FWHM))
    margin = 8
    rows, columns = -(-height // cell) + 2 * margin, -(-width // cell) + 2 * margin
    # Cell (0, 0) of the grid proper is centred on the middle of the image's first cell × cell pixels.
    grid_y = (stars.y - (cell - 1) / 2.0) / cell + margin
    grid_x = (stars.x - (cell - 1) / 2.0) / cell + margin
    kernel = (
        halo_psf(scene).drawImage(nx=2 * columns + 1, ny=2 * rows + 1, scale=cell, method="no_pixel").array
    )
    for plane in range(planes):
        points = _scatter(grid_x, grid_y, stars.flux_e[:, plane] * fraction, rows, columns)
        coarse = fftconvolve(points, kernel.astype(float), mode="same") / cell**2
        light_e[plane] += _refine(coarse, cell, margin, height, width)


def _scatter(x: Float64, y: Float64, flux: Float64, rows: int, columns: int) -> Float64:
    """Points shared out among the four grid cells around each."""
    grid = np.zeros((rows, columns))
    left, bottom = np.floor(x).astype(int), np.floor(y).astype(int)
    for step_y in (0, 1):
        for step_x in (0, 1):
            weight = (1 - np.abs(x - left - step_x)) * (1 - np.abs(y - bottom - step_y))
            column, row = left + step_x, bottom + step_y
            inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            np.add.at(grid, (row[inside], column[inside]), (flux * weight)[inside])
    return grid


def _refine(coarse: Float64, cell: int, margin: int, height: int, width: int) -> Float64:
    """The coarse grid at the image's pixels, by a cubic spline."""
    from scipy.interpolate import RectBivariateSpline

    rows, columns = coarse.shape
    spline = RectBivariateSpline(np.arange(rows), np.arange(columns), coarse)
    at_y = (np.arange(height) - (cell - 1) / 2.0) / cell + margin
    at_x = (np.arange(width) - (cell - 1) / 2.0) / cell + margin
    fine: Float64 = np.maximum(spline(at_y, at_x), 0.0)
    return fine
