"""The cluster benchmark: its injections, its figures, and that a stopped run goes on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.clusters import catalogues, cones, images, scenes
from benchmarks.clusters.__main__ import README, RESULTS, run
from benchmarks.clusters.report import BEGIN, END, as_markdown
from benchmarks.kept import code_of, measured
from core.clusters.table import star_table
from core.methods import get_method
from tests.clusters.skies import cluster, field


def an_injection(**facts):
    known = {
        "kind": "open", "x": 100.0, "y": 120.0, "reach_px": 40.0, "ratio": 0.5, "angle_deg": 0.0,
        "core_px": 12.0, "n_visible": 80, "contrast": 4.0, "field_per_mpix": 900.0,
    }  # fmt: skip
    return scenes.Injected(**{**known, **facts})


def a_scene(*clusters, name="full_0000"):
    scene = scenes.draw(0, full=False, seed=1).scene
    return scenes.ClusterScene(name, scene, pd.DataFrame(), clusters)


def a_line(*boxes, scores=None, masks=None):
    kept = list(scores or [0.9] * len(boxes))
    return {"boxes": list(boxes), "scores": kept, "seconds": 0.5, "error": "", "masks": masks}


def test_injections_are_the_same_each_time_and_outlined_where_they_are():
    one, again = (scenes.draw(3, full=True, seed=1) for _ in range(2))
    assert scenes.fingerprint(one) == scenes.fingerprint(again)
    assert scenes.fingerprint(one) != scenes.fingerprint(scenes.draw(3, full=True, seed=2))
    assert one.clusters
    assert not scenes.draw(3, full=False, seed=1).clusters
    long = an_injection()
    np.testing.assert_allclose(long.box((512, 512)), [60, 100, 140, 140])
    rows, columns = np.nonzero(long.mask((512, 512)))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (60, 140, 100, 140)
    assert long.is_clear
    assert not an_injection(contrast=1.8).is_clear
    assert not an_injection(n_visible=10).is_clear


def test_two_clusters_share_no_pixel():
    scene = a_scene(an_injection(ratio=1.0), an_injection(x=160.0, ratio=1.0))
    labels = scene.instances()
    assert labels[120, 100] == 1
    assert labels[120, 160] == 2
    assert labels[120, 125] == 1
    assert labels[400, 400] == 0


def test_figures_of_frames_are_those_worked_out_by_hand():
    full = a_scene(an_injection(), an_injection(x=300.0, y=300.0))
    hopeless = a_scene(an_injection(contrast=1.2), name="full_0001")
    empty = a_scene(name="empty_0000")
    masks = images._overlaps(full.instances() * (full.instances() < 2), full, 1)
    lines = {
        "full_0000": a_line([60, 100, 140, 140], masks=masks),
        "full_0001": a_line([60, 100, 140, 140]),
        "empty_0000": a_line([1, 1, 50, 50]),
    }
    found = images.figures([full, hopeless, empty], lines)
    centre = found["rules"]["centre inside"]
    assert (centre["precision"], centre["recall"]) == (0.5, 0.5)
    assert found["dice"] == pytest.approx(2 / 3, abs=0.01)
    assert found["AP50"] == pytest.approx(0.5)
    assert found["empty_boxed"] == 1.0
    assert found["recall_by"]["open"][0]["clusters"] == 2
    json.dumps(images.row("Toy", found), allow_nan=False)


@pytest.fixture
def gaia(tmp_path, monkeypatch):
    """A folder with one cone and the members of one cluster."""
    folder = tmp_path / "clusters_gaia"
    folder.mkdir()
    rng = np.random.default_rng(1)
    field(rng, 1500, 30.0).to_csv(folder / "cone.csv", index=False)
    own = cluster(rng, 400, parallax=5.0, pm=(20, -20), pm_spread=0.8)
    own.to_csv(folder / "members.csv", index=False)
    known = {"RA_ICRS": [120.0], "DE_ICRS": [-30.0], "r_50": [5.0], "pmRA": [40.0], "pmDE": [40.0]}
    pd.DataFrame(known).to_csv(folder / "known.csv", index=False)
    monkeypatch.setattr(cones, "CONES", {"a cone": "cone.csv"})
    monkeypatch.setattr(cones, "MEMBERS", {"a cluster": "members.csv"})
    monkeypatch.setattr(cones, "KNOWN", "known.csv")
    cones.known_clusters.cache_clear()
    return tmp_path


def test_members_are_moved_as_their_distance_asks(gaia):
    folder = gaia / "clusters_gaia"
    sky = cones.injected(folder, 0, seed=1)
    stars = star_table(sky.source)
    own = sky.is_member[stars.row]
    assert stars.parallax is not None
    assert stars.pm is not None
    assert own.sum() >= 15
    far = 1 / np.median(stars.parallax[own])
    assert 0.45 < far < 2.2
    assert np.std(stars.pm[own], axis=0).max() < 1.0
    assert np.array_equal(sky.is_member, cones.injected(folder, 0, seed=1).is_member)
    assert cones.is_known(folder, 120.0, -30.0, (40.2, 40.0))
    assert not cones.is_known(folder, 120.0, -30.0, (0.0, 0.0))


def test_catalogues_are_measured_merged_and_shown(gaia, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogues, "cost", lambda method, rows: {"seconds": 1.0, "peak_mb": 500.0})
    results = run({}, halves=["catalogues"], data=gaia, cache=tmp_path / "kept", limit=3)
    one = results["catalogues"]["methods"]["clusters.hdbscan"]
    assert one["recall"] == 1.0
    assert one["member_f1"] is None or one["member_f1"] > 0.85
    assert one["without_parallax"]["recall"] == 1.0
    assert one["without_parallax"]["empty_with_false"] == 0
    monkeypatch.setattr(catalogues, "run_one", None)
    again = run(results, halves=["catalogues"], data=gaia, cache=tmp_path / "kept", limit=3)
    assert again == results
    assert "a cone" not in as_markdown(json.loads(json.dumps(results)))
    assert "HDBSCAN" in as_markdown(results)


def test_without_tables_only_the_frames_are_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(images, "run_one", lambda method, scene: a_line())
    results = run({}, names=["clusters.density", "clusters.hdbscan"], cache=tmp_path, limit=2)
    assert list(results) == ["format", "images"]
    assert "--data" in capsys.readouterr().out
    assert get_method("clusters.density").title in as_markdown(results)


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    path, asked = tmp_path / "kept.jsonl", []

    def measure(name):
        asked.append(name)
        return {"value": len(name)}

    measured(path, ["a", "bb"], measure, doing="toys")
    path.write_text(path.read_text() + '{"name": "ccc", "va')
    found = measured(path, ["a", "bb", "ccc"], measure, doing="toys")
    assert asked == ["a", "bb", "ccc"]
    assert found["ccc"] == {"name": "ccc", "value": 3}


def test_lines_of_frames_are_measured_anew_when_the_simulator_has_changed(tmp_path, monkeypatch):
    render = tmp_path / "core" / "simulate" / "render.py"
    render.parent.mkdir(parents=True)
    monkeypatch.setattr("benchmarks.kept.ROOT", tmp_path)
    codes = set()
    for number in range(2):
        render.write_text(f"version = {number}")
        codes.add(code_of(images.CODE))
    assert len(codes) == 2


def test_the_readme_shows_what_was_recorded():
    text = README.read_text(encoding="utf-8")
    inside = text.partition(BEGIN)[2].partition(END)[0].strip()
    recorded = "Not measured yet."
    if RESULTS.exists():
        recorded = as_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))
    assert inside == recorded
