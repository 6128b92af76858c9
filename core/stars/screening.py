"""Which candidates are not stars, and why, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Reasons = NDArray[np.object_]

SHAPE_SNR = 10.0
"""Fainter sources have shapes too uncertain to be turned down for."""


@dataclass(frozen=True)
class Rules:
    """What a star must be.

    Attributes:
        edge_margin_px: Least distance of the centre from the frame's edge, pixels.
        fwhm_px: Width of the frame's stars.
        min_snr: Least signal-to-noise ratio in the aperture.
        max_ellipticity: Greatest ellipticity of sources with SNR of :data:`SHAPE_SNR` or more.
        max_concentration: How many times sharper than a star a source may be.
        max_width: How many times wider than a star a source may be.
        separation_fwhm: Two candidates within this part of the stars' width are one star.
    """

    edge_margin_px: float
    fwhm_px: float
    min_snr: float = -np.inf
    max_ellipticity: float = np.inf
    max_concentration: float = np.inf
    max_width: float = np.inf
    separation_fwhm: float = 0.5


def screen(
    sources: pd.DataFrame, shape: tuple[int, int], rules: Rules, known: Reasons | None = None
) -> Reasons:
    """Say for each candidate why it is not a star, or None when it is one.

    Saturated stars are cut flat and trail, so their shape is not held against them.

    Args:
        sources: Table of :func:`core.stars.photometry.measure_sources`, N rows.
        shape: Rows and columns of the frame.
        rules: What a star must be.
        known: ``(N,)`` reasons the method itself has; they come after place and brightness.

    Returns:
        ``(N,)`` sentences or None.
    """
    height, width = shape
    table = sources
    margin = np.minimum.reduce([table["x"], table["y"], width - 1 - table["x"], height - 1 - table["y"]])
    bright = (table["snr"] >= SHAPE_SNR) & ~table["saturated"]
    sharp = table["concentration"] - 3 * table["concentration_err"] > rules.max_concentration
    reasons = np.full(len(table), None, dtype=object)

    def reject(which: pd.Series | NDArray[np.bool_], sentence: str, column: str | None = None) -> None:
        for i in np.flatnonzero(np.asarray(which, bool) & pd.isna(reasons)):
            reasons[i] = sentence if column is None else sentence.format(table[column].iloc[int(i)])

    reject(table["missing"] > 0.5, "mostly missing pixels")
    reject(margin < rules.edge_margin_px, "touches the edge of the frame")
    reject(
        ~(table["snr"] >= rules.min_snr),
        f"below threshold after photometry: SNR {{:.1f}} < {rules.min_snr:g}",
        "snr",
    )
    reject(
        sharp & ~table["saturated"],
        "sharper than a star: {:.1f} times, a hot pixel or a cosmic ray",
        "concentration",
    )
    if known is not None:
        for i in np.flatnonzero(pd.isna(reasons) & ~table["saturated"].to_numpy(bool)):
            reasons[i] = known[i]
    reject(
        bright & (table["ellipticity"] > rules.max_ellipticity),
        "too elongated: ellipticity {:.2f}, a trail or a cosmic ray",
        "ellipticity",
    )
    reject(
        bright & (table["fwhm_px"] > rules.max_width * rules.fwhm_px),
        "wider than a star: FWHM {:.1f} px, a galaxy or a nebula",
        "fwhm_px",
    )
    for double in _doubles(table, reasons, rules):
        reasons[double] = "the same star as a brighter candidate beside it"
    return reasons


def _doubles(table: pd.DataFrame, reasons: Reasons, rules: Rules) -> list[int]:
    """The fainter of each two accepted candidates that are too near each other to be two.

    That is the width of the frame's stars, or of the star itself where it is saturated: its flat top has
    many peaks.
    """
    from scipy.spatial import cKDTree

    accepted = np.flatnonzero(pd.isna(reasons))
    if len(accepted) < 2:
        return []
    flux, xy = table["flux"].to_numpy(), table[["x", "y"]].to_numpy()
    own = np.where(table["saturated"], table["fwhm_px"].fillna(0.0), 0.0)
    least = max(rules.fwhm_px, 1.0)
    reach = rules.separation_fwhm * np.clip(own, least, 8 * least)
    pairs = cKDTree(xy[accepted]).query_pairs(float(reach[accepted].max()), output_type="ndarray")
    dropped: set[int] = set()
    for a, b in sorted((int(accepted[i]), int(accepted[j])) for i, j in pairs):
        brighter, fainter = (a, b) if flux[a] >= flux[b] else (b, a)
        near = np.hypot(*(xy[a] - xy[b])) <= reach[brighter]
        if near and a not in dropped and b not in dropped:
            dropped.add(fainter)
    return sorted(dropped)
