import contextlib
import multiprocessing
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.batch import analyse_frames, find_frames, unique_stems, write_layers, write_members
from core.batch.tables import DETECTION_COLUMNS, RUN_COLUMNS
from core.batch.work import WORKER_DIED, Outcome
from core.errors import ClusterUnavailable, FrameRejected, MethodUnknown
from core.results import Detections, Result
from tests.clusters.skies import cluster, sky


def picture(path: Path, first=0, peak=200, shape=(30, 41)) -> str:
    """A dark picture with one bright pixel at x = 7, y = 5; its first pixel tells the toy how to fail."""
    pixels = np.zeros(shape, np.uint8)
    pixels[5, 7] = peak
    pixels[0, 0] = first
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return str(path)


@pytest.fixture
def frames(tmp_path):
    """Good frames about one that the toy refuses, one it fails on, one that is text and one not there."""
    (tmp_path / "text.png").write_text("not a picture")
    return [
        picture(tmp_path / "a.png"),
        picture(tmp_path / "refused.png", first=251),
        picture(tmp_path / "fault.png", first=252),
        str(tmp_path / "text.png"),
        str(tmp_path / "absent.png"),
        picture(tmp_path / "z.png"),
    ]


def check_frames(batch, frames):
    """What must hold of the frames above, wherever they were worked on."""
    assert batch.runs["frame"].tolist() == frames
    assert batch.runs["n_detections"].fillna(-1).tolist() == [1, -1, -1, -1, -1, 1]
    assert batch.runs["error"].notna().tolist() == [False, True, True, True, True, False]
    assert batch.runs["error"][1] == "The toy does not like this frame."
    assert batch.runs["error"][2] == "ZeroDivisionError: a fault of the method"
    assert batch.n_failed == 4
    assert batch.detections["frame"].tolist() == [frames[0], frames[-1]]
    assert batch.detections[["x", "y", "flux"]].to_numpy().tolist() == [[7.0, 5.0, 200.0]] * 2
    assert batch.runs["width"].tolist()[:3] == [41, 41, 41]
    assert batch.runs["frame_sha256"].notna().tolist() == [True, True, True, False, False, True]


def test_in_this_process(toy_method, frames):
    check_frames(analyse_frames("stars.toy", frames, workers=1), frames)


def test_in_other_processes(toy_method, frames):
    check_frames(analyse_frames("stars.toy", frames, workers=2), frames)


def test_a_name_in_another_encoding_is_written_as_far_as_it_can_be(toy_method, tmp_path):
    path = os.fsdecode(bytes(tmp_path) + b"/m\xe931.png")
    shutil.copy(picture(tmp_path / "a.png"), path)
    absent = os.fsdecode(b"\xe9.png")
    batch = analyse_frames("stars.toy", [path, absent], workers=1)
    batch.write(tmp_path)
    runs = pd.read_parquet(tmp_path / "runs.parquet")
    assert runs["frame"].tolist() == [f"{tmp_path}/m\\udce931.png", "\\udce9.png"]
    assert runs["error"].notna().tolist() == [False, True]
    assert pd.read_parquet(tmp_path / "detections.parquet")["frame"].tolist() == runs["frame"].tolist()[:1]


def test_a_process_that_dies_costs_its_own_frame_only(toy_method, tmp_path):
    paths = [picture(tmp_path / f"{n}.png", first=253 if n == 2 else 0) for n in range(6)]
    batch = analyse_frames("stars.toy", paths, workers=2)
    assert batch.runs["frame"].tolist() == paths
    assert batch.runs["error"].fillna("").tolist() == ["", "", WORKER_DIED, "", "", ""]
    assert len(batch.detections) == 5


@pytest.fixture(scope="module")
def scheduler():
    """Address of a Dask scheduler on this machine whose one worker is a thread of this process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=":0",  # each process that runs these tests has one
    ) as cluster:
        yield cluster.scheduler_address


def test_on_a_cluster(toy_method, frames, scheduler):
    batch = analyse_frames("stars.toy", frames, scheduler=scheduler)
    check_frames(batch, frames)
    here = analyse_frames("stars.toy", frames, workers=1)
    pd.testing.assert_frame_equal(batch.detections, here.detections)
    read = [0, 1, 2, 3, 5]  # the file that is not there is missed by different hands
    pd.testing.assert_frame_equal(
        batch.runs.loc[read].drop(columns="seconds"), here.runs.loc[read].drop(columns="seconds")
    )


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://host", "no address"])
def test_no_scheduler_is_one_sentence(toy_method, frames, address, monkeypatch):
    monkeypatch.setattr("core.batch.cluster.CONNECT_S", 0.5)
    with pytest.raises(ClusterUnavailable, match="No Dask scheduler answers"):
        analyse_frames("stars.toy", frames, scheduler=address)


def test_without_dask_the_sentence_says_how_to_install_it(toy_method, frames, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterUnavailable, match="pip install"):
        analyse_frames("stars.toy", frames, scheduler="tcp://127.0.0.1:1")


def test_a_stopped_run_keeps_what_was_done(toy_method, tmp_path):
    paths = [picture(tmp_path / f"{n}.png", first=254 if n == 2 else 0) for n in range(4)]
    batch = analyse_frames("stars.toy", paths, workers=1)
    assert batch.interrupted
    assert batch.runs["frame"].tolist() == paths[:2]


def test_a_stopped_run_ends_its_processes(toy_method, tmp_path):
    def stop(outcome):
        raise KeyboardInterrupt

    paths = [picture(tmp_path / f"{n}.png") for n in range(6)]
    batch = analyse_frames("stars.toy", paths, workers=2, progress=stop)
    assert batch.interrupted
    assert len(batch.runs) == 0
    assert multiprocessing.active_children() == []


def test_the_tables_of_a_folder_keep_the_rows_of_other_methods(toy_method, tmp_path):
    (tmp_path / "detections.parquet").write_text("no table")  # it is written anew
    batch = analyse_frames("stars.toy", [picture(tmp_path / "a.png")], workers=1)
    own = {"method": "stars.other"}
    other = replace(batch, **own, detections=batch.detections.assign(**own), runs=batch.runs.assign(**own))
    for each in (other, batch, batch):
        each.write(tmp_path)
    for name in ("detections", "runs"):
        table = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert table["method"].tolist() == ["stars.other", "stars.toy"]
    assert pq.read_schema(tmp_path / "runs.parquet").field("n_detections").type == "int64"


def test_unknown_method(frames):
    with pytest.raises(MethodUnknown, match=r"no method 'stars\.none'"):
        analyse_frames("stars.none", frames)


@pytest.mark.parametrize("empty", [False, True])
def test_parquet_has_exactly_the_columns_and_types(toy_method, tmp_path, empty):
    path = picture(tmp_path / "a.png", peak=5 if empty else 200)
    analyse_frames("stars.toy", [path]).write(tmp_path)
    types = {"string": "string", "float64": "double", "int64": "int64"}
    for name, columns in (("detections", DETECTION_COLUMNS), ("runs", RUN_COLUMNS)):
        schema = pq.read_schema(tmp_path / f"{name}.parquet")
        assert {field.name: str(field.type) for field in schema} == {c: types[t] for c, t in columns.items()}
    detections = pq.read_table(tmp_path / "detections.parquet")
    assert detections.num_rows == (0 if empty else 1)
    if not empty:
        row = detections.to_pylist()[0]
        missing = ["x_min", "y_min", "x_max", "y_max", "ra_deg", "dec_deg", "name"]
        assert all(row[column] is None for column in missing)
        assert (row["frame"], row["method"], row["label"]) == (path, "stars.toy", "star")
    run = pq.read_table(tmp_path / "runs.parquet").to_pylist()[0]
    assert run["params_json"] == '{"label":"star","threshold":10.0}'
    assert run["warnings"] == "A toy is not a telescope."
    assert (run["width"], run["height"], run["error"], run["weights_sha256"]) == (41, 30, None, None)
    assert 0 < run["seconds"] < 10
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png", "detections.parquet", "runs.parquet"]


def test_a_batch_of_failures_still_has_typed_tables(toy_method, tmp_path):
    batch = analyse_frames("stars.toy", [str(tmp_path / "absent.png")])
    batch.write(tmp_path)
    assert pq.read_table(tmp_path / "detections.parquet").num_rows == 0
    assert pq.read_table(tmp_path / "runs.parquet").to_pylist()[0]["n_detections"] is None


def test_maps_and_masks_are_as_large_as_the_frame(toy_method, tmp_path):
    path = picture(tmp_path / "a.png")
    written = []
    analyse_frames(
        "stars.toy", [path], progress=lambda outcome: written.extend(write_layers(outcome, "a", tmp_path))
    )
    assert [file.relative_to(tmp_path).as_posix() for file in written] == [
        "maps/a.stars.toy.npy",
        "maps/a.stars.toy.noise.npy",
        "masks/a.stars.toy.npy",
    ]
    heat, mask = np.load(written[0]), np.load(written[2])
    assert (heat.shape, heat.dtype) == ((30, 41), np.float32)
    assert (mask.shape, mask.dtype) == ((30, 41), np.uint16)
    # Every second pixel was kept: the bright one was not among them.
    assert heat.max() == 0
    assert mask.max() == 0


def test_the_values_of_a_resized_mask_stay_classes(toy_method, tmp_path):
    pixels = np.zeros((8, 8), np.uint8)
    pixels[4, 2] = 200
    Image.fromarray(pixels).save(tmp_path / "m.png")
    written = []
    analyse_frames(
        "stars.toy",
        [str(tmp_path / "m.png")],
        progress=lambda outcome: written.extend(write_layers(outcome, "m", tmp_path)),
    )
    mask = np.load(tmp_path / "masks" / "m.stars.toy.npy")
    expected = np.zeros((8, 8))
    expected[4:6, 2:4] = 1
    np.testing.assert_array_equal(mask, expected)


def test_pictures_are_as_large_as_the_frame_and_named(tmp_path):
    colour = np.zeros((10, 20, 3), np.uint8)
    colour[:, 10:] = (10, 200, 30)
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    result = Result(Detections.empty(), pictures={"without stars": colour, "stars only": grey})
    outcome = Outcome("a.png", "dso.toy", {}, result=result, width=40, height=20)
    written = write_layers(outcome, "a", tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in written] == [
        "pictures/a.dso.toy.png",
        "pictures/a.dso.toy.stars_only.png",
    ]
    with Image.open(written[0]) as image:
        assert image.size == (40, 20)
        assert image.getpixel((30, 10)) == (10, 200, 30)
    with Image.open(written[1]) as image:
        assert image.mode == "L"
    same = write_layers(Outcome("b", "dso.toy", {}, result=result, width=20, height=10), "b", tmp_path)
    with Image.open(same[1]) as image:
        np.testing.assert_array_equal(np.asarray(image), grey)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to look for frames in: images, other files, a hidden one and a folder below."""
    for name in (
        "b.fits",
        "a.PNG",
        "c.fits.fz",
        "notes.txt",
        ".hidden.png",
        "sub/d.tif",
        "odd[1].jpg",
        "sub/e.cub",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["."], ["a.PNG", "b.fits", "c.fits.fz", "odd[1].jpg"]),
        (["*.fits*"], ["b.fits", "c.fits.fz"]),
        (["**"], ["a.PNG", "b.fits", "c.fits.fz", "odd[1].jpg", "sub/d.tif", "sub/e.cub"]),
        (["sub"], ["sub/d.tif", "sub/e.cub"]),
        (["s*"], ["sub/d.tif", "sub/e.cub"]),
        (["notes.txt"], ["notes.txt"]),
        (["absent.fits"], ["absent.fits"]),
        (["odd[1].jpg"], ["odd[1].jpg"]),
        (["b.fits", "*.fits", "./b.fits", "sub/../b.fits"], ["b.fits"]),
        (["c.fits.fz", "a.PNG"], ["c.fits.fz", "a.PNG"]),
    ],
)
def test_find_frames(folder, given, found):
    assert find_frames(given) == found


@pytest.mark.parametrize("ending", ["fits", "fit", "fts"])
@pytest.mark.parametrize("packed", ["", ".fz", ".gz"])
def test_a_folder_stands_for_fits_files_however_packed(tmp_path, ending, packed):
    (tmp_path / f"m31.{ending}{packed}").touch()
    assert find_frames([str(tmp_path)]) == [str(tmp_path / f"m31.{ending}{packed}")]


@pytest.mark.parametrize("given", ["*.cr2", "empty"])
def test_find_frames_that_are_not_there(folder, given):
    (folder / "empty").mkdir()
    with pytest.raises(FrameRejected, match=r"No file matches|holds no image"):
        find_frames([given])


@pytest.mark.parametrize(
    ("frames", "stems"),
    [
        (["a.fits", "b.fits"], ["a", "b"]),
        (["x/a.fits", "y/a.png", "z/A.fits"], ["a", "a-2", "A-3"]),
        (["x/a.fits", "a-2.fits", "y/a.fits"], ["a", "a-2", "a-3"]),
        (["m 31.fits.fz"], ["m 31.fits"]),
        ([], []),
    ],
)
def test_unique_stems(frames, stems):
    assert list(unique_stems(frames).values()) == stems


def test_a_file_is_whole_or_not_there(tmp_path):
    from core.batch.tables import write_whole

    def half(file):
        file.write(b"half")
        raise OSError("disk full")

    (tmp_path / "a").write_bytes(b"before")
    with contextlib.suppress(OSError):
        write_whole(tmp_path / "a", half)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a", b"before")]


@pytest.fixture
def table(tmp_path):
    """A table of a field and a cluster, a table that has no places, and text that is no table."""
    rng = np.random.default_rng(1)
    source, _ = sky(rng, 1500, cluster(rng, 150, centre=(10, 5)))
    source.table.to_csv(tmp_path / "stars.csv", index=False)
    (tmp_path / "bad.csv").write_text("l,b\n1,2\n")
    return str(tmp_path / "stars.csv")


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_table_is_analysed_by_a_method_of_tables(table, tmp_path, request, scheduled):
    at = request.getfixturevalue("scheduler") if scheduled else None
    members = []
    batch = analyse_frames(
        "clusters.hdbscan",
        [table, str(tmp_path / "bad.csv")],
        progress=lambda outcome: members.append(write_members(outcome, "stars", tmp_path)),
        scheduler=at,
        workers=1,
    )
    batch.write(tmp_path)
    runs = pd.read_parquet(tmp_path / "runs.parquet")
    assert runs["n_detections"].tolist()[0] == 1
    assert runs["width"].isna().all()
    assert "has no places" in runs["error"][1]
    row = pd.read_parquet(tmp_path / "detections.parquet").iloc[0]
    assert (row["label"], np.isnan(row["x"])) == ("cluster", True)
    assert row["dec_deg"] == pytest.approx(-29.9, abs=0.05)
    written = [path for path in members if path is not None]
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "members/stars.clusters.hdbscan.parquet"
    ]
    schema = pq.read_schema(written[0])
    assert {field.name: str(field.type) for field in schema} == {
        "row": "int64",
        "cluster": "int64",
        "probability": "double",
    }
    stars = pd.read_parquet(written[0])
    assert stars["row"].tolist() == list(range(1650))
    assert 120 < (stars["cluster"] == 0).sum() < 180
    assert set(stars["cluster"]) == {-1, 0}
    assert stars["probability"].between(0, 1).all()


def test_a_method_of_frames_groups_no_rows(toy_method, tmp_path):
    written = []
    analyse_frames(
        "stars.toy",
        [picture(tmp_path / "a.png")],
        progress=lambda outcome: written.append(write_members(outcome, "a", tmp_path)),
    )
    assert written == [None]
    assert not (tmp_path / "members").exists()


@pytest.mark.parametrize(
    ("given", "found"),
    [(["."], ["a.csv", "b.fits", "c.vot"]), (["*.csv"], ["a.csv"]), (["d.png"], ["d.png"])],
)
def test_a_folder_of_tables(tmp_path, monkeypatch, given, found):
    monkeypatch.chdir(tmp_path)
    for name in ("c.vot", "a.csv", "b.fits", "d.png"):
        (tmp_path / name).touch()
    assert find_frames(given, "table") == found
    (tmp_path / "empty").mkdir()
    with pytest.raises(FrameRejected, match="holds no table file"):
        find_frames(["empty"], "table")
