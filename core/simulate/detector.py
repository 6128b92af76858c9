"""The camera: counting photons, overflowing wells, reading out and converting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.simulate.groups import Camera

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


def count(rng: np.random.Generator, expected_e: Float64, n_stacked: int = 1) -> Float64:
    """Electrons counted where so many are expected, as the mean of ``n_stacked`` exposures.

    The sum of Poisson numbers is a Poisson number: light of different kinds can be counted one after the
    other, each with random numbers of its own.
    """
    counted: Float64 = rng.poisson(np.maximum(expected_e, 0.0) * n_stacked).astype(np.float64)
    return counted / n_stacked if n_stacked > 1 else counted


def fill_wells(electrons: Float64, camera: Camera) -> Float64:
    """``(..., H, W)`` electrons the wells hold; the excess is lost, or with blooming runs along columns."""
    if not camera.blooming:
        return np.minimum(electrons, camera.full_well_e)
    held = electrons.copy()
    for plane in held.reshape(-1, *held.shape[-2:]):
        for column in np.flatnonzero((plane > camera.full_well_e).any(axis=0)):
            plane[:, column] = _bloom(plane[:, column], camera.full_well_e)
    return held


def is_full(wells: Float64, camera: Camera) -> NDArray[np.bool_]:
    """``(..., H, W)`` where wells hold all they can, up to rounding.

    The read noise that comes after scatters their numbers to both sides of the saturation level.
    """
    return np.asarray(wells >= camera.full_well_e * (1.0 - 1e-9))


def _bloom(column: Float64, full: float) -> Float64:
    """One column with each overflowing run spilling half of its excess up and half down.

    What reaches the edge of the sensor is lost.
    """
    column = column.copy()
    over = np.flatnonzero(column > full)
    for run in np.split(over, np.flatnonzero(np.diff(over) > 1) + 1):
        excess = float((column[run] - full).sum())
        column[run] = full
        _pour(column[run[-1] + 1 :], excess / 2.0, full)
        _pour(column[: run[0]][::-1], excess / 2.0, full)
    return column


def _pour(pixels: Float64, charge: float, full: float) -> None:
    """Fill pixels in turn, in place, until the charge is used up."""
    room = np.maximum(full - pixels, 0.0)
    before = np.cumsum(room) - room
    pixels += np.clip(charge - before, 0.0, room)


def read_out(rng: np.random.Generator, electrons: Float64, camera: Camera) -> Float32:
    """``(C, H, W)`` electrons to numbers: read noise, bias, gain, and the converter's steps and limit.

    A stack is a mean of numbers, so its values lie between the steps.
    """
    noise = camera.read_noise_e / np.sqrt(camera.n_stacked)
    numbers = np.empty(electrons.shape, np.float32)
    for plane, held in zip(numbers, electrons, strict=True):  # one by one, which takes a third of the memory
        adu = (held + rng.normal(0.0, 1.0, held.shape) * noise) / camera.gain_e_per_adu + camera.bias_adu
        if camera.n_stacked == 1:
            adu = np.rint(adu)
        plane[:] = np.clip(adu, 0.0, camera.saturation_adu)
    return numbers


def mosaic(planes: Float64) -> Float64:
    """``(1, H, W)`` raw frame of a colour sensor from ``(3, H, W)``: red, green / green, blue.

    The first row and column are the first of the array.
    """
    raw = planes[1:2].copy()
    raw[0, 0::2, 0::2] = planes[0, 0::2, 0::2]
    raw[0, 1::2, 1::2] = planes[2, 1::2, 1::2]
    return raw
