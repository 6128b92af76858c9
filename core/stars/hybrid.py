"""Stars by a network: a residual encoder for pixels, attention between neighbours for blends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.methods import Method, Progress
from core.parameters import Parameters, parameter
from core.results import Result
from core.stars.background import Sky
from core.stars.detection import Candidates, StarParameters, detect
from core.stars.screening import Rules
from core.words import percent

if TYPE_CHECKING:
    from core.models.inference import LockedNetwork
    from core.stars.hybrid_network import HybridNetwork

WEIGHTS = "stars_hybrid"
SEPARATION_FWHM = 0.25
"""The network splits blends that no rule could; nearer ones than this are two answers for one star."""
BRIGHTEST_SIGMA = 60_000.0
OPEN_SIGMA = 1.5
"""How far the 84th percentile of a frame lies above its median where stars leave the sky open; 1 in empty
sky."""
PIXELS_OF_CROWDING = 1_000_000


@dataclass(frozen=True)
class Probability(Parameters):
    """How sure the network must be."""

    threshold: float = parameter(
        0.5,
        label="Threshold",
        low=0.02,
        high=0.99,
        step=0.01,
        help="Least probability that a candidate is a star.",
        why="One half: what it keeps is more often a star than not. benchmarks/stars sweeps it.",
    )


@dataclass(frozen=True)
class HybridParameters(StarParameters, Probability):
    """What the network can be told."""

    def rules(self, fwhm_px: float) -> Rules:
        """Rules of place only: the network has judged the rest."""
        return Rules(edge_margin_px=self.edge_margin_px, fwhm_px=fwhm_px, separation_fwhm=SEPARATION_FWHM)

    @property
    def nothing_found(self) -> str:
        """What to say when there is no star."""
        return f"No stars: nothing is one with a probability of {percent(self.threshold)} or more."


def find(sky: Sky, fwhm_px: float, params: HybridParameters, progress: Progress) -> Candidates:
    """Find candidates with the network.

    It learned where the sky is open, and sees nothing where every pixel stands far above the noise. In a
    crowded field the noise it is told of is therefore that of the sky and of the stars together.
    """
    from core.stars.hybrid_search import search

    image = sky.data / sky.noise
    crowding = crowding_of(image)
    image /= crowding
    np.clip(image, -BRIGHTEST_SIGMA, BRIGHTEST_SIGMA, out=image)
    found = search(network(), image, fwhm_px, least_probability=params.threshold, progress=progress)
    table = found.table
    table["flux_sigma"] *= crowding
    score = table.pop("probability").to_numpy(float)
    return Candidates(table, placed=True, score=score, maps={"probability": found.heat})


def crowding_of(image: NDArray[np.float32]) -> float:
    """How much the stars of a crowded field add to its noise: 1 where they leave the sky open.

    Args:
        image: ``(H, W)`` sky taken away, in standard deviations of the noise.
    """
    step = max(1, int((image.size / PIXELS_OF_CROWDING) ** 0.5))
    middle, high = np.percentile(image[::step, ::step], [50.0, 84.13])
    return float(np.sqrt(1.0 + max((high - middle) ** 2 - OPEN_SIGMA**2, 0.0)))


def network() -> LockedNetwork[HybridNetwork]:
    """The trained network, one for all threads.

    Raises:
        WeightsUnavailable: Its weights are missing or damaged.
    """
    from core.models.inference import cached_network, inference_dtype
    from core.models.weights import load_state

    dtype = inference_dtype()

    def build() -> HybridNetwork:
        from core.stars.hybrid_network import ready_network

        return ready_network(load_state(WEIGHTS), dtype)

    return cached_network(WEIGHTS, build, variant=str(dtype))


def analyse(frame: Frame, params: HybridParameters, progress: Progress) -> Result:
    """Find and measure stars; see :func:`core.stars.detection.detect`. The score is a probability."""
    return detect(frame, params, progress, find)


METHOD = Method(
    name="stars.hybrid",
    title="Hybrid network",
    summary="A neural network trained on simulated skies; knows hot pixels, trails and galaxies from stars.",
    description=(
        "A narrow ResNet-34 looks at the frame in units of its noise and gives each pixel a probability of "
        "holding a star's centre; the candidates then attend to their neighbours (Point Transformer) and "
        "are scored, placed and measured once more. Its score is a probability. Trained on simulated "
        "frames only: what they lack it has never seen."
    ),
    reference=(
        "He et al. 2016 (arXiv:1512.03385); Zhao et al. 2021, Point Transformer (arXiv:2012.09164); "
        "Zhou et al. 2019, Objects as Points (arXiv:1904.07850)"
    ),
    params=HybridParameters,
    analyse=analyse,
    labels=("star",),
    geometry=("point", "box"),
    weights=WEIGHTS,
)
