"""A large frame in tiles is the same frame."""

from __future__ import annotations

import numpy as np
import pytest

from core.frames import Frame
from core.methods import get_method
from core.stars import tiles as tiling
from core.stars.tiles import tiles
from tests.skies import star_field


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (100, 130), (65, 200)])
def test_every_pixel_belongs_to_one_tile_and_margins_stay_on_the_frame(shape: tuple[int, int]) -> None:
    counted = np.zeros(shape, int)
    for tile in tiles(shape, margin_px=9, side_px=64):
        counted[tile.rows, tile.columns] += 1
        assert (
            0 <= tile.wide_rows.start <= tile.rows.start < tile.rows.stop <= tile.wide_rows.stop <= shape[0]
        )
        assert 0 <= tile.wide_columns.start <= tile.columns.start
        assert tile.columns.stop <= tile.wide_columns.stop <= shape[1]
    assert (counted == 1).all()


def test_a_position_belongs_to_one_tile_also_on_the_line_between_two() -> None:
    x, y = np.meshgrid(np.arange(-0.5, 99.5, 0.25), np.arange(-0.5, 79.5, 0.25))
    owners = sum(tile.own(x.ravel(), y.ravel()).astype(int) for tile in tiles((80, 100), 5, side_px=32))
    assert (owners == 1).all()


def test_the_same_stars_are_found_in_tiles_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Frame.from_array(star_field(seed=6, shape=(300, 320), n_stars=300).pixels)
    method = get_method("stars.daofind")
    whole = method.run(frame)
    monkeypatch.setattr(tiling, "TILE_PX", 96)
    parts = method.run(frame)
    assert len(whole.detections) > 150
    np.testing.assert_allclose(
        parts.detections.table[["x", "y", "flux"]].sort_values(["x", "y"]),
        whole.detections.table[["x", "y", "flux"]].sort_values(["x", "y"]),
        atol=1e-6,
    )
