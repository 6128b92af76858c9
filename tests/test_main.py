import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import core
from core.__main__ import main
from core.export import export
from core.frames.read import read_frame
from core.methods import get_method, methods
from core.models import write_card
from tests.clusters.skies import cluster, sky
from tests.models.cards import a_card


@pytest.fixture
def frame(tmp_path):
    """A picture with one bright pixel at x = 7, y = 5."""
    pixels = np.zeros((30, 41), np.uint8)
    pixels[5, 7] = 200
    Image.fromarray(pixels).save(tmp_path / "sky.png")
    return str(tmp_path / "sky.png")


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments], capture_output=True, text=True, timeout=120
    )


def test_adding_a_method_is_one_new_file(toy_method, frame, tmp_path, capsys):
    assert "stars.toy" in methods("stars")
    assert main(["methods", "--task", "stars"]) == 0
    assert "stars.toy" in capsys.readouterr().out
    assert main(["analyse", "stars.toy", frame, "--out", str(tmp_path / "out")]) == 0
    assert pd.read_parquet(tmp_path / "out" / "detections.parquet")["x"].tolist() == [7.0]
    assert (tmp_path / "out" / "maps" / "sky.stars.toy.npy").exists()
    result = get_method("stars.toy").run(read_frame(frame))
    assert b"stars.toy" in export(result, "csv")


def test_a_full_disk_keeps_what_was_found_before_it(toy_method, frame, tmp_path, monkeypatch, capsys):
    def write(outcome, stem, folder):
        if stem == "other":
            raise OSError("640000 requested and 0 written")  # as numpy says it
        return []

    monkeypatch.setattr("core.__main__.write_layers", write)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # the frames in their order
    shutil.copy(frame, tmp_path / "other.png")
    frames, out = [frame, str(tmp_path / "other.png")], tmp_path / "out"

    assert main(["analyse", "stars.toy", *frames, "--out", str(out)]) == 2

    said = capsys.readouterr()
    assert f"error: {out}: Not all could be written, the disk may be full; what was done" in said.err
    assert pd.read_parquet(out / "runs.parquet")["frame"].tolist() == [frame]
    assert len(pd.read_parquet(out / "detections.parquet")) == 1


def test_the_toy_is_gone_after_its_test():
    assert "stars.toy" not in methods()


def test_help_and_version_as_a_process():
    assert command("--version").stdout == f"Almagest {core.__version__}\n"
    text = command("analyse", "--help").stdout
    assert "METHOD" in text
    assert "FRAME" in text
    assert "runs.parquet" in text


def test_methods_as_a_process():
    done = command("methods")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == ["METHOD", "TASK", "TITLE", "WEIGHTS"]
    assert done.stderr == ""


def test_weights_are_looked_for(toy_method, weights_folder, monkeypatch, capsys):
    monkeypatch.setattr("core.stars.toy.METHOD", dataclasses.replace(toy_method, weights="toy"))
    main(["methods"])
    assert "absent" in capsys.readouterr().out
    write_card(a_card(name="toy", content=b"weights"))
    main(["methods"])
    assert "absent" in capsys.readouterr().out
    (weights_folder / "toy.pt").write_bytes(b"weights")
    main(["methods"])
    assert "present" in capsys.readouterr().out


def test_settings_reach_the_method(toy_method, frame, tmp_path):
    main(["analyse", "stars.toy", frame, "--out", str(tmp_path), "--set", "threshold=150", "label=galaxy"])
    assert pd.read_parquet(tmp_path / "detections.parquet")["label"].tolist() == ["galaxy"]
    main(["analyse", "stars.toy", frame, "--out", str(tmp_path), "--set", "threshold=201"])
    assert len(pd.read_parquet(tmp_path / "detections.parquet")) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stars.none"], "There is no method 'stars.none'; there are: "),
        (["stars.toy", "--set", "threshold=-1"], "threshold must be 0 to 1e+06 adu, got -1.0."),
        (["stars.toy", "--set", "threshold=much"], "threshold must be 0 to 1e+06 adu, got 'much'."),
        (["stars.toy", "--set", "label=comet"], "label must be one of star, galaxy, got 'comet'."),
        (["stars.toy", "--set", "sigma=1"], "There is no parameter 'sigma'; there are: threshold, label."),
        (["stars.toy", "--set", "threshold"], "--set takes PARAM=VALUE, got 'threshold'."),
        (["stars.toy", "--set", "threshold=1", "--set", "threshold=2"], "threshold is set twice."),
        (["stars.toy", "--scheduler", "tcp://127.0.0.1:1"], "No Dask scheduler answers at"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_status_2(
    toy_method, frame, tmp_path, capsys, monkeypatch, arguments, sentence
):
    monkeypatch.setattr("core.batch.cluster.CONNECT_S", 0.5)
    method, *rest = arguments
    assert main(["analyse", method, frame, "--out", str(tmp_path / "out"), *rest]) == 2
    said = capsys.readouterr().err
    assert f"error: {sentence}" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "runs.parquet").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["analyse"], ["analyse", "stars.sep", "a.fits"], ["methods", "--all"]]
)
def test_bad_usage_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_unknown_task_is_status_2(capsys):
    assert main(["methods", "--task", "weather"]) == 2
    assert "There is no task 'weather'; there are: stars" in capsys.readouterr().err


def test_out_that_is_a_file_is_status_2(toy_method, frame, capsys):
    assert main(["analyse", "stars.toy", frame, "--out", frame]) == 2
    assert "--out must be a folder" in capsys.readouterr().err


def test_a_bad_frame_is_a_row_and_status_1(toy_method, frame, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert main(["analyse", "stars.toy", str(tmp_path / "*.png"), "--out", str(tmp_path / "out")]) == 1
    runs = pd.read_parquet(tmp_path / "out" / "runs.parquet")
    assert runs["frame"].str.endswith("bad.png").tolist() == [True, False]
    assert runs["error"].notna().tolist() == [True, False]
    said = capsys.readouterr()
    assert runs["error"][0] in said.err
    assert "2/2" in said.err
    assert said.out.startswith("2 of 2 frames, 1 detections, 1 failed")


def test_frames_of_one_stem_keep_their_own_maps(toy_method, tmp_path):
    for folder, value in (("one", 50), ("two", 90)):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.full((9, 9), value, np.uint8)).save(tmp_path / folder / "sky.png")
    main(["analyse", "stars.toy", str(tmp_path / "*" / "sky.png"), "--out", str(tmp_path / "out")])
    maps = [np.load(tmp_path / "out" / "maps" / f"{name}.stars.toy.npy").max() for name in ("sky", "sky-2")]
    assert maps == [50.0, 90.0]


def test_ctrl_c_writes_what_was_done(toy_method, frame, tmp_path, monkeypatch, capsys):
    Image.fromarray(np.full((9, 9), 254, np.uint8)).save(tmp_path / "stop.png")
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    status = main(["analyse", "stars.toy", frame, str(tmp_path / "stop.png"), "--out", str(tmp_path / "out")])
    assert status == 130
    assert pd.read_parquet(tmp_path / "out" / "runs.parquet")["frame"].tolist() == [frame]
    assert "1 of 2 frames" in capsys.readouterr().out


def test_ctrl_c_stops_a_process_and_its_workers(tmp_path):
    frames, out = tmp_path / "frames", tmp_path / "out"
    frames.mkdir()
    for n in range(60):  # far more than are done before the signal comes
        shutil.copy("samples/m44.jpg", frames / f"{n}.jpg")
    running = subprocess.Popen(
        [sys.executable, "-m", "core", "analyse", "stars.sep", str(frames), "--out", str(out)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    said = b""
    # The first of two is surely in the tables; the bar does not show every number on its way.
    while not re.search(rb" ([2-9]|[1-5]\d)/60", said):
        said += running.stderr.read1(4096) or pytest.fail(f"it ended early: {said}")
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the process and to its workers
    said += running.stderr.read()
    running.stderr.close()
    assert running.wait(timeout=60) == 130
    assert b"Traceback" not in said
    assert 1 <= len(pd.read_parquet(out / "runs.parquet")) < 60
    assert not list(out.rglob("*.part"))


def test_a_process_end_to_end(tmp_path):
    done = command("analyse", "stars.sep", "samples/m44.jpg", "samples/absent.fits", "--out", str(tmp_path))
    assert done.returncode == 1
    runs = pd.read_parquet(tmp_path / "runs.parquet")
    assert runs["n_detections"][0] > 100
    assert runs["error"][1].endswith(".")
    assert "Traceback" not in done.stderr


def test_a_table_as_a_process(tmp_path):
    rng = np.random.default_rng(2)
    source, truth = sky(rng, 1500, cluster(rng, 150, centre=(10, 5)))
    source.table.to_parquet(tmp_path / "night one.parquet")
    out = tmp_path / "out"
    done = command("analyse", "clusters.hdbscan", str(tmp_path / "night one.parquet"), "--out", str(out))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert done.stdout.startswith("1 of 1 tables, 1 detections, 0 failed")
    members = pd.read_parquet(out / "members" / "night one.clusters.hdbscan.parquet")
    assert ((members["cluster"] == 0) == (truth == 0)).mean() > 0.98
    assert list(members.columns) == ["row", "cluster", "probability"]
