"""How like the maps that ``dso.pix2pix`` paints are to XRAI's, and how much sooner they are there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.dso.runs import method_code
from benchmarks.dso.sets import Example
from benchmarks.kept import key_of
from core.dso.pix2pix import WEIGHTS
from core.dso.pix2pix_map import explained_map, painted_levels
from core.dso.xrai import METHOD
from core.models import are_present, read_card
from core.scoring.likeness import Likeness, copied_input, likeness, mean_likeness

Float32 = NDArray[np.float32]

NEEDED = (WEIGHTS, "dso_classifier")
PICTURES, REFERENCE_PICTURES = 40, 2


def is_ready() -> bool:
    """Whether both networks are there."""
    return all(map(are_present, NEEDED))


def measure(
    examples: Sequence[Example],
    cache: Path,
    set_key: str,
    n: int = PICTURES,
    n_reference: int = REFERENCE_PICTURES,
) -> dict[str, Any]:
    """Paint and explain the first pictures of a set, those with objects and those without mixed.

    Args:
        examples: The set.
        cache: Folder where XRAI's maps are kept.
        set_key: Tells sets apart.
        n: Pictures to compare.
        n_reference: Pictures to also explain with PAIR's ``saliency``, which takes a minute each.

    Returns:
        ``likeness`` by map, the trivial ones among them, and ``seconds`` by way.
    """
    from core.dso.classifier import SIDE_PX as EXPLAINED_PX
    from core.dso.pix2pix_network import SIDE_PX, paint, pix2pix_network, squared

    chosen = [examples[i] for i in np.linspace(0, len(examples) - 1, min(n, len(examples))).astype(int)]
    middle = float(read_card(WEIGHTS).extra["xrai_middle"])
    folder = cache / f"xrai-{key_of(METHOD, method_code(METHOD), set_key)}"
    folder.mkdir(parents=True, exist_ok=True)
    network = pix2pix_network(WEIGHTS)
    paint(network, chosen[0].picture)
    targets, painted, copies = [], [], []
    seconds: dict[str, list[float]] = {"painted": [], "dso.xrai": [], "saliency": []}
    for example in tqdm(chosen, desc="painting and explaining", unit="picture"):
        square, _ = squared(example.picture, EXPLAINED_PX)
        xrai, took = _explained(square, folder / f"{example.name}.npz")
        seconds["dso.xrai"].append(took)
        targets.append(_resized(painted_levels(xrai, middle), SIDE_PX))
        whole, _ = squared(example.picture)
        start = time.perf_counter()
        painted.append(paint(network, whole))
        seconds["painted"].append(time.perf_counter() - start)
        copies.append(copied_input(whole))
    total = np.sum(targets, axis=0)
    # The mean of the other pictures: what can be painted without looking.
    means = [(total - one) / max(len(targets) - 1, 1) for one in targets]
    for example in tqdm(chosen[:n_reference], desc="explaining with saliency", unit="picture"):
        seconds["saliency"].append(_by_saliency(squared(example.picture, EXPLAINED_PX)[0]))
    ways = {"painted": painted, "copied input": copies, "mean of the others": means}
    return {
        "pictures": len(chosen),
        "likeness": {name: _likeness(targets, maps).named() for name, maps in ways.items()},
        "seconds": {name: round(float(np.median(values)), 4) for name, values in seconds.items() if values},
        "reference_pictures": len(seconds["saliency"]),
    }


def row_of(name: str, one: dict[str, Any], seconds: float | None) -> dict[str, Any]:
    """A line of the table."""
    return {
        "map": name,
        "PSNR, dB": one["psnr_db"],
        "SSIM": one["ssim"],
        "correlation": one["correlation"],
        "IoU of the top 20 %": one["top_20_iou"],
        "seconds": seconds,
    }


def _likeness(targets: Sequence[Float32], maps: Sequence[Float32]) -> Likeness:
    return mean_likeness([likeness(truth, one) for truth, one in zip(targets, maps, strict=True)])


def _explained(square: NDArray[np.uint8], path: Path) -> tuple[Float32, float]:
    """XRAI's map of a square and the seconds it took, now or when it was made."""
    if not path.exists():
        start = time.perf_counter()
        values = explained_map(square)
        took = time.perf_counter() - start
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez_compressed(file, map=values, seconds=took)
        part.replace(path)
    with np.load(path) as kept:
        return kept["map"], float(kept["seconds"])


def _by_saliency(square: NDArray[np.uint8]) -> float:
    """Seconds PAIR's ``saliency`` takes with its defaults for the same network, score and picture."""
    from benchmarks.xrai import by_saliency
    from core.dso.classifier import classifier, prepared

    with classifier().use() as network:
        start = time.perf_counter()
        by_saliency(network, 0, prepared(square))
        return time.perf_counter() - start


def _resized(levels: Float32, side_px: int) -> Float32:
    image = Image.fromarray(levels).resize((side_px, side_px), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32)
