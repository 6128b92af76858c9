"""Running the network over frames of any size."""

import numpy as np
import pytest

from core.models.inference import LockedNetwork
from core.scoring.matching import match_points
from core.stars import hybrid_search
from core.stars.hybrid import network
from core.stars.hybrid_search import search
from tests.skies import star_field


@pytest.fixture(scope="module")
def image():
    field = star_field(3, (208, 240), 60, flux=(800, 60_000))
    return ((field.pixels - 200.0) / field.noise).astype(np.float32), field.truth


def test_tiles_give_what_the_whole_frame_gives(image, monkeypatch):
    whole = search(network(), image[0], 3.0, least_probability=0.3)
    monkeypatch.setattr(hybrid_search, "TILE_PX", 96)

    tiled = search(network(), image[0], 3.0, least_probability=0.3)

    same = match_points(whole.table[["x", "y"]], tiled.table[["x", "y"]], 0.3)
    assert len(same) >= 0.97 * max(len(whole.table), len(tiled.table))
    assert np.mean(np.abs(whole.heat - tiled.heat) > 0.1) < 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (7, 33), (16, 16), (17, 250), (100, 3)])
def test_any_size_will_do(shape):
    noise = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)

    found = search(network(), noise, 3.0, least_probability=0.5)

    assert found.heat.shape == shape
    assert np.isfinite(found.heat).all()
    assert list(found.table.columns) == ["x", "y", "probability", "flux_sigma", "network_snr"]


def test_many_candidates_are_looked_at_in_groups(image, monkeypatch):
    whole = search(network(), image[0], 3.0, least_probability=0.3)
    monkeypatch.setattr(hybrid_search, "POINTS_AT_ONCE", 32)

    grouped = search(network(), image[0], 3.0, least_probability=0.3)

    assert abs(len(grouped.table) - len(whole.table)) <= 3


def test_fluxes_and_snr_are_those_of_the_stars(image):
    pixels, truth = image
    found = search(network(), pixels, 3.0, least_probability=0.5).table
    bright = truth[truth["snr"] > 20]
    near = np.hypot(
        found["x"].to_numpy()[:, None] - bright["x"].to_numpy(),
        found["y"].to_numpy()[:, None] - bright["y"].to_numpy(),
    )
    hit = near.min(axis=0) < 1.0
    row = near.argmin(axis=0)[hit]

    assert hit.mean() > 0.9
    ratio = found["network_snr"].to_numpy()[row] / bright["snr"].to_numpy()[hit]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.25)


def test_progress_is_told_and_may_stop_the_search(image):
    class Stop(Exception):
        pass

    def stop(done, doing):
        raise Stop

    with pytest.raises(Stop):
        search(network(), image[0], 3.0, least_probability=0.5, progress=stop)


def test_the_network_is_held_for_a_tile_and_free_between(image, monkeypatch):
    monkeypatch.setattr(hybrid_search, "TILE_PX", 96)
    inner, held = network(), []

    class Counting(LockedNetwork):
        def use(self):
            held.append(1)
            return super().use()

    with inner.use() as torch_network:
        counting = Counting(torch_network)
    search(counting, image[0], 3.0, least_probability=0.5)

    assert len(held) == 9


def test_a_frame_without_stars_gives_an_empty_table():
    found = search(network(), np.zeros((64, 64), np.float32), 3.0, least_probability=0.5)

    assert len(found.table) == 0
