"""How good a heat map is: against true boxes, against the network, and against another map."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, stats

from core.errors import ParameterInvalid
from core.scoring.boxes import as_boxes

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float64]


def inside_boxes(shape: tuple[int, int], boxes: ArrayLike) -> NDArray[np.bool_]:
    """``shape`` mask of the pixels whose centre lies in one of the ``(N, 4)`` boxes."""
    mask = np.zeros(shape, bool)
    y, x = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    for x_min, y_min, x_max, y_max in as_boxes(boxes, "boxes"):
        mask |= (x >= x_min) & (x <= x_max) & (y >= y_min) & (y <= y_max)
    return mask


def pointing_game(relevance: ArrayLike, boxes: ArrayLike, tolerance_px: float = 0.0) -> bool:
    """Whether the hottest pixel lies in a true box (Zhang et al. 2016, arXiv:1608.00507).

    Regions of XRAI are flat, so the place is the middle of all pixels as hot as the hottest, or rather the
    pixel among them nearest to it.

    Args:
        relevance: ``(H, W)``.
        boxes: ``(N, 4)`` true boxes in pixels.
        tolerance_px: How far outside a box still counts; the paper has 15 px on photographs.
    """
    values = _map(relevance, "relevance")
    hottest = np.argwhere(values == values.max())
    row, column = hottest[np.argmin(((hottest - hottest.mean(axis=0)) ** 2).sum(axis=1))]
    true = as_boxes(boxes, "boxes")
    dx = np.maximum(np.maximum(true[:, 0] - column, column - true[:, 2]), 0.0)
    dy = np.maximum(np.maximum(true[:, 1] - row, row - true[:, 3]), 0.0)
    return bool((np.hypot(dx, dy) <= tolerance_px).any())


def relevance_mass(relevance: ArrayLike, boxes: ArrayLike) -> float:
    """Share of the positive relevance that lies in true boxes (Arras et al. 2022, Inf. Fusion 81, 14).

    Args:
        relevance: ``(H, W)``.
        boxes: ``(N, 4)`` true boxes in pixels.

    Returns:
        In [0, 1]; NaN when no relevance is positive.
    """
    values = np.maximum(_map(relevance, "relevance"), 0.0)
    total = values.sum()
    if total == 0:
        return float("nan")
    return float(values[inside_boxes((values.shape[0], values.shape[1]), boxes)].sum() / total)


@dataclass(frozen=True, eq=False)
class Curve:
    """The score while pixels are put in or taken out.

    Attributes:
        share: ``(S + 1,)`` of the pixels, from 0 to 1.
        score: ``(S + 1,)`` at each.
        area: Under the curve, by trapezoids.
    """

    share: Floats
    score: Floats
    area: float


def insertion(
    score: Callable[[NDArray[np.float32]], ArrayLike],
    picture: NDArray[np.float32],
    relevance: ArrayLike,
    *,
    steps: int = 32,
    blur_px: float | None = None,
) -> Curve:
    """Put pixels into the blurred picture, the hottest first (Petsiuk, Das & Saenko 2018, arXiv:1806.07421).

    Args:
        score: Gives ``(B,)`` scores, probabilities as a rule, of ``(B, C, H, W)`` pictures.
        picture: ``(C, H, W)``.
        relevance: ``(H, W)``.
        steps: Equal numbers of pixels.
        blur_px: Standard deviation of the blur; a twentieth of the longer side when None, as the paper's
            kernel is about on 224 pixels.

    Returns:
        The curve; a larger area is better.
    """
    return _changed(score, _blurred(picture, blur_px), picture, relevance, steps)


def deletion(
    score: Callable[[NDArray[np.float32]], ArrayLike],
    picture: NDArray[np.float32],
    relevance: ArrayLike,
    *,
    steps: int = 32,
    blur_px: float | None = None,
) -> Curve:
    """Blur pixels of the picture, the hottest first; as :func:`insertion`, but a smaller area is better.

    Petsiuk et al. delete to a constant, which makes edges that no network has seen; a blurred baseline is
    what they insert into, and serves both ways here.
    """
    return _changed(score, picture, _blurred(picture, blur_px), relevance, steps)


def psnr_db(truth: ArrayLike, found: ArrayLike) -> float:
    """Peak signal-to-noise ratio of a map in decibels, the peak being the truth's range; infinite if equal.

    It is high for any two maps that are dark nearly everywhere: report that of a trivial map beside it
    (Wang & Bovik 2009, IEEE Signal Process. Mag. 26, 98).
    """
    a, b = _pair(truth, found)
    error = float(np.mean((a - b) ** 2))
    if error == 0:
        return float("inf")
    return float(10 * np.log10(np.ptp(a) ** 2 / error)) if np.ptp(a) > 0 else float("-inf")


def ssim(truth: ArrayLike, found: ArrayLike) -> float:
    """Structural similarity in [-1, 1] with Gaussian weights (Wang et al. 2004, IEEE TIP 13, 600).

    Args:
        truth, found: ``(H, W)``, at least 11 pixels wide and high; the range is the truth's.
    """
    from skimage.metrics import structural_similarity

    a, b = _pair(truth, found)
    span = float(np.ptp(a)) or 1.0
    return float(
        structural_similarity(
            a, b, data_range=span, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """Correlation of two maps in [-1, 1]; NaN where one is flat."""
    first, second = _pair(a, b)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Rank correlation of two maps in [-1, 1], equal values sharing a rank; NaN where one is flat."""
    first, second = _pair(a, b)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return pearson(stats.rankdata(first).reshape(first.shape), stats.rankdata(second).reshape(second.shape))


def top_iou(a: ArrayLike, b: ArrayLike, share: float = 0.2) -> float:
    """Intersection over union of the hottest pixels of two maps.

    What XRAI itself is judged by: the top share of the area (Kapishnikov et al. 2019, arXiv:1906.02825).
    Pixels as hot as the last one in belong to the hottest as well, so that their order does not matter.
    """
    if not 0.0 < share <= 1.0:
        raise _refused("share", share, "in ]0, 1]")
    first, second = (_top(values, share) for values in _pair(a, b))
    return float((first & second).sum() / (first | second).sum())


@dataclass(frozen=True)
class Randomised:
    """How alike a map stays when layers lose what they learned.

    Attributes:
        layer: The layer that was randomised last; all above it are, too.
        spearman: Rank correlation of the sizes of the relevance with the map of the trained network.
        ssim: Structural similarity with it, both scaled to [0, 1].
    """

    layer: str
    spearman: float
    ssim: float


def randomisation(
    network: nn.Module,
    explain: Callable[[nn.Module], ArrayLike],
    layers: tuple[str, ...] | None = None,
    *,
    seed: int = 0,
) -> list[Randomised]:
    """Randomise a network from its output down and see whether the map follows (Adebayo et al. 2018).

    A map that stays the same explains the picture, not the network (arXiv:1810.03292).

    Args:
        network: Is left as it is: a copy is randomised.
        explain: Gives the ``(H, W)`` map by a network.
        layers: Names of modules, from the output down; all with weights of their own, last first, when None.
        seed: Of the random weights.

    Returns:
        One entry a layer.
    """
    trained = _map(explain(network), "explain")
    results = []
    for layer, randomised in cascade(network, layers, seed=seed):
        now = _map(explain(randomised), "explain")
        scaled = [_unit(np.abs(values)) for values in (trained, now)]
        results.append(Randomised(layer, spearman(*scaled), ssim(*scaled)))
    return results


def cascade(
    network: nn.Module, layers: tuple[str, ...] | None = None, *, seed: int = 0
) -> Iterator[tuple[str, nn.Module]]:
    """The names of layers, and one copy of the network in which that layer and all before it were randomised.

    Weights and biases are drawn anew as the layer itself draws them when it is made. The copy is one and
    the same at each step.

    Raises:
        ParameterInvalid: A layer is not there or has nothing to randomise.
    """
    import torch

    randomised = copy.deepcopy(network)
    modules = dict(randomised.named_modules())
    able = [name for name, module in modules.items() if callable(getattr(module, "reset_parameters", None))]
    chosen = tuple(reversed(able)) if layers is None else layers
    for step, name in enumerate(chosen):
        below = [other for other in able if other == name or other.startswith(f"{name}.")]
        if not below:
            raise _refused("layers", name, "of modules with weights")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))
            for other in below:
                modules[other].reset_parameters()
        yield name, randomised


def _changed(
    score: Callable[[NDArray[np.float32]], ArrayLike],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    relevance: ArrayLike,
    steps: int,
) -> Curve:
    values = _map(relevance, "relevance")
    if before.ndim != 3 or before.shape[1:] != values.shape:
        raise _refused("picture", before.shape, ("C", *values.shape))
    if steps < 1:
        raise _refused("steps", steps, "at least 1")
    place = np.empty(values.size, np.int64)
    place[np.argsort(-values, axis=None, kind="stable")] = np.arange(values.size)
    share = np.linspace(0.0, 1.0, steps + 1)
    scores = []
    for part in share:
        new = place.reshape(values.shape) < round(part * values.size)
        scores.append(float(np.asarray(score(np.where(new, after, before)[None])).ravel()[0]))
    return Curve(share, np.array(scores), float(np.trapezoid(scores, share)))


def _blurred(picture: NDArray[np.float32], blur_px: float | None) -> NDArray[np.float32]:
    sigma = max(picture.shape[1:]) / 20 if blur_px is None else blur_px
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(picture, (0, sigma, sigma), mode="nearest")
    return blurred


def _top(values: Floats, share: float) -> NDArray[np.bool_]:
    n_top = max(1, round(share * values.size))
    top: NDArray[np.bool_] = (
        values >= np.partition(values, values.size - n_top, axis=None)[values.size - n_top]
    )
    return top


def _unit(values: Floats) -> Floats:
    low, span = values.min(), np.ptp(values)
    scaled: Floats = (values - low) / (span if span > 0 else 1.0)
    return scaled


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = _map(a, "first map"), _map(b, "second map")
    if first.shape != second.shape:
        raise _refused("second map", second.shape, first.shape)
    return first, second


def _map(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, float)
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise _refused(name, f"shape {array.shape}", "an (H, W) map of finite values")
    return array


def _refused(name: str, given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(f"{name} must be {limit}, got {given}.", parameter=name, given=given, limit=limit)
