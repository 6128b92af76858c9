"""The processing chain and the way a frame is shown, as a person switches them."""

from __future__ import annotations

import inspect

import streamlit as st

from core.frames import Frame
from core.frames.display import DisplaySettings
from core.frames.process import STEPS, Histogram, ProcessingStep, histogram, process
from core.ui.parameters import parameter_widgets


@st.cache_resource(show_spinner="Processing the frame", max_entries=3, ttl=3600)
def _processed(key: str, name: str, steps: tuple[ProcessingStep, ...], _frame: Frame) -> Frame:
    return process(_frame, steps)


def processing_chain(frame: Frame, key: str) -> Frame:
    """Draw the chain's switches in the current container and give the frame processed by it.

    Steps run in the order they stand in; with all of them off the frame itself comes back.
    """
    chosen: list[ProcessingStep] = []
    for step in STEPS:
        if st.toggle(
            step.title, key=f"{key}.{step.name}", persist_state="session", help=inspect.getdoc(step)
        ):
            with st.container(border=True):
                chosen.append(parameter_widgets(step(), f"{key}.{step.name}.set"))
    return _processed(frame.key, frame.name, tuple(chosen), frame) if chosen else frame


def frame_histogram(frame: Frame) -> Histogram:
    """The histogram of a frame, worked out once: a large frame takes seconds."""
    return _histogram(frame.key, frame)


@st.cache_resource(show_spinner=False, max_entries=16, ttl=3600)
def _histogram(key: str, _frame: Frame) -> Histogram:
    return histogram(_frame.pixels)


def display_controls(frame: Frame, key: str, *, full: bool) -> DisplaySettings:
    """Draw stretch, limits and colour map in the current container and give the settings.

    Args:
        frame: The frame that is shown; its kind sets what is shown at first.
        key: Prefix of the widgets' keys.
        full: Every setting, or only stretch, colours and invert.
    """
    settings = DisplaySettings.for_frame(frame)
    short = ("stretch", "colour_map", "invert")
    # Keys carry the frame, so that each frame opens with what suits it.
    return parameter_widgets(settings, f"{key}.{frame.key[:12]}", only=None if full else short)
