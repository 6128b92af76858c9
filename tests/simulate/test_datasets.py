import errno
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from PIL import Image

from core.__main__ import main
from core.errors import ParameterInvalid, TableRejected
from core.frames.read import read_frame
from core.results import Detections
from core.simulate.dataset_labels import star_box_px, yolo_labels
from core.simulate.dataset_work import WORKER_DIED, SceneJob, render_scenes, write_file
from core.simulate.datasets import (
    MANIFEST_COLUMNS,
    dataset_scenes,
    make_dataset,
    random_pointings,
    read_truth,
    simulation_fits,
)
from core.simulate.presets import preset
from core.simulate.render import render
from core.simulate.scene import Scene

STARS = pd.DataFrame(
    {
        "ra_deg": [50.0, 50.01],
        "dec_deg": [20.0, 20.01],
        "g_mag": [9.0, 12.0],
        "bp_mag": [9.3, np.nan],
        "rp_mag": [8.6, np.nan],
        "real": [True, False],
        "source_id": [123456789012345678, 0],
    }
)


def small(**settings):
    """A scene of 96 × 64 pixels at RA 50 Dec 20."""
    given = {"pointing.ra_deg": "50", "pointing.dec_deg": "20", "camera.width": "96", "camera.height": "64"}
    return preset("seestar").with_settings(
        {**given, **{k.replace("__", "."): v for k, v in settings.items()}}
    )


@pytest.fixture(scope="module", params=["rgb", "mono"])
def simulation(request):
    return render(small(camera__mode=request.param, extras__galaxies="3"), STARS)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_pointings_are_spread_over_the_sky():
    places = np.array(random_pointings(400, seed=3))
    ra, dec = np.radians(places).T
    towards = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])

    assert places[:, 0].min() >= 0
    assert places[:, 0].max() < 360
    # The mean of evenly spread directions is near zero (independent draws: 0.05), and none are close.
    assert np.linalg.norm(towards.mean(axis=1)) < 0.02
    cosine = towards.T @ towards - 2 * np.eye(400)
    assert np.degrees(np.arccos(cosine.max())) > 2.0


def test_more_pointings_begin_with_the_same():
    assert random_pointings(50, seed=3)[:10] == random_pointings(10, seed=3)
    assert random_pointings(10, seed=3) != random_pointings(10, seed=4)


def test_scenes_differ_and_repeat():
    scenes = dataset_scenes(small(), 5, seed=1)

    assert scenes == dataset_scenes(small(), 9, seed=1)[:5]
    assert len({scene.seed for scene in scenes}) == 5
    assert len({scene.pointing.ra_deg for scene in scenes}) == 5
    assert len({scene.pointing.rotation_deg for scene in scenes}) == 5
    assert {scene.camera for scene in scenes} == {small().camera}
    fixed = dataset_scenes(small(), 5, seed=1, same_field=True)
    assert {scene.pointing for scene in fixed} == {small().pointing}
    assert len({scene.seed for scene in fixed}) == 5


@pytest.mark.parametrize(("n", "seed", "name"), [(0, 0, "scenes"), (10**7, 0, "scenes"), (1, -1, "seed")])
def test_impossible_numbers_of_scenes_are_refused(n, seed, name):
    with pytest.raises(ParameterInvalid, match=f"{name} must be") as refusal:
        dataset_scenes(small(), n, seed)
    assert refusal.value.parameter == name


def test_fits_holds_the_pixels_the_sky_and_the_facts(simulation, tmp_path):
    (tmp_path / "a.fits").write_bytes(simulation_fits(simulation))

    frame = read_frame(str(tmp_path / "a.fits"))

    made = simulation.frame
    assert frame.pixels.tolist() == made.pixels.tolist()
    assert frame.row0 == made.row0 == "bottom"
    assert frame.gain_e_per_adu == pytest.approx(made.gain_e_per_adu)
    assert frame.saturation == made.saturation
    assert frame.unit == "adu"
    x, y = frame.pixel([50.0, 50.01], [20.0, 20.01])
    expected_x, expected_y = made.pixel([50.0, 50.01], [20.0, 20.01])
    assert x == pytest.approx(expected_x, abs=1e-6)
    assert y == pytest.approx(expected_y, abs=1e-6)


@pytest.mark.parametrize("n_stacked", [1, 60])
def test_gain_and_read_noise_of_the_header_give_the_noise_of_the_pixels(n_stacked):
    dark = {"camera__mode": "mono", "camera__exposure_s": "0.001", "camera__read_noise_e": "9"}
    frame = render(small(camera__n_stacked=str(n_stacked), **dark), STARS.head(0)).frame
    noise_adu = frame.header["RDNOISE"] / frame.header["GAIN"]
    assert frame.pixels.std(dtype=float) == pytest.approx(noise_adu, rel=0.05)


def test_the_truth_comes_back_from_fits(simulation):
    content = simulation_fits(simulation)

    for file in (content, io.BytesIO(content)):
        truth = read_truth(file)
        pd.testing.assert_frame_equal(truth.table, simulation.truth.table)
        assert dict(truth.units) == dict(simulation.truth.units)
    with fits.open(io.BytesIO(content)) as hdus:
        assert Scene.from_json(hdus["TRUTH"].header["SCENE"]) == simulation.scene
    assert simulation_fits(simulation) == content


def test_names_that_fits_cannot_write_are_escaped():
    scene = small(telescope__name="Ø 10″ · 望遠鏡")
    content = simulation_fits(render(scene, STARS))
    with fits.open(io.BytesIO(content)) as hdus:
        assert hdus[0].header["TELESCOP"].startswith("\\xd8 10")
        assert Scene.from_json(hdus["TRUTH"].header["SCENE"]) == scene


def test_an_empty_truth_comes_back():
    truth = read_truth(simulation_fits(render(small(), STARS.head(0))))
    assert len(truth) == 0
    assert "snr" in truth.table.columns


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a FITS file"),
        (b"\x1f\x8b\x08\x00 a bomb", "not a FITS file"),
        (b"SIMPLE  = nonsense", "damaged"),
        ("no truth", "has no table TRUTH"),
        ("cut short", "damaged"),
        ("not a truth", "damaged"),
    ],
)
def test_files_without_a_truth_are_refused(content, sentence):
    if isinstance(content, str):
        whole = simulation_fits(render(small(), STARS))
        table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])], name="TRUTH")
        out = io.BytesIO()
        fits.HDUList([fits.PrimaryHDU(), *([table] if content == "not a truth" else [])]).writeto(out)
        content = whole[:-2880] if content == "cut short" else out.getvalue()
    with pytest.raises(TableRejected, match=sentence):
        read_truth(content)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TableRejected, match=r"'absent.fits' cannot be read"):
        read_truth(tmp_path / "absent.fits")


def _truth(**columns):
    rows = {"label": ["star", "star", "galaxy"], "score": 1.0, "x": [9.5, 0.0, 40.0], "y": [19.5, 0.0, 30.0]}
    box = {"x_min": [np.nan, np.nan, 30.0], "y_min": [np.nan, np.nan, 20.0]}
    box |= {"x_max": [np.nan, np.nan, 50.0], "y_max": [np.nan, np.nan, 40.0]}
    return Detections(pd.DataFrame({**rows, **box, "snr": [50.0, 4.0, 9.0], **columns}))


def test_labels_are_fractions_of_the_frame():
    scene = small(seeing__fwhm_arcsec="12", seeing__trail_arcsec="0")
    side = 2 * scene.fwhm_px  # a star's box
    assert star_box_px(scene).tolist() == pytest.approx([side, side])

    lines = [line.split() for line in yolo_labels(_truth(), scene, min_snr=3).splitlines()]

    assert [line[0] for line in lines] == ["0", "0", "1"]
    star, corner, galaxy = ([float(value) for value in line[1:]] for line in lines)
    assert star == pytest.approx([10 / 96, 20 / 64, side / 96, side / 64], abs=1e-6)
    inside = side / 2 + 0.5  # what the frame's corner leaves of the box
    assert corner == pytest.approx([inside / 192, inside / 128, inside / 96, inside / 64], abs=1e-6)
    assert galaxy == pytest.approx([40.5 / 96, 30.5 / 64, 20 / 96, 20 / 64], abs=1e-6)


def test_labels_leave_out_what_nobody_sees():
    assert yolo_labels(_truth(), small(), min_snr=5).count("\n") == 2
    assert yolo_labels(_truth(), small(), min_snr=100) == ""


def test_a_trail_makes_the_box_longer():
    still, trailed = (
        star_box_px(small(seeing__trail_arcsec=length, seeing__trail_angle_deg="90"))
        for length in ("0", "24")
    )
    assert trailed - still == pytest.approx([0.0, 24 / small().pixel_scale_arcsec])


def test_the_command_makes_what_it_says(tmp_path, capsys):
    arguments = ["simulate", "--scenes", "2", "--preset", "seestar", "--seed", "7", "--workers", "1"]
    arguments += ["--set", "camera.width=96", "camera.height=64", "--format", "npy", "fits", "png"]

    assert main([*arguments, "--out", str(tmp_path / "a")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "b")]) == 0

    assert "2 of 2 scenes" in capsys.readouterr().out
    files = contents(tmp_path / "a")
    assert files == contents(tmp_path / "b")
    per_scene = {f"{name}.{end}" for name in ("000000", "000001") for end in ("npy", "fits", "png", "txt")}
    assert set(files) == per_scene | {"classes.txt", "scene.json", "manifest.parquet"}
    assert files["classes.txt"].decode().split() == ["star", "galaxy", "nebula", "cluster"]
    manifest = pd.read_parquet(tmp_path / "a" / "manifest.parquet")
    assert list(manifest.columns) == list(MANIFEST_COLUMNS)
    assert manifest["error"].isna().all()
    for name, row in manifest.set_index("name").iterrows():
        pixels = np.load(tmp_path / "a" / f"{name}.npy")
        assert pixels.shape == (64, 96, 3)
        assert pixels.dtype == np.float32
        truth = read_truth(tmp_path / "a" / f"{name}.fits").table
        labels = files[f"{name}.txt"].decode().splitlines()
        assert len(labels) == row["n_labels"] == (truth["snr"] >= 3).sum()
        assert row["n_stars"] == (truth["label"] == "star").sum()
        assert Scene.from_json(row["scene_json"]).seed == row["seed"]
        with Image.open(tmp_path / "a" / f"{name}.png") as picture:
            assert picture.size == (96, 64)
    assert manifest["n_labels"].sum() >= 2


def test_labels_pictures_and_pixels_share_their_rows(tmp_path):
    scene = small(pointing__ra_deg="266", pointing__dec_deg="-24")
    make_dataset([scene], tmp_path, formats=("npy", "png"), min_snr=60, workers=1)

    pixels = np.load(tmp_path / "000000.npy").sum(axis=2)
    with Image.open(tmp_path / "000000.png") as picture:
        shown = np.asarray(picture).astype(float).sum(axis=2)
    lines = [line.split() for line in (tmp_path / "000000.txt").read_text().splitlines()]
    assert len(lines) >= 3
    x, y = (np.array([float(line[i]) for line in lines]) for i in (1, 2))
    column, row = (x * 96).astype(int), (y * 64).astype(int)
    for image in (pixels, shown):
        assert (image[row, column] > np.percentile(image, 90)).all()


def test_several_processes_make_the_same(tmp_path):
    scenes = dataset_scenes(small(), 3, seed=2)
    told = []
    made = make_dataset(scenes, tmp_path / "many", workers=2, progress=lambda row: told.append(row["name"]))
    alone = make_dataset(scenes, tmp_path / "one", workers=1)

    assert contents(tmp_path / "many") == contents(tmp_path / "one")
    pd.testing.assert_frame_equal(made.manifest, alone.manifest)
    assert sorted(told) == ["000000", "000001", "000002"]


def test_no_file_of_an_earlier_dataset_stays_beside_the_new(tmp_path):
    make_dataset(dataset_scenes(small(), 2, seed=1), tmp_path, formats=("npy", "png"), workers=1)
    (tmp_path / "notes.txt").write_text("my own")
    make_dataset(dataset_scenes(small(), 1, seed=2), tmp_path, formats=("npy",), workers=1)
    assert set(contents(tmp_path)) == {
        *("000000.npy", "000000.txt", "classes.txt", "manifest.parquet", "notes.txt")
    }


class Deadly(type(Path())):
    """A folder that ends the process it travels to."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_process_that_dies_costs_its_own_scene_only(tmp_path):
    scenes = dataset_scenes(small(), 4, seed=2)
    folders = [tmp_path, Deadly(tmp_path), tmp_path, tmp_path]
    jobs = [
        SceneJob(f"{n:06d}", scene, folder, ("npy",), 3.0)
        for n, (scene, folder) in enumerate(zip(scenes, folders, strict=True))
    ]
    rows = sorted(render_scenes(jobs, 2), key=lambda row: row["name"])
    assert [row.get("error") for row in rows] == [None, WORKER_DIED, None, None]


def test_a_scene_that_fails_is_a_row_and_status_1(tmp_path, monkeypatch, capsys):
    def fail(scene, stars):
        raise MemoryError("no room")

    monkeypatch.setattr("core.simulate.render.render", fail)
    status = main(
        ["simulate", "--out", str(tmp_path), "--workers", "1", "--set", "camera.width=64", "camera.height=64"]
    )

    assert status == 1
    said = capsys.readouterr()
    assert "000000: MemoryError: no room" in said.err
    assert "1 of 1 scenes, 0 labels, 1 failed" in said.out
    assert pd.read_parquet(tmp_path / "manifest.parquet")["error"].tolist() == ["MemoryError: no room"]
    assert not (tmp_path / "000000.npy").exists()


def test_a_full_disk_keeps_the_scenes_before_it(tmp_path, monkeypatch, capsys):
    def write(path, content):
        if path.name == "000001.txt":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_file(path, content)

    monkeypatch.setattr("core.simulate.dataset_work.write_file", write)
    small_frames = ["--set", "camera.width=64", "camera.height=64"]
    command = ["simulate", "--scenes", "3", "--out", str(tmp_path), "--workers", "1", *small_frames]

    assert main(command) == 2

    said = capsys.readouterr()
    assert f"error: {tmp_path}: No space left on device; what was done until then is kept." in said.err
    assert "1 of 3 scenes" in said.out
    assert pd.read_parquet(tmp_path / "manifest.parquet")["name"].tolist() == ["000000"]
    assert sorted(path.name for path in tmp_path.glob("0*")) == ["000000.fits", "000000.npy", "000000.txt"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "hubble"], "There is no preset 'hubble'; there are:"),
        (["--scenes", "0"], "scenes must be 1 to 1,000,000, got 0."),
        (["--seed", "-3"], "seed must be 0 to"),
        (["--set", "camera.width=3"], "width must be 16 to 8192 px, got 3"),
        (["--set", "camera.colour=red"], "There is no parameter 'colour'; there are:"),
        (["--set", "weather=fine"], "setting must be one of"),
        (["--set", "seed=4"], "The seed is given by --seed."),
        (["--set", "camera.width"], "--set takes PARAM=VALUE, got 'camera.width'."),
        (["--min-snr", "-1"], "min_snr must be 0 or more"),
        (["--min-snr", "nan"], "min_snr must be 0 or more"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_status_2(tmp_path, capsys, arguments, sentence):
    assert main(["simulate", "--out", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr().err
    assert f"error: {sentence}" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "manifest.parquet").exists()


def test_out_that_is_a_file_is_status_2(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["simulate", "--out", str(tmp_path / "file")]) == 2
    assert "--out must be a folder" in capsys.readouterr().err


def test_a_place_that_is_set_is_kept(tmp_path):
    arguments = ["simulate", "--scenes", "2", "--workers", "1", "--format", "npy", "--out", str(tmp_path)]
    main(
        [
            *arguments,
            "--set",
            "pointing.ra_deg=10",
            "pointing.dec_deg=-5",
            "camera.width=64",
            "camera.height=64",
        ]
    )
    manifest = pd.read_parquet(tmp_path / "manifest.parquet")
    assert manifest[["ra_deg", "dec_deg"]].to_numpy().tolist() == [[10, -5], [10, -5]]
    assert manifest["pixels_sha256"].nunique() == 2


def test_a_rotation_that_is_set_is_kept(tmp_path):
    settings = ["pointing.rotation_deg=30", "camera.width=64", "camera.height=64"]
    main(["simulate", "--scenes", "2", "--workers", "1", "--out", str(tmp_path), "--set", *settings])
    manifest = pd.read_parquet(tmp_path / "manifest.parquet")
    assert manifest["rotation_deg"].tolist() == [30, 30]
    assert manifest["ra_deg"].nunique() == 2


def test_ctrl_c_keeps_what_was_done(tmp_path):
    settings = ["--set", "camera.width=64", "camera.height=64"]
    running = subprocess.Popen(
        [sys.executable, "-m", "core", "simulate", "--scenes", "500", "--out", str(tmp_path), *settings],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    said = b""
    while not re.search(rb" [1-9]\d*/500", said):
        said += running.stderr.read1(4096) or pytest.fail(f"it ended early: {said}")
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the process and to its workers
    out, rest = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in said + rest
    assert b"of 500 scenes" in out
    manifest = pd.read_parquet(tmp_path / "manifest.parquet")
    assert 1 <= len(manifest) < 500
    assert all((tmp_path / f"{name}.npy").exists() for name in manifest["name"])
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))
