"""XRAI: which regions of a picture made a network say what it said.

Kapishnikov et al. 2019 (arXiv:1906.02825). The picture is cut into overlapping pieces; integrated gradients
from several baselines are averaged; pieces are then taken one after the other, always the one whose not yet
taken pixels have the highest mean attribution. With :meth:`XraiSettings.reference` the result equals that
of PAIR's ``saliency`` 0.2.1 up to rounding.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid
from core.explain.baselines import Baseline, baselines
from core.explain.integrated_gradients import PathSettings, integrated_gradients
from core.explain.score import Score
from core.explain.segments import MIN_SIZE_PX, SCALES, SIDE_PX, SIGMA_PX, WIDEN_PX, Segments, segment
from core.methods import Progress, no_progress

GRADIENTS_SHARE = 0.9
"""Of the time, told to ``progress``."""


@dataclass(frozen=True)
class XraiSettings:
    """How an explanation is made; the defaults are the fast ones.

    Attributes:
        path: Steps of the integrated gradients for each baseline.
        baselines: ``"minimum"`` and ``"maximum"`` of the picture, ``"sky"``.
        scales, sigma_px, min_size_px, side_px, widen_px: Of the pieces, see
            :func:`core.explain.segments.segment`.
        min_new_px: A piece that would add fewer pixels is dropped.
        area_share: Stop when more than this share of the picture is covered; the rest becomes one region.

    Raises:
        ParameterInvalid: A share is outside [0, 1], or there is no baseline.
    """

    path: PathSettings = field(default_factory=PathSettings)
    baselines: tuple[Baseline, ...] = ("minimum", "maximum")
    scales: tuple[float, ...] = SCALES
    sigma_px: float = SIGMA_PX
    min_size_px: int = MIN_SIZE_PX
    side_px: int = SIDE_PX
    widen_px: int = WIDEN_PX
    min_new_px: int = 50
    area_share: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.area_share <= 1.0:
            raise _refused("area_share", self.area_share, "in [0, 1]")
        for name in ("baselines", "scales"):
            if not getattr(self, name):
                raise _refused(name, "none", "at least one")
        unknown = set(self.baselines) - {"minimum", "maximum", "sky"}
        if unknown:
            raise _refused("baselines", ", ".join(sorted(unknown)), "of minimum, maximum, sky")

    @classmethod
    def reference(cls) -> Self:
        """What PAIR's ``saliency`` 0.2.1 does by default."""
        return cls(path=PathSettings(steps=100, rule="ends", batch=1, precision="float32"))


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a score is made of, region by region.

    Attributes:
        map: ``(H, W)`` float32: the mean attribution of the region each pixel is in, in units of the score
            per pixel; negative where the picture speaks against.
        order: ``(H, W)`` int32: the region of each pixel, 1 being the most important.
        gains: ``(R,)`` mean attribution of the regions, highest first; the last may be what was left over.
        attribution: ``(H, W)`` float32 of single pixels, the highest of the channels, mean of the baselines.
        segments: The pieces, to explain another class of the same picture with.
        seconds: By step.
    """

    map: NDArray[np.float32]
    order: NDArray[np.int32]
    gains: NDArray[np.float64]
    attribution: NDArray[np.float32]
    segments: Segments
    seconds: Mapping[str, float]

    def region(self, rank: int) -> NDArray[np.bool_]:
        """``(H, W)`` the pixels of the region with this rank, from 1."""
        mask: NDArray[np.bool_] = self.order == rank
        return mask


def explain(
    score: Score,
    picture: ArrayLike,
    settings: XraiSettings | None = None,
    *,
    segments: Segments | None = None,
    progress: Progress = no_progress,
) -> Explanation:
    """Explain the score of a picture by its regions.

    Args:
        score: What is explained. :func:`core.explain.score.for_explaining` gives a quicker network.
        picture: ``(C, H, W)`` as the network takes it.
        settings: How.
        segments: Pieces of this very picture, where it was explained before.
        progress: Told the fraction done; it may raise to stop the work.

    Raises:
        ParameterInvalid: The picture is not ``(C, H, W)`` and finite, or the pieces are of another size.
    """
    settings = settings or XraiSettings()
    pixels = np.asarray(picture, np.float32)
    if pixels.ndim != 3 or pixels.size == 0 or not np.isfinite(pixels).all():
        raise _refused("picture", pixels.shape, "(C, H, W) with finite pixels")
    if segments is not None and segments.shape != pixels.shape[1:]:
        raise _refused("segments", segments.shape, pixels.shape[1:])
    start = time.perf_counter()
    paths = integrated_gradients(
        score,
        pixels,
        baselines(pixels, settings.baselines),
        settings.path,
        progress=lambda done, doing: progress(GRADIENTS_SHARE * done, doing),
    )
    attribution = paths.mean(axis=0).max(axis=0)
    walked = time.perf_counter()
    progress(GRADIENTS_SHARE, "cutting the picture into pieces")
    if segments is None:
        segments = segment(
            pixels,
            scales=settings.scales,
            sigma_px=settings.sigma_px,
            min_size_px=settings.min_size_px,
            side_px=settings.side_px,
            widen_px=settings.widen_px,
        )
    cut = time.perf_counter()
    order, gains = in_order(attribution, segments, settings.min_new_px, settings.area_share)
    relevance = gains.astype(np.float32)[order - 1]
    ordered = time.perf_counter()
    progress(1.0, "done")
    seconds = {"gradients": walked - start, "pieces": cut - walked, "order": ordered - cut}
    return Explanation(relevance, order, gains, attribution, segments, seconds)


def in_order(
    attribution: NDArray[np.float32], segments: Segments, min_new_px: int = 50, area_share: float = 1.0
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Take pieces greedily by the mean attribution of what each would add.

    A piece's mean may also rise when others take its poor pixels, so no bound on it holds and every mean is
    looked at in each round. They are kept up to date: each pixel is subtracted once from every piece it is
    in, when it is taken.

    Args:
        attribution: ``(H, W)`` of single pixels.
        segments: The pieces.
        min_new_px: A piece that would add fewer pixels is dropped.
        area_share: Stop when more than this share is covered.

    Returns:
        ``(H, W)`` rank of each pixel's region, from 1, and ``(R,)`` mean attribution of the regions, highest
        first but for what was left over, which comes last.
    """
    values = attribution.astype(float).ravel()
    n_pieces, n_pixels = len(segments), values.size
    sizes = np.diff(segments.begins)
    piece = np.repeat(np.arange(n_pieces), sizes)
    counts = sizes.astype(float)
    sums = np.bincount(piece, values[segments.pixels], n_pieces)
    by_pixel = np.argsort(segments.pixels, kind="stable")
    pieces_of = piece[by_pixel]
    pixel_begins = np.concatenate([[0], np.cumsum(np.bincount(segments.pixels, minlength=n_pixels))])
    region = np.zeros(n_pixels, np.int64)
    gains: list[float] = []
    left = n_pixels
    while n_pixels - left <= area_share * n_pixels:
        able = counts >= max(min_new_px, 1)
        if not able.any():
            break
        best = int(np.argmax(np.where(able, sums / np.maximum(counts, 1.0), -np.inf)))
        pixels = segments.pixels[segments.begins[best] : segments.begins[best + 1]]
        new = pixels[region[pixels] == 0]
        gains.append(float(values[new].mean()))
        region[new] = len(gains)
        left -= len(new)
        touched = pieces_of[_ranges(pixel_begins[new], pixel_begins[new + 1])]
        weights = np.repeat(values[new], pixel_begins[new + 1] - pixel_begins[new])
        counts -= np.bincount(touched, minlength=n_pieces)
        sums -= np.bincount(touched, weights, n_pieces)
    rank = np.empty(len(gains) + 1, np.int64)
    by_gain = np.argsort(-np.array(gains), kind="stable")
    rank[1 + by_gain] = np.arange(1, len(gains) + 1)
    rank[0] = len(gains) + 1
    sorted_gains = np.array(gains)[by_gain]
    if left:
        sorted_gains = np.append(sorted_gains, values[region == 0].mean())
    return rank[region].astype(np.int32).reshape(attribution.shape), sorted_gains


def _ranges(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All whole numbers of the half-open ranges, one after the other."""
    lengths = ends - begins
    offsets = np.cumsum(lengths) - lengths
    numbers: NDArray[np.int64] = np.arange(int(lengths.sum())) + np.repeat(begins - offsets, lengths)
    return numbers


def _refused(name: str, given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(f"{name} must be {limit}, got {given}.", parameter=name, given=given, limit=limit)
