import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.scoring.detection import Score
from core.scoring.pooled import auroc, pooled, without_ignored


def test_counts_are_added_up_not_averaged():
    one = pooled([Score(9, 1, 0), Score(0, 0, 3), Score(0, 2, 0)])
    assert one.precision == pytest.approx(9 / 12)
    assert one.recall == pytest.approx(9 / 12)
    assert one.f1 == pytest.approx(18 / 24)
    assert (one.n_truth, one.n_found) == (12, 12)
    assert one.f1_interval[0] <= one.f1 <= one.f1_interval[1]


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(150):
        hits = rng.binomial(3, 0.6, 80)
        one = pooled([Score(int(h), 0, int(3 - h)) for h in hits], resamples=300, seed=trial)
        held += one.recall_interval[0] <= 0.6 <= one.recall_interval[1]
    assert 0.88 <= held / 150 <= 1.0


def test_pictures_that_agree_leave_no_doubt_and_nothing_is_perfect():
    assert pooled([Score(1, 1, 1)] * 5).f1_interval == (0.5, 0.5)
    empty = pooled([Score(0, 0, 0)] * 5)
    assert (empty.precision, empty.recall, empty.f1) == (1.0, 1.0, 1.0)
    with pytest.raises(ParameterInvalid, match="scores"):
        pooled([])


def test_what_fits_only_a_box_to_ignore_does_not_count():
    truth, ignore = [(0, 0, 10, 10)], [(0, 0, 10, 11), (50, 50, 60, 60)]
    found = [(0, 0, 10, 10), (50, 50, 60, 61), (80, 80, 90, 90)]
    assert without_ignored(truth, found, ignore).tolist() == [True, False, True]
    assert without_ignored(truth, found, []).all()
    assert without_ignored([], [], ignore).shape == (0,)


def test_auroc_is_the_share_of_pairs_in_order():
    assert auroc([0.9, 0.8, 0.1, 0.2], [True, True, False, False]) == 1.0
    assert auroc([0.9, 0.1, 0.5], [True, True, False]) == 0.5
    assert auroc([0.5, 0.5], [True, False]) == 0.5
    assert np.isnan(auroc([0.5, 0.6], [True, True]))
