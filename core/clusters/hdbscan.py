"""Clusters in a catalogue: HDBSCAN proposes, a likelihood ratio decides, a mixture tells the members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.catalogues.tables import SourceTable, TableResult
from core.clusters.groups import MAX_SEARCHED
from core.clusters.search import FoundCluster, assign, search
from core.clusters.table import StarTable, star_table, turned, turned_errors
from core.methods import Method, Progress
from core.parameters import Parameters, parameter
from core.results import Detections


@dataclass(frozen=True)
class HdbscanParameters(Parameters):
    """What the search can be told."""

    min_members: int = parameter(
        12,
        label="Fewest members",
        low=5,
        high=5000,
        help="Fewest stars of a cluster.",
        why="Fewer can hardly be told from a chance gathering, whatever finds them.",
    )
    significance_sigma: float = parameter(
        5.0,
        label="Significance",
        unit="σ",
        low=2.0,
        high=50.0,
        step=0.5,
        help="Least significance of a cluster over the field beside it.",
        why="Among thousands of places some reach 4 σ by chance; in empty fields none reached 5 σ.",
    )
    min_samples: int = parameter(
        10,
        label="Neighbours",
        low=3,
        high=100,
        help="Neighbours that measure how dense a place is: fewer find smaller groups, and more chance ones.",
        why="Found as many planted clusters as 5, without the chance groups.",
        advanced=True,
    )


def analyse(source: SourceTable, params: HdbscanParameters, progress: Progress) -> TableResult:
    """Find clusters among the stars of a table."""
    progress(0.0, "reading the columns")
    stars = star_table(source)
    result = search(
        stars,
        smallest=params.min_members,
        min_samples=params.min_samples,
        least_sigma=params.significance_sigma,
        progress=progress,
    )
    cluster, probability = assign(result.found, len(stars))
    whole = pd.DataFrame({"row": np.arange(stars.n_rows), "cluster": -1, "probability": 0.0})
    whole.loc[stars.row, "cluster"] = cluster
    whole.loc[stars.row, "probability"] = probability
    sizes = np.bincount(cluster[cluster >= 0], minlength=len(result.found))
    warnings = list(stars.notes)
    if result.n_searched == MAX_SEARCHED < len(stars):
        warnings.append(
            f"Clusters were looked for among the {MAX_SEARCHED:,} best measured of {len(stars):,} stars; "
            "members were taken from all."
        )
    return TableResult(
        detections=_detections(stars, result.found, sizes),
        rejected=_detections(stars, result.rejected, None),
        summary=_sentence(sizes, len(stars)),
        facts={"n_stars": len(stars), "n_candidates": result.n_candidates, "n_searched": result.n_searched},
        warnings=tuple(warnings),
        members=whole,
    )


def _sentence(sizes: np.ndarray, count: int) -> str:
    if not len(sizes):
        return f"No significant cluster among {count:,} stars."
    noun = "cluster" if len(sizes) == 1 else "clusters"
    listed = ", ".join(f"{size:,}" for size in sizes[:5]) + (", …" if len(sizes) > 5 else "")
    return f"{len(sizes)} {noun} among {count:,} stars, with {listed} members."


def _detections(stars: StarTable, found: tuple[FoundCluster, ...], sizes: np.ndarray | None) -> Detections:
    """One row a cluster; on the sky, x and y are arcminutes from the table's middle, and motions are east and
    north at the cluster."""
    if not found:
        return Detections.empty()
    rows = []
    for number, one in enumerate(found):
        members, group = one.membership.members, one.group
        ra, dec = stars.sky(group.centre)
        size = len(members) if sizes is None else int(sizes[number])
        belonging = one.membership.probability[members]
        row = {
            "label": "cluster",
            "score": float(belonging.mean()) if len(belonging) else 0.0,
            "x": group.centre[0],
            "y": group.centre[1],
            "ra_deg": ra,
            "dec_deg": dec,
            "n_members": size,
            "significance_sigma": one.significance.sigma,
            f"r50_{stars.unit}": group.radius,
        }
        if len(group.mean):
            turn = stars.turn_to(group.centre)
            mean = [*turned(group.mean[:2], turn)[0], *group.mean[2:]]
            spread = [*turned_errors(group.spread[:2], turn)[0], *group.spread[2:]]
            row |= dict(zip(("pm_ra_mas_yr", "pm_dec_mas_yr", "parallax_mas"), mean, strict=False))
            spreads = ("pm_ra_spread_mas_yr", "pm_dec_spread_mas_yr", "parallax_spread_mas")
            row |= dict(zip(spreads, spread, strict=False))
        rows.append(row | ({"reason": one.reason} if one.reason else {}))
    table = pd.DataFrame(rows)
    known = {
        "x": "pix" if stars.unit == "px" else "arcmin",
        "y": "pix" if stars.unit == "px" else "arcmin",
        "r50_px": "pix",
        "r50_arcmin": "arcmin",
        **{name: "mas / yr" for name in table.columns if name.endswith("_mas_yr")},
        **{name: "mas" for name in table.columns if name.endswith("_mas")},
    }
    return Detections(table, {name: unit for name, unit in known.items() if name in table.columns})


METHOD = Method(
    name="clusters.hdbscan",
    title="HDBSCAN · catalogue",
    summary="Finds clusters in a table of stars by place and motion, and tells their members.",
    description=(
        "HDBSCAN on places, proper motions and parallaxes proposes groups; each is kept only when its stars "
        "outnumber those of the same motion in the field beside it, by a likelihood ratio. A mixture of "
        "cluster and field, with each star's own errors, gives the probability that a star belongs."
    ),
    reference=(
        "Campello, Moulavi & Sander 2013, PAKDD, 160; Li & Ma 1983, ApJ 272, 317; "
        "Hunt & Reffert 2021, A&A 646, A104 (why the test is needed)"
    ),
    params=HdbscanParameters,
    analyse=analyse,
    labels=("cluster",),
    geometry=("point",),
    input="table",
)
"""The method."""
