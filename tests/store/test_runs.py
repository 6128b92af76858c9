import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from core.catalogues.tables import SourceTable, TableResult
from core.corrections import Edit
from core.errors import ParameterInvalid
from core.frames import Frame
from core.results import Detections, Result
from core.store import layers
from tests.store.conftest import some_stars

PARAMS = {"threshold_sigma": 1.5, "kernel": "auto"}


def assert_same_detections(given: Detections, expected: Detections) -> None:
    pd.testing.assert_frame_equal(given.table, expected.table, check_exact=True)
    assert given.units == expected.units


def assert_same_result(given: Result, expected: Result) -> None:
    assert_same_detections(given.detections, expected.detections)
    assert_same_detections(given.rejected, expected.rejected)
    for name in ("maps", "masks", "pictures"):
        layers_given, layers_expected = getattr(given, name), getattr(expected, name)
        assert list(layers_given) == list(layers_expected)
        for layer, values in layers_expected.items():
            assert layers_given[layer].dtype == values.dtype
            np.testing.assert_array_equal(layers_given[layer], values)
    for name in ("summary", "timings", "warnings", "provenance"):
        assert getattr(given, name) == getattr(expected, name)
    assert list(given.facts) == list(expected.facts)
    np.testing.assert_array_equal(list(given.facts.values()), list(expected.facts.values()))


def test_a_result_comes_back_as_it_was_saved(store, frame, result_of):
    rejected = Detections(
        pd.DataFrame({"label": "star", "score": [0.0], "x": [1.0], "y": [2.0], "reason": ["too sharp"]})
    )
    heat = np.linspace(0, 1, 50 * 60, dtype=np.float32).reshape(50, 60)
    heat[3, 4] = np.nan
    result = result_of(
        frame,
        rejected=rejected,
        summary="5 stars; one is saturated",
        maps={"zeta": heat, "alpha": heat[::2]},
        masks={"segments": np.arange(12_000, dtype=np.uint16).reshape(100, 120)},
        pictures={
            "starless": np.arange(12_000, dtype=np.uint16).reshape(100, 120).astype(np.uint8),
            "in colour": np.arange(36_000).reshape(100, 120, 3).astype(np.uint8),
        },
        facts={"fwhm_px": 3.25, "unknown": np.nan, "limit": np.inf},
        timings={"background": 0.1, "total": 0.25},
        warnings=("A warning.", "Another, with “quotes”."),
    )
    run_id = store.save_run(frame, result, person="Ada")
    assert_same_result(store.load_result(run_id), result)


def test_nothing_found_comes_back_as_nothing(store, frame, result_of):
    result = result_of(frame, detections=Detections.empty())
    loaded = store.load_result(store.save_run(frame, result))
    assert len(loaded.detections) == len(loaded.rejected) == 0
    assert_same_result(loaded, result)


@pytest.mark.parametrize(
    "own",
    [
        pd.Series([1, -(2**53) - 1]),
        pd.Series([1.5, np.nan]),
        pd.Series([np.inf, -0.0], dtype=np.float32),
        pd.Series([True, False]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([True, None], dtype="boolean"),
        pd.Series(["a", "ω"]),
        pd.Series(["a", None], dtype="str"),
        pd.Series(["a", None], dtype=object),
        pd.Series([None, None], dtype=object),
        pd.Series([7, None], dtype=object),
        pd.Series([0, 65535], dtype=np.uint16),
    ],
    ids=lambda own: f"{own.dtype}-{own[1]}",
)
def test_own_columns_keep_their_type(store, frame, result_of, own):
    table = pd.DataFrame({"label": "star", "score": 1.0, "x": [1.0, 2.0], "y": 0.0, "own": own})
    for detections in (Detections(table), Detections(table.iloc[:0])):
        loaded = store.load_result(store.save_run(frame, result_of(frame, detections=detections)))
        assert_same_detections(loaded.detections, detections)


def test_a_column_of_mixed_kinds_is_refused_and_nothing_is_stored(store, frame, result_of):
    table = pd.DataFrame({"label": "star", "score": 1.0, "x": [1.0, 2.0], "y": 0.0, "own": ["a", 1]})
    with pytest.raises(ParameterInvalid, match="'own' cannot be stored"):
        store.save_run(frame, result_of(frame, detections=Detections(table)))
    assert store.counts() == {"frames": 0, "runs": 0, "detections": 0, "corrections": 0}


def test_what_is_known_of_a_run(store, frame, result_of):
    before = datetime.now(UTC)
    run_id = store.save_run(frame, result_of(frame, summary="5 stars"), person="Ada")
    run = store.run(run_id)
    assert before <= run.saved_at <= datetime.now(UTC)
    assert dataclasses.asdict(dataclasses.replace(run, saved_at=before)) == {
        "run_id": run_id,
        "frame_key": frame.key,
        "frame_name": "field.fits",
        "width": 120,
        "height": 100,
        "task": "stars",
        "method": "stars.toy",
        "params": PARAMS,
        "weights_sha256": None,
        "version": run.version,
        "started_at": "2026-03-01T21:04:05+00:00",
        "saved_at": before,
        "seconds": 0.25,
        "summary": "5 stars",
        "n_detections": 5,
        "n_rejected": 0,
        "person": "Ada",
    }


def test_the_newest_run_of_the_same_is_found(store, frame, result_of):
    store.save_run(frame, result_of(frame, n=1))
    second = store.save_run(frame, result_of(frame, n=2))
    found = store.find_run(frame.key, "stars.toy", dict(reversed(PARAMS.items())))
    assert found is not None
    assert (found.run_id, found.n_detections) == (second, 2)


def test_the_same_found_again_is_the_same_run_with_its_corrections(store, frame, result_of):
    first = store.save_run(frame, result_of(frame), person="Ada")
    store.append_corrections(first, "Ada", [Edit("reject", "p0")])
    rounded = some_stars(5).table
    rounded[["x", "flux"]] *= 1.0 + 1e-6
    again = result_of(frame, detections=Detections(rounded), timings={"total": 0.5})
    assert store.save_run(frame, again, person="Bob") == first
    assert [run.person for run in store.runs()] == ["Ada"]
    assert len(store.corrections(store.find_run(frame.key, "stars.toy", PARAMS).run_id)) == 1


@pytest.mark.parametrize(
    "change", [{"x": 50.0}, {"label": "galaxy"}, {"name": "M 1"}, {"score": 0.5}], ids=str
)
def test_something_else_found_is_a_run_of_its_own(store, frame, result_of, change):
    first = store.save_run(frame, result_of(frame))
    other = result_of(frame, detections=Detections(some_stars(5).table.assign(**change)))
    second = store.save_run(frame, other)
    assert second != first
    assert store.find_run(frame.key, "stars.toy", PARAMS).run_id == second


@pytest.mark.parametrize(
    "other",
    [
        {"frame_key": "another"},
        {"method": "stars.other"},
        {"params": {**PARAMS, "threshold_sigma": 2.0}},
        {"params": {}},
        {"weights_sha256": "ab12"},
    ],
    ids=str,
)
def test_a_run_of_anything_else_is_not_found(store, frame, result_of, other):
    store.save_run(frame, result_of(frame))
    asked = {"frame_key": frame.key, "method": "stars.toy", "params": PARAMS, **other}
    assert store.find_run(**asked) is None


def test_a_run_by_another_version_is_not_the_same(store, frame, result_of):
    store.save_run(frame, result_of(frame, version="0.0.1"))
    assert store.find_run(frame.key, "stars.toy", PARAMS) is None


def test_runs_are_listed_newest_first_and_by_what_is_asked(store, frame, result_of):
    other = frame.with_pixels(frame.pixels, '["background"]')
    first = store.save_run(frame, result_of(frame))
    second = store.save_run(other, result_of(other, method="dso.toy"))
    third = store.save_run(frame, result_of(frame, method="stars.other"))
    listed = {
        "all": store.runs(),
        "frame": store.runs(frame_key=frame.key),
        "task": store.runs(task="stars"),
        "method": store.runs(method="dso.toy"),
        "none": store.runs(task="dso", frame_key=frame.key),
        "limit": store.runs(limit=1),
        "unlimited": store.runs(limit=None),
    }
    assert {asked: [run.run_id for run in found] for asked, found in listed.items()} == {
        "all": [third, second, first],
        "frame": [third, first],
        "task": [third, first],
        "method": [second],
        "none": [],
        "limit": [third],
        "unlimited": [third, second, first],
    }


def test_what_is_asked_is_a_value_and_never_sql(store, frame, result_of):
    store.save_run(frame, result_of(frame))
    assert store.runs(method="stars.toy' OR 'a' = 'a") == []
    assert store.counts()["runs"] == 1


def test_a_result_that_says_not_where_it_came_from_is_refused(store, frame):
    with pytest.raises(ParameterInvalid, match="says where it came from"):
        store.save_run(frame, Result(Detections.empty()))


def test_a_result_of_other_pixels_is_refused(store, frame, result_of):
    processed = frame.with_pixels(frame.pixels, '["denoise"]')
    with pytest.raises(ParameterInvalid, match="not from these pixels"):
        store.save_run(processed, result_of(frame))


@pytest.mark.parametrize("ask", ["load_result", "run"])
def test_a_run_that_is_not_there(store, ask):
    with pytest.raises(ParameterInvalid, match="no run 'nowhere'"):
        getattr(store, ask)("nowhere")


def test_a_large_map_is_averaged_down_and_a_mask_is_not(store, frame, result_of, monkeypatch):
    monkeypatch.setattr(layers.shrink, "__defaults__", (100,))
    heat = np.kron([[1.0, 2.0], [3.0, 4.0]], np.ones((50, 60))).astype(np.float32)
    mask = np.ones((100, 120), np.uint16)
    loaded = store.load_result(
        store.save_run(frame, result_of(frame, maps={"heat": heat}, masks={"mask": mask}))
    )
    assert loaded.maps["heat"].shape == (9, 10)
    assert loaded.maps["heat"][[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_array_equal(loaded.masks["mask"], mask)


def test_a_table_and_its_members_come_back(store, result_of):
    table = SourceTable.from_frame(pd.DataFrame({"ra": [1.0, 2.0, 3.0], "dec": [0.0, 0.5, 1.0]}), "my.csv")
    plain = result_of(Frame.from_array(np.zeros((9, 9))), 2, "clusters.toy")
    members = pd.DataFrame({"row": [0, 1, 2], "cluster": [0, -1, 1], "probability": [0.75, 0.25, 1.0]})
    about = dataclasses.replace(
        plain.provenance, frame_name=table.name, frame_sha256=table.sha256, frame_key=table.key
    )
    facts = {"members": members, "provenance": dataclasses.replace(about, width=0, height=0)}
    result = TableResult(plain.detections, **facts)
    back = store.load_result(store.save_run(table, result))
    assert isinstance(back, TableResult)
    assert_same_result(back, dataclasses.replace(result, provenance=back.provenance))
    assert back.provenance.frame_key == table.key
    pd.testing.assert_frame_equal(back.members, members)
    (kept,) = store.frames()
    assert (kept.name, kept.width, kept.height) == ("my.csv", 0, 0)
