"""One-to-one matching of found objects with true ones: as many pairs as possible, then the closest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ParameterInvalid
from core.scoring.boxes import as_boxes, overlapping_pairs

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

DENSE_LIMIT = 400
"""Objects on a side up to which a group is solved as a dense table, the quicker way for small groups."""

APART_SQUARED = 1.8
"""Squared distance of the middles of craters that are one, in squares of the smaller radius, is less."""

EXACT_LIMIT = 20_000
"""Objects on a side up to which a group is solved exactly: the time grows as the square, about 1 s here."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Pairs of true and found objects; no object is in two pairs.

    Attributes:
        truth_index, found_index: ``(K,)`` rows of each pair, in order of ``truth_index``.
        distance: ``(K,)`` separation of each pair: pixels for points, ``1 - IoU`` for boxes, half diagonals
            of the true box for boxes matched by their middles.
        only_truth: Rows of the true objects without a partner.
        only_found: Rows of the found objects without a partner.
        exact: False when a group of more than :data:`EXACT_LIMIT` objects that all touch each other had
            to be paired nearest first, which may leave a few pairs unmade.
    """

    truth_index: Indices
    found_index: Indices
    distance: Floats
    only_truth: Indices
    only_found: Indices
    exact: bool = True

    def __len__(self) -> int:
        return len(self.truth_index)


def match_points(truth_xy: ArrayLike, found_xy: ArrayLike, radius_px: float) -> Matches:
    """Match points one to one within a radius.

    Among all one-to-one matchings the one with the most pairs is taken, and among those the one with
    the least total distance.

    Args:
        truth_xy: ``(N, 2)`` true positions in pixels.
        found_xy: ``(M, 2)`` found positions in pixels.
        radius_px: Largest distance of a pair, inclusive.

    Raises:
        ParameterInvalid: The radius is not positive, or positions are not ``(N, 2)`` finite numbers.
    """
    if not (np.isfinite(radius_px) and radius_px > 0):
        raise ParameterInvalid(
            f"radius_px must be a positive number of pixels, got {radius_px!r}.",
            parameter="radius_px",
            given=radius_px,
            limit="more than 0",
        )
    truth, found = as_points(truth_xy, "truth_xy"), as_points(found_xy, "found_xy")
    if not len(truth) or not len(found):
        return _paired(np.empty((0, 2), np.intp), np.empty(0), len(truth), len(found))
    from scipy.spatial import KDTree

    near = KDTree(truth).sparse_distance_matrix(KDTree(found), radius_px, output_type="ndarray")
    return _assign(near["i"], near["j"], near["v"], len(truth), len(found))


def match_boxes(truth: ArrayLike, found: ArrayLike, iou: float = 0.5) -> Matches:
    """Match boxes one to one by their intersection over union.

    Args:
        truth: ``(N, 4)`` true boxes ``x_min, y_min, x_max, y_max`` in pixels.
        found: ``(M, 4)`` found boxes. A row of NaN is no box and matches nothing.
        iou: Least intersection over union of a pair, inclusive.

    Raises:
        ParameterInvalid: ``iou`` is not in (0, 1], or boxes are not ``(N, 4)``.
    """
    if not 0.0 < iou <= 1.0:
        raise ParameterInvalid(
            f"iou must be more than 0 and at most 1, got {iou!r}.", parameter="iou", given=iou, limit="(0, 1]"
        )
    truth_boxes, found_boxes = as_boxes(truth, "truth"), as_boxes(found, "found")
    rows, columns, overlap = overlapping_pairs(truth_boxes, found_boxes, iou)
    return _assign(rows, columns, 1.0 - overlap, len(truth_boxes), len(found_boxes))


def match_centres(truth: ArrayLike, found: ArrayLike, *, either: bool = False) -> Matches:
    """Match boxes one to one where the middle of a found box lies in a true one.

    A kinder rule than overlap: where a nebula ends is a matter of taste, where it is hardly is.

    Args:
        truth: ``(N, 4)`` true boxes ``x_min, y_min, x_max, y_max`` in pixels.
        found: ``(M, 4)`` found boxes. A row of NaN is no box and matches nothing.
        either: It is enough that the middle of the true box lies in the found one, as between two methods of
            which neither is the truth.

    Raises:
        ParameterInvalid: Boxes are not ``(N, 4)``.
    """
    true_boxes, found_boxes = as_boxes(truth, "truth"), as_boxes(found, "found")
    true_middle = (true_boxes[:, :2] + true_boxes[:, 2:]) / 2.0
    middle = (found_boxes[:, :2] + found_boxes[:, 2:]) / 2.0
    hit = _holds(true_boxes, middle)
    back = _holds(found_boxes, true_middle).T & either
    rows, columns = np.nonzero(hit | back)
    size = np.hypot(*(true_boxes[rows, 2:] - true_boxes[rows, :2]).T) / 2.0
    away = np.hypot(*(middle[columns] - true_middle[rows]).T) / np.maximum(size, 1e-9)
    return _assign(rows, columns, away, len(true_boxes), len(found_boxes))


def match_craters(truth: ArrayLike, found: ArrayLike) -> Matches:
    """Match craters one to one by DeepMoon's rule (Silburt et al. 2019, Icarus 317, 27, equation 6).

    With the smaller radius r of the two, a pair must have (Δx² + Δy²) / r² < 1.8 and |Δr| / r < 1. Unlike
    there, the assignment is the one with the most pairs, and not whichever is met first.

    Args:
        truth: ``(N, 3)`` x, y and radius of true craters, in pixels.
        found: ``(M, 3)`` of found ones.

    Returns:
        The pairs; ``distance`` is √(Δx² + Δy² + Δr²) / r.

    Raises:
        ParameterInvalid: They are not ``(N, 3)`` finite numbers with positive radii.
    """
    true, seen = _as_discs(truth, "truth"), _as_discs(found, "found")
    if not len(true) or not len(seen):
        return _paired(np.empty((0, 2), np.intp), np.empty(0), len(true), len(seen))
    from scipy.spatial import KDTree

    tree = KDTree(seen[:, :2])
    near = tree.query_ball_point(true[:, :2], true[:, 2] * np.sqrt(APART_SQUARED))
    rows = np.repeat(np.arange(len(true)), [len(each) for each in near])
    columns = np.concatenate([np.asarray(each, np.intp) for each in near])
    apart = np.sum((true[rows, :2] - seen[columns, :2]) ** 2, axis=1)
    radius = np.minimum(true[rows, 2], seen[columns, 2])
    differs = np.abs(true[rows, 2] - seen[columns, 2])
    keep = (apart < APART_SQUARED * radius**2) & (differs < radius)
    cost = np.sqrt(apart + differs**2) / radius
    return _assign(rows[keep], columns[keep], cost[keep], len(true), len(seen))


def _as_discs(discs: ArrayLike, name: str) -> Floats:
    """``discs`` as ``(N, 3)`` float64; an empty sequence is ``(0, 3)``."""
    array = np.asarray(discs, float)
    if array.size == 0:
        return np.empty((0, 3))
    if array.ndim != 2 or array.shape[1] != 3 or not np.isfinite(array).all() or (array[:, 2] <= 0).any():
        raise ParameterInvalid(
            f"{name} must be (N, 3) finite x, y and positive radii, got shape {array.shape}.",
            parameter=name,
            given=array.shape,
            limit="(N, 3)",
        )
    return array


def _holds(boxes: Floats, points: Floats) -> NDArray[np.bool_]:
    """``(N, M)`` whether each box holds each point; never where either is NaN."""
    inside = (points[None] >= boxes[:, None, :2]) & (points[None] <= boxes[:, None, 2:])
    held: NDArray[np.bool_] = np.all(inside, axis=2, keepdims=True)[..., 0]
    return held


def as_points(points: ArrayLike, name: str) -> Floats:
    """``points`` as ``(N, 2)`` float64; an empty sequence is ``(0, 2)``.

    Raises:
        ParameterInvalid: They are not ``(N, 2)`` finite numbers.
    """
    array = np.asarray(points, float)
    if array.size == 0:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise ParameterInvalid(
            f"{name} must be (N, 2) finite numbers, got shape {array.shape}.",
            parameter=name,
            given=array.shape,
            limit="(N, 2)",
        )
    return array


def _assign(rows: Indices, columns: Indices, cost: Floats, n_truth: int, n_found: int) -> Matches:
    """Choose pairs among the candidates ``rows[k], columns[k]``, group of touching objects by group."""
    chosen: list[Indices] = []
    exact = True
    for group in _groups(rows, columns, n_truth, n_found):
        if len(group) == 1:
            chosen.append(group)
            continue
        truth, row = np.unique(rows[group], return_inverse=True)
        found, column = np.unique(columns[group], return_inverse=True)
        size = max(len(truth), len(found))
        if size <= DENSE_LIMIT:
            picked = _solve_dense(row, column, cost[group])
        elif size <= EXACT_LIMIT:
            picked = _solve_sparse(row, column, cost[group])
        else:
            picked, exact = _nearest_first(row, column, cost[group]), False
        chosen.append(group[picked])
    keep = np.concatenate(chosen) if chosen else np.empty(0, np.intp)
    pairs = np.column_stack([rows[keep], columns[keep]]).astype(np.intp)
    return _paired(pairs, cost[keep], n_truth, n_found, exact)


def _paired(pairs: Indices, distance: Floats, n_truth: int, n_found: int, exact: bool = True) -> Matches:
    order = np.argsort(pairs[:, 0], kind="stable")
    truth_index, found_index = pairs[order].T
    return Matches(
        truth_index=truth_index,
        found_index=found_index,
        distance=distance[order],
        only_truth=np.setdiff1d(np.arange(n_truth, dtype=np.intp), truth_index),
        only_found=np.setdiff1d(np.arange(n_found, dtype=np.intp), found_index),
        exact=exact,
    )


def _groups(rows: Indices, columns: Indices, n_truth: int, n_found: int) -> Iterator[Indices]:
    """Indices of the candidates of each set of objects connected through candidates."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = n_truth + n_found
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns + n_truth)), shape=(n, n))
    _, group_of = connected_components(graph, directed=False)
    order = np.argsort(group_of[rows], kind="stable")
    starts = np.flatnonzero(np.diff(group_of[rows][order])) + 1
    return (part for part in np.split(order, starts) if len(part))


def _forbidden(cost: Floats, size: int) -> float:
    """A cost that no saving in distance can outweigh, so that the number of pairs comes first."""
    return float(size + 1) * (float(cost.max()) + 1.0)


def _solve_dense(row: Indices, column: Indices, cost: Floats) -> Indices:
    """Indices of the chosen candidates, by a table of every row with every column."""
    from scipy.optimize import linear_sum_assignment

    shape = (int(row.max()) + 1, int(column.max()) + 1)
    table = np.full(shape, _forbidden(cost, min(shape)))
    candidate = np.full(shape, -1, np.intp)
    table[row, column] = cost
    candidate[row, column] = np.arange(len(cost))
    picked = candidate[linear_sum_assignment(table)]
    return picked[picked >= 0]


def _solve_sparse(row: Indices, column: Indices, cost: Floats) -> Indices:
    """The same without the table: each row also gets a column of its own that means "no partner"."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    n_row, n_column = int(row.max()) + 1, int(column.max()) + 1
    alone = np.arange(n_row)
    # The solver takes a cost of zero for a missing pair; one cost a row is paid, so +1 changes nothing.
    weights = csr_array(
        (
            np.concatenate([cost + 1.0, np.full(n_row, _forbidden(cost, n_row) + 1.0)]),
            (np.concatenate([row, alone]), np.concatenate([column, n_column + alone])),
        ),
        shape=(n_row, n_column + n_row),
    )
    picked_row, picked_column = min_weight_full_bipartite_matching(weights)
    real = picked_column < n_column
    partner = np.full(n_row, -1, np.intp)
    partner[picked_row[real]] = picked_column[real]
    return np.flatnonzero(partner[row] == column)


def _nearest_first(row: Indices, column: Indices, cost: Floats) -> Indices:
    """Pair mutual nearest neighbours, take them away, and again until no candidate is left."""
    chosen = []
    left = np.argsort(cost, kind="stable")
    while len(left):
        # In order of cost, the first candidate of a row (or column) is its nearest.
        first_of_row, first_of_column = np.zeros(len(left), bool), np.zeros(len(left), bool)
        first_of_row[np.unique(row[left], return_index=True)[1]] = True
        first_of_column[np.unique(column[left], return_index=True)[1]] = True
        mutual = left[first_of_row & first_of_column]
        chosen.append(mutual)
        left = left[~np.isin(row[left], row[mutual]) & ~np.isin(column[left], column[mutual])]
    return np.concatenate(chosen)
