"""Data sets of deep-sky scenes on disk, sheets to look at, and a comparison with real frames.

``python -m training.dso_scenes --data DIR --n N --seed S --out DIR`` writes ``images/*.jpg`` (the pictures,
compressed once more at a quality that changes little), ``labels/*.txt`` (class, x, y, width and height as
fractions), ``dataset.yaml``, and with ``--starless`` also ``starless/*.jpg`` of the scenes that have a pair.
``python -m training.dso_scenes compare --data DIR`` measures scenes beside the frames in
``DIR/smart_telescope_look``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tqdm import tqdm

from training.drawing import draw_all
from training.dso_cutouts import CACHE, LABELS, NO_OBJECTS, SPLITS, Objects, load_objects
from training.dso_scenes import DsoScene, draw_dso_scene

UInt8 = NDArray[np.uint8]

QUALITY = 95
COLOURS = {"galaxy": (80, 255, 80), "nebula": (255, 90, 90), "cluster": (80, 220, 255)}
REAL_FRAMES = "smart_telescope_look"
SALT_LEVELS = 60


def write_dataset(
    out: Path, data: Path | None, seeds: Sequence[int], split: str, side_px: int, starless: bool, workers: int
) -> None:
    """Draw scenes into a folder as Ultralytics reads it.

    Args:
        out: Folder to make.
        data: Folder of the collections, or None for simulated objects only.
        seeds: Numbers of the scenes.
        split: ``"train"``, ``"val"`` or ``"test"``.
        side_px: Of the pictures.
        starless: Write pairs without stars too.
        workers: Processes.
    """
    for name in ("images", "labels", *(["starless"] if starless else [])):
        (out / name).mkdir(parents=True, exist_ok=True)
    _objects(data, split)  # so that the workers find them in the cache
    work = [(out, data, seed, split, side_px, starless) for seed in seeds]
    draw_all(_write, work, workers, "drawing scenes", chunk=8)
    names = "".join(f"  {number}: {label}\n" for number, label in enumerate(LABELS))
    (out / "dataset.yaml").write_text(
        f"path: .\ntrain: images\nval: images\nnames:\n{names}", encoding="utf-8"
    )


def yolo_lines(scene: DsoScene) -> str:
    """``class x y width height`` a line, as fractions of the picture's sides."""
    return box_lines(scene.boxes, scene.labels, scene.picture.shape[:2])


def hidden_lines(scene: DsoScene) -> str:
    """The same of what a scene holds and does not show plainly, without its classes."""
    return box_lines(scene.hidden, np.zeros(len(scene.hidden), np.int64), scene.picture.shape[:2])


def box_lines(boxes: NDArray[np.float32], labels: NDArray[np.int64], shape: tuple[int, ...]) -> str:
    """``class x y width height`` a line, as fractions of the sides of a picture of ``(H, W)`` pixels."""
    side = np.array(shape[::-1], float)
    edges = np.clip(boxes.astype(float) + 0.5, 0.0, np.tile(side, 2))
    low, high = edges[:, :2] / side, edges[:, 2:] / side
    lines = np.column_stack([(low + high) / 2, high - low])
    return "".join(
        f"{label} {' '.join(f'{value:.6f}' for value in line)}\n"
        for label, line in zip(labels, lines, strict=True)
    )


def read_lines(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Boxes and classes of a file of such lines, for a picture of ``(H, W)`` pixels."""
    lines = path.read_text(encoding="utf-8").splitlines()
    values = np.array([line.split() for line in lines], float).reshape(-1, 5)
    middle, half = values[:, 1:3], values[:, 3:] / 2.0
    boxes = np.hstack([middle - half, middle + half]) * np.tile(shape[1::-1], 2) - 0.5
    return boxes, values[:, 0].astype(np.int64)


def with_boxes(scene: DsoScene) -> Image.Image:
    """The picture with its boxes drawn, and the surface SNR of each."""
    image = Image.fromarray(scene.picture.copy())
    pen = ImageDraw.Draw(image)
    for box, label, snr in zip(scene.boxes, scene.labels, scene.surface_snr, strict=True):
        colour = COLOURS[LABELS[label]]
        pen.rectangle([float(edge) for edge in box], outline=colour, width=2)
        pen.text((float(box[0]) + 3, float(box[1]) + 2), f"{LABELS[label]} {snr:.1f}", fill=colour)
    return image


def sheet(pictures: Sequence[Image.Image], columns: int, tile_px: int) -> Image.Image:
    """Pictures side by side."""
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * tile_px, rows * tile_px))
    for number, picture in enumerate(pictures):
        tile = picture.resize((tile_px, tile_px), Image.Resampling.LANCZOS)
        whole.paste(tile, (number % columns * tile_px, number // columns * tile_px))
    return whole


def measured(picture: UInt8) -> dict[str, float]:
    """Statistics of a picture by which frames can be told apart, in levels and pixels.

    ``black`` is the part of the frame that is black; background, tint and noise are those of the rest.
    """
    from scipy import ndimage

    pixels = picture.astype(np.float32)
    grey = pixels.mean(axis=2)
    calm = ndimage.median_filter(grey, 3)
    lit = ndimage.uniform_filter((calm > 1.0).astype(np.float32), 9) > 0.9
    seen = lit if lit.mean() > 0.03 else np.ones_like(lit)
    level = np.median(pixels[seen], axis=0)
    fine = grey - ndimage.gaussian_filter(grey, 3.0)
    noise = 1.4826 * float(np.median(np.abs(fine[seen])))
    chroma = (pixels - grey[..., None])[seen]
    sky = seen & (np.abs(fine) < max(3.0 * noise, 1.5))
    pairs = sky[:, 1:] & sky[:, :-1]
    far = sky[:, 3:] & sky[:, :-3]
    variance = max(float(np.var(fine[sky])), 1e-6) if sky.any() else 1.0
    base = float(np.median(grey))
    peaks = (calm == ndimage.maximum_filter(calm, 5)) & (calm > base + 20.0)
    across = [_width(grey, y, x, base) for y, x in np.argwhere(peaks & (calm > base + 60.0))[:400]]
    return {
        "level": float(level.mean()),
        "level red − green": float(level[0] - level[1]),
        "level blue − green": float(level[2] - level[1]),
        "black part": 1.0 - float(lit.mean()),
        "noise": noise,
        "colour noise": 1.4826 * float(np.median(np.abs(chroma - np.median(chroma, axis=0)))),
        "correlation at 1 px": float(np.mean((fine[:, 1:] * fine[:, :-1])[pairs])) / variance,
        "correlation at 3 px": float(np.mean((fine[:, 3:] * fine[:, :-3])[far])) / variance,
        "peaks": float(peaks.sum()),
        "star width": float(np.median(across)) if across else np.nan,
        "white pixels": float((grey > 250).sum()),
        "spoilt pixels": float((np.abs(grey - calm) > SALT_LEVELS).sum()),
        "saturation": float(np.mean(pixels.max(axis=2) - pixels.min(axis=2))),
        "95th percentile": float(np.percentile(grey, 95)),
        "99.5th percentile": float(np.percentile(grey, 99.5)),
        "wide structure": float(np.std(ndimage.gaussian_filter(ndimage.median_filter(calm[::4, ::4], 5), 3))),
    }


def comparison(real: Sequence[UInt8], drawn: Sequence[UInt8]) -> pd.DataFrame:
    """A row a statistic: the 10th, 50th and 90th percentile of both, and how well the drawn cover the real.

    ``covered`` is the part of the real frames between the 2nd and 98th percentile of the drawn ones.
    """
    ours, theirs = (pd.DataFrame([measured(picture) for picture in some]) for some in (drawn, real))
    rows = {}
    for name in theirs:
        a, b = theirs[name].dropna(), ours[name].dropna()
        low, high = np.percentile(b, [2, 98])
        rows[name] = [
            *np.percentile(a, [10, 50, 90]),
            *np.percentile(b, [10, 50, 90]),
            a.between(low, high).mean(),
        ]
    columns = ["real 10 %", "real 50 %", "real 90 %", "drawn 10 %", "drawn 50 %", "drawn 90 %", "covered"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["compare"]:
        return _compare(given[1:])
    parser = argparse.ArgumentParser(
        prog="python -m training.dso_scenes", description="Draw deep-sky scenes."
    )
    parser.add_argument("--data", type=Path, help="folder of the photographs; none: simulated objects only")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="number of the first scene")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--starless", action="store_true", help="write pairs without stars too")
    parser.add_argument("--sheet", action="store_true", help="write only sheet.png, with boxes")
    options = parser.parse_args(given)
    seeds = range(options.seed, options.seed + options.n)
    if options.sheet:
        options.out.mkdir(parents=True, exist_ok=True)
        objects = _objects(options.data, options.split)
        tiles = [with_boxes(draw_dso_scene(s, objects, options.side, options.split)) for s in tqdm(seeds)]
        sheet(tiles, max(1, round(len(tiles) ** 0.5)), 400).save(options.out / "sheet.png")
        return 0
    write_dataset(
        options.out, options.data, seeds, options.split, options.side, options.starless, options.workers
    )
    return 0


def _compare(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.dso_scenes compare", description="Measure scenes beside real frames."
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--n", type=int, default=120)
    parser.add_argument("--seed", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--out", type=Path, help="write side-by-side sheets into this folder too")
    options = parser.parse_args(given)
    files = sorted((options.data / REAL_FRAMES).glob("*.jpg"))
    if not files:
        parser.error(f"there are no frames in {options.data / REAL_FRAMES}")
    real = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    objects = _objects(options.data, "train")
    scenes = [
        draw_dso_scene(s, objects, options.side) for s in tqdm(range(options.seed, options.seed + options.n))
    ]
    drawn = [scene.picture for scene in scenes if scene.paired]
    sys.stdout.write(comparison(real, drawn).round(2).to_string() + "\n")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        for number in range(0, min(len(real), len(drawn)) // 8):
            both = [*real[8 * number : 8 * number + 8], *drawn[8 * number : 8 * number + 8]]
            order = [i for row in range(4) for i in (2 * row, 2 * row + 1, 8 + 2 * row, 9 + 2 * row)]
            sheet([Image.fromarray(both[i]) for i in order], 4, 480).save(
                options.out / f"beside_{number}.png"
            )
    return 0


@lru_cache(maxsize=2)
def _objects(data: Path | None, split: str) -> Objects:
    return NO_OBJECTS if data is None else load_objects(data, split, CACHE)


def _write(out: Path, data: Path | None, seed: int, split: str, side_px: int, starless: bool) -> None:
    scene = draw_dso_scene(seed, _objects(data, split), side_px, split)
    name = f"{split}_{seed:08d}"
    _save(scene.picture, out / "images" / f"{name}.jpg")
    (out / "labels" / f"{name}.txt").write_text(yolo_lines(scene), encoding="utf-8")
    if starless and scene.paired:
        _save(scene.starless, out / "starless" / f"{name}.jpg")


def _save(picture: UInt8, path: Path) -> None:
    Image.fromarray(picture).save(path, "JPEG", quality=QUALITY, subsampling=0)


def _width(grey: NDArray[np.float32], y: int, x: int, base: float) -> float:
    """Full width at half maximum of a peak, the smaller of along the row and along the column."""
    widths = []
    for line, at in (
        (grey[y, max(x - 15, 0) : x + 16], min(x, 15)),
        (grey[max(y - 15, 0) : y + 16, x], min(y, 15)),
    ):
        above = line - base > (line[at] - base) / 2.0
        left, right = np.flatnonzero(~above[:at]), np.flatnonzero(~above[at:])
        widths.append((right[0] if len(right) else 16) + (at - left[-1] if len(left) else 16) - 1.0)
    return min(widths)
