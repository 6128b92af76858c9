"""The surface benchmark: its pictures, its figures, and that it runs from end to end."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.surfaces import scores
from benchmarks.surfaces.__main__ import README, RESULTS, run
from benchmarks.surfaces.report import BEGIN, END, as_markdown
from benchmarks.surfaces.sets import fingerprint, lit, load_sets
from core.surfaces.kinds import SEGMENTS
from training.surface_relief import Region
from training.surface_truth import IGNORE, TrueCrater

SHAPE = (200, 200)


def found(*discs):
    """x, y, radius and box of each."""
    rows = np.array(discs, float).reshape(-1, 3)
    x, y, r = rows.T
    return np.column_stack([rows, x - r, y - r, x + r, y + r])


def a_region():
    """A bowl on a slope."""
    rows, columns = np.mgrid[:160, :160].astype(np.float32)
    away = np.hypot(columns - 60, rows - 90) / 20.0
    height = 5.0 * columns + np.where(away < 1.0, 900.0 * (away**2 - 1.0), 0.0)
    crater = TrueCrater(60.0, 90.0, 20.0, 20.0)
    classes = np.zeros((160, 160), np.uint8)
    return Region("plateau", height.astype(np.float32), np.ones((160, 160), bool), classes, (crater,))


def some_collections(folder):
    """One THEMIS tile and one CTX picture, of the form of the collections."""
    grey = lit(a_region(), 1, 60.0).grey
    tile = folder / "crater_themis_yolo" / "valid"
    marks = folder / "crater_ctx_mc11e"
    for path in (tile / "images", tile / "labels", marks / "images", marks / "annotations" / "clustered"):
        path.mkdir(parents=True)
    Image.fromarray(grey).save(tile / "images" / "a.jpg")
    (tile / "labels" / "a.txt").write_text("0.0 0.378125 0.565625 0.25 0.25\n")
    Image.fromarray(grey).save(marks / "images" / "M-A.png")
    objects = "".join(
        f"<object><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x0 + 40}</xmax><ymax>{y0 + 40}</ymax>"
        f"</bndbox><confidence>{people}</confidence></object>"
        for x0, y0, people in ((40, 70, 5), (100, 20, 1))
    )
    (marks / "annotations" / "clustered" / "M-A.xml").write_text(f"<annotation>{objects}</annotation>")


def test_pictures_are_read_with_what_is_known_of_them(tmp_path):
    some_collections(tmp_path)
    sets = load_sets(tmp_path)
    assert set(sets) == {"themis", "ctx"}
    (tile,) = (make() for make in sets["themis"].pictures.values())
    (crater,) = tile.craters
    assert (crater.x, crater.y, crater.diameter_px) == (60.0, 90.0, 40.0)
    (marked,) = (make() for make in sets["ctx"].pictures.values())
    assert [one.wanted for one in marked.craters] == [True, False]
    assert fingerprint([tile]) == fingerprint([tile]) != fingerprint([marked])


def test_a_region_is_lit_from_where_the_number_says():
    one, again, other = (lit(a_region(), number, 60.0) for number in (1, 1, 2))
    assert (one.grey == again.grey).all()
    assert (one.grey != other.grey).any()
    assert one.incidence_deg == 60.0
    assert np.bincount(one.classes.ravel(), minlength=5)[SEGMENTS.index("crater floor")] > 500


def test_counts_by_hand():
    craters = [
        TrueCrater(50, 50, 10, 10),
        TrueCrater(120, 120, 4, 4),
        TrueCrater(150, 40, 12, 12, wanted=False),
        TrueCrater(-9, 50, 10, 10),
    ]
    given = found((52, 50, 9), (120, 120, 4.2), (150, 40, 12), (20, 180, 8), (20, 20, 3))
    counts = scores.crater_counts(given, craters, SHAPE, 10.0)["deepmoon"]
    assert (counts["true"], counts["recalled"], counts["right"], counts["false"]) == (1, 1, 1, 1)
    figures = scores.crater_figures([counts])
    assert figures == {"precision": 0.5, "recall": 1.0, "F1": pytest.approx(2 / 3), "radius error": 0.1}
    by_size = {(part["low"], part["high"]): part for part in scores.recall_by_size([counts])}
    assert by_size[8.0, 10.0]["recall"] == 1.0
    assert by_size[50.0, None]["recall"] is None


def test_boxes_are_stricter_than_deepmoons_rule():
    counts = scores.crater_counts(found((58, 50, 10)), [TrueCrater(50, 50, 10, 10)], SHAPE, 10.0)
    assert counts["deepmoon"]["recalled"] == 1
    assert counts["iou"]["recalled"] == 0


def test_nothing_found_and_nothing_there():
    nothing = scores.crater_counts(found(), [], SHAPE, 10.0)["deepmoon"]
    assert scores.crater_figures([nothing])["F1"] is None
    missed = scores.crater_counts(found(), [TrueCrater(50, 50, 10, 10)], SHAPE, 10.0)["deepmoon"]
    assert scores.crater_figures([missed])["recall"] == 0.0


def test_places_are_compared_at_the_resolution_of_the_truth():
    classes = np.zeros((40, 40), np.uint8)
    classes[:, 20:] = SEGMENTS.index("ridge")
    classes[:5] = IGNORE
    mask = np.full((20, 20), 1, np.uint16)
    mask[:, 10:] = SEGMENTS.index("ridge") + 1
    mask[:, :2] = 0
    table = np.array(scores.confusion(mask, classes))
    assert table.sum() == 35 * 40
    figures = scores.class_figures(table)
    assert figures["IoU ridge"] == 1.0
    assert figures["unsure"] == pytest.approx(0.1)
    assert "F1 valley" not in figures
    assert figures["macro-F1"] == pytest.approx((1.0 + 2 * 16 / 36) / 2)


def test_it_runs_from_end_to_end(tmp_path):
    some_collections(tmp_path)
    names = ["surfaces.hough"]
    results = run({}, tmp_path, names=names, cache=tmp_path / "kept")
    assert set(results["sets"]) == {"themis", "ctx"}
    one = results["sets"]["ctx"]
    assert one["craters"] == 1
    assert one["rows"][0]["method"]
    shown = as_markdown(results)
    assert "Recall by diameter" in shown
    again = run(results, tmp_path, names=names, cache=tmp_path / "kept")
    assert again == results
    json.dumps(results)


def test_the_readme_has_the_tables_of_the_results():
    text = README.read_text(encoding="utf-8")
    assert BEGIN in text
    assert END in text
    if RESULTS.exists():
        assert as_markdown(json.loads(RESULTS.read_text(encoding="utf-8"))) in text
