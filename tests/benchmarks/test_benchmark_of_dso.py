"""The deep-sky benchmark: its sets, its figures, and that a stopped run goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.dso import painting, sets
from benchmarks.dso.__main__ import README, RESULTS, Plan, run
from benchmarks.dso.report import BEGIN, END, as_markdown, table, write_readme
from benchmarks.dso.runs import Found, found_on, judged, peak_mb
from benchmarks.dso.scores import figures, row
from benchmarks.dso.sets import Example, cut, fingerprint
from core.methods import get_method
from core.models import LockedNetwork
from tests.dso.networks import card_of_classifier
from tests.dso.test_pix2pix import PaintsLight, save_untrained
from tests.frames.test_night import a_sky


def an_example(*boxes, name="a", labels=None, ignore=(), side=200, snr=3.0):
    """A sky with bright boxes of x_min, y_min, x_max, y_max in whole pixels."""
    picture = np.rint(0.3 * a_sky(side)).astype(np.uint8)
    for x0, y0, x1, y1 in boxes:
        picture[y0:y1, x0:x1] = 225
    true = np.array(boxes, float).reshape(-1, 4) - 0.5
    numbers = np.array(labels if labels is not None else [1] * len(boxes), np.int64)
    spare = np.array(ignore, float).reshape(-1, 4)
    return Example(name, picture, true, numbers, np.full(len(boxes), snr), spare)


def a_find(example, *rows):
    """Rows of x_min, y_min, x_max, y_max, label, score, and whether it was sure."""
    return Found(
        example.name,
        [list(row[:4]) for row in rows],
        [row[5] for row in rows],
        [row[4] for row in rows],
        [row[6] for row in rows],
        0.5,
    )


@pytest.fixture
def light(weights_folder, monkeypatch):
    """``dso.pix2pix`` with a network that paints what is bright."""
    save_untrained(weights_folder, confidence=0.6, xrai_middle=10.0)
    monkeypatch.setattr("core.dso.pix2pix_network.pix2pix_network", lambda name: LockedNetwork(PaintsLight()))
    return get_method("dso.pix2pix")


def test_figures_are_those_worked_out_by_hand():
    full = an_example((10, 10, 40, 40), (60, 60, 160, 160), labels=[0, 1])
    empty, other = an_example(name="empty"), an_example(name="other")
    found = [
        a_find(
            full, (9.5, 9.5, 39.5, 39.5, "galaxy", 0.9, True), (59.5, 59.5, 159.5, 130, "galaxy", 0.8, True)
        ),
        a_find(empty, (1, 1, 20, 20, "nebula", 0.85, True)),
        a_find(other, (1, 1, 20, 20, "nebula", 0.2, False)),
    ]
    measured = figures([full, empty, other], found, ("galaxy", "nebula", "cluster"))
    at = measured["rules"]["IoU ≥ 0.5"]
    assert (at["precision"], at["recall"], at["f1"]) == pytest.approx((2 / 3, 1.0, 0.8))
    assert measured["mAP50"] == pytest.approx(0.5 + 0.5 * 2 / 3)
    images = measured["images"]
    assert (images["pictures"], images["empty"]) == (3, 2)
    assert images["accuracy"] == pytest.approx(2 / 3)
    assert images["always_yes"] == pytest.approx(1 / 3)
    assert images["auroc"] == 1.0
    assert (images["boxes_per_empty"], images["empty_boxed"]) == (0.5, 0.5)
    by_class = measured["by_class"]
    assert by_class["classes"]["nebula"]["recall"] == 0.0
    assert by_class["f1"] == pytest.approx(2 * 1 / (2 + 2 + 1))
    assert by_class["mAP50"] == pytest.approx((1.0 + 0.0) / 2)
    assert measured["recall_by_class"]["galaxy"]["recall"] == 1.0
    assert measured["recall_by_class"]["cluster"]["recall"] is None
    sizes = {each["low"]: each for each in measured["recall_by_size_px"]}
    assert (sizes[24.0]["objects"], sizes[64.0]["objects"]) == (1, 1)
    assert sum(each["objects"] for each in measured["recall_by_surface_snr"]) == 2
    line = row("Toy", measured)
    assert line["F1, IoU ≥ 0.5"] == 0.8
    json.dumps(line, allow_nan=False)


def test_methods_without_classes_have_no_figures_by_class():
    one = an_example((10, 10, 40, 40))
    measured = figures([one], [a_find(one, (9.5, 9.5, 39.5, 39.5, "object", 0.9, True))], ("object",))
    assert "by_class" not in measured
    assert measured["rules"]["IoU ≥ 0.5"]["f1"] == 1.0
    assert row("Toy", measured)["F1 with the right class"] is None


def test_pictures_are_ranked_by_what_is_said_of_the_whole():
    full, empty = an_example((10, 10, 40, 40)), an_example(name="empty")
    found = [a_find(full), a_find(empty, (1, 1, 20, 20, "nebula", 0.4, True))]
    assert figures([full, empty], found, ("object",))["images"]["auroc"] == 0.0
    told = [replace(one, chance=chance) for one, chance in zip(found, (0.3, 0.2), strict=True)]
    assert figures([full, empty], told, ("object",))["images"]["auroc"] == 1.0


def test_what_is_to_ignore_is_neither_hit_nor_miss():
    one = an_example((10, 10, 40, 40), ignore=[(100, 100, 110, 110)])
    found = a_find(
        one, (9.5, 9.5, 39.5, 39.5, "object", 0.9, True), (100, 100, 110, 111, "object", 0.95, True)
    )
    measured = figures([one], [found], ("object",))
    assert measured["rules"]["IoU ≥ 0.5"]["precision"] == 1.0
    assert measured["mAP50"] == 1.0
    only = an_example(ignore=[(100, 100, 110, 110)])
    assert figures([only], [a_find(only)], ("object",))["images"]["pictures"] == 0


def test_parts_of_a_picture_keep_what_is_mostly_on_them():
    whole = an_example((10, 10, 50, 50), (80, 10, 120, 50), (85, 60, 300, 190), (5, 5, 13, 13), side=320)
    part = cut(whole, (0, 0, 100, 200), "part")
    np.testing.assert_allclose(part.boxes, [[9.5, 9.5, 49.5, 49.5], [79.5, 9.5, 99.5, 49.5]])
    assert len(part.ignore) == 2  # the sliver of the third, and the tiny one
    right = cut(whole, (100, 50, 300, 250), "right")
    np.testing.assert_allclose(right.boxes, [[-0.5, 9.5, 199.5, 139.5]])
    assert right.picture.shape == (200, 200, 3)
    assert fingerprint([part]) != fingerprint([right])
    assert fingerprint([part]) == fingerprint([cut(whole, (0, 0, 100, 200), "part")])


def test_large_photographs_are_cut_evenly():
    assert sets._parts(512) == [(0, 512)]
    assert sets._parts(1024) == [(0, 640), (384, 1024)]


def test_scenes_have_the_numbers_they_say_and_are_drawn_once(tmp_path, monkeypatch):
    for name, value in (("N_FULL", 2), ("N_EMPTY", 1), ("SCENE_PX", 128)):
        monkeypatch.setattr(sets, name, value)
    first = sets.scenes(None, tmp_path)
    assert sorted(len(one.boxes) > 0 for one in first) == [False, True, True]
    monkeypatch.setattr(sets, "_scenes", None)
    assert fingerprint(sets.scenes(None, tmp_path)) == fingerprint(first)


def test_large_scenes_are_drawn(tmp_path, monkeypatch):
    for name, value in (("N_LARGE", 1), ("N_LARGE_EMPTY", 1), ("LARGE_PX", 192)):
        monkeypatch.setattr(sets, name, value)
    drawn = sets.large_scenes(None, tmp_path)
    assert [one.picture.shape for one in drawn] == [(192, 192, 3)] * 2


def test_without_photographs_it_says_what_is_missing(tmp_path):
    with pytest.raises(SystemExit, match="dso_stellarium"):
        sets.photographs(tmp_path, tmp_path)


def test_a_stopped_run_goes_on_where_it_was(light, tmp_path, monkeypatch):
    examples = [an_example((60, 70, 120, 110), name="one"), an_example(name="two"), an_example(name="three")]
    found = found_on(light, examples[:2], tmp_path, "set")
    assert [len(one.boxes) for one in found] == [1, 0]
    np.testing.assert_allclose(found[0].array, [[59.5, 69.5, 119.5, 109.5]], atol=1.5)
    (kept,) = tmp_path.glob("*.jsonl")
    kept.write_text(kept.read_text() + '{"name": "three", "bo')  # stopped in the middle of a line
    again = found_on(light, examples, tmp_path, "set")
    assert again[:2] == found
    assert again[2].name == "three"
    assert len(kept.read_text().splitlines()) == 3
    monkeypatch.setattr("benchmarks.dso.runs.run_one", None)
    assert found_on(light, examples, tmp_path, "set") == again


def test_maps_are_judged_in_their_own_pixels():
    one = an_example((100, 100, 200, 200))
    values = np.zeros((20, 20))
    values[12:16, 12:16], values[0, 0] = 1.0, 0.5
    measured = judged(values, one)
    assert measured["pointing"] is True
    assert measured["mass"] == pytest.approx(16 / 16.5)
    assert measured["area"] == pytest.approx(0.25)
    assert judged(values, an_example())["pointing"] is None


def test_everything_is_measured_merged_and_written(light, tmp_path, monkeypatch):
    examples = [an_example((60, 70, 120, 110), name="one"), an_example(name="two")]
    toy = {"toy set": sets.DsoSet("toys", lambda data, cache: examples)}
    monkeypatch.setattr(sets, "SETS", toy)
    monkeypatch.setattr("benchmarks.dso.__main__.peak_mb", lambda method, example: 123.4)
    saved = []
    results = run(Plan(["toy set"], {light.name: light}, None, tmp_path), {}, saved.append)
    assert saved
    one = json.loads(json.dumps(results, allow_nan=False))["sets"]["toy set"]
    assert (one["frames"], one["objects"], one["empty"]) == (2, 1, 1)
    assert one["rows"][0]["method"] == light.title
    assert one["rows"][0]["F1, IoU ≥ 0.5"] == 1.0
    assert one["rows"][0]["peak memory, MB"] == 123
    assert one["maps"][0]["hottest place in an object"] == 1.0
    # Another method is merged into what is there; a set with other pictures begins anew.
    results["sets"]["toy set"]["methods"]["dso.other"] = {**one["methods"][light.name], "title": "Other"}
    results = run(Plan(["toy set"], {light.name: light}, None, tmp_path), results)
    assert [line["method"] for line in results["sets"]["toy set"]["rows"]] == ["Other", light.title]
    examples.pop()
    results = run(Plan(["toy set"], {light.name: light}, None, tmp_path), results)
    assert list(results["sets"]["toy set"]["methods"]) == [light.name]
    readme = tmp_path / "README.md"
    readme.write_text(f"before {BEGIN} old {END} after")
    write_readme(readme, results)
    assert "toys" in readme.read_text()
    assert "old" not in readme.read_text()


def test_memory_is_that_of_a_process_of_its_own(weights_folder):
    save_untrained(weights_folder)
    assert 100 < peak_mb(get_method("dso.pix2pix"), an_example()) < 3000


def test_painting_is_compared_with_xrai_and_with_trivial_maps(light, weights_folder, tmp_path, monkeypatch):
    save = light.weights_sha256
    card_of_classifier(weights_folder)
    monkeypatch.setattr(painting, "_explained", lambda square, path: (_xrai(square), 2.0))
    monkeypatch.setattr(painting, "_by_saliency", lambda square: 30.0)
    boxes = [(60, 70, 120, 110), (20, 20, 60, 80), (100, 100, 180, 160)]
    measured = painting.measure([an_example(box, name=str(box)) for box in boxes], tmp_path, str(save))
    assert measured["pictures"] == 3
    like = measured["likeness"]
    assert like["painted"]["correlation"] > 0.9
    assert like["painted"]["psnr_db"] > like["mean of the others"]["psnr_db"] + 3
    assert measured["seconds"]["saliency"] == 30.0
    rows = [painting.row_of(name, one, 1.0) for name, one in like.items()]
    text = as_markdown({"sets": {}, "likeness": {"set": "scenes", "rows": rows, **measured}})
    assert "15 times as long as ours" in text
    card_of_classifier(weights_folder, xrai={"steps": 9})
    painting.measure([an_example(boxes[0])], tmp_path, str(save))
    assert len(list(tmp_path.glob("xrai-*"))) == 2  # maps of other settings are not those that were kept


def _xrai(square):
    hot = ndimage.binary_opening(square.mean(axis=2) > 150, iterations=3)
    return np.where(hot, 100.0, 0.1).astype(np.float32) / hot.size


def test_tables_show_what_a_row_lacks():
    text = table([{"a": 1.23456, "b": None}, {"a": "x", "c": 3}])
    assert text.splitlines()[2:] == ["| 1.23 | – | – |", "| x | – | 3 |"]


def test_the_readme_shows_what_was_recorded():
    text = README.read_text(encoding="utf-8")
    inside = text.partition(BEGIN)[2].partition(END)[0].strip()
    recorded = "Not measured yet."
    if RESULTS.exists():
        recorded = as_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))
    assert inside == recorded
