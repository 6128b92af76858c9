"""What the playground gives to take home."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import numpy as np
import pandas as pd
from PIL import Image

from core.frames.display import DisplaySettings
from core.simulate.catalogue import StarCatalogue, stars_for
from core.simulate.dataset_fits import read_truth
from core.simulate.presets import PRESETS
from core.simulate.render import render
from core.simulate.scene import Scene
from core.ui import simulate
from core.ui.simulate import (
    archivable,
    exposures_zip,
    labelled_zip,
    picture_png,
    preview_scene,
    truth_layers,
)


def simulated():
    scene = Scene()
    scene = dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, width=160, height=120))
    pointing = scene.pointing
    stars = stars_for(pointing.ra_deg, pointing.dec_deg, 0.1, limit_mag=16.0, epoch=2016.0, seed=2).table
    return render(scene, stars)


def test_the_labelled_archive_holds_the_pixels_and_a_label_for_each_visible_object():
    simulation = simulated()
    with zipfile.ZipFile(io.BytesIO(labelled_zip(simulation))) as archive:
        pixels = np.load(io.BytesIO(archive.read("frame.npy")))
        labels = archive.read("frame.txt").decode().splitlines()
        classes = archive.read("classes.txt").decode().split()
        scene = Scene.from_dict(json.loads(archive.read("scene.json")))
    np.testing.assert_array_equal(pixels, simulation.frame.pixels)
    assert len(labels) == (simulation.truth.table["snr"] >= 3).sum() > 3
    assert classes[int(labels[0].split()[0])] == "star"
    assert scene == simulation.scene


def test_layers_tell_real_stars_from_those_drawn_at_random():
    simulation = simulated()
    counts = {layer.name: len(layer.detections) for layer in truth_layers(simulation)}
    assert sum(counts.values()) == (simulation.truth.table["snr"] >= 3).sum()
    assert set(counts) <= {"real stars", "stars drawn at random"}


def test_the_preview_is_the_middle_of_the_scene():
    scene = PRESETS["vespera"]
    shown = preview_scene(scene)
    assert (shown.camera.width, shown.camera.height) == (512, 512)
    assert shown.pixel_scale_arcsec == scene.pixel_scale_arcsec
    assert 0.0 < shown.camera.vignetting < 0.5 * scene.camera.vignetting


def test_the_exposures_to_take_home_show_the_stars_of_the_picture(monkeypatch):
    def catalogue(scene, *, online):
        place = {"ra_deg": [scene.pointing.ra_deg], "dec_deg": [scene.pointing.dec_deg]}
        star = {"g_mag": 11.0, "bp_mag": 11.2, "rp_mag": 10.5, "real": online, "source_id": int(online)}
        return StarCatalogue(pd.DataFrame({**place, **star}), 20.0, 20.0, "the archive")

    monkeypatch.setattr(simulate, "scene_stars", catalogue)
    scene = PRESETS["vespera"].cropped(128, 96)
    for online in (True, False):
        with zipfile.ZipFile(io.BytesIO(exposures_zip(scene, 2, 5.0, online=online))) as archive:
            truths = [read_truth(archive.read(name)).table for name in archive.namelist()]
        assert [list(truth["real"]) for truth in truths] == [[online], [online]]
        assert truths[0]["x"][0] != truths[1]["x"][0]


def test_ten_exposures_fit_into_memory():
    whole = PRESETS["stellina"]
    middle = archivable(whole, 10).camera
    assert 0.9e8 < 10 * 3 * middle.width * middle.height <= 1e8
    assert archivable(PRESETS["vespera"], 10) == PRESETS["vespera"]


def test_the_picture_holds_every_pixel_with_the_first_row_at_the_bottom():
    simulation = simulated()
    frame = simulation.frame

    picture = np.asarray(Image.open(io.BytesIO(picture_png(frame, DisplaySettings.for_frame(frame)))))

    assert picture.shape[:2] == (120, 160)
    row, column = np.unravel_index(frame.pixels.argmax(), frame.pixels.shape)
    assert picture[119 - row, column].max() == picture.max()
