"""The star benchmark: its frames, its rivals, its scores, and that the README shows what was recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stars import cost, plain, real, scenes, sets
from benchmarks.stars.__main__ import README, RESULTS, Plan, run
from benchmarks.stars.example import Example, magnitudes
from benchmarks.stars.report import as_markdown, write_readme
from benchmarks.stars.rivals import CLASSICAL, Rival, Setting, View, rivals
from benchmarks.stars.scores import choose, measure, on_blank
from core.frames import Frame

BY_NAME = {rival.name: rival for rival in CLASSICAL}


@pytest.fixture(scope="module")
def field() -> Example:
    """A small plain field."""
    return plain.draw_plain(2, 256, 300)


def fixed(places: np.ndarray, scores: np.ndarray, *, by_score: bool = True) -> Rival:
    """A rival that sees the same on every frame."""
    table = np.column_stack([places, scores])
    return Rival("fixed", "Fixed", (0.1, 0.5, 0.9), lambda view, threshold: {"": table}, by_score=by_score)


def example(xy: list[tuple[float, float]], snr: list[float]) -> Example:
    """An empty frame with true stars at places."""
    return Example(
        np.zeros((64, 64), np.float32), np.array(xy, float).reshape(-1, 2), np.array(snr), np.array(snr)
    )


def test_the_noise_of_a_plain_field_is_as_stated():
    empty = plain.draw_plain(1, 128, 0)
    assert empty.pixels.mean() == pytest.approx(200, abs=1)
    assert empty.pixels.std() == pytest.approx(15, rel=0.03)


def test_the_snr_of_a_plain_star_is_that_of_its_matched_filter(field):
    kernel = plain.moffat_kernel(plain.FWHM_PX, plain.BETA).astype(float)
    flux = 10 ** (0.4 * (25 - field.mag))
    faint = field.snr < 3  # whose own light adds next to nothing to the noise
    expected = flux * np.sqrt(np.sum(kernel**2)) / plain.NOISE_E
    assert faint.sum() > 50
    np.testing.assert_allclose(field.snr[faint], expected[faint], rtol=0.06)


def test_fluxes_follow_the_power_law():
    drawn = plain.power_law(np.random.default_rng(3), 200_000, 10.0, 1000.0, 0.8)
    assert drawn.min() >= 10
    assert drawn.max() <= 1000
    assert (drawn > 100).mean() == pytest.approx((10**-0.8 - 100**-0.8) / (1 - 100**-0.8), abs=0.005)


def test_magnitudes_are_scaled_to_one_noise():
    assert magnitudes(np.array([100.0]), 15.0) == pytest.approx(20.0)
    assert magnitudes(np.array([100.0]), 1.5) == pytest.approx(17.5)


@pytest.mark.parametrize("kind", sorted(scenes.KINDS))
def test_a_scene_is_the_same_each_time_and_holds_stars_it_says(kind):
    first, second = (scenes.draw_scene(kind, sets.FIRST_SEED + 3, 128) for _ in range(2))
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert sets.fingerprint([first]) == sets.fingerprint([second])
    assert (len(first.snr) == 0) == (kind == "blank")
    assert np.isfinite(first.pixels).all()


def test_the_stars_of_a_scene_have_the_snr_that_their_light_shows():
    seen = scenes.draw_scene("artefacts", sets.FIRST_SEED + 2, 256)
    view = View.of(seen)
    seen_well = (seen.snr > 8) & (seen.snr < 20)  # brighter ones have noise of their own
    column, row = np.clip(np.rint(seen.xy[seen_well]).astype(int), 0, 255).T
    assert seen_well.sum() > 20
    assert np.median(view.filtered[row, column] / seen.snr[seen_well]) == pytest.approx(1.05, abs=0.12)


def test_seeds_of_the_sets_are_apart_from_each_other_and_from_small_numbers():
    seeds = [
        seed for each in sets.SETS.values() for split in ("test", "validation") for seed in each.seeds(split)
    ]
    assert len(seeds) == len(set(seeds))
    assert min(seeds) > 10**9
    for each in sets.SETS.values():
        if each.name != "blank":
            assert each.n_test >= 8
            assert 2 * each.n_validation + 4 >= each.n_test
    assert sets.SETS["blank"].n_test * sets.SETS["blank"].side ** 2 >= 8e6


def test_a_set_is_drawn_once_and_then_read(tmp_path, monkeypatch):
    small = sets.StarSet("artefacts", "small", 9, side=64, n_test=2, n_validation=1)
    drawn = sets.load(small, "test", tmp_path)
    monkeypatch.setattr(sets.StarSet, "draw", None)
    again = sets.load(small, "test", tmp_path)
    assert sets.fingerprint(drawn) == sets.fingerprint(again)
    np.testing.assert_array_equal(drawn[1].pixels, again[1].pixels)
    assert again[0].moffat == (3.0, 3.5)
    assert again[0].saturation == drawn[0].saturation


def test_frames_are_drawn_anew_when_the_simulator_has_changed(tmp_path, monkeypatch):
    blank = sets.StarSet("blank", "", 7, side=32, n_test=1)
    render = tmp_path / "core" / "simulate" / "render.py"
    render.parent.mkdir(parents=True)
    monkeypatch.setattr("benchmarks.kept.ROOT", tmp_path)
    for number in range(2):
        render.write_text(f"version = {number}")
        sets.load(blank, "test", tmp_path / "frames")
    assert len(list((tmp_path / "frames").iterdir())) == 2


def test_the_fingerprint_knows_other_truth(field):
    moved = Example(field.pixels, field.xy + 0.01, field.snr, field.mag)
    assert sets.fingerprint([field]) != sets.fingerprint([moved])


@pytest.mark.parametrize("name", [*BY_NAME, "stars.sep", "stars.daofind"])
def test_every_rival_finds_the_bright_stars(field, name):
    rival = rivals(only=name)[name]
    choices = choose(rival, [field], [View.of(field)])
    assert choices["10"].validation_f1 > 0.75


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_classical_rival_takes_an_empty_frame(name):
    flat = View(Frame.from_array(np.zeros((64, 64))))
    for places in BY_NAME[name].sweep(flat).values():
        assert places.shape == (0, 2)


def test_photutils_cuts_are_those_of_the_library(field):
    from photutils.detection import DAOStarFinder, IRAFStarFinder

    view = View.of(field)
    data, noise = view.sky
    for name, finder in (("photutils.daofind", DAOStarFinder), ("photutils.iraf", IRAFStarFinder)):
        table = finder(4.0 * noise, fwhm=3.0)(data)
        places = BY_NAME[name].sweep(view, [4.0])[Setting(4.0, "default cuts")]
        np.testing.assert_allclose(np.sort(places[:, 0]), np.sort(np.asarray(table["x_centroid"])))


def test_a_new_method_joins_by_itself(toy_method):
    # The toy's threshold is no probability, so there is nothing to choose: it stays out.
    assert "stars.toy" not in rivals()
    assert {"stars.sep", "stars.daofind"} <= set(rivals())


def test_scores_of_one_run_are_cut_at_each_threshold():
    places = np.array([[10.0, 10.0], [20.0, 20.0], [30.0, 30.0]])
    swept = fixed(places, np.array([0.95, 0.5, 0.2])).sweep(View.of(example([], [])))
    assert {setting.threshold: len(found) for setting, found in swept.items()} == {0.1: 3, 0.5: 2, 0.9: 1}


def test_the_threshold_is_the_best_for_each_cut_and_faint_stars_count_neither_way():
    stars = example([(10, 10), (30, 30), (40, 10)], [20.0, 4.0, 1.0])
    views = [View.of(stars)]
    rival = fixed(np.array([[10.0, 10], [30, 30], [50, 50]]), np.array([0.95, 0.6, 0.3]))
    choices = choose(rival, [stars], views)
    assert choices["3"].setting.threshold == 0.5
    assert choices["3"].validation_f1 == 1.0
    assert choices["10"].validation_f1 == 1.0
    measured = measure(rival, choices, [stars, stars], views * 2)
    assert measured["at"]["3"]["f1"] == 1.0
    assert measured["at"]["none"]["recall"] == pytest.approx(2 / 3)
    assert measured["at"]["none"]["false"] == 0
    assert measured["at"]["3"]["f1_error"] == 0.0


def test_ranges_of_several_frames_are_laid_side_by_side():
    one = example([(10, 10), (30, 30)], [20.0, 6.0])
    other = example([(10, 10)], [20.0])
    rival = fixed(np.array([[10.5, 10.0]]), np.array([0.95]))
    views = [View.of(one), View.of(other)]
    measured = measure(rival, choose(rival, [one, other], views), [one, other], views)
    bins = {each["low"]: each for each in measured["snr_bins"]}
    assert (bins[10.0]["truth"], bins[10.0]["found"]) == (2, 2)
    assert (bins[5.0]["truth"], bins[5.0]["found"]) == (1, 0)
    assert bins[10.0]["offset_rms_px"] == pytest.approx(0.5 / np.sqrt(2))
    assert sum(measured["completeness"]["found"]) == 2


def test_whatever_is_found_on_blank_frames_is_false():
    views = [View(Frame.from_array(np.zeros((100, 100)))) for _ in range(4)]
    rival = fixed(np.array([[5.0, 5.0]]), np.array([0.6]))
    blank = on_blank(rival, {"3": Setting(0.5), "5": Setting(0.9)}, views)
    assert blank["3"]["false"] == 4
    assert blank["3"]["false_per_mpx"] == pytest.approx(100.0)
    assert blank["5"]["false"] == 0


def test_stars_put_into_a_real_frame_are_apart_and_mostly_found():
    reference, setting = BY_NAME["sep.psf"], Setting(0.9)
    frame = real.read_frame(real.SAMPLES / "isaac_psr_j1740.fits.fz")
    put = real._with_injections(frame, reference, setting, None)
    row = real.on_real(reference, setting, (reference, setting), put)
    assert row["reference"]["both"] == row["found"] > 100
    bright = row["injected"][3]
    assert bright["truth"] > 20
    assert bright["found"] >= 0.7 * bright["truth"]


def test_a_catalogue_of_sextractor_is_read_from_0(tmp_path):
    path = tmp_path / "a.cat"
    path.write_text("#   1 NUMBER  n\n#   2 X_IMAGE  x\n#   3 Y_IMAGE  y\n  1 11.0 21.5\n  2 1.0 1.0\n")
    np.testing.assert_array_equal(real.read_catalogue(path), [[10.0, 20.5], [0.0, 0.0]])


def test_a_rerun_of_one_rival_merges_and_changed_truth_starts_anew(tmp_path, monkeypatch):
    small = {
        name: sets.StarSet(name, "small", number, side=128, n_test=2, n_validation=1)
        for number, name in ((21, "typical"), (22, "blank"))
    }
    monkeypatch.setattr(sets, "SETS", small)
    first = run(Plan(list(small), {"matched": BY_NAME["matched"]}, cache=tmp_path), {})
    both = run(
        Plan(list(small), {"sep.psf": BY_NAME["sep.psf"]}, cache=tmp_path), json.loads(json.dumps(first))
    )
    assert set(both["sets"]["typical"]["rivals"]) == {"matched", "sep.psf"}
    assert set(both["sets"]["blank"]["rivals"]) == {"matched", "sep.psf"}
    kept = both["sets"]["typical"]["rivals"]["matched"]
    assert kept == json.loads(json.dumps(first["sets"]["typical"]["rivals"]["matched"]))
    assert "Matched filter" in as_markdown(both)
    both["sets"]["typical"]["sha256"] = "of other frames"
    anew = run(Plan(["typical"], {"sep.psf": BY_NAME["sep.psf"]}, cache=tmp_path), both)
    assert set(anew["sets"]["typical"]["rivals"]) == {"sep.psf"}


def test_frames_without_truth_need_a_threshold_first(tmp_path):
    with pytest.raises(SystemExit, match="typical"):
        run(Plan(["real"], {"sep.psf": BY_NAME["sep.psf"]}, cache=tmp_path), {})


def test_the_memory_of_a_small_frame_is_measured():
    measured = cost.large_memory(1024)
    assert 0.05 < measured["peak_gb"] < 1.0
    assert measured["n_stars"] > 100


def test_tables_go_between_their_marks(tmp_path):
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    path = tmp_path / "README.md"
    path.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    write_readme(path, results)
    assert path.read_text(encoding="utf-8") == README.read_text(encoding="utf-8")
    path.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match="marks"):
        write_readme(path, results)


def test_the_recorded_results_meet_the_bar_and_are_those_the_readme_shows():
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert set(results["sets"]) == set(sets.SETS)
    for name in ("sparse", "crowded", "typical"):
        scored = results["sets"][name]["rivals"]
        for cut in ("5", "10"):
            ours, direct = scored["stars.sep"]["at"][cut], scored["sep.psf"]["at"][cut]
            assert ours["f1"] >= direct["f1"] - 0.03
    assert results["time"]["ratio"] <= cost.TIME_RATIO_LIMIT
    assert results["memory"]["side"] ** 2 >= 64e6
    assert results["memory"]["peak_gb"] <= cost.MEMORY_LIMIT_GB
    shown = Path(README).read_text(encoding="utf-8")
    rows = re.findall(r"^\|.*\|$", as_markdown(results), flags=re.MULTILINE)
    assert rows
    assert all(row in shown for row in rows)
