"""Train the networks of ``surfaces.craters`` and ``surfaces.segment``.

``python -m training.surfaces_landforms --data DIR --minutes 75`` draws the scenes that are not there yet and
trains the U-Net from nothing on them and on photographs of Mars and the Moon, under any sun. It writes
``weights/surfaces_craters.safetensors`` and its card, calibrates it and chooses the confidence of a crater on
validation scenes and photographs, and measures it on those of the test. With ``--network landforms`` it does
the same for ``weights/surfaces_landforms.safetensors``, on pictures turned so that the sun stands between
left and top; it is best begun from the network of craters, which then tells where the sun is in the pictures
that are measured. Killed, it goes on from its last checkpoint with ``--resume``. ``--score`` only measures
the weights that are there; ``--draw`` only draws.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from core.models import LockedNetwork
from core.models.card import Score, TrainingData, read_card, write_card
from core.models.unet import Sizes
from core.models.weights import save_weights
from core.models.windows import Grid
from core.surfaces.craters import DEFAULT_LOGISTIC, search
from core.surfaces.craters import WEIGHTS as CRATERS
from core.surfaces.in_light import light_on
from core.surfaces.kinds import CRATER, LANDFORMS, SEGMENTS
from core.surfaces.landform_network import (
    ANSWER_PX,
    CLAIM,
    LARGEST,
    RADIUS_PX,
    Answer,
    LandformNetwork,
    landform_network,
    look,
    offset_unit,
)
from core.surfaces.segment import WEIGHTS as PLACES
from core.surfaces.segment import places_in_light
from training.course import Course, device_name, train
from training.options import drawn_splits, scenes_parser_of, started
from training.surface_data import WORK, Sample, draw_split, random_sample, read_scene
from training.surface_photographs import SurfacePhotograph, as_scene, load_photographs
from training.surface_scores import (
    Compared,
    best_confidence,
    best_temperature,
    class_scores,
    compare,
    crater_logistic,
    crater_scores,
    known_places,
)
from training.surface_truth import IGNORE, MARKED, TrueCrater

Float32 = NDArray[np.float32]

PROGRAM = "python -m training.surfaces_landforms"
NETWORKS = {"craters": CRATERS, "landforms": PLACES}
"""Names of the weights."""
CARDS: dict[str, tuple[str, tuple[str, ...]]] = {
    CRATERS: ("U-Net of craters", (CRATER,)),
    PLACES: ("U-Net of landforms", LANDFORMS),
}
"""Title and labels of their cards."""
WEIGHTS_OF_LOSSES = {"classes": 1.0, "dice": 0.5, "middle": 1.0, "offset": 0.5, "size": 1.0, "shape": 0.5}
OF_PLACES = 3.0
"""How much more classes count for the network of landforms."""
WEIGHTS_OF_CLASSES = {"plain": 1.0, "crater floor": 1.0, "crater rim": 1.5, "valley": 3.5, "ridge": 3.5}
"""What is rare counts more."""
MIDDLE_SIGMA, LEAST_SIGMA = 0.12, 0.6
"""Of the peak at a crater's middle, in radii of the crater, and in places."""
NOT_COUNTED = 0.5
"""Radii around the middle of a crater that need not be found, where middles count neither way."""
PHOTOGRAPH_SHARE = 0.25
"""Of the samples; the others are drawn scenes."""
AROUND, MOST_AROUND = 0.3, 1.2
"""How much a place of a crater's claim counts beside that of its middle, and all of them at most: else the
largest would be nearly all that sizes are learned from."""


COLLECTIONS = {
    "moon_dem_gld100": TrainingData(
        "moon_dem_gld100: relief of twelve lunar regions (LROC WAC GLD100, Scholten et al. 2012) with the "
        "craters of Head et al. 2010 and Povilaitis et al. 2018",
        "public domain (NASA/ASU); catalogues as github.com/silburt/DeepMoon has them, MIT",
        "ground of drawn scenes: training, validation and test by region",
    ),
    "crater_themis_yolo": TrainingData(
        "crater_themis_yolo: THEMIS day infrared tiles of Mars with boxes (Zhao, Davis & Collins 2024, "
        "zenodo 13970867)",
        "Apache-2.0; pictures NASA/JPL/ASU, public domain",
        "craters: training and validation; its own valid part is the test",
    ),
    "crater_roboflow_mars_moon": TrainingData(
        "crater_roboflow_mars_moon: pictures of Mars and the Moon with boxes (github.com/SayedFaisalShah12/"
        "CraterNet-X)",
        "MIT; the licence of the set it is from is not stated",
        "craters: its train part, training",
    ),
}
LIMITS = (
    "Trained on shaded relief of the Moon, from its stereo model at 474 m a pixel: other grounds differ.",
    "Valleys and ridges are those that relief shows at that scale; narrower ones are drawn, not real.",
    "Craters under 10 px and worn ones are often missed; a dome lit from the other side looks like a pit.",
    "It sees shading only: what is dark or bright by itself can look like a slope.",
)
OF_LINES = "It is seldom right about valleys and ridges: see their F1."


@dataclass(frozen=True, eq=False)
class Target:
    """What the network should answer, h = H/2 and w = W/2.

    See :class:`core.surfaces.landform_network.Answer`.

    Attributes:
        classes: ``(h, w)`` numbers of classes, or :data:`training.surface_truth.IGNORE`.
        middle: ``(h, w)`` 1 at the middle of a crater, falling around it.
        counts: ``(h, w)`` 0 where middles count neither way.
        offset: ``(2, h, w)``.
        size: ``(h, w)``.
        shape: ``(2, h, w)``.
        claimed: ``(h, w)`` how much offset and size of a place count.
        shaped: ``(h, w)`` how much its shape counts.
    """

    classes: NDArray[np.uint8]
    middle: Float32
    counts: Float32
    offset: Float32
    size: Float32
    shape: Float32
    claimed: Float32
    shaped: Float32


def target_of(sample: Sample) -> Target:
    """What should be answered to a sample."""
    classes = sample.classes[ANSWER_PX // 2 :: ANSWER_PX, ANSWER_PX // 2 :: ANSWER_PX]
    middle, size, claimed, shaped = np.zeros((4, *classes.shape), np.float32)
    offset, shape = np.zeros((2, 2, *classes.shape), np.float32)
    counts = np.ones(classes.shape, np.float32)
    for one in sorted(sample.craters, key=lambda one: -one.diameter_px):
        _lay(one, middle, counts, offset, size, shape, claimed, shaped)
    return Target(classes, middle, counts, offset, size, shape, claimed, shaped)


def _lay(
    one: TrueCrater,
    middle: Float32,
    counts: Float32,
    offset: Float32,
    size: Float32,
    shape: Float32,
    claimed: Float32,
    shaped: Float32,
) -> None:
    """Write a crater over those that are larger."""
    radius = one.diameter_px / 2.0
    # In places, of which the first has its middle half a pixel behind that of the first pixel.
    x, y, reach = (one.x + 0.5) / ANSWER_PX - 0.5, (one.y + 0.5) / ANSWER_PX - 0.5, radius / ANSWER_PX
    sigma = max(MIDDLE_SIGMA * reach, LEAST_SIGMA)
    far = max(4.0 * sigma, NOT_COUNTED * reach, CLAIM * reach, 1.0)
    rows = slice(max(int(y - far), 0), min(int(y + far) + 2, middle.shape[0]))
    columns = slice(max(int(x - far), 0), min(int(x + far) + 2, middle.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    row, column = np.arange(rows.start, rows.stop)[:, None], np.arange(columns.start, columns.stop)[None, :]
    away = np.hypot(column - x, row - y)
    place = rows, columns
    if not one.wanted:
        near = away <= max(NOT_COUNTED * reach, 1.5)
        counts[place][near & (middle[place] < 1.0)] = 0.0
        return
    own = (np.abs(column - x) <= 0.5) & (np.abs(row - y) <= 0.5)
    peak = np.where(own, 1.0, np.exp(-0.5 * (away / sigma) ** 2)).astype(np.float32)
    np.maximum(middle[place], peak, out=middle[place])
    counts[place][own] = 1.0
    claim = (away <= max(CLAIM * reach, 0.75)) | own
    weight = np.where(own, 1.0, min(AROUND, MOST_AROUND / max(int(claim.sum()), 1))).astype(np.float32)
    unit = float(offset_unit(torch.tensor(radius)))
    squeezed = (one.major_px - one.minor_px) / (one.major_px + one.minor_px)
    angle = 2.0 * np.radians(one.angle_deg)
    values = (
        (claimed, weight),
        (shaped, weight * (one.known != MARKED)),
        (size, np.full(away.shape, np.clip(np.log(radius / RADIUS_PX), -LARGEST, LARGEST))),
        (offset[0], np.clip(np.broadcast_to((x - column) / unit, away.shape), -1.0, 1.0)),
        (offset[1], np.clip(np.broadcast_to((y - row) / unit, away.shape), -1.0, 1.0)),
        (shape[0], np.full(away.shape, squeezed * np.cos(angle))),
        (shape[1], np.full(away.shape, squeezed * np.sin(angle))),
    )
    for whole, value in values:
        whole[place][claim] = value[claim]


def as_tensors(samples: Sequence[Sample], device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
    """``(B, 1, H, W)`` pictures in [0, 1], and the targets, a batch of each."""
    targets = [target_of(one) for one in samples]
    pictures = torch.from_numpy(np.stack([one.picture for one in samples])).to(device)
    known = {
        name: torch.from_numpy(np.stack([getattr(one, name) for one in targets])).to(device)
        for name in Target.__annotations__
    }
    return pictures.contiguous(memory_format=torch.channels_last), known


def losses_of(said: Answer, target: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses by name.

    ``classes`` is a weighted cross entropy and ``dice`` one minus the mean of Dice's coefficients of the
    classes of the batch (Milletari et al. 2016, arXiv:1606.04797), ``middle`` the focal loss of Zhou et al.
    2019 (arXiv:1904.07850), the others smooth absolute errors near middles.
    """
    classes, weights = target["classes"].long(), _class_weights(said.classes)
    crossed = F.cross_entropy(said.classes, classes, weights, ignore_index=IGNORE, reduction="sum")
    known = classes != IGNORE
    weight = weights[torch.where(known, classes, 0)] * known
    chances = said.classes.softmax(dim=1) * known[:, None]
    truth = F.one_hot(torch.where(known, classes, 0), len(SEGMENTS)).movedim(-1, 1) * known[:, None]
    both, either = (chances * truth).sum(dim=(0, 2, 3)), (chances + truth).sum(dim=(0, 2, 3))
    dice = 1.0 - (2.0 * both + 1.0) / (either + 1.0)

    log_p, log_q = F.logsigmoid(said.middle), F.logsigmoid(-said.middle)
    chance, peak = log_p.exp(), target["middle"] >= 1.0
    hit = -(log_p * (1.0 - chance) ** 2)[peak].sum()
    false = -(log_q * chance**2 * (1.0 - target["middle"]) ** 4 * target["counts"])[~peak].sum()
    n = peak.sum().clamp(min=4)

    claimed, shaped = target["claimed"], target["shaped"]
    size = F.smooth_l1_loss(said.size, target["size"], reduction="none", beta=0.05)
    offset = F.smooth_l1_loss(said.offset, target["offset"], reduction="none", beta=0.1).sum(dim=1)
    shape = F.smooth_l1_loss(said.shape, target["shape"], reduction="none", beta=0.05).sum(dim=1)
    total = claimed.sum().clamp(min=1.0)
    return {
        "classes": crossed / weight.sum().clamp(min=1.0),
        "dice": dice.mean(),
        "middle": (hit + false) / n,
        "offset": (offset * claimed).sum() / total,
        "size": (size * claimed).sum() / total,
        "shape": (shape * shaped).sum() / shaped.sum().clamp(min=1.0),
    }


def _class_weights(like: Tensor) -> Tensor:
    return torch.tensor([WEIGHTS_OF_CLASSES[name] for name in SEGMENTS], device=like.device, dtype=like.dtype)


def samples(
    paths: Sequence[Path],
    photographs: Sequence[SurfacePhotograph],
    size: int,
    seed: Sequence[int],
    side_px: int,
    to_light: bool = False,
) -> Iterator[list[Sample]]:
    """Endless batches of scenes and, for :data:`PHOTOGRAPH_SHARE` of the samples, of photographs.

    Args:
        paths: Of the scenes.
        photographs: May be none.
        size: Samples a batch.
        seed: Decides everything.
        side_px: Of the scenes.
        to_light: Whether they are turned so that the sun stands between left and top.
    """
    rng = np.random.default_rng(seed)
    while True:
        batch = []
        for _ in range(size):
            if photographs and rng.random() < PHOTOGRAPH_SHARE:
                scene = as_scene(rng, photographs[int(rng.integers(len(photographs)))], side_px)
            else:
                scene = read_scene(paths[int(rng.integers(len(paths)))])
            batch.append(random_sample(rng, scene, to_light))
        yield batch


def learn(
    course: Course[LandformNetwork], samples: list[Sample], weights: Mapping[str, float] = WEIGHTS_OF_LOSSES
) -> dict[str, float]:
    """One step down the weighed sum of its losses; these by name."""
    pictures, target = as_tensors(samples, course.device)

    def losses() -> dict[str, Tensor]:
        with course.autocast():
            said = course.network(pictures)
        return losses_of(said, target)

    return course.learn(losses, weights)


def training_data(options: Any) -> tuple[TrainingData, ...]:
    """What the card says of the data."""
    drawn = TrainingData(
        f"{options.scenes} drawn scenes of {options.side}² (training/surface_scenes.py), "
        f"{options.val_scenes} to validate, {options.test_scenes} to test",
        "AGPL-3.0-only",
        "training, validation and test",
    )
    known = COLLECTIONS if options.data is not None else {}
    return (drawn, *(one for name, one in known.items() if (options.data / name).is_dir()))


def save(course: Course[LandformNetwork], options: Any) -> None:
    """Write the averaged weights and their card, without scores."""
    name = NETWORKS[options.network]
    title, labels = CARDS[name]
    command = (
        f"{PROGRAM} --network {options.network} --data DIR --scenes {options.scenes} "
        f"--minutes {options.minutes:g} --batch {options.batch} --rate {options.rate:g} --seed {options.seed}"
    )
    if options.sizes:
        command += f" --sizes {options.sizes}"
    if course.minutes_before:
        command += " --begin-from CHECKPOINT"
    card = save_weights(
        name,
        course.kept_state,
        {
            "title": title,
            "architecture": (
                f"Residual U-Net: {course.network}; of each {ANSWER_PX} × {ANSWER_PX} px five classes, "
                "and middle, size and shape of craters"
            ),
            "n_parameters": sum(p.numel() for p in course.network.parameters()),
            "task": "surfaces",
            "labels": labels,
            "training_data": training_data(options),
            "scores": {},
            "command": command,
            "seed": options.seed,
            "device": device_name(course.device),
            "minutes": round(course.seconds / 60.0 + course.minutes_before, 1),
            "limits": (*LIMITS, OF_LINES) if name == PLACES else LIMITS,
            "licence": "AGPL-3.0-only",
            "extra": {"steps": course.step, "side_px": options.side},
        },
        folder=options.weights,
    )
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", flush=True)


def measure(val: Sequence[Path], test: Sequence[Path], options: Any) -> None:
    """Calibrate on validation scenes and photographs, measure on those of the test, write the card."""
    name = NETWORKS[options.network]
    command = (
        f"{PROGRAM} --network {options.network} --data DIR --scenes {options.scenes} "
        f"--val-scenes {len(val)} --test-scenes {len(test)} --score"
    )
    figures, extra = (measured_craters if name == CRATERS else measured_places)(val, test, options.data)
    for what, value in figures.items():
        print(f"{name}: {what}: {value:.4f}", flush=True)
    card = read_card(name)
    scores = {what: Score(round(value, 4), command) for what, value in figures.items() if np.isfinite(value)}
    write_card(dataclasses.replace(card, scores=scores, extra={**card.extra, **extra}), options.weights)


def measured_craters(
    val: Sequence[Path], test: Sequence[Path], data: Path | None
) -> tuple[dict[str, float], dict[str, Any]]:
    """Figures of the network of craters by name, and the constants of its card."""
    network = landform_network(CRATERS)
    scenes = {"val": look_at(network, val, "validation"), "test": look_at(network, test, "test")}
    marked = {split: look_at_photographs(network, data, split) for split in scenes}
    constants = crater_logistic([*scenes["val"], *marked["val"]]) or DEFAULT_LOGISTIC
    confidence = best_confidence([*scenes["val"], *marked["val"]], constants)
    figures = {}
    for on, split in (("validation", "val"), ("test", "test")):
        figures |= crater_scores(scenes[split], constants, confidence).named(f"{on} scenes")
        if marked[split]:
            figures |= crater_scores(marked[split], constants, confidence).named(f"{on} photographs")
    return figures, {
        "crater_logistic": [round(one, 5) for one in constants],
        "crater_confidence": round(float(np.clip(confidence, 0.01, 0.99)), 3),
    }


def measured_places(
    val: Sequence[Path], test: Sequence[Path], data: Path | None
) -> tuple[dict[str, float], dict[str, Any]]:
    """Figures of the network of landforms by name, and the constants of its card."""
    seen = {"validation": places_of(val, "validation"), "test": places_of(test, "test")}
    temperature = best_temperature(*seen["validation"])
    figures = {}
    for on, (logits, classes) in seen.items():
        figures |= class_scores(logits, classes, temperature, SEGMENTS, f"{on} scenes")
    return figures, {"temperature": round(temperature, 4)}


def look_at(network: LockedNetwork[LandformNetwork], paths: Sequence[Path], doing: str) -> list[Compared]:
    """What the product finds on scenes: craters beside those that are there."""
    compared = []
    for path in tqdm(paths, desc=f"looking at {doing} scenes", unit="scene"):
        scene = read_scene(path)
        found = search(scene.picture, lambda shown: look(network, shown).craters)
        compared.append(compare(found, scene.craters, scene.picture.shape))
    return compared


def places_of(paths: Sequence[Path], doing: str) -> tuple[Float32, NDArray[np.int64]]:
    """What the product says of places of scenes, whose sun it has to find, with their classes; see
    :func:`training.surface_scores.known_places`."""
    pairs, half = [], ANSWER_PX // 2
    for path in tqdm(paths, desc=f"looking at {doing} scenes", unit="scene"):
        scene = read_scene(path)
        grid = Grid(*scene.picture.shape[::-1], ANSWER_PX)
        logits = places_in_light(scene.picture, grid, light_on(scene.picture))
        pairs.append((logits, scene.classes[half::ANSWER_PX, half::ANSWER_PX]))
    return known_places(pairs)


def look_at_photographs(
    network: LockedNetwork[LandformNetwork], data: Path | None, split: str
) -> list[Compared]:
    """What the product finds on photographs of a split; nothing where there are none."""
    if data is None:
        return []
    return [
        compare(
            search(one.picture, lambda shown: look(network, shown).craters), one.craters, one.picture.shape
        )
        for one in tqdm(load_photographs(data, split), desc=f"looking at {split} photographs")
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, train, measure."""
    parser = scenes_parser_of(PROGRAM, __doc__ or "", WORK)
    parser.add_argument("--network", choices=NETWORKS, default="craters", help="which is trained")
    parser.set_defaults(minutes=75.0, batch=8, rate=1.5e-3)
    options = parser.parse_args(arguments)
    scenes = drawn_splits(options, draw_split)
    if options.draw:
        return 0
    if not options.score:
        torch.manual_seed(options.seed)
        course = Course(
            LandformNetwork(Sizes.of_text(options.sizes)),
            options.work / f"{options.network}.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
        )
        begun = started(course, options)
        of_places = options.network == "landforms"
        weights = dict(WEIGHTS_OF_LOSSES)
        if of_places:
            weights |= {name: OF_PLACES * weights[name] for name in ("classes", "dice")}
        photographs = load_photographs(options.data, "train") if options.data is not None else []

        def make(thread: int) -> Iterator[list[Sample]]:
            seed = [options.seed, begun, thread]
            return samples(scenes["train"], photographs, options.batch, seed, options.side, of_places)

        train(course, make, partial(learn, weights=weights), options.threads)
        save(course, options)
    measure(scenes["val"], scenes["test"], options)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
