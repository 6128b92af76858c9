"""Scenes of planetary surfaces on disk, to train and to judge the networks of surfaces on.

A folder a split holds, for each scene, ``scene_NNNNNN.png`` (the picture, grey), ``scene_NNNNNN.classes.png``
(the number in :data:`core.surfaces.kinds.SEGMENTS` of each pixel, 255 where it counts neither way) and
``scene_NNNNNN.json`` (the craters and what else is known), which is written last. What is there is not drawn
again, so drawing may be stopped at any time.

``python -m training.surface_data --data DIR --n N --work DIR`` only draws; ``--sheet FILE`` instead writes a
sheet of scenes beside what is known of them, to look at.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tqdm import tqdm

from core.surfaces.sunlight import Sunlight, light_on_craters, quarter_to_light
from training.drawing import draw_missing, turned_place
from training.dso_cutouts import SPLITS
from training.dso_dataset import sheet
from training.surface_relief import Region, load_regions
from training.surface_scenes import SIDE_PX, SceneFacts, SurfaceScene, draw_surface_scene
from training.surface_truth import IGNORE, IS_FLOOR, IS_RIDGE, IS_RIM, IS_VALLEY, TrueCrater

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WORK = Path(".cache") / "surfaces"
COLOURS = {
    IS_FLOOR: (70, 90, 200),
    IS_RIM: (240, 220, 60),
    IS_VALLEY: (0, 190, 255),
    IS_RIDGE: (255, 120, 0),
    IGNORE: (120, 60, 120),
}
WANTED, NOT_WANTED = (90, 255, 90), (220, 80, 220)


@dataclass(frozen=True, eq=False)
class Sample:
    """What is learned from: a scene turned, mirrored, brighter or darker.

    Attributes:
        picture: ``(1, H, W)`` in [0, 1].
        classes: ``(H, W)`` as in :class:`training.surface_scenes.SurfaceScene`.
        craters: Where they are on this picture.
    """

    picture: Float32
    classes: UInt8
    craters: tuple[TrueCrater, ...]


def draw_split(
    work: Path, data: Path | None, split: str, n_scenes: int, workers: int = 1, side_px: int = SIDE_PX
) -> list[Path]:
    """Draw what is missing of a split, and give its files.

    Args:
        work: Folder of the scenes.
        data: Folder of the collections; None for ground without a region only.
        split: ``"train"``, ``"val"`` or ``"test"``.
        n_scenes: Scenes 0 to ``n_scenes - 1`` of the split.
        workers: Processes.
        side_px: Of the pictures.
    """
    return draw_missing(_write_scene, _regions, work, data, split, n_scenes, workers, side_px)


def read_scene(path: Path) -> SurfaceScene:
    """A scene from its files."""
    known = json.loads(path.read_text(encoding="utf-8"))
    with Image.open(path.with_suffix(".png"), formats=("PNG",)) as image:
        picture = np.asarray(image.convert("L"))
    with Image.open(path.with_suffix(".classes.png"), formats=("PNG",)) as image:
        classes = np.asarray(image)
    craters = tuple(TrueCrater(**one) for one in known["craters"])
    return SurfaceScene(picture, classes, craters, SceneFacts(**known["facts"]))


def random_sample(rng: np.random.Generator, scene: SurfaceScene, to_light: bool = False) -> Sample:
    """One way to see a scene: one of eight, with other levels.

    Args:
        rng: Decides which.
        scene: A square scene.
        to_light: As for :func:`random_turn`.
    """
    quarter, mirrored = random_turn(rng, scene, to_light)
    levels = random_levels(rng)
    picture, classes = (np.rot90(one, quarter) for one in (scene.picture, scene.classes))
    if mirrored:
        picture, classes = picture[:, ::-1], classes[:, ::-1]
    side = scene.picture.shape[0]
    craters = tuple(turned(one, quarter, mirrored, side) for one in scene.craters)
    return Sample(levels[picture][None], np.ascontiguousarray(classes), craters)


def random_turn(rng: np.random.Generator, scene: SurfaceScene, to_light: bool) -> tuple[int, bool]:
    """Quarters of a turn, and whether to mirror then.

    Args:
        rng: Decides which of the eight.
        scene: What will be turned.
        to_light: One of the two that bring the sun, where its side is known, to where
            :func:`core.surfaces.sunlight.quarter_to_light` turns it.
    """
    quarter, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
    light = light_of(scene) if to_light else Sunlight(0.0, 0.0)
    if light.is_known:
        # Rows exchanged with columns, which is three quarters of a turn and a mirror, leave it there.
        quarter = quarter_to_light(light.azimuth_deg) + (3 if mirrored else 0)
    return quarter, mirrored


def light_of(scene: SurfaceScene) -> Sunlight:
    """The light on a scene: as it was drawn, or as the craters of a photograph show it."""
    azimuth_deg = scene.facts.sun_azimuth_deg
    if azimuth_deg is not None:
        return Sunlight(azimuth_deg, is_given=True)
    x, y, diameter, wanted = scene.circles.T
    return light_on_craters(scene.picture, np.column_stack([x, y, diameter / 2.0, wanted])[wanted > 0])


def random_levels(rng: np.random.Generator) -> Float32:
    """``(256,)`` brightness in [0, 1] of each level, under another gamma, contrast and offset."""
    at = np.linspace(0.0, 1.0, 256) ** np.exp(rng.uniform(-0.35, 0.35))
    gain, offset = rng.uniform(0.75, 1.1), rng.uniform(-0.06, 0.1)
    return np.clip(gain * at + offset, 0.0, 1.0).astype(np.float32)


def turned(one: TrueCrater, quarter: int, mirrored: bool, side_px: int) -> TrueCrater:
    """A crater on a square picture that went through ``np.rot90(…, quarter)``, then was mirrored perhaps."""
    x, y, angle = turned_place(one.x, one.y, one.angle_deg, quarter, mirrored, side_px)
    return dataclasses.replace(one, x=x, y=y, angle_deg=angle)


def with_truth(scene: SurfaceScene, title: str = "") -> Image.Image:
    """The picture, and beside it the classes and craters over it."""
    plain = np.repeat(scene.picture[..., None], 3, axis=2)
    shown = plain.astype(np.float32)
    for number, colour in COLOURS.items():
        there = scene.classes == number
        part = 0.3 if number == IGNORE else 0.4
        shown[there] = (1.0 - part) * shown[there] + part * np.array(colour, np.float32)
    image = Image.fromarray(np.hstack([plain, shown.astype(np.uint8)]))
    pen = ImageDraw.Draw(image)
    turn = np.linspace(0.0, 2.0 * np.pi, 60)
    for one in scene.craters:
        cos, sin = np.cos(np.radians(one.angle_deg)), np.sin(np.radians(one.angle_deg))
        along, across = one.major_px * np.cos(turn), one.minor_px * np.sin(turn)
        x, y = one.x + cos * along - sin * across, one.y + sin * along + cos * across
        x = np.maximum(x, 0.0) + scene.picture.shape[1]
        pen.line(
            [(float(u), float(v)) for u, v in zip(x, y, strict=True)],
            fill=WANTED if one.wanted else NOT_WANTED,
        )
    facts = scene.facts
    pen.text((4, 4), f"{title} {facts.way} {facts.region} i {facts.incidence_deg:.0f}°", fill=(255, 255, 255))
    return image


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the scenes."""
    parser = argparse.ArgumentParser(prog="python -m training.surface_data", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the collections; none: fractal ground only")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--n", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="number of the first scene of a sheet")
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--side", type=int, default=SIDE_PX)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--draw", action="store_true", help="draw the split; the default")
    parser.add_argument("--sheet", type=Path, help="write only this picture, with what is known")
    options = parser.parse_args(arguments)
    if options.sheet is None:
        draw_split(options.work, options.data, options.split, options.n, options.workers, options.side)
        return 0
    regions = _regions(options.data, options.split)
    halves = []
    for n in tqdm(range(options.first, options.first + options.n), desc="drawing scenes", unit="scene"):
        both = with_truth(draw_surface_scene(n, regions, options.side, options.split), str(n))
        halves += [both.crop((0, 0, options.side, options.side)), both.crop((options.side, 0, *both.size))]
    sheet(halves, 2 * max(1, round((options.n / 2) ** 0.5)), min(options.side, 400)).save(options.sheet)
    return 0


@lru_cache(maxsize=2)
def _regions(data: Path | None, split: str) -> list[Region]:
    return [] if data is None else load_regions(data, split)


def _write_scene(path: Path, data: Path | None, split: str, seed: int, side_px: int) -> None:
    """The pictures first, and the craters once these are whole: where they are, all is."""
    scene = draw_surface_scene(seed, _regions(data, split), side_px, split)
    _save(scene.picture, path.with_suffix(".png"))
    _save(scene.classes, path.with_suffix(".classes.png"))
    known = {
        "seed": seed,
        "facts": dataclasses.asdict(scene.facts),
        "craters": [one.as_dict() for one in scene.craters],
    }
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(known), encoding="utf-8")
    part.replace(path)


def _save(pixels: UInt8, path: Path) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    Image.fromarray(pixels).save(part, "PNG", compress_level=3)
    part.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
