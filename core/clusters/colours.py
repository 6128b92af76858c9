"""The colour–magnitude diagram of a cluster, and its Hess diagram with the field taken off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

BINS = 40


@dataclass(frozen=True, eq=False)
class Colours:
    """Colours and magnitudes.

    Attributes:
        colour, mag: ``(M,)`` of the members that have both.
        row: ``(M,)`` which members these are, among those given.
        colour_edges, mag_edges: Edges of the Hess diagram's cells.
        hess: ``(mag, colour)`` members in each cell.
        hess_field: ``(mag, colour)`` field stars expected there, or None without a field.
        expected_scatter: ``(mag, colour)`` Poisson standard deviation of members minus field.
    """

    colour: Float64
    mag: Float64
    row: NDArray[np.int64]
    colour_edges: Float64
    mag_edges: Float64
    hess: Float64
    hess_field: Float64 | None
    expected_scatter: Float64


def colours(
    colour: Float64,
    mag: Float64,
    field_colour: Float64 | None = None,
    field_mag: Float64 | None = None,
    field_scale: float = 1.0,
    bins: int = BINS,
) -> Colours | None:
    """Diagrams of the members, or None where none has both a colour and a magnitude.

    Args:
        colour, mag: ``(N,)`` of the members.
        field_colour, field_mag: ``(F,)`` of field stars, from a place where the cluster is not.
        field_scale: The cluster's area over theirs.
        bins: Cells along each axis.

    References:
        Hess 1924, Probleme der Astronomie (Festschrift for Seeliger), 265.
    """
    known = np.flatnonzero(np.isfinite(colour) & np.isfinite(mag))
    if not len(known):
        return None
    c, m = colour[known], mag[known]
    colour_edges = np.linspace(c.min() - 0.1, c.max() + 0.1, bins + 1)
    mag_edges = np.linspace(m.min() - 0.2, m.max() + 0.2, bins + 1)
    hess = np.histogram2d(m, c, [mag_edges, colour_edges])[0]
    field, variance = None, hess
    if field_colour is not None and field_mag is not None:
        both = np.isfinite(field_colour) & np.isfinite(field_mag)
        counted = np.histogram2d(field_mag[both], field_colour[both], [mag_edges, colour_edges])[0]
        field, variance = field_scale * counted, hess + field_scale**2 * counted
    return Colours(c, m, known, colour_edges, mag_edges, hess, field, np.sqrt(variance))
