"""The networks' methods: from a frame to clusters, masks and a sentence, and what is refused."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from core.clusters import maskrcnn, unet
from core.clusters.crowd import SMOOTH
from core.clusters.kinds import GLOBULAR, OPEN
from core.clusters.outlines import outline_of
from core.clusters.pictures import LEAST_GRAIN, Look, look_around, summary
from core.errors import WeightsUnavailable
from core.frames.samples import samples
from core.methods import methods
from core.models.card import chosen
from core.models.windows import Grid
from tests.clusters.networks import disc, tiny_maskrcnn, tiny_unet
from tests.frames.test_night import a_sky, shown

NETWORKS = [(unet.METHOD, tiny_unet), (maskrcnn.METHOD, tiny_maskrcnn)]


@pytest.mark.parametrize(("method", "tiny"), NETWORKS, ids=["unet", "maskrcnn"])
def test_without_weights_it_is_not_ready_and_says_so(method, tiny, weights_folder):
    assert methods("clusters")[method.name] is method
    assert not method.is_ready
    with pytest.raises(WeightsUnavailable, match=method.weights):
        method.run(shown(a_sky()))


@pytest.mark.parametrize(("method", "tiny"), NETWORKS, ids=["unet", "maskrcnn"])
def test_a_run_gives_a_table_a_mask_and_a_sentence(method, tiny, weights_folder):
    tiny(weights_folder, confidence=0.06)
    assert method.is_ready
    frame = shown(a_sky(side=200))
    result = method.run(frame)
    assert result.masks["clusters"].shape == (200, 200)
    assert result.masks["clusters"].max() <= len(result.detections)
    assert set(result.detections.table["label"]) <= set(method.labels)
    assert result.summary.endswith("found.")
    assert result.facts["confidence_limit"] == 0.06
    turned_down = result.rejected.table
    assert ((turned_down["score"] < 0.06) | (turned_down["reason"] == SMOOTH)).all()
    again = method.run(frame)
    np.testing.assert_array_equal(again.masks["clusters"], result.masks["clusters"])
    np.testing.assert_array_equal(again.detections.boxes, result.detections.boxes)


@pytest.mark.parametrize(("method", "tiny"), NETWORKS, ids=["unet", "maskrcnn"])
def test_what_is_no_sky_is_not_searched(method, tiny, weights_folder):
    tiny(weights_folder)
    for pixels in (np.zeros((64, 64, 3)), np.full((20, 20, 3), 9.0), np.full((64, 64, 3), 200.0)):
        result = method.run(shown(pixels))
        assert len(result.detections) == 0
        assert len(result.warnings) == 1


@pytest.mark.parametrize("method", [unet.METHOD, maskrcnn.METHOD], ids=["unet", "maskrcnn"])
@pytest.mark.parametrize("name", ["m13", "m22", "m3"])
def test_the_weights_find_one_globular_cluster_in_a_photograph(method, name):
    frame = next(sample for sample in samples() if sample.name == name).read()
    table = method.run(frame).detections.table
    assert table["label"].tolist() == [GLOBULAR]
    assert np.hypot(table["x"] - frame.width / 2, table["y"] - frame.height / 2)[0] < 0.05 * frame.width


def test_the_weights_find_one_open_cluster_that_fills_its_photograph():
    frame = next(sample for sample in samples() if sample.name == "m44").read()
    assert maskrcnn.METHOD.run(frame).detections.table["label"].tolist() == [OPEN]


@pytest.mark.parametrize("method", [unet.METHOD, maskrcnn.METHOD], ids=["unet", "maskrcnn"])
@pytest.mark.parametrize("name", ["m31", "m66", "m74", "m83"])
def test_the_weights_take_no_galaxy_for_a_cluster(method, name):
    frame = next(sample for sample in samples() if sample.name == name).read()
    assert method.run(frame).detections.table.empty


def test_the_unet_gives_its_chances_as_a_map(weights_folder):
    tiny_unet(weights_folder)
    result = unet.METHOD.run(shown(a_sky(side=200)))
    assert result.maps["probability"].shape == (200, 200)
    assert 0.0 <= result.maps["probability"].min() <= result.maps["probability"].max() <= 1.0


def test_clusters_of_all_sizes_on_a_large_frame_are_found_once():
    clusters = [(300.0, 400.0, 20.0), (1100.0, 700.0, 90.0), (1500.0, 1400.0, 420.0), (60.0, 1800.0, 150.0)]
    picture = np.zeros((2048, 2048, 3), np.uint8)
    for x, y, radius in clusters:
        picture[disc((2048, 2048), x, y, radius) < 1.0] = 200

    def look(shown_window, window, grid):
        from scipy import ndimage

        pieces, n = ndimage.label(shown_window[..., 0] > 100)
        found = [
            outline_of(grid, window, pieces == number, score=0.9, globular=0.0) for number in range(1, n + 1)
        ]
        return [one for one in found if one is not None], shown_window[..., 0] / np.float32(255)

    found, heat = look_around(picture, Grid(2048, 2048), Look(look))
    assert len(found) == len(clusters)
    middles = sorted(2 * (one.column + one.inside.shape[1] / 2) for one in found if one.column > 0)
    assert middles == pytest.approx([300, 1100, 1500], abs=8)
    assert not any(one.cut for one in found)
    assert heat.shape == (1024, 1024)
    assert (heat > 0.5).mean() == pytest.approx((picture[..., 0] > 0).mean(), rel=0.03)


@pytest.mark.parametrize(("radius", "n_found"), [(230.0, 1), (150.0, 0)])
def test_a_cluster_that_fills_the_frame_is_seen_from_afar(radius, n_found):
    """What is smaller is seen well enough on the frame itself, and what is said of it there holds."""
    picture = np.zeros((512, 512, 3), np.uint8)
    picture[disc((512, 512), 256.0, 256.0, radius) < 1.0] = 200

    def look(shown_window, window, grid):
        if window.scale == 1.0:
            return [], None
        return [outline_of(grid, window, shown_window[..., 0] > 100, score=0.9, globular=0.0)], None

    found, _ = look_around(picture, Grid(512, 512), Look(look, least_from_afar=0.8))
    assert len(found) == n_found
    assert not look_around(picture, Grid(512, 512), Look(look))[0]
    assert not look_around(picture, Grid(512, 512), Look(look, least_from_afar=0.95))[0]


def test_smooth_light_is_a_galaxy_and_not_a_cluster():
    rng = np.random.default_rng(0)
    away = np.stack([disc((512, 512), x, 256.0, 60.0) for x in (130.0, 380.0)])
    smooth, stars = 150.0 * np.exp(-2.0 * away)
    grains = gaussian_filter(rng.standard_normal((512, 512)), 1.3)
    light = smooth + stars * np.clip(1.0 + 3.0 * grains, 0.0, None) + 12.0 + rng.standard_normal((512, 512))
    picture = np.repeat(np.clip(light, 0, 255).astype(np.uint8)[..., None], 3, axis=2)

    def look(shown_window, window, grid):
        return [outline_of(grid, window, one < 1.0, score=0.9, globular=1.0) for one in away], None

    found, _ = look_around(picture, Grid(512, 512), Look(look))
    galaxy, cluster = sorted(found, key=lambda one: one.column)
    assert galaxy.grain < LEAST_GRAIN < cluster.grain


def test_a_globular_cluster_may_be_white_in_its_middle():
    rng = np.random.default_rng(1)
    away = disc((512, 512), 256.0, 256.0, 80.0)
    grains = np.clip(1.0 + 3.0 * gaussian_filter(rng.standard_normal((512, 512)), 1.3), 0.0, None)
    light = 900.0 * np.exp(-5.0 * away) * grains + 12.0 + rng.standard_normal((512, 512))
    grey = np.clip(light, 0, 255).astype(np.uint8)
    assert np.median(grey[away < 0.2]) == 255
    picture = np.repeat(grey[..., None], 3, axis=2)

    def look(shown_window, window, grid):
        return [outline_of(grid, window, away < 1.0, score=0.9, globular=1.0)], None

    (cluster,), _ = look_around(picture, Grid(512, 512), Look(look))
    assert cluster.grain > LEAST_GRAIN


def test_words_and_choices():
    assert summary([]) == "No star clusters were found."
    assert summary(["globular cluster"]) == "1 globular cluster found."
    assert (
        summary(["open cluster"] * 2 + ["globular cluster"])
        == "2 open clusters and 1 globular cluster found."
    )
    assert chosen(None, {"confidence": 0.4}, "confidence", 0.5) == 0.4
    assert chosen(0.2, {"confidence": 0.4}, "confidence", 0.5) == 0.2
