"""Random numbers: a stream of its own for each effect, so that switching one off changes no other."""

from __future__ import annotations

import zlib

import numpy as np

from core.simulate.scene import Scene


def sky_stream(scene: Scene, effect: str) -> np.random.Generator:
    """Numbers that are the same in every exposure: what is on the sky, and the sensor itself."""
    return np.random.default_rng([scene.seed, zlib.crc32(effect.encode())])


def exposure_stream(scene: Scene, effect: str) -> np.random.Generator:
    """Numbers that are new in each exposure: noise, cosmic rays, satellites."""
    return np.random.default_rng([scene.seed, zlib.crc32(effect.encode()), scene.exposure + 1])
