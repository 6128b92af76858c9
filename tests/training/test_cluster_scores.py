import json

import numpy as np
import pytest
from PIL import Image

from core.clusters.kinds import GLOBULAR, OPEN
from core.clusters.outlines import Outline, outline_of
from core.clusters.pictures import Look
from training.cluster_data import DrawnScene
from training.cluster_scores import calibrated, chosen_scores, compare, judge, scores_at
from training.cluster_truth import TrueCluster, instance_map

SIDE = 100
FIRST = TrueCluster(OPEN, 30.0, 30.0, 15.0, contrast=4.0, n_seen=50)
SECOND = TrueCluster(GLOBULAR, 70.0, 65.0, 20.0)
HOPELESS = TrueCluster(OPEN, 30.0, 75.0, 15.0, wanted=False)


def a_scene(*clusters):
    instances = instance_map(clusters, (SIDE, SIDE))
    return DrawnScene(np.zeros((SIDE, SIDE, 3), np.uint8), instances, instances, tuple(clusters), "survey")


def an_outline(cluster, score=0.9, shift=0.0, feature=0.0):
    inside = cluster.away(np.arange(SIDE)[None, :] - shift, np.arange(SIDE)[:, None]) <= 1.0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    patch = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    globular = float(cluster.kind == GLOBULAR)
    return Outline(rows[0], columns[0], patch, score, globular, features=(feature,))


def test_perfect_answers_score_perfectly():
    compared = [
        compare(a_scene(FIRST, SECOND), [an_outline(FIRST), an_outline(SECOND)]),
        compare(a_scene(), []),
    ]
    scores = scores_at(compared, 0.5)
    assert (scores.precision, scores.recall, scores.f1, scores.ap50) == (1.0, 1.0, 1.0, 1.0)
    assert (scores.dice, scores.kinds, scores.clear_recall, scores.false_on_empty) == (1.0, 1.0, 1.0, 0.0)


def test_what_need_not_be_found_is_neither_hit_nor_miss():
    scene = a_scene(FIRST, HOPELESS)
    for found in ([an_outline(FIRST)], [an_outline(FIRST), an_outline(HOPELESS, 0.8)]):
        scores = scores_at([compare(scene, found)], 0.5)
        assert (scores.precision, scores.recall, scores.f1) == (1.0, 1.0, 1.0)


def test_a_shift_costs_dice_and_a_miss_recall():
    shifted = compare(a_scene(FIRST, SECOND), [an_outline(FIRST, shift=10.0)])
    scores = scores_at([shifted], 0.5)
    assert 0.5 < scores.dice < 0.8
    assert (scores.recall, scores.precision, scores.ap50) == (0.5, 1.0, 0.0)
    far = scores_at([compare(a_scene(FIRST, SECOND), [an_outline(FIRST, shift=18.0)])], 0.5)
    assert (far.recall, far.precision) == (0.0, 0.0)  # its middle lies beside the cluster
    wrong = compare(a_scene(), [an_outline(FIRST), an_outline(SECOND, 0.4)])
    assert scores_at([wrong], 0.5).false_on_empty == 1.0
    assert np.isnan(scores_at([wrong], 0.5).recall)


def test_the_confidence_keeps_nine_of_ten_right():
    rng = np.random.default_rng(0)
    compared = []
    for _ in range(60):
        found = [an_outline(FIRST, float(rng.uniform(0.4, 1.0)))]
        if rng.random() < 0.5:
            found.append(an_outline(SECOND, float(rng.uniform(0.0, 0.6))))
        compared.append(compare(a_scene(FIRST), found))
    chosen = chosen_scores(compared)
    assert chosen.precision >= 0.9
    assert chosen.recall > scores_at(compared, 0.6).recall
    assert scores_at(compared, 0.0).precision < 0.9


def test_scores_become_chances():
    rng = np.random.default_rng(1)
    compared = []
    for _ in range(400):
        feature = float(rng.normal())
        real = rng.random() < 1.0 / (1.0 + np.exp(-(2.0 * feature - 1.0)))
        compared.append(compare(a_scene(FIRST) if real else a_scene(), [an_outline(FIRST, feature=feature)]))
    assert calibrated(compared) == pytest.approx([-1.0, 2.0], abs=0.5)
    assert calibrated([]) == ()


def test_judging_searches_as_the_product_does(tmp_path):
    paths = []
    for number, clusters in enumerate([(FIRST, SECOND), (FIRST,), ()]):
        scene, path = a_scene(*clusters), tmp_path / f"scene_{number}.json"
        path.write_text(json.dumps({"way": "survey", "clusters": [one.as_dict() for one in clusters]}))
        # Stars of four pixels on a dim glow: smooth light is no cluster's.
        stars = np.random.default_rng(number).random((SIDE // 2, SIDE // 2)) < 0.3
        grains = np.where(stars.repeat(2, axis=0).repeat(2, axis=1), 255, 110)
        light = np.where(scene.instances > 0, grains, 0).astype(np.uint8)
        Image.fromarray(light).save(path.with_suffix(".png"))
        Image.fromarray(np.dstack([scene.instances, scene.depth])).save(path.with_suffix(".truth.png"))
        paths.append(path)

    def look_with(constants):
        def look(shown, window, grid):
            from scipy import ndimage

            pieces, n = ndimage.label(shown[..., 0] > 100)
            found = [
                outline_of(grid, window, pieces == i, score=0.9, globular=0.0, features=(1.0,))
                for i in range(1, n + 1)
            ]
            return [one for one in found if one is not None], None

        return Look(look)

    constants, scores = judge(paths, look_with, (0.0, 1.0))
    assert constants == (0.0, 1.0)  # all are hits: nothing to calibrate on
    assert (scores.f1, scores.ap50, scores.false_on_empty) == (1.0, 1.0, 0.0)
    assert scores.kinds == pytest.approx(2 / 3)
    assert scores.named("validation")["validation, AP50 of masks"] == 1.0
