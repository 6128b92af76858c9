"""Networks that know slopes under one sun only: the light on a picture, and pictures turned to it.

A valley looks like a ridge that is lit from the other side. Craters tell the two apart, for they are hollow:
they are found first, whatever the light, and show where the sun is. The picture is then turned by quarters
until it stands between left and top, where it stood in the training.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.methods import Progress, no_progress
from core.models import are_present
from core.surfaces import craters
from core.surfaces.places import softmax
from core.surfaces.sunlight import Sunlight, light_on_craters, quarter_to_light

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SURE_OF_SIDE = 0.7
"""Least concentration of the directions that craters show to believe them. Maps under a full Moon have less,
for their bright rims only look like lit walls."""
LEAST_CHANCE = 1e-6
Look = Callable[[UInt8, Progress], Float32]
"""``(K, rows, columns)`` logits of classes over a ``(h, w)`` picture."""


def light_on(
    picture: UInt8,
    azimuth_deg: float | None = None,
    progress: Progress = no_progress,
    seen: NDArray[np.bool_] | None = None,
    aspect: float = 1.0,
) -> Sunlight:
    """The light on a picture: as it is given, or else as the craters that are found show it.

    Args:
        picture: ``(H, W)``.
        azimuth_deg: Direction towards the sun, from +x towards +y, if a person said so.
        progress: Told the part of the search for craters that is done.
        seen: ``(H, W)`` where the frame has pixels; everywhere when None.
        aspect: Height over width of a pixel on the ground.
    """
    if azimuth_deg is not None:
        return Sunlight(azimuth_deg, is_given=True)
    if not are_present(craters.WEIGHTS):
        return Sunlight(0.0, 0.0)
    found, scores, confidence = craters.find(picture, progress, seen, aspect)
    sure = scores >= confidence
    light = light_on_craters(picture, np.column_stack([found[sure, 1:4], scores[sure]]))
    return light if light.concentration >= SURE_OF_SIDE else Sunlight(light.azimuth_deg, 0.0)


def look_in_light(picture: UInt8, light: Sunlight, look: Look, progress: Progress = no_progress) -> Float32:
    """``(K, rows, columns)`` logarithms of the chances of classes over a picture that is turned to its light.

    Where its side is not known they are the mean over all four turns, so that what depends on it is unsure.

    Args:
        picture: ``(H, W)``.
        light: On it.
        look: The network.
        progress: Told the part that is done.
    """
    turns = (quarter_to_light(light.azimuth_deg),) if light.is_known else tuple(range(4))
    chances = []
    for number, quarter in enumerate(turns):

        def at_turn(done: float, doing: str, number: int = number) -> None:
            progress((number + done) / len(turns), doing)

        logits = look(np.ascontiguousarray(np.rot90(picture, quarter)), at_turn)
        chances.append(np.rot90(softmax(logits, 1.0), -quarter, (1, 2)))
    mean: Float32 = np.mean(chances, axis=0, dtype=np.float32)
    return np.log(np.maximum(mean, np.float32(LEAST_CHANCE)))


def sun_fact(light: Sunlight) -> dict[str, float]:
    """What a result says of the light: NaN where its side is not known."""
    return {"sun_azimuth_deg": light.azimuth_deg if light.is_known else float("nan")}
