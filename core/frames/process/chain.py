"""The chain of steps: applied in order, written down, and read back to do the same again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from core.errors import ParameterInvalid
from core.frames.frame import Frame
from core.frames.process.background import BackgroundSubtraction
from core.frames.process.enhance import Enhancement
from core.frames.process.noise import NoiseReduction
from core.frames.process.normalise import Normalisation
from core.frames.process.step import ProcessingStep
from core.parameters import canonical_json

STEPS: tuple[type[ProcessingStep], ...] = (BackgroundSubtraction, NoiseReduction, Normalisation, Enhancement)
"""The steps in the order a person is offered them."""

_UNIT_LOST = "The pixel values were rescaled by processing and are no longer in the file's unit."


def process(frame: Frame, steps: Sequence[ProcessingStep]) -> Frame:
    """A frame with the steps applied in the order given; the frame itself when there are none.

    The new frame's ``processing`` lists every step since the file was read (:func:`steps_from_json`). Its
    saturation is unknown, because the level at which a pixel saturated moved with the values; unit and
    gain are kept only by steps that keep them.
    """
    if not steps:
        return frame
    pixels = frame.pixels
    for step in steps:
        pixels = step.apply(pixels)
    done = (*steps_from_json(frame.processing), *steps)
    record = canonical_json([{"step": step.name, **step.to_dict()} for step in done])
    processed = dataclasses.replace(frame.with_pixels(pixels, record), saturation=None)
    if all(step.keeps_unit for step in steps):
        return processed
    notes = tuple(dict.fromkeys((*frame.notes, _UNIT_LOST)))
    return dataclasses.replace(processed, unit="", gain_e_per_adu=None, notes=notes)


def steps_from_json(text: str) -> tuple[ProcessingStep, ...]:
    """The steps written down in a frame's ``processing``; none for an empty text.

    Raises:
        ParameterInvalid: The text is not such a record, or names an unknown step or parameter.
    """
    if not text:
        return ()
    known = {step.name: step for step in STEPS}
    try:
        records = json.loads(text)
        named = [(known[record["step"]], record) for record in records]
    except (ValueError, KeyError, TypeError):
        raise ParameterInvalid(
            f"The processing must be a list of steps, each one of {', '.join(known)}.",
            parameter="processing",
            given=text[:200],
            limit=tuple(known),
        ) from None
    return tuple(
        step.from_mapping({key: value for key, value in record.items() if key != "step"})
        for step, record in named
    )
