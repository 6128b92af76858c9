"""Scenes of clusters: the same number gives the same scene, and the truth is where the light is."""

import numpy as np
import pytest

from core.clusters.kinds import GLOBULAR, OPEN
from training.cluster_data import DrawnScene, draw_split, main, random_sample, read_scene
from training.cluster_photographs import ClusterPhotograph, laid_on_sky, load_photographs, placed, shown_whole
from training.cluster_scenes import (
    draw_cluster_scene,
    glow_light,
    judged,
    optics,
    photograph_scene,
    random_members,
)
from training.cluster_truth import TrueCluster, instance_map

SIDE = 128


def a_photograph(kind=GLOBULAR, reach=30.0):
    y, x = np.mgrid[:160, :200]
    glow = 220.0 * np.exp(-(((x - 90) / 14.0) ** 2) - ((y - 84) / 14.0) ** 2)
    picture = np.rint(np.repeat(glow[..., None], 3, axis=2) + 5.0).astype(np.uint8)
    return ClusterPhotograph(picture, (TrueCluster(kind, 90.0, 84.0, reach, 0.8, 0.3),), "made.jpg")


@pytest.fixture(scope="module")
def scenes():
    return [draw_cluster_scene(seed, [a_photograph()], side_px=SIDE) for seed in range(30)]


def test_the_same_number_gives_the_same_scene(scenes):
    again = draw_cluster_scene(4, [a_photograph()], side_px=SIDE)
    np.testing.assert_array_equal(again.picture, scenes[4].picture)
    np.testing.assert_array_equal(again.instances, scenes[4].instances)
    assert repr(again.clusters) == repr(scenes[4].clusters)
    other = draw_cluster_scene(4, [a_photograph()], side_px=SIDE, split="val")
    assert not np.array_equal(other.picture, again.picture)


def test_scenes_are_whole_and_of_every_kind(scenes):
    for scene in scenes:
        assert scene.picture.shape == (SIDE, SIDE, 3)
        assert scene.picture.dtype == scene.instances.dtype == np.uint8
        assert scene.instances.max() <= len(scene.clusters)
    clusters = [one for scene in scenes for one in scene.clusters]
    assert {one.kind for one in clusters} == {OPEN, GLOBULAR}
    assert {one.wanted for one in clusters} == {True, False}
    assert {scene.way for scene in scenes} == {"survey", "shared", "photograph"}
    assert any(not scene.clusters for scene in scenes)


def test_wanted_clusters_are_brighter_than_what_surrounds_them():
    brighter = []
    for seed in range(40):
        scene = draw_cluster_scene(seed, side_px=SIDE)
        grey = scene.picture.mean(axis=2)
        for number, one in enumerate(scene.clusters, start=1):
            inside, outside = scene.instances == number, scene.instances == 0
            if one.wanted and one.reach_px < 40 and min(inside.sum(), outside.sum()) > 60:
                brighter.append(grey[inside].mean() > grey[outside].mean())
    assert len(brighter) > 8
    assert np.mean(brighter) > 0.85


def test_members_follow_the_outline():
    rng = np.random.default_rng(0)
    field = optics(1, SIDE)
    for _ in range(8):
        one = random_members(rng, field, seen=field.stretch.light(8.0), density=1e-3, others=[])
        away = one.truth.away(one.xy[:, 0], one.xy[:, 1])
        assert away.max(initial=0.0) <= one.tidal_px / one.truth.reach_px + 1e-9
        if len(away) > 60:
            within = np.mean(away <= one.half_px / one.truth.reach_px)
            assert within == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(away)))


def test_the_glow_holds_all_of_its_light():
    field = optics(1, SIDE)
    rng = np.random.default_rng(1)
    while True:
        one = random_members(rng, field, seen=field.stretch.light(8.0), density=1e-3, others=[])
        if one.truth.kind == GLOBULAR and one.tidal_px < 50:
            break
    from dataclasses import replace

    one = replace(one, glow=3.0, truth=replace(one.truth, x=SIDE / 2, y=SIDE / 2, ratio=1.0))
    total = glow_light(field, one).sum(axis=(1, 2))
    expected = field.flux(np.array([3.0]), np.array([one.glow_colour]))[0]
    np.testing.assert_allclose(total, expected, rtol=0.05)


def test_hopeless_clusters_are_not_asked_for_and_clear_ones_are():
    from dataclasses import replace

    field = optics(1, SIDE)
    seen = field.stretch.light(8.0)
    rng = np.random.default_rng(2)
    one = random_members(rng, field, seen, 1e-3, [])
    truth = TrueCluster(OPEN, 64.0, 64.0, 30.0)
    dark = np.zeros((3, SIDE, SIDE))
    field_xy, field_peak = rng.uniform(0, SIDE, (60, 2)), np.full(60, 2 * seen)
    for count, wanted in ((60, True), (6, False)):
        xy = 64.0 + rng.normal(0.0, 6.0, (count, 2))
        drawn = replace(one, truth=truth, xy=xy, peak=np.full(count, 2 * seen), half_px=8.0)
        known = judged(drawn, dark, dark, field_xy, field_peak, seen, seen, SIDE)
        assert known.wanted == wanted
        assert known.n_seen == count
        inside = np.hypot(*(xy - 64.0).T) <= 8.0
        expected = 1.0 + inside.sum() / (60 * np.pi * 64 / SIDE**2)
        assert known.contrast == pytest.approx(expected, rel=0.08)
    # Too few stars that are seen, but a glow of its own.
    bright = np.full((3, SIDE, SIDE), 2.0 * seen)
    assert judged(drawn, bright, dark, field_xy, field_peak, seen, seen, SIDE).wanted


def test_the_outline_turns_with_the_photograph():
    photograph = a_photograph()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        window, light, (one,) = placed(
            rng, photograph, photograph.picture, 300, np.array([150.0, 140.0]), 1.2, 0.5 * seed
        )
        canvas = np.zeros((300, 300))
        canvas[window] = light.mean(axis=2)
        weight = np.where(canvas > 0.3, canvas, 0.0)
        rows, columns = np.mgrid[:300, :300]
        middle = [(weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()]
        assert middle == pytest.approx([one.x, one.y], abs=1.0)
        assert one.reach_px == pytest.approx(36.0)


def test_photographs_are_shown_whole_or_laid_on_a_sky():
    rng = np.random.default_rng(0)
    photograph = a_photograph()
    assert photograph.can_be_laid
    levels, (one,) = shown_whole(rng, photograph, SIDE)
    assert levels.shape == (SIDE, SIDE, 3)
    window, light, (laid,) = laid_on_sky(rng, photograph, SIDE, faintest=3.0)
    assert light.shape == (window[0].stop - window[0].start, window[1].stop - window[1].start, 3)
    assert light.max() > 40.0
    assert laid.reach_px < SIDE
    assert one.kind == laid.kind == GLOBULAR
    assert not ClusterPhotograph(photograph.picture, (), "empty.jpg").can_be_laid
    assert load_photographs(a_folder_that_is_not_there(), "train") == []


def test_photographs_are_shown_as_linear_frames_too(monkeypatch):
    """Their cluster is where it was, on a sky with noise that does not end with the photograph."""
    monkeypatch.setattr("training.cluster_scenes.LINEAR_SHARE", 1.0)
    for seed in range(6):
        scene = photograph_scene(np.random.default_rng(seed), [a_photograph()], SIDE)
        grey = scene.picture.mean(axis=2)
        sky = grey[(scene.instances == 0)]
        assert np.percentile(sky, 5.0) > 0.0
        assert grey[scene.instances == 1].mean() > sky.mean() + 3.0


def a_folder_that_is_not_there():
    from pathlib import Path

    return Path("not") / "there"


def test_pixels_belong_to_the_nearer_and_to_the_wanted():
    first = TrueCluster(OPEN, 30.0, 50.0, 25.0)
    second = TrueCluster(OPEN, 60.0, 50.0, 25.0)
    numbers = instance_map([first, second], (100, 100))
    assert (numbers[50, 40], numbers[50, 50], numbers[0, 0]) == (1, 2, 0)
    hopeless = TrueCluster(OPEN, 60.0, 50.0, 25.0, wanted=False)
    numbers = instance_map([first, hopeless], (100, 100))
    assert (numbers[50, 50], numbers[50, 70]) == (1, 2)
    tilted = TrueCluster(OPEN, 50.0, 50.0, 40.0, 0.25, np.pi / 4)
    assert tilted.away([75.0, 75.0], [75.0, 25.0]) == pytest.approx([25 * 2**0.5 / 40, 25 * 2**0.5 / 10])


def test_scenes_are_drawn_once_and_read_back(tmp_path, scenes):
    paths = draw_split(tmp_path, None, "train", 3, side_px=SIDE)
    before = [path.stat().st_mtime_ns for path in paths]
    paths[1].unlink()  # as if it had been stopped
    assert draw_split(tmp_path, None, "train", 3, side_px=SIDE) == paths
    assert [path.stat().st_mtime_ns == old for path, old in zip(paths, before, strict=True)] == [1, 0, 1]
    for seed, path in enumerate(paths):
        drawn, scene = read_scene(path), draw_cluster_scene(seed, side_px=SIDE)
        np.testing.assert_array_equal(drawn.picture, scene.picture)
        np.testing.assert_array_equal(drawn.instances, scene.instances)
        assert len(drawn.clusters) == len(scene.clusters)
        assert (drawn.depth > 0).sum() <= (drawn.instances > 0).sum()
        for number in drawn.wanted:
            assert drawn.clusters[number - 1].wanted


def test_samples_keep_what_belongs_together(tmp_path):
    path = draw_split(tmp_path, None, "train", 8, side_px=SIDE)[-1]
    scene = read_scene(path)
    for seed in range(12):
        one = random_sample(np.random.default_rng(seed), scene)
        again = random_sample(np.random.default_rng(seed), scene)
        np.testing.assert_array_equal(one.picture, again.picture)
        assert one.picture.shape == (3, SIDE, SIDE)
        assert one.instances.shape == one.depth.shape == (SIDE, SIDE)
        assert 0.0 <= one.picture.min() <= one.picture.max() <= 1.0
        assert set(np.unique(one.instances)) <= set(np.unique(scene.instances))


def test_clusters_stay_where_they_are_on_samples():
    one = TrueCluster(OPEN, 40.0, 52.0, 18.0, 0.5, 0.6)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    instances = (one.away(columns, rows) <= 1.0).astype(np.uint8)
    scene = DrawnScene(np.full((SIDE, SIDE, 3), 20, np.uint8), instances, instances, (one,), "survey")
    for seed in range(24):
        sample = random_sample(np.random.default_rng(seed), scene)
        (moved,) = sample.clusters
        inside = moved.away(columns, rows) <= 1.0
        own = sample.instances == 1
        assert (inside & own).sum() >= 0.9 * (inside | own).sum()


def test_a_cluster_of_which_little_is_left_need_not_be_found(tmp_path):
    instances, depth = np.zeros((2, SIDE, SIDE), np.uint8)
    instances[: SIDE // 4, : SIDE // 4], instances[-SIDE // 3 :, -SIDE // 3 :] = 1, 2
    picture = np.full((SIDE, SIDE, 3), 20, np.uint8)
    both = (TrueCluster(OPEN, 9.0, 9.0, 9.0), TrueCluster(OPEN, SIDE - 12.0, SIDE - 12.0, 12.0))
    scene = DrawnScene(picture, instances, depth, both, "survey")
    seen = [random_sample(np.random.default_rng(seed), scene) for seed in range(60)]
    for one in seen:
        for number, cluster in enumerate(one.clusters, start=1):
            if not (one.instances == number).any():
                assert not cluster.wanted
    assert any(not one.clusters[0].wanted for one in seen)
    assert any(all(cluster.wanted for cluster in one.clusters) for one in seen)


def test_a_sheet_shows_scenes(tmp_path):
    assert main(["--n", "2", "--side", str(SIDE), "--sheet", str(tmp_path / "sheet.png")]) == 0
    assert (tmp_path / "sheet.png").stat().st_size > 1000
