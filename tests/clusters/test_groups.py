import numpy as np

from core.clusters.groups import candidate_groups


def blobs(rng, *centres, count=60, field=600):
    places = [rng.normal(centre, 0.05, (count, 3)) for centre in centres]
    return np.concatenate([*places, rng.uniform(-3, 3, (field, 3))])


def test_the_graph_gives_the_groups_of_all_distances():
    """Against scikit-learn's own search, which compares every pair."""
    from sklearn.cluster import HDBSCAN

    points = blobs(np.random.default_rng(0), (0, 0, 0), (2, 2, 2), (-2, 1, 0))
    labels = HDBSCAN(
        min_cluster_size=12, min_samples=10, cluster_selection_method="leaf", copy=True
    ).fit_predict(points)
    groups = [set(group.tolist()) for group in candidate_groups(points, 12, 10)]
    for label in range(labels.max() + 1):
        own = set(np.flatnonzero(labels == label).tolist())
        assert max(len(own & group) / len(own | group) for group in groups) > 0.95


def test_far_apart_parts_are_joined():
    points = blobs(np.random.default_rng(1), (0, 0, 0), (1e4, 0, 0), (0, -1e5, 0), field=0)
    found = {tuple(sorted(group // 60)) for group in candidate_groups(points, 12, 10)}
    assert {(number,) * 60 for number in range(3)} <= found


def test_nothing_to_group():
    rng = np.random.default_rng(2)
    assert candidate_groups(rng.random((11, 3)), 12, 10) == []
    assert candidate_groups(np.ones((100, 3)), 12, 10) == []
    assert candidate_groups(np.empty((0, 2)), 12, 10) == []
