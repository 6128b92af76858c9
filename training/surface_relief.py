"""Real relief of the Moon, with its craters, valleys and ridges: the ground that scenes are drawn on.

A collection ``moon_dem_gld100`` holds regions of 16° × 16° of the LROC WAC stereo model GLD100 (Scholten et
al. 2012, JGR 117, E00H17; NASA/ASU, public domain) as 16-bit pictures of metres at 0.474 km a pixel, and the
ellipses of the craters of Head et al. (2010) and Povilaitis et al. (2018), which are complete down to about 5
km. Smaller ones are found in the relief (:mod:`training.surface_pits`), valleys and ridges too
(:mod:`training.surface_lines`); both are kept in a cache, for they take ten seconds a region.

The split is the collection's; :data:`VALIDATION` is taken out of its training regions. Regions overlap:
ground of a training region that is in a test region too is not shown.

``python -m training.surface_relief check --data DIR`` counts how many of the IAU's rilles and ridges have a
mask near, and how many places beside them have; ``... sheet --data DIR --out DIR`` writes a hillshade of each
region with all that is known of it.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tqdm import tqdm

from training.dso_cutouts import SPLITS
from training.surface_lines import find_lines
from training.surface_pits import Pits, find_pits
from training.surface_truth import CATALOGUED, FOUND, IGNORE, IS_RIDGE, IS_VALLEY, TrueCrater

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

COLLECTION = "moon_dem_gld100"
CACHE = Path(".cache") / "surfaces" / "relief"
VERSION = 7
"""Of what is found in the relief: another one is found again."""
KM_PER_PX = 0.474
VALIDATION = "hyginus_triesnecker"
LARGEST_PX = 150.0
"""Radius: larger ones are basins, which no picture of a region shows as a crater."""
SMALLEST_PX = 2.2
"""Radius of the smallest crater that is found for sure; smaller pits may be anything."""
SAME_PLACE, SAME_SIZE = 0.6, 1.6
NAMED = {"RI": IS_VALLEY, "VA": IS_VALLEY, "DO": IS_RIDGE}
"""IAU types that masks are checked with: rilles, valleys, ridges."""
COLOURS = {IS_VALLEY: (0, 200, 255), IS_RIDGE: (255, 140, 0), IGNORE: (110, 110, 110)}
CRATER_COLOURS = {CATALOGUED: (90, 230, 90), FOUND: (255, 255, 80)}


@dataclass(frozen=True, eq=False)
class Region:
    """A piece of ground.

    Attributes:
        name: Of the region.
        height: ``(H, W)`` metres above an arbitrary level.
        seen: ``(H, W)`` false where it must not be shown.
        classes: ``(H, W)`` plain, valley, ridge or :data:`training.surface_truth.IGNORE`; no craters.
        craters: Known and found ones; those that may be none are not ``wanted``.
        km_per_px: Kilometres a pixel.
    """

    name: str
    height: Float32
    seen: Bool
    classes: UInt8
    craters: tuple[TrueCrater, ...]
    km_per_px: float = KM_PER_PX


def load_regions(data: Path, split: str, cache: Path = CACHE) -> list[Region]:
    """The regions of a split, in the order of ``regions.csv``; none where the collection is not there.

    Args:
        data: Folder that holds the collection.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cache: Folder for what is found in the relief.
    """
    folder = data / COLLECTION
    if not folder.is_dir():
        return []
    table = pd.read_csv(folder / "regions.csv")
    table["split"] = np.where(table["region"] == VALIDATION, "val", table["split"])
    catalogue = pd.read_csv(folder / "craters_px.csv")
    regions = []
    for row in table[table["split"] == split].itertuples():
        others = table[table["split"].isin(SPLITS[SPLITS.index(split) + 1 :])]
        own = catalogue[catalogue["region"] == row.region]
        regions.append(_region(folder / "dem16" / f"{row.region}.png", own, row, others, cache))
    return regions


def make_region(
    name: str, height: Float32, known: Sequence[TrueCrater] = (), seen: Bool | None = None
) -> Region:
    """A region of any relief: what is in it is found here.

    Args:
        name: Of the region.
        height: ``(H, W)`` metres.
        known: Its catalogued craters.
        seen: ``(H, W)`` where it may be shown; None for everywhere.
    """
    craters = (*known, *_pit_craters(_without_known(find_pits(height, 1000.0 * KM_PER_PX), known)))
    classes = find_lines(height, 1000.0 * KM_PER_PX, craters)
    shown = np.ones(height.shape, bool) if seen is None else seen
    return Region(name, height, shown, classes, craters)


def with_everything(region: Region) -> Image.Image:
    """A hillshade, lit from the right above, with masks and craters: catalogued green, found yellow, doubtful
    thin and violet."""
    height = region.height / (1000.0 * region.km_per_px)
    slope_y, slope_x = np.gradient(3.0 * height)
    lit = (0.6 * slope_x - 0.6 * slope_y + 0.5) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    shade = np.repeat(np.clip(255.0 * lit, 0.0, 255.0)[..., None], 3, axis=2)
    for number, colour in COLOURS.items():
        there, part = region.classes == number, 0.25 if number == IGNORE else 0.5
        shade[there] = (1.0 - part) * shade[there] + part * np.array(colour)
    image = Image.fromarray(np.where(region.seen[..., None], shade, 0.0).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for one in region.craters:
        colour = CRATER_COLOURS[one.known] if one.wanted else (200, 80, 200)
        pen.ellipse(one.box, outline=colour)
    return image


def near_named(
    region: Region, named: pd.DataFrame, rng: np.random.Generator, trials: int = 200
) -> pd.DataFrame:
    """A row a named feature: the part of its surroundings that a mask covers, and what chance has.

    A name stands for a place and a length only, so a square of half the length around the place is taken,
    between 20 and 160 px wide; chance is that square anywhere in the region.

    Args:
        region: With its masks.
        named: Columns ``name``, ``type``, ``cx``, ``cy``, ``length_km``.
        rng: Decides where chance looks.
        trials: Places chance looks at.
    """
    rows = []
    side_y, side_x = region.classes.shape
    for one in named.itertuples():
        mask = region.classes == NAMED[str(one.type)]
        half = int(np.clip(0.25 * float(one.length_km) / region.km_per_px, 10, 80))
        total = np.pad(np.cumsum(np.cumsum(mask, axis=0), axis=1), ((1, 0), (1, 0)))

        def covered(x: float, y: float, half: int = half, total: NDArray[np.int64] = total) -> float:
            x0, x1 = np.clip([round(x) - half, round(x) + half], 0, side_x)
            y0, y1 = np.clip([round(y) - half, round(y) + half], 0, side_y)
            inside = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
            return float(inside) / max((x1 - x0) * (y1 - y0), 1)

        own = covered(float(one.cx), float(one.cy))
        chance = np.array(
            [covered(*rng.uniform([half, half], [side_x - half, side_y - half])) for _ in range(trials)]
        )
        rows.append(
            {
                "region": region.name,
                "name": one.name,
                "type": one.type,
                "length_km": one.length_km,
                "covered": own,
                "by chance": float(chance.mean()),
                "near": own > 0.0,
                "near by chance": float((chance > 0.0).mean()),
                "more than chance": float((own > chance).mean()),
            }
        )
    return pd.DataFrame(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.surface_relief", description=__doc__)
    parser.add_argument("what", choices=("check", "sheet"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="folder of the sheets")
    options = parser.parse_args(arguments)
    regions = [one for split in SPLITS for one in load_regions(options.data, split)]
    if options.what == "sheet":
        if options.out is None:
            parser.error("--out is needed")
        options.out.mkdir(parents=True, exist_ok=True)
        for region in tqdm(regions, desc="writing sheets", unit="region"):
            with_everything(region).save(options.out / f"{region.name}.png")
        return 0
    names = pd.read_csv(options.data / COLLECTION / "iau_features_px.csv")
    names = names[names["type"].isin(list(NAMED))]
    rng = np.random.default_rng(0)
    found = pd.concat([near_named(one, names[names["region"] == one.name], rng) for one in regions])
    print(found.round(3).to_string(index=False))
    for kind, rows in found.groupby(found["type"].map(lambda kind: "ridges" if kind == "DO" else "valleys")):
        print(
            f"{kind}: {rows['near'].sum()} of {len(rows)} have a mask near "
            f"(chance {rows['near by chance'].sum():.1f}); covered {rows['covered'].mean():.3f} "
            f"(chance {rows['by chance'].mean():.3f}); "
            f"median {rows['more than chance'].median():.2f} of places have less"
        )
    return 0


def _region(path: Path, catalogue: pd.DataFrame, row: object, others: pd.DataFrame, cache: Path) -> Region:
    raw = path.read_bytes()
    with Image.open(path, formats=("PNG",)) as image:
        height = np.asarray(image).astype(np.float32)
    known = tuple(_catalogued(catalogue))
    key = hashlib.sha256(raw + catalogue.to_csv().encode()).hexdigest()[:12]
    kept = cache / f"{path.stem}.{VERSION}.{key}.npz"
    if kept.exists():
        with np.load(kept) as found:
            pits = Pits(*found["pits"])
            classes = found["classes"]
    else:
        pits = _without_known(find_pits(height, 1000.0 * KM_PER_PX), known)
        classes = find_lines(height, 1000.0 * KM_PER_PX, (*known, *_pit_craters(pits)))
        cache.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part.npz")
        np.savez_compressed(part, pits=np.stack(list(vars(pits).values())), classes=classes)
        part.replace(kept)
    return Region(
        path.stem, height, ~_within_others(row, others, height.shape), classes, (*known, *_pit_craters(pits))
    )


def _catalogued(catalogue: pd.DataFrame) -> list[TrueCrater]:
    craters = []
    for rx, ry, x, y in catalogue[["rx", "ry", "cx", "cy"]].to_numpy(float):
        if max(rx, ry) <= LARGEST_PX:
            angle = 0.0 if rx >= ry else 90.0
            craters.append(TrueCrater(x, y, max(rx, ry), min(rx, ry), angle, known=CATALOGUED))
    return craters


def _pit_craters(pits: Pits) -> list[TrueCrater]:
    sure = pits.sure & (pits.radius_px >= SMALLEST_PX)
    return [
        TrueCrater(float(x), float(y), float(radius), float(radius), wanted=bool(good), known=FOUND)
        for x, y, radius, good in zip(pits.x, pits.y, pits.radius_px, sure, strict=True)
    ]


def _without_known(pits: Pits, known: Sequence[TrueCrater]) -> Pits:
    """Pits that are no catalogued crater, nor its floor or the peak's moat."""
    new = np.ones(len(pits), bool)
    for one in known:
        radius = one.diameter_px / 2.0
        gap, ratio = np.hypot(pits.x - one.x, pits.y - one.y) / radius, pits.radius_px / radius
        new &= ~((gap < SAME_PLACE) & (ratio > 1.0 / SAME_SIZE) & (ratio < SAME_SIZE))
        new &= ~((gap < 0.3) & (ratio > 0.4) & (ratio < SAME_SIZE))
    return pits[new]


def _within_others(row: object, others: pd.DataFrame, shape: tuple[int, ...]) -> Bool:
    """Where a region reaches into one of another split."""
    lon_min, lon_max, lat_min, lat_max = (
        float(getattr(row, name)) for name in ("lon_min", "lon_max", "lat_min", "lat_max")
    )
    lon = lon_min + (np.arange(shape[1]) + 0.5) * (lon_max - lon_min) / shape[1]
    lat = lat_max - (np.arange(shape[0]) + 0.5) * (lat_max - lat_min) / shape[0]
    hidden = np.zeros(shape, bool)
    for other in others.itertuples():
        east = (lon > float(other.lon_min)) & (lon < float(other.lon_max))
        north = (lat > float(other.lat_min)) & (lat < float(other.lat_max))
        hidden |= north[:, None] & east[None, :]
    return hidden


if __name__ == "__main__":
    raise SystemExit(main())
