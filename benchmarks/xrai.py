"""Explanations against PAIR's ``saliency`` 0.2.1: do the maps rank pixels alike, and how much sooner.

``python -m benchmarks.xrai`` prints a table and writes ``benchmarks/results/xrai.json`` picture by picture;
what is there from another run of the same settings and threads is kept.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import saliency.core as saliency
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from benchmarks.xrai_networks import efficientnet_lite0, resnet50
from core.dso.classifier import WEIGHTS, build, normalised
from core.explain.integrated_gradients import PathSettings
from core.explain.score import class_score, for_explaining
from core.explain.xrai import Explanation, XraiSettings, explain
from core.models import are_present, load_state
from core.scoring.maps import pearson, spearman, top_iou

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "xrai.json"
SIDE = 224
PICTURES = ("m31", "m8", "m66", "m17", "m13", "ic1396")
NETWORKS = ("efficientnet_lite0", "resnet50")
RANK_BAR, TIME_BAR = 0.95, 15.0
REFERENCE = "reference settings"
STEPS = PathSettings().steps
MORE_STEPS = (4, 6, 8, 10, 12, 16)
"""What the default was chosen from; ``--all`` measures them."""


def variants(steps: Sequence[int], with_reference: bool) -> dict[str, XraiSettings]:
    """Ours by name: the default path with these numbers of steps, in both precisions."""
    named: dict[str, XraiSettings] = {REFERENCE: XraiSettings.reference()} if with_reference else {}
    for number in steps:
        for precision in ("float32", "bfloat16"):
            path = PathSettings(steps=number, precision=precision)  # type: ignore[arg-type]
            named[f"{number} {path.rule} steps, {precision}"] = XraiSettings(path=path)
    return named


@dataclass(frozen=True)
class Timed:
    """Seconds a call took: on the clock, and of the processor over all threads."""

    wall_s: float
    cpu_s: float


def load(name: str, for_classifier: bool = False) -> NDArray[np.float32]:
    """``(3, 224, 224)`` in [-1, 1]: the middle of a sample, by root of level for the classifier."""
    with Image.open(ROOT / "samples" / f"{name}.jpg") as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        cut = image.convert("RGB").crop((left, top, left + side, top + side))
        small = np.asarray(cut.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    if for_classifier:
        return normalised(small)
    return np.moveaxis(small.astype(np.float32), -1, 0) / 127.5 - 1.0


def trained_resnet50() -> nn.Module:
    """The deep-sky classifier, as it was trained."""
    network = build()
    network.load_state_dict(load_state(WEIGHTS))
    return network.eval()


def by_saliency(network: nn.Module, index: int, picture: NDArray[np.float32]) -> NDArray[np.float64]:
    """The map of ``saliency`` with its defaults, on a network of torch as its manual shows it."""

    def call(points: NDArray[Any], call_model_args: Any = None, expected_keys: Any = None) -> dict[str, Any]:
        batch = torch.tensor(np.moveaxis(points, -1, 1), dtype=torch.float32, requires_grad=True)
        scores = network(batch)[:, index]
        (gradients,) = torch.autograd.grad(scores, batch, grad_outputs=torch.ones_like(scores))
        return {saliency.INPUT_OUTPUT_GRADIENTS: np.moveaxis(gradients.numpy(), 1, -1)}

    return saliency.XRAI().GetMask(np.moveaxis(picture, 0, -1), call)


def timed(work: Callable[[], Any]) -> tuple[Any, Timed]:
    """What ``work`` gives, and how long it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, Timed(time.perf_counter() - wall, time.process_time() - cpu)


def measure(
    network: nn.Module, picture: NDArray[np.float32], chosen: dict[str, XraiSettings]
) -> dict[str, Any]:
    """One picture: the map of ``saliency``, and each of ours beside it.

    The class is the network's own first choice. Preparing the network is not timed: it is done once.
    """
    with torch.no_grad():
        index = int(network(torch.from_numpy(picture[None])).argmax())
    quick = for_explaining(network)
    small = XraiSettings(path=PathSettings(1, batch=1))
    for warm in (network, quick):
        explain(class_score(warm, index), picture, small)
    theirs, reference = timed(lambda: by_saliency(network, index, picture))
    rows: dict[str, Any] = {"class": index, "saliency": vars(reference)}
    print(f"  saliency: {reference.cpu_s:.1f} s of processor, {reference.wall_s:.1f} s", flush=True)
    for name, settings in chosen.items():
        used = network if name == REFERENCE else quick
        ours, took = timed(
            lambda used=used, settings=settings: explain(class_score(used, index), picture, settings)
        )
        rows[name] = compared(ours, theirs, took, reference)
        print(f"  {name}: {rows[name]}", flush=True)
    return rows


def compared(
    ours: Explanation, theirs: NDArray[np.float64], took: Timed, reference: Timed
) -> dict[str, float]:
    """How alike two maps are, and how many times as long the reference took."""
    return {
        "rank_correlation": round(spearman(ours.map, theirs), 4),
        "correlation": round(pearson(ours.map, theirs), 4),
        "top_20_iou": round(top_iou(ours.map, theirs), 4),
        "cpu_s": round(took.cpu_s, 3),
        "wall_s": round(took.wall_s, 3),
        "cpu_ratio": round(reference.cpu_s / took.cpu_s, 1),
        "wall_ratio": round(reference.wall_s / took.wall_s, 1),
        **{f"{step}_s": round(seconds, 3) for step, seconds in ours.seconds.items()},
    }


def table(results: dict[str, Any]) -> Iterator[str]:
    """The lines of a table in Markdown: medians over the pictures, the lowest correlation in brackets."""
    yield "| network | ours | pictures | rank correlation (lowest) | top 20 % IoU | time ratio (lowest) |"
    yield "|---|---|---|---|---|---|"
    for network, pictures in results["networks"].items():
        names = dict.fromkeys(
            name for rows in pictures.values() for name in rows if name not in ("class", "saliency")
        )
        for name in names:
            rows = [rows[name] for rows in pictures.values() if name in rows]
            rank, iou, ratio = (
                np.array([row[key] for row in rows])
                for key in ("rank_correlation", "top_20_iou", "cpu_ratio")
            )
            yield (
                f"| {network} | {name} | {len(rows)} | {np.median(rank):.3f} ({rank.min():.3f}) | "
                f"{np.median(iou):.2f} | {np.median(ratio):.1f} ({ratio.min():.1f}) |"
            )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--pictures", nargs="+", default=PICTURES[:4])
    parser.add_argument("--threads", type=int, default=1, help="of torch; 1 is fair on a busy machine")
    parser.add_argument("--all", action="store_true", help="also what the default was chosen from")
    parser.add_argument("--no-reference", action="store_true", help="leave out our own reference settings")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = variants(MORE_STEPS if arguments.all else (STEPS,), not arguments.no_reference)
    makers = {
        "efficientnet_lite0": efficientnet_lite0,
        "resnet50": lambda: resnet50(torch.from_numpy(np.stack([load(name) for name in PICTURES]))),
    }
    trained = are_present(WEIGHTS)
    if trained:
        makers["resnet50"] = trained_resnet50
    results: dict[str, Any] = {"networks": {}}
    if RESULTS.exists():
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
        results = before if before.get("threads") == arguments.threads else results
    results["threads"] = arguments.threads
    for network_name in arguments.networks:
        network = makers[network_name]()
        for name in arguments.pictures:
            print(f"{network_name}, {name}", flush=True)
            of_sky = trained and network_name == "resnet50"
            rows = measure(network, load(name, for_classifier=of_sky), chosen)
            # Rows of random weights and of trained ones never stand under one name.
            shown_name = "resnet50, trained on skies" if of_sky else network_name
            kept = results["networks"].setdefault(shown_name, {})
            kept[name] = rows
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
