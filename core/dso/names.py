"""What the objects on a frame are called, and what there is to say of them.

The catalogue is OpenNGC (:mod:`core.catalogues.openngc`), so no network is needed; a frame needs a WCS.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.catalogues.constellations import CONSTELLATIONS
from core.catalogues.openngc import openngc
from core.dso.kinds import LABELS_OF_TYPES
from core.frames import Frame
from core.results import Detections

UNKNOWN_SIZE_ARCMIN = 1.0
"""Taken for objects whose size OpenNGC does not give: most are small."""
UNKNOWN_MAGNITUDE = 15.0
REACH = 0.6
"""An object may lie so far from a box's middle, in half sides of the box or sizes of the object."""
OTHER_CLASS, OF_SIZE, OF_BRIGHTNESS = 1.2, 0.7, 0.08
"""What another class costs, a size e times as large, and each magnitude; 1 is the reach."""
MOST_COST = 3.0
COLUMNS = ("common_name", "kind", "constellation", "magnitude", "catalogue_size_arcmin")

_WORDS = {
    "G": "A galaxy: a city of billions of stars far beyond our own Milky Way.",
    "GPair": "Two galaxies side by side, far beyond our own Milky Way.",
    "GTrpl": "Three galaxies close together, far beyond our own Milky Way.",
    "GGroup": "A small group of galaxies, far beyond our own Milky Way.",
    "PN": "A planetary nebula: gas that a dying star like the Sun has blown off, lit by what is left of it.",
    "HII": "A cloud of hydrogen that hot young stars make glow: stars are being born here.",
    "EmN": "A cloud of gas that hot stars nearby make glow.",
    "Neb": "A nebula: a cloud of gas and dust between the stars.",
    "RfN": "A cloud of dust that shines in the light of stars nearby, as mist does around a lamp.",
    "SNR": "The remains of a star that exploded, still flying apart.",
    "Cl+N": "Young stars together with the cloud of gas they were born from.",
    "OCl": "An open cluster: stars that were born together and still travel side by side.",
    "GCl": "A globular cluster: hundreds of thousands of very old stars, held in a ball by their gravity.",
    "*Ass": "A loose group of young stars that were born together.",
}


@dataclass(frozen=True)
class ObjectCard:
    """What to tell a visitor of an object.

    Attributes:
        title: ``"M 51 · Whirlpool Galaxy"``.
        about: What it is, in a sentence or two.
        facts: Names and values with their units, in the order to show them.
    """

    title: str
    about: str
    facts: tuple[tuple[str, str], ...]


def objects_in(frame: Frame) -> pd.DataFrame:
    """The objects of OpenNGC that reach onto the frame, the largest first; their middle may lie beside it.

    Returns:
        The columns of :func:`core.catalogues.openngc.openngc`, with ``label`` (the likelier class), ``x``,
        ``y`` and ``size_px`` (NaN where the size is unknown). No rows without a WCS.
    """
    catalogue = openngc()
    catalogue = catalogue[catalogue["type"].isin(LABELS_OF_TYPES.keys())]
    near = catalogue[_may_lie_on(frame, catalogue)].copy()
    places = frame.pixel(near["ra_deg"].to_numpy(), near["dec_deg"].to_numpy()) if len(near) else None
    x, y = places if places is not None else (np.empty(0), np.empty(0))
    near["label"] = [LABELS_OF_TYPES[kind][0] for kind in near["type"]]
    near["x"], near["y"] = x, y
    near["size_px"] = near["size_arcmin"] * 60.0 / (frame.pixel_scale_arcsec or math.nan)
    reach = near["size_px"].fillna(0.0).to_numpy() / 2.0 + 0.5
    on = (x >= -reach) & (x <= frame.width - 1 + reach) & (y >= -reach) & (y <= frame.height - 1 + reach)
    near = near[on]
    return near.sort_values("size_px", ascending=False, na_position="last").reset_index(drop=True)


def name_detections(detections: Detections, frame: Frame) -> Detections:
    """The detections with ``name`` and the facts of :data:`COLUMNS` filled in where an object fits.

    An object fits a box when it lies near its middle; of several, that of the same class, of like size and
    bright is taken. No object names two boxes. Without a WCS, or without objects, nothing is named.
    """
    known = objects_in(frame) if len(detections) and frame.wcs is not None else pd.DataFrame()
    table = detections.table.copy()
    for column in COLUMNS:
        is_number = column in ("magnitude", "catalogue_size_arcmin")
        table[column] = np.nan if is_number else pd.Series([None] * len(table), dtype=object)
    if len(known):
        for row, number in _pairs(detections, known, frame):
            entry = known.iloc[number]
            table.loc[row, "name"] = entry["name"]
            table.loc[row, "common_name"] = entry["common_name"] or None
            table.loc[row, "kind"] = entry["kind"]
            table.loc[row, "constellation"] = CONSTELLATIONS.get(entry["constellation"])
            table.loc[row, "magnitude"] = entry["magnitude"]
            table.loc[row, "catalogue_size_arcmin"] = entry["size_arcmin"]
    return Detections(table, {**detections.units, "magnitude": "mag", "catalogue_size_arcmin": "arcmin"})


def describe(entry: Mapping[str, Any] | pd.Series) -> ObjectCard:
    """What to tell of an object, a row of :func:`objects_in`."""
    common = entry["common_name"]
    about = _WORDS.get(entry["type"], f"{entry['kind']}.")
    facts = [("Type", _kind(entry))]
    constellation = CONSTELLATIONS.get(entry["constellation"])
    if constellation:
        facts.append(("Constellation", constellation))
    if math.isfinite(entry["magnitude"]):
        facts.append(("Brightness", f"magnitude {entry['magnitude']:.1f}, {_seen_with(entry['magnitude'])}"))
    size = _size(entry)
    if size:
        facts.append(("Size on the sky", size))
    if entry["designation"] != entry["name"]:
        facts.append(("Also called", entry["designation"]))
    title = f"{entry['name']} · {common}" if common else str(entry["name"])
    return ObjectCard(title, about, tuple(facts))


def find_card(name: str) -> ObjectCard | None:
    """The card of an object by the name :func:`name_detections` gave it; None when there is none."""
    catalogue = openngc()
    rows = catalogue[catalogue["name"] == name]
    return None if rows.empty else describe(rows.iloc[0])


def _may_lie_on(frame: Frame, catalogue: pd.DataFrame) -> np.ndarray:
    """Which objects reach into the circle around the frame: a projection may fold the far sky onto it."""
    middle = frame.sky([(frame.width - 1) / 2.0], [(frame.height - 1) / 2.0])
    x = [-0.5, frame.width - 0.5, frame.width - 0.5, -0.5]
    y = [-0.5, -0.5, frame.height - 0.5, frame.height - 0.5]
    corners = frame.sky(x, y)
    if middle is None or corners is None:
        return np.zeros(len(catalogue), bool)
    centre, rim = _vectors(*middle)[0], _vectors(*corners)
    if not (np.isfinite(centre).all() and np.isfinite(rim).all()):
        return np.zeros(len(catalogue), bool)
    places = _vectors(catalogue["ra_deg"].to_numpy(), catalogue["dec_deg"].to_numpy())
    away, radius = (np.degrees(np.arccos(np.clip(each @ centre, -1.0, 1.0))) for each in (places, rim))
    half = catalogue["size_arcmin"].fillna(0.0).to_numpy() / 120.0
    near: np.ndarray = away <= radius.max() + half + 1e-6
    return near


def _vectors(ra_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
    """``(N, 3)`` unit vectors."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _pairs(detections: Detections, known: pd.DataFrame, frame: Frame) -> list[tuple[int, int]]:
    """Rows of detections and of objects that belong together, the best pairs first."""
    boxes = detections.boxes
    has_box = np.isfinite(boxes).all(axis=1, keepdims=True)
    half = np.where(has_box, (boxes[:, 2:] - boxes[:, :2]) / 2.0, 10.0)
    default = UNKNOWN_SIZE_ARCMIN * 60.0 / (frame.pixel_scale_arcsec or math.nan)
    size = known["size_px"].fillna(default).to_numpy(float)
    xy = known[["x", "y"]].to_numpy(float)
    offset = np.abs(xy[None] - detections.xy[:, None])  # (N, M, 2)
    away = (offset / np.maximum(half[:, None], REACH * size[None, :, None] / 2.0)).max(axis=2) / REACH
    unlike = np.abs(np.log(np.maximum(size[None], 1.0) / np.maximum(2.0 * half.max(axis=1), 1.0)[:, None]))
    other = np.array(
        [
            [label not in LABELS_OF_TYPES[kind] for kind in known["type"]]
            for label in detections.table["label"]
        ]
    )
    faint = known["magnitude"].fillna(UNKNOWN_MAGNITUDE).to_numpy(float)
    cost = away + OF_SIZE * unlike + OTHER_CLASS * other + OF_BRIGHTNESS * np.maximum(faint - 5.0, 0.0)[None]
    cost[(away > 1.0 / REACH) | (cost > MOST_COST)] = np.inf
    found = []
    while cost.size and np.isfinite(cost.min()):
        row, number = (int(i) for i in np.unravel_index(cost.argmin(), cost.shape))
        found.append((row, number))
        cost[row], cost[:, number] = np.inf, np.inf
    return found


def _kind(entry: Mapping[str, Any] | pd.Series) -> str:
    if entry["type"] == "HII":
        return "Emission nebula (ionised hydrogen)"
    words = str(entry["kind"]).replace("+", "with")
    return f"{words[0]}{words[1:].lower()}" + (f" of type {entry['hubble']}" if entry["hubble"] else "")


def _seen_with(magnitude: float) -> str:
    if magnitude <= 5.5:
        return "to be seen with the naked eye"
    if magnitude <= 9.0:
        return "to be seen with binoculars"
    return "to be seen with a small telescope" if magnitude <= 12.0 else "a matter for large telescopes"


def _size(entry: Mapping[str, Any] | pd.Series) -> str:
    major, minor = entry["size_arcmin"], entry["minor_arcmin"]
    if not math.isfinite(major):
        return ""
    across = f"{major:.3g}′" if major >= 1.0 else f"{60.0 * major:.2g}″"
    if math.isfinite(minor) and minor < 0.95 * major:
        across += f" × {minor:.3g}′" if major >= 1.0 else f" × {60.0 * minor:.2g}″"
    times = major / 31.0
    if times >= 1.5:
        return f"{across}, {times:.2g} times as wide as the full Moon"
    if times >= 0.67:
        return f"{across}, as wide as the full Moon"
    return across
