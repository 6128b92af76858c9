import numpy as np
import pandas as pd
import pytest

from core.errors import ParameterInvalid
from core.results import Detections
from core.scoring.truth import score_against_truth


def truth(xy, snr, label="star", mag=None):
    table = {"label": label, "score": 1.0, "x": [x for x, _ in xy], "y": [y for _, y in xy], "snr": snr}
    return Detections(pd.DataFrame(table | ({} if mag is None else {"mag": mag})))


def found(xy, snr=None):
    table = {"label": "star", "score": 1.0, "x": [x for x, _ in xy], "y": [y for _, y in xy]}
    return Detections(pd.DataFrame(table | ({} if snr is None else {"snr": snr})))


def test_objects_under_the_cut_are_neither_hit_nor_miss():
    there = truth([(10, 10), (20, 20), (30, 30), (40, 40)], snr=[20, 6, 4, 2])
    seen = found([(10, 10), (30.5, 30), (40, 40), (70, 70)])

    score = score_against_truth(seen, there)

    # cut: found above it, false, missed above it
    assert {
        cut: (s.true_positives, s.false_positives, s.false_negatives) for cut, s in score.at_snr.items()
    } == {
        3.0: (2, 1, 1),
        5.0: (1, 1, 1),
        10.0: (1, 1, 0),
    }
    assert score.at_snr[5.0].f1 == pytest.approx(0.5)
    assert score.only_truth.tolist() == [1]
    assert score.only_found.tolist() == [3]
    assert dict(zip(score.truth_index, score.found_index, strict=True)) == {0: 0, 2: 1, 3: 2}


def test_an_object_lost_in_the_noise_excuses_nothing():
    there = truth([(10, 10), (20, 20), (30, 30)], snr=[20, 0.4, np.nan])
    score = score_against_truth(found([(20, 20), (30, 30)]), there)
    assert score.at_snr[3.0].false_positives == 1


def test_bins_hold_recall_false_detections_and_offsets():
    there = truth([(10, 10), (20, 20), (30, 30)], snr=[5, 7, 40])
    seen = found([(10.3, 10.4), (30, 30), (80, 80), (90, 90)], snr=[5.5, 38, 6, 1.5])

    bins = {b.low: b for b in score_against_truth(seen, there).snr_bins}

    assert (bins[5].n_truth, bins[5].n_found, bins[5].n_false) == (2, 1, 1)
    assert bins[5].recall == 0.5
    assert bins[5].f1 == pytest.approx(2 / 4)
    assert bins[5].offset_rms_px == pytest.approx(np.sqrt((0.09 + 0.16) / 2))
    low, high = bins[5].recall_interval
    assert 0 < low < 0.5 < high < 1
    assert bins[20].recall == 1
    assert (bins[1].n_truth, bins[1].n_false) == (0, 1)
    assert np.isnan(bins[3].recall)
    assert np.isnan(bins[3].f1)
    assert bins[3].recall_interval == (0, 1)


def test_without_the_detections_snr_a_bin_has_no_f1():
    bins = score_against_truth(found([(10, 10), (50, 50)]), truth([(10, 10)], [8])).snr_bins
    assert [b.f1 for b in bins] == [None] * len(bins)


def test_a_faint_star_does_not_take_the_detection_of_a_bright_neighbour():
    there = truth([(10, 10), (11, 10)], snr=[50, 1.2])
    score = score_against_truth(found([(10.8, 10)]), there)
    assert score.truth_index.tolist() == [0]
    assert score.only_truth.tolist() == [1]


def test_completeness_falls_where_stars_are_lost():
    random = np.random.default_rng(0)
    magnitude = np.linspace(10, 20, 1000)
    xy = np.column_stack([np.arange(1000) * 10.0, np.zeros(1000)])
    # Found with a chance that falls through one half at 16 and through nine tenths near 15.1.
    is_found = random.random(1000) < 1 / (1 + np.exp((magnitude - 16) * 2.5))
    there = truth(xy, snr=10 ** (0.4 * (18 - magnitude)), mag=magnitude)

    score = score_against_truth(found(xy[is_found]), there)

    assert score.m50 == pytest.approx(16.0, abs=0.25)
    assert score.m90 == pytest.approx(15.1, abs=0.3)
    curve = score.completeness
    assert (curve.low <= curve.completeness + 1e-12).all()
    assert (curve.high >= curve.completeness).all()
    assert np.diff(curve.edges) == pytest.approx(0.5)
    assert curve.n_truth.sum() == 1000


def test_only_the_label_counts():
    stars = truth([(10, 10)], [50])
    galaxy = truth([(50, 50)], [50], label="galaxy")
    both = Detections(pd.concat([stars.table, galaxy.table], ignore_index=True))

    score = score_against_truth(found([(10, 10), (50, 50)]), both)

    assert score.at_snr[5.0].false_positives == 1
    assert score_against_truth(found([(50, 50)]), both, label="galaxy").truth_index.tolist() == [1]


@pytest.mark.parametrize("seen", [found([]), found([(5, 5)])])
@pytest.mark.parametrize("there", [truth([], []), truth([(90, 90)], [7.0], mag=[12.0])])
def test_nothing_found_or_nothing_there_is_a_score(seen, there):
    score = score_against_truth(seen, there, snr_cut=5)

    assert list(score.at_snr) == [5.0]
    assert 0 <= score.at_snr[5.0].f1 <= 1
    assert len(score.truth_index) == 0
    assert (score.completeness is None) == (len(there) == 0)
    assert score.m50 is None


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"snr_edges": (5, 3)}, "snr_edges"),
        ({"snr_edges": (5,)}, "snr_edges"),
        ({"radius_px": 0.0}, "radius_px"),
    ],
)
def test_bad_arguments_are_refused(arguments, name):
    with pytest.raises(ParameterInvalid, match=name) as refusal:
        score_against_truth(found([(1, 1)]), truth([(1, 1)], [5.0]), **arguments)
    assert refusal.value.parameter == name


def test_a_truth_without_snr_is_refused():
    with pytest.raises(ParameterInvalid, match="must have a column snr"):
        score_against_truth(found([(1, 1)]), found([(1, 1)]))
