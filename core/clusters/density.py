"""Clusters in a picture, the classical way: stars are found, counted, and crowds tested against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clusters.crowd import SMOOTH, Crowd, crowd_at, grain
from core.clusters.glow import glowing_spots, glows
from core.clusters.kde import adaptive_density
from core.clusters.scan import Excess, scan
from core.clusters.table import MIN_STARS
from core.frames import Frame
from core.methods import Method, Progress, get_method, methods
from core.parameters import Parameters, parameter
from core.results import Detections, Result

Float64 = NDArray[np.float64]

SIGMA_OF_HALF_SCORE = 5.0
MOST_CANDIDATES = 40
GLOW_GRAIN = 2.0
"""What shows by its light alone needs so many times the grain."""
UNITS = {"r50_px": "pix", "radius_px": "pix"}


@dataclass(frozen=True)
class DensityParameters(Parameters):
    """What the search for crowds can be told."""

    finder: str = parameter(
        "stars.sep",
        label="Star finder",
        choices=tuple(methods("stars")),
        help="The method that finds the stars; it runs with its own defaults.",
        why="The quickest, and its false stars are few.",
    )
    most_chance: float = parameter(
        0.05,
        label="Chance clusters",
        unit="a frame",
        low=1e-9,
        high=1.0,
        help="Most clusters that chance alone may show in a frame, with every place and size it tries.",
        why="In frames without clusters, fewer than one in twenty then shows one.",
    )
    min_stars: int = parameter(
        6,
        label="Fewest stars",
        low=3,
        high=1000,
        help="Fewest stars beyond those that the field gives.",
        why="Fewer are a multiple star or a star that was found in pieces.",
    )
    min_grain: float = parameter(
        0.085,
        label="Least grain",
        low=0.0,
        high=1.0,
        step=0.01,
        help="Least unevenness of the light of a crowd that glows, over its brightness; 0 takes everything.",
        why="Photographs of globular clusters have 0.1 to 0.3, those of galaxies 0.07 and less.",
        advanced=True,
    )


def analyse(frame: Frame, params: DensityParameters, progress: Progress) -> Result:
    """Find clusters on a frame.

    Returns:
        Clusters, least likely by chance first, with ``significance_sigma`` (by itself), ``chance`` (how many
        as clear a frame shows by chance), ``n_members`` (stars beyond the field's), ``contrast`` (stars over
        the field's within ``r50_px``), ``r50_px`` (radius that holds half of the members) and ``radius_px``
        (of the outline, along its major axis); the map ``density`` in stars a million pixels; the mask
        ``clusters`` of their outlines, numbered as the rows from 1.
    """
    from core.frames.night import network_picture, why_not_sky

    progress(0.0, "looking at the sky")
    refusal = why_not_sky(network_picture(frame))
    if refusal:
        return Result(Detections.empty(), summary="No star clusters.", warnings=(refusal,))
    progress(0.1, "finding stars")
    stars = get_method(params.finder).run(
        frame, progress=lambda done, doing: progress(0.1 + 0.5 * done, doing)
    )
    table = stars.detections.table
    if len(table) < MIN_STARS:
        few = f"{len(table)} stars were found; with fewer than {MIN_STARS} no crowd can be told from chance."
        return Result(Detections.empty(), summary="No star clusters.", warnings=(*stars.warnings, few))
    progress(0.6, "counting stars")
    xy = table[["x", "y"]].to_numpy(float)[np.argsort(-_brightness(table), kind="stable")]
    covered = np.isfinite(frame.grey)
    candidates = scan(xy, covered, most_chance=params.most_chance, fewest=params.min_stars)
    progress(0.85, "measuring clusters")
    crowds, smooth = _crowds(frame, xy, candidates, params.min_grain, stars.facts.get("fwhm_px", 3.0))
    found = _table(frame, crowds)
    return Result(
        detections=found,
        rejected=_table(frame, smooth, SMOOTH),
        summary=_sentence(crowds, len(table)),
        maps={"density": adaptive_density(xy, covered)},
        masks={"clusters": _outlines(crowds, covered.shape)},
        facts={"n_stars": float(len(table)), "fwhm_px": stars.facts.get("fwhm_px", np.nan)},
        timings={"stars": stars.timings.get("total", np.nan)},
        warnings=stars.warnings,
    )


def _brightness(table: pd.DataFrame) -> Float64:
    """``(N,)`` light of the stars; that of saturated ones, whose middle is cut, grows with their width."""
    flux = table["flux"].fillna(0.0).to_numpy(float)
    if not {"fwhm_px", "saturated"} <= set(table.columns):
        return flux
    width = table["fwhm_px"].to_numpy(float)
    usual = float(np.nanmedian(width)) if np.isfinite(width).any() else 1.0
    wider = np.nan_to_num(np.maximum(width / usual, 1.0) ** 2, nan=1.0)
    return flux * np.where(table["saturated"].to_numpy(bool), wider, 1.0)


def _crowds(
    frame: Frame, xy: Float64, candidates: list[Excess], min_grain: float, fwhm_px: float
) -> tuple[list[Crowd], list[Crowd]]:
    """One of each cluster, and those whose light is too smooth."""
    shape = frame.grey.shape
    kept: list[Crowd] = []
    smooth: list[Crowd] = []
    for one in candidates[: 10 * MOST_CANDIDATES]:
        if len(kept) + len(smooth) >= MOST_CANDIDATES:
            break
        if any(other.shares_place(one) for other in (*kept, *smooth)):
            continue
        # Among these stars it shows best; in the middle of a globular cluster most others are not found.
        crowd = crowd_at(xy[: one.n_stars], shape, one).counted_among(xy, shape)
        if any(other.holds(crowd) for other in (*kept, *smooth)):
            continue
        is_smooth = min_grain > 0 and grain(frame.grey, crowd.x, crowd.y, crowd.r50, fwhm_px) < min_grain
        (smooth if is_smooth else kept).append(crowd)
    spots, light = glowing_spots(frame.grey)
    for one in glows(frame.grey, xy, fwhm_px)[:MOST_CANDIDATES]:
        if any(other.shares_place(one) for other in (*kept, *smooth)):
            continue
        crowd = crowd_at(spots, shape, one, light)
        own_grain = grain(frame.grey, crowd.x, crowd.y, crowd.r50, fwhm_px)
        if np.isfinite(own_grain) and not any(other.holds(crowd) for other in (*kept, *smooth)):
            (smooth if own_grain < GLOW_GRAIN * min_grain else kept).append(crowd)
    return kept, smooth


def _table(frame: Frame, crowds: list[Crowd], reason: str = "") -> Detections:
    if not crowds:
        return Detections.empty()
    rows = []
    for one in crowds:
        box = one.box(frame.grey.shape)
        rows.append(
            {
                "label": "cluster",
                "score": one.score(SIGMA_OF_HALF_SCORE),
                "x": one.x,
                "y": one.y,
                **dict(zip(("x_min", "y_min", "x_max", "y_max"), box, strict=True)),
                "n_members": one.n_members,
                "contrast": one.contrast,
                "significance_sigma": one.excess.sigma,
                "chance": float(np.exp(one.excess.log_chance)),
                "r50_px": one.r50,
                "radius_px": one.radius,
                "ellipticity": 1.0 - one.ratio,
                **({"reason": reason} if reason else {}),
            }
        )
    table = pd.DataFrame(rows)
    sky = frame.sky(table["x"].to_numpy(float), table["y"].to_numpy(float))
    if sky is not None:
        table["ra_deg"], table["dec_deg"] = sky
    units = dict(UNITS)
    if frame.pixel_scale_arcsec is not None:
        table["r50_arcmin"] = table["r50_px"] * frame.pixel_scale_arcsec / 60.0
        units["r50_arcmin"] = "arcmin"
    return Detections(table, units)


def _outlines(crowds: list[Crowd], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """``(H, W)`` number of the cluster whose outline holds a pixel, the nearer middle where two do."""
    labels, nearest = np.zeros(shape, np.uint16), np.ones(shape, np.float32)
    for number, one in enumerate(crowds, start=1):
        window, away = one.distance_on(shape)
        closer = away <= nearest[window]
        labels[window][closer] = number
        nearest[window] = np.minimum(nearest[window], away)
    return labels


def _sentence(crowds: list[Crowd], n_stars: int) -> str:
    if not crowds:
        return f"No star cluster among {n_stars:,} stars."
    largest = max(crowds, key=lambda one: one.n_members)
    if len(crowds) == 1:
        return f"One star cluster among {n_stars:,} stars, with about {largest.n_members:,} of them."
    said = f"the largest with about {largest.n_members:,} of them"
    return f"{len(crowds)} star clusters among {n_stars:,} stars, {said}."


METHOD = Method(
    name="clusters.density",
    title="Star counts",
    summary="Finds places where more stars stand together than chance allows; it cannot tell their kinds.",
    description=(
        "Any star finder's stars are counted in circles of every place and size against the ring around "
        "them, all stars and only the bright ones. Where stars blend, their light counts. The likelihood "
        "ratio of the counts, the number of circles tried and the unevenness of the field decide. Crowds "
        "whose light is smooth are galaxies or nebulae. The map is an adaptive kernel density."
    ),
    reference=(
        "Li & Ma 1983, ApJ 272, 317; Kulldorff 1997, CSTM 26, 1481; Silverman 1986, Density Estimation for "
        "Statistics and Data Analysis"
    ),
    params=DensityParameters,
    analyse=analyse,
    labels=("cluster",),
    geometry=("box", "ellipse", "polygon"),
)
