import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import stars


def test_the_simulated_noise_and_snr_are_as_stated():
    field = stars.simulate(1, 128, 0)

    assert field.pixels.mean() == pytest.approx(200, abs=1)
    assert field.pixels.std() == pytest.approx(15, rel=0.03)
    assert stars.simulate(1, 128, 20).snr.min() > 0.5


def test_the_same_seed_gives_the_same_field():
    first, second = stars.simulate(5, 96, 20), stars.simulate(5, 96, 20)

    np.testing.assert_array_equal(first.pixels, second.pixels)


def test_f1_leaves_out_what_is_under_the_cut():
    field = stars.Field(
        np.zeros((50, 50), np.float32), np.array([[10.0, 10], [30, 30], [40, 10]]), np.array([20, 4, 9])
    )

    assert stars.f1(field, field.xy, 5) == 1
    assert stars.f1(field, field.xy[:2], 5) == pytest.approx(2 / 3)  # one hit, one missed, one neither
    assert stars.f1(field, np.array([[10.0, 10], [20, 45]]), 10) == pytest.approx(2 / 3)


def test_both_ways_find_the_stars_of_a_small_field():
    field = stars.simulate(2, 256, 40)

    assert stars.f1(field, stars.ours(field.pixels, 4.5), 10) > 0.93
    assert stars.f1(field, stars.direct(field.pixels, 0.8), 10) > 0.93


def test_the_memory_of_a_small_frame_is_measured():
    measured = stars.memory(1024)

    assert 0.05 < measured["peak_gb"] < 1.0
    assert measured["n_stars"] > 500


def test_the_recorded_results_meet_the_bar_and_are_those_the_readme_shows():
    results = json.loads(stars.RESULTS.read_text(encoding="utf-8"))

    for scores in results["f1"].values():
        for cut in map(str, stars.SNR_CUTS):
            assert scores["ours"][cut]["f1"] >= scores["direct"][cut]["f1"] - 0.01
    assert results["time"]["ratio"] <= 3
    assert results["memory"]["side"] ** 2 >= 64e6
    assert results["memory"]["peak_gb"] <= stars.MEMORY_LIMIT_GB
    shown = Path(stars.__file__).with_name("README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|.*\|$", stars.as_markdown(results), flags=re.MULTILINE)
    assert rows
    assert all(row in shown for row in rows)
