"""Running the star network over a frame of any size, part by part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from core.methods import Progress, no_progress
from core.models.inference import LockedNetwork
from core.stars.hybrid_network import STRIDE_PX, HybridNetwork, candidates
from core.stars.tiles import tiles

TILE_PX = 1024
MARGIN_PX = 48
MOST_IN_TILE = 8192
POINTS_AT_ONCE = 2048
"""Candidates look at each other in groups of so many: every pair's distance is computed."""


@dataclass(frozen=True, eq=False)
class Found:
    """What the network sees in a frame.

    Attributes:
        table: One row a candidate: ``x, y`` in pixels, ``probability``, ``flux_sigma`` (light in standard
            deviations of the noise of a pixel) and ``network_snr``.
        heat: ``(H, W)`` float32 probability that a star's centre lies in the pixel.
    """

    table: pd.DataFrame
    heat: NDArray[np.float32]


def search(
    network: LockedNetwork[HybridNetwork],
    image: NDArray[np.float32],
    fwhm_px: float,
    *,
    least_probability: float,
    progress: Progress = no_progress,
) -> Found:
    """Find stars.

    Args:
        network: The network, ready for use; it is held for a tile at a time.
        image: ``(H, W)`` sky taken away, in standard deviations of the noise.
        fwhm_px: Width of the stars, roughly.
        least_probability: Candidates below are left out.
        progress: Told how far it is.
    """
    heat = np.empty(image.shape, np.float32)
    tables = []
    parts = list(tiles(image.shape, MARGIN_PX, TILE_PX))
    for number, tile in enumerate(parts):
        progress(number / len(parts), "looking for stars")
        with network.use() as held:
            table, part = _search_tile(held, image[tile.wide], fwhm_px, least_probability)
        table["x"] += tile.wide_columns.start
        table["y"] += tile.wide_rows.start
        tables.append(table[tile.own(table["x"].to_numpy(), table["y"].to_numpy())])
        top, left = tile.rows.start - tile.wide_rows.start, tile.columns.start - tile.wide_columns.start
        height, width = tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start
        heat[tile.rows, tile.columns] = part[top : top + height, left : left + width]
    return Found(pd.concat(tables, ignore_index=True), heat)


@torch.inference_mode()
def _search_tile(
    network: HybridNetwork, image: NDArray[np.float32], fwhm_px: float, least_probability: float
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Candidates in the tile's pixels, and its heat map with what the candidates' company adds."""
    height, width = image.shape
    pixels = torch.from_numpy(np.ascontiguousarray(image))[None]
    padded = F.pad(pixels, (0, -width % STRIDE_PX, 0, -height % STRIDE_PX))
    device = next(network.parameters()).device
    dense = network.dense(padded.to(device), torch.tensor([fwhm_px], device=device))
    heat = dense.logit[0, :height, :width].sigmoid()
    # The dense head is generous: the second look may raise what it doubted.
    least = float(np.log(least_probability / (1.0 - least_probability))) - 1.5
    inside = dense.logit[:, :height, :width]
    row, column, _ = candidates(inside, least, MOST_IN_TILE)
    n = int((inside[0, row[0], column[0]] > least).sum())
    row, column = _near_together(row[:, :n], column[:, :n])
    columns: list[torch.Tensor] = []
    for start in range(0, n, POINTS_AT_ONCE):
        group = slice(start, start + POINTS_AT_ONCE)
        points = network.points(
            dense, row[:, group], column[:, group], torch.ones_like(row[:, group], dtype=torch.bool)
        )
        columns.append(
            torch.cat(
                [points.x, points.y, points.logit.sigmoid(), points.log_flux.exp(), points.log_snr.exp()]
            )
        )
    values = torch.cat(columns, dim=1) if columns else torch.zeros(5, 0)
    heat[row[0], column[0]] = values[2].to(heat.dtype)
    table = pd.DataFrame(
        values.double().cpu().numpy().T, columns=["x", "y", "probability", "flux_sigma", "network_snr"]
    )
    return table[table["probability"] >= least_probability], heat.cpu().numpy()


def _near_together(row: torch.Tensor, column: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same places ordered by strips of the tile, so that neighbours come in the same group."""
    order = ((row[0] // 128) * 100_000 + column[0]).argsort()
    return row[:, order], column[:, order]
