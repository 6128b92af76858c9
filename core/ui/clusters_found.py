"""The clusters each method found among the stars of a field, in one form whatever the method looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.catalogues.tables import TableResult
from core.clusters.columns import identifier_of
from core.clusters.membership import MIN_PROBABILITY
from core.clusters.table import as_table
from core.methods import Method
from core.parameters import Parameters
from core.results import Detections, Result
from core.ui.arrivals import Step, arrived
from core.ui.clusters_field import Field
from core.ui.confidence import run_name
from core.ui.methods import short_title
from core.ui.runs import Analysis
from core.ui.selection import Selected

OWN = "clusters.own"
"""Name under which the cluster of a person stands beside those of the methods."""
LEADERS = ("clusters.unet", "clusters.maskrcnn")
"""On pictures what they find is told and shown first: see benchmarks/README.md."""
STYLES: tuple[tuple[str, str], ...] = (
    ("#E69F00", "circle"),
    ("#56B4E9", "square"),
    ("#009E73", "diamond"),
    ("#CC79A7", "triangle-up"),
    ("#F0E442", "cross"),
)
"""Colour and symbol of each cluster in turn: never colour alone."""


UNITS = {
    "pm_ra_mas_yr": "mas / yr",
    "pm_dec_mas_yr": "mas / yr",
    "parallax_mas": "mas",
    "mag": "mag",
    "colour": "mag",
}


@dataclass(frozen=True, eq=False)
class Found:
    """What one method found, star by star.

    Attributes:
        name: The method's name, or :data:`OWN`.
        title: What a person calls it.
        detections: One row a cluster.
        cluster: ``(N,)`` row of the cluster each star belongs to; −1 for none.
        probability: ``(N,)`` that it belongs to that cluster, or to the likeliest where it belongs to none.
        run: Tells it from every other, to cache by.
        analysis: The method's run; None for a person's own.
    """

    name: str
    title: str
    detections: Detections
    cluster: NDArray[np.int64]
    probability: NDArray[np.float64]
    run: str
    analysis: Analysis | None = None

    def __len__(self) -> int:
        return len(self.detections)

    def members(self, number: int) -> NDArray[np.int64]:
        """Stars of a cluster."""
        return np.flatnonzero(self.cluster == number)

    def belonging(self, number: int) -> NDArray[np.float64]:
        """``(N,)`` probability of each star to belong to this cluster: 0 for those of others and of none."""
        return np.where(self.cluster == number, self.probability, 0.0)

    @property
    def by_mark(self) -> bool:
        """Whether all stars within a mark on a picture count as members, those of the field too."""
        return self.analysis is not None and self.analysis.method.input == "frame"

    @property
    def sizes(self) -> NDArray[np.int64]:
        """``(clusters,)`` members of each."""
        return np.bincount(self.cluster[self.cluster >= 0], minlength=len(self)).astype(np.int64)

    def table(self) -> Detections:
        """The clusters with their members counted, as they are shown and taken home."""
        table = self.detections.table.copy()
        if "n_members" not in table:
            table["n_members"] = self.sizes
        return Detections(table, self.detections.units)


@dataclass(frozen=True)
class Search:
    """How far the methods are: those that look at the picture and those that look at the table.

    Attributes:
        steps: What is looked at, and how far the methods of each kind are with it.
        params: The parameters of each method by its name.
    """

    steps: tuple[Step, ...]
    params: Mapping[str, Parameters]

    @property
    def analyses(self) -> list[Analysis]:
        """Those that are done, methods that look at the picture first."""
        return [analysis for _, arrivals in self.steps for analysis in arrivals.analyses]

    @property
    def warnings(self) -> list[str]:
        """What the results warn of, and a sentence for each method that gave none."""
        return [said for _, arrivals in self.steps for said in arrivals.warnings]

    @property
    def refusals(self) -> list[str]:
        """A sentence for each method that gave no result."""
        return [said for _, arrivals in self.steps for said in arrivals.refusals]

    @property
    def waiting(self) -> bool:
        """Whether anything is still to come."""
        return any(arrivals.waiting for _, arrivals in self.steps)


def search(
    field: Field, chosen: Sequence[Method], params: Mapping[str, Parameters], *, again: bool
) -> Search:
    """What is there of the chosen methods on a field; nothing is run."""
    steps: list[Step] = []
    if field.frame is not None and field.finding is not None:
        finding = (field.frame, field.finding)
        finders = [*field.finding.waiting, *(finder for finder, _ in field.finding.failures)]
        params = {**params, **{finder.name: finder.params() for finder in finders}}
        if field.finding.waiting:
            return Search((finding,), params)
        if finders:
            steps.append(finding)
        of_frames = [method for method in chosen if method.input == "frame"]
        steps.append((field.frame, arrived(of_frames, field.frame, params, again=again)))
    if field.source is not None and field.stars is not None:
        of_tables = [method for method in chosen if method.input == "table"]
        steps.append((field.source, arrived(of_tables, field.source, params, again=again)))
    return Search(tuple(steps), params)


def found_clusters(analyses: Sequence[Analysis], field: Field) -> list[Found]:
    """What each method found, star by star."""
    return [
        _found(f"{run_name(analysis)} {field.key}", analysis, field)
        for analysis in analyses
        if analysis.method.task == "clusters"
    ]


@st.cache_resource(show_spinner=False, max_entries=12, ttl=3600)
def _found(run: str, _analysis: Analysis, _field: Field) -> Found:
    result, stars = _analysis.result, _field.stars
    if stars is None:  # a picture with hardly a star on it may still show a cluster
        cluster, probability = np.empty(0, np.int64), np.empty(0)
    elif isinstance(result, TableResult):
        cluster = result.members["cluster"].to_numpy(np.int64)[stars.row]
        probability = result.members["probability"].to_numpy(float)[stars.row]
    else:
        cluster = _inside(result, _field)
        probability = (cluster >= 0).astype(float)
    title = short_title(_analysis.method.title)
    return Found(_analysis.method.name, title, result.detections, cluster, probability, run, _analysis)


def _inside(result: Result, field: Field) -> NDArray[np.int64]:
    """Which of a picture's clusters each star stands in: by the instance mask, else by the boxes."""
    frame, pixels = field.frame, field.pixels
    assert field.stars is not None  # noqa: S101 (the caller has looked)
    cluster = np.full(len(field.stars), -1)
    if frame is None or pixels is None:
        return cluster
    if result.masks:
        mask = next(iter(result.masks.values()))
        # The first pixel reaches from −½ to ½.
        cells = (pixels + 0.5) / (frame.width, frame.height) * mask.shape[::-1]
        columns, rows = np.clip(cells.astype(int), 0, np.array(mask.shape[::-1]) - 1).T
        cluster = mask[rows, columns].astype(np.int64) - 1
        return np.where(cluster < len(result.detections), cluster, -1)
    boxes = result.detections.boxes
    for number in range(len(boxes) - 1, -1, -1):
        x_min, y_min, x_max, y_max = boxes[number]
        inside = (pixels[:, 0] >= x_min) & (pixels[:, 0] <= x_max)
        cluster[inside & (pixels[:, 1] >= y_min) & (pixels[:, 1] <= y_max)] = number
    return cluster


def own_found(field: Field, probability: NDArray[np.float64], name: str) -> Found:
    """A person's own cluster as one more that was found."""
    stars = field.stars
    assert stars is not None  # noqa: S101 (the caller has looked)
    members = np.flatnonzero(probability >= MIN_PROBABILITY)
    place = np.median(stars.xy[members], axis=0)
    ra, dec = stars.sky(place)
    radius = float(np.median(np.hypot(*(stars.xy[members] - place).T)))
    row = {"label": "cluster", "score": 1.0, "x": place[0], "y": place[1], "ra_deg": ra, "dec_deg": dec}
    table = pd.DataFrame([{**row, "n_members": len(members), f"r50_{stars.unit}": radius}])
    unit = "arcmin" if stars.unit == "arcmin" else "pix"
    detections = Detections(table, {"x": unit, "y": unit, f"r50_{stars.unit}": unit})
    run = f"own {hash(probability.tobytes())} {field.key}"
    cluster = np.where(probability >= MIN_PROBABILITY, 0, -1)
    return Found(OWN, name, detections, cluster, probability, run)


def members_table(field: Field, found: Found, number: int) -> Detections:
    """The members of a cluster, one row each, with their row in the table they come from."""
    stars = field.stars
    assert stars is not None  # noqa: S101 (there are clusters only among stars)
    rows = found.members(number)
    table = as_table(stars.take(rows)).dropna(axis="columns", how="all")
    table = table.rename(columns={"row": "source_row"})
    table.insert(0, "label", "member")
    table.insert(1, "score", found.probability[rows].clip(0.0, 1.0))
    identifier = None if field.source is None else identifier_of(field.source.table.columns)
    if field.source is not None and identifier is not None:
        table["source_id"] = field.source.table[identifier].to_numpy()[stars.row[rows]]
    place = "arcmin" if stars.unit == "arcmin" else "pix"
    units = {"x": place, "y": place, **{name: unit for name, unit in UNITS.items() if name in table}}
    return Detections(table.reset_index(drop=True), units)


def chosen_cluster(mark: Selected | None, found: Sequence[Found]) -> tuple[Found, int] | None:
    """The cluster that is selected, else the largest of the first method that found any."""
    for each in found:
        if mark is not None and each.name == mark[0] and mark[1] < len(each):
            return each, mark[1]
    first = leading(found)
    return None if first is None or not len(first) else (first, 0)


def leading(found: Sequence[Found]) -> Found | None:
    """Of what methods found, that which is told and shown first: of a network, of any, or the first."""
    some = [each for each in found if len(each)]
    networks = [each for name in LEADERS for each in some if each.name == name]
    return next(iter([*networks, *some, *found]), None)


def style(number: int) -> tuple[str, str]:
    """Colour and symbol of a cluster."""
    return STYLES[number % len(STYLES)]
