"""How well stars are removed, what that costs the objects, and how sure an outline is to be one.

All figures of the network are of the product's own search. On validation scenes the logistic and the
threshold of ``dso.starless`` are fitted; what goes into the card is measured on test scenes, whose objects
stand in neither of the other splits.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.dso.boxes import Found
from core.dso.starless import (
    DEFAULT_LOGISTIC,
    WEIGHTS,
    Outlined,
    StarlessParameters,
    best_boxes,
    features,
    outline,
)
from core.models.card import Score, read_card, write_card
from core.scoring.boxes import box_iou
from core.scoring.pooled import without_ignored
from training.calibration import logistic
from training.dso_starless_data import Pair, read_pair

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

STAR_LEVELS = 4.0
"""A pixel is a star's where the stars add at least so many levels in the mean of the colours."""
IOU = 0.5
MOST_FALSE_ON_EMPTY = 0.05
"""Boxes a frame without objects may get, in the mean."""
RIVAL_PICTURES = 10
"""The public network takes half a minute and more for each."""


@dataclass(frozen=True)
class Removal:
    """How stars were removed from a set of pictures.

    Attributes:
        star_light_left: Part of the light in the stars' pixels that is still there.
        object_change: Mean absolute difference to the truth in the boxes of galaxies and nebulae, in levels.
        object_light_lost: Part of those objects' light that was taken away with the stars.
        psnr_db: Mean peak signal-to-noise ratio against the truth.
        starless_change: Mean absolute change of pictures that had no stars, in their objects' boxes, levels.
        seconds: Of a picture, in the mean.
    """

    star_light_left: float
    object_change: float
    object_light_lost: float
    psnr_db: float
    starless_change: float
    seconds: float

    def named(self, who: str) -> dict[str, float]:
        """The figures by what a card calls them."""
        return {
            f"test, {who}: star light left, part": self.star_light_left,
            f"test, {who}: change in objects, levels": self.object_change,
            f"test, {who}: light of objects lost, part": self.object_light_lost,
            f"test, {who}: PSNR, dB": self.psnr_db,
            f"test, {who}: change of objects without stars, levels": self.starless_change,
        }


def removal_scores(remove: Callable[[UInt8], UInt8], pairs: Sequence[Pair]) -> Removal:
    """Remove the stars of pictures whose truth is known, and compare."""
    left = starlight = changed = area = lost = light = touched = seconds = 0.0
    psnr = []
    for pair in tqdm(pairs, desc="removing stars", unit="picture"):
        started = time.perf_counter()
        out = remove(pair.picture).astype(np.float64)
        seconds += time.perf_counter() - started
        again = remove(pair.starless).astype(np.float64)
        truth, picture = pair.starless.astype(np.float64), pair.picture.astype(np.float64)
        stars = (picture - truth).mean(axis=2) >= STAR_LEVELS
        starlight += float((picture - truth)[stars].sum())
        left += float(np.maximum(out - truth, 0.0)[stars].sum())
        error = float(np.mean((out - truth) ** 2))
        psnr.append(10.0 * np.log10(255.0**2 / max(error, 1e-3)))
        objects = in_boxes(pair)
        if objects.any():
            outside = ~objects if (~objects).mean() > 0.05 else np.ones_like(objects)
            sky = np.median(truth[outside], axis=0)
            changed += float(np.abs(out - truth)[objects].mean(axis=-1).sum())
            touched += float(np.abs(again - truth)[objects].mean(axis=-1).sum())
            area += float(objects.sum())
            lost += float(np.maximum(truth - out, 0.0)[objects].sum())
            light += float(np.maximum(truth - sky, 0.0)[objects].sum())
    return Removal(
        star_light_left=left / max(starlight, 1e-9),
        object_change=changed / max(area, 1.0),
        object_light_lost=lost / max(light, 1e-9),
        psnr_db=float(np.mean(psnr)),
        starless_change=touched / max(area, 1.0),
        seconds=seconds / max(len(pairs), 1),
    )


def in_boxes(pair: Pair) -> NDArray[np.bool_]:
    """``(H, W)`` where the boxes of galaxies and nebulae are."""
    inside = np.zeros(pair.picture.shape[:2], bool)
    for x0, y0, x1, y1 in np.rint(pair.boxes[pair.extended] + 0.5).astype(int):
        inside[max(y0, 0) : y1, max(x0, 0) : x1] = True
    return inside


@dataclass(frozen=True)
class Boxes:
    """How well the boxes of a set of pictures are found, at one confidence.

    Attributes:
        confidence: The threshold.
        f1, precision, recall: At IoU 0.5, of all objects.
        recall_extended: Of galaxies and nebulae.
        false_on_empty: Boxes a picture that holds nothing at all.
    """

    confidence: float
    f1: float
    precision: float
    recall: float
    recall_extended: float
    false_on_empty: float

    def named(self, split: str) -> dict[str, float]:
        """The figures by what a card calls them."""
        figures = {
            f"{split} F1 at IoU 0.5": self.f1,
            f"{split} precision at IoU 0.5": self.precision,
            f"{split} recall at IoU 0.5": self.recall,
            f"{split} recall of galaxies and nebulae at IoU 0.5": self.recall_extended,
            f"{split} false boxes on a frame without objects": self.false_on_empty,
        }
        return {name: value for name, value in figures.items() if np.isfinite(value)}


def taken(found: Found, truth: Float64) -> NDArray[np.intp]:
    """``(N,)`` the true box each box found gets, the surest choosing first; −1 for none."""
    overlap = box_iou(found.boxes, truth)
    free, owner = np.ones(len(truth), bool), np.full(len(found), -1, np.intp)
    for row in np.argsort(-found.scores, kind="stable"):
        open_ = np.where(free, overlap[row], 0.0)
        if len(open_) and open_.max() >= IOU:
            owner[row] = int(open_.argmax())
            free[owner[row]] = False
    return owner


def box_scores(
    pairs: Sequence[Pair], found: Sequence[Found], confidence: float | None = None, step: float = 0.005
) -> Boxes:
    """Figures at a confidence, or at the best one that gives few enough boxes on empty pictures.

    Boxes of what is hidden count neither way.
    """
    found = [boxes.at(_counted(pair, boxes)) for pair, boxes in zip(pairs, found, strict=True)]
    owners = [taken(boxes, pair.boxes) for pair, boxes in zip(pairs, found, strict=True)]
    if confidence is None:
        tried = [_at(pairs, found, owners, at) for at in np.arange(step, 1.0, step)]
        allowed = [one for one in tried if not one.false_on_empty > MOST_FALSE_ON_EMPTY]
        return max(allowed or tried[-1:], key=lambda one: one.f1)
    return _at(pairs, found, owners, confidence)


def fitted_logistic(outlined: Sequence[Outlined], pairs: Sequence[Pair]) -> tuple[float, ...]:
    """The constants that make confidence the chance that an outline is an object.

    Args:
        outlined: What stands out of each picture.
        pairs: The pictures.

    Returns:
        The constant, and the weight of each of :func:`core.dso.starless.features`; those by default where
        nothing is a hit, or everything.
    """
    both = [(one, pair, _counted(pair, one)) for one, pair in zip(outlined, pairs, strict=True)]
    x = np.concatenate([features(one)[counts] for one, _, counts in both])
    hit = np.concatenate(
        [box_iou(one.boxes, pair.boxes).max(axis=1, initial=0.0)[counts] >= IOU for one, pair, counts in both]
    )
    return logistic(x, hit) or DEFAULT_LOGISTIC


def _counted(pair: Pair, found: Found | Outlined) -> NDArray[np.bool_]:
    return without_ignored(pair.boxes, found.boxes, pair.hidden, IOU)


def judge(
    val: Sequence[Path], test: Sequence[Path], rival: Path | None, weights: Path | None, command: str
) -> None:
    """Fit logistic and threshold on validation scenes, measure on test scenes, and write both to the card.

    Args:
        val, test: Of the pairs.
        rival: Folder of a public network to measure beside.
        weights: Folder of the card; the project's by default.
        command: That measures this.
    """
    from core.dso.starless_network import remove_stars, starless_network

    network = starless_network(WEIGHTS)

    def remove(picture: UInt8) -> UInt8:
        return remove_stars(network, picture)

    params = StarlessParameters()
    pairs = [read_pair(path) for path in val]
    outlined = [outline(remove(pair.picture), params) for pair in tqdm(pairs, desc="outlining val")]
    fitted = fitted_logistic(outlined, pairs)
    chosen = box_scores(pairs, [best_boxes(one, fitted) for one in outlined])
    print("validation", chosen, "logistic", fitted, flush=True)

    tested = [read_pair(path) for path in test]
    found = [
        best_boxes(outline(remove(pair.picture), params), fitted)
        for pair in tqdm(tested, desc="outlining test")
    ]
    boxes = box_scores(tested, found, chosen.confidence)
    print("test", boxes, flush=True)
    figures: dict[str, float] = boxes.named("test")
    for who, how in _ways(remove).items():
        scores = removal_scores(how, tested)
        print(who, scores, flush=True)
        figures |= scores.named(who)
    for who, how in _rivals(remove, rival).items():
        few = tested[:RIVAL_PICTURES]
        scores = removal_scores(how, few)
        print(who, f"on {len(few)} pictures", scores, flush=True)
        figures |= scores.named(f"{who}, on the first {len(few)} pictures")
    card = read_card(WEIGHTS)
    write_card(
        dataclasses.replace(
            card,
            scores={name: Score(round(value, 4), command) for name, value in figures.items()},
            extra={
                **card.extra,
                "logistic": [round(one, 5) for one in fitted],
                "confidence": round(chosen.confidence, 3),
            },
        ),
        weights,
    )


def _ways(remove: Callable[[UInt8], UInt8]) -> Mapping[str, Callable[[UInt8], UInt8]]:
    from training.dso_starless_rivals import masked

    return {
        "this network": remove,
        "picture as it is": lambda picture: picture,
        "SEP sources masked and filled": masked,
    }


def _rivals(remove: Callable[[UInt8], UInt8], folder: Path | None) -> Mapping[str, Callable[[UInt8], UInt8]]:
    """The public network, and ours on the same pictures; nothing where it cannot be run."""
    from training.dso_starless_rivals import starrem2k13

    if folder is None:
        return {}
    try:
        return {"this network": remove, "starrem2k13 (public network)": starrem2k13(folder)}
    except ImportError:
        print("onnxruntime is not installed: the public network is left out", flush=True)
        return {}


def _at(
    pairs: Sequence[Pair], found: Sequence[Found], owners: Sequence[NDArray[np.intp]], confidence: float
) -> Boxes:
    n_true = n_found = n_hit = n_extended = n_extended_hit = 0
    on_empty = []
    for pair, boxes, owner in zip(pairs, found, owners, strict=True):
        sure = boxes.scores >= confidence
        hits = owner[sure & (owner >= 0)]
        n_true, n_found, n_hit = n_true + len(pair.boxes), n_found + int(sure.sum()), n_hit + len(hits)
        n_extended += int(pair.extended.sum())
        n_extended_hit += int(pair.extended[hits].sum())
        if pair.is_empty:
            on_empty.append(int(sure.sum()))
    return Boxes(
        confidence=float(confidence),
        f1=2.0 * n_hit / max(n_true + n_found, 1),
        precision=n_hit / n_found if n_found else float("nan"),
        recall=n_hit / n_true if n_true else float("nan"),
        recall_extended=n_extended_hit / n_extended if n_extended else float("nan"),
        false_on_empty=float(np.mean(on_empty)) if on_empty else float("nan"),
    )
