"""The road every star finder takes: sky, width of the stars, candidates, photometry, screening, result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import Progress
from core.parameters import Parameters, parameter
from core.results import Detections, Result
from core.stars.background import Sky, subtract_background
from core.stars.photometry import centroids, exposure_s, measure_sources, units_of
from core.stars.psf import ASSUMED_FWHM_PX, measure_profile
from core.stars.screening import Reasons, Rules, screen

SNR_OF_HALF_SCORE = 5.0
MANY_SPOTS = 100
"""In a field of more sources than this, some are bright and lonely enough to show the width of a star."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class StarParameters(Parameters):
    """What every star finder can be told."""

    fwhm_px: float | None = parameter(
        None,
        label="Width of the stars (FWHM)",
        unit="px",
        low=0.8,
        high=40.0,
        step=0.1,
        help="Full width at half maximum of a star; auto measures it on the frame's bright, lonely stars.",
        why="Seeing and focus change from frame to frame; measured, it is within 10 % for 1.5 to 7 px.",
    )
    background_mesh_px: int = parameter(
        64,
        label="Background mesh",
        unit="px",
        low=8,
        high=1024,
        step=8,
        help="Side of the cells the sky is measured in; smaller follows nebulae, larger keeps wide halos.",
        why="SExtractor's own default; a finer mesh takes galaxies for sky.",
    )
    aperture_fwhm: float = parameter(
        1.0,
        label="Aperture radius",
        unit="FWHM",
        low=0.3,
        high=5.0,
        step=0.1,
        help="Radius of the round aperture the light is summed in, in units of the width of the stars.",
        why="Near the best signal-to-noise (0.7 to 1) with most of the light inside, and few neighbours.",
    )
    saturation_level: float | None = parameter(
        None,
        label="Saturation level",
        unit="frame's unit",
        low=0.0,
        help="Pixel value at and above which a star is marked saturated; auto takes what the file says.",
        advanced=True,
    )
    edge_margin_px: float = parameter(
        1.0,
        label="Edge margin",
        unit="px",
        low=0.0,
        high=200.0,
        step=1.0,
        help="Stars whose centre is nearer than this to the frame's edge are turned down.",
        why="Nearer than one pixel, half the star is missing: neither place nor brightness can be trusted.",
        advanced=True,
    )

    def rules(self, fwhm_px: float) -> Rules:
        """What a candidate must be to be a star, where stars are so wide."""
        return Rules(edge_margin_px=self.edge_margin_px, fwhm_px=fwhm_px)

    @property
    def nothing_found(self) -> str:
        """What to say when there is no star."""
        return "No stars."


@dataclass(frozen=True)
class Threshold(Parameters):
    """How far a star must stand out."""

    threshold_sigma: float = parameter(
        4.5,
        label="Threshold",
        unit="σ",
        low=1.0,
        high=100.0,
        step=0.1,
        help="How far a star must stand above the noise of the frame filtered with the shape of a star.",
        why="Near the best F1 for simulated stars of SNR 5 and more: benchmarks/stars sweeps it.",
    )


@dataclass(frozen=True)
class ThresholdParameters(StarParameters, Threshold):
    """What a finder that knows no more than a threshold can be told: it needs rules to tell stars apart."""

    min_snr: float = parameter(
        3.0,
        label="Least signal-to-noise",
        low=0.0,
        high=100.0,
        step=0.5,
        help="Candidates whose aperture flux is less than this many times its error are turned down.",
        why="The aperture's SNR is below the filter's: this only removes what photometry disproves.",
    )
    max_ellipticity: float = parameter(
        0.8,
        label="Greatest ellipticity",
        low=0.1,
        high=1.0,
        step=0.05,
        help="Bright sources longer than this are trails or cosmic rays; 1 keeps them all.",
        why="Merged pairs of stars are kept; trails are longer still.",
        advanced=True,
    )
    max_concentration: float = parameter(
        2.5,
        label="Greatest sharpness",
        unit="× a star's",
        low=1.0,
        high=100.0,
        step=0.1,
        help="Sources whose highest pixel holds this many times a star's share of light are hot pixels.",
        why="Stars stay near 1, also where focus varies; a hot pixel holds all its light in one pixel.",
        advanced=True,
    )
    max_width: float = parameter(
        3.0,
        label="Greatest width",
        unit="× a star's",
        low=1.0,
        high=100.0,
        step=0.1,
        help="Bright sources wider than this many times the stars' width are galaxies or knots of nebulae.",
        why="Keeps merged pairs of stars, and turns down knots and galaxies.",
        advanced=True,
    )

    def rules(self, fwhm_px: float) -> Rules:
        """Rules of brightness and shape besides those of place."""
        return Rules(
            edge_margin_px=self.edge_margin_px,
            fwhm_px=fwhm_px,
            min_snr=self.min_snr,
            max_ellipticity=self.max_ellipticity,
            max_concentration=self.max_concentration,
            max_width=self.max_width,
        )

    @property
    def nothing_found(self) -> str:
        """What to say when there is no star."""
        return f"No stars: nothing like one stands {self.threshold_sigma:g} σ above the sky."


@dataclass(frozen=True)
class Candidates:
    """What a finder saw before anything was measured.

    Attributes:
        table: N rows with ``x`` and ``y`` in pixels, and the finder's own columns.
        reasons: ``(N,)`` why the finder itself would turn each down, or None.
        warnings: Sentences a person should see.
        placed: Whether the finder's positions are its last word; otherwise centroids are measured.
        score: ``(N,)`` in [0, 1]; None when the finder has none of its own.
        maps: What the finder can show of the whole frame.
    """

    table: pd.DataFrame
    reasons: Reasons | None = None
    warnings: tuple[str, ...] = ()
    placed: bool = False
    score: NDArray[np.float64] | None = None
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


Finder = Callable[[Sky, float, Any, Progress], Candidates]
"""Finds candidates: ``finder(sky, fwhm_px, params, progress)``."""


def detect(frame: Frame, params: StarParameters, progress: Progress, find: Finder) -> Result:
    """Find stars with one finder and measure them as every finder's are.

    The score is the finder's own, or else ``snr / (snr + 5)``: that ranks detections and is ½ at SNR 5, but
    is not a probability.

    Args:
        frame: The frame.
        params: The method's parameters.
        progress: Told how far the run is.
        find: The finder.

    Returns:
        Stars, rejected candidates with their ``reason``, maps ``background``, ``noise`` and the finder's
        own, and facts
        ``fwhm_px, background_median, noise_rms, n_saturated, depth_mag, missing_fraction`` (``depth_mag``
        is the instrumental magnitude of a star of SNR 5 over the sky's noise alone; absent without noise).
    """
    clock = _Clock()
    saturation = frame.saturation if params.saturation_level is None else params.saturation_level
    progress(0.0, "measuring the sky")
    sky = subtract_background(frame, params.background_mesh_px, saturation)
    clock.lap("background")
    progress(0.25, "measuring the width of the stars")
    fwhm_px, warnings = _star_width(frame, sky, params.fwhm_px, saturation)
    clock.lap("fwhm")
    progress(0.4, "looking for stars")
    found = find(sky, fwhm_px, params, lambda done, doing: progress(0.4 + 0.35 * done, doing))
    clock.lap("search")
    progress(0.75, "measuring the stars")
    x, y = (found.table[axis].to_numpy(float) for axis in ("x", "y"))
    if len(x) and not found.placed:
        x, y = centroids(sky, x, y, fwhm_px)
    radius_px = params.aperture_fwhm * fwhm_px
    sources = measure_sources(
        frame, sky, x, y, fwhm_px=fwhm_px, aperture_radius_px=radius_px, saturation=saturation
    )
    clock.lap("photometry")
    reasons = screen(sources, (frame.height, frame.width), params.rules(fwhm_px), found.reasons)
    own = found.table.drop(columns=["x", "y"]).reset_index(drop=True)
    table = pd.concat([sources.drop(columns=["concentration_err", "missing"]), own], axis=1)
    positive = table["snr"].clip(lower=0.0)
    table.insert(0, "label", "star")
    own_score = positive / (positive + SNR_OF_HALF_SCORE)
    table.insert(1, "score", own_score if found.score is None else found.score)
    accepted = pd.isna(reasons)
    units = {column: unit for column, unit in units_of(frame).items() if column in table}
    order = table["flux"].sort_values(ascending=False, kind="stable").index
    stars = Detections(table.loc[[i for i in order if accepted[i]]], units)
    rejected = Detections(table.assign(reason=reasons).loc[[i for i in order if not accepted[i]]], units)
    clock.lap("screening")
    n_saturated = int(stars.table["saturated"].sum())
    noise = float(np.median(sky.noise_map.astype(float)))
    depth = 5 * noise * np.sqrt(np.pi) * radius_px / exposure_s(frame)
    facts = {
        "fwhm_px": fwhm_px,
        "background_median": float(np.median(sky.level_map.astype(float))),
        "noise_rms": noise,
        "n_saturated": float(n_saturated),
        "missing_fraction": sky.missing_fraction,
    }
    if depth > 0:
        facts["depth_mag"] = float(-2.5 * np.log10(depth))
    progress(1.0, "done")
    return Result(
        detections=stars,
        rejected=rejected,
        summary=_summary(
            len(stars),
            n_saturated,
            params.nothing_found,
            starlike=params.fwhm_px is not None or fwhm_px != ASSUMED_FWHM_PX,
        ),
        maps={**found.maps, "background": sky.level_map, "noise": sky.noise_map},
        facts=facts,
        timings=clock.laps,
        warnings=(*warnings, *found.warnings),
    )


def _star_width(
    frame: Frame, sky: Sky, given: float | None, saturation: float | None
) -> tuple[float, tuple[str, ...]]:
    """The width of the stars in pixels, and what a person should know of it and of the frame."""
    warnings = []
    if sky.missing_fraction >= 0.005:
        warnings.append(f"{100 * sky.missing_fraction:.0f} % of the pixels are missing.")
    if given is not None:
        return given, tuple(warnings)
    profile = measure_profile(sky, None if saturation is None else frame.grey >= saturation)
    if profile is None:
        warnings.append(
            f"Too few bright, lonely stars to measure their width; {ASSUMED_FWHM_PX:g} px FWHM is assumed."
        )
        return ASSUMED_FWHM_PX, tuple(warnings)
    return profile.fwhm_px, tuple(warnings)


def _summary(n: int, n_saturated: int, nothing_found: str, *, starlike: bool) -> str:
    if n == 0:
        return nothing_found
    if n > MANY_SPOTS and not starlike:
        return f"{n:,} bright spots, hardly any shaped like a star: this may not be a star field."
    text = "One star" if n == 1 else f"{n:,} stars"
    if n_saturated == 0:
        return f"{text}."
    if n == 1:
        return f"{text}; it is saturated."
    many = _NUMBERS[n_saturated] if n_saturated < len(_NUMBERS) else f"{n_saturated:,}"
    return f"{text}; {many} {'is' if n_saturated == 1 else 'are'} saturated."


class _Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """Give the time since the last lap to ``step``."""
        now = time.perf_counter()
        self.laps[step] = now - self._last
        self._last = now
