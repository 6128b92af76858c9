"""Stars by DAOFIND: peaks of the filtered frame, judged by their sharpness and roundness."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.frames import Frame
from core.methods import Method, Progress
from core.parameters import parameter
from core.results import Result
from core.stars.background import Sky
from core.stars.detection import Candidates, ThresholdParameters, detect
from core.stars.screening import Reasons
from core.stars.tiles import Tile, tiles

MARGIN_FWHM = 4.0
"""Margin of a tile beyond the least separation: more than the kernel reaches."""
_SHAPE = ("sharpness", "roundness1", "roundness2")


@dataclass(frozen=True)
class DaofindParameters(ThresholdParameters):
    """What DAOFIND can be told."""

    threshold_sigma: float = parameter(
        3.0,
        label="Threshold",
        unit="σ",
        low=1.0,
        high=100.0,
        step=0.1,
        help="How far a peak must stand above the noise of the frame filtered with the shape of a star.",
        why="Lower than for SEP: the highest pixel is held against it, not the sum of pixels.",
    )
    sharpness_low: float = parameter(
        0.1,
        label="Least sharpness",
        low=-10.0,
        high=10.0,
        step=0.05,
        help="The highest pixel's rise above its neighbours over the fitted height; blots are low.",
        why="DAOFIND's 0.2 turns down stars that noise flattens.",
        advanced=True,
    )
    sharpness_high: float = parameter(
        1.5,
        label="Greatest sharpness",
        low=-10.0,
        high=10.0,
        step=0.05,
        help="Hot pixels and cosmic rays exceed it.",
        why="DAOFIND's 1.0 turns down bright stars narrower than 2 px, and faint ones with a noisy peak.",
        advanced=True,
    )
    roundness_limit: float = parameter(
        1.5,
        label="Roundness limit",
        low=0.0,
        high=10.0,
        step=0.05,
        help="Both roundness measures must lie within ± this; 0 is round, trails go beyond.",
        why="DAOFIND's 1.0 turns down faint stars and blends.",
        advanced=True,
    )
    min_separation_fwhm: float = parameter(
        1.0,
        label="Least separation",
        unit="FWHM",
        low=0.0,
        high=10.0,
        step=0.1,
        help="Of two peaks closer than this only the higher is kept.",
        why="Closer stars do not have two peaks; photutils' 2.5 loses neighbours in crowded fields.",
    )


def find(sky: Sky, fwhm_px: float, params: DaofindParameters, progress: Progress) -> Candidates:
    """Find the peaks without any cut, then say which cuts each would not have passed."""
    margin_px = math.ceil((MARGIN_FWHM + params.min_separation_fwhm) * fwhm_px)
    parts = list(tiles(sky.data.shape, margin_px))
    found = []
    for number, tile in enumerate(parts):
        progress(number / len(parts), "looking for stars")
        found.append(_peaks(sky, tile, fwhm_px, params))
    table = pd.concat(found, ignore_index=True)
    return Candidates(table, _reasons(table, params))


def _peaks(sky: Sky, tile: Tile, fwhm_px: float, params: DaofindParameters) -> pd.DataFrame:
    """The peaks of a tile, at their place on the frame."""
    from photutils.detection import DAOStarFinder
    from photutils.utils.exceptions import NoDetectionsWarning

    finder = DAOStarFinder(
        threshold=params.threshold_sigma * sky.noise[tile.wide],
        fwhm=fwhm_px,
        min_separation=params.min_separation_fwhm * fwhm_px,
        sharpness_range=None,
        roundness_range=None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        peaks = finder(sky.data[tile.wide], mask=None if sky.missing is None else sky.missing[tile.wide])
    if peaks is None:
        return pd.DataFrame({name: np.empty(0) for name in ("x", "y", *_SHAPE)})
    table = pd.DataFrame(
        {
            "x": np.asarray(peaks["x_centroid"], float) + tile.wide_columns.start,
            "y": np.asarray(peaks["y_centroid"], float) + tile.wide_rows.start,
            **{name: np.asarray(peaks[name], float) for name in _SHAPE},
        }
    )
    return table[tile.own(table["x"].to_numpy(), table["y"].to_numpy())]


def _reasons(table: pd.DataFrame, params: DaofindParameters) -> Reasons:
    """Why each peak would not have passed, or None."""
    sharpness, roundness1, roundness2 = (table[name].to_numpy() for name in _SHAPE)
    reasons = np.full(len(table), None, dtype=object)
    limit = params.roundness_limit
    for i, (sharp, first, second) in enumerate(zip(sharpness, roundness1, roundness2, strict=True)):
        worst = max(first, second, key=abs)
        if not sharp <= params.sharpness_high:
            reasons[i] = (
                f"too sharp: {sharp:.2f} above {params.sharpness_high:g}, a hot pixel or a cosmic ray"
            )
        elif sharp < params.sharpness_low:
            reasons[i] = f"not sharp enough: {sharp:.2f} below {params.sharpness_low:g}, a blot"
        elif not abs(worst) <= limit:
            reasons[i] = f"not round: roundness {worst:.2f} outside ±{limit:g}"
    return reasons


def analyse(frame: Frame, params: DaofindParameters, progress: Progress) -> Result:
    """Find and measure stars; see :func:`core.stars.detection.detect`."""
    return detect(frame, params, progress, find)


METHOD = Method(
    name="stars.daofind",
    title="DAOFIND",
    summary="Looks for peaks shaped like a star; careful with blots and trails, but misses close neighbours.",
    description=(
        "The frame is correlated with a Gaussian of the stars' width less its mean, and peaks above the "
        "threshold are candidates, judged by how sharp and how round they are. The classical finder for "
        "photometry of star clusters."
    ),
    reference="Stetson 1987, PASP 99, 191 (doi:10.1086/131977); photutils (doi:10.5281/zenodo.596036)",
    params=DaofindParameters,
    analyse=analyse,
    labels=("star",),
    geometry=("point", "box"),
)
