import itertools
from datetime import UTC, datetime

import pytest

from core.corrections import Edit, EditableObject, active, fold, merge_objects
from core.errors import ParameterInvalid
from core.shapes import Ellipse, Line, Point
from core.store import Store


@pytest.fixture
def run_id(store, frame, result_of):
    return store.save_run(frame, result_of(frame, n=5))


def test_edits_are_kept_with_who_when_and_in_what_order(store, run_id):
    before = datetime.now(UTC)
    edits = [
        Edit("move", "p0", {"x": 1.0, "y": 2.0}, {"x": 3.0, "y": 4.5}, "off by two"),
        Edit("add", after={"label": "star", "x": 7.0, "y": 8.0}),
        Edit("review", "frame", after={"x_min": 0.0, "y_min": 0.0, "x_max": 50.0, "y_max": 50.0}),
    ]
    added = store.append_corrections(run_id, "Ada", edits)
    log = store.corrections(run_id)
    assert log == added
    assert [(each.seq, each.action, each.person, each.run_id) for each in log] == [
        (1, "move", "Ada", run_id),
        (2, "add", "Ada", run_id),
        (3, "review", "Ada", run_id),
    ]
    assert (log[0].before, log[0].after, log[0].note) == (edits[0].before, edits[0].after, "off by two")
    assert log[1].target.startswith("a")
    assert all(before <= each.at <= datetime.now(UTC) for each in log)
    assert len({each.correction_id for each in log}) == 3
    assert store.counts()["corrections"] == 3


def test_a_log_goes_on_where_it_was_left(tmp_path, frame, result_of):
    with Store(tmp_path / "store.duckdb") as store:
        run_id = store.save_run(frame, result_of(frame))
        (added,) = store.append_corrections(
            run_id, "Ada", [Edit("add", after={"label": "star", "x": 7.0, "y": 8.0})]
        )
    with Store(tmp_path / "store.duckdb") as store:
        store.append_corrections(run_id, "Bea", [Edit("reject", added.target)])
        assert [(each.seq, each.person) for each in store.corrections(run_id)] == [(1, "Ada"), (2, "Bea")]
        assert [each.seq for each in store.corrections(run_id, "Bea")] == [2]
        folded = fold(store.load_result(run_id).detections, store.corrections(run_id))
        assert folded.table["state"].tolist() == ["unreviewed"] * 5 + ["rejected"]


def test_the_predictions_are_never_overwritten(store, run_id):
    before = store.load_result(run_id).detections.table
    store.append_corrections(
        run_id, "Ada", [Edit("move", "p0", {}, {"x": 1.0, "y": 1.0}), Edit("reject", "p1")]
    )
    assert store.load_result(run_id).detections.table.equals(before)


def test_one_edit_that_is_not_possible_and_none_is_kept(store, run_id):
    with pytest.raises(ParameterInvalid, match="no such object to reject"):
        store.append_corrections(run_id, "Ada", [Edit("accept", "p0"), Edit("reject", "p5")])
    with pytest.raises(ParameterInvalid, match="must lie on the frame of 120 × 100 px"):
        store.append_corrections(run_id, "Ada", [Edit("move", "p0", {}, {"x": 120.0, "y": 1.0})])
    with pytest.raises(ParameterInvalid, match="no run 'nowhere'"):
        store.append_corrections("nowhere", "Ada", [Edit("accept", "p0")])
    with pytest.raises(ParameterInvalid, match="name of the person"):
        store.append_corrections(run_id, " ", [Edit("accept", "p0")])
    assert store.corrections(run_id) == []


def test_no_edits_are_no_corrections(store, run_id):
    assert store.append_corrections(run_id, "Ada", []) == []


def test_undo_and_redo_are_entries_of_the_log(store, run_id):
    accept, reject = store.append_corrections(run_id, "Ada", [Edit("accept", "p0"), Edit("reject", "p1")])
    undo = store.undo_last(run_id, "Ada")
    assert (undo.action, undo.target, undo.after, undo.seq) == (
        "undo",
        "p1",
        {"correction": reject.correction_id},
        3,
    )
    assert active(store.corrections(run_id)) == [accept]
    assert store.redo_last(run_id, "Ada").after == {"correction": undo.correction_id}
    assert store.redo_last(run_id, "Ada") is None
    assert active(store.corrections(run_id)) == [accept, reject]
    assert [store.undo_last(run_id, "Ada") is None for _ in range(3)] == [False, False, True]
    assert active(store.corrections(run_id)) == []
    assert len(store.corrections(run_id)) == 6


def test_shapes_and_groups_come_back_as_they_went(store, run_id):
    line = Line(((1.0, 2.0), (30.0, 2.0), (30.0, 20.0)))
    edits = [
        Edit("add", after={"label": "crater", **Ellipse(40.0, 40.0, 12.0, 0.6, 70.0).entry}),
        Edit("reshape", "p0", after=line.entry),
        *merge_objects([EditableObject(f"p{k}", "star", Point(9.0 * k, 5.0)) for k in (1, 2)]),
    ]
    added = store.append_corrections(run_id, "Ada", edits)
    assert store.corrections(run_id) == added
    assert [each.group for each in added] == ["", "", *[edits[2].group] * 3]
    assert (added[0].shape, added[1].shape) == (Ellipse(40.0, 40.0, 12.0, 0.6, 70.0), line)
    store.undo_last(run_id, "Ada")
    assert active(store.corrections(run_id)) == added[:2]
    store.redo_last(run_id, "Ada")
    assert active(store.corrections(run_id)) == added


def test_each_person_undoes_only_their_own(store, run_id):
    store.append_corrections(run_id, "Ada", [Edit("accept", "p0")])
    (second,) = store.append_corrections(run_id, "Bea", [Edit("accept", "p1")])
    store.undo_last(run_id, "Ada")
    assert store.undo_last(run_id, "Cyd") is None
    assert active(store.corrections(run_id)) == [second]


def test_eight_people_correct_one_run_at_once_and_every_entry_has_its_place(
    tmp_path, frame, result_of, in_threads
):
    with Store(tmp_path / "store.duckdb") as store:
        run_id = store.save_run(frame, result_of(frame))

        def work(number):
            person = f"person {number}"
            for _ in range(4):
                store.append_corrections(run_id, person, [Edit("accept", "p0"), Edit("reject", "p1")])
            assert store.undo_last(run_id, person) is not None
            assert len(store.corrections(run_id, person)) == 9

        assert in_threads(work) == []
        log = store.corrections(run_id)
        assert [each.seq for each in log] == list(range(1, 73))
        assert len({each.correction_id for each in log}) == 72
        # The two edits of one call stand together.
        pairs = [(first, second) for first, second in itertools.pairwise(log) if first.action == "accept"]
        assert len(pairs) == 32
        assert all(second.action == "reject" and second.person == first.person for first, second in pairs)
