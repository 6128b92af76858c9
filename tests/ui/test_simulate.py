"""What the playground gives to take home."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import numpy as np
from PIL import Image

from core.frames.display import DisplaySettings
from core.simulate.catalogue import stars_for
from core.simulate.render import render
from core.simulate.scene import Scene
from core.ui.simulate import labelled_zip, picture_png, preview_scene, truth_layers


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
    scene = Scene()
    shown = preview_scene(scene)
    assert (shown.camera.width, shown.camera.height) == (512, 512)
    assert shown.pixel_scale_arcsec == scene.pixel_scale_arcsec


def test_the_picture_holds_every_pixel_with_the_first_row_at_the_bottom():
    simulation = simulated()
    frame = simulation.frame

    picture = np.asarray(Image.open(io.BytesIO(picture_png(frame, DisplaySettings.for_frame(frame)))))

    assert picture.shape[:2] == (120, 160)
    row, column = np.unravel_index(frame.pixels.argmax(), frame.pixels.shape)
    assert picture[119 - row, column].max() == picture.max()
