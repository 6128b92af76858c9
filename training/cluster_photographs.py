"""Photographs of star clusters whose outlines are known, and of galaxies and nebulae that are none.

They are those of the collection ``dso_stellarium``, with its split, and OpenNGC's sizes. Photographs with
clusters in nebulae, associations, crowds of small clusters (the Magellanic Clouds) and clusters of a few
pixels are left out: of these nobody can say what must be found.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from core.clusters.kinds import GLOBULAR, OPEN
from training.cluster_truth import TrueCluster
from training.dso_cutouts import catalogue_boxes, on_black
from training.dso_objects import laid
from training.dso_sky import chance, log_uniform

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

COLLECTION = "dso_stellarium"
KINDS = {"OCl": OPEN, "GCl": GLOBULAR}
NO_CLUSTERS = ("G", "GPair", "GTrpl", "GGroup", "PN", "SNR")
"""OpenNGC's types that hold no stars of their own to be seen."""
MOST_CLUSTERS, LEAST_SHARE, LEAST_PX = 3, 0.12, 40.0
"""A photograph has at most so many clusters, and the largest is this part of it and so many pixels."""
LIGHT_OVER_FIELD = 1.08
"""An open cluster can be seen when it is so much brighter than what surrounds it, over the black."""


@dataclass(frozen=True, eq=False)
class ClusterPhotograph:
    """A photograph: ``(h, w, 3)`` pixels, its clusters, and the file it is from."""

    picture: UInt8
    clusters: tuple[TrueCluster, ...]
    source: str

    @property
    def can_be_laid(self) -> bool:
        """Whether its one cluster is whole and has sky around it, so that it can be cut out."""
        if len(self.clusters) != 1 or not self.clusters[0].wanted:
            return False
        one, (height, width) = self.clusters[0], self.picture.shape[:2]
        return bool(
            one.reach_px < 0.4 * min(height, width)
            and abs(one.x - width / 2) < 0.12 * width
            and abs(one.y - height / 2) < 0.12 * height
        )


def load_photographs(data: Path, split: str) -> list[ClusterPhotograph]:
    """The photographs of a split, in the order of their names; none where the collection is not there.

    Args:
        data: Folder that holds the collection.
        split: ``"train"``, ``"val"`` or ``"test"``.
    """
    folder = data / COLLECTION
    if not folder.is_dir():
        return []
    found = []
    for file, rows in catalogue_boxes(folder, split).groupby("file", sort=True):
        if not _is_fit(rows):
            continue
        with Image.open(folder / "images" / str(file), formats=("JPEG", "PNG")) as image:
            picture = np.asarray(image.convert("RGB"))
        clusters = tuple(
            _judged(_outline(box, KINDS[kind]), picture)
            for box, kind in zip(rows[["x0", "y0", "x1", "y1"]].to_numpy(float), rows["type"], strict=True)
            if kind in KINDS
        )
        found.append(ClusterPhotograph(picture, clusters, str(file)))
    return found


def shown_whole(
    rng: np.random.Generator, photograph: ClusterPhotograph, side_px: int
) -> tuple[Float32, tuple[TrueCluster, ...]]:
    """A photograph turned and mirrored, somewhere on a black square, larger or smaller than it.

    Returns:
        ``(side, side, 3)`` levels, and its clusters there.
    """
    native = max(photograph.picture.shape[:2])
    scale = log_uniform(rng, 0.45, 1.6) * side_px / native
    scale = min(scale, 1.4)
    spare = 0.5 * abs(side_px - scale * native)
    centre = side_px / 2.0 + rng.uniform(-spare, spare, 2)
    turn = float(rng.integers(4)) * np.pi / 2.0 if chance(rng, 0.6) else float(rng.uniform(0, 2 * np.pi))
    window, light, clusters = placed(rng, photograph, photograph.picture, side_px, centre, scale, turn)
    levels = np.zeros((side_px, side_px, 3), np.float32)
    levels[window] = np.clip(255.0 * light, 0.0, 255.0)
    return levels, clusters


def laid_on_sky(
    rng: np.random.Generator, photograph: ClusterPhotograph, side_px: int, faintest: float
) -> tuple[tuple[slice, slice], Float32, tuple[TrueCluster, ...]]:
    """The cluster of a photograph without its sky.

    Args:
        rng: Decides everything.
        photograph: One that :attr:`ClusterPhotograph.can_be_laid`.
        side_px: Of the picture.
        faintest: Levels that are lost in the noise.

    Returns:
        The window it falls into, ``(h, w, 3)`` levels to add there, and the cluster.
    """
    one = photograph.clusters[0]
    largest = min(1.0, 0.45 * side_px / one.reach_px)
    scale = log_uniform(rng, min(0.15, 0.6 * largest), largest)
    black = on_black(photograph.picture.astype(np.float32))
    bright = max(float(np.percentile(black.max(axis=2), 99.7)), 1.0)
    cut = np.clip(np.rint(black * (255.0 / bright)), 0, 255).astype(np.uint8)
    centre = rng.uniform(0.02, 0.98, 2) * side_px
    turn = float(rng.uniform(0, 2 * np.pi))
    window, light, clusters = placed(rng, photograph, cut, side_px, centre, scale, turn)
    peak = log_uniform(rng, max(6.0 * faintest, 70.0), 330.0)
    return window, light * np.float32(peak), clusters


def placed(
    rng: np.random.Generator,
    photograph: ClusterPhotograph,
    picture: UInt8,
    side_px: int,
    centre: Float64,
    scale: float,
    turn_rad: float,
) -> tuple[tuple[slice, slice], Float32, tuple[TrueCluster, ...]]:
    """A picture as :func:`training.dso_objects.laid` lays it, perhaps mirrored, and its clusters there."""
    height, width = picture.shape[:2]
    mirrored = chance(rng, 0.5)
    given = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
    x, y, light = laid(given, side_px, centre, scale, turn_rad)
    turn = np.array([[np.cos(turn_rad), -np.sin(turn_rad)], [np.sin(turn_rad), np.cos(turn_rad)]])
    clusters = []
    for one in photograph.clusters:
        from_middle = np.array([one.x + 0.5 - width / 2.0, one.y + 0.5 - height / 2.0])
        angle = one.angle_rad
        if mirrored:
            from_middle[0], angle = -from_middle[0], -angle
        at = centre + scale * turn @ from_middle - 0.5
        clusters.append(
            dataclasses.replace(
                one,
                x=float(at[0]),
                y=float(at[1]),
                reach_px=one.reach_px * scale,
                angle_rad=float(angle + turn_rad),
            )
        )
    return (slice(y, y + light.shape[0]), slice(x, x + light.shape[1])), light, tuple(clusters)


def _is_fit(rows: pd.DataFrame) -> bool:
    side = float(max(rows["W"].iloc[0], rows["H"].iloc[0]))
    kinds = rows["type"]
    if not kinds.isin([*KINDS, *NO_CLUSTERS]).all():
        return False
    sizes = rows.loc[kinds.isin(list(KINDS)), "size_px"]
    if not len(sizes):
        return True
    return bool(len(sizes) <= MOST_CLUSTERS and sizes.max() >= max(LEAST_SHARE * side, LEAST_PX))


def _outline(box: Float64, kind: str) -> TrueCluster:
    half_x, half_y = (box[2:] - box[:2]) / 2.0
    x, y = (box[2:] + box[:2]) / 2.0 - 0.5
    major, minor = max(half_x, half_y), min(half_x, half_y)
    turn = 0.0 if half_x >= half_y else np.pi / 2.0
    return TrueCluster(kind, float(x), float(y), float(major), float(minor / major), turn)


def _judged(one: TrueCluster, picture: UInt8) -> TrueCluster:
    """An open cluster that is no brighter than what surrounds it is not asked for."""
    if one.kind == GLOBULAR:
        return one
    grey = picture.mean(axis=2, dtype=np.float32)
    height, width = grey.shape
    away = one.away(np.arange(width)[None, :], np.arange(height)[:, None])
    inside, outside = away <= 0.8, (away > 1.05) & (away < 2.0)
    if outside.mean() < 0.05:
        return one  # it fills the photograph
    black = float(np.percentile(grey, 5.0))
    seen = float(grey[inside].mean()) - black > LIGHT_OVER_FIELD * (float(grey[outside].mean()) - black)
    return dataclasses.replace(one, wanted=seen)
