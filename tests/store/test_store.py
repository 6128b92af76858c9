import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import core
from core.errors import StoreUnavailable
from core.store import Store, default_path
from core.store.database import Database

ROOT = Path(core.__file__).parents[1]


def run_python(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60
    )


def test_the_path_is_the_one_that_was_configured_else_one_inside_the_project(monkeypatch, tmp_path):
    monkeypatch.setenv("ALMAGEST_STORE", str(tmp_path / "mine.duckdb"))
    assert default_path() == tmp_path / "mine.duckdb"
    with Store() as store:
        assert store.path == str(tmp_path / "mine.duckdb")
    monkeypatch.setenv("ALMAGEST_STORE", " ")
    assert default_path() == ROOT / "data" / "almagest.duckdb"
    monkeypatch.setenv("ALMAGEST_STORE", "~/almagest.duckdb")
    assert default_path() == Path.home() / "almagest.duckdb"


def test_what_was_saved_is_there_when_the_store_is_opened_again(tmp_path, frame, result_of):
    path = tmp_path / "new" / "folder" / "store.duckdb"
    with Store(path) as store:
        run_id = store.save_run(frame, result_of(frame))
    with Store(path) as store:
        assert len(store.load_result(run_id).detections) == 5


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_text("x, y\n1, 2\n"), "is not an Almagest store"),
        (lambda path: path.write_bytes(b"\x00" * 20_000), "is not an Almagest store"),
        (lambda path: path.write_bytes(b""), "is not an Almagest store"),
        (lambda path: path.mkdir(), "is not an Almagest store"),
    ],
    ids=["text", "zeros", "empty", "folder"],
)
def test_what_is_no_database_is_refused_kindly(tmp_path, make, sentence):
    path = tmp_path / "store.duckdb"
    make(path)
    with pytest.raises(StoreUnavailable, match=sentence) as caught:
        Store(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_cannot_be_written_is_refused_kindly(tmp_path):
    (tmp_path / "file").write_text("a file, not a folder")
    with pytest.raises(StoreUnavailable, match="cannot be written there; set ALMAGEST_STORE"):
        Store(tmp_path / "file" / "store.duckdb")


def test_a_file_that_others_own_is_refused_kindly():
    # root may write everywhere, so the other process becomes somebody who may not.
    script = (
        "import os, sys, duckdb\nfrom core.errors import StoreUnavailable\nfrom core.store import Store\n"
        "if os.geteuid() == 0:\n    os.seteuid(65534)\n"
        "try:\n    Store(sys.argv[1])\nexcept StoreUnavailable as error:\n    print(error.message)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        Store(path).close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        other = run_python(script, str(path))
        Path(folder).chmod(0o755)
    assert other.returncode == 0, other.stderr
    assert other.stdout.strip() == (
        f"The store {path} cannot be written there; set ALMAGEST_STORE to a file in a folder of yours."
    )


def test_a_closed_store_says_so(store, frame):
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="has been closed"):
        store.find_run(frame.key, "stars.toy", {})


def test_a_second_process_is_told_kindly_that_the_file_is_in_use(tmp_path):
    path = tmp_path / "store.duckdb"
    script = (
        "import sys\nfrom core.errors import StoreUnavailable\nfrom core.store import Store\n"
        "try:\n    Store(sys.argv[1])\nexcept StoreUnavailable as error:\n    print(error.message)\n"
    )
    with Store(path):
        other = run_python(script, str(path))
    assert other.returncode == 0, other.stderr
    assert other.stdout.strip() == (
        f"The store {path} is in use by another program; "
        "close that one, or set ALMAGEST_STORE to another file."
    )


def test_importing_the_store_does_not_import_duckdb():
    script = "import sys, core.store; sys.exit('duckdb' in sys.modules)"
    assert run_python(script).returncode == 0


def test_eight_threads_write_and_read_the_right_rows(tmp_path, frame, result_of, in_threads):
    with Store(tmp_path / "store.duckdb") as store:

        def work(number):
            method = f"stars.toy{number}"
            for turn in range(1, 6):
                # Every thread is first to see this frame, and each of its own runs must be its own.
                seen = frame.with_pixels(frame.pixels, f"[{turn}]")
                n = 10 * number + turn
                run_id = store.save_run(seen, result_of(seen, n=n, method=method))
                found = store.find_run(seen.key, method, {"threshold_sigma": 1.5, "kernel": "auto"})
                assert found is not None
                assert found.run_id == run_id
                assert len(store.load_result(run_id).detections) == found.n_detections == n
                assert len(store.runs(method=method)) == turn

        assert in_threads(work) == []
        expected = sum(10 * number + turn for number in range(8) for turn in range(1, 6))
        assert store.counts() == {"frames": 5, "runs": 40, "detections": expected, "corrections": 0}


def test_the_same_found_by_eight_at_once_is_one_run(tmp_path, frame, result_of, in_threads):
    with Store(tmp_path / "store.duckdb") as store:
        store.save_run(frame, result_of(frame, method="stars.other"))
        assert in_threads(lambda _: store.save_run(frame, result_of(frame))) == []
        assert store.counts()["runs"] == 2


def test_threads_may_open_a_new_store_at_once(tmp_path, in_threads):
    stores = []
    assert in_threads(lambda _: stores.append(Store(tmp_path / "store.duckdb"))) == []
    assert [store.counts()["runs"] for store in stores] == [0] * 8
    for store in stores:
        store.close()


def test_a_write_that_meets_another_is_done_again(in_threads):
    database = Database(":memory:")
    database.write(lambda cursor: cursor.execute("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (0)"))

    def work(_):
        for _ in range(20):
            database.write(lambda cursor: cursor.execute("UPDATE t SET x = x + 1"))

    assert in_threads(work) == []
    with database.cursor() as cursor:
        assert cursor.execute("SELECT x FROM t").fetchone() == (160,)
    database.close()


def test_a_write_that_fails_stores_nothing(store):
    def work(cursor):
        cursor.execute("CREATE TABLE half (x INTEGER)")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._database.write(work)
    with store._database.cursor() as cursor:
        assert cursor.execute("SELECT * FROM duckdb_tables() WHERE table_name = 'half'").fetchall() == []
