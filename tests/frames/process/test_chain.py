"""The chain: order, record, and doing the same again."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame
from core.frames.process import (
    STEPS,
    BackgroundSubtraction,
    Enhancement,
    NoiseReduction,
    Normalisation,
    process,
    steps_from_json,
)


@pytest.fixture
def frame() -> Frame:
    pixels = np.random.default_rng(0).normal(1000.0, 20.0, (64, 64))
    return Frame.from_array(pixels, unit="adu", gain_e_per_adu=1.5, saturation=65535.0)


def test_steps_have_their_own_names_and_speak_to_people() -> None:
    assert [step.name for step in STEPS] == ["background", "noise", "normalise", "enhance"]
    for step in STEPS:
        assert step.title
        assert (step.__doc__ or "").endswith((".", "\n    "))
        for spec in step.specs():
            assert spec.label
            assert spec.help


def test_no_steps_no_change(frame: Frame) -> None:
    assert process(frame, []) is frame
    assert steps_from_json("") == ()


def test_the_record_does_the_same_again(frame: Frame) -> None:
    steps = (
        BackgroundSubtraction(box_px=32),
        NoiseReduction(method="gaussian"),
        Normalisation(),
        Enhancement(),
    )
    done = process(frame, steps)
    assert steps_from_json(done.processing) == steps
    again = process(frame, steps_from_json(done.processing))
    np.testing.assert_array_equal(again.pixels, done.pixels)
    assert again.key == done.key != frame.key


def test_steps_run_in_the_order_given(frame: Frame) -> None:
    one = process(frame, [Normalisation(), BackgroundSubtraction()])
    two = process(frame, [BackgroundSubtraction(), Normalisation()])
    assert not np.allclose(one.pixels, two.pixels)
    assert one.key != two.key


def test_processing_twice_is_recorded_twice(frame: Frame) -> None:
    whole = process(frame, [BackgroundSubtraction(), NoiseReduction()])
    parts = process(process(frame, [BackgroundSubtraction()]), [NoiseReduction()])
    np.testing.assert_array_equal(whole.pixels, parts.pixels)
    assert whole.key == parts.key


def test_facts_that_processing_takes_away(frame: Frame) -> None:
    flat = process(frame, [BackgroundSubtraction(), NoiseReduction()])
    assert (flat.unit, flat.gain_e_per_adu, flat.saturation, flat.notes) == ("adu", 1.5, None, ())
    scaled = process(process(frame, [Normalisation()]), [Enhancement()])
    assert (scaled.unit, scaled.gain_e_per_adu, scaled.saturation) == ("", None, None)
    assert scaled.notes == (
        "The pixel values were rescaled by processing and are no longer in the file's unit.",
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "7",
        "[7]",
        "[{}]",
        '[{"step":"magic"}]',
        '[{"step":"noise","magic":1}]',
        '[{"step":"noise","radius_px":-1}]',
        '{"step":"noise"}',
    ],
)
def test_a_record_that_is_none(text: str) -> None:
    with pytest.raises(ParameterInvalid):
        steps_from_json(text)
