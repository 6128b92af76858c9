"""How XRAI is run with the classifier of ``dso.xrai``: baseline, steps and map threshold, and what they give.

All is measured on drawn validation scenes: whether the hottest place lies in an object, how much of the
relevance does, what the probability does when the hottest pixels are put into or taken out of a blurred
picture, whether the map follows when the network forgets, and how well the boxes fit.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from core.dso.classifier import (
    SIDE_PX,
    WEIGHTS,
    classifier,
    looked_at,
    prepared,
    probabilities,
    squares,
    threshold,
)
from core.dso.xrai import BOX_ROOM, LEAST_VIEW_PX
from core.dso.xrai_views import (
    BASELINES,
    DEFAULTS,
    Explained,
    boxes_of,
    explained_views,
    relevance_of,
    square_around,
    xrai_settings,
)
from core.explain.score import class_score
from core.explain.segments import segment
from core.explain.xrai import explain
from core.models.card import Score, read_card, write_card
from core.models.inference import LockedNetwork
from core.scoring.maps import deletion, insertion, pointing_game, randomisation, relevance_mass, spearman
from core.scoring.matching import match_boxes
from core.scoring.pooled import without_ignored
from training.dso_views import Pictures

Float32 = NDArray[np.float32]
THRESHOLDS = (0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4, 0.6)
STEPS, MANY_STEPS, SAME = (4, 6, 8, 12), 32, 0.95
"""The fewest of the first are taken whose maps rank pixels as those of many steps do."""
IOU = 0.3
FEW = 6
FORGETTING = ("fc", "layer4")
DETAILS = 2


def choose(options: argparse.Namespace, val: Pictures) -> None:
    """Choose on validation scenes, and write choice and figures into the card.

    What the card says of baseline and steps holds if only boxes are to be chosen.
    """
    network, limit = classifier(), threshold()
    if options.choose == "boxes":
        kept = {**DEFAULTS, **read_card(WEIGHTS).extra.get("xrai", {})}
    else:
        kept = choose_maps(options, val, network, limit)
        if not kept:
            return
    rows = np.flatnonzero(~val.is_photograph)[: options.box_pictures]
    maps = box_maps(network, val, rows, limit, kept["baseline"], kept["steps"])
    fits = {cut: box_scores(network, val, maps, limit, cut) for cut in THRESHOLDS}
    cut = max(fits, key=lambda number: fits[number]["F1"])
    print({number: {k: round(v, 3) for k, v in fit.items()} for number, fit in fits.items()}, flush=True)
    named = {f"{key} of boxes at IoU {IOU}, without class": value for key, value in fits[cut].items()}
    keep(
        options,
        {**kept, "map_threshold": cut},
        named,
        f"--box-pictures {options.box_pictures} --choose boxes",
    )


def choose_maps(
    options: argparse.Namespace, val: Pictures, network: LockedNetwork[nn.Module], limit: float
) -> dict[str, Any]:
    """Baseline and steps, once they and their figures are in the card; none where there is nothing to see."""
    rows = np.flatnonzero(~val.is_photograph & val.has_objects)[: options.pictures]
    sure = [
        row
        for row in rows
        if looked_at(network, whole(val, row), squares(*_size(val, row))[:1])[0, 0] >= limit
    ]
    if not sure:
        print("The classifier sees nothing in these scenes: nothing can be chosen.", flush=True)
        return {}
    figures: dict[str, dict[str, float]] = {}
    for name in BASELINES:
        figures[name] = faithfulness(network, val, sure, name)
        print(name, {key: round(value, 3) for key, value in figures[name].items()}, flush=True)
    baseline = max(figures, key=lambda name: worth(figures[name]))
    steps = fewest_steps(network, val, sure[:FEW], baseline)
    named = {f"{key}, {baseline}": value for key, value in figures[baseline].items()}
    named["rank correlation of maps with those of a network that forgot its last stage"] = forgotten(
        network, val, sure[:FEW], baseline, steps
    )
    chosen = {"baseline": baseline, "steps": steps}
    keep(options, chosen, named, f"--pictures {options.pictures} --choose")
    return chosen


def keep(options: argparse.Namespace, chosen: dict[str, Any], named: dict[str, float], how: str) -> None:
    """Write the choice and its figures into the card."""
    card = read_card(WEIGHTS)
    print(chosen, named, flush=True)
    command = f"python -m training.dso_classifier --data DIR {how}"
    scores = {name: Score(round(value, 4), command) for name, value in named.items() if np.isfinite(value)}
    # A figure of an earlier choice, by whatever command, must not stay beside the new ones.
    kinds = {name.partition(",")[0] for name in scores}
    old = {name: score for name, score in card.scores.items() if name.partition(",")[0] not in kinds}
    write_card(
        dataclasses.replace(card, scores={**old, **scores}, extra={**card.extra, "xrai": chosen}),
        options.weights,
    )


def whole(pictures: Pictures, row: int) -> NDArray[np.uint8]:
    """``(H, W, 3)`` one picture."""
    width, height = pictures.sizes[row]
    return np.ascontiguousarray(pictures.fine[row, :height, :width])


def true_boxes(pictures: Pictures, row: int) -> NDArray[np.float64]:
    """``(N, 4)`` boxes of a picture, counted from the middle of its first pixel."""
    return pictures.boxes[row] - 0.5


def faithfulness(
    network: LockedNetwork[nn.Module], pictures: Pictures, rows: Sequence[int], baseline: str
) -> dict[str, float]:
    """Means over whole pictures of what maps with a baseline are worth."""
    settings = xrai_settings(baseline, int(DEFAULTS["steps"]))
    found: dict[str, list[float]] = {
        "pointing game": [],
        "relevance in boxes": [],
        "insertion": [],
        "deletion": [],
    }

    def chance(batch: Float32) -> Float32:
        return probabilities(network, list(batch))[:, 0]

    for row in tqdm(rows, desc=baseline, unit="picture"):
        view = prepared(whole(pictures, row))
        relevance = relevance_of(network, view, settings)
        boxes = (pictures.boxes[row] * SIDE_PX / max(pictures.sizes[row])) - 0.5
        found["pointing game"].append(pointing_game(relevance, boxes))
        found["relevance in boxes"].append(relevance_mass(relevance, boxes))
        found["insertion"].append(insertion(chance, view, relevance, steps=12).area)
        found["deletion"].append(deletion(chance, view, relevance, steps=12).area)
    return {name: float(np.nanmean(values)) for name, values in found.items()}


def worth(figures: dict[str, float]) -> float:
    """One number to choose by: what should be high, less what should be low."""
    return (
        figures["pointing game"] + figures["relevance in boxes"] + figures["insertion"] - figures["deletion"]
    )


def fewest_steps(
    network: LockedNetwork[nn.Module], pictures: Pictures, rows: Sequence[int], baseline: str
) -> int:
    """The fewest steps whose maps rank pixels as those of many steps do, in the median picture."""
    alike: dict[int, list[float]] = {steps: [] for steps in STEPS}
    for row in rows:
        view = prepared(whole(pictures, row))
        pieces = segment(view)
        with network.use() as held:
            score = class_score(held, 0)
            many = explain(score, view, xrai_settings(baseline, MANY_STEPS), segments=pieces).map
            for steps in STEPS:
                few = explain(score, view, xrai_settings(baseline, steps), segments=pieces).map
                alike[steps].append(spearman(few, many))
    print({steps: round(float(np.nanmedian(values)), 3) for steps, values in alike.items()}, flush=True)
    enough = [steps for steps in STEPS if np.nanmedian(alike[steps]) >= SAME]
    return enough[0] if enough else STEPS[-1]


def box_maps(
    network: LockedNetwork[nn.Module],
    pictures: Pictures,
    rows: Sequence[int],
    limit: float,
    baseline: str,
    steps: int,
) -> dict[int, list[Explained]]:
    """The explained views of pictures, by row."""
    kept = {}
    for row in tqdm(rows, desc="boxes", unit="picture"):
        picture = whole(pictures, row)
        views = squares(*_size(pictures, row))
        chances = looked_at(network, picture, views)[:, 0]
        kept[row] = explained_views(
            network,
            picture,
            views,
            chances,
            limit,
            xrai_settings(baseline, steps),
            DETAILS,
        )
    return kept


def box_scores(
    network: LockedNetwork[nn.Module],
    pictures: Pictures,
    kept: dict[int, list[Explained]],
    limit: float,
    map_threshold: float,
) -> dict[str, float]:
    """Precision, recall and F1 of the boxes held on to; those of hidden objects do not count."""
    hits, n_found, n_true = 0, 0, 0
    for row, explained in kept.items():
        width, height = _size(pictures, row)
        found = boxes_of(explained, map_threshold, width, height)
        around = [square_around(box, width, height, BOX_ROOM, LEAST_VIEW_PX) for box in found.boxes]
        chances = looked_at(network, whole(pictures, row), around)[:, 0]
        order = np.argsort(-chances, kind="stable")
        sure = found.boxes[order[chances[order] >= limit]]
        true = true_boxes(pictures, row)
        sure = sure[without_ignored(true, sure, pictures.hidden[row] - 0.5, IOU)]
        hits += len(match_boxes(true, sure, IOU).truth_index)
        n_found += len(sure)
        n_true += len(true)
    precision, recall = hits / max(n_found, 1), hits / max(n_true, 1)
    both = precision + recall
    return {"precision": precision, "recall": recall, "F1": 2 * precision * recall / both if both else 0.0}


def forgotten(
    network: LockedNetwork[nn.Module], pictures: Pictures, rows: Sequence[int], baseline: str, steps: int
) -> float:
    """Mean rank correlation of maps with those after the last layers were drawn anew; near 0 is right."""
    alike = []
    for row in rows:
        view = prepared(whole(pictures, row))
        pieces = segment(view)

        def mapped(held: nn.Module, view: Float32 = view, pieces: Any = pieces) -> Float32:
            return explain(class_score(held, 0), view, xrai_settings(baseline, steps), segments=pieces).map

        with network.use() as held:
            alike.append(randomisation(held, mapped, FORGETTING)[-1].spearman)
    return float(np.nanmean(alike))


def _size(pictures: Pictures, row: int) -> tuple[int, int]:
    width, height = pictures.sizes[row]
    return int(width), int(height)
