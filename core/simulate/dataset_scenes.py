"""Where the frames of a dataset look: places spread over the sky, and the scenes there."""

from __future__ import annotations

import dataclasses

import numpy as np

from core.errors import ParameterInvalid
from core.simulate.scene import MAX_SEED, Scene

MAX_SCENES = 1_000_000


def random_pointings(n: int, seed: int = 0) -> list[tuple[float, float]]:
    """``n`` places spread evenly over the whole sky, as right ascension and declination in ICRS degrees.

    An additive recurrence with the plastic number fills the sphere more evenly than independent draws
    (M. Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"); the seed decides where it
    starts. More places of the same seed begin with the same ones.
    """
    plastic = 1.32471795724474602596
    start = np.random.default_rng(seed).random(2)
    turns, heights = ((start + np.arange(n)[:, None] * [1 / plastic, 1 / plastic**2]) % 1.0).T
    return list(zip((360.0 * turns).tolist(), np.degrees(np.arcsin(2 * heights - 1)).tolist(), strict=True))


def dataset_scenes(
    scene: Scene, n: int, seed: int = 0, *, same_field: bool = False, same_rotation: bool = False
) -> list[Scene]:
    """``n`` scenes like one, each with its own seed and, unless ``same_field``, its own field and rotation.

    With ``same_rotation`` the rotation of all is the scene's, whatever their fields.

    Raises:
        ParameterInvalid: ``n`` or ``seed`` is out of bounds.
    """
    for name, value, low, high in (("scenes", n, 1, MAX_SCENES), ("seed", seed, 0, MAX_SEED)):
        if not low <= value <= high:
            raise ParameterInvalid(
                f"{name} must be {low:,} to {high:,}, got {value!r}.",
                parameter=name,
                given=value,
                limit=f"{low} to {high}",
            )
    scenes = []
    for index, (ra_deg, dec_deg) in enumerate(random_pointings(n, seed)):
        random = np.random.default_rng([seed, index])
        own_seed, rotation_deg = int(random.integers(MAX_SEED)), float(random.uniform(0.0, 360.0))
        pointing = scene.pointing
        if not same_field:
            pointing = dataclasses.replace(pointing, ra_deg=ra_deg, dec_deg=dec_deg)
        if not same_field and not same_rotation:
            pointing = dataclasses.replace(pointing, rotation_deg=rotation_deg)
        scenes.append(dataclasses.replace(scene, pointing=pointing, seed=own_seed))
    return scenes
