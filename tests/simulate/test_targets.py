"""Catalogued objects in a scene."""

from __future__ import annotations

import dataclasses

import pytest

from core.simulate.catalogue import stars_for
from core.simulate.names import Target, find
from core.simulate.render import render
from core.simulate.scene import Scene
from core.simulate.targets import with_target


@pytest.mark.parametrize(
    ("name", "lists"),
    [
        ("M 51", (1, 0, 0)),
        ("M 57", (0, 1, 0)),
        ("M 42", (0, 1, 0)),
        ("M 13", (0, 0, 1)),
        ("M 44", (0, 0, 0)),
        ("12h00m00s +10d00m00s", (0, 0, 0)),
    ],
)
def test_an_object_is_drawn_as_what_it_is(name: str, lists: tuple[int, int, int]) -> None:
    scene = with_target(Scene(), find(name))
    assert (len(scene.galaxies), len(scene.nebulae), len(scene.clusters)) == lists
    assert Scene.from_json(scene.to_json()) == scene


def test_an_object_keeps_its_catalogued_shape() -> None:
    (galaxy,) = with_target(Scene(), find("M 51")).galaxies
    assert galaxy.mag == pytest.approx(8.36)
    assert galaxy.axis_ratio == pytest.approx(11.67 / 13.71, abs=1e-3)
    assert galaxy.angle_deg == 163


@pytest.mark.parametrize("size_arcmin", [None, 0.0, 0.01, 5000.0])
def test_odd_sizes_never_break_a_scene(size_arcmin: float | None) -> None:
    for kind in ("Galaxy", "Nebula", "Globular Cluster", "Star"):
        target = Target("X", 10.0, 20.0, kind, size_arcmin=size_arcmin, magnitude=9.0)
        assert isinstance(with_target(Scene(), target), Scene)


def test_the_globular_cluster_is_on_the_frame() -> None:
    target = find("M 13")
    scene = Scene()
    camera = dataclasses.replace(scene.camera, width=256, height=256)
    pointing = dataclasses.replace(scene.pointing, ra_deg=target.ra_deg, dec_deg=target.dec_deg)
    scene = dataclasses.replace(scene, camera=camera, pointing=pointing)
    stars = stars_for(target.ra_deg, target.dec_deg, 0.2, limit_mag=12.0, epoch=2016.0, seed=0).table
    empty, full = (render(each, stars).frame.pixels for each in (scene, with_target(scene, target)))
    assert full[118:138, 118:138].mean() > empty[118:138, 118:138].mean() + 100
