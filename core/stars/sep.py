"""Stars by SEP: connected pixels above the noise of the filtered frame, split where they touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.frames import Frame
from core.methods import Method, Progress
from core.parameters import parameter
from core.results import Result
from core.stars.background import Sky
from core.stars.detection import Candidates, ThresholdParameters, detect

KERNEL_FWHM = 0.75
"""Width of the filter over that of the stars. The full width is best for one faint star, but smears
neighbours together; this finds more in crowded fields, and no less in sparse ones."""


@dataclass(frozen=True)
class SepParameters(ThresholdParameters):
    """What SEP can be told."""

    min_area_px: int = parameter(
        1,
        label="Least area",
        unit="px",
        low=1,
        high=1000,
        help="Fewest connected pixels above the threshold that make a candidate.",
        why="The filter already asks for the shape of a star; hot pixels are turned down by their sharpness.",
        advanced=True,
    )
    deblend_contrast: float = parameter(
        0.0005,
        label="Deblending contrast",
        low=0.0,
        high=1.0,
        step=0.0005,
        help="Least share of an object's light that a part needs to be a star of its own; 1 splits nothing.",
        why="SExtractor's 0.005 leaves more neighbours merged in crowded fields.",
    )
    deblend_levels: int = parameter(
        32,
        label="Deblending levels",
        low=1,
        high=256,
        help="Brightness levels, in equal steps of magnitude, at which an object is looked at for parts.",
        why="SExtractor's own default; more takes longer and finds hardly more.",
        advanced=True,
    )
    clean: bool = parameter(
        True,
        label="Clean",
        help="Drop faint candidates that the wings of a bright neighbour explain.",
        why="Halos of bright stars otherwise break into false ones.",
        advanced=True,
    )


def find(sky: Sky, fwhm_px: float, params: SepParameters, progress: Progress) -> Candidates:
    """Find candidates with a Gaussian filter matched to the stars.

    ``threshold_sigma`` counts in standard deviations of the *filtered* sky, so that it means the same
    whatever the width of the stars; ``sep`` counts in those of the unfiltered sky.
    """
    from core.stars.extraction import extract
    from core.stars.psf import gaussian_kernel

    kernel = gaussian_kernel(KERNEL_FWHM * fwhm_px)
    filtered_noise = float(np.sqrt(np.sum(kernel.astype(float) ** 2)))
    objects, grew = extract(
        sky.data,
        params.threshold_sigma * filtered_noise,
        sky.noise,
        sky.missing,
        kernel,
        min_area_px=params.min_area_px,
        deblend_contrast=params.deblend_contrast,
        deblend_levels=params.deblend_levels,
        clean=params.clean,
    )
    table = pd.DataFrame({"x": objects["x"], "y": objects["y"], "npix": objects["npix"].astype(int)})
    grown = ("The frame is so crowded that the search was repeated with more memory.",) if grew else ()
    return Candidates(table, warnings=grown)


def analyse(frame: Frame, params: SepParameters, progress: Progress) -> Result:
    """Find and measure stars; see :func:`core.stars.detection.detect`."""
    return detect(frame, params, progress, find)


METHOD = Method(
    name="stars.sep",
    title="SEP · Source Extractor",
    summary="Finds nearly every star in a fraction of a second, and splits those that touch.",
    description=(
        "The sky is measured over a mesh, the frame is filtered with a Gaussian matched to its stars, and "
        "connected pixels above the threshold are objects, split where brightness branches. Strong on "
        "faint stars and blends; bright halos and nebulae can break into false stars."
    ),
    reference=(
        "Bertin & Arnouts 1996, A&AS 117, 393 (doi:10.1051/aas:1996164); "
        "Barbary 2016, JOSS 1, 58 (doi:10.21105/joss.00058)"
    ),
    params=SepParameters,
    analyse=analyse,
    labels=("star",),
    geometry=("point", "box"),
)
