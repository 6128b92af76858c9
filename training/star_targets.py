"""What the star detector is asked for: crops of fields with targets for every pixel and every candidate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from training.star_scenes import Field

Float32 = NDArray[np.float32]

WANTED_SNR = 2.5
"""Stars at and above this are asked for; finding fainter ones is neither right nor wrong."""
PEAK_PX = 0.8
"""Width of the peak asked for around a star's centre."""
MATCH_PX = 2.0
WIDTH_ERROR = 0.06
"""Of the logarithm of the width of the stars."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A square crop and what is to be said of it.

    Attributes:
        image: ``(S, S)`` in standard deviations of the noise.
        heat: ``(S, S)`` 1 at a wanted star's pixel, falling to 0 around it.
        counts: ``(S, S)`` 0 where nothing is asked: around stars too faint.
        offset: ``(2, S, S)`` x and y to the star's centre.
        offset_weight: ``(S, S)`` 0 where there is no star.
        stars: ``(M, 4)`` x, y, SNR and flux of the stars, brightest first.
        fwhm_px: Width of the stars, a little wrong as measurements are.
    """

    image: Float32
    heat: Float32
    counts: Float32
    offset: Float32
    offset_weight: Float32
    stars: Float32
    fwhm_px: np.float32


def draw_sample(rng: np.random.Generator, field: Field, side: int) -> Sample:
    """A random crop of a field, turned, mirrored, and sometimes made noisier or wrongly normalised."""
    height, width = field.image.shape
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    image = field.image[top : top + side, left : left + side].astype(np.float32)
    x, y = field.xy[:, 0] - left, field.xy[:, 1] - top
    snr, flux = field.snr.copy(), field.flux.copy()
    if rng.random() < 0.5:
        image, x, y = image.T, y, x
    if rng.random() < 0.5:
        image, x = image[:, ::-1], side - 1 - x
    if rng.random() < 0.5:
        image, y = image[::-1], side - 1 - y
    if rng.random() < 0.3:
        extra = rng.uniform(0.2, 1.2)
        image = image + extra * rng.standard_normal(image.shape, dtype=np.float32)
        worse = np.hypot(1.0, extra)
        image, snr, flux = image / worse, snr / worse, flux / worse
    if rng.random() < 0.5:
        scale = np.exp(rng.normal(0.0, 0.06))
        image, flux = image * scale + rng.normal(0.0, 0.1), flux * scale
    near = (x > -0.5) & (x < side - 0.5) & (y > -0.5) & (y < side - 0.5)
    stars = np.column_stack([x, y, snr, flux])[near].astype(np.float32)
    stars = stars[np.argsort(-stars[:, 2], kind="stable")]
    fwhm_px = np.float32(field.fwhm_px * np.exp(rng.normal(0.0, WIDTH_ERROR)))
    return _with_targets(np.ascontiguousarray(image, np.float32), stars, fwhm_px)


def _with_targets(image: Float32, stars: Float32, fwhm_px: np.float32) -> Sample:
    side = len(image)
    heat = np.zeros((side, side), np.float32)
    counts = np.ones((side, side), np.float32)
    offset = np.zeros((2, side, side), np.float32)
    weight = np.zeros((side, side), np.float32)
    wanted = stars[stars[:, 2] >= WANTED_SNR][::-1]  # the brightest come last and win
    rows, columns, dx, dy, owner = _around(wanted, side, 3)
    peak = np.exp(-(dx**2 + dy**2) / (2 * PEAK_PX**2)).astype(np.float32)
    np.maximum.at(heat, (rows, columns), peak)
    column, row = np.rint(wanted[:, 0]).astype(int), np.rint(wanted[:, 1]).astype(int)
    faint = stars[stars[:, 2] < WANTED_SNR]
    i, j, fx, fy, _ = _around(faint, side, 2)
    disc = fx**2 + fy**2 <= MATCH_PX**2
    counts[i[disc], j[disc]] = 0.0
    counts[heat > 0.05] = 1.0
    heat[row, column] = 1.0
    close = (np.abs(dx) <= 1.5) & (np.abs(dy) <= 1.5)
    at = rows[close], columns[close]
    offset[0][at], offset[1][at] = dx[close], dy[close]
    weight[at] = np.clip(wanted[owner[close], 2], 1.0, 40.0) / 10.0
    return Sample(image, heat, counts, offset, weight, stars, fwhm_px)


def _around(stars: Float32, side: int, reach: int) -> tuple[NDArray[np.intp], ...]:
    """Pixels around each star in order: rows, columns, vectors to the star, and which star."""
    steps = np.arange(-reach, reach + 1)
    shape = (len(stars), len(steps), len(steps))
    columns = np.broadcast_to(np.rint(stars[:, 0]).astype(int)[:, None, None] + steps[None, None], shape)
    rows = np.broadcast_to(np.rint(stars[:, 1]).astype(int)[:, None, None] + steps[None, :, None], shape)
    inside = (columns >= 0) & (columns < side) & (rows >= 0) & (rows < side)
    dx = (stars[:, 0][:, None, None] - columns)[inside]
    dy = (stars[:, 1][:, None, None] - rows)[inside]
    owner = np.broadcast_to(np.arange(len(stars))[:, None, None], shape)[inside]
    return rows[inside], columns[inside], dx, dy, owner


def assign(stars: Float32, x: Float32, y: Float32) -> NDArray[np.intp]:
    """``(N,)`` the star each candidate belongs to, −1 for none: one to one, bright stars choosing first."""
    owner = np.full(len(x), -1)
    if not len(x) or not len(stars):
        return owner
    tree = cKDTree(np.column_stack([x, y]))
    _, found = tree.query(stars[:, :2], k=min(4, len(x)), distance_upper_bound=MATCH_PX)
    found = found.reshape(len(stars), -1)
    for star, choices in enumerate(found):
        for choice in choices:
            if choice < len(x) and owner[choice] < 0:
                owner[choice] = star
                break
    return owner
