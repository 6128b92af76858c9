import numpy as np
import pandas as pd

from core.clusters.example import example_table
from core.methods import get_method


def test_the_made_up_clusters_are_found_with_their_members():
    table = example_table()
    truth = table.table["truth"].to_numpy()
    result = get_method("clusters.hdbscan").run(table)
    cluster = result.members["cluster"].to_numpy()
    assert len(result.detections) == 2
    for number in (0, 1):
        both = np.count_nonzero((cluster == number) & (truth == number + 1))
        assert both / np.count_nonzero(cluster == number) > 0.95
        assert both / np.count_nonzero(truth == number + 1) > 0.9


def test_equal_seeds_give_equal_tables():
    assert example_table(3).key == example_table(3).key
    assert example_table(3).key != example_table(4).key
    assert np.isfinite(example_table(3).table.to_numpy(float)).all()
    pd.testing.assert_frame_equal(example_table().table, example_table(1).table)
