"""Candidate groups: HDBSCAN on places, proper motions and parallaxes that are scaled to be comparable."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clusters.table import StarTable

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]

PM_PER_ARCMIN = 1.0 / 38.0
"""Proper motion (mas a year) that counts as much as an arcminute: a cluster 3 pc in radius whose stars move
at 1 km/s is 49 arcminutes wide for every mas a year of spread, at any distance; errors widen the spread."""
PARALLAX_PER_PM = 0.6
"""Parallax (mas) that counts as much as a mas a year: errors are alike in both, but only motions have a
spread of their own."""
NEIGHBOURS = 16
"""Neighbours of a star in the graph on which the tree is grown."""
FAINTEST_ERROR_MAS_YR = 0.6
"""Stars with larger errors (G above 20 in Gaia DR3) are not searched: they blur what they join."""
MAX_SEARCHED = 120_000
"""Most stars searched; of larger tables those with the smallest errors, or the brightest."""


def searchable(stars: StarTable, most: int = MAX_SEARCHED) -> Rows:
    """Stars that take part in the search: with all that is measured, the most exact first where too many."""
    keep = np.ones(len(stars), bool)
    quality = np.zeros(len(stars)) if stars.mag is None else np.nan_to_num(stars.mag, nan=np.inf)
    if stars.astrometry is not None:
        values, errors = stars.astrometry
        worst = errors[:, :2].max(axis=1)
        keep &= np.isfinite(values).all(axis=1) & (worst <= max(FAINTEST_ERROR_MAS_YR, np.median(worst)))
        quality = worst
    rows = np.flatnonzero(keep)
    if len(rows) > most:
        # Ties, such as in a table without errors and magnitudes, are broken by chance, always the same.
        jitter = np.random.default_rng(0).random(len(rows))
        rows = np.sort(rows[np.lexsort((jitter, quality[rows]))[:most]])
    return rows


def features(stars: StarTable, rows: Rows) -> Float64:
    """``(n, 2 to 5)`` coordinates in which a cluster is about as wide in each, in mas a year."""
    if stars.astrometry is None:
        return stars.xy[rows]
    values, _ = stars.astrometry
    scale = np.array([1.0, 1.0, 1.0 / PARALLAX_PER_PM])[: values.shape[1]]
    if stars.unit == "arcmin":
        place = stars.xy[rows] * PM_PER_ARCMIN
    else:  # no scale is known: the frame is as wide as the middle half of the motions
        middle = np.subtract(*np.percentile(values[rows, :2], [75, 25], axis=0)).mean()
        place = stars.xy[rows] * (middle / max(np.ptp(stars.xy[rows]), 1e-9))
    return np.column_stack([place, values[rows] * scale])


def candidate_groups(points: Float64, smallest: int, min_samples: int) -> list[Rows]:
    """Groups that HDBSCAN proposes: the leaves of its tree at two least sizes, and its most stable branches.

    The tree is grown on the graph of each point's nearest neighbours, whose parts are joined at their
    nearest points: for the dense parts, which are what is looked for, it is that of all distances, and takes
    N log N in place of N². Equal input gives equal output.

    Args:
        points: ``(n, d)`` coordinates.
        smallest: Fewest points of a group.
        min_samples: Neighbours that measure how dense a place is.

    Returns:
        Indices of the points of each group, without repeats of the same group.

    References:
        Campello, Moulavi & Sander 2013, PAKDD, 160; McInnes & Healy 2017, ICDMW, 33 (the graph).
    """
    if len(points) < max(2 * smallest, min_samples + 2) or not np.ptp(points, axis=0).any():
        return []
    from sklearn.cluster import HDBSCAN  # type: ignore[import-untyped]

    graph = _neighbour_graph(points, max(NEIGHBOURS, min_samples + 2))
    neighbours = max(min_samples - 1, 1)  # in a graph a point is not counted as its own neighbour
    found: dict[bytes, Rows] = {}
    for size, selection in ((smallest, "leaf"), (4 * smallest, "leaf"), (smallest, "eom")):
        if len(points) < 2 * size:
            continue
        labels = HDBSCAN(
            min_cluster_size=size,
            min_samples=neighbours,
            metric="precomputed",
            cluster_selection_method=selection,
            copy=True,
        ).fit_predict(graph)
        order = np.argsort(labels, kind="stable")
        for group in np.split(order, np.searchsorted(labels[order], np.arange(labels.max() + 1))):
            if len(group) and labels[group[0]] >= 0:
                found.setdefault(group.tobytes(), group)
    return list(found.values())


def _neighbour_graph(points: Float64, neighbours: int) -> Any:
    """Symmetric sparse distances to the nearest neighbours, joined to one connected graph."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    count = len(points)
    tiny = 1e-9 * max(float(np.ptp(points, axis=0).max()), 1e-9)  # a stored 0 would be no edge
    reach = min(neighbours + 1, count)
    distance, index = map(np.asarray, cKDTree(points).query(points, k=reach))
    start, end = np.repeat(np.arange(count), reach), index.ravel()
    length = np.maximum(distance.ravel(), tiny)
    keep = start != end
    graph = coo_matrix((length[keep], (start[keep], end[keep])), shape=(count, count)).tocsr()
    graph = graph.maximum(graph.T)
    parts, part = connected_components(graph, directed=False)
    if parts > 1:
        largest = int(np.bincount(part).argmax())
        inside, outside = np.flatnonzero(part == largest), np.flatnonzero(part != largest)
        gap, nearest = map(np.asarray, cKDTree(points[inside]).query(points[outside]))
        order = np.lexsort((gap, part[outside]))
        _, first = np.unique(part[outside][order], return_index=True)
        bridge = order[first]
        a, b = outside[bridge], inside[nearest[bridge]]
        length = np.maximum(gap[bridge], tiny)
        joined = coo_matrix((length, (a, b)), shape=(count, count)).tocsr()
        graph = graph.maximum(joined.maximum(joined.T))
    return graph
